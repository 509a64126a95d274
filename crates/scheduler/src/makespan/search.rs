//! Everything together: islands that breed, stretches put back by proof, bounds from both ends.
//!
//! In:    a problem, a seed, a budget, a number of threads.
//! Out:   the shortest schedule found, and a makespan that none can beat.
//! Never: another answer with another number of threads, unless it was told to stop early.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::bound;
use super::population::Population;
use super::problem::Problem;
use super::window::{self, Windows};
use crate::exact::{Solver, Status, Strategy};

/// Steps of one worker before the first meeting: small plans are done then.
const ROUND_STEPS_FIRST: u64 = 20_000;

/// Steps of one worker between two meetings later on, some 30 ms.
const ROUND_STEPS_MOST: u64 = 1_000_000;

/// What a search may cost.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// Steps over all workers: an activity placed or a bound moved, some 20 to 50 ns each. The
    /// search ends with the round in which they are used up.
    pub steps: u64,
    /// Asked often; the search ends soon after it says yes. What was found until then is the
    /// answer, which then depends on when that was.
    pub is_over: &'a (dyn Fn() -> bool + Sync),
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Start per activity, in time units from 0.
    pub schedule: Vec<u32>,
    /// Its last end.
    pub makespan: u32,
    /// No schedule ends earlier.
    pub lower_bound: u32,
    /// The two are equal.
    pub is_proven: bool,
    /// Steps taken.
    pub steps: u64,
}

/// What all workers know when a round begins.
struct Known {
    starts: Vec<u32>,
    makespan: u32,
    lower_bound: u32,
    /// Steps of each worker in this round.
    round_steps: u64,
}

/// One part of the search with a mind of its own. There are always the same ones, whatever the
/// number of threads.
struct Worker {
    work: Work,
    /// Its part of a round's steps, in percent.
    share: u64,
    found: Option<(Vec<u32>, u32)>,
    lower_bound: u32,
    is_proof: bool,
    steps: u64,
}

enum Work {
    Breed(Box<Population>),
    Stretch(Windows),
    Prove(Box<Solver>),
}

/// Searches the shortest schedule.
pub fn search(problem: &Problem, seed: u64, budget: Budget<'_>, threads: usize) -> Outcome {
    let mut workers = workers(problem, seed);
    let mut known = first(problem, seed);
    let mut steps = 0;
    while known.makespan > known.lower_bound && steps < budget.steps && !(budget.is_over)() {
        round(problem, &known, &mut workers, (threads, budget.is_over));
        for worker in &mut workers {
            steps += std::mem::take(&mut worker.steps);
            if let Some((starts, makespan)) = worker.found.take()
                && makespan < known.makespan
            {
                known.makespan = makespan;
                known.starts = starts;
            }
        }
        for worker in &workers {
            known.lower_bound = known.lower_bound.max(worker.lower_bound);
            if worker.is_proof {
                known.lower_bound = known.makespan;
            }
        }
        known.round_steps = (known.round_steps * 3 / 2).min(ROUND_STEPS_MOST);
    }
    Outcome {
        is_proven: known.makespan == known.lower_bound,
        schedule: known.starts,
        makespan: known.makespan,
        lower_bound: known.lower_bound,
        steps,
    }
}

fn first(problem: &Problem, seed: u64) -> Known {
    let mut population = Population::new(problem, seed);
    population.advance(1);
    let (starts, makespan) = match population.best() {
        Some((starts, makespan)) => (starts.to_vec(), makespan),
        None => (Vec::new(), 0),
    };
    Known {
        starts,
        makespan,
        lower_bound: bound::lower_bound(problem),
        round_steps: ROUND_STEPS_FIRST,
    }
}

fn workers(problem: &Problem, seed: u64) -> Vec<Worker> {
    let horizon = problem.activities().iter().map(|a| a.duration).sum();
    let model = window::whole(problem, horizon);
    let prove = |strategy| {
        let solver = Solver::new(model.clone(), strategy);
        solver.ok().map(|solver| Work::Prove(Box::new(solver)))
    };
    let breed = |seed| Some(Work::Breed(Box::new(Population::new(problem, seed))));
    // Proofs of larger plans rarely end; there breeding gains more from the same time.
    let proof_share = (6_000 / problem.activities().len().max(1) as u64).clamp(5, 100);
    let works = [
        (breed(seed.wrapping_mul(4) + 1), 100),
        (prove(Strategy::FromAbove), proof_share),
        (prove(Strategy::FromBelow), proof_share),
        (
            Some(Work::Stretch(Windows::new(seed.wrapping_mul(4) + 2))),
            50,
        ),
        (breed(seed.wrapping_mul(4) + 3), 100),
    ];
    let worker = |(work, share): (Option<Work>, u64)| {
        Some(Worker {
            work: work?,
            share,
            found: None,
            lower_bound: 0,
            is_proof: false,
            steps: 0,
        })
    };
    works.into_iter().filter_map(worker).collect()
}

/// Lets every worker run once, on so many threads.
fn round(
    problem: &Problem,
    known: &Known,
    workers: &mut [Worker],
    (threads, is_over): (usize, &(dyn Fn() -> bool + Sync)),
) {
    let next = AtomicUsize::new(0);
    let workers: Vec<Mutex<&mut Worker>> = workers.iter_mut().map(Mutex::new).collect();
    let work = || {
        while let Some(worker) = workers.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut worker = worker.lock().expect("nobody panics while holding a worker");
            worker.advance(problem, known, is_over);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, workers.len()) {
            scope.spawn(work);
        }
        work();
    });
}

impl Worker {
    fn advance(&mut self, problem: &Problem, known: &Known, is_over: &dyn Fn() -> bool) {
        let round_steps = known.round_steps * self.share / 100;
        match &mut self.work {
            Work::Breed(population) => {
                let count = problem.activities().len().max(1) as u64;
                if population.best().is_none_or(|best| best.1 > known.makespan) {
                    population.take_in(&known.starts, known.makespan);
                }
                while self.steps < round_steps && !is_over() {
                    let children = (20_000 / count).clamp(1, 100);
                    population.advance(children as usize);
                    self.steps += children * count * 3;
                }
                self.found = population.best().map(|(s, m)| (s.to_vec(), m));
            }
            Work::Stretch(windows) => {
                let from = (known.starts.as_slice(), known.makespan);
                let (steps, found) = windows.advance(problem, from, round_steps, is_over);
                (self.steps, self.found) = (steps, found);
            }
            Work::Prove(solver) => {
                let before = solver.steps();
                solver.look_below(known.makespan.into());
                solver.believe_at_least(known.lower_bound.into());
                let wish: Vec<i32> = known.starts.iter().map(|&s| s as i32).collect();
                solver.hint(&wish);
                let status = solver.run(round_steps, is_over);
                self.is_proof = status == Status::Proven;
                if status == Status::Improved
                    && let Some((starts, value)) = solver.best()
                {
                    let starts = starts.iter().map(|&s| s as u32).collect();
                    self.found = Some((starts, value as u32));
                }
                self.lower_bound = solver.lower_bound() as u32;
                self.steps = solver.steps() - before;
            }
        }
    }
}
