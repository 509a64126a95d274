//! The plan in force, the plans for decision, and those before: heads only.
//!
//! In:    [`State`]. Out: [`PlanView`]. Never: the rows of a plan; those are in the modules below.
//! See:   `line` (time axis), `load` (teams), `change` (two plans), `course` (the way so far and
//!        to come), `chain` (what holds the end), `filter` (which cells).

use anlauf_model::{Digest, Minutes, Plan, Range, Timestamp};
use anlauf_planner::deadlines_missed;
use anlauf_recovery::State;
use anlauf_recovery::query::{self, HitRate};
use anlauf_recovery::state::PlanNote;

use super::inbox::{PlanCard, plans};
use super::{CellName, cell_name};

pub(crate) mod attempt;
pub(crate) mod chain;
pub(crate) mod change;
pub(crate) mod course;
pub(crate) mod filter;
pub(crate) mod line;
pub(crate) mod load;

/// What stands above every picture of the plan.
pub(crate) struct PlanView {
    pub(crate) current: Option<PlanHead>,
    pub(crate) proposed: Vec<PlanCard>,
    /// Plans that were in force, newest first.
    pub(crate) notes: Vec<PlanNote>,
    pub(crate) whole: Option<Range>,
    pub(crate) hits: HitRate,
}

/// The plan in force, in figures.
pub(crate) struct PlanHead {
    pub(crate) id: Digest,
    pub(crate) made_at: Timestamp,
    pub(crate) gap_per_mille: u64,
    pub(crate) end: Option<Timestamp>,
    pub(crate) cell_count: usize,
    /// Cells that open after the day of the month that is set for them.
    pub(crate) late: Vec<CellName>,
}

/// From when to when a picture goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl PlanView {
    pub(crate) fn of(state: &State) -> Self {
        Self {
            current: state.plan.as_deref().map(|plan| PlanHead::of(state, plan)),
            proposed: plans(state),
            notes: state.plans.iter().rev().cloned().collect(),
            whole: state.forecast().and_then(|forecast| forecast.whole),
            hits: query::hit_rate(state),
        }
    }
}

impl PlanHead {
    fn of(state: &State, plan: &Plan) -> Self {
        let late = state.landscape.as_deref().map_or(Vec::new(), |landscape| {
            let late = deadlines_missed(landscape, plan);
            late.iter().map(|id| cell_name(landscape, id)).collect()
        });
        Self {
            late,
            id: plan.id,
            made_at: plan.made_at,
            gap_per_mille: plan.gap_per_mille(),
            end: plan.rows.iter().map(|row| row.end).max(),
            cell_count: plan.releases().len(),
        }
    }
}

/// From the incident's begin to the last that is planned or expected.
pub(crate) fn span(state: &State, now: Timestamp) -> Span {
    let began = state.incident.as_ref().map_or(now, |one| one.began);
    let rows = state.plan.iter().flat_map(|plan| &plan.rows);
    let planned = rows.map(|row| row.end).max();
    let whole = state.forecast().and_then(|forecast| forecast.whole);
    let ends = [
        planned,
        whole.map(|range| range.p95),
        Some(now + Minutes::days(1)),
    ];
    let to = ends.into_iter().flatten().max().unwrap_or(now);
    Span {
        from: began,
        to: to + Minutes::hours(12),
    }
}
