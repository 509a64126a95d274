//! Answers derived from the state for pages, planner and people.
//!
//! In:    [`State`]. Out: plain values. Never: changes anything.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::landscape::TaskNeed;
use anlauf_model::{
    Cell, CellId, CellKind, Digest, FindingKind, Role, Slot, Stage, TaskKind, TenantId, Timestamp,
    Verdict,
};
use anlauf_planner::{CellProgress, Situation, TaskProgress, Why};
use anlauf_trust::ReleaseCell;
use serde::Serialize;

use crate::event::{Entry, Scope};
use crate::release::{carry_out, findings_missing, word_missing};
use crate::state::{Answer, CellState, ReleaseCase, ReleaseEnd, State};
use crate::task::{needs_closed, returns};

mod forecast;
mod words;

pub use forecast::{HitRate, hit_rate, outcomes};
pub use words::{cell_in_words, in_words, in_words_named, stage_de, task_de, task_en};

/// The two progress numbers, never mixed. Per mille.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Progress {
    /// Cells whose technical work is done.
    pub systems_restored_per_mille: u32,
    /// Services open to people, weighted by insured people.
    pub services_released_per_mille: u32,
}

/// What holds a cell now: the plan's chain and what policy still misses.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Holding {
    /// Which.
    pub cell: CellId,
    /// Where it stands.
    pub stage: Stage,
    /// The next stage on its way; none when it is back.
    pub stage_next: Option<Stage>,
    /// Steps of its recovery that are not done; none outside an incident, which demands none.
    pub tasks_open: Vec<TaskKind>,
    /// Cells it needs that are not open.
    pub needs_closed: Vec<CellId>,
    /// Findings policy demands for the next stage that do not stand.
    pub findings_missing: Vec<FindingKind>,
    /// Signatures missing under an open release: role and how many.
    pub signatures_missing: Vec<(Role, u32)>,
    /// An open release of it that is fully signed and only waits for being carried out.
    pub ready: Option<Digest>,
    /// Window the tenant agreed to, as long as it is not over.
    pub agreed: Option<Slot>,
    /// What is missing of the tenant's word, in words.
    pub word_missing: Option<String>,
    /// The plan's chain, nearest first.
    pub chain: Vec<Why>,
}

/// The two progress numbers.
pub fn progress(state: &State) -> Progress {
    let Some(landscape) = &state.landscape else {
        return Progress::default();
    };
    let (mut restored, mut total) = (0u64, 0u64);
    let (mut released, mut waiting) = (0u128, 0u128);
    for (id, cell) in landscape.cells() {
        // Emergency operation is a means: what it is for counts.
        let Some(now) = state.cells.get(id).filter(|_| !cell.emergency) else {
            continue;
        };
        total += 1;
        restored += u64::from(is_restored(cell, now));
        if cell.tenant().is_some() {
            waiting += u128::from(cell.insured);
            released += u128::from(if now.stage_released().is_public() {
                cell.insured
            } else {
                0
            });
        }
    }
    let per_mille = |part: u128, whole: u128| match whole {
        0 => 0,
        whole => u32::try_from(part * 1000 / whole).unwrap_or(1000),
    };
    Progress {
        systems_restored_per_mille: per_mille(u128::from(restored), u128::from(total)),
        services_released_per_mille: per_mille(released, waiting),
    }
}

/// Whether the technical work on a cell is done: everything but the tenant's test and the decision.
fn is_restored(cell: &anlauf_model::Cell, now: &CellState) -> bool {
    let technical = |task: &TaskKind| !matches!(task, TaskKind::Acceptance | TaskKind::Decision);
    now.stage_released() == cell.stage_last()
        || cell
            .tasks
            .keys()
            .filter(|t| technical(t))
            .all(|t| now.is_done(*t))
}

/// Steps of a cell in their order: with the return while its emergency operation is open.
pub fn steps<'c>(state: &State, cell: &'c Cell) -> impl Iterator<Item = (TaskKind, &'c TaskNeed)> {
    cell.steps(returns(state, cell))
}

/// What the planner plans from. None before a landscape is adopted.
pub fn situation(state: &State, now: Timestamp) -> Option<Situation<'_>> {
    let landscape = state.landscape.as_deref()?;
    let began = state
        .incident
        .as_ref()
        .map_or(now, |incident| incident.began);
    let progress = landscape.cells().iter().filter_map(|(id, cell)| {
        let known = state.cells.get(id)?;
        Some((id.clone(), cell_progress(cell.stage_last(), known)))
    });
    let slots = state
        .offers
        .iter()
        .filter(|(_, offer)| offer.answer == Answer::Agreed && offer.slot.to > now)
        .map(|(cell, offer)| (cell.clone(), offer.slot));
    Some(Situation {
        landscape,
        now,
        began,
        progress: progress.collect(),
        slots: slots.collect(),
        wishes: state.wishes.clone(),
        holds: state
            .incident
            .as_ref()
            .map(|i| i.holds.clone())
            .unwrap_or_default(),
        lanes: BTreeMap::new(),
    })
}

fn cell_progress(last: Stage, now: &CellState) -> CellProgress {
    let tasks = now.tasks.iter().map(|(kind, task)| {
        let progress = match task.finished {
            Some(finished) => TaskProgress::Done {
                started: task.started,
                finished,
            },
            None => TaskProgress::Running {
                started: task.started,
            },
        };
        (*kind, progress)
    });
    CellProgress {
        stage: now.stage_released(),
        done: now.stage_released() == last,
        tasks: tasks.collect(),
    }
}

/// What holds a cell. None when it is not in the landscape.
pub fn holding(state: &State, now: Timestamp, id: &CellId) -> Option<Holding> {
    let mut held = holding_short(state, id)?;
    held.ready = ready(state, now, id);
    held.agreed = state
        .offers
        .get(id)
        .filter(|offer| held.stage_next.is_some() && offer.answer == Answer::Agreed)
        .map(|offer| offer.slot)
        .filter(|slot| now <= slot.to);
    if let (Some(plan), Some(_)) = (&state.plan, held.stage_next) {
        let situation = situation(state, now)?;
        held.chain = anlauf_planner::why(&situation, plan, id);
    }
    Some(held)
}

/// The same without what takes a clock, a look at every cell or at signatures (`ready`, `agreed`,
/// `chain`): for lists of many cells.
pub fn holding_short(state: &State, id: &CellId) -> Option<Holding> {
    let cell = state.landscape.as_ref()?.cell(id)?;
    let known = state.cells.get(id)?;
    let next = cell
        .stages
        .iter()
        .copied()
        .find(|stage| *stage > known.stage_released());
    let policy = state
        .authority
        .as_ref()
        .and_then(|a| a.policy())
        .map(|(_, policy)| policy);
    let missing = match (policy, next) {
        (Some(policy), Some(stage)) => findings_missing(state, policy, cell, known, stage),
        _ => Vec::new(),
    };
    let demanded = next.is_some() && state.running().is_some();
    let open = |task: &TaskKind| demanded && !known.is_done(*task);
    Some(Holding {
        cell: id.clone(),
        stage: known.stage,
        stage_next: next,
        tasks_open: steps(state, cell)
            .map(|(task, _)| task)
            .filter(open)
            .collect(),
        needs_closed: needs_closed(state, cell).into_iter().cloned().collect(),
        findings_missing: missing,
        signatures_missing: signatures_missing(state, id),
        ready: None,
        agreed: None,
        word_missing: next
            .and_then(|s| word_missing(state, cell, s))
            .map(|(word, _)| word),
        chain: Vec::new(),
    })
}

/// The open release of a cell; a break-glass is not on the ordinary way.
fn release_open<'a>(state: &'a State, id: &CellId) -> Option<(&'a Digest, &'a ReleaseCase)> {
    state.releases.iter().find(|(_, case)| {
        case.end == ReleaseEnd::Open
            && !case.release.break_glass
            && case.release.cells.iter().any(|c| c.cell == *id)
    })
}

/// The open release of a cell, if nothing keeps it from being carried out now.
fn ready(state: &State, now: Timestamp, id: &CellId) -> Option<Digest> {
    let (digest, case) = release_open(state, id)?;
    carry_out(state, now, digest, case)
        .is_ok()
        .then_some(*digest)
}

/// Signatures missing under the open release of a cell: role and how many.
fn signatures_missing(state: &State, id: &CellId) -> Vec<(Role, u32)> {
    let (Some((_, case)), Some(authority)) = (release_open(state, id), &state.authority) else {
        return Vec::new();
    };
    let cell = state.landscape.as_ref().and_then(|l| l.cell(id));
    let (Some(cell), Some((_, policy))) = (cell, authority.policy()) else {
        return Vec::new();
    };
    let rule = policy
        .rules
        .iter()
        .find(|rule| rule.matches(cell.class, cell.kind, case.release.stage));
    let Some(rule) = rule else { return Vec::new() };
    let role_of = |person: &anlauf_model::PersonId| {
        authority
            .root()
            .keys
            .iter()
            .find(|k| k.person == *person)
            .map(|k| k.role)
    };
    let mut missing = Vec::new();
    for demand in &rule.signers {
        let have = case
            .signed
            .keys()
            .filter(|p| role_of(p) == Some(demand.role))
            .count();
        let left = demand
            .count
            .saturating_sub(u32::try_from(have).unwrap_or(u32::MAX));
        if left > 0 {
            missing.push((demand.role, left));
        }
    }
    missing
}

/// Cells that rest on a finding: those whose release in force names it, and all open ones that
/// need them; and those with a release that was signed but not carried out and names it, for such
/// a release would still open a gate until a close burns it.
///
/// A finding that says not clear stands against what was clear before: for it, releases count that
/// name any finding of the same kind for the same cell.
pub fn rests_on(state: &State, number: u64) -> Vec<CellId> {
    let Some(finding) = state.findings.get(&number) else {
        return Vec::new();
    };
    let digest = finding.digest();
    let names = |bound: &&ReleaseCell| {
        let about = finding.cell.as_ref().is_none_or(|cell| *cell == bound.cell);
        bound.evidence.iter().any(|evidence| match finding.verdict {
            Verdict::Pass => evidence.digest == digest,
            Verdict::Fail => about && evidence.kind == finding.kind,
        })
    };
    let open = |id: &CellId| state.cells.get(id).is_some_and(|c| c.stage > Stage::Closed);
    let mut resting = BTreeSet::new();
    for (release, case) in &state.releases {
        for bound in case.release.cells.iter().filter(names) {
            let Some(now) = state.cells.get(&bound.cell) else {
                continue;
            };
            let alive = case.release.not_after > state.at && bound.epoch > now.epoch;
            let signed = alive && !case.signed.is_empty();
            if now.release == Some(*release) {
                let landscape = state.landscape.as_ref();
                let dependents = landscape.map(|l| l.dependents_all(&bound.cell));
                resting.extend(dependents.unwrap_or_default().into_iter().filter(open));
            } else if !signed {
                continue;
            }
            resting.insert(bound.cell.clone());
        }
    }
    resting.into_iter().collect()
}

/// Whether an actor of this role and tenant may read the entry.
pub fn may_read(entry: &Entry, role: Role, tenant: Option<&TenantId>) -> bool {
    match role {
        Role::Operator
        | Role::Security
        | Role::Owner
        | Role::Forensics
        | Role::Auditor
        | Role::Automation => true,
        Role::Tenant => match &entry.scope {
            Scope::Everyone => true,
            Scope::Tenant(owner) => Some(owner) == tenant,
            Scope::Provider => false,
        },
        Role::Gate | Role::Public => false,
    }
}

/// When each cell that is not back is expected: P80 of the newest forecast.
pub fn expected(state: &State) -> BTreeMap<CellId, Timestamp> {
    let Some(forecast) = state.forecast() else {
        return BTreeMap::new();
    };
    let shut = |id: &&CellId| state.cells.get(*id).is_some_and(|c| !c.stage.is_public());
    let cells = forecast.cells.keys().filter(shut);
    cells
        .map(|id| (id.clone(), forecast.cells[id].p80))
        .collect()
}

/// How many cells are at each stage, per kind of cell.
pub fn stages(state: &State) -> BTreeMap<(CellKind, Stage), u32> {
    let mut counts = BTreeMap::new();
    let Some(landscape) = &state.landscape else {
        return counts;
    };
    for (id, now) in &state.cells {
        if let Some(cell) = landscape.cell(id) {
            *counts.entry((cell.kind, now.stage)).or_insert(0) += 1;
        }
    }
    counts
}
