//! Keeps agreed ends: lets what an agreed activity waits for come first, but only when it has to.
//!
//! In:    an order of activities. Out: a schedule that keeps every agreed end, or those missed.
//! Never: moves anything to the front that would have been in time anyway.
//!
//! Placing every agreed chain first costs several points of the objective (research/planner.md
//! §3); moving only those that were missed, round by round, keeps most of it.

use super::problem::Problem;
use super::serial::{Placer, Schedule};
use super::team::Hour;

/// Rounds of moving what was missed to the front.
const ROUNDS: u32 = 12;

/// Agreed ends that no schedule found keeps.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} agreed ends cannot be kept", .activities.len())]
pub struct Missed {
    /// The activities. Sorted.
    pub activities: Vec<u32>,
}

/// Activities to place first, in this order.
#[derive(Clone, Default, Debug)]
pub(super) struct Front<'a> {
    goals: Vec<u32>,
    /// Nothing but what leads to the goals begins before these hours; empty for no such hours.
    floor: &'a [Hour],
}

/// Schedules in an order, with what was missed moved to the front until nothing is missed.
///
/// # Errors
/// [`Missed`] of the last round.
pub(super) fn keep<I: Iterator<Item = u32>>(
    problem: &Problem,
    front: &mut Front<'_>,
    order: impl Fn() -> I,
) -> Result<Schedule, Missed> {
    keep_all_but(problem, front, &[], order)
}

/// As [`keep`]; ends of `given_up` (sorted) do not count.
pub(super) fn keep_all_but<I: Iterator<Item = u32>>(
    problem: &Problem,
    front: &mut Front<'_>,
    given_up: &[u32],
    order: impl Fn() -> I,
) -> Result<Schedule, Missed> {
    let mut missed = Vec::new();
    for _ in 0..ROUNDS {
        let schedule = front.schedule(problem, order());
        missed = late(problem, &schedule.start);
        missed.retain(|at| given_up.binary_search(at).is_err());
        if missed.is_empty() {
            return Ok(schedule);
        }
        if !front.add(problem, &missed) {
            break;
        }
    }
    Err(Missed { activities: missed })
}

/// Agreed activities that end too late.
pub(super) fn late(problem: &Problem, start: &[u32]) -> Vec<u32> {
    let is_late = |at: &u32| {
        let at = *at as usize;
        problem.end(at, start[at]) > problem.due(at)
    };
    problem.agreed.iter().copied().filter(is_late).collect()
}

impl<'a> Front<'a> {
    /// With hours before which nothing begins that no goal asks for.
    pub fn not_before(floor: &'a [Hour]) -> Self {
        Self {
            goals: Vec::new(),
            floor,
        }
    }

    /// The end that is due first comes first; what was in front and still missed, before all.
    /// Says whether that changed anything.
    fn add(&mut self, problem: &Problem, missed: &[u32]) -> bool {
        let before = self.goals.clone();
        let (mut again, mut fresh): (Vec<u32>, Vec<u32>) =
            missed.iter().partition(|at| before.contains(at));
        let by_due = |at: &u32| (problem.due(*at as usize), *at);
        again.sort_by_key(by_due);
        self.goals.retain(|at| !again.contains(at));
        fresh.append(&mut self.goals);
        fresh.sort_by_key(by_due);
        again.append(&mut fresh);
        self.goals = again;
        self.goals != before
    }

    fn schedule(&self, problem: &Problem, order: impl Iterator<Item = u32>) -> Schedule {
        let mut placer = Placer::new(problem);
        for &at in &self.goals {
            placer.place_with_needs(at);
        }
        placer.floor = self.floor;
        for at in order {
            placer.place_with_needs(at);
        }
        for at in 0..problem.count() as u32 {
            placer.place_with_needs(at);
        }
        placer.finish()
    }
}
