//! The crews: they do the work in the order of the plan, as fast as the hidden truth lets them.
//!
//! In:    state, plan, story time. Out: tasks that begin, end or must be done again.
//! Never: talks to the control plane; the player carries their word there.

use std::collections::BTreeMap;

use anlauf_model::{
    Cell, CellId, Landscape, Minutes, Stage, TaskKind, TeamId, TenantId, Timestamp,
};
use anlauf_recovery::State;
use anlauf_recovery::command::TaskRef;
use anlauf_recovery::state::{Answer, CellState};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::hours::Hours;
use super::order::{Open, Order, numbered};
use super::story::Truth;

/// How many acceptance tests a tenant can run side by side.
const ACCEPTANCE_LANES: usize = 3;

/// Who works: a team of the provider, or a tenant's own testers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Crew {
    Team(TeamId),
    Tenant(TenantId),
}

/// All crews.
pub struct Crews {
    lanes: BTreeMap<Crew, Vec<Timestamp>>,
    hours: BTreeMap<Crew, Hours>,
    pace: BTreeMap<Crew, f64>,
    running: BTreeMap<TaskRef, Timestamp>,
    order: Order,
    truth: Truth,
    chance: Xoshiro256PlusPlus,
}

/// What ended.
#[derive(Debug, Default)]
pub struct Ended {
    /// Done.
    pub done: Vec<TaskRef>,
    /// Must be done again; the crew goes on with it.
    pub again: Vec<TaskRef>,
}

impl Crews {
    /// All teams and all tenants' testers, free from `at` on.
    pub fn new(landscape: &Landscape, truth: Truth, seed: u64, at: Timestamp) -> Self {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        let declared = landscape.declared();
        let zone = &declared.time_zone;
        let teams = declared.teams.iter().map(|team| {
            let hours = Hours::of_team(zone, team);
            (Crew::Team(team.id.clone()), team.lanes as usize, hours)
        });
        let tenants = declared.tenants.iter().map(|tenant| {
            (
                Crew::Tenant(tenant.id.clone()),
                ACCEPTANCE_LANES,
                Hours::office(zone),
            )
        });
        let mut crews = Self {
            lanes: BTreeMap::new(),
            hours: BTreeMap::new(),
            pace: BTreeMap::new(),
            running: BTreeMap::new(),
            order: Order::new(landscape),
            truth,
            chance: chance.clone(),
        };
        for (crew, lanes, hours) in teams.chain(tenants) {
            crews.lanes.insert(crew.clone(), vec![at; lanes]);
            crews.hours.insert(crew.clone(), hours);
            crews
                .pace
                .insert(crew, truth.incident * spread(&mut chance, truth.team_sd));
        }
        crews.chance = chance;
        crews
    }

    /// Tasks that end by `now`.
    pub fn end(&mut self, now: Timestamp) -> Ended {
        let due: Vec<_> = self
            .running
            .iter()
            .filter(|(_, end)| **end <= now)
            .map(|(t, e)| (t.clone(), *e))
            .collect();
        let mut ended = Ended::default();
        for (task, end) in due {
            let again = task.task != TaskKind::Decision
                && self.chance.random_bool(self.truth.rework.clamp(0.0, 0.9));
            if again {
                self.running.insert(task.clone(), end + Minutes::hours(4));
                ended.again.push(task);
            } else {
                self.running.remove(&task);
                ended.done.push(task);
            }
        }
        ended
    }

    /// Forgets the work on cells that were shut again.
    pub fn drop_cells(&mut self, cells: &[CellId]) {
        self.running.retain(|task, _| !cells.contains(&task.cell));
    }

    /// Tasks that begin between `now` and `until`, in the order of the plan.
    pub fn begin(&mut self, state: &State, now: Timestamp, until: Timestamp) -> Vec<TaskRef> {
        let Some(landscape) = &state.landscape else {
            return Vec::new();
        };
        self.order.follow(state);
        let open = Open::of(state);
        let mut ready: Vec<(Timestamp, u64, TaskRef)> = Vec::new();
        for (number, cell, known) in numbered(landscape, state) {
            let Some(task) = next_task(state, cell, known, now) else {
                continue;
            };
            let needs_open = task == TaskKind::Evidence || self.order.needs_open(number, &open);
            if !needs_open || (task == TaskKind::Decision && !self.order.comes_now(number, &open)) {
                continue;
            }
            let planned = self.order.planned(number, task);
            let weight = u64::MAX - cell.insured.saturating_mul(u64::from(cell.harm));
            let cell = cell.id.clone();
            ready.push((planned, weight, TaskRef { cell, task }));
        }
        ready.sort();
        let mut begun = Vec::new();
        for (_, _, task) in ready {
            if self.assign(landscape, &task, now, until) {
                begun.push(task);
            }
        }
        begun
    }

    /// Gives a task to the crew's first free lane, if one is free before `until`.
    fn assign(
        &mut self,
        landscape: &Landscape,
        task: &TaskRef,
        now: Timestamp,
        until: Timestamp,
    ) -> bool {
        let Some(cell) = landscape.cell(&task.cell) else {
            return false;
        };
        let Some(need) = cell.tasks.get(&task.task) else {
            return false;
        };
        let crew = match (&need.team, cell.tenant()) {
            (Some(team), _) => Crew::Team(team.clone()),
            (None, Some(tenant)) => Crew::Tenant(tenant.clone()),
            (None, None) => return false,
        };
        let (Some(lanes), Some(hours)) = (self.lanes.get_mut(&crew), self.hours.get(&crew)) else {
            return false;
        };
        let Some(lane) = lanes.iter_mut().min() else {
            return false;
        };
        let start = hours.next_open((*lane).max(now));
        if start >= until {
            return false;
        }
        let pace = self.pace.get(&crew).copied().unwrap_or(1.0);
        let factor = pace * spread(&mut self.chance, self.truth.task_sd);
        let minutes = (need.work.mean().0 as f64 * factor).round().max(1.0) as i64;
        let end = hours.after_work(start, Minutes(minutes));
        *lane = end;
        self.running.insert(task.clone(), end);
        true
    }
}

/// A factor around 1: lognormal with median 1.
fn spread(chance: &mut Xoshiro256PlusPlus, sd: f64) -> f64 {
    match LogNormal::new(0.0, sd.max(0.0)) {
        Ok(spread) => spread.sample(chance),
        Err(_) => 1.0,
    }
}

/// The step of a cell that could begin now, as far as the cell itself goes; none when it waits for
/// something or is back.
fn next_task(state: &State, cell: &Cell, known: &CellState, now: Timestamp) -> Option<TaskKind> {
    if known.stage == cell.stage_last() {
        return None;
    }
    let mut steps = cell.tasks.keys().copied();
    let task = steps.find(|task| !known.is_done(*task))?;
    if known.tasks.contains_key(&task) {
        return None;
    }
    let holds = &state.running()?.holds;
    let held = holds.get(&cell.site).is_some_and(|until| now < *until);
    let may = match task {
        TaskKind::Acceptance => !cell.stages.contains(&Stage::Pilot) || known.stage >= Stage::Pilot,
        TaskKind::Decision => has_word(state, cell, now),
        _ => true,
    };
    (!held && may).then_some(task)
}

/// Whether the tenant agreed to a window that is open now; the provider's own cells need none.
fn has_word(state: &State, cell: &Cell, now: Timestamp) -> bool {
    if cell.tenant().is_none() {
        return true;
    }
    state.offers.get(&cell.id).is_some_and(|offer| {
        offer.answer == Answer::Agreed && offer.slot.from <= now && now <= offer.slot.to
    })
}
