//! The parties of the drill: everyone in the landscape, each with a key and a login of their own.
//!
//! In:    the landscape, a seed. Out: keys, logins, who can act in which role.
//! Never: a key that outlives the drill's own domain.

use std::collections::BTreeMap;

use anlauf_model::{Digest, Landscape, PersonId, Role, TenantId};
use anlauf_recovery::Actor;
use anlauf_trust::Signer;
use anyhow::{Context, Result, anyhow};

use super::desk::Login;
use crate::logins::Book;

/// Name under which the control plane itself signs closes.
const CONTROL: &str = "control-plane";

/// Everyone.
pub struct Parties {
    parties: BTreeMap<PersonId, Party>,
    roles: BTreeMap<Role, Vec<PersonId>>,
    tenants: BTreeMap<TenantId, Vec<PersonId>>,
    seed: u64,
}

/// One person or automation.
pub struct Party {
    /// Who.
    pub actor: Actor,
    /// Their key.
    pub signer: Signer,
    login: Login,
}

impl Parties {
    /// Makes a key and a login for everyone. The keys hang on the seed alone: a drill can be played
    /// again.
    ///
    /// # Errors
    /// No randomness for logins; a name in the landscape that the drill needs for itself.
    pub fn new(landscape: &Landscape, seed: u64, gates: usize, book: &Book) -> Result<Self> {
        let mut parties = Self {
            parties: BTreeMap::new(),
            roles: BTreeMap::new(),
            tenants: BTreeMap::new(),
            seed,
        };
        for person in landscape.people() {
            let tenant = match person.role {
                Role::Tenant => person.organisation.as_str().parse::<TenantId>().ok(),
                _ => None,
            };
            let actor = Actor {
                person: person.id.clone(),
                organisation: person.organisation.clone(),
                role: person.role,
                tenant,
            };
            parties.add(actor, book)?;
        }
        let names = (1..=gates).map(|number| (format!("gate-{number}"), Role::Gate));
        for (name, role) in names.chain([(CONTROL.to_owned(), Role::Automation)]) {
            let actor = Actor {
                person: name
                    .parse()
                    .with_context(|| format!("`{name}` is no name"))?,
                organisation: landscape.declared().provider.clone(),
                role,
                tenant: None,
            };
            parties.add(actor, book)?;
        }
        Ok(parties)
    }

    fn add(&mut self, actor: Actor, book: &Book) -> Result<()> {
        let token = book.add(actor.clone())?;
        let person = actor.person.clone();
        let login = Login {
            person: person.clone(),
            token,
        };
        self.roles
            .entry(actor.role)
            .or_default()
            .push(person.clone());
        if let Some(tenant) = &actor.tenant {
            self.tenants
                .entry(tenant.clone())
                .or_default()
                .push(person.clone());
        }
        let signer = self.key(person.as_str());
        let party = Party {
            actor,
            signer,
            login,
        };
        match self.parties.insert(person.clone(), party) {
            None => Ok(()),
            Some(_) => Err(anyhow!("the drill needs the name `{person}` for itself")),
        }
    }

    /// The key of a name.
    fn key(&self, name: &str) -> Signer {
        Signer::from_seed(Digest::of(format!("drill {} {name}", self.seed).as_bytes()).0)
    }

    /// The key of the ledger's checkpoints.
    pub fn log_key(&self) -> Signer {
        self.key("ledger")
    }

    /// The key by which the control plane signs closes that a person orders.
    pub fn close_key(&self) -> Signer {
        self.key(CONTROL)
    }

    /// Everyone with a key.
    pub fn all(&self) -> impl Iterator<Item = &Party> {
        self.parties.values()
    }

    /// A person's key.
    pub fn signer(&self, person: &PersonId) -> Option<&Signer> {
        self.parties.get(person).map(|party| &party.signer)
    }

    /// A person's login.
    ///
    /// # Errors
    /// When the person has none.
    pub fn login(&self, person: &PersonId) -> Result<&Login> {
        let party = self.parties.get(person);
        let party = party.ok_or_else(|| anyhow!("`{person}` has no login in this drill"))?;
        Ok(&party.login)
    }

    /// The first person of a role.
    ///
    /// # Errors
    /// When nobody has the role.
    pub fn first(&self, role: Role) -> Result<&Login> {
        let person = self.roles.get(&role).and_then(|people| people.first());
        self.login(person.ok_or_else(|| anyhow!("nobody in this landscape acts as `{role}`"))?)
    }

    /// The representative who answers for a tenant.
    ///
    /// # Errors
    /// When the tenant has none.
    pub fn tenant(&self, tenant: &TenantId) -> Result<&Login> {
        let person = self.tenants.get(tenant).and_then(|people| people.first());
        self.login(person.ok_or_else(|| anyhow!("nobody may speak for `{tenant}`"))?)
    }

    /// `count` people of a role for a tenant's or the provider's cells; who it is turns by `turn`.
    pub fn pick(
        &self,
        role: Role,
        tenant: Option<&TenantId>,
        count: usize,
        turn: usize,
    ) -> Vec<PersonId> {
        let people = match (role, tenant) {
            (Role::Tenant, Some(tenant)) => self.tenants.get(tenant),
            (Role::Tenant, None) => None,
            (role, _) => self.roles.get(&role),
        };
        let Some(people) = people else {
            return Vec::new();
        };
        let wanted = count.min(people.len());
        (0..wanted)
            .map(|i| people[(turn + i) % people.len()].clone())
            .collect()
    }
}
