//! How the dates that were told have held.
//!
//! In:    [`State`]: published forecasts, and when cells came back.
//! Out:   [`HitRate`], and [`Outcome`]s for the next forecast to learn from.
//! Never: counts a date before its day has come; counts one cell's many dates as many.
//! See:   docs/planner.md, "Forecast".
//!
//! Which dates count is decided without looking at how they came, or the late ones would be
//! missing from the count until they are back:
//! - One date per cell and return: of all it was told, the one in the middle. The first ones know
//!   least, the last ones are told the evening before.
//! - A date counts when its last day (P95) has passed, or the incident is over.
//! - It is held against the first return after it. When the cell, or one that it needs, was shut
//!   again in between, it does not count: what an attacker does next is not forecast.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::{CellId, Range, Text, Timestamp};
use anlauf_planner::Outcome;
use serde::Serialize;

use crate::state::State;

/// How past forecasts held: of all dates whose day has come, how many held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct HitRate {
    /// Dates whose day has come, one per cell and return.
    pub given: u32,
    /// Held at P50.
    pub held_p50: u32,
    /// Held at P80.
    pub held_p80: u32,
    /// Held at P95.
    pub held_p95: u32,
}

impl HitRate {
    /// As a sentence.
    pub fn in_words(&self) -> Text {
        let (given, held) = (self.given, self.held_p80);
        match given {
            0 => Text {
                de: "Noch ist der Tag keines genannten Termins gekommen.".to_owned(),
                en: "The day of no date given has come yet.".to_owned(),
            },
            1 => Text {
                de: format!("Ein Termin wurde mit 80 % genannt; gehalten: {held}."),
                en: format!("One date was given with 80 %; held: {held}."),
            },
            _ => Text {
                de: format!("Von {given} Terminen, die mit 80 % genannt wurden, hielten {held}."),
                en: format!("Of {given} dates given with 80 %, {held} held."),
            },
        }
    }
}

/// How past forecasts held.
pub fn hit_rate(state: &State) -> HitRate {
    let mut rate = HitRate::default();
    for outcome in outcomes(state, state.at) {
        let held = |at: Timestamp| u32::from(outcome.came.is_some_and(|came| came <= at));
        let Range { p50, p80, p95 } = outcome.told;
        rate.given += 1;
        rate.held_p50 += held(p50);
        rate.held_p80 += held(p80);
        rate.held_p95 += held(p95);
    }
    rate
}

/// The dates that count at a moment, each with how it came.
pub fn outcomes(state: &State, now: Timestamp) -> Vec<Outcome> {
    let is_over = state.running().is_none();
    let shut_again = shut_again(state);
    let mut told: BTreeMap<(&CellId, Option<Timestamp>), Vec<Outcome>> = BTreeMap::new();
    for forecast in &state.forecasts {
        for (id, range) in &forecast.cells {
            let Some(cell) = state.cells.get(id) else {
                continue;
            };
            let after = |at: &&Timestamp| **at > forecast.made_at;
            let came = cell.returns.iter().find(after).copied();
            let until = came.unwrap_or(range.p95);
            let disturbed = shut_again.get(id).is_some_and(|times| {
                let between = |at: &Timestamp| *at > forecast.made_at && *at <= until;
                times.iter().any(between)
            });
            if !disturbed {
                told.entry((id, came)).or_default().push(Outcome {
                    made_at: forecast.made_at,
                    told: *range,
                    came,
                });
            }
        }
    }
    let middle = told.into_values().map(|all| all[all.len() / 2]);
    let counts = |outcome: &Outcome| match outcome.came {
        Some(_) => is_over || outcome.told.p95 <= now,
        None => outcome.told.p95 <= now,
    };
    middle.filter(counts).collect()
}

/// When each cell, or one that it needs, was shut again since the first forecast.
fn shut_again(state: &State) -> BTreeMap<CellId, BTreeSet<Timestamp>> {
    let mut times: BTreeMap<CellId, BTreeSet<Timestamp>> = BTreeMap::new();
    let (Some(first), Some(landscape)) = (state.forecasts.first(), &state.landscape) else {
        return times;
    };
    for (id, cell) in &state.cells {
        let later = cell.gaps.iter().map(|gap| gap.from);
        let later: Vec<Timestamp> = later.filter(|at| *at > first.made_at).collect();
        if later.is_empty() {
            continue;
        }
        for hit in landscape.dependents_all(id).into_iter().chain([id.clone()]) {
            times.entry(hit).or_default().extend(&later);
        }
    }
    times
}
