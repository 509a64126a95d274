//! Evidence: bring it, withdraw it, and the tenant's own word after its tests.

use std::collections::BTreeSet;

use anlauf_model::limits::REASON_SIZE_MAX;
use anlauf_model::{CellId, Digest, FindingKind, Role, TaskKind, Timestamp, Verdict};
use anlauf_trust::{Envelope, KeyRecord};

use crate::command::{Actor, FindingDraft};
use crate::decide::{by_owner, unknown_cells};
use crate::event::{Event, FindingEntry};
use crate::incident::{no_root, not_running};
use crate::refusal::{Reason, Refusal};
use crate::state::{Finding, ReleaseEnd, State};

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
    let mut seen = BTreeSet::new();
    for draft in drafts {
        reasons.extend(may_add(state, actor, draft));
        if !seen.insert((&draft.cell, draft.kind)) {
            let message = format!("finding `{}` is given twice for the same cell", draft.kind);
            reasons.push(Reason::new("AN-REC-006", message, "give each finding once"));
        }
    }
    Refusal::unless_empty(reasons)?;

    let (wide, of_cells): (Vec<_>, Vec<_>) = drafts.iter().partition(|d| d.cell.is_none());
    let mut runs = by_owner(of_cells, |d| d.cell.as_ref().expect("partitioned above"));
    if !wide.is_empty() {
        runs.insert(0, wide);
    }
    let mut number = finding_last(state);
    let events = runs.into_iter().map(|run| Event::FindingsAdded {
        findings: numbered(&mut number, run),
    });
    Ok(events.chain(dropped_by_fails(state, drafts)).collect())
}

/// A finding under its finder's signature: judged by who found it, whoever carries it.
pub(crate) fn add_signed(
    state: &State,
    at: Timestamp,
    envelope: &Envelope,
) -> Result<Vec<Event>, Refusal> {
    let Some(authority) = &state.authority else {
        return Err(no_root());
    };
    let verified = authority.check_finding(envelope, at)?;
    let (said, signer) = (verified.statement(), verified.signers().first());
    let record = authority.keys().find(|key| Some(&key.person) == signer);
    let finder = record.map(actor_of).expect("its signature was verified");
    let draft = |cell| FindingDraft {
        cell,
        kind: said.kind,
        verdict: said.verdict,
        evidence: said.evidence,
        note: said.note.clone(),
    };
    let drafts: Vec<_> = match said.cells.is_empty() {
        true => vec![draft(None)],
        false => said.cells.iter().cloned().map(Some).map(draft).collect(),
    };
    let mut reasons = no_news(state, verified.digest(), said);
    for draft in &drafts {
        reasons.extend(may_add(state, &finder, draft));
    }
    Refusal::unless_empty(reasons)?;
    let signed = Event::FindingsSigned {
        findings: numbered(&mut finding_last(state), drafts.iter().collect()),
        signer: finder.person,
        role: finder.role,
        found_at: said.at,
        envelope: envelope.clone(),
    };
    let dropped = dropped_by_fails(state, &drafts);
    Ok([signed].into_iter().chain(dropped).collect())
}

fn actor_of(record: &KeyRecord) -> Actor {
    Actor {
        person: record.person.clone(),
        organisation: record.organisation.clone(),
        role: record.role,
        tenant: record.tenant.clone(),
    }
}

/// A signature holds for ever, what it says does not: the same word again, or one from before what
/// is known now, changes nothing any more.
fn no_news(state: &State, id: &Digest, said: &anlauf_trust::Finding) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let again = |known: &&Finding| known.signed.as_ref() == Some(id);
    if let Some(known) = state.findings.values().find(again) {
        let message = format!("this signed finding is here as number {}", known.number);
        let remedy = "nothing is to be done; if it was found again, sign that";
        reasons.push(Reason::new("AN-REC-046", message, remedy));
    }
    // Bad news is taken however late it comes; a pass speaks for its moment only.
    if said.verdict == Verdict::Pass {
        let cells = said.cells.iter().map(Some);
        let about: Vec<_> = match said.cells.is_empty() {
            true => vec![None],
            false => cells.collect(),
        };
        reasons.extend(
            about
                .into_iter()
                .filter_map(|cell| outdated(state, cell, said)),
        );
    }
    reasons
}

/// Why a pass says nothing about now: something happened after it was found.
fn outdated(state: &State, cell: Option<&CellId>, said: &anlauf_trust::Finding) -> Option<Reason> {
    let known = state.findings.values();
    let same = known.filter(|known| known.kind == said.kind && known.cell.as_ref() == cell);
    let told = same.flat_map(|known| {
        let withdrawn = known.withdrawn.as_ref();
        let withdrawn = withdrawn.map(|(at, _)| (*at, "another one was withdrawn"));
        [Some((known.at, "another one")), withdrawn]
    });
    let declared = state.incident.as_ref().map(|incident| incident.began);
    let now = cell.and_then(|id| state.cells.get(id));
    let shut = now.and_then(|now| now.gaps.last()).map(|gap| gap.from);
    let step = TaskKind::yielding(said.kind);
    let begun = now
        .and_then(|now| now.tasks.get(&step?))
        .map(|task| task.started);
    let happened = [
        declared.map(|at| (at, "the incident was declared")),
        shut.map(|at| (at, "it was shut")),
        begun.map(|at| (at, "the work for it began")),
    ];
    let (at, what) = told.chain(happened).flatten().max()?;
    (at > said.at).then(|| {
        let about = cell.map_or_else(|| "the incident".to_owned(), |cell| format!("`{cell}`"));
        let message = format!("found at {} for {about}, before {what} at {at}", said.at);
        let remedy = "look again, and sign what is found now";
        Reason::new("AN-REC-047", message, remedy)
    })
}

fn numbered(number: &mut u64, drafts: Vec<&FindingDraft>) -> Vec<FindingEntry> {
    let entry = |draft: &FindingDraft| {
        *number += 1;
        FindingEntry {
            number: *number,
            cell: draft.cell.clone(),
            kind: draft.kind,
            verdict: draft.verdict,
            evidence: draft.evidence,
            note: draft.note.clone(),
        }
    };
    drafts.into_iter().map(entry).collect()
}

/// Releases on their way that rest on what is found not clear.
fn dropped_by_fails(state: &State, drafts: &[FindingDraft]) -> Vec<Event> {
    let fails = drafts.iter().filter(|draft| draft.verdict == Verdict::Fail);
    let about: Vec<_> = fails
        .map(|draft| (draft.cell.as_ref(), draft.kind))
        .collect();
    let why = "a finding it rests on is not clear any longer";
    dropped_by(state, &about, why)
}

/// Whether one finding takes another down with it: its own kind, and what later steps found.
fn takes_down(fallen: FindingKind, other: FindingKind) -> bool {
    let step = TaskKind::yielding(fallen);
    fallen == other || (step.is_some() && step < TaskKind::yielding(other))
}

/// Releases on their way that rest on one of these findings: nobody carries them out any more.
fn dropped_by(state: &State, fallen: &[(Option<&CellId>, FindingKind)], why: &str) -> Vec<Event> {
    if fallen.is_empty() {
        return Vec::new();
    }
    let rests = |bound: &anlauf_trust::ReleaseCell| {
        fallen.iter().any(|(cell, kind)| {
            cell.is_none_or(|cell| *cell == bound.cell)
                && bound.evidence.iter().any(|e| takes_down(*kind, e.kind))
        })
    };
    state
        .releases
        .iter()
        .filter(|(_, case)| case.end == ReleaseEnd::Open && case.release.cells.iter().any(rests))
        .map(|(id, _)| Event::ReleaseDropped {
            release: *id,
            why: why.into(),
        })
        .collect()
}

fn finding_last(state: &State) -> u64 {
    state.findings.keys().next_back().copied().unwrap_or(0)
}

fn may_add(state: &State, actor: &Actor, draft: &FindingDraft) -> Vec<Reason> {
    let kind = draft.kind;
    let mut reasons = Vec::new();
    if !kind.is_brought_by(actor.role) {
        let message = format!("role `{}` may not bring a finding `{kind}`", actor.role);
        reasons.push(Reason::new(
            "AN-REC-003",
            message,
            "ask whose finding it is",
        ));
    }
    if draft.note.len() > REASON_SIZE_MAX {
        let message = "the note of a finding is longer than 2,000 bytes";
        let remedy = "shorten it and keep the rest as evidence";
        reasons.push(Reason::new("AN-REC-045", message, remedy));
    }
    reasons.extend(overrules(state, actor, draft));
    match &draft.cell {
        None if kind.is_incident_wide() => reasons.extend(not_running(state)),
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
            } else if draft.verdict == Verdict::Pass
                && let Some(task) = task_open(state, cell, kind)
            {
                let message = format!("{task} of `{cell}` is not finished");
                let remedy = format!("finish {task} before its finding");
                reasons.push(Reason::new("AN-REC-041", message, remedy));
            }
        }
    }
    reasons
}

/// A person's no stands until a person clears it: no automation overrules it.
fn overrules(state: &State, actor: &Actor, draft: &FindingDraft) -> Option<Reason> {
    if actor.role != Role::Automation || draft.verdict == Verdict::Fail {
        return None;
    }
    let number = match &draft.cell {
        Some(cell) => state.cells.get(cell)?.findings.get(&draft.kind).copied()?,
        None => state.incident_finding(draft.kind)?,
    };
    let known = state.findings.get(&number)?;
    (known.verdict == Verdict::Fail && known.role != Role::Automation).then(|| {
        let message = format!("finding {number} by `{}` says not clear", known.by);
        Reason::new("AN-REC-044", message, "have a person clear it")
    })
}

/// The task a finding comes from, when it is not finished. Bad news may come at any time.
fn task_open(state: &State, cell: &CellId, kind: FindingKind) -> Option<TaskKind> {
    let declared = state.landscape.as_ref()?.cell(cell)?;
    let task = TaskKind::yielding(kind)?;
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
    let mut events = vec![Event::FindingWithdrawn { finding: number }];
    if stands(state, finding) {
        let about = [(finding.cell.as_ref(), finding.kind)];
        let why = format!("finding {number}, which it rests on, was withdrawn");
        events.extend(dropped_by(state, &about, &why));
    }
    Ok(events)
}

/// Whether no later finding has taken its place.
fn stands(state: &State, finding: &Finding) -> bool {
    let standing = match &finding.cell {
        Some(cell) => state
            .cells
            .get(cell)
            .and_then(|c| c.findings.get(&finding.kind).copied()),
        None => state.incident_finding(finding.kind),
    };
    standing == Some(finding.number)
}

pub(crate) fn accept(
    state: &State,
    actor: &Actor,
    cells: &[CellId],
    passed: bool,
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_cells(state, cells);
    for cell in cells {
        let task = state
            .cells
            .get(cell)
            .and_then(|c| c.tasks.get(&TaskKind::Acceptance));
        if task.is_none_or(|t| t.finished.is_some()) {
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
    let mut dropped = Vec::new();
    if !passed {
        let tested = |cell| (Some(cell), FindingKind::FunctionTested);
        let about: Vec<_> = cells.iter().map(tested).collect();
        dropped = dropped_by(state, &about, "the tenant did not accept");
    }
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
    events.extend(dropped);
    Ok(events)
}
