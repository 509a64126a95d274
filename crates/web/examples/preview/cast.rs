//! Everyone of a landscape with a key that hangs on their name, and the documents they sign.

use std::collections::BTreeMap;

use anlauf_model::landscape::{PolicyRule, policy::normal_rules};
use anlauf_model::{Digest, Landscape, Minutes, PersonId, Role, Timestamp};
use anlauf_recovery::Actor;
use anlauf_trust::{Envelope, KeyRecord, Policy, Root, Scheme, Signer};

const DOMAIN: &str = "drill-preview";
const CLOSER: &str = "control";
const SEALERS: [&str; 3] = ["security-1", "owner-1", "forensics-1"];

/// Everyone.
pub struct Cast {
    people: BTreeMap<PersonId, Actor>,
}

impl Cast {
    pub fn new(landscape: &Landscape) -> Self {
        let tenant = |one: &anlauf_model::landscape::Person| {
            (one.role == Role::Tenant)
                .then(|| one.organisation.as_str().parse().ok())
                .flatten()
        };
        let people = landscape.people().iter().map(|one| Actor {
            person: one.id.clone(),
            organisation: one.organisation.clone(),
            role: one.role,
            tenant: tenant(one),
        });
        let more = [
            (CLOSER, Role::Automation),
            ("gate-west-1", Role::Gate),
            ("gate-north-1", Role::Gate),
        ];
        let more = more.map(|(id, role)| Actor {
            person: id.parse().expect("legal"),
            organisation: landscape.declared().provider.clone(),
            role,
            tenant: None,
        });
        let people = people
            .chain(more)
            .map(|actor| (actor.person.clone(), actor));
        Self {
            people: people.collect(),
        }
    }

    pub fn actors(&self) -> impl Iterator<Item = &Actor> {
        self.people.values()
    }

    /// The first in a role, or the first of a tenant.
    pub fn one(&self, role: Role, tenant: Option<&str>) -> &Actor {
        let fits = |actor: &&Actor| {
            actor.role == role && actor.tenant.as_ref().map(|t| t.as_str()) == tenant
        };
        self.people.values().find(fits).expect("every role is held")
    }

    pub fn closer(&self) -> Signer {
        signer(CLOSER)
    }

    fn sealed(&self, payload: Vec<u8>) -> Envelope {
        let mut envelope = Envelope::unsigned(payload);
        for name in SEALERS {
            signer(name).sign(&mut envelope);
        }
        envelope
    }

    pub fn root(&self, now: Timestamp) -> Envelope {
        let record = |actor: &Actor| {
            let key = signer(actor.person.as_str());
            KeyRecord {
                id: key.keyid(),
                scheme: Scheme::Ed25519,
                public: key.public(),
                person: actor.person.clone(),
                organisation: actor.organisation.clone(),
                role: actor.role,
                tenant: actor.tenant.clone(),
                not_before: now - Minutes::days(1),
                not_after: now + Minutes::days(300),
            }
        };
        let signing = |actor: &&Actor| actor.role != Role::Gate;
        let root = Root {
            domain: DOMAIN.into(),
            drill: true,
            version: 1,
            expires: now + Minutes::days(300),
            keys: self.people.values().filter(signing).map(record).collect(),
            root_keys: SEALERS.map(|name| signer(name).keyid()).to_vec(),
            root_threshold: 3,
            root_organisations_min: 2,
        };
        self.sealed(root.to_payload())
    }

    /// Version 1 commissions, version 2 is what the landscape declares.
    pub fn policy(&self, landscape: &Landscape, version: u64) -> Envelope {
        let declared: &[PolicyRule] = &landscape.declared().policy;
        let policy = Policy {
            domain: DOMAIN.into(),
            version,
            table: landscape.gate_table().digest(),
            freshness: Vec::new(),
            rules: if version == 1 {
                normal_rules(declared)
            } else {
                declared.to_vec()
            },
        };
        self.sealed(policy.to_payload())
    }
}

/// A key that hangs on the name alone.
pub fn signer(name: &str) -> Signer {
    Signer::from_seed(Digest::of(format!("preview {name}").as_bytes()).0)
}
