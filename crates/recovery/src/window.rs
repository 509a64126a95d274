//! Whether any plan could keep a window for the release of a cell.
//!
//! In:    the cell, what is known of it, the window, the plan in force and its forecast, `at`.
//! Out:   nothing, or the reason why no plan could.
//! Never: says no to a window that the planner could keep: lanes and working hours are its own.
//! See:   planner/src/window.rs for the same rule of freezes, docs/errors/AN-REC-065.md.

use anlauf_model::landscape::Freeze;
use anlauf_model::{Cell, Minutes, Slot, TaskKind, Timestamp};

use crate::refusal::Reason;
use crate::state::{CellState, State};

/// Once agreed, such a window would stop all planning until it is declined.
pub(crate) fn unkeepable(
    state: &State,
    at: Timestamp,
    (cell, known): (&Cell, &CellState),
    slot: Slot,
) -> Option<Reason> {
    let last = LastStep::of(cell, known);
    let id = &cell.id;
    if last.opens(at, slot, &[]) > slot.to {
        let message = format!(
            "the window for `{id}` ends {}; its last step takes {} minutes at least",
            slot.to, last.work.0
        );
        let remedy = "offer a window that ends later";
        return Some(Reason::new("AN-REC-065", message, remedy));
    }
    let freezes = freezes(state, cell);
    let spans: Vec<Span> = freezes.iter().map(|(span, _)| *span).collect();
    if last.opens(at, slot, &spans) > slot.to {
        let touches = |span: &Span| span.from <= slot.to && slot.from < span.to;
        let why = freezes.iter().find(|(span, _)| touches(span));
        let why = why.map_or("a freeze", |(_, freeze)| freeze.reason.en.as_str());
        let message = format!(
            "the window for `{id}`, {} to {}, leaves no time outside a freeze: {why}",
            slot.from, slot.to
        );
        let remedy = "offer a window that lies outside the freeze or ends later";
        return Some(Reason::new("AN-REC-065", message, remedy));
    }
    too_early(state, (cell, known), slot)
}

/// A window that is over before the cell's last step is done by the plan in force.
///
/// Two things count for more than the plan's rows: that all the work but the decision is done, and
/// that the forecast made from this very plan expects the cell in the window.
fn too_early(state: &State, (cell, known): (&Cell, &CellState), slot: Slot) -> Option<Reason> {
    let (plan, id) = (state.plan.as_ref()?, &cell.id);
    let rows = plan.rows.iter().filter(|row| row.cell == *id);
    let last = rows.max_by_key(|row| (row.end, row.start))?;
    let mut work = cell
        .tasks
        .keys()
        .filter(|task| **task != TaskKind::Decision);
    let is_ready = work.all(|task| known.is_done(*task));
    let forecast = state
        .forecast()
        .filter(|forecast| forecast.plan == plan.id)
        .and_then(|forecast| forecast.cells.get(id));
    let is_expected = forecast.is_some_and(|range| range.p50 <= slot.to);
    if last.end <= slot.to || is_ready || is_expected {
        return None;
    }
    let end = if last.start > slot.to {
        String::new()
    } else {
        format!(" and ends {}", last.end)
    };
    let message = format!(
        "the window for `{id}` ends {}; by the plan in force its last step begins {}{end}",
        slot.to, last.start
    );
    let remedy = "offer a window that ends later, or plan the cell earlier first";
    Some(Reason::new("AN-REC-065", message, remedy))
}

/// From (first moment) to (first moment after it).
#[derive(Clone, Copy)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

/// What is still to be done last before the cell opens.
struct LastStep {
    /// Least work. None is left when it is done, or runs: nobody knows how far it has come.
    work: Minutes,
    /// A decision must lie outside every freeze, of another step only the end.
    is_decision: bool,
}

impl LastStep {
    fn of(cell: &Cell, known: &CellState) -> Self {
        let last = cell.tasks.iter().next_back();
        let left = last.filter(|(kind, _)| !known.tasks.contains_key(kind));
        Self {
            work: left.map_or(Minutes(0), |(_, need)| need.work.optimistic),
            is_decision: left.is_some_and(|(kind, _)| *kind == TaskKind::Decision),
        }
    }

    /// The first moment in or after the window at which the cell may open.
    fn opens(&self, at: Timestamp, slot: Slot, freezes: &[Span]) -> Timestamp {
        let mut open = slot.from.max(at + self.work);
        // Each freeze moves the moment once at most: it only ever goes on.
        for _ in freezes {
            for freeze in freezes {
                let begin = open - self.work;
                let (met, free) = match self.is_decision {
                    true => (
                        begin < freeze.to && open >= freeze.from,
                        freeze.to + self.work,
                    ),
                    false => (freeze.from <= open && open < freeze.to, freeze.to),
                };
                open = if met { free } else { open };
            }
        }
        open
    }
}

/// Times in which nothing opens to people at the cell's site. Days count from the beginning.
fn freezes<'s>(state: &'s State, cell: &Cell) -> Vec<(Span, &'s Freeze)> {
    let (Some(landscape), Some(incident)) = (&state.landscape, state.running()) else {
        return Vec::new();
    };
    let day = |day: f64| Timestamp(incident.began.0.saturating_add((day * 86_400_000.0) as i64));
    let here = |freeze: &&Freeze| freeze.sites.is_empty() || freeze.sites.contains(&cell.site);
    let freezes = landscape.declared().freezes.iter().filter(here);
    freezes
        .map(|freeze| {
            let (from, to) = (day(freeze.from_day), day(freeze.to_day));
            (Span { from, to }, freeze)
        })
        .collect()
}
