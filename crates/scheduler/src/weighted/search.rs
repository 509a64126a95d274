//! Looks for a cheaper schedule in rounds.
//!
//! In:    a schedule that keeps everything, a seed, steps. Out: the cheapest schedule found.
//! Never: another answer with another number of threads: each round runs a fixed number of walks
//!        from the same schedule, each with a seed of its own, and joins them by a fixed rule.

use super::first;
use super::parallel;
use super::problem::Problem;
use super::rules::RULES;
use super::serial::{self, Schedule};
use super::slots::{self, Front, Missed};
use super::team::Hour;
use super::walk::Walk;

/// Walks of a round.
const WALKS: u64 = 2;

/// Fewest steps of a walk in a round.
const STEPS_MIN: u32 = 2_000;

/// Cost a step may lose at the beginning, in mean weights of a job times hours.
const HEAT: f64 = 1.0;

/// Times of sorting by ends at the most.
const SORTS_MAX: u32 = 50;

/// A search that goes on as long as somebody lets it.
#[derive(Clone, Debug)]
pub struct Search<'p> {
    problem: &'p Problem,
    seed: u64,
    threads: usize,
    stage: Stage,
    round: u64,
    /// Mean weight of a job.
    weight: f64,
    current: Schedule,
    best: Schedule,
    walk_steps: u32,
}

/// What the next round does.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Rule(usize),
    Sort(u32),
    Walk,
}

impl<'p> Search<'p> {
    /// Begins at a schedule that the validator accepts.
    pub fn new(problem: &'p Problem, from: Schedule, seed: u64, threads: usize) -> Self {
        let weight: u64 = problem.weight.iter().map(|weight| u64::from(*weight)).sum();
        let current = serial::left_shifted(problem, &from.start);
        Self {
            problem,
            seed,
            threads,
            stage: Stage::Rule(1),
            round: 0,
            weight: weight as f64 / problem.job_count() as f64,
            best: current.clone(),
            current,
            walk_steps: STEPS_MIN.max(problem.job_count() as u32 / 2),
        }
    }

    /// Tries no more rules: sorts, then walks, so many steps for each walk of a round.
    #[must_use]
    pub fn walking(mut self, steps: u32) -> Self {
        self.stage = Stage::Sort(0);
        self.walk_steps = steps.max(1);
        self
    }

    /// Begins at the order of some starts, with what misses its agreed end moved to the front.
    ///
    /// # Errors
    /// [`Missed`] when that does not keep every agreed end.
    pub fn by_start(
        problem: &'p Problem,
        start: &[Hour],
        seed: u64,
        threads: usize,
    ) -> Result<Self, Missed> {
        let order = serial::by_start(problem, start);
        let kept = slots::keep(problem, &mut Front::default(), || order.iter().copied())?;
        Ok(Self::new(problem, kept, seed, threads))
    }

    /// The cheapest schedule so far.
    pub fn best(&self) -> &Schedule {
        &self.best
    }

    /// The cheapest schedule.
    pub fn into_best(self) -> Schedule {
        self.best
    }

    /// Steps walked so far, all walks together.
    pub fn steps(&self) -> u64 {
        self.round * WALKS * u64::from(self.walk_steps)
    }

    /// One round; `heat` from 1 (bold, at the beginning) to 0 (only downhill, at the end).
    ///
    /// The first rounds try the other rules, then sort by ends as long as that pays: the cheapest
    /// ways to become better at the beginning. All others walk.
    pub fn round(&mut self, heat: f64) {
        match self.stage {
            Stage::Rule(number) => self.try_rule(number),
            Stage::Sort(count) => self.sort(count),
            Stage::Walk => self.walk(heat),
        }
        if self.current.cost < self.best.cost {
            self.best.clone_from(&self.current);
        }
    }

    fn try_rule(&mut self, number: usize) {
        let next = number + 1;
        self.stage = if next < RULES.len() {
            Stage::Rule(next)
        } else {
            Stage::Sort(0)
        };
        let found = first::best(self.problem, RULES.into_iter().skip(number).take(1));
        if let Ok(found) = found
            && found.cost < self.current.cost
        {
            self.current = found;
        }
    }

    /// What ended first comes first, with everything it waits for; holes close that others left.
    fn sort(&mut self, count: u32) {
        self.stage = Stage::Walk;
        let order = by_end(self.problem, &self.current);
        let activities = || serial::activities(self.problem, &order);
        let Ok(found) = slots::keep(self.problem, &mut Front::default(), activities) else {
            return;
        };
        let found = serial::left_shifted(self.problem, &found.start);
        if found.cost < self.current.cost {
            self.current = found;
            if count < SORTS_MAX {
                self.stage = Stage::Sort(count + 1);
            }
        }
    }

    fn walk(&mut self, heat: f64) {
        let seeds: Vec<u64> = (0..WALKS).map(|walk| self.walk_seed(walk)).collect();
        self.round += 1;
        let heat = HEAT * self.weight * heat * heat;
        let (problem, current, steps) = (self.problem, &self.current, self.walk_steps);
        let walked = parallel::map(self.threads, &seeds, |seed| {
            Walk::new(problem, current, *seed).run(steps, heat)
        });
        let joined = joined(problem, current, &walked);
        let all = walked.into_iter().chain([joined]);
        let all = all.filter(|found| slots::late(problem, &found.start).is_empty());
        if let Some(found) = all.min_by_key(|found| found.cost) {
            self.current = found;
        }
    }

    fn walk_seed(&self, walk: u64) -> u64 {
        // SplitMix64's step keeps seeds of neighbouring rounds apart.
        let number = self.round * WALKS + walk + 1;
        self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// What every walk moved, together: each start from the walk that moved it, then placed again in
/// the order of these starts.
fn joined(problem: &Problem, from: &Schedule, walked: &[Schedule]) -> Schedule {
    let mut start = from.start.clone();
    for schedule in walked {
        for (at, moved) in schedule.start.iter().enumerate() {
            if *moved != from.start[at] {
                start[at] = *moved;
            }
        }
    }
    serial::left_shifted(problem, &start)
}

/// Jobs by the end of their last activity.
fn by_end(problem: &Problem, schedule: &Schedule) -> Vec<u32> {
    let mut jobs: Vec<u32> = (0..problem.job_count() as u32).collect();
    let end = |job: u32| {
        let of = problem.job(job as usize);
        of.map(|at| problem.end(at, schedule.start[at])).max()
    };
    jobs.sort_by_cached_key(|job| (end(*job), *job));
    jobs
}
