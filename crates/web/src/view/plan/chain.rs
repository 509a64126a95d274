//! The critical chain: what holds the last opening, backwards from it.
//!
//! In:    [`State`], which cells. Out: [`Chain`]. Never: finds it out; the planner's why does.

use anlauf_model::{CellId, Timestamp};
use anlauf_recovery::State;

use super::filter::Filter;
use crate::view::hold::{Held, hold};
use crate::view::{CellName, cell_name};

/// What holds the last opening of those that are shown.
#[derive(Default)]
pub(crate) struct Chain {
    /// The cell that opens last, and when.
    pub(crate) last: Option<(CellName, Timestamp)>,
    /// Steps, the last first.
    pub(crate) steps: Vec<Step>,
    /// The same with what lies between, nearest first.
    pub(crate) links: Vec<Held>,
}

/// One step of one cell.
pub(crate) struct Step {
    pub(crate) cell: CellId,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Chain {
    pub(crate) fn of(state: &State, now: Timestamp, filter: &Filter) -> Self {
        let (Some(plan), Some(landscape)) = (&state.plan, state.landscape.as_deref()) else {
            return Self::default();
        };
        let releases = plan.releases();
        let left = releases.into_iter().filter(|(id, _)| {
            let is_back = state.cells.get(*id).is_none_or(|c| c.restored_at.is_some());
            !is_back && filter.admits_id(landscape, id)
        });
        let Some((last, at)) = left.max_by_key(|(id, at)| (*at, std::cmp::Reverse(*id))) else {
            return Self::default();
        };
        let links = hold(state, now, last, false).map_or_else(Vec::new, |hold| hold.chain);
        Self {
            last: Some((cell_name(landscape, last), at)),
            steps: steps(last, &links),
            links,
        }
    }
}

/// The work in a chain that walks from cell to cell.
fn steps(from: &CellId, links: &[Held]) -> Vec<Step> {
    let mut cell = from;
    let mut steps = Vec::new();
    for link in links {
        match link {
            Held::Work(_, start, end) => steps.push(Step {
                cell: cell.clone(),
                start: *start,
                end: *end,
            }),
            Held::Needs(name, _) | Held::After(name, _) => cell = &name.id,
            _ => {}
        }
    }
    steps
}
