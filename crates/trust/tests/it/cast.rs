//! The people, cells and documents that the tests play with. Every seed is fixed.

use anlauf_model::landscape::{CellKind, Class, PolicyRule, SignerCount};
use anlauf_model::{CellId, Digest, Epoch, FindingKind, Minutes, PersonId, Role, Stage, Timestamp};
use anlauf_trust::statement::Evidence;
use anlauf_trust::{
    Authority, CellFacts, Close, Envelope, Freshness, KeyRecord, Policy, Refusal, Release,
    ReleaseCell, Root, Scheme, Scope, Signer,
};

pub const DOMAIN: &str = "drill-test";

/// Name, seed, organisation, role. A tenant representative's tenant is its organisation.
pub const PEOPLE: [(&str, u8, &str, Role); 13] = [
    ("sec-1", 1, "provider", Role::Security),
    ("sec-2", 2, "provider", Role::Security),
    ("own-1", 3, "provider", Role::Owner),
    ("own-2", 4, "provider", Role::Owner),
    ("for-1", 5, "spurlab", Role::Forensics),
    ("amsel-1", 6, "bkk-amsel", Role::Tenant),
    ("amsel-2", 7, "bkk-amsel", Role::Tenant),
    ("birke-1", 8, "bkk-birke", Role::Tenant),
    ("op-1", 9, "provider", Role::Operator),
    ("auto-1", 10, "provider", Role::Automation),
    ("aud-1", 11, "pruefhaus", Role::Auditor),
    ("gate-1", 12, "provider", Role::Gate),
    ("all-1", 13, "provider", Role::Public),
];

pub const ROOT_SIGNERS: [&str; 3] = ["sec-1", "own-1", "for-1"];
pub const RELEASE_SIGNERS: [&str; 4] = ["sec-1", "sec-2", "own-1", "amsel-1"];

pub fn now() -> Timestamp {
    "2026-04-24T12:00:00Z".parse().unwrap()
}

pub fn signer(name: &str) -> Signer {
    let (_, seed, ..) = PEOPLE.iter().find(|(person, ..)| *person == name).unwrap();
    Signer::from_seed([*seed; 32])
}

/// A second key of sec-1, in the root like the first.
pub fn second_key() -> Signer {
    Signer::from_seed([21; 32])
}

pub fn record(name: &str, organisation: &str, role: Role, key: &Signer) -> KeyRecord {
    KeyRecord {
        id: key.keyid(),
        scheme: Scheme::Ed25519,
        public: key.public(),
        person: name.parse().unwrap(),
        organisation: organisation.parse().unwrap(),
        role,
        tenant: (role == Role::Tenant).then(|| organisation.parse().unwrap()),
        not_before: now() - Minutes::days(10),
        not_after: now() + Minutes::days(300),
    }
}

pub fn root() -> Root {
    let one = |(name, _, organisation, role): &(&str, u8, &str, Role)| {
        record(name, organisation, *role, &signer(name))
    };
    let mut keys: Vec<_> = PEOPLE.iter().map(one).collect();
    keys.push(record("sec-1", "provider", Role::Security, &second_key()));
    let root_keys = ["sec-1", "sec-2", "own-1", "for-1"]
        .map(|name| signer(name).keyid())
        .to_vec();
    Root {
        domain: DOMAIN.into(),
        drill: true,
        version: 1,
        expires: now() + Minutes::days(300),
        keys,
        root_keys,
        root_threshold: 3,
        root_organisations_min: 2,
    }
}

pub fn count(role: Role, count: u32) -> SignerCount {
    SignerCount { role, count }
}

pub fn policy() -> Policy {
    let rule = |class, kinds: &[CellKind], findings: &[FindingKind], signers, organisations_min| {
        let (kinds, findings) = (kinds.to_vec(), findings.to_vec());
        PolicyRule {
            class,
            kinds,
            stages: Vec::new(),
            findings,
            signers,
            organisations_min,
            origins_min: 0,
        }
    };
    let grounds = [CellKind::Foundation, CellKind::Shared];
    let strict = [FindingKind::ForensicsVerdict, FindingKind::ScanClean];
    let four = vec![
        count(Role::Security, 2),
        count(Role::Owner, 1),
        count(Role::Tenant, 1),
    ];
    let three = vec![
        count(Role::Security, 1),
        count(Role::Owner, 1),
        count(Role::Forensics, 1),
    ];
    let two = vec![count(Role::Security, 1), count(Role::Tenant, 1)];
    let mut rules = vec![
        rule(Class::A, &grounds, &strict, three, 2),
        rule(Class::A, &[CellKind::Tenant], &strict, four, 2),
        rule(Class::C, &[], &[FindingKind::ScanClean], two, 2),
    ];
    rules[2].stages = vec![Stage::Basic, Stage::Full];
    Policy {
        domain: DOMAIN.into(),
        version: 1,
        table: Digest::of(b"table"),
        rules,
        freshness: Vec::new(),
    }
}

pub fn sealed(payload: Vec<u8>, names: &[&str]) -> Envelope {
    let mut envelope = Envelope::unsigned(payload);
    for name in names {
        signer(name).sign(&mut envelope);
    }
    envelope
}

pub fn root_envelope() -> Envelope {
    sealed(root().to_payload(), &ROOT_SIGNERS)
}

pub fn policy_envelope() -> Envelope {
    sealed(policy().to_payload(), &ROOT_SIGNERS)
}

pub fn authority() -> Authority {
    let root = root_envelope();
    let mut authority = Authority::pinned(&root, &root.digest(), now()).unwrap();
    authority.adopt_policy(&policy_envelope(), now()).unwrap();
    authority
}

pub fn cell(text: &str) -> CellId {
    text.parse().unwrap()
}

/// The table: two cells of one tenant, one of another, one shared; each at epoch 4.
pub fn facts(id: &CellId) -> Option<CellFacts> {
    let (class, kind, tenant) = match id.to_string().as_str() {
        "bkk-amsel/epa" => (Class::A, CellKind::Tenant, Some("bkk-amsel")),
        "bkk-amsel/web" => (Class::C, CellKind::Tenant, Some("bkk-amsel")),
        "bkk-birke/epa" => (Class::A, CellKind::Tenant, Some("bkk-birke")),
        "shared/mailinfra" => (Class::A, CellKind::Shared, None),
        _ => return None,
    };
    Some(CellFacts {
        class,
        kind,
        tenant: tenant.map(|text| text.parse().unwrap()),
        site: "dc-south".parse().unwrap(),
        service: id.service().parse().unwrap(),
        epoch: Epoch(4),
    })
}

pub fn evidence(kind: FindingKind) -> Evidence {
    Evidence {
        kind,
        digest: Digest::of(kind.word().as_bytes()),
    }
}

pub fn bound(id: &str, epoch: u64) -> ReleaseCell {
    let kinds = [FindingKind::ForensicsVerdict, FindingKind::ScanClean];
    ReleaseCell {
        cell: cell(id),
        epoch: Epoch(epoch),
        evidence: kinds.map(evidence).to_vec(),
    }
}

/// The patient record of bkk-amsel may open fully.
pub fn release() -> Release {
    Release {
        domain: DOMAIN.into(),
        cells: vec![bound("bkk-amsel/epa", 5)],
        stage: Stage::Full,
        not_before: now() - Minutes(10),
        not_after: now() + Minutes::days(30),
        root_version_min: 1,
        policy: policy_envelope().digest(),
        plan: Some(Digest::of(b"plan")),
        reason: "geprüft und abgenommen".into(),
        critical: Vec::new(),
        break_glass: false,
    }
}

/// The patient record of bkk-amsel opens for four hours on two words.
pub fn break_glass() -> Release {
    Release {
        cells: vec![ReleaseCell {
            evidence: Vec::new(),
            ..bound("bkk-amsel/epa", 5)
        }],
        not_before: now() - Minutes(10),
        not_after: now() + Minutes(230),
        reason: "emergency admission waits for its record".into(),
        break_glass: true,
        ..release()
    }
}

pub fn close(scope: Scope) -> Close {
    let reason = "second attack".into();
    Close {
        domain: DOMAIN.into(),
        scope,
        epoch: Epoch(4),
        at: now() - Minutes(1),
        reason,
    }
}

/// Judges the release signed by these people at the usual moment.
pub fn judge(release: &Release, names: &[&str]) -> Result<Vec<PersonId>, Refusal> {
    let envelope = sealed(release.to_payload(), names);
    let verified = authority().check_release(&envelope, &facts, now())?;
    assert_eq!(verified.statement(), release);
    assert_eq!(*verified.digest(), envelope.digest());
    Ok(verified.signers().iter().cloned().collect())
}

/// The codes of a refusal, in order; panics when there is none.
pub fn codes<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Vec<&'static str> {
    result
        .unwrap_err()
        .reasons
        .iter()
        .map(|reason| reason.code)
        .collect()
}

/// An answer to gate-1's beacon.
pub fn freshness() -> Freshness {
    Freshness {
        domain: DOMAIN.into(),
        gate: "gate-1".parse().unwrap(),
        beacon: Digest::of(b"beacon"),
        at: now(),
        head: 7,
        feed: Digest::of(b"feed"),
    }
}
