//! What gates say of themselves.

use anlauf_model::feed::{GateCellState, GateReport};

use crate::command::Actor;
use crate::event::Event;
use crate::refusal::Refusal;
use crate::state::State;

pub(crate) fn report(
    state: &State,
    actor: &Actor,
    report: &GateReport,
) -> Result<Vec<Event>, Refusal> {
    if report.gate.as_str() != actor.person.as_str() {
        let message = format!("`{}` reports as gate `{}`", actor.person, report.gate);
        return Err(Refusal::one(
            "AN-REC-096",
            message,
            "use the gate's own login",
        ));
    }
    if report.applied > state.seq {
        let message = format!(
            "the gate is at entry {}, the ledger at {}",
            report.applied, state.seq
        );
        let remedy = "the ledger is behind its gates: stop and look for a restored old copy";
        return Err(Refusal::one("AN-REC-097", message, remedy));
    }
    if is_known(state, report) {
        return Ok(Vec::new());
    }
    let changed = report
        .changed
        .iter()
        .map(|c| (c.cell.clone(), c.stage, c.epoch));
    Ok(vec![Event::GateReported {
        gate: report.gate.clone(),
        applied: report.applied,
        decisions: report.decisions.clone(),
        changed: changed.collect(),
    }])
}

/// Whether the report says nothing that the last one did not say.
fn is_known(state: &State, report: &GateReport) -> bool {
    let Some(known) = state.gates.get(&report.gate) else {
        return false;
    };
    let same = |c: &GateCellState| known.cells.get(&c.cell) == Some(&(c.stage, c.epoch));
    known.applied == report.applied
        && report.decisions.is_empty()
        && report.changed.iter().all(same)
}
