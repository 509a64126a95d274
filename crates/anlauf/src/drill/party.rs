//! The people of the drill: everyone in the landscape, each with a key and a login of their own.
//!
//! In:    the landscape, a seed. Out: keys, logins, who can act in which role.
//! Never: a key that outlives the drill's own domain.

use std::collections::BTreeMap;

use anlauf_model::{Digest, Landscape, PersonId, Role, TenantId};
use anlauf_trust::Signer;
use anyhow::{Result, anyhow};

use super::desk::Login;

/// Everyone.
pub struct Parties {
    signers: BTreeMap<PersonId, Signer>,
    logins: BTreeMap<PersonId, Login>,
    roles: BTreeMap<Role, Vec<PersonId>>,
    tenants: BTreeMap<TenantId, Vec<PersonId>>,
}

impl Parties {
    /// Makes a key for everyone. The keys hang on the seed alone: a drill can be played again.
    pub fn new(landscape: &Landscape, seed: u64) -> Self {
        let mut parties = Self {
            signers: BTreeMap::new(),
            logins: BTreeMap::new(),
            roles: BTreeMap::new(),
            tenants: BTreeMap::new(),
        };
        for person in landscape.people() {
            let secret = Digest::of(format!("drill {seed} {}", person.id).as_bytes());
            parties.signers.insert(person.id.clone(), Signer::from_seed(secret.0));
            parties.roles.entry(person.role).or_default().push(person.id.clone());
            if person.role == Role::Tenant
                && let Ok(tenant) = person.organisation.as_str().parse::<TenantId>()
            {
                parties.tenants.entry(tenant).or_default().push(person.id.clone());
            }
        }
        parties
    }

    /// Gives a person their login.
    pub fn log_in(&mut self, person: PersonId, token: String) {
        self.logins.insert(person.clone(), Login { person, token });
    }

    /// Everyone with a key.
    pub fn people(&self) -> impl Iterator<Item = (&PersonId, &Signer)> {
        self.signers.iter()
    }

    /// A person's key.
    pub fn signer(&self, person: &PersonId) -> Option<&Signer> {
        self.signers.get(person)
    }

    /// A person's login.
    ///
    /// # Errors
    /// When the person has none.
    pub fn login(&self, person: &PersonId) -> Result<&Login> {
        self.logins.get(person).ok_or_else(|| anyhow!("`{person}` has no login in this drill"))
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

    /// `count` people of a role for a tenant's or the provider's cells; who it is turns with `turn`.
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
        let Some(people) = people else { return Vec::new() };
        (0..count.min(people.len())).map(|i| people[(turn + i) % people.len()].clone()).collect()
    }
}
