//! Wishes, offers and the tenants' word on them.

use anlauf_model::{CellId, Slot, TaskKind, TenantId, Timestamp};

use crate::command::SlotDraft;
use crate::decide::{by_owner, unknown_cells};
use crate::event::Event;
use crate::incident::not_running;
use crate::refusal::{Reason, Refusal};
use crate::state::{Answer, State};

pub(crate) fn wish(
    state: &State,
    tenant: &TenantId,
    order: &[CellId],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_cells(state, order);
    if order.iter().any(|cell| cell.owner() != tenant.as_str()) {
        let message = format!("the wish names cells that are not `{tenant}`'s");
        reasons.push(Reason::new(
            "AN-REC-004",
            message,
            "name only its own cells",
        ));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::WishStated {
        tenant: tenant.clone(),
        order: order.to_vec(),
    }])
}

pub(crate) fn offer(
    state: &State,
    at: Timestamp,
    slots: &[SlotDraft],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_cells(state, slots.iter().map(|s| &s.cell));
    reasons.extend(not_running(state));
    for draft in slots {
        let (cell, slot) = (&draft.cell, draft.slot);
        if slot.from >= slot.to || slot.to <= at {
            let message = format!("the window for `{cell}` is empty or past");
            reasons.push(Reason::new("AN-REC-060", message, "offer a window to come"));
        }
        reasons.extend(too_early(state, cell, slot));
        if state
            .cells
            .get(cell)
            .is_some_and(|c| c.restored_at.is_some())
        {
            let message = format!("cell `{cell}` is already back");
            reasons.push(Reason::new("AN-REC-061", message, "leave it out"));
        }
        if let Some(known) = state.offers.get(cell)
            && known.answer == Answer::Agreed
            && known.slot.to >= at
        {
            let message = format!("`{cell}` has an agreed window that has not passed");
            let remedy = "keep it, or ask the tenant to decline it first";
            reasons.push(Reason::new("AN-REC-062", message, remedy));
        }
    }
    Refusal::unless_empty(reasons)?;

    let mut events = Vec::new();
    for run in by_owner(slots.to_vec(), |s| &s.cell) {
        let missed = |s: &&SlotDraft| {
            state
                .offers
                .get(&s.cell)
                .is_some_and(|known| known.answer == Answer::Agreed)
        };
        let missed: Vec<_> = run.iter().filter(missed).map(|s| s.cell.clone()).collect();
        if !missed.is_empty() {
            events.push(Event::SlotsMissed { cells: missed });
        }
        events.push(Event::SlotsOffered { slots: run });
    }
    Ok(events)
}

/// A window that is over before the cell's last step begins by the plan in force. Once agreed, no
/// plan could keep it, and nobody could plan until it is declined.
///
/// A newer word counts: a forecast that expects the cell in the window, or that all its work but
/// the decision is done.
fn too_early(state: &State, id: &CellId, slot: Slot) -> Option<Reason> {
    let rows = &state.plan.as_ref()?.rows;
    let begins = rows.iter().filter(|row| row.cell == *id);
    let begins = begins.map(|row| row.start).max()?;
    let (cell, known) = (state.landscape.as_ref()?.cell(id)?, state.cells.get(id)?);
    let mut work = cell
        .tasks
        .keys()
        .filter(|task| **task != TaskKind::Decision);
    let is_ready = work.all(|task| known.is_done(*task));
    let forecast = state.forecast().and_then(|forecast| forecast.cells.get(id));
    let is_expected = forecast.is_some_and(|range| range.p50 <= slot.to);
    if begins <= slot.to || is_ready || is_expected {
        return None;
    }
    let message = format!(
        "the window for `{id}` ends {}; by the plan in force its last step begins {begins}",
        slot.to
    );
    let remedy = "offer a window that ends later, or plan the cell earlier first";
    Some(Reason::new("AN-REC-065", message, remedy))
}

pub(crate) fn agree(state: &State, at: Timestamp, cells: &[CellId]) -> Result<Vec<Event>, Refusal> {
    let mut reasons = answerable(state, cells);
    for cell in cells {
        if state
            .offers
            .get(cell)
            .is_some_and(|offer| offer.slot.to <= at)
        {
            let message = format!("the window for `{cell}` has passed");
            reasons.push(Reason::new("AN-REC-063", message, "ask for a new offer"));
        }
    }
    Refusal::unless_empty(reasons)?;
    let runs = by_owner(cells.to_vec(), |cell| cell);
    Ok(runs
        .into_iter()
        .map(|cells| Event::SlotsAgreed { cells })
        .collect())
}

pub(crate) fn decline(state: &State, cells: &[CellId]) -> Result<Vec<Event>, Refusal> {
    Refusal::unless_empty(answerable(state, cells))?;
    let runs = by_owner(cells.to_vec(), |cell| cell);
    Ok(runs
        .into_iter()
        .map(|cells| Event::SlotsDeclined { cells })
        .collect())
}

fn answerable(state: &State, cells: &[CellId]) -> Vec<Reason> {
    let mut reasons = unknown_cells(state, cells);
    for cell in cells.iter().filter(|cell| state.cells.contains_key(cell)) {
        let answer = state.offers.get(cell).map(|offer| offer.answer);
        let (message, remedy) = match answer {
            Some(Answer::Open | Answer::Declined | Answer::Agreed) => continue,
            Some(Answer::Missed) => ("was missed", "ask for a new offer"),
            Some(Answer::Kept) => ("was kept", "nothing needs to be said"),
            None => ("was never offered", "ask for an offer"),
        };
        let message = format!("the window for `{cell}` {message}");
        reasons.push(Reason::new("AN-REC-064", message, remedy));
    }
    reasons
}
