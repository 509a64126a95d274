//! The key ceremony of a drill: who is who, and what must be known and signed before a cell opens.
//!
//! In:    the people of the landscape with their keys. Out: signed root and policy.
//! Never: a domain that does not begin with `drill-`: what is signed here opens nothing real.

use std::collections::BTreeSet;

use anlauf_model::landscape::PolicyRule;
use anlauf_model::{Landscape, Minutes, Role, TenantId, Timestamp};
use anlauf_trust::{Envelope, KeyRecord, Policy, Root, Scheme};

use super::party::{Parties, Party};

/// How many persons sign root and policy, where there are as many; and from how many organisations.
const ROOT_THRESHOLD: usize = 3;
/// See [`ROOT_THRESHOLD`].
const ROOT_ORGANISATIONS_MIN: usize = 2;

/// How long the root holds. Days.
const ROOT_DAYS: i64 = 365;

/// The domain of this landscape's drills.
pub fn domain(landscape: &Landscape) -> String {
    format!("drill-{}", landscape.declared().id)
}

/// The first root: every key, signed by security and forensics together.
pub fn root(landscape: &Landscape, parties: &Parties, at: Timestamp) -> Envelope {
    let not_after = at + Minutes::days(ROOT_DAYS);
    let record = |party: &Party| KeyRecord {
        id: party.signer.keyid(),
        scheme: Scheme::Ed25519,
        public: party.signer.public(),
        person: party.actor.person.clone(),
        organisation: party.actor.organisation.clone(),
        role: party.actor.role,
        tenant: party.actor.tenant.clone(),
        not_before: at - Minutes::days(1),
        not_after,
    };
    let organisations: BTreeSet<_> = holders(parties).map(|p| &p.actor.organisation).collect();
    let root = Root {
        domain: domain(landscape),
        drill: true,
        version: 1,
        expires: not_after,
        keys: parties
            .all()
            .filter(|party| party.actor.role != Role::Gate)
            .map(record)
            .collect(),
        root_keys: holders(parties).map(|party| party.signer.keyid()).collect(),
        root_threshold: small(holders(parties).count().min(ROOT_THRESHOLD)),
        root_organisations_min: small(organisations.len().min(ROOT_ORGANISATIONS_MIN)),
    };
    signed(Envelope::unsigned(root.to_payload()), parties)
}

/// A policy for this landscape's gate table.
pub fn policy(
    landscape: &Landscape,
    parties: &Parties,
    version: u64,
    rules: Vec<PolicyRule>,
) -> Envelope {
    let policy = Policy {
        domain: domain(landscape),
        version,
        table: landscape.gate_table().digest(),
        rules,
        freshness: landscape.declared().freshness.clone(),
    };
    signed(Envelope::unsigned(policy.to_payload()), parties)
}

/// The pass by which a tenant's testers are let in at the gates before everyone.
pub fn pass(landscape: &Landscape, tenant: &TenantId) -> String {
    format!("{}-tester-{tenant}", domain(landscape))
}

/// Who holds a root key: security and forensics, who belong to different organisations.
fn holders(parties: &Parties) -> impl Iterator<Item = &Party> {
    parties
        .all()
        .filter(|party| matches!(party.actor.role, Role::Security | Role::Forensics))
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn signed(mut envelope: Envelope, parties: &Parties) -> Envelope {
    for party in holders(parties) {
        party.signer.sign(&mut envelope);
    }
    envelope
}
