//! What each gate should do and what it says it does, differences first.

use anlauf_model::{CellId, Epoch, GateId, Stage, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::state::GateState;

use super::fresh::FreshView;
use super::{CellName, StageCounts, cell_name, stage_now};
use crate::memory::Memory;

/// Differences listed per gate; the rest is counted.
const DIFFERENCE_SHOWN_MAX: usize = 200;

/// All gates.
pub(crate) struct GatesView {
    pub(crate) gates: Vec<GateView>,
    /// Last item of the feed.
    pub(crate) feed_last: u64,
}

/// One gate.
pub(crate) struct GateView {
    pub(crate) id: GateId,
    /// When its last report was worth an entry.
    pub(crate) at: Timestamp,
    /// When it was last heard at all since the control plane started.
    pub(crate) heard_at: Option<Timestamp>,
    pub(crate) counts: Option<anlauf_model::feed::GateCounts>,
    /// Classes that ask for fresh word, as far as is known.
    pub(crate) freshness: Vec<FreshView>,
    pub(crate) applied: u64,
    /// Items of the feed it has not applied.
    pub(crate) waiting: usize,
    pub(crate) stages: StageCounts,
    pub(crate) differences: Vec<Difference>,
    pub(crate) differences_more: usize,
    pub(crate) refused: Vec<RefusedItem>,
}

/// A cell whose gate says something else than is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) cell: CellId,
    pub(crate) name: Option<CellName>,
    pub(crate) wanted: (Stage, Epoch),
    pub(crate) reported: (Stage, Epoch),
}

/// An item of the feed that a gate turned down.
pub(crate) struct RefusedItem {
    pub(crate) at: Timestamp,
    pub(crate) seq: u64,
    pub(crate) reasons: Vec<String>,
}

impl Difference {
    /// Whether the gate lets more through than is wanted: the dangerous side.
    pub(crate) fn is_open_too_far(&self) -> bool {
        self.reported.0 > self.wanted.0
    }
}

impl GatesView {
    pub(crate) fn of(state: &State, now: Timestamp, memory: Option<&Memory>) -> Self {
        let gates = state
            .gates
            .iter()
            .map(|(id, gate)| GateView::of(state, now, memory, (id, gate)));
        Self {
            gates: gates.collect(),
            feed_last: state.feed.last().map(|item| item.seq).unwrap_or_default(),
        }
    }
}

impl GateView {
    fn of(
        state: &State,
        now: Timestamp,
        memory: Option<&Memory>,
        (id, gate): (&GateId, &GateState),
    ) -> Self {
        let heard = memory.and_then(|memory| memory.heard(id));
        let mut found = differences(state, now, gate);
        let differences_more = found.len().saturating_sub(DIFFERENCE_SHOWN_MAX);
        found.truncate(DIFFERENCE_SHOWN_MAX);
        if let Some(landscape) = &state.landscape {
            for difference in &mut found {
                difference.name = Some(cell_name(landscape, &difference.cell));
            }
        }
        let mut stages = StageCounts::default();
        for cell in state.cells.keys() {
            stages[reported(gate, cell).0 as usize] += 1;
        }
        let refused = gate.refused.iter().rev().map(|(at, decision)| RefusedItem {
            at: *at,
            seq: decision.seq,
            reasons: decision.reasons.clone(),
        });
        Self {
            id: id.clone(),
            at: gate.at,
            heard_at: heard.as_ref().map(|heard| heard.at),
            freshness: FreshView::of(state, now, heard.as_ref()),
            counts: heard.map(|heard| heard.counts),
            applied: gate.applied,
            waiting: state
                .feed
                .iter()
                .rev()
                .take_while(|item| item.seq > gate.applied)
                .count(),
            stages,
            differences: found,
            differences_more,
            refused: refused.collect(),
        }
    }
}

/// Cells whose gate says something else than is wanted, the dangerous ones first.
pub(crate) fn differences(state: &State, now: Timestamp, gate: &GateState) -> Vec<Difference> {
    let mut found: Vec<Difference> = state
        .cells
        .iter()
        .filter_map(|(id, cell)| {
            let wanted = (stage_now(cell, now), cell.epoch);
            let reported = reported(gate, id);
            // Of a shut cell the epoch says only how it came to be shut.
            let same = wanted.0 == reported.0 && (wanted.0 == Stage::Closed || wanted == reported);
            (!same).then(|| Difference {
                cell: id.clone(),
                name: None,
                wanted,
                reported,
            })
        })
        .collect();
    found.sort_by_key(|difference| !difference.is_open_too_far());
    found
}

/// What a gate says of a cell; it begins with everything shut.
fn reported(gate: &GateState, cell: &CellId) -> (Stage, Epoch) {
    gate.cells.get(cell).copied().unwrap_or_default()
}
