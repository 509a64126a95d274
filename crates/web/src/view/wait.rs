//! What a date waits for, ready to be said.
//!
//! In:    the newest forecast. Out: [`Waiting`]. Never: a date where there is none.

use anlauf_model::landscape::Landscape;
use anlauf_model::{CellId, TaskKind, Text, Wait};
use anlauf_recovery::State;

use super::{CellName, cell_name};

/// What must be known or done before a date can be given.
#[derive(Clone, Debug)]
pub(crate) enum Waiting {
    /// Forensics has judged nothing at this site.
    Verdict(Text),
    /// The plan in force does not name it.
    Plan,
    /// Nobody does a step: which team (none = the tenant's own testers), which step.
    Nobody(Option<Text>, TaskKind),
    /// Another cell has no date.
    Cell(CellName),
}

/// What the date of a cell waits for; none when it has one, or there is no forecast.
pub(crate) fn waiting(state: &State, landscape: &Landscape, id: &CellId) -> Option<Waiting> {
    let wait = state.forecast()?.waits.get(id)?;
    Some(match wait {
        Wait::Verdict { site } => {
            let name = landscape.site(site).map(|site| site.name.clone());
            Waiting::Verdict(name.unwrap_or_default())
        }
        Wait::Plan => Waiting::Plan,
        Wait::Nobody { team, task } => {
            let team = team.as_ref().and_then(|team| landscape.team(team));
            Waiting::Nobody(team.map(|team| team.name.clone()), *task)
        }
        Wait::Cell { cell } => Waiting::Cell(cell_name(landscape, cell)),
    })
}
