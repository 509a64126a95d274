//! The people of the house, their keys, and the documents that their keys make.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use anlauf_model::landscape::{Declared, PolicyRule, policy, source};
use anlauf_model::{Digest, Landscape, Minutes, Role, Timestamp};
use anlauf_recovery::Actor;
use anlauf_trust::{Envelope, KeyRecord, Policy, Root, Scheme, Signer};

const FILES: [(&str, &str); 5] = [
    ("landscape.toml", include_str!("house/landscape.toml")),
    ("policy.toml", include_str!("house/policy.toml")),
    ("tenants.csv", include_str!("house/tenants.csv")),
    ("offers.csv", include_str!("house/offers.csv")),
    ("people.csv", include_str!("house/people.csv")),
];

/// Names of the stories and who they are.
pub const PEOPLE: [(&str, &str, &str, Role); 12] = [
    ("op", "op", "provider", Role::Operator),
    ("sec", "sec", "provider", Role::Security),
    ("sec2", "sec2", "provider", Role::Security),
    ("own", "own", "provider", Role::Owner),
    ("for", "for", "spurlab", Role::Forensics),
    ("auto", "auto", "provider", Role::Automation),
    ("aud", "aud", "spurlab", Role::Auditor),
    ("alder", "alder.approver-1", "alder", Role::Tenant),
    ("alder2", "alder.approver-2", "alder", Role::Tenant),
    ("birch", "birch.approver-1", "birch", Role::Tenant),
    ("gate", "gate-1", "provider", Role::Gate),
    ("anyone", "anyone", "provider", Role::Public),
];

pub static LANDSCAPE: LazyLock<Landscape> = LazyLock::new(|| {
    let files: BTreeMap<String, Vec<u8>> = FILES
        .iter()
        .map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()))
        .collect();
    let declared = source::read(&files).unwrap_or_else(|errors| panic!("{errors:#?}"));
    Landscape::new(declared).unwrap_or_else(|problems| panic!("{problems:#?}"))
});

pub fn declared() -> Declared {
    LANDSCAPE.declared().clone()
}

/// When every story begins.
pub fn start() -> Timestamp {
    "2026-04-20T00:00:00Z".parse().unwrap()
}

pub fn actor(name: &str) -> Actor {
    let (_, person, organisation, role) = PEOPLE
        .iter()
        .find(|(short, ..)| *short == name)
        .unwrap_or_else(|| panic!("who is {name}?"));
    Actor {
        person: person.parse().unwrap(),
        organisation: organisation.parse().unwrap(),
        role: *role,
        tenant: (*role == Role::Tenant).then(|| organisation.parse().unwrap()),
    }
}

pub fn signer(name: &str) -> Signer {
    Signer::from_seed(Digest::of(format!("house {name}").as_bytes()).0)
}

pub fn sealed(payload: Vec<u8>, names: &[&str]) -> Envelope {
    let mut envelope = Envelope::unsigned(payload);
    for name in names {
        signer(name).sign(&mut envelope);
    }
    envelope
}

pub fn root(version: u64) -> Envelope {
    let record = |(name, person, organisation, role): &(&str, &str, &str, Role)| KeyRecord {
        id: signer(name).keyid(),
        scheme: Scheme::Ed25519,
        public: signer(name).public(),
        person: person.parse().unwrap(),
        organisation: organisation.parse().unwrap(),
        role: *role,
        tenant: (*role == Role::Tenant).then(|| organisation.parse().unwrap()),
        not_before: start() - Minutes::days(1),
        not_after: start() + Minutes::days(380),
    };
    let root = Root {
        domain: "drill-house".into(),
        drill: true,
        version,
        expires: start() + Minutes::days(380),
        keys: PEOPLE.iter().map(record).collect(),
        root_keys: ["sec", "own", "for"]
            .map(|name| signer(name).keyid())
            .to_vec(),
        root_threshold: 2,
        root_organisations_min: 2,
    };
    sealed(root.to_payload(), &["sec", "for"])
}

pub fn policy(version: u64, rules: Vec<PolicyRule>) -> Envelope {
    let table = LANDSCAPE.gate_table().digest();
    let policy = Policy {
        domain: "drill-house".into(),
        version,
        table,
        rules,
        freshness: Vec::new(),
    };
    sealed(policy.to_payload(), &["sec", "for"])
}

pub fn rules_normal() -> Vec<PolicyRule> {
    policy::normal_rules(&LANDSCAPE.declared().policy)
}
