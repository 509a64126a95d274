//! Counts distinct persons, roles and organisations behind signatures: one code path for all.
//!
//! In:    an envelope, a root, a moment, a [`Demand`].
//! Out:   nothing missing, or everything that is.
//! Never: counts signatures or keys: a person counts once, in one role, for one organisation.
//! See:   research on tough CVE-2026-6966: a duplicate signature that satisfied a threshold.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::landscape::{Class, PolicyRule, SignerCount};
use anlauf_model::limits::BREAK_GLASS_PERSON_COUNT_MIN;
use anlauf_model::{PersonId, Role, TenantId, Timestamp};

use crate::authority::Authority;
use crate::statement::{Delegation, Root};
use anlauf_keys::envelope::{Envelope, Signature};
use anlauf_keys::key::{Flaw, KeyId, KeyRecord, Message, Origin};
use anlauf_keys::refusal::Reason;

/// Roles whose signature can help a cell to open. All others never count towards a release,
/// whatever a policy says.
pub const ROLES_RELEASING: [Role; 4] = [Role::Security, Role::Owner, Role::Tenant, Role::Forensics];

/// How many distinct persons of which kind must have signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand {
    /// Only these keys count; none: every key whose role `signers` names.
    pub keys: Option<Vec<KeyId>>,
    /// Roles that count at all, whatever `signers` names; of no meaning beside `keys`.
    pub roles: Vec<Role>,
    /// Distinct persons in all.
    pub persons_min: u32,
    /// Distinct persons per role.
    pub signers: Vec<SignerCount>,
    /// Distinct organisations of the persons that count.
    pub organisations_min: u32,
    /// Distinct origins of the signatures that count; 0 asks for none.
    pub origins_min: u32,
    /// Whether software keys count.
    pub software: bool,
    /// Whose cells: role `tenant` counts for this tenant only; none: it never counts.
    pub tenant: Option<TenantId>,
}

impl Demand {
    /// What a root asks under the next root and under policies.
    pub fn of_root(root: &Root) -> Self {
        Self {
            organisations_min: root.root_organisations_min,
            ..Self::of_keys(root.root_keys.clone(), root.root_threshold)
        }
    }

    /// What a tenant's list asks under the next one.
    pub fn of_delegation(list: &Delegation) -> Self {
        let ids = list.keys.iter().map(|key| key.id.clone());
        Self::of_keys(ids.collect(), list.threshold)
    }

    /// So many persons of these keys.
    pub(crate) fn of_keys(keys: Vec<KeyId>, persons_min: u32) -> Self {
        Self {
            keys: Some(keys),
            roles: Vec::new(),
            persons_min,
            signers: Vec::new(),
            organisations_min: 0,
            origins_min: 0,
            software: true,
            tenant: None,
        }
    }

    /// What a policy rule asks for one cell.
    ///
    /// Whoever breaks into a machine copies its key files: software keys never help a cell of the
    /// highest class to open, except in a rehearsal, where one machine plays everybody.
    pub fn of_rule(rule: &PolicyRule, tenant: Option<TenantId>, drill: bool) -> Self {
        Self {
            keys: None,
            roles: ROLES_RELEASING.to_vec(),
            persons_min: 1,
            signers: rule.signers.clone(),
            organisations_min: rule.organisations_min,
            origins_min: rule.origins_min,
            software: drill || rule.class != Class::A,
            tenant,
        }
    }

    /// What break-glass asks for one cell: any two persons of two organisations whose word can
    /// open. What the rule says of keys and origins holds on, as far as two persons can meet it.
    pub fn of_break_glass(rule: &PolicyRule, tenant: Option<TenantId>, drill: bool) -> Self {
        let nobody_in_particular = |role| SignerCount { role, count: 0 };
        Self {
            persons_min: BREAK_GLASS_PERSON_COUNT_MIN,
            signers: ROLES_RELEASING.map(nobody_in_particular).to_vec(),
            organisations_min: BREAK_GLASS_PERSON_COUNT_MIN,
            origins_min: rule.origins_min.min(BREAK_GLASS_PERSON_COUNT_MIN),
            ..Self::of_rule(rule, tenant, drill)
        }
    }

    /// Why a key does not count towards it.
    pub(crate) fn excludes(&self, record: &KeyRecord) -> Option<Reason> {
        let person = &record.person;
        if let Some(keys) = &self.keys {
            let message = format!("`{person}` may not sign this");
            return (!keys.contains(&record.id)).then(|| Reason::new("AN-TRU-035", message));
        }
        if !self.software && record.scheme.origin() == Origin::Software {
            let message = format!(
                "the key of `{person}` is a software key, which opens nothing of the highest \
                 class; sign with an OpenSSH key or a token"
            );
            return Some(Reason::new("AN-TRU-042", message));
        }
        let role = record.role;
        let asked = self.signers.iter().any(|signer| signer.role == role);
        if !asked || !self.roles.contains(&role) {
            let message = format!("`{person}` acts as {role}, which does not count here");
            return Some(Reason::new("AN-TRU-035", message));
        }
        if role == Role::Tenant && (record.tenant.is_none() || record.tenant != self.tenant) {
            let message = format!("`{person}` may sign for its own tenant's cells only");
            return Some(Reason::new("AN-TRU-037", message));
        }
        None
    }
}

/// Whose keys are looked at.
pub(crate) struct Ring<'r> {
    domain: &'r str,
    /// Where a key would have to be, in words.
    place: String,
    keys: Vec<&'r KeyRecord>,
}

impl<'r> Ring<'r> {
    /// The root's alone: for roots and policies.
    pub(crate) fn of_root(root: &'r Root) -> Self {
        Self {
            domain: &root.domain,
            place: format!("root version {}", root.version),
            keys: root.keys.iter().collect(),
        }
    }

    /// Those of one list.
    pub(crate) fn of_list(list: &'r Delegation) -> Self {
        Self {
            domain: &list.domain,
            place: format!("version {} of `tenant/{}`", list.version, list.tenant),
            keys: list.keys.iter().collect(),
        }
    }

    /// Everybody's: a tenant's own list stands in the place of what the root says of the tenant.
    pub(crate) fn of(authority: &'r Authority) -> Self {
        Self {
            place: "the root or a tenant's list of keys".to_owned(),
            keys: authority.keys().collect(),
            ..Self::of_root(&authority.root)
        }
    }
}

/// The keys whose signatures under one envelope hold. Verified once, judged against any demand.
#[derive(Default)]
pub(crate) struct Signers<'r> {
    /// One per signature that holds; a person may occur more than once.
    held: Vec<&'r KeyRecord>,
    /// Why the other signatures do not.
    failed: Vec<Reason>,
}

impl<'r> Signers<'r> {
    /// Verifies every signature. Without a moment (what was accepted before) validity in time is
    /// not looked at.
    pub(crate) fn of(
        ring: &Ring<'r>,
        envelope: &Envelope,
        predicate_type: &str,
        now: Option<Timestamp>,
    ) -> Self {
        let message = Message::of(envelope, predicate_type, ring.domain);
        let mut signers = Self::default();
        for signature in &envelope.signatures {
            match holder(ring, &message, signature, now) {
                Ok(record) => signers.held.push(record),
                Err(reason) => signers.failed.push(reason),
            }
        }
        signers
    }

    /// The keys whose signatures hold.
    pub(crate) fn held(&self) -> &[&'r KeyRecord] {
        &self.held
    }

    /// The first whose word counts, where one is enough.
    pub(crate) fn find(&self, counts: impl Fn(&KeyRecord) -> bool) -> Option<&'r KeyRecord> {
        self.held.iter().copied().find(|record| counts(record))
    }

    /// Why signatures do not hold.
    pub(crate) fn failed(&self) -> &[Reason] {
        &self.failed
    }

    /// Everything the demand lacks, and then why signatures that came were not counted. Empty when
    /// nothing is missing: strangers beside a full quorum do no harm.
    pub(crate) fn missing(&self, demand: &Demand) -> Vec<Reason> {
        let mut notes = self.failed.clone();
        let mut persons: BTreeMap<&PersonId, &KeyRecord> = BTreeMap::new();
        let mut origins: BTreeMap<&PersonId, BTreeSet<Origin>> = BTreeMap::new();
        for record in &self.held {
            if let Some(note) = demand.excludes(record) {
                notes.push(note);
                continue;
            }
            origins
                .entry(&record.person)
                .or_default()
                .insert(record.scheme.origin());
            if persons.insert(&record.person, record).is_some() {
                let message = format!("`{}` signed more than once and counts once", record.person);
                notes.push(Reason::new("AN-TRU-036", message));
            }
        }
        let mut missing = shortfalls(demand, &persons);
        let count = origin_count(&origins);
        if is_short(count, demand.origins_min) {
            let want = demand.origins_min;
            let message = format!("signatures come from {count} of {want} distinct origins");
            missing.push(Reason::new("AN-TRU-043", message));
        }
        if !missing.is_empty() {
            missing.extend(notes);
        }
        missing
    }
}

/// Whose signature it is, if it holds.
pub(crate) fn holder<'r>(
    ring: &Ring<'r>,
    message: &Message,
    signature: &Signature,
    now: Option<Timestamp>,
) -> Result<&'r KeyRecord, Reason> {
    let keyid = &signature.keyid;
    let Some(record) = ring.keys.iter().find(|record| record.id == *keyid).copied() else {
        let message = format!("key `{keyid}` is not in {}", ring.place);
        return Err(Reason::new("AN-TRU-032", message));
    };
    let person = &record.person;
    if now.is_some_and(|now| !record.is_valid_at(now)) {
        let (from, to) = (record.not_before, record.not_after);
        let message = format!("the key of `{person}` is valid from {from} until {to} only");
        return Err(Reason::new("AN-TRU-034", message));
    }
    let (code, message) = match record.verify(message, &signature.sig) {
        Ok(()) => return Ok(record),
        Err(Flaw::Foreign) => (
            "AN-TRU-033",
            format!("the signature in the name of `{person}` is not over these bytes"),
        ),
        Err(Flaw::Untouched) => (
            "AN-TRU-038",
            format!("nobody touched the token of `{person}`; sign again and touch it"),
        ),
        Err(Flaw::Unverified) => (
            "AN-TRU-039",
            format!("the token of `{person}` did not ask for PIN or finger; sign again with it"),
        ),
    };
    Err(Reason::new(code, message))
}

/// How many different origins there can be if every person counts with one: who owns all devices
/// of one person has one signature, not two.
fn origin_count(origins: &BTreeMap<&PersonId, BTreeSet<Origin>>) -> usize {
    let mut taken: BTreeMap<Origin, &PersonId> = BTreeMap::new();
    for person in origins.keys() {
        seat(person, origins, &mut taken, &mut BTreeSet::new());
    }
    taken.len()
}

/// Finds an origin for one more person, moving others where that helps (bipartite matching; there
/// are as many steps at most as there are origins).
fn seat<'p>(
    person: &'p PersonId,
    origins: &BTreeMap<&'p PersonId, BTreeSet<Origin>>,
    taken: &mut BTreeMap<Origin, &'p PersonId>,
    tried: &mut BTreeSet<Origin>,
) -> bool {
    for origin in origins.get(person).into_iter().flatten() {
        if !tried.insert(*origin) {
            continue;
        }
        let is_free = match taken.get(origin).copied() {
            None => true,
            Some(other) => seat(other, origins, taken, tried),
        };
        if is_free {
            taken.insert(*origin, person);
            return true;
        }
    }
    false
}

fn shortfalls(demand: &Demand, persons: &BTreeMap<&PersonId, &KeyRecord>) -> Vec<Reason> {
    let mut missing = Vec::new();
    for signer in &demand.signers {
        let acts_so = |record: &&&KeyRecord| record.role == signer.role;
        let count = persons.values().filter(acts_so).count();
        if is_short(count, signer.count) {
            let (want, role) = (signer.count, signer.role);
            let message = format!("missing signers: {count} of {want} persons acting as {role}");
            missing.push(Reason::new("AN-TRU-030", message));
        }
    }
    if is_short(persons.len(), demand.persons_min) {
        let (count, want) = (persons.len(), demand.persons_min);
        let message = format!("missing signers: {count} of {want} distinct persons");
        missing.push(Reason::new("AN-TRU-030", message));
    }
    let organisation = |record: &&KeyRecord| record.organisation.clone();
    let organisations: BTreeSet<_> = persons.values().map(organisation).collect();
    if is_short(organisations.len(), demand.organisations_min) {
        let (count, want) = (organisations.len(), demand.organisations_min);
        let message = format!("signers come from {count} of {want} distinct organisations");
        missing.push(Reason::new("AN-TRU-031", message));
    }
    missing
}

/// Said once is enough.
pub(crate) fn add_new(reasons: &mut Vec<Reason>, more: Vec<Reason>) {
    for reason in more {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

fn is_short(count: usize, want: u32) -> bool {
    u32::try_from(count).is_ok_and(|count| count < want)
}
