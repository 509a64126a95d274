//! Takes a stretch of a schedule out and lets the exact solver put it back shorter.
//!
//! In:    a problem, a good schedule, a seed. Out: a shorter schedule, at times.
//! Never: moves activities outside of the stretch against each other.
//! See:   Godard, Laborie, Nuijten, "Randomized large neighborhood search for cumulative
//!        scheduling", 2005 (partial order of the rest).

use super::chance::Chance;
use super::problem::Problem;
use crate::exact::{Goal, Model, Precedence, Solver, Status, Strategy, Task};

/// Steps of the exact solver per stretch, per activity of the problem.
const STEPS_PER_ACTIVITY: u64 = 600;

/// Neighbourhood search of one worker.
pub(crate) struct Windows {
    chance: Chance,
    size: usize,
}

impl Windows {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            size: 30,
        }
    }

    /// Tries stretches of `starts` for about so many steps. Returns the steps and what is shorter.
    pub(crate) fn advance(
        &mut self,
        problem: &Problem,
        (starts, makespan): (&[u32], u32),
        steps: u64,
        is_over: &dyn Fn() -> bool,
    ) -> (u64, Option<(Vec<u32>, u32)>) {
        let mut used = 0;
        while used < steps && !is_over() {
            let free = self.pick(problem, starts, makespan);
            let model = model(problem, starts, &free, makespan);
            let Ok(mut solver) = Solver::new(model, Strategy::FromAbove) else {
                return (steps, None);
            };
            let wish: Vec<i32> = starts.iter().map(|&s| s as i32).collect();
            solver.hint(&wish);
            let budget = STEPS_PER_ACTIVITY * starts.len() as u64;
            let status = solver.run(budget, is_over);
            used += solver.steps() + 10 * starts.len() as u64;
            match status {
                Status::Improved => {
                    let found = solver.best().map(|(starts, value)| {
                        let starts = starts.iter().map(|&s| s as u32).collect();
                        (starts, value as u32)
                    });
                    return (used, found);
                }
                // Too easy: take more. Too hard: take less.
                Status::Proven => self.size = (self.size + 1).min(starts.len()),
                Status::Paused => self.size = (self.size - 1).max(8),
            }
        }
        (used, None)
    }

    /// Activities around a moment, or around two.
    fn pick(&mut self, problem: &Problem, starts: &[u32], makespan: u32) -> Vec<bool> {
        let centre = self.chance.below(makespan as usize + 1) as i64;
        let other = if self.chance.percent(70) {
            centre
        } else {
            self.chance.below(makespan as usize + 1) as i64
        };
        let distance = |index: usize| {
            let duration = i64::from(problem.activities()[index].duration);
            let middle = 2 * i64::from(starts[index]) + duration;
            (middle - 2 * centre).abs().min((middle - 2 * other).abs())
        };
        let mut order: Vec<usize> = (0..starts.len()).collect();
        order.sort_by_key(|&index| distance(index));
        let mut free = vec![false; starts.len()];
        for &index in order.iter().take(self.size) {
            free[index] = true;
        }
        free
    }
}

/// The problem as tasks, shorter than `makespan`; activities that are not free keep their order on
/// each resource.
fn model(problem: &Problem, starts: &[u32], free: &[bool], makespan: u32) -> Model {
    let mut model = whole(problem, makespan.saturating_sub(1));
    let mut order: Vec<usize> = (0..starts.len()).filter(|&i| !free[i]).collect();
    let mut rank = vec![0; starts.len()];
    for (position, &index) in problem.topological().iter().enumerate() {
        rank[index] = position;
    }
    order.sort_by_key(|&index| (starts[index], rank[index]));
    for (resource, &capacity) in problem.capacities().iter().enumerate() {
        let mut chains = Chains {
            problem,
            starts,
            held: vec![(0, None, capacity)],
        };
        for &index in &order {
            chains.hand_over(index, resource, &mut model.precedences);
        }
    }
    model
}

/// Units of one resource and who had them last.
struct Chains<'a> {
    problem: &'a Problem,
    starts: &'a [u32],
    /// From when they are free, who had them, how many.
    held: Vec<(u32, Option<usize>, u32)>,
}

impl Chains<'_> {
    /// Gives an activity its units: from its predecessors if they had them, else from whoever
    /// ended last, so that few chains carry much.
    fn hand_over(&mut self, index: usize, resource: usize, out: &mut Vec<Precedence>) {
        let activity = &self.problem.activities()[index];
        let mut missing = activity.demands[resource];
        if missing == 0 || activity.duration == 0 {
            return;
        }
        let before = self.problem.predecessors(index);
        while missing > 0 {
            let free = self
                .held
                .iter()
                .enumerate()
                .filter(|(_, h)| h.0 <= self.starts[index]);
            let choice = free.max_by_key(|(_, held)| {
                (held.1.is_some_and(|last| before.contains(&last)), held.0)
            });
            let Some((at, &(_, last, units))) = choice else {
                debug_assert!(false, "the schedule keeps the capacity");
                return;
            };
            let taken = units.min(missing);
            missing -= taken;
            self.held[at].2 -= taken;
            if self.held[at].2 == 0 {
                self.held.swap_remove(at);
            }
            if let Some(before) = last {
                let (after, gap) = (index, 0);
                out.push(Precedence { before, after, gap });
            }
        }
        let end = self.starts[index] + activity.duration;
        self.held
            .push((end, Some(index), activity.demands[resource]));
    }
}

/// The whole problem for the exact solver, with every window as wide as `horizon` allows.
pub(crate) fn whole(problem: &Problem, horizon: u32) -> Model {
    let (heads, tails) = (problem.heads(), problem.tails());
    let tasks = problem.activities().iter().enumerate().map(|(index, a)| {
        let demands = a.demands.iter().enumerate().filter(|d| *d.1 > 0);
        Task {
            duration: a.duration as i32,
            release: heads[index] as i32,
            deadline: (i64::from(horizon) - tails[index]).max(0) as i32,
            weight: 0,
            demands: demands.map(|(r, &amount)| (r, amount as i32)).collect(),
        }
    });
    let pairs = problem.activities().iter().enumerate();
    let precedences = pairs.flat_map(|(before, a)| {
        let gap = 0;
        let link = move |&after: &usize| Precedence { before, after, gap };
        a.successors.iter().map(link)
    });
    Model {
        tasks: tasks.collect(),
        precedences: precedences.collect(),
        capacities: problem.capacities().iter().map(|&c| c as i32).collect(),
        busy: Vec::new(),
        goal: Goal::Makespan,
    }
}
