//! Evidence: bring it, withdraw it, and the tenant's own word after its tests.

use anlauf_model::{CellId, Digest, FindingKind, TaskKind, Verdict};

use crate::command::{Actor, FindingDraft};
use crate::decide::{by_owner, unknown_cells};
use crate::event::{Event, FindingEntry};
use crate::refusal::{Reason, Refusal};
use crate::rights::{foreign_cells, may_find};
use crate::state::State;

pub(crate) fn add(
    state: &State,
    actor: &Actor,
    drafts: &[FindingDraft],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = Vec::new();
    if drafts.is_empty() {
        reasons.push(Reason::new(
            "AN-REC-006",
            "no finding is given",
            "give at least one",
        ));
    }
    for draft in drafts {
        reasons.extend(may_add(state, actor, draft));
    }
    Refusal::unless_empty(reasons)?;

    let (wide, of_cells): (Vec<_>, Vec<_>) = drafts.iter().partition(|d| d.cell.is_none());
    let mut runs = by_owner(of_cells, |d| d.cell.as_ref().expect("partitioned above"));
    if !wide.is_empty() {
        runs.insert(0, wide);
    }
    let mut number = finding_last(state);
    let mut entry = |draft: &FindingDraft| {
        number += 1;
        FindingEntry {
            number,
            cell: draft.cell.clone(),
            kind: draft.kind,
            verdict: draft.verdict,
            evidence: draft.evidence,
            note: draft.note.clone(),
        }
    };
    let events = runs.into_iter().map(|run| Event::FindingsAdded {
        findings: run.into_iter().map(&mut entry).collect(),
    });
    Ok(events.collect())
}

fn finding_last(state: &State) -> u64 {
    state.findings.keys().next_back().copied().unwrap_or(0)
}

fn may_add(state: &State, actor: &Actor, draft: &FindingDraft) -> Vec<Reason> {
    let kind = draft.kind;
    let mut reasons = Vec::new();
    if !may_find(actor.role, kind) {
        let message = format!("role `{}` may not bring a finding `{kind}`", actor.role);
        reasons.push(Reason::new(
            "AN-REC-003",
            message,
            "ask whose finding it is",
        ));
    }
    match &draft.cell {
        None if kind.is_incident_wide() => {}
        None => {
            let message = format!("finding `{kind}` speaks for one cell and names none");
            reasons.push(Reason::new("AN-REC-040", message, "name the cell"));
        }
        Some(cell) if kind.is_incident_wide() => {
            let message = format!("finding `{kind}` speaks for the incident, not for `{cell}`");
            reasons.push(Reason::new("AN-REC-040", message, "leave the cell out"));
        }
        Some(cell) => {
            let unknown = !state.cells.contains_key(cell);
            if unknown {
                reasons.extend(unknown_cells(state, [cell]));
            } else if let Some(task) = task_open(state, cell, kind) {
                let message = format!("{task} of `{cell}` is not finished");
                let remedy = format!("finish {task} before its finding");
                reasons.push(Reason::new("AN-REC-041", message, remedy));
            }
        }
    }
    reasons
}

/// The task a finding comes from, when it is not finished. A verdict of fail may come earlier too,
/// but then the task is to be failed, not finished.
fn task_open(state: &State, cell: &CellId, kind: FindingKind) -> Option<TaskKind> {
    let declared = state.landscape.as_ref()?.cell(cell)?;
    let task = TaskKind::ALL
        .into_iter()
        .find(|task| task.finding() == Some(kind))?;
    let needed = declared.tasks.contains_key(&task);
    let done = state
        .cells
        .get(cell)?
        .tasks
        .get(&task)
        .is_some_and(|t| t.finished.is_some());
    (needed && !done).then_some(task)
}

pub(crate) fn withdraw(state: &State, number: u64) -> Result<Vec<Event>, Refusal> {
    let Some(finding) = state.findings.get(&number) else {
        let message = format!("there is no finding {number}");
        return Err(Refusal::one(
            "AN-REC-042",
            message,
            "see the list of findings",
        ));
    };
    if let Some((at, why)) = &finding.withdrawn {
        let message = format!("finding {number} was withdrawn at {at}: {why}");
        return Err(Refusal::one(
            "AN-REC-043",
            message,
            "nothing needs to be withdrawn",
        ));
    }
    Ok(vec![Event::FindingWithdrawn { finding: number }])
}

pub(crate) fn accept(
    state: &State,
    actor: &Actor,
    cells: &[CellId],
    passed: bool,
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_cells(state, cells);
    reasons.extend(foreign_cells(actor, cells));
    for cell in cells {
        let task = state
            .cells
            .get(cell)
            .and_then(|c| c.tasks.get(&TaskKind::Acceptance));
        if !task.is_some_and(|t| t.finished.is_none()) {
            let message = format!("acceptance of `{cell}` is not running");
            reasons.push(Reason::new(
                "AN-REC-035",
                message,
                "start the acceptance test first",
            ));
        }
    }
    Refusal::unless_empty(reasons)?;

    let mut number = finding_last(state);
    let mut events = Vec::new();
    for run in by_owner(cells.to_vec(), |cell| cell) {
        let mut findings = Vec::new();
        for cell in &run {
            number += 1;
            let verdict = if passed { Verdict::Pass } else { Verdict::Fail };
            let word = format!("{cell} {number} {passed} {}", actor.person);
            findings.push(FindingEntry {
                number,
                cell: Some(cell.clone()),
                kind: FindingKind::TenantAccepted,
                verdict,
                evidence: Digest::of(word.as_bytes()),
                note: String::new(),
            });
        }
        events.push(Event::CellsAccepted { cells: run, passed });
        events.push(Event::FindingsAdded { findings });
    }
    Ok(events)
}
