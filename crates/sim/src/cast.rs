//! Everyone in the landscape with a key of their own, and the documents their keys make.
//!
//! In:    a landscape, a seed. Out: [`Cast`]: actors, signatures, root and policies.
//! Never: signs in another's name; that is the adversary's.

use std::collections::BTreeMap;

use anlauf_model::landscape::PolicyRule;
use anlauf_model::{Digest, Landscape, Minutes, PersonId, Role, Timestamp};
use anlauf_recovery::Actor;
use anlauf_trust::{Envelope, Freshness, KeyRecord, Policy, Root, Scheme, Signer};

/// The domain of every simulation.
pub const DOMAIN: &str = "drill-sim";

/// People whose signatures carry roots and policies.
pub const ROOT_SIGNERS: [&str; 3] = ["sec-1", "own-1", "for-1"];

/// People who sign releases and no roots: whose keys are changed where a story has that.
pub const ROTATED: [&str; 3] = ["sec-2", "own-2", "for-2"];

/// Who answers beacons.
pub const MACHINE: &str = "auto-1";

/// Who has a second key, in a drawer.
pub const TWO_KEYS: &str = "sec-1";

/// Everyone, with keys.
pub struct Cast {
    people: BTreeMap<PersonId, (Actor, Signer)>,
    spare: Signer,
    seed: u64,
}

impl Cast {
    /// Gives everyone a key that hangs on the seed alone.
    pub fn new(landscape: &Landscape, seed: u64) -> Self {
        let mut people = BTreeMap::new();
        for person in landscape.people() {
            let tenant = (person.role == Role::Tenant)
                .then(|| person.organisation.as_str().parse().ok())
                .flatten();
            let actor = Actor {
                person: person.id.clone(),
                organisation: person.organisation.clone(),
                role: person.role,
                tenant,
            };
            let secret = Digest::of(format!("sim {seed} {}", person.id).as_bytes());
            people.insert(person.id.clone(), (actor, Signer::from_seed(secret.0)));
        }
        let spare = Digest::of(format!("sim {seed} {TWO_KEYS} spare").as_bytes());
        let spare = Signer::from_seed(spare.0);
        Self {
            people,
            spare,
            seed,
        }
    }

    /// Everyone, by id.
    pub fn people(&self) -> impl Iterator<Item = &Actor> {
        self.people.values().map(|(actor, _)| actor)
    }

    /// Someone by id.
    ///
    /// # Panics
    /// When nobody has this id; ids come from this cast or from this crate's landscape.
    pub fn actor(&self, person: &str) -> &Actor {
        &self.one(person).0
    }

    /// Someone gets another key, in the place of the one that is given back.
    pub fn rotate(&mut self, person: &str, version: u64) -> Option<Signer> {
        let text = format!("sim {} {person} from root {version} on", self.seed);
        self.take(person, Signer::from_seed(Digest::of(text.as_bytes()).0))
    }

    /// Someone gets this key, in the place of the one that is given back.
    pub fn take(&mut self, person: &str, signer: Signer) -> Option<Signer> {
        let id: PersonId = person.parse().ok()?;
        let (_, own) = self.people.get_mut(&id)?;
        Some(std::mem::replace(own, signer))
    }

    /// The second key of [`TWO_KEYS`].
    pub fn spare(&self) -> &Signer {
        &self.spare
    }

    /// Someone's key.
    pub fn signer(&self, person: &str) -> &Signer {
        &self.one(person).1
    }

    fn one(&self, person: &str) -> &(Actor, Signer) {
        let id: PersonId = person.parse().expect("ids in this crate are legal");
        self.people.get(&id).expect("the landscape names everyone")
    }

    /// The payload under these persons' signatures.
    pub fn sealed<'a>(
        &self,
        payload: Vec<u8>,
        people: impl IntoIterator<Item = &'a str>,
    ) -> Envelope {
        let mut envelope = Envelope::unsigned(payload);
        for person in people {
            self.signer(person).sign(&mut envelope);
        }
        envelope
    }

    /// A root document, signed.
    pub fn root(&self, now: Timestamp, version: u64) -> Envelope {
        let record = |(actor, signer): (&Actor, &Signer)| KeyRecord {
            id: signer.keyid(),
            scheme: Scheme::Ed25519,
            public: signer.public(),
            person: actor.person.clone(),
            organisation: actor.organisation.clone(),
            role: actor.role,
            tenant: actor.tenant.clone(),
            not_before: now - Minutes::days(1),
            not_after: now + Minutes::days(380),
        };
        let own = self.people.values().map(|(actor, signer)| (actor, signer));
        let both = own.chain([(self.actor(TWO_KEYS), &self.spare)]);
        let keys = both.map(record).collect();
        let root = Root {
            domain: DOMAIN.into(),
            drill: true,
            version,
            expires: now + Minutes::days(380),
            keys,
            root_keys: ROOT_SIGNERS
                .map(|person| self.signer(person).keyid())
                .to_vec(),
            root_threshold: 3,
            root_organisations_min: 2,
        };
        self.sealed(root.to_payload(), ROOT_SIGNERS)
    }

    /// Fresh word for a gate, of the machine that answers beacons. Nobody has stolen its key.
    pub fn word(&self, said: &Freshness) -> String {
        let envelope = self.sealed(said.to_payload(), [MACHINE]);
        String::from_utf8_lossy(&envelope.to_bytes()).into_owned()
    }

    /// A policy for this landscape, signed.
    pub fn policy(&self, landscape: &Landscape, version: u64, rules: Vec<PolicyRule>) -> Envelope {
        let table = landscape.gate_table().digest();
        let policy = Policy {
            domain: DOMAIN.into(),
            version,
            table,
            rules,
            freshness: landscape.declared().freshness.clone(),
        };
        self.sealed(policy.to_payload(), ROOT_SIGNERS)
    }
}
