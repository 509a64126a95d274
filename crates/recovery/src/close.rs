//! Shutting cells: one signature, at once, with everything that rests on them if asked.

use std::collections::BTreeSet;

use anlauf_model::{CellId, Epoch, Landscape, Timestamp};
use anlauf_trust::{Close, Envelope, Scope};

use crate::command::Actor;
use crate::decide::{by_owner, unknown_cells};
use crate::event::Event;
use crate::incident::no_root;
use crate::refusal::{Reason, Refusal};
use crate::rights::foreign_cells;
use crate::state::{ReleaseEnd, State};

/// How far beyond the highest epoch in its scope a close may burn.
///
/// Without a bound one person could name the largest number there is, and no release could ever
/// stand above it again.
const EPOCH_AHEAD_MAX: u64 = 1_000;

/// Draws up a close that burns every epoch used or proposed so far in the scope, here or at a gate.
pub fn close_statement(state: &State, now: Timestamp, scope: Scope, reason: &str) -> Close {
    let epoch = covered(state, &scope)
        .iter()
        .map(|id| highest_seen(state, id))
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

/// Highest epoch a cell has anywhere: a gate that took a close straight from a person may be ahead
/// of the ledger. A gate that claims more than any close may burn is not believed.
pub(crate) fn highest_seen(state: &State, id: &CellId) -> Epoch {
    let known = highest(state, id).unwrap_or_default();
    let ceiling = Epoch(known.0.saturating_add(EPOCH_AHEAD_MAX));
    let reported = state.gates.values().filter_map(|gate| gate.cells.get(id));
    let reported = reported
        .map(|(_, epoch)| *epoch)
        .filter(|epoch| *epoch <= ceiling);
    reported.fold(known, Epoch::max)
}

pub(crate) fn close(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    envelope: &Envelope,
) -> Result<Vec<Event>, Refusal> {
    let authority = state.authority.as_ref().ok_or_else(no_root)?;
    let verified = authority.check_close(envelope, &|cell| state.facts(cell), at)?;
    let statement = verified.statement();
    let cells = covered(state, &statement.scope);
    let foreign = foreign_cells(actor, &cells);
    Refusal::unless_empty(foreign.into_iter().collect())?;
    let mut reasons = match &statement.scope {
        Scope::Cells(named) => unknown_cells(state, named),
        _ => unknown_cells(state, &cells),
    };
    reasons.extend(epoch_wrong(state, &cells, statement.epoch));
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

/// Why the epoch of a close does not fit: below a cell that it must shut, or out of all reach.
fn epoch_wrong(state: &State, cells: &[CellId], epoch: Epoch) -> Option<Reason> {
    let highest_known = cells.iter().filter_map(|id| highest(state, id)).max()?;
    if highest_known > epoch {
        let message = "a cell in the scope moved to a later epoch than the close names";
        let remedy = "draw the close up again; it burns every epoch up to the one it names";
        return Some(Reason::new("AN-REC-020", message, remedy));
    }
    let seen = cells.iter().map(|id| highest_seen(state, id)).max()?;
    (epoch.0 > seen.0.saturating_add(EPOCH_AHEAD_MAX)).then(|| {
        let message = format!(
            "the close burns up to epoch {}, far beyond {}, the highest in its scope",
            epoch.0, seen.0
        );
        let remedy = "draw the close up again; no release could ever stand above this one";
        Reason::new("AN-REC-021", message, remedy)
    })
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
