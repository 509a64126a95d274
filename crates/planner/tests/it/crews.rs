//! Crews of a made-up incident: they follow a plan, a quarter of an hour at a time.
//!
//! In:    a world, a plan, hidden factors from a seed.
//! Out:   the world as it is after so many finished tasks, or when each cell opened.
//! Never: calls the planner, or looks at its calendars: a lane works while its crew's clock says
//! so.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Minutes, Plan, Stage, TaskKind, Timestamp};
use anlauf_planner::TaskProgress;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, StudentT};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::world::World;

const TICK: Minutes = Minutes(15);
const DAYS_MAX: i64 = 400;

/// A step of a cell.
type Step = (CellId, TaskKind);

/// Who does it, or whose testers they are.
type Crew = String;

/// What the planner cannot know.
pub struct Truth {
    incident: f64,
    crews: BTreeMap<Crew, f64>,
    /// Noise with fatter tails than the planner believes in.
    tails: bool,
    seed: u64,
    chance: Xoshiro256PlusPlus,
}

/// Work under way.
pub struct Crews {
    truth: Truth,
    now: Timestamp,
    /// Local hour and day of the week.
    clock: (u8, u8),
    running: BTreeMap<Step, i64>,
    pub opened: BTreeMap<CellId, Timestamp>,
}

impl Truth {
    pub fn new(seed: u64, tails: bool) -> Self {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
        let incident = LogNormal::new(0.15, 0.35).unwrap().sample(&mut chance);
        Self {
            incident,
            crews: BTreeMap::new(),
            tails,
            seed,
            chance,
        }
    }

    /// Minutes a step takes.
    fn length(&mut self, crew: &Crew, estimate: i64) -> i64 {
        // A crew's factor hangs on its name, not on who asks first.
        let name: u64 = crew
            .bytes()
            .fold(self.seed, |sum, b| sum.wrapping_mul(31) + u64::from(b));
        let mut own = Xoshiro256PlusPlus::seed_from_u64(name);
        let crew = *self
            .crews
            .entry(crew.clone())
            .or_insert_with(|| LogNormal::new(0.0, 0.2).unwrap().sample(&mut own));
        let noise: f64 = match self.tails {
            true => StudentT::new(4.0_f64).unwrap().sample(&mut self.chance) * 0.3,
            false => LogNormal::new(0.0_f64, 0.35)
                .unwrap()
                .sample(&mut self.chance)
                .ln(),
        };
        let noise = noise.clamp(-2.5, 2.5);
        let again = if self.chance.random_bool(0.06) {
            1.6
        } else {
            1.0
        };
        let minutes = estimate as f64 * self.incident * crew * noise.exp() * again;
        (minutes.round() as i64).max(1)
    }
}

impl Crews {
    pub fn new(world: &World, truth: Truth) -> Self {
        Self {
            truth,
            now: world.now,
            clock: (0, 1),
            running: BTreeMap::new(),
            opened: BTreeMap::new(),
        }
    }

    /// Follows the plan until so many steps are finished, or all.
    pub fn follow(&mut self, world: &mut World, plan: &Plan, until: usize) {
        let mut order: Vec<_> = plan.rows.iter().collect();
        order.sort_by_key(|row| (row.start, &row.cell, row.task));
        let mut waiting: Vec<Step> = order
            .iter()
            .map(|row| (row.cell.clone(), row.task))
            .collect();
        waiting.retain(|step| !self.running.contains_key(step));
        let zone = jiff::tz::TimeZone::get(&world.landscape.declared().time_zone).unwrap();
        let last = self.now + Minutes::days(DAYS_MAX);
        while finished(world) < until && self.now < last {
            let local = jiff::Timestamp::from_millisecond(self.now.0).unwrap();
            let local = local.to_zoned_datetime(zone.clone());
            let day = local.date().weekday().to_monday_one_offset() as u8;
            self.clock = (local.hour() as u8, day);
            self.begin(world, &mut waiting);
            self.work(world);
            self.now = self.now + TICK;
            self.end(world);
        }
        world.now = self.now;
    }

    /// Gives free lanes the next steps that may begin.
    fn begin(&mut self, world: &mut World, waiting: &mut Vec<Step>) {
        let mut busy: BTreeMap<Crew, u32> = BTreeMap::new();
        for step in self.running.keys() {
            *busy.entry(crew_of(world, step)).or_default() += 1;
        }
        waiting.retain(|step| {
            if !is_working(world, step, self.clock) || !may_begin(world, step, self.now) {
                return true;
            }
            let crew = crew_of(world, step);
            let count = busy.entry(crew.clone()).or_default();
            if *count >= lanes_of(world, step) {
                return true;
            }
            *count += 1;
            let estimate = world.landscape.cell(&step.0).unwrap().tasks[&step.1]
                .work
                .mean()
                .0;
            self.running
                .insert(step.clone(), self.truth.length(&crew, estimate));
            let begun = TaskProgress::Running { started: self.now };
            world
                .progress
                .entry(step.0.clone())
                .or_default()
                .tasks
                .insert(step.1, begun);
            false
        });
    }

    fn work(&mut self, world: &World) {
        for (step, left) in &mut self.running {
            if is_working(world, step, self.clock) {
                *left -= TICK.0;
            }
        }
    }

    fn end(&mut self, world: &mut World) {
        let ended = self.running.iter().filter(|(_, left)| **left <= 0);
        let ended: Vec<Step> = ended.map(|(step, _)| step.clone()).collect();
        for step in ended {
            self.running.remove(&step);
            let progress = world.progress.entry(step.0.clone()).or_default();
            let Some(TaskProgress::Running { started }) = progress.tasks.get(&step.1).copied()
            else {
                continue;
            };
            let done = TaskProgress::Done {
                started,
                finished: self.now,
            };
            progress.tasks.insert(step.1, done);
            if world.landscape.cell(&step.0).unwrap().tasks.keys().last() == Some(&step.1) {
                progress.stage = Stage::Full;
                progress.done = true;
                self.opened.insert(step.0, self.now);
            }
        }
    }
}

fn finished(world: &World) -> usize {
    let tasks = world.progress.values().flat_map(|p| p.tasks.values());
    tasks
        .filter(|t| matches!(t, TaskProgress::Done { .. }))
        .count()
}

fn crew_of(world: &World, step: &Step) -> Crew {
    let team = world.landscape.cell(&step.0).unwrap().tasks[&step.1]
        .team
        .as_ref();
    team.map_or_else(
        || format!("testers of {}", step.0.owner()),
        ToString::to_string,
    )
}

fn lanes_of(world: &World, step: &Step) -> u32 {
    let team = world.landscape.cell(&step.0).unwrap().tasks[&step.1]
        .team
        .as_ref();
    team.map_or(3, |team| world.landscape.team(team).unwrap().lanes)
}

fn is_working(world: &World, step: &Step, (hour, day): (u8, u8)) -> bool {
    let team = world.landscape.cell(&step.0).unwrap().tasks[&step.1]
        .team
        .as_ref();
    let team = team.map(|team| world.landscape.team(team).unwrap());
    let (from, to) = team.map_or((7, 20), |team| (team.hour_from, team.hour_to));
    from <= hour && hour < to && team.is_none_or(|t| t.days.is_empty() || t.days.contains(&day))
}

/// Steps before it are done, what it needs is open, no freeze holds a decision.
fn may_begin(world: &World, step: &Step, at: Timestamp) -> bool {
    let (id, task) = step;
    let cell = world.landscape.cell(id).unwrap();
    let known = world.progress.get(id);
    let is_begun = |t: &TaskKind| known.is_some_and(|p| p.tasks.contains_key(t));
    let is_done = |t: &TaskKind| {
        known.is_some_and(|p| matches!(p.tasks.get(t), Some(TaskProgress::Done { .. })))
    };
    let is_open = |other: &CellId| {
        world
            .progress
            .get(other)
            .is_some_and(|p| p.stage.is_public())
    };
    let day = (at - world.began).0 as f64 / 1440.0;
    let is_frozen = world.landscape.declared().freezes.iter().any(|freeze| {
        freeze.from_day <= day && day < freeze.to_day && freeze.sites.contains(&cell.site)
    });
    !is_begun(task)
        && cell.tasks.keys().take_while(|t| *t < task).all(is_done)
        && (*task == TaskKind::Evidence || cell.needs.iter().all(is_open))
        && (*task != TaskKind::Decision || (!is_frozen && cell.after.iter().all(is_open)))
}
