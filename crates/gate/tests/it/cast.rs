//! The municipal landscape, its people with their keys, and what they sign. Every seed is fixed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anlauf_model::landscape::{FreshnessRule, Landscape, source};
use anlauf_model::{CellId, Digest, Epoch, Minutes, Role, Stage, Timestamp};
use anlauf_trust::statement::Evidence;
use anlauf_trust::{
    Close, Envelope, KeyRecord, Policy, Release, ReleaseCell, Root, Scheme, Scope, Signer,
};

pub const DOMAIN: &str = "drill-kommunen";

/// What everything in these tests leans on, in the order of opening.
pub const GROUND: [&str; 5] = [
    "rz-tal/netz",
    "rz-berg/netz",
    "foundation/verzeichnis",
    "rz-tal/rechner",
    "rz-berg/rechner",
];
/// A class A cell of a town, at `/melden` of its host.
pub const MELDEN: &str = "stadt-ahornfeld/meldewesen";
/// A class A cell of the same town, at `/soziales` of the same host.
pub const SOZIALES: &str = "stadt-ahornfeld/sozialhilfe";
/// A cell of another town.
pub const ELSEWHERE: &str = "stadt-ulmenau/meldewesen";

pub const HOST: &str = "stadt-ahornfeld.kommunen.example";

/// A clock that stands still until told.
pub struct Hand(AtomicI64);

pub struct Cast {
    pub landscape: Landscape,
    pub clock: Arc<Hand>,
    /// What the policy asks of fresh word; nothing unless a test says so.
    pub freshness: Vec<FreshnessRule>,
}

impl anlauf_gate::Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn ran(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Hand {
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::SeqCst);
    }
}

pub fn noon() -> Timestamp {
    "2026-04-24T12:00:00Z".parse().unwrap()
}

pub fn cell(text: &str) -> CellId {
    text.parse().unwrap()
}

pub fn signer(person: &str) -> Signer {
    Signer::from_seed(Digest::of(person.as_bytes()).0)
}

pub fn sealed(payload: Vec<u8>, people: &[&str]) -> Envelope {
    let mut envelope = Envelope::unsigned(payload);
    for person in people {
        signer(person).sign(&mut envelope);
    }
    envelope
}

pub fn text(envelope: &Envelope) -> String {
    String::from_utf8(envelope.to_bytes()).unwrap()
}

/// Who answers beacons.
pub const MACHINE: &str = "machine";

pub const ROOT_SIGNERS: [&str; 3] = ["security-1", "owner-1", "forensics-1"];

impl Cast {
    pub fn new() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../landscapes/kommunen");
        let mut files = BTreeMap::new();
        for name in [
            "landscape.toml",
            "policy.toml",
            "tenants.csv",
            "offers.csv",
            "people.csv",
        ] {
            let bytes = std::fs::read(format!("{folder}/{name}")).unwrap();
            files.insert(name.to_owned(), bytes);
        }
        let declared = source::read(&files).unwrap();
        let landscape = Landscape::new(declared).unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(noon().0)));
        Self {
            landscape,
            clock,
            freshness: Vec::new(),
        }
    }

    pub fn root(&self) -> Root {
        let tenants: Vec<_> = self
            .landscape
            .declared()
            .tenants
            .iter()
            .map(|t| &t.id)
            .collect();
        let record = |person: &anlauf_model::landscape::Person| {
            let key = signer(person.id.as_str());
            let own = tenants
                .iter()
                .find(|id| id.as_str() == person.organisation.as_str());
            KeyRecord {
                id: key.keyid(),
                scheme: Scheme::Ed25519,
                public: key.public(),
                person: person.id.clone(),
                organisation: person.organisation.clone(),
                role: person.role,
                tenant: (person.role == Role::Tenant).then(|| (**own.unwrap()).clone()),
                not_before: noon() - Minutes::days(1),
                not_after: noon() + Minutes::days(300),
            }
        };
        let machine = signer(MACHINE);
        let machine = (!self.freshness.is_empty()).then(|| KeyRecord {
            id: machine.keyid(),
            scheme: Scheme::Ed25519,
            public: machine.public(),
            person: MACHINE.parse().unwrap(),
            organisation: self.landscape.declared().provider.clone(),
            role: Role::Automation,
            tenant: None,
            not_before: noon() - Minutes::days(1),
            not_after: noon() + Minutes::days(300),
        });
        Root {
            domain: DOMAIN.into(),
            drill: true,
            version: 1,
            expires: noon() + Minutes::days(300),
            keys: self
                .landscape
                .people()
                .iter()
                .map(record)
                .chain(machine)
                .collect(),
            root_keys: ROOT_SIGNERS.map(|person| signer(person).keyid()).to_vec(),
            root_threshold: 3,
            root_organisations_min: 2,
        }
    }

    pub fn root_envelope(&self) -> Envelope {
        sealed(self.root().to_payload(), &ROOT_SIGNERS)
    }

    pub fn pin(&self) -> Digest {
        self.root_envelope().digest()
    }

    pub fn policy(&self) -> Policy {
        Policy {
            domain: DOMAIN.into(),
            version: 1,
            table: self.landscape.gate_table().digest(),
            rules: self.landscape.declared().policy.clone(),
            freshness: self.freshness.clone(),
        }
    }

    pub fn policy_envelope(&self) -> Envelope {
        sealed(self.policy().to_payload(), &ROOT_SIGNERS)
    }

    /// A release with everything that policy asks for, not yet signed.
    pub fn release(&self, cells: &[(&str, u64)], stage: Stage) -> Release {
        let bound = |(id, epoch): &(&str, u64)| {
            let known = self.landscape.cell(&cell(id)).unwrap();
            let rule = self.landscape.rule(known.class, known.kind, stage).unwrap();
            let evidence = |kind: &anlauf_model::FindingKind| Evidence {
                kind: *kind,
                digest: Digest::of(format!("{id} {kind}").as_bytes()),
            };
            ReleaseCell {
                cell: cell(id),
                epoch: Epoch(*epoch),
                evidence: rule.findings.iter().map(evidence).collect(),
            }
        };
        Release {
            domain: DOMAIN.into(),
            cells: cells.iter().map(bound).collect(),
            stage,
            not_before: noon() - Minutes(10),
            not_after: noon() + Minutes::days(30),
            root_version_min: 1,
            policy: self.policy_envelope().digest(),
            plan: None,
            reason: "geprüft und abgenommen".into(),
            critical: Vec::new(),
            break_glass: false,
        }
    }

    /// The people that policy asks for under the release.
    pub fn quorum(&self, release: &Release) -> Vec<String> {
        let mut people = Vec::new();
        for bound in &release.cells {
            let known = self.landscape.cell(&bound.cell).unwrap();
            let rule = self
                .landscape
                .rule(known.class, known.kind, release.stage)
                .unwrap();
            for asked in &rule.signers {
                let holds = |person: &&anlauf_model::landscape::Person| {
                    let tenant = known.tenant().map(anlauf_model::TenantId::as_str);
                    let own = Some(person.organisation.as_str()) == tenant;
                    person.role == asked.role && (asked.role != Role::Tenant || own)
                };
                let able = self.landscape.people().iter().filter(holds);
                let able = able
                    .take(asked.count as usize)
                    .map(|person| person.id.to_string());
                people.extend(able);
            }
        }
        people.sort();
        people.dedup();
        people
    }

    pub fn signed(&self, release: &Release) -> Envelope {
        let people = self.quorum(release);
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        sealed(release.to_payload(), &people)
    }

    pub fn opening(&self, id: &str, epoch: u64, stage: Stage) -> Envelope {
        self.signed(&self.release(&[(id, epoch)], stage))
    }
}

pub fn close(scope: Scope, epoch: u64) -> Close {
    Close {
        domain: DOMAIN.into(),
        scope,
        epoch: Epoch(epoch),
        at: noon(),
        reason: "second attack".into(),
    }
}

pub fn cells(ids: &[&str]) -> Scope {
    Scope::Cells(ids.iter().map(|id| cell(id)).collect())
}

pub fn closing(scope: Scope, epoch: u64) -> Envelope {
    sealed(close(scope, epoch).to_payload(), &["operator-1"])
}
