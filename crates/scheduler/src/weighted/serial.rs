//! Places one activity after the other at the first hour that is free.
//!
//! In:    an order of activities. Out: [`Schedule`].
//! Never: begins an activity before what it waits for, whatever the order says; keeps windows
//!        (see `slots.rs`).

use super::problem::{NONE, Problem};
use super::team::Hour;
use super::timeline::Timeline;

/// When everything begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// Start of each activity.
    pub start: Vec<Hour>,
    /// Σ weight × end.
    pub cost: u64,
}

/// Places activities.
#[derive(Clone, Debug)]
pub(super) struct Placer<'p> {
    pub problem: &'p Problem,
    pub start: Vec<Hour>,
    pub lines: Vec<Timeline>,
    /// Hours before which nothing begins; empty for no such hours.
    pub floor: &'p [Hour],
    stack: Vec<u32>,
}

/// Schedules in an order of activities; those that it leaves out come last.
pub(super) fn schedule(problem: &Problem, order: impl Iterator<Item = u32>) -> Schedule {
    let mut placer = Placer::new(problem);
    for at in order {
        placer.place_with_needs(at);
    }
    for at in 0..problem.count() as u32 {
        placer.place_with_needs(at);
    }
    placer.finish()
}

/// Activities of an order of jobs.
pub(super) fn activities(problem: &Problem, jobs: &[u32]) -> impl Iterator<Item = u32> {
    jobs.iter()
        .flat_map(|job| problem.job(*job as usize))
        .map(|at| at as u32)
}

/// Schedules again in the order of the starts: closes holes, moves nothing to a later hour.
///
/// INVARIANT: each activity still finds its own old hours free, because those before it in the
/// order begin no later than it and moved only towards earlier hours.
pub(super) fn left_shifted(problem: &Problem, start: &[Hour]) -> Schedule {
    schedule(problem, by_start(problem, start).into_iter())
}

/// Activities by start; equal ones in topological order.
pub(super) fn by_start(problem: &Problem, start: &[Hour]) -> Vec<u32> {
    let last = start.iter().max().map_or(0, |last| *last as usize);
    let mut first = vec![0_u32; last + 2];
    for hour in start {
        first[*hour as usize + 1] += 1;
    }
    for hour in 0..=last {
        first[hour + 1] += first[hour];
    }
    let mut order = vec![0; start.len()];
    for &at in &problem.topological {
        let place = &mut first[start[at as usize] as usize];
        order[*place as usize] = at;
        *place += 1;
    }
    order
}

impl<'p> Placer<'p> {
    /// With only what already runs in place.
    pub fn new(problem: &'p Problem) -> Self {
        let mut placer = Self {
            problem,
            start: vec![NONE; problem.count()],
            lines: vec![Timeline::default(); problem.teams.len()],
            floor: &[],
            stack: Vec::new(),
        };
        for &at in &problem.running {
            placer.put(at as usize, problem.fixed(at as usize));
        }
        placer
    }

    /// With every activity of a schedule in place.
    pub fn of(problem: &'p Problem, start: &[Hour]) -> Self {
        let mut placer = Self::new(problem);
        for at in by_start(problem, start) {
            let at = at as usize;
            if placer.start[at] == NONE {
                placer.put(at, start[at]);
            }
        }
        placer
    }

    /// Places an activity behind all it waits for, which are placed first.
    pub fn place_with_needs(&mut self, at: u32) {
        if self.start[at as usize] != NONE {
            return;
        }
        self.stack.push(at);
        while let Some(&top) = self.stack.last() {
            let needs = self.problem.before(top as usize).iter();
            match needs
                .copied()
                .find(|need| self.start[*need as usize] == NONE)
            {
                Some(need) => self.stack.push(need),
                None => {
                    self.stack.pop();
                    if self.start[top as usize] == NONE {
                        let start = self.first(top as usize);
                        self.put(top as usize, start);
                    }
                }
            }
        }
    }

    /// First hour at which an activity can begin; everything it waits for is placed.
    #[inline]
    pub fn first(&mut self, at: usize) -> Hour {
        let problem = self.problem;
        let mut from = problem.release[at];
        if let Some(floor) = self.floor.get(at) {
            from = from.max(*floor);
        }
        for &need in problem.before(at) {
            let need = need as usize;
            from = from.max(problem.end(need, self.start[need]));
        }
        let team = problem.team[at] as usize;
        loop {
            let place = problem.place(at, from);
            let place = self.lines[team].first(&problem.teams[team], place, problem.hours[at]);
            let start = problem
                .shifts_of(at)
                .map_or(place, |shifts| shifts.begin(place));
            // Ends: each bar is left behind once.
            match problem.barred_to(at, start) {
                Some(to) => from = to,
                None => return start,
            }
        }
    }

    /// Places an activity.
    #[inline]
    pub fn put(&mut self, at: usize, start: Hour) {
        let team = self.problem.team[at] as usize;
        let place = self.problem.place(at, start);
        self.lines[team].take(&self.problem.teams[team], place, self.problem.hours[at]);
        self.start[at] = start;
    }

    /// Takes an activity out.
    #[inline]
    pub fn pull(&mut self, at: usize) {
        let team = self.problem.team[at] as usize;
        let place = self.problem.place(at, self.start[at]);
        self.lines[team].give(place, self.problem.hours[at]);
        self.start[at] = NONE;
    }

    /// The schedule; everything is placed.
    pub fn finish(self) -> Schedule {
        let cost = self.problem.cost(&self.start);
        Schedule {
            start: self.start,
            cost,
        }
    }
}
