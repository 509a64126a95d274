//! Everyone in the example landscape with a login and a key, and the documents their keys make.

use std::collections::BTreeMap;

use anlauf_model::landscape::{Class, FreshnessRule, PolicyRule, SignerCount, Stale};
use anlauf_model::{CellKind, FindingKind, Landscape, Minutes, PersonId, Role, Timestamp};
use anlauf_recovery::Actor;
use anlauf_trust::{Envelope, KeyRecord, Policy, Root, Scheme, Signer};

use super::{person, signer};

/// Domain of the tests.
const DOMAIN: &str = "drill-stand";

/// People whose signatures carry roots and policies.
const ROOT_SIGNERS: [&str; 3] = ["security-1", "owner-1", "forensics-1"];

/// The control plane's own automation.
const CLOSER: &str = "control";

/// Logins that are in no landscape: gates, the public, the control plane.
const OTHERS: [(&str, Role); 4] = [
    ("gate-1", Role::Gate),
    ("gate-2", Role::Gate),
    ("anyone", Role::Public),
    (CLOSER, Role::Automation),
];

/// Everyone, with keys.
pub(crate) struct Cast {
    people: BTreeMap<PersonId, (Actor, Signer)>,
}

impl Cast {
    pub(crate) fn new(landscape: &Landscape) -> Self {
        let declared = landscape.people().iter().map(|one| Actor {
            person: one.id.clone(),
            organisation: one.organisation.clone(),
            role: one.role,
            tenant: (one.role == Role::Tenant).then(|| {
                one.organisation
                    .as_str()
                    .parse()
                    .expect("a tenant is an organisation")
            }),
        });
        let others = OTHERS.map(|(id, role)| Actor {
            person: person(id),
            organisation: landscape.declared().provider.clone(),
            role,
            tenant: None,
        });
        let key = |actor: Actor| {
            let key = signer(actor.person.as_str());
            (actor.person.clone(), (actor, key))
        };
        Self {
            people: declared.chain(others).map(key).collect(),
        }
    }

    pub(crate) fn actors(&self) -> impl Iterator<Item = &Actor> {
        self.people.values().map(|(actor, _)| actor)
    }

    /// The control plane's key, which may close and never open.
    pub(crate) fn closer(&self) -> Signer {
        signer(CLOSER)
    }

    fn sealed(&self, payload: Vec<u8>) -> Envelope {
        let mut envelope = Envelope::unsigned(payload);
        for name in ROOT_SIGNERS {
            signer(name).sign(&mut envelope);
        }
        envelope
    }

    /// The root document, signed.
    pub(crate) fn root(&self, now: Timestamp) -> Envelope {
        let signing = |actor: &Actor| !matches!(actor.role, Role::Gate | Role::Public);
        let record = |(actor, key): &(Actor, Signer)| KeyRecord {
            id: key.keyid(),
            scheme: Scheme::Ed25519,
            public: key.public(),
            person: actor.person.clone(),
            organisation: actor.organisation.clone(),
            role: actor.role,
            tenant: actor.tenant.clone(),
            not_before: now - Minutes::days(1),
            not_after: now + Minutes::days(300),
        };
        let keys = self
            .people
            .values()
            .filter(|(actor, _)| signing(actor))
            .map(record);
        let root = Root {
            domain: DOMAIN.into(),
            drill: true,
            version: 1,
            expires: now + Minutes::days(300),
            keys: keys.collect(),
            root_keys: ROOT_SIGNERS.map(|name| signer(name).keyid()).to_vec(),
            root_threshold: 3,
            root_organisations_min: 2,
        };
        self.sealed(root.to_payload())
    }

    /// A policy for this landscape: a clean backup, and two people of two organisations.
    pub(crate) fn policy(&self, landscape: &Landscape, version: u64) -> Envelope {
        let rule = |class: Class, kinds: &[CellKind], second: Role| PolicyRule {
            class,
            kinds: kinds.to_vec(),
            stages: Vec::new(),
            findings: vec![FindingKind::BackupClean],
            signers: [Role::Security, second]
                .map(|role| SignerCount { role, count: 1 })
                .to_vec(),
            organisations_min: 2,
            origins_min: 0,
        };
        let classes = [Class::A, Class::B, Class::C];
        let ours = [CellKind::Foundation, CellKind::Shared];
        let mut rules: Vec<_> = classes
            .map(|class| rule(class, &ours, Role::Forensics))
            .to_vec();
        rules.extend(classes.map(|class| rule(class, &[], Role::Tenant)));
        let policy = Policy {
            domain: DOMAIN.into(),
            version,
            table: landscape.gate_table().digest(),
            rules,
            freshness: Vec::new(),
        };
        self.sealed(policy.to_payload())
    }

    /// The same, where class A shuts after a quarter of an hour without fresh word.
    pub(crate) fn policy_fresh(&self, landscape: &Landscape, version: u64) -> Envelope {
        let plain = self.policy(landscape, version);
        let mut policy = Policy::parse(&plain.payload).expect("it was just written");
        policy.freshness = vec![FreshnessRule {
            class: Class::A,
            minutes_max: 15,
            stale: Stale::Close,
        }];
        self.sealed(policy.to_payload())
    }
}
