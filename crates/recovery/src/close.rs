//! Shutting cells: one signature, at once, with everything that rests on them if asked.

use std::collections::BTreeSet;

use anlauf_model::{CellId, Epoch, Landscape, Timestamp};
use anlauf_trust::{Close, Envelope, Scope};

use crate::command::Actor;
use crate::decide::by_owner;
use crate::event::Event;
use crate::incident::no_root;
use crate::refusal::Refusal;
use crate::rights::foreign_cells;
use crate::state::{ReleaseEnd, State};

/// Draws up a close that burns every epoch used or proposed so far in the scope.
pub fn close_statement(state: &State, now: Timestamp, scope: Scope, reason: &str) -> Close {
    let epoch = covered(state, &scope)
        .iter()
        .filter_map(|id| highest(state, id))
        .max();
    let domain = state
        .authority
        .as_ref()
        .map(|a| a.root().domain.clone())
        .unwrap_or_default();
    Close {
        domain,
        scope,
        epoch: epoch.unwrap_or_default(),
        at: now.max(state.at),
        reason: reason.to_owned(),
    }
}

/// The cells and everything that cannot work without them.
pub fn close_with_dependents(state: &State, cells: &[CellId]) -> BTreeSet<CellId> {
    let mut all: BTreeSet<CellId> = cells.iter().cloned().collect();
    if let Some(landscape) = &state.landscape {
        for cell in cells {
            all.extend(landscape.dependents_all(cell));
        }
    }
    all
}

/// The cells a scope means.
pub(crate) fn covered(state: &State, scope: &Scope) -> Vec<CellId> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let all = |keep: &dyn Fn(&anlauf_model::Cell) -> bool| select(landscape, keep);
    match scope {
        Scope::Everything => all(&|_| true),
        Scope::Site(site) => all(&|cell| cell.site == *site),
        Scope::Tenant(tenant) => all(&|cell| cell.tenant() == Some(tenant)),
        Scope::Service(service) => all(&|cell| cell.service == *service),
        Scope::Cells(cells) => {
            let named: BTreeSet<_> = cells.iter().collect();
            all(&|cell| named.contains(&cell.id))
        }
    }
}

fn select(landscape: &Landscape, keep: &dyn Fn(&anlauf_model::Cell) -> bool) -> Vec<CellId> {
    landscape
        .cells()
        .values()
        .filter(|cell| keep(cell))
        .map(|cell| cell.id.clone())
        .collect()
}

/// Highest epoch a cell was opened, closed or proposed at.
fn highest(state: &State, id: &CellId) -> Option<Epoch> {
    state
        .cells
        .get(id)
        .map(|cell| cell.epoch.max(cell.epoch_proposed))
}

pub(crate) fn close(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    envelope: &Envelope,
) -> Result<Vec<Event>, Refusal> {
    let authority = state.authority.as_ref().ok_or_else(no_root)?;
    let verified = authority.check_close(envelope, &|cell| state.facts(cell), at)?;
    let statement = verified.close();
    let cells = covered(state, &statement.scope);
    let mut reasons = crate::decide::unknown_cells(state, &cells);
    if let Scope::Cells(named) = &statement.scope {
        reasons = crate::decide::unknown_cells(state, named);
    }
    reasons.extend(foreign_cells(actor, &cells));
    if cells
        .iter()
        .any(|id| highest(state, id) > Some(statement.epoch))
    {
        let message = "a cell in the scope moved to a later epoch than the close names";
        let remedy = "draw the close up again; it burns every epoch up to the one it names";
        reasons.push(crate::refusal::Reason::new("AN-REC-020", message, remedy));
    }
    Refusal::unless_empty(reasons)?;

    let digest = envelope.digest();
    let dropped = dropped_by(state, &cells);
    let mut events = vec![Event::CloseOrdered {
        close: digest,
        envelope: envelope.clone(),
    }];
    for run in by_owner(cells, |cell| cell) {
        events.push(Event::CellsClosed {
            cells: run,
            epoch: statement.epoch,
            close: digest,
        });
    }
    events.extend(dropped);
    Ok(events)
}

/// Releases on their way that a close of these cells burns.
fn dropped_by(state: &State, cells: &[CellId]) -> Vec<Event> {
    let shut: BTreeSet<_> = cells.iter().collect();
    state
        .releases
        .iter()
        .filter(|(_, case)| case.end == ReleaseEnd::Open)
        .filter(|(_, case)| case.release.cells.iter().any(|c| shut.contains(&c.cell)))
        .map(|(id, _)| Event::ReleaseDropped {
            release: *id,
            why: "burned by a close".into(),
        })
        .collect()
}
