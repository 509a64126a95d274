//! A tenant's own list of keys: the tenant's people alone add to it.
//!
//! In:    signed delegations, the verified [`Authority`], `now`.
//! Out:   an [`Authority`] under which the list counts; unchanged when anything is wrong.
//! Never: takes a key of a founded tenant on the word of anybody else, the root's holders included.
//! See:   TUF specification §4.5 (delegations), docs/formats/statement.md, ADR 024.

use std::collections::BTreeSet;

use anlauf_keys::envelope::Envelope;
use anlauf_keys::key::KeyRecord;
use anlauf_keys::refusal::{Reason, Refusal};
use anlauf_model::{Role, TenantId, Timestamp};

use crate::authority::{Authority, key_faults, not_next};
use crate::quorum::{Demand, Ring, Signers, add_new};
use crate::statement::{Delegation, Root, TYPE_DELEGATION};

/// Persons of a tenant's in the root who must sign its first list, if there are as many: one
/// stolen key does not take a tenant over.
const FOUNDERS_MIN: usize = 2;

impl Authority {
    /// Adopts the next list of a tenant: version +1 (or the first, 1), signed by the threshold of
    /// the list before (of the first: by the tenant's people in the root) and by its own.
    ///
    /// An ended root changes nothing here: it opens nothing either.
    ///
    /// # Errors
    /// Anything else; `self` is unchanged then.
    pub fn adopt_delegation(&mut self, list: &Envelope, now: Timestamp) -> Result<(), Refusal> {
        self.delegate(list, Some(now))
    }

    /// A tenant's own list, if it has taken its keys over.
    pub fn delegation(&self, tenant: &TenantId) -> Option<&Delegation> {
        self.delegations.get(tenant)
    }

    /// Every key that counts towards releases and closings.
    pub fn keys(&self) -> impl Iterator<Item = &KeyRecord> {
        let founders = self.root.keys.iter().filter(|record| {
            let tenant = tenant_of(record);
            tenant.is_none_or(|tenant| !self.delegations.contains_key(tenant))
        });
        founders.chain(self.delegations.values().flat_map(|list| &list.keys))
    }

    pub(crate) fn delegate(
        &mut self,
        envelope: &Envelope,
        now: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let next = Delegation::parse(&envelope.payload)?;
        let before = self.delegations.get(&next.tenant);
        let mut reasons: Vec<Reason> = self.domain_foreign(&next.domain).into_iter().collect();
        let version = before.map_or(0, |list| list.version);
        let what = format!("`tenant/{}`", next.tenant);
        reasons.extend(not_next(&what, version, next.version));
        let demand = before.map_or_else(|| self.founders(&next.tenant), Demand::of_delegation);
        let signers = Signers::of(&Ring::of(self), envelope, TYPE_DELEGATION, now);
        reasons.extend(signers.missing(&demand));
        let own = Signers::of(&Ring::of_list(&next), envelope, TYPE_DELEGATION, now);
        add_new(&mut reasons, own.missing(&Demand::of_delegation(&next)));
        // Only to its own people is it said what others' lists hold.
        Refusal::unless_empty(reasons)?;
        Refusal::unless_empty(self.list_faults(&next))?;
        self.delegations.insert(next.tenant.clone(), next);
        Ok(())
    }

    /// What the first list of a tenant asks for: a tenant nobody founded has no people, and at
    /// least one must sign.
    fn founders(&self, tenant: &TenantId) -> Demand {
        let own = |record: &&KeyRecord| tenant_of(record) == Some(tenant);
        let records: Vec<_> = self.root.keys.iter().filter(own).collect();
        let persons: BTreeSet<_> = records.iter().map(|record| &record.person).collect();
        let want = if persons.len() < FOUNDERS_MIN { 1 } else { 2 };
        Demand::of_keys(records.iter().map(|one| one.id.clone()).collect(), want)
    }

    /// What is wrong with a list whoever signs it.
    fn list_faults(&self, list: &Delegation) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = list.keys.iter().flat_map(KeyRecord::check).collect();
        let mut faults = Vec::new();
        let own = |record: &&KeyRecord| tenant_of(record) == Some(&list.tenant);
        if !list.keys.iter().all(|key| own(&key)) {
            faults.push("it holds a key of somebody else than the tenant's people".to_owned());
        }
        // A quorum counts organisations: a tenant that could name itself a second one would be two.
        let had = self.keys().filter(own);
        let known: BTreeSet<_> = had.map(|key| &key.organisation).collect();
        if list
            .keys
            .iter()
            .any(|key| !known.contains(&key.organisation))
        {
            faults.push("it names an organisation the tenant's people were not of".to_owned());
        }
        let persons: BTreeSet<_> = list.keys.iter().map(|key| &key.person).collect();
        let reachable = u32::try_from(persons.len()).is_ok_and(|have| have >= list.threshold);
        if list.threshold == 0 || !reachable {
            faults.push("the threshold is 0 or more than it has persons".to_owned());
        }
        let others = self.keys().filter(|key| !own(key));
        faults.extend(key_faults(&others.chain(&list.keys).collect::<Vec<_>>()));
        reasons.extend(faults.iter().map(|why| {
            let message = format!("the list of `tenant/{}` is unsound: {why}", list.tenant);
            Reason::new("AN-TRU-091", message)
        }));
        reasons
    }

    /// Why the next root is not one: it would give a founded tenant a key, or somebody else a key
    /// of a tenant's.
    pub(crate) fn founding_faults(&self, next: &Root, now: Option<Timestamp>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let given: BTreeSet<_> = next
            .keys
            .iter()
            .filter(|record| !self.root.keys.iter().any(|old| is_same(old, record, now)))
            .filter_map(tenant_of)
            .filter(|tenant| self.founded.contains(*tenant))
            .collect();
        for tenant in given {
            let message = format!(
                "the root would give `tenant/{tenant}` a key it did not have; only its own people \
                 can: sign a delegation"
            );
            reasons.push(Reason::new("AN-TRU-090", message));
        }
        let lists = self.delegations.values().flat_map(|list| &list.keys);
        let own = |record: &&KeyRecord| {
            tenant_of(record).is_some_and(|tenant| self.delegations.contains_key(tenant))
        };
        let others = next.keys.iter().filter(|record| !own(record));
        for why in key_faults(&others.chain(lists).collect::<Vec<_>>()) {
            let message = format!("the root is unsound beside the tenants' lists: {why}");
            reasons.push(Reason::new("AN-TRU-015", message));
        }
        reasons
    }
}

/// Whether it is the same key of the same person; the root may end it, and prolong it before then.
fn is_same(old: &KeyRecord, new: &KeyRecord, now: Option<Timestamp>) -> bool {
    let ended = now.is_some_and(|now| old.not_after <= now) && new.not_after > old.not_after;
    let prolonged = KeyRecord {
        not_before: new.not_before,
        not_after: new.not_after,
        ..old.clone()
    };
    prolonged == *new && !ended
}

/// Whose key it is, if it is a tenant's.
fn tenant_of(record: &KeyRecord) -> Option<&TenantId> {
    record
        .tenant
        .as_ref()
        .filter(|_| record.role == Role::Tenant)
}

/// Every tenant that has a key in a root.
pub(crate) fn tenants_of(root: &Root) -> impl Iterator<Item = &TenantId> {
    root.keys.iter().filter_map(tenant_of)
}
