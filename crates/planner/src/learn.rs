//! Learns from tasks that have begun how long work takes in this incident.
//!
//! In:    a [`Situation`]: estimates, and when tasks began and ended.
//! Out:   [`Learned`]: what is believed of the incident's and each crew's factor, and how sure.
//! Never: believes more than the tasks say: with none begun the belief is wide.
//! See:   docs/planner.md, "Forecast".
//!
//! Logarithms of (time taken / estimate) are a factor of the incident, plus one of the crew, plus
//! noise of the task. Each has a normal prior; the posterior is exact for given variances.
//! A task that still runs counts as longer than what it has taken (Tobit: one step of Fisher
//! scoring a round); what lies long ago counts less, for crews change. Apart from that, each step
//! waits until somebody notes its end; short ones tell how long.

use std::collections::BTreeMap;

use anlauf_model::{TaskKind, TeamId};

use crate::calendar::Work;
use crate::normal::hazard;
use crate::past::Past;
use crate::rework;
use crate::situation::{Situation, TaskProgress};

/// What is believed of the incident before anything is finished: work takes a tenth longer
/// (published surveys: typical factor 2 either way, more over than under; research/planner.md §5).
const INCIDENT_MEAN: f64 = 0.1;
const INCIDENT_SD: f64 = 0.4;

/// How far crews differ from each other.
const CREW_SD: f64 = 0.25;

/// Noise of a single task, and how many tasks that belief is worth.
const TASK_SD: f64 = 0.45;
const TASK_SD_WORTH: f64 = 20.0;

/// A time taken further from the estimate than this factor says nothing about the crew: a slip of
/// the pen, or a task that was forgotten. e³ ≈ 20.
const LOGARITHM_MAX: f64 = 3.0;

/// Shortest estimate whose factor can be told from the handover. Minutes.
///
/// Work is noted when somebody looks; a task of two minutes that is noted after half an hour has
/// not taken fifteen times its estimate. Shorter ones tell the handover instead.
const ESTIMATE_MIN: i64 = 60;

/// How many short tasks must be finished before their handover is believed.
const HANDOVERS_MIN: usize = 20;

/// How often running tasks are counted anew with what was learned the round before.
const ROUNDS: u32 = 4;

/// Share of the incident so far after which what a task tells counts half.
const HALF_LIFE: f64 = 0.4;

/// A belief about a factor: its logarithm is normal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Belief {
    pub mean: f64,
    pub sd: f64,
}

/// What the tasks of one crew say.
#[derive(Clone, Copy, Default, Debug)]
struct Told {
    count: f64,
    sum: f64,
    squares: f64,
    /// Of these, finished ones.
    finished: f64,
}

/// What is believed of how long work takes.
#[derive(Clone, Debug)]
pub(crate) struct Learned<'a> {
    /// Of the whole incident.
    pub incident: Belief,
    /// Spread of a single task around its crew.
    pub task_sd: f64,
    /// From the end of a step until the next can begin, or the cell open. Minutes.
    pub handover: Work,
    crews: BTreeMap<Option<&'a TeamId>, Told>,
}

impl<'a> Learned<'a> {
    /// Reads every task that has begun.
    pub fn new(situation: &Situation<'a>) -> Self {
        let noted = noted(situation);
        let handover = handover(&noted);
        let mut learned = Self {
            incident: Belief {
                mean: INCIDENT_MEAN,
                sd: INCIDENT_SD,
            },
            task_sd: TASK_SD,
            handover,
            crews: BTreeMap::new(),
        };
        for _ in 0..ROUNDS {
            let crews = told(&noted, &learned);
            learned = learned.with(crews);
        }
        learned
    }

    /// The posterior of what the crews told.
    fn with(&self, crews: BTreeMap<Option<&'a TeamId>, Told>) -> Self {
        let mut precision = 1.0 / (INCIDENT_SD * INCIDENT_SD);
        let mut sum = INCIDENT_MEAN * precision;
        let (mut squares, mut count) = (TASK_SD * TASK_SD * TASK_SD_WORTH, TASK_SD_WORTH);
        for crew in crews.values().filter(|crew| crew.finished > 0.0) {
            squares += (crew.squares - crew.finished * rework::LOGARITHM_VARIANCE).max(0.0);
            count += (crew.finished - 1.0).max(0.0);
        }
        let task_variance = squares / count;
        for crew in crews.values().filter(|crew| crew.count > 0.0) {
            let variance = CREW_SD * CREW_SD + task_variance / crew.count;
            precision += 1.0 / variance;
            sum += crew.sum / crew.count / variance;
        }
        let incident = Belief {
            mean: sum / precision,
            sd: (1.0 / precision).sqrt(),
        };
        Self {
            incident,
            task_sd: task_variance.sqrt(),
            handover: self.handover,
            crews,
        }
    }

    /// What is believed of a crew, if the incident's logarithm is `incident`. All tenants' testers
    /// are one crew here.
    pub fn crew(&self, team: Option<&TeamId>, incident: f64) -> Belief {
        let told = self.crews.get(&team).copied().unwrap_or_default();
        let task_variance = self.task_sd * self.task_sd;
        let precision = 1.0 / (CREW_SD * CREW_SD) + told.count / task_variance;
        let mean = (told.sum - told.count * incident) / task_variance / precision;
        Belief {
            mean,
            sd: (1.0 / precision).sqrt(),
        }
    }
}

/// A task that has begun. Minutes of work.
struct Noted<'a> {
    team: Option<&'a TeamId>,
    estimate: Work,
    /// Until its end; until this moment while it runs.
    taken: Work,
    is_done: bool,
    /// How much it counts: 1 for what ended just now.
    weight: f64,
}

/// Every task that has begun, without decisions: one waits for its window, and how long it stood
/// open says nothing about its work.
fn noted<'a>(situation: &Situation<'a>) -> Vec<Noted<'a>> {
    let mut past = Past::new(situation);
    let so_far = (situation.now - situation.began).0.max(1) as f64;
    let mut noted = Vec::new();
    for (id, progress) in &situation.progress {
        let Some(cell) = situation.landscape.cell(id) else {
            continue;
        };
        for (kind, task) in &progress.tasks {
            let Some(need) = need(cell, *kind) else {
                continue;
            };
            let (started, finished) = match task {
                TaskProgress::Done { started, finished } => (*started, Some(*finished)),
                TaskProgress::Running { started } => (*started, None),
            };
            let team = need.team.as_ref();
            let until = finished.unwrap_or(situation.now).min(situation.now);
            let ago = (situation.now - until).0.max(0) as f64 / so_far;
            noted.push(Noted {
                team,
                estimate: need.work.mean().0,
                taken: past.elapsed(team, started, until),
                is_done: finished.is_some(),
                weight: 0.5_f64.powf(ago.min(1.0) / HALF_LIFE),
            });
        }
    }
    noted
}

/// The estimate of a step that tells something.
fn need(cell: &anlauf_model::Cell, kind: TaskKind) -> Option<&anlauf_model::landscape::TaskNeed> {
    let mut steps = cell.steps(true).filter(|(of, _)| *of != TaskKind::Decision);
    steps.find(|(of, _)| *of == kind).map(|(_, need)| need)
}

/// What short tasks take beyond their estimate: the one in the middle, so that the few that had to
/// be done again do not count.
fn handover(noted: &[Noted<'_>]) -> Work {
    let short = noted
        .iter()
        .filter(|task| task.is_done && task.estimate < ESTIMATE_MIN);
    let mut beyond: Vec<Work> = short.map(|task| task.taken - task.estimate).collect();
    if beyond.len() < HANDOVERS_MIN {
        return 0;
    }
    beyond.sort_unstable();
    beyond[beyond.len() / 2].max(0)
}

/// Sums over the longer tasks of each crew, seen with what is believed so far.
fn told<'a>(noted: &[Noted<'a>], known: &Learned<'a>) -> BTreeMap<Option<&'a TeamId>, Told> {
    let mut crews: BTreeMap<Option<&TeamId>, Told> = BTreeMap::new();
    for task in noted.iter().filter(|task| task.estimate >= ESTIMATE_MIN) {
        let waited = if task.is_done { known.handover } else { 0 };
        let taken = (task.taken - waited).max(1);
        // Work that was done again is in what was taken, and simulated on top of what is learned.
        let logarithm = (taken as f64 / task.estimate as f64).ln() - rework::LOGARITHM_MEAN;
        if logarithm.abs() > LOGARITHM_MAX {
            continue;
        }
        let incident = known.incident.mean;
        let mean = incident + known.crew(task.team, incident).mean;
        let (count, value) = match task.is_done {
            true => (task.weight, logarithm),
            false => running(logarithm, mean, known.task_sd),
        };
        let told = crews.entry(task.team).or_default();
        told.count += count;
        told.sum += count * value;
        if task.is_done {
            let beyond = value - mean;
            told.finished += count;
            told.squares += count * beyond * beyond;
        }
    }
    crews
}

/// What a task tells that has run for `least` and still runs: how much it counts, and as what.
///
/// Its likelihood is that of lasting longer; slope and curvature are those of a value that counts
/// with weight `count`. One that has hardly begun tells nothing.
fn running(least: f64, mean: f64, sd: f64) -> (f64, f64) {
    let z = (least - mean) / sd;
    let hazard = hazard(z);
    let count = (hazard * (hazard - z)).clamp(1e-3, 1.0);
    (count, mean + sd * hazard / count)
}
