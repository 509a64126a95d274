//! Walks from schedule to schedule: takes a few jobs out, puts them back in another order.
//!
//! In:    a schedule, a seed, steps, how bold. Out: another schedule.
//! Never: breaks anything the schedule keeps: a job that finds no place makes the step undone.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::problem::{NONE, Problem};
use super::serial::{self, Placer, Schedule};
use super::team::Hour;

/// Jobs taken out at once at the most. Study §3: 2 to 26.
const JOBS_MAX: usize = 26;

/// A walker.
pub(super) struct Walk<'p> {
    problem: &'p Problem,
    placer: Placer<'p>,
    cost: i64,
    chance: Xoshiro256PlusPlus,
    /// Activities of each team by start, as it was when the walk began.
    roster: Vec<Vec<u32>>,
    /// Where each activity stands in its team's roster.
    place: Vec<u32>,
    jobs: Vec<u32>,
    is_out: Vec<bool>,
    out: Vec<(u32, Hour)>,
    stack: Vec<u32>,
}

impl<'p> Walk<'p> {
    /// Begins at a schedule.
    pub fn new(problem: &'p Problem, from: &Schedule, seed: u64) -> Self {
        let mut roster = vec![Vec::new(); problem.teams.len()];
        let mut place = vec![0; problem.count()];
        for at in serial::by_start(problem, &from.start) {
            let of_team: &mut Vec<u32> = &mut roster[problem.team[at as usize] as usize];
            place[at as usize] = of_team.len() as u32;
            of_team.push(at);
        }
        Self {
            problem,
            placer: Placer::of(problem, &from.start),
            cost: from.cost as i64,
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
            roster,
            place,
            jobs: Vec::new(),
            is_out: vec![false; problem.job_count()],
            out: Vec::new(),
            stack: Vec::new(),
        }
    }

    /// Takes so many steps; a step may cost about `heat` more. Closes the holes at the end.
    pub fn run(self, steps: u32, heat: f64) -> Schedule {
        let problem = self.problem;
        serial::left_shifted(problem, &self.walked(steps, heat).start)
    }

    /// Takes so many steps.
    pub fn walked(mut self, steps: u32, heat: f64) -> Schedule {
        for _ in 0..steps {
            self.step(heat);
        }
        self.placer.finish()
    }

    fn step(&mut self, heat: f64) {
        self.choose();
        if self.jobs.len() < 2 {
            self.forget();
            return;
        }
        self.arrange();
        let before = self.take_out();
        let luck: f64 = self.chance.random::<f64>().max(1e-12);
        let limit = before + (-heat * luck.ln()) as i64;
        match self.put_back(limit) {
            Some(after) => self.cost += after - before,
            None => self.undo(),
        }
        self.forget();
    }

    fn forget(&mut self) {
        for job in self.jobs.drain(..) {
            self.is_out[job as usize] = false;
        }
        self.out.clear();
    }

    // === choosing ===

    fn choose(&mut self) {
        let count = self.problem.count();
        let seed = self.chance.random_range(0..count);
        let size = match self.chance.random_range(0..10) {
            0..4 => self.chance.random_range(2..5),
            4..8 => self.chance.random_range(3..12),
            _ => self.chance.random_range(8..=JOBS_MAX),
        };
        self.add(self.problem.job_of[seed]);
        match self.chance.random_range(0..10) {
            0..7 => self.choose_around(seed, size),
            7..9 => {
                self.choose_row(seed, size / 2);
                self.choose_around(seed, size);
            }
            _ => {
                self.choose_around(seed, size / 2);
                let other = self.chance.random_range(0..self.jobs.len());
                let other = self.problem.job(self.jobs[other] as usize);
                let other = self.chance.random_range(other);
                self.choose_around(other, size);
            }
        }
    }

    /// Jobs whose work lies near an activity on its team's timeline.
    fn choose_around(&mut self, at: usize, size: usize) {
        let team = self.problem.team[at] as usize;
        let spread = size * self.chance.random_range(1..4);
        let middle = self.place[at] as usize;
        let last = self.roster[team].len();
        let from = middle.saturating_sub(spread / 2);
        let to = (middle + spread.div_ceil(2) + 1).min(last);
        for _ in 0..size * 2 {
            if self.jobs.len() >= size {
                break;
            }
            let near = self.roster[team][self.chance.random_range(from..to)];
            self.add(self.problem.job_of[near as usize]);
        }
    }

    /// Jobs that wait for this one, one after another, and those it waits for.
    fn choose_row(&mut self, at: usize, size: usize) {
        let problem = self.problem;
        let mut job = problem.job_of[at];
        for _ in 0..size {
            let of = problem.job(job as usize);
            let is_own = |other: &&u32| problem.job_of[**other as usize] == job;
            let next = of
                .clone()
                .flat_map(|at| problem.after.of(at))
                .find(|o| !is_own(o));
            let lonely = |at: usize| problem.after.of(at).len() <= 2;
            let Some(&next) = next.filter(|_| of.clone().all(lonely)) else {
                break;
            };
            job = problem.job_of[next as usize];
            self.add(job);
        }
    }

    fn add(&mut self, job: u32) {
        let is_out = &mut self.is_out[job as usize];
        if !*is_out {
            *is_out = true;
            self.jobs.push(job);
        }
    }

    // === arranging ===

    /// Chooses the order in which the jobs come back.
    fn arrange(&mut self) {
        let problem = self.problem;
        let start = &self.placer.start;
        let chance = &mut self.chance;
        let end = |job: u32| {
            let last = problem.job(job as usize).end - 1;
            f64::from(start[last])
        };
        let density = |job: u32| {
            let of = problem.job(job as usize);
            let weight: u32 = of.clone().map(|at| problem.weight[at]).sum();
            let hours: u32 = of.map(|at| problem.hours[at]).sum();
            f64::from(weight) / f64::from(hours)
        };
        let mut keyed: Vec<(f64, u32)> = match chance.random_range(0..10) {
            0..4 => {
                let noise = chance.random_range(0.0..0.8);
                let mut key = |job: u32| -density(job) * (1.0 + noise * chance.random::<f64>());
                self.jobs.iter().map(|job| (key(*job), *job)).collect()
            }
            4..7 => {
                let mut keyed: Vec<(f64, u32)> =
                    self.jobs.iter().map(|job| (end(*job), *job)).collect();
                let moved = chance.random_range(0..keyed.len());
                keyed[moved].0 = if chance.random_bool(0.5) {
                    -1.0
                } else {
                    f64::MAX
                };
                keyed
            }
            _ => self
                .jobs
                .iter()
                .map(|job| (chance.random::<f64>(), *job))
                .collect(),
        };
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (job, (_, sorted)) in self.jobs.iter_mut().zip(&keyed) {
            *job = *sorted;
        }
    }

    // === taking out, putting back ===

    /// Takes the jobs out; gives what they cost.
    fn take_out(&mut self) -> i64 {
        let problem = self.problem;
        let mut cost = 0;
        for &job in &self.jobs {
            for at in problem.job(job as usize) {
                if problem.fixed(at) == NONE {
                    self.out.push((at as u32, self.placer.start[at]));
                    cost += self.cost_of(at);
                    self.placer.pull(at);
                }
            }
        }
        cost
    }

    fn cost_of(&self, at: usize) -> i64 {
        let end = self.problem.end(at, self.placer.start[at]);
        i64::from(self.problem.weight[at]) * i64::from(end)
    }

    /// Puts the jobs back; gives what they cost, none when one finds no place or it costs too much.
    fn put_back(&mut self, limit: i64) -> Option<i64> {
        let mut cost = 0;
        for place in 0..self.jobs.len() {
            for at in self.problem.job(self.jobs[place] as usize) {
                self.stack.push(at as u32);
                while let Some(top) = self.stack.pop() {
                    cost += self.put_one(top)?;
                }
                if cost > limit {
                    return None;
                }
            }
        }
        Some(cost)
    }

    /// Puts an activity back, or what it waits for on the stack above it.
    fn put_one(&mut self, at: u32) -> Option<i64> {
        if self.placer.start[at as usize] != NONE {
            return Some(0);
        }
        let problem = self.problem;
        let start = &self.placer.start;
        let needs = problem.before(at as usize).iter().copied();
        if let Some(need) = needs.into_iter().find(|need| start[*need as usize] == NONE) {
            self.stack.extend([at, need]);
            return Some(0);
        }
        let at = at as usize;
        let after = problem
            .after
            .of(at)
            .iter()
            .map(|later| start[*later as usize]);
        let latest = after.fold(problem.due(at), u32::min);
        let start = self.placer.first(at);
        if problem.end(at, start) > latest {
            self.stack.clear();
            return None;
        }
        self.placer.put(at, start);
        Some(self.cost_of(at))
    }

    fn undo(&mut self) {
        for &(at, _) in &self.out {
            if self.placer.start[at as usize] != NONE {
                self.placer.pull(at as usize);
            }
        }
        for &(at, start) in &self.out {
            self.placer.put(at as usize, start);
        }
    }
}
