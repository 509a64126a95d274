//! Fresh word: an answer to a gate's random beacon, which nobody can have signed before.
//!
//! In:    an envelope, the verified [`Authority`], `now`.
//! Out:   a [`Verified`] one, or a [`Refusal`] with every reason at once.
//! Never: says which beacon was asked; that is the gate's. Opens nothing by itself.
//! See:   trust study §4.4, docs/adr/020-fresh-word-for-a-beacon.md, docs/formats/statement.md.

use anlauf_model::landscape::SignerCount;
use anlauf_model::limits::FRESHNESS_CLOCKS_APART_MINUTES_MAX;
use anlauf_model::{Digest, GateId, Minutes, Role, Timestamp};
use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::quorum::{Demand, Ring, Signers};
use crate::statement::TYPE_FRESHNESS;
use crate::verify::Verified;
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
    /// What the feed holds up to it, in its order: see [`crate::feed_sum`].
    pub feed: Digest,
}

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
    ) -> Result<Verified<Freshness>, Refusal> {
        let freshness = Freshness::parse(&envelope.payload)?;
        Refusal::unless_empty(self.domain_foreign(&freshness.domain).into_iter().collect())?;

        let mut reasons = Vec::new();
        let apart = Minutes(FRESHNESS_CLOCKS_APART_MINUTES_MAX);
        if freshness.at > now + apart || now > freshness.at + apart {
            let at = freshness.at;
            let message = format!("answered at {at}, and it is {now} here; put the clocks right");
            reasons.push(Reason::new("AN-TRU-070", message));
        }
        let demand = Demand::of_freshness();
        let root = Ring::of_root(&self.root);
        let signers = Signers::of(&root, envelope, TYPE_FRESHNESS, Some(now));
        reasons.extend(signers.missing(&demand));
        Refusal::unless_empty(reasons)?;
        let word = signers.find(|one| demand.excludes(one).is_none());
        Ok(Verified::of(envelope, freshness, word))
    }
}

impl Demand {
    /// What fresh word asks: one machine that the root names.
    pub fn of_freshness() -> Self {
        let role = ROLE_ANSWERING;
        Self {
            keys: None,
            roles: vec![role],
            signers: vec![SignerCount { role, count: 1 }],
            ..Self::of_keys(Vec::new(), 0)
        }
    }
}
