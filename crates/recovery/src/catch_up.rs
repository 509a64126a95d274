//! Working off what was refused while a cell was shut.

use anlauf_model::CellId;

use crate::decide::{by_owner, unknown_cells};
use crate::event::Event;
use crate::refusal::{Reason, Refusal};
use crate::state::State;

pub(crate) fn catch_up(state: &State, cells: &[CellId]) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_cells(state, cells);
    for cell in cells {
        let Some(now) = state.cells.get(cell) else {
            continue;
        };
        if !now
            .gaps
            .iter()
            .any(|gap| gap.to.is_some() && gap.caught_up.is_none())
        {
            let message = format!("`{cell}` has no gap to catch up");
            reasons.push(Reason::new("AN-REC-095", message, "leave it out"));
        }
    }
    Refusal::unless_empty(reasons)?;
    let runs = by_owner(cells.to_vec(), |cell| cell);
    Ok(runs
        .into_iter()
        .map(|cells| Event::GapCaughtUp { cells })
        .collect())
}
