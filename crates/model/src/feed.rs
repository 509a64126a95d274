//! What passes between the control plane and a gate.
//!
//! In:    signed envelopes as text, a gate's account of itself.
//! Out:   [`FeedPage`], [`GateReport`].
//! Never: trusted: a gate believes only the signatures inside the envelopes.
//!
//! The gate asks `GET /api/v1/gate/feed?from=N&wait_ms=M`, gets items with `seq` > N in order,
//! applies each, and posts its report to `/api/v1/gate/report`. The table comes from
//! `GET /api/v1/gate/table`
//! and counts only while its digest is the one in the signed policy.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CellId, GateId};
use crate::landscape::Class;
use crate::stage::Stage;
use crate::time::{Epoch, Timestamp};

/// A stretch of the feed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeedPage {
    /// Domain the control plane serves.
    pub domain: String,
    /// Items after the asked position, oldest first; possibly none.
    pub items: Vec<FeedItem>,
    /// Last ledger index the control plane knows; the next question starts from the last item's.
    pub head: u64,
    /// Words for the pages a gate shows; only when they changed since the asked position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Words>,
    /// The answer to the gate's beacon, if it asked with one and there is someone to sign: a DSSE
    /// envelope as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<String>,
}

/// One signed envelope at its place in the ledger.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FeedItem {
    /// Ledger index of the event that carried it.
    pub seq: u64,
    /// What it should be; the envelope itself decides.
    pub kind: FeedKind,
    /// The DSSE envelope as JSON text.
    pub envelope: String,
}

/// What an envelope claims to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedKind {
    /// Root document.
    Root,
    /// Policy.
    Policy,
    /// A tenant's own list of keys.
    Delegation,
    /// Release.
    Release,
    /// Close.
    Close,
}

/// Unsigned words for a gate's pages. They change what is said, never what passes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Words {
    /// When this was written.
    pub as_of: Option<Timestamp>,
    /// When the public hears more.
    pub next_word_at: Option<Timestamp>,
    /// When a closed cell is expected back (P80 of the forecast).
    pub expected: BTreeMap<CellId, Timestamp>,
}

/// A gate's account of itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GateReport {
    /// Who.
    pub gate: GateId,
    /// Last feed item applied: everything up to it is in force.
    pub applied: u64,
    /// Digest of the table in use.
    pub table: Option<Digest>,
    /// Root version in force.
    pub root_version: u64,
    /// Cells whose state changed since the last report that was answered.
    pub changed: Vec<GateCellState>,
    /// Items refused or accepted since then.
    pub decisions: Vec<GateDecision>,
    /// Since the gate started.
    pub counts: GateCounts,
    /// How each class stands that asks for fresh word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freshness: Vec<GateFreshness>,
}

/// How a class stands at a gate, as far as fresh word goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GateFreshness {
    /// Cells of this class.
    pub class: Class,
    /// What it means for them.
    pub standing: Standing,
    /// Age of the last fresh word; none since the gate started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<u64>,
}

/// What freshness, or the lack of it, means for cells of a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No fresh word since the gate started: shut.
    Unproven,
    /// Fresh enough: as released.
    Fresh,
    /// Overdue, and policy holds them open: as released, with an alarm.
    Held,
    /// Overdue: shut.
    Stale,
}

impl Standing {
    /// Its word, as it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Fresh => "fresh",
            Self::Held => "held",
            Self::Stale => "stale",
        }
    }
}

/// What one cell is at this gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GateCellState {
    /// Which.
    pub cell: CellId,
    /// How far open.
    pub stage: Stage,
    /// Highest epoch seen.
    pub epoch: Epoch,
}

/// A gate's judgement of one feed item.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GateDecision {
    /// Ledger index of the item.
    pub seq: u64,
    /// Whether it took effect.
    pub accepted: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// Requests at this gate since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GateCounts {
    /// Answered by a backend.
    pub passed: u64,
    /// Answered with an honest no.
    pub refused: u64,
    /// Hosts or paths nobody has, and requests that cannot be understood.
    pub unknown: u64,
    /// Running answers and kept connections cut by a close.
    pub cut: u64,
    /// The backend failed.
    pub failed: u64,
}
