//! Releases: draw up for signature, and hand to the gates once fully signed.

use std::collections::BTreeSet;

use anlauf_model::landscape::{Freeze, PolicyRule};
use anlauf_model::limits::{RELEASE_LIFETIME_DAYS_MAX, WAVE_CELL_COUNT_MAX};
use anlauf_model::{
    Cell, CellId, Digest, FindingKind, Minutes, Stage, TaskKind, Timestamp, Verdict,
};
use anlauf_trust::statement::Evidence;
use anlauf_trust::{Envelope, Policy, Release, ReleaseCell, Statement};

use crate::break_glass;
use crate::close::highest_seen;
use crate::command::WaveDraft;
use crate::decide::unknown_cells;
use crate::event::Event;
use crate::incident::{held, no_root, table_foreign};
use crate::refusal::{Reason, Refusal};
use crate::state::{Answer, CellState, ReleaseCase, ReleaseEnd, State};
use crate::task::needs_closed;

/// What is to be drawn up: a release or a break-glass.
#[derive(Clone, Copy)]
pub(crate) struct Draft<'a> {
    pub(crate) waves: &'a [WaveDraft],
    pub(crate) not_after: Timestamp,
    pub(crate) break_glass: bool,
}

pub(crate) fn propose(
    state: &State,
    at: Timestamp,
    reason: &str,
    draft: Draft<'_>,
) -> Result<Vec<Event>, Refusal> {
    let (waves, not_after) = (draft.waves, draft.not_after);
    let authority = state.authority.as_ref().ok_or_else(no_root)?;
    let Some((policy_id, policy)) = authority.policy() else {
        let message = "no policy is adopted: nobody knows what must be known and who must sign";
        return Err(Refusal::one(
            "AN-REC-070",
            message,
            "have a policy signed and adopt it",
        ));
    };
    let mut reasons = unknown_cells(state, waves.iter().flat_map(|wave| &wave.cells));
    reasons.extend(table_foreign(state, policy));
    reasons.extend(match draft.break_glass {
        true => break_glass::end_faults(at, not_after),
        false => end_faults(at, not_after),
    });
    for wave in waves {
        reasons.extend(wave_form(wave));
        for id in &wave.cells {
            let declared = state.landscape.as_ref().and_then(|l| l.cell(id));
            let (Some(cell), Some(now)) = (declared, state.cells.get(id)) else {
                continue;
            };
            reasons.extend(held(state, at, &cell.site));
            if draft.break_glass {
                reasons.extend(break_glass::may_break(state, (cell, now), wave.stage));
                continue;
            }
            reasons.extend(frozen(state, at, cell, wave.stage));
            reasons.extend(may_propose(state, policy, (cell, now), wave.stage));
        }
    }
    Refusal::unless_empty(reasons)?;

    let overtaken = overtaken_by(state, waves);
    let bound = |id: &CellId, stage: Stage| match draft.break_glass {
        true => ReleaseCell {
            cell: id.clone(),
            epoch: highest_seen(state, id).next(),
            evidence: Vec::new(),
        },
        false => bind(state, policy, id, stage),
    };
    let statement = |wave: &WaveDraft| Release {
        domain: authority.root().domain.clone(),
        cells: wave.cells.iter().map(|id| bound(id, wave.stage)).collect(),
        stage: wave.stage,
        not_before: at,
        not_after,
        root_version_min: authority.root().version,
        policy: *policy_id,
        plan: state.plan.as_ref().map(|plan| plan.id),
        reason: reason.to_owned(),
        critical: Vec::new(),
        break_glass: draft.break_glass,
    };
    let proposals = waves.iter().map(|wave| {
        let envelope = Envelope::unsigned(statement(wave).to_payload());
        Event::ReleaseProposed {
            release: envelope.digest(),
            envelope,
            break_glass: draft.break_glass,
        }
    });
    Ok(overtaken.into_iter().chain(proposals).collect())
}

fn end_faults(at: Timestamp, not_after: Timestamp) -> Option<Reason> {
    (not_after <= at || not_after > at + Minutes::days(RELEASE_LIFETIME_DAYS_MAX)).then(|| {
        let message = "the release would end in the past or later than in 90 days";
        Reason::new("AN-REC-071", message, "give an end within 90 days")
    })
}

fn wave_form(wave: &WaveDraft) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if wave.cells.is_empty() || wave.cells.len() > WAVE_CELL_COUNT_MAX {
        let message = "a wave holds 1 to 2,000 cells";
        reasons.push(Reason::new("AN-REC-072", message, "split it"));
    }
    let owners: BTreeSet<_> = wave.cells.iter().map(CellId::owner).collect();
    if owners.len() > 1 {
        let message = "a wave holds cells of one owner, so that each party reads only its own";
        reasons.push(Reason::new(
            "AN-REC-073",
            message,
            "make one wave per owner",
        ));
    }
    reasons
}

fn may_propose(
    state: &State,
    policy: &Policy,
    (cell, now): (&Cell, &CellState),
    stage: Stage,
) -> Vec<Reason> {
    let id = &cell.id;
    let mut reasons = Vec::new();
    // The same stage again is a renewal: a release ends by itself after at most 90 days.
    if !cell.stages.contains(&stage) || stage < now.stage_released() {
        let message = format!("`{id}` is at stage {} and cannot go to {stage}", now.stage);
        reasons.push(Reason::new("AN-REC-074", message, "see the cell's stages"));
    }
    reasons.extend(rule_missing(state, cell, stage));
    for kind in findings_missing(state, policy, cell, now, stage) {
        let message = format!("finding `{kind}` does not stand for `{id}`");
        reasons.push(Reason::new(
            "AN-REC-075",
            message,
            format!("bring a finding `{kind}`"),
        ));
    }
    reasons.extend(needs_shut(state, cell));
    reasons.extend(decision_missing(state, cell, now, stage));
    reasons.extend(
        word_missing(state, cell, stage)
            .map(|(message, remedy)| Reason::new("AN-REC-076", message, remedy)),
    );
    reasons
}

/// The reasons why its needs keep a cell shut.
pub(crate) fn needs_shut<'a>(state: &'a State, cell: &'a Cell) -> impl Iterator<Item = Reason> {
    needs_closed(state, cell).into_iter().map(|need| {
        let message = format!("`{}` needs `{need}`, which is not open", cell.id);
        Reason::new("AN-REC-032", message, format!("release `{need}` first"))
    })
}

/// The reason when policy says nothing about a cell at a stage.
pub(crate) fn rule_missing(state: &State, cell: &Cell, stage: Stage) -> Option<Reason> {
    let (_, policy) = state.authority.as_ref()?.policy()?;
    rule(policy, cell, stage).is_none().then(|| {
        let message = format!("no policy rule lets `{}` open to {stage}", cell.id);
        let remedy = "have a policy signed that speaks about it";
        Reason::new("AN-REC-082", message, remedy)
    })
}

/// The rule of the policy that speaks about the cell on its way to the stage.
fn rule<'a>(policy: &'a Policy, cell: &Cell, stage: Stage) -> Option<&'a PolicyRule> {
    let matches = |rule: &&PolicyRule| rule.matches(cell.class, cell.kind, stage);
    policy.rules.iter().find(matches)
}

/// Findings that policy demands for the stage and that do not stand with verdict pass.
pub(crate) fn findings_missing(
    state: &State,
    policy: &Policy,
    cell: &Cell,
    now: &CellState,
    stage: Stage,
) -> Vec<FindingKind> {
    let demanded = rule(policy, cell, stage).map(|rule| rule.findings.as_slice());
    demanded
        .unwrap_or_default()
        .iter()
        .copied()
        .filter(|kind| standing(state, now, *kind).is_none())
        .collect()
}

/// Number of the finding of a kind that stands with verdict pass.
fn standing(state: &State, now: &CellState, kind: FindingKind) -> Option<u64> {
    let number = if kind.is_incident_wide() {
        state.incident_finding(kind)?
    } else {
        *now.findings.get(&kind)?
    };
    let finding = state.findings.get(&number)?;
    (finding.verdict == Verdict::Pass && finding.withdrawn.is_none()).then_some(number)
}

/// Whether the stage lets people in, or is as far as this cell goes: then the governing body
/// decides and the tenant's word counts, while an incident runs.
fn is_for_people(cell: &Cell, stage: Stage) -> bool {
    stage.is_public() || stage == cell.stage_last()
}

/// The governing body's decision, when it is missing.
fn decision_missing(state: &State, cell: &Cell, now: &CellState, stage: Stage) -> Option<Reason> {
    let needed = state.running().is_some()
        && is_for_people(cell, stage)
        && cell.tasks.contains_key(&TaskKind::Decision);
    let done = now
        .tasks
        .get(&TaskKind::Decision)
        .is_some_and(|t| t.finished.is_some());
    (needed && !done).then(|| {
        let message = format!("the governing body has not decided on `{}`", cell.id);
        Reason::new("AN-REC-077", message, "finish the decision first")
    })
}

/// A time in which nothing opens to people, as the landscape declares it: an audit, a payment run.
/// Days count from the beginning of the incident, as the planner counts them.
fn frozen(state: &State, at: Timestamp, cell: &Cell, stage: Stage) -> Option<Reason> {
    let began = state.running()?.began;
    let day = |day: f64| Timestamp(began.0.saturating_add((day * 86_400_000.0) as i64));
    let here = |freeze: &&Freeze| {
        let site = freeze.sites.is_empty() || freeze.sites.contains(&cell.site);
        site && day(freeze.from_day) <= at && at < day(freeze.to_day)
    };
    let freezes = &state.landscape.as_ref()?.declared().freezes;
    let freeze = freezes
        .iter()
        .find(here)
        .filter(|_| is_for_people(cell, stage))?;
    let (id, to, why) = (&cell.id, day(freeze.to_day), &freeze.reason.en);
    let message = format!("`{id}` may not open before {to}: {why}");
    Some(Reason::new("AN-REC-083", message, "release it after that"))
}

/// What is missing of the tenant's word, with its remedy; none for the provider's own cells.
pub(crate) fn word_missing(
    state: &State,
    cell: &Cell,
    stage: Stage,
) -> Option<(String, &'static str)> {
    if state.running().is_none() || cell.tenant().is_none() || !is_for_people(cell, stage) {
        return None;
    }
    let id = &cell.id;
    match state.offers.get(id).map(|offer| offer.answer) {
        Some(Answer::Agreed | Answer::Kept) => None,
        Some(Answer::Open) => Some((
            format!("the tenant has not answered the window for `{id}`"),
            "wait for its word",
        )),
        Some(Answer::Declined) => Some((
            format!("the tenant declined the window for `{id}`"),
            "offer another window",
        )),
        Some(Answer::Missed) => Some((
            format!("the agreed window for `{id}` has passed"),
            "offer another window",
        )),
        None => Some((format!("no window was offered for `{id}`"), "offer one")),
    }
}

/// Binds a cell to its next epoch and to the findings that policy demands.
fn bind(state: &State, policy: &Policy, id: &CellId, stage: Stage) -> ReleaseCell {
    let now = &state.cells[id];
    let cell = state
        .landscape
        .as_ref()
        .and_then(|l| l.cell(id))
        .expect("checked before");
    let demanded = rule(policy, cell, stage).map(|rule| rule.findings.as_slice());
    let evidence = demanded.unwrap_or_default().iter().filter_map(|kind| {
        let number = standing(state, now, *kind)?;
        Some(Evidence {
            kind: *kind,
            digest: state.findings[&number].digest(),
        })
    });
    ReleaseCell {
        cell: id.clone(),
        epoch: highest_seen(state, id).next(),
        evidence: evidence.collect(),
    }
}

/// Open releases that name one of these cells: the new one takes their place.
fn overtaken_by(state: &State, waves: &[WaveDraft]) -> Vec<Event> {
    let named: BTreeSet<_> = waves.iter().flat_map(|wave| &wave.cells).collect();
    state
        .releases
        .iter()
        .filter(|(_, case)| case.end == ReleaseEnd::Open)
        .filter(|(_, case)| case.release.cells.iter().any(|c| named.contains(&c.cell)))
        .map(|(id, _)| Event::ReleaseDropped {
            release: *id,
            why: "drawn up again".into(),
        })
        .collect()
}

pub(crate) fn release(
    state: &State,
    at: Timestamp,
    releases: &[Digest],
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = Vec::new();
    let mut events = Vec::new();
    if releases.is_empty() {
        reasons.push(Reason::new(
            "AN-REC-006",
            "no release is named",
            "name at least one",
        ));
    }
    let mut seen = BTreeSet::new();
    for id in releases.iter().filter(|id| seen.insert(**id)) {
        match open_case(state, id) {
            Err(reason) => reasons.push(reason),
            Ok(case) => match carry_out(state, at, id, case) {
                Ok(event) => events.push(event),
                Err(refusal) => reasons.extend(refusal.reasons),
            },
        }
    }
    Refusal::unless_empty(reasons)?;
    Ok(events)
}

/// The case of a release that is still on its way.
pub(crate) fn open_case<'a>(state: &'a State, id: &Digest) -> Result<&'a ReleaseCase, Reason> {
    let short = id.short();
    let case = state.releases.get(id).ok_or_else(|| unknown_release(id))?;
    match &case.end {
        ReleaseEnd::Open => Ok(case),
        ReleaseEnd::Released(at) => {
            let message = format!("release `{short}` was carried out at {at}");
            Err(Reason::new(
                "AN-REC-079",
                message,
                "nothing needs to be done",
            ))
        }
        ReleaseEnd::Dropped(_, why) => {
            let message = format!("release `{short}` was dropped: {why}");
            Err(Reason::new("AN-REC-079", message, "draw it up again"))
        }
    }
}

/// The reason when nobody drew up such a release.
pub(crate) fn unknown_release(id: &Digest) -> Reason {
    let message = format!("there is no release `{}`", id.short());
    Reason::new("AN-REC-078", message, "see the list of releases")
}

/// What carrying a release out would do, or every reason why not.
pub(crate) fn carry_out(
    state: &State,
    at: Timestamp,
    id: &Digest,
    case: &ReleaseCase,
) -> Result<Event, Refusal> {
    let authority = state.authority.as_ref().ok_or_else(no_root)?;
    // The same verifier the gates use: what passes here passes there.
    authority.check_release(&case.envelope, &|cell| state.facts(cell), at)?;
    let mut reasons = Vec::new();
    for bound in &case.release.cells {
        reasons.extend(evidence_gone(state, bound));
        let cell = state.landscape.as_ref().and_then(|l| l.cell(&bound.cell));
        let (Some(cell), Some(now)) = (cell, state.cells.get(&bound.cell)) else {
            continue;
        };
        reasons.extend(held(state, at, &cell.site));
        reasons.extend(needs_shut(state, cell));
        if case.release.break_glass {
            reasons.extend(break_glass::review_owed(state, &cell.id));
            continue;
        }
        reasons.extend(frozen(state, at, cell, case.release.stage));
        reasons.extend(decision_missing(state, cell, now, case.release.stage));
        if let Some((message, remedy)) = word_missing(state, cell, case.release.stage) {
            reasons.push(Reason::new("AN-REC-076", message, remedy));
        }
        reasons.extend(outside_window(state, at, cell, case.release.stage));
    }
    Refusal::unless_empty(reasons)?;
    Ok(Event::CellsReleased {
        release: *id,
        stage: case.release.stage,
        cells: case
            .release
            .cells
            .iter()
            .map(|c| (c.cell.clone(), c.epoch))
            .collect(),
        not_after: case.release.not_after,
        envelope: case.envelope.clone(),
        break_glass: case.release.break_glass,
    })
}

/// Evidence a release names that does not stand any longer.
fn evidence_gone(state: &State, bound: &ReleaseCell) -> Vec<Reason> {
    let Some(now) = state.cells.get(&bound.cell) else {
        return Vec::new();
    };
    let stands = |evidence: &Evidence| {
        standing(state, now, evidence.kind)
            .is_some_and(|number| state.findings[&number].digest() == evidence.digest)
    };
    bound
        .evidence
        .iter()
        .filter(|evidence| !stands(evidence))
        .map(|evidence| {
            let message = format!(
                "finding `{}` for `{}`, which the release rests on, does not stand any longer",
                evidence.kind, bound.cell
            );
            Reason::new(
                "AN-REC-080",
                message,
                "bring it again and draw the release up again",
            )
        })
        .collect()
}

fn outside_window(state: &State, at: Timestamp, cell: &Cell, stage: Stage) -> Option<Reason> {
    if cell.tenant().is_none() || !is_for_people(cell, stage) {
        return None;
    }
    let offer = state
        .offers
        .get(&cell.id)
        .filter(|offer| offer.answer == Answer::Agreed)?;
    let slot = offer.slot;
    (at < slot.from || at > slot.to).then(|| {
        let id = &cell.id;
        let message = format!(
            "`{id}` was agreed for {} to {}, it is {at}",
            slot.from, slot.to
        );
        Reason::new(
            "AN-REC-081",
            message,
            "release in the window, or agree another one",
        )
    })
}

/// Cells named by a release envelope; none when it is not a release.
pub(crate) fn cells_of(envelope: &Envelope) -> Vec<CellId> {
    match Statement::parse(&envelope.payload) {
        Ok(Statement::Release(release)) => release.cells.into_iter().map(|c| c.cell).collect(),
        _ => Vec::new(),
    }
}
