//! How busy the teams are over time, against their lanes.
//!
//! In:    [`State`], which cells. Out: [`Load`]. Never: hours of a plan that is not in force.

use std::collections::BTreeMap;

use anlauf_model::{TeamId, Text, Timestamp};
use anlauf_recovery::State;

use super::filter::Filter;
use super::{Span, span};

/// Columns of a team's row.
pub(crate) const COLUMN_COUNT: usize = 96;

/// The teams' load.
pub(crate) struct Load {
    pub(crate) span: Span,
    pub(crate) teams: Vec<TeamLoad>,
}

/// How busy a team is.
pub(crate) struct TeamLoad {
    pub(crate) name: Text,
    pub(crate) lanes: u32,
    /// Per column of the span. Per mille of its lanes.
    pub(crate) load: Vec<u32>,
    pub(crate) busy_hours: u64,
    /// End of its last step.
    pub(crate) free_from: Option<Timestamp>,
}

impl TeamLoad {
    /// Its fullest column. Per mille of its lanes.
    pub(crate) fn peak(&self) -> u32 {
        self.load.iter().copied().max().unwrap_or_default()
    }
}

/// What a team has to do.
struct Busy {
    columns: Vec<i64>,
    last: Timestamp,
}

impl Load {
    pub(crate) fn of(state: &State, now: Timestamp, filter: &Filter) -> Self {
        let span = span(state, now);
        Self {
            span,
            teams: teams(state, span, filter),
        }
    }
}

fn teams(state: &State, span: Span, filter: &Filter) -> Vec<TeamLoad> {
    let (Some(landscape), Some(plan)) = (&state.landscape, &state.plan) else {
        return Vec::new();
    };
    let step = ((span.to.0 - span.from.0) / COLUMN_COUNT as i64).max(1);
    let mut busy: BTreeMap<&TeamId, Busy> = BTreeMap::new();
    for row in &plan.rows {
        let Some(team) = &row.team else { continue };
        if !filter.admits_id(landscape, &row.cell) {
            continue;
        }
        let known = busy.entry(team).or_insert_with(|| Busy {
            columns: vec![0; COLUMN_COUNT],
            last: row.end,
        });
        known.last = known.last.max(row.end);
        for (index, column) in known.columns.iter_mut().enumerate() {
            let from = span.from.0 + step * index as i64;
            *column += (row.end.0.min(from + step) - row.start.0.max(from)).max(0);
        }
    }
    let teams = landscape.declared().teams.iter().filter_map(|team| {
        let busy = busy.get(&team.id)?;
        let whole = step.saturating_mul(i64::from(team.lanes.max(1)));
        let share = |spent: &i64| u32::try_from(spent * 1000 / whole.max(1)).unwrap_or(1000);
        let hours = busy.columns.iter().sum::<i64>() / 3_600_000;
        Some(TeamLoad {
            name: team.name.clone(),
            lanes: team.lanes,
            load: busy.columns.iter().map(share).collect(),
            busy_hours: u64::try_from(hours).unwrap_or(0),
            free_from: Some(busy.last),
        })
    });
    teams.collect()
}
