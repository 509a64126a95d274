//! Fresh word: an answer to a gate's random beacon, which nobody can have signed before.
//!
//! In:    an envelope, the verified [`Authority`], `now`.
//! Out:   a [`VerifiedFreshness`], or a [`Refusal`] with every reason at once.
//! Never: says which beacon was asked; that is the gate's. Opens nothing by itself.
//! See:   trust study §4.4, docs/adr/020-fresh-word-for-a-beacon.md, docs/formats/statement.md.

use anlauf_model::landscape::SignerCount;
use anlauf_model::limits::FRESHNESS_CLOCKS_APART_MINUTES_MAX;
use anlauf_model::{Digest, GateId, Minutes, PersonId, Role, Timestamp};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::quorum::{Demand, Signers};
use crate::statement::TYPE_FRESHNESS;
use anlauf_keys::envelope::Envelope;
use anlauf_keys::refusal::{Reason, Refusal};

/// Only machines answer beacons: they are asked day and night, and what they say opens nothing
/// that people have not released.
const ROLE_ANSWERING: Role = Role::Automation;

/// Where the feed ended when a gate asked. Signed by automation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Freshness {
    /// Domain id.
    pub domain: String,
    /// The gate that asked.
    pub gate: GateId,
    /// The random bytes it asked with.
    pub beacon: Digest,
    /// When it was answered.
    pub at: Timestamp,
    /// Number of the last item of the feed then; 0 for none.
    pub head: u64,
    /// What the feed holds up to it, in its order: see [`feed_sum`].
    pub feed: Digest,
}

/// A fresh word whose signature was verified. Private fields: only this crate makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedFreshness {
    freshness: Freshness,
    signer: PersonId,
}

impl VerifiedFreshness {
    /// The statement.
    pub fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// On whose word.
    pub fn signer(&self) -> &PersonId {
        &self.signer
    }
}

/// The sum of a feed with one more item at its end: SHA-256 over the sum before, the item's number
/// (8 bytes, big-endian) and `envelope`, the SHA-256 of its envelope as it came.
///
/// The number of an item is nobody's word: without the sum whoever carries the feed could put
/// something else in the place of a close. An empty feed has the sum [`FEED_SUM_EMPTY`].
pub fn feed_sum(before: &Digest, seq: u64, envelope: &Digest) -> Digest {
    let mut bytes = before.0.to_vec();
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&envelope.0);
    Digest::of(&bytes)
}

/// The sum of an empty feed.
pub const FEED_SUM_EMPTY: Digest = Digest([0; 32]);

impl Authority {
    /// Judges a fresh word: one valid signature of automation, by a clock that agrees with ours.
    ///
    /// An expired root is enough: fresh word opens nothing by itself, and releases look at the
    /// root's end on their own.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn check_freshness(
        &self,
        envelope: &Envelope,
        now: Timestamp,
    ) -> Result<VerifiedFreshness, Refusal> {
        let freshness = Freshness::parse(&envelope.payload)?;
        Refusal::unless_empty(self.domain_foreign(&freshness.domain).into_iter().collect())?;

        let mut reasons = Vec::new();
        let apart = Minutes(FRESHNESS_CLOCKS_APART_MINUTES_MAX);
        if freshness.at > now + apart || now > freshness.at + apart {
            let message = format!(
                "answered at {}, and it is {now} here; put the clocks right",
                freshness.at
            );
            reasons.push(Reason::new("AN-TRU-070", message));
        }
        let demand = Demand::of_freshness();
        let signers = Signers::of(&self.root, envelope, TYPE_FRESHNESS, Some(now));
        reasons.extend(signers.missing(&demand));
        let mut counting = signers
            .held()
            .iter()
            .filter(|one| demand.excludes(one).is_none());
        match counting.next() {
            Some(record) if reasons.is_empty() => Ok(VerifiedFreshness {
                freshness,
                signer: record.person.clone(),
            }),
            _ => Err(Refusal { reasons }),
        }
    }
}

impl Demand {
    /// What fresh word asks: one machine that the root names.
    pub fn of_freshness() -> Self {
        let role = ROLE_ANSWERING;
        Self {
            keys: None,
            roles: vec![role],
            persons_min: 0,
            signers: vec![SignerCount { role, count: 1 }],
            organisations_min: 0,
            origins_min: 0,
            software: true,
            tenant: None,
        }
    }
}
