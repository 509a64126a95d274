//! One cell with everything that is known of it.

use anlauf_model::{
    CellId, Class, Epoch, FindingKind, PersonId, Range, Stage, TaskKind, Text, Timestamp, Verdict,
};
use anlauf_recovery::state::{Gap, Offer, ReleaseEnd, TaskState};
use anlauf_recovery::{Actor, State, query};

use super::hold::{HoldView, hold};
use super::release::ReleaseView;
use super::wait::{Waiting, waiting};
use super::{CellName, cell_name, stage_now};

/// One cell.
pub(crate) struct CellView {
    pub(crate) name: CellName,
    pub(crate) stage: Stage,
    pub(crate) stages: Vec<Stage>,
    pub(crate) epoch: Epoch,
    pub(crate) class: Class,
    pub(crate) site: Text,
    pub(crate) insured: u64,
    pub(crate) address: String,
    pub(crate) restored_at: Option<Timestamp>,
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) tasks: Vec<TaskLine>,
    pub(crate) findings: Vec<FindingLine>,
    /// The release in force, and the one on its way.
    pub(crate) releases: Vec<ReleaseView>,
    pub(crate) offer: Option<Offer>,
    pub(crate) range: Option<(Range, Timestamp)>,
    /// What its date waits for, when it has none.
    pub(crate) wait: Option<Waiting>,
    pub(crate) planned: Option<Timestamp>,
    pub(crate) hold: Option<HoldView>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) needs: Vec<(CellName, Stage)>,
    /// Open cells that cannot work without it.
    pub(crate) dependents: Vec<(CellName, Stage)>,
    pub(crate) is_running: bool,
}

/// A step.
pub(crate) struct TaskLine {
    pub(crate) task: TaskKind,
    pub(crate) team: Option<Text>,
    pub(crate) state: Option<TaskState>,
    /// Planned, when it is not done.
    pub(crate) planned: Option<(Timestamp, Timestamp)>,
    /// Whether every step before it is done.
    pub(crate) is_next: bool,
}

/// A finding that stands or is demanded.
pub(crate) struct FindingLine {
    pub(crate) kind: FindingKind,
    pub(crate) number: Option<u64>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) by: Option<PersonId>,
    pub(crate) at: Option<Timestamp>,
    pub(crate) note: String,
    /// Whether the release in force names it.
    pub(crate) carries: bool,
}

impl CellView {
    /// The cell for whoever looks; none when it is not in the landscape.
    pub(crate) fn of(state: &State, now: Timestamp, id: &CellId, actor: &Actor) -> Option<Self> {
        let landscape = state.landscape.as_deref()?;
        let cell = landscape.cell(id)?;
        let known = state.cells.get(id)?;
        let named = |id: &CellId| {
            let stage = state
                .cells
                .get(id)
                .map_or(Stage::Closed, |cell| stage_now(cell, now));
            (cell_name(landscape, id), stage)
        };
        let foreign = actor.tenant.is_some();
        let dependents = landscape.dependents_all(id);
        let dependents = dependents
            .iter()
            .map(named)
            .filter(|(_, stage)| *stage > Stage::Closed);
        let plan = state.plan.as_ref();
        Some(Self {
            name: cell_name(landscape, id),
            stage: stage_now(known, now),
            stages: cell.stages.clone(),
            epoch: known.epoch,
            class: cell.class,
            site: landscape
                .site(&cell.site)
                .map(|site| site.name.clone())
                .unwrap_or_default(),
            insured: cell.insured,
            address: format!("{}{}", cell.host, cell.path),
            restored_at: known.restored_at,
            not_after: known.not_after,
            tasks: tasks(state, id),
            findings: findings(state, id),
            releases: releases(state, id, actor),
            offer: state.offers.get(id).cloned(),
            range: state
                .forecast()
                .and_then(|f| Some((*f.cells.get(id)?, f.made_at))),
            wait: waiting(state, landscape, id),
            planned: plan.and_then(|plan| plan.releases().get(id).copied()),
            hold: hold(state, now, id, foreign),
            gaps: known.gaps.clone(),
            needs: cell.needs.iter().map(named).collect(),
            dependents: if foreign {
                Vec::new()
            } else {
                dependents.collect()
            },
            is_running: state.running().is_some(),
        })
    }

    /// The stage it could be released to next.
    pub(crate) fn stage_next(&self) -> Option<Stage> {
        self.stages
            .iter()
            .copied()
            .find(|stage| *stage > self.stage)
    }
}

fn tasks(state: &State, id: &CellId) -> Vec<TaskLine> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let (Some(cell), Some(known)) = (landscape.cell(id), state.cells.get(id)) else {
        return Vec::new();
    };
    let rows = state
        .plan
        .iter()
        .flat_map(|plan| &plan.rows)
        .filter(|row| row.cell == *id);
    let rows: Vec<_> = rows.collect();
    let steps: Vec<_> = query::steps(state, cell).collect();
    let line = |(task, need): &(TaskKind, &anlauf_model::landscape::TaskNeed)| {
        let step = known.tasks.get(task).copied();
        let done = step.is_some_and(|step| step.finished.is_some());
        let row = rows.iter().find(|row| row.task == *task);
        let team = need.team.as_ref().and_then(|team| landscape.team(team));
        TaskLine {
            task: *task,
            team: team.map(|team| team.name.clone()),
            state: step,
            planned: row.filter(|_| !done).map(|row| (row.start, row.end)),
            is_next: steps
                .iter()
                .filter(|(before, _)| before < task)
                .all(|(t, _)| known.is_done(*t)),
        }
    };
    steps.iter().map(line).collect()
}

fn findings(state: &State, id: &CellId) -> Vec<FindingLine> {
    let Some(cell) = state.cells.get(id) else {
        return Vec::new();
    };
    let release = cell
        .release
        .and_then(|release| state.releases.get(&release));
    let bound = release.and_then(|case| case.release.cells.iter().find(|bound| bound.cell == *id));
    let demanded = demanded(state, id);
    let line = |kind: FindingKind| {
        let number = if kind.is_incident_wide() {
            state.incident_finding(kind)
        } else {
            cell.findings.get(&kind).copied()
        };
        let finding = number.and_then(|number| state.findings.get(&number));
        if finding.is_none() && !demanded.contains(&kind) {
            return None;
        }
        let digest = finding.map(|finding| finding.digest());
        Some(FindingLine {
            kind,
            number,
            verdict: finding.map(|finding| finding.verdict),
            by: finding.map(|finding| finding.by.clone()),
            at: finding.map(|finding| finding.at),
            note: finding
                .map(|finding| finding.note.clone())
                .unwrap_or_default(),
            carries: bound.is_some_and(|b| b.evidence.iter().any(|e| Some(e.digest) == digest)),
        })
    };
    FindingKind::ALL.into_iter().filter_map(line).collect()
}

/// Findings that policy demands before the cell's last stage.
fn demanded(state: &State, id: &CellId) -> Vec<FindingKind> {
    let cell = state
        .landscape
        .as_ref()
        .and_then(|landscape| landscape.cell(id));
    let policy = state
        .authority
        .as_ref()
        .and_then(|authority| authority.policy());
    let (Some(cell), Some((_, policy))) = (cell, policy) else {
        return Vec::new();
    };
    let last = cell.stage_last();
    let rule = policy
        .rules
        .iter()
        .find(|rule| rule.matches(cell.class, cell.kind, last));
    rule.map(|rule| rule.findings.clone()).unwrap_or_default()
}

fn releases(state: &State, id: &CellId, actor: &Actor) -> Vec<ReleaseView> {
    let in_force = state.cells.get(id).and_then(|cell| cell.release);
    let mine = state.releases.iter().filter(|(digest, case)| {
        let named = case.release.cells.iter().any(|bound| bound.cell == *id);
        named && (case.end == ReleaseEnd::Open || Some(**digest) == in_force)
    });
    mine.map(|(digest, case)| ReleaseView::of(state, digest, case, actor))
        .collect()
}
