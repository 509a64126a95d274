//! Answers derived from the state for pages, planner and people.
//!
//! In:    [`State`]. Out: plain values. Never: changes anything.

use std::collections::BTreeMap;

use anlauf_model::{CellId, FindingKind, Role, TenantId, Timestamp};
use anlauf_planner::{Situation, Why};
use serde::Serialize;

use crate::event::{Entry, Event};
use crate::state::State;

/// The two progress numbers, never mixed. Per mille.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Progress {
    /// Cells whose technical work is done.
    pub systems_restored_per_mille: u32,
    /// Services open to people, weighted by insured people.
    pub services_released_per_mille: u32,
}

/// What holds a cell now: the plan's chain and what policy still misses.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Holding {
    /// Which.
    pub cell: CellId,
    /// Cells it needs that are not open.
    pub needs_closed: Vec<CellId>,
    /// Findings policy demands for the next stage that do not stand.
    pub findings_missing: Vec<FindingKind>,
    /// Signatures missing under an open release: role and how many.
    pub signatures_missing: Vec<(Role, u32)>,
    /// Whether a window is offered and the tenant has not answered, or declined.
    pub tenant_word_missing: bool,
    /// The plan's chain, nearest first.
    pub chain: Vec<Why>,
}

/// The two progress numbers.
pub fn progress(_state: &State) -> Progress {
    unimplemented!()
}

/// What the planner plans from.
///
/// Returns none before a landscape is adopted.
pub fn situation(_state: &State, _now: Timestamp) -> Option<Situation<'_>> {
    unimplemented!()
}

/// What holds a cell.
pub fn holding(_state: &State, _now: Timestamp, _cell: &CellId) -> Option<Holding> {
    unimplemented!()
}

/// Cells that rest on a finding: their release names it, and all that cannot work without them.
pub fn rests_on(_state: &State, _finding: u64) -> Vec<CellId> {
    unimplemented!()
}

/// Whether an actor of this role and tenant may read the entry.
pub fn may_read(_entry: &Entry, _role: Role, _tenant: Option<&TenantId>) -> bool {
    unimplemented!()
}

/// How past forecasts held: of all ranges given with 50, 80, 95 % whose cell is back, how many held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct HitRate {
    /// Ranges whose cell is back.
    pub given: u32,
    /// Held at P50.
    pub held_p50: u32,
    /// Held at P80.
    pub held_p80: u32,
    /// Held at P95.
    pub held_p95: u32,
}

/// How past forecasts held.
pub fn hit_rate(_state: &State) -> HitRate {
    unimplemented!()
}

/// When each closed cell is expected: P80 of the newest forecast.
pub fn expected(_state: &State) -> BTreeMap<CellId, Timestamp> {
    unimplemented!()
}

/// One event in one sentence.
pub fn in_words(_event: &Event, _language: anlauf_model::Language) -> String {
    unimplemented!()
}
