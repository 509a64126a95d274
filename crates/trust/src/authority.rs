//! The verified chain of roots and policies: what a gate pins and keeps.
//!
//! In:    signed root and policy envelopes, the digest of the first root, `now`.
//! Out:   an [`Authority`]; unchanged when anything is wrong.
//! Never: skips a version; takes a root or policy on fewer signatures than the root before asks.
//! See:   TUF specification §5.3 (root rotation), docs/formats/statement.md.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::landscape::freshness::freshness_faults;
use anlauf_model::limits::ROOT_LIFETIME_DAYS_MAX;
use anlauf_model::{Digest, Minutes, Role, TenantId, Timestamp};

use crate::delegation::tenants_of;
use crate::quorum::{Demand, ROLES_RELEASING, Ring, Signers, add_new};
use crate::statement::{Delegation, Policy, Root, Statement, TYPE_POLICY, TYPE_ROOT};
use anlauf_keys::envelope::Envelope;
use anlauf_keys::key::KeyRecord;
use anlauf_keys::refusal::{Reason, Refusal};

/// How the domain of every rehearsal begins, so that a statement read aloud says what it is.
pub const DOMAIN_DRILL: &str = "drill-";

/// The current root and policy, both verified.
#[derive(Clone, PartialEq, Debug)]
pub struct Authority {
    pub(crate) root: Root,
    pub(crate) policy: Option<(Digest, Policy)>,
    /// Tenants' own lists of keys.
    pub(crate) delegations: BTreeMap<TenantId, Delegation>,
    /// Tenants that ever had a key in a root: from then on only their own people add to them.
    pub(crate) founded: BTreeSet<TenantId>,
}

impl Authority {
    /// Starts from a pinned first root: its envelope must have exactly this digest and satisfy
    /// itself.
    ///
    /// # Errors
    /// Another digest, a bad quorum, an expired or malformed root.
    pub fn pinned(root: &Envelope, pin: &Digest, now: Timestamp) -> Result<Self, Refusal> {
        Self::start(root, pin, Some(now))
    }

    /// Goes on to the next root: version +1, same domain, thresholds of both.
    ///
    /// The policy stays until the next one. The root before may have expired: a late ceremony
    /// must not need a visit to every gate.
    ///
    /// # Errors
    /// Anything else; `self` is unchanged then.
    pub fn advance_root(&mut self, root: &Envelope, now: Timestamp) -> Result<(), Refusal> {
        self.advance(root, Some(now))
    }

    /// Adopts the next policy: version +1 (or the first, 1), signed by the root's threshold.
    ///
    /// # Errors
    /// Anything else; `self` is unchanged then.
    pub fn adopt_policy(&mut self, policy: &Envelope, now: Timestamp) -> Result<(), Refusal> {
        self.adopt(policy, Some(now))
    }

    /// Walks again through the roots and policies that were accepted before, in their order; the
    /// first is the pinned root.
    ///
    /// For one's own disk or ledger after a restart. Every digest, version and signature is
    /// checked; points in time are not, for what was valid when it was accepted may have ended
    /// since, and an ended root must still close. `check_release` looks at the end of the root.
    ///
    /// # Errors
    /// The list is empty, or one of its steps does not hold.
    pub fn replay(pin: &Digest, accepted: &[Envelope]) -> Result<Self, Refusal> {
        let Some((first, rest)) = accepted.split_first() else {
            let message = "no root document is there; install the pinned one";
            return Err(Refusal::one("AN-TRU-010", message));
        };
        let mut authority = Self::start(first, pin, None)?;
        for envelope in rest {
            match Statement::parse(&envelope.payload)? {
                Statement::Root(_) => authority.advance(envelope, None)?,
                Statement::Policy(_) => authority.adopt(envelope, None)?,
                Statement::Delegation(_) => authority.delegate(envelope, None)?,
                Statement::Finding(_) | Statement::Release(_) | Statement::Close(_) => {
                    let message = "something else stands among roots, policies and lists of keys";
                    return Err(Refusal::one("AN-TRU-006", message));
                }
            }
        }
        Ok(authority)
    }

    /// The current root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The current policy and its digest, if one was adopted.
    pub fn policy(&self) -> Option<(&Digest, &Policy)> {
        self.policy
            .as_ref()
            .map(|(digest, policy)| (digest, policy))
    }

    fn start(envelope: &Envelope, pin: &Digest, now: Option<Timestamp>) -> Result<Self, Refusal> {
        let digest = envelope.digest();
        if digest != *pin {
            let message = format!("root `{digest}` is not the pinned `{pin}`; install that one");
            return Err(Refusal::one("AN-TRU-010", message));
        }
        let root = Root::parse(&envelope.payload)?;
        let mut reasons = root_faults(&root, now);
        reasons.extend(root_shortfalls(&root, envelope, TYPE_ROOT, now));
        Refusal::unless_empty(reasons)?;
        let founded = tenants_of(&root).cloned().collect();
        Ok(Self {
            root,
            policy: None,
            delegations: BTreeMap::new(),
            founded,
        })
    }

    fn advance(&mut self, envelope: &Envelope, now: Option<Timestamp>) -> Result<(), Refusal> {
        let next = Root::parse(&envelope.payload)?;
        let root = &self.root;
        let mut reasons = Vec::new();
        reasons.extend(self.domain_foreign(&next.domain));
        if next.drill != root.drill {
            let message = "a rehearsal's root cannot follow a real one, nor the other way round";
            reasons.push(Reason::new("AN-TRU-013", message));
        }
        reasons.extend(not_next("root", root.version, next.version));
        reasons.extend(root_faults(&next, now));
        reasons.extend(self.founding_faults(&next, now));
        reasons.extend(root_shortfalls(root, envelope, TYPE_ROOT, now));
        add_new(
            &mut reasons,
            root_shortfalls(&next, envelope, TYPE_ROOT, now),
        );
        Refusal::unless_empty(reasons)?;
        self.founded.extend(tenants_of(&next).cloned());
        self.root = next;
        Ok(())
    }

    fn adopt(&mut self, envelope: &Envelope, now: Option<Timestamp>) -> Result<(), Refusal> {
        let next = Policy::parse(&envelope.payload)?;
        let mut reasons = Vec::new();
        reasons.extend(self.domain_foreign(&next.domain));
        reasons.extend(now.and_then(|now| self.root_expired(now)));
        let version = self.policy.as_ref().map_or(0, |(_, policy)| policy.version);
        reasons.extend(not_next("policy", version, next.version));
        reasons.extend(policy_faults(&next));
        reasons.extend(root_shortfalls(&self.root, envelope, TYPE_POLICY, now));
        Refusal::unless_empty(reasons)?;
        self.policy = Some((envelope.digest(), next));
        Ok(())
    }

    /// A reason when a statement is of another domain.
    pub(crate) fn domain_foreign(&self, domain: &str) -> Option<Reason> {
        let own = &self.root.domain;
        (domain != own).then(|| {
            let message = format!("signed for domain `{domain}`, this is `{own}`");
            Reason::new("AN-TRU-012", message)
        })
    }

    /// A reason when the root has ended.
    pub(crate) fn root_expired(&self, now: Timestamp) -> Option<Reason> {
        expired(&self.root, now)
    }
}

/// What an envelope lacks of what the root asks for roots and policies.
fn root_shortfalls(
    root: &Root,
    envelope: &Envelope,
    predicate_type: &str,
    now: Option<Timestamp>,
) -> Vec<Reason> {
    let signers = Signers::of(&Ring::of_root(root), envelope, predicate_type, now);
    signers.missing(&Demand::of_root(root))
}

fn expired(root: &Root, now: Timestamp) -> Option<Reason> {
    (now >= root.expires).then(|| {
        let message = format!(
            "root version {} ended at {}; it closes but opens nothing: adopt the next one",
            root.version, root.expires
        );
        Reason::new("AN-TRU-014", message)
    })
}

pub(crate) fn not_next(what: &str, version: u64, next: u64) -> Option<Reason> {
    (next != version.saturating_add(1)).then(|| {
        let message = format!("{what} version {next} does not follow version {version}");
        Reason::new("AN-TRU-011", message)
    })
}

/// What is wrong with a root document whoever signs it.
fn root_faults(root: &Root, now: Option<Timestamp>) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = root.keys.iter().flat_map(KeyRecord::check).collect();
    if let Some(now) = now {
        reasons.extend(expired(root, now));
        if root.expires > now + Minutes::days(ROOT_LIFETIME_DAYS_MAX) {
            let message = format!("the root would hold longer than {ROOT_LIFETIME_DAYS_MAX} days");
            reasons.push(Reason::new("AN-TRU-014", message));
        }
    }
    let mut wrong = |why: &str| {
        reasons.push(Reason::new(
            "AN-TRU-015",
            format!("the root is unsound: {why}"),
        ));
    };
    if root.version == 0 {
        wrong("versions begin at 1");
    }
    if root.drill != root.domain.starts_with(DOMAIN_DRILL) {
        wrong("the domain of a rehearsal, and no other, begins with `drill-`");
    }
    let keys: Vec<_> = root.keys.iter().collect();
    for why in key_faults(&keys).into_iter().chain(threshold_faults(root)) {
        wrong(&why);
    }
    reasons
}

/// A key occurs once, and a person with two keys is the same person in both records.
pub(crate) fn key_faults(keys: &[&KeyRecord]) -> Vec<String> {
    let mut faults = Vec::new();
    // By curve point: the same secret in another scheme has another id.
    let point = |record: &&KeyRecord| record.public.point(record.scheme);
    let points: BTreeSet<_> = keys.iter().filter_map(point).collect();
    if points.len() != keys.iter().filter_map(point).count() {
        faults.push("a key occurs twice".to_owned());
    }
    let mut known: BTreeMap<_, &KeyRecord> = BTreeMap::new();
    for record in keys.iter().copied() {
        let first = *known.entry(&record.person).or_insert(record);
        let same = (&first.organisation, first.role, &first.tenant)
            == (&record.organisation, record.role, &record.tenant);
        if !same {
            let person = &record.person;
            faults.push(format!(
                "`{person}` has two roles, organisations or tenants"
            ));
        }
    }
    faults
}

/// The root keys are known keys of persons, and enough of them to ever agree.
fn threshold_faults(root: &Root) -> Vec<String> {
    let mut faults = Vec::new();
    let mut records = Vec::new();
    for id in &root.root_keys {
        match root.keys.iter().find(|record| record.id == *id) {
            None => faults.push(format!("root key `{id}` is not among the keys")),
            Some(record) if matches!(record.role, Role::Automation | Role::Gate | Role::Public) => {
                faults.push(format!(
                    "a root key is held by a person, not by `{}`",
                    record.person
                ));
            }
            Some(record) => records.push(record),
        }
    }
    let persons: BTreeSet<_> = records.iter().map(|record| &record.person).collect();
    let organisations: BTreeSet<_> = records.iter().map(|record| &record.organisation).collect();
    let reachable = |have: usize, want: u32| u32::try_from(have).is_ok_and(|have| have >= want);
    if root.root_threshold == 0 || !reachable(persons.len(), root.root_threshold) {
        faults.push("the threshold is 0 or more than there are persons with a root key".into());
    }
    if !reachable(organisations.len(), root.root_organisations_min) {
        faults.push("more organisations are asked than hold root keys".into());
    }
    faults
}

/// A policy that asks for nobody would open without a person's word: refused whoever signs it.
fn policy_faults(policy: &Policy) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (index, rule) in policy.rules.iter().enumerate() {
        let mut wrong = |why: String| {
            let message = format!("policy rule {} is unsound: {why}", index + 1);
            reasons.push(Reason::new("AN-TRU-016", message));
        };
        if rule.signers.is_empty() {
            wrong("it asks for no signer".into());
        }
        let mut roles = BTreeSet::new();
        for signer in &rule.signers {
            let role = signer.role;
            if signer.count == 0 {
                wrong(format!("it asks for 0 persons acting as {role}"));
            }
            if !ROLES_RELEASING.contains(&role) {
                wrong(format!("{role} never counts towards a release"));
            }
            if !roles.insert(role) {
                wrong(format!("it names {role} twice"));
            }
        }
    }
    for (index, why) in freshness_faults(&policy.freshness) {
        let message = format!("freshness rule {} is unsound: {why}", index + 1);
        reasons.push(Reason::new("AN-TRU-016", message));
    }
    reasons
}
