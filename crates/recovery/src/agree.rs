//! Wishes, offers and the tenants' word on them.

use anlauf_model::{CellId, Slot, TenantId, Timestamp};

use crate::command::SlotDraft;
use crate::decide::{by_owner, unknown_cells};
use crate::event::Event;
use crate::incident::not_running;
use crate::refusal::{Reason, Refusal};
use crate::state::{Answer, State};
use crate::window;

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
        } else {
            reasons.extend(unkeepable(state, at, cell, slot));
        }
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

/// The reason why no plan could keep this window, if there is one.
fn unkeepable(state: &State, at: Timestamp, id: &CellId, slot: Slot) -> Option<Reason> {
    let cell = state.landscape.as_ref()?.cell(id)?;
    let known = state.cells.get(id)?;
    window::unkeepable(state, at, (cell, known), slot)
}

pub(crate) fn agree(state: &State, at: Timestamp, cells: &[CellId]) -> Result<Vec<Event>, Refusal> {
    let mut reasons = answerable(state, cells);
    for cell in cells {
        let Some(offer) = state.offers.get(cell) else {
            continue;
        };
        if offer.slot.to <= at {
            let message = format!("the window for `{cell}` has passed");
            reasons.push(Reason::new("AN-REC-063", message, "ask for a new offer"));
        } else if matches!(offer.answer, Answer::Open | Answer::Declined) {
            // The plan may have moved since the offer.
            reasons.extend(unkeepable(state, at, cell, offer.slot));
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
