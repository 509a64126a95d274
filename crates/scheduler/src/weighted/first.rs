//! A plan in milliseconds: the best of the simple rules.
//!
//! In:    a [`Problem`], rules or orders of jobs. Out: the cheapest schedule that keeps every end.
//! Never: more than one serial schedule for each rule and each round of what was missed.

use super::problem::Problem;
use super::rules::{self, RULES, Rule};
use super::serial::{self, Schedule};
use super::slots::{self, Front, Missed};

/// Schedules by the rule that is best most often; by the others only when that misses an end.
///
/// # Errors
/// [`Missed`] with the fewest activities when no rule keeps every agreed end.
pub fn first_plan(problem: &Problem) -> Result<Schedule, Missed> {
    let [usual, others @ ..] = RULES;
    best(problem, [usual].into_iter()).or_else(|_| best(problem, others.into_iter()))
}

/// Schedules by each of some rules; the cheapest counts.
///
/// # Errors
/// As [`first_plan`].
pub fn best(problem: &Problem, rules: impl Iterator<Item = Rule>) -> Result<Schedule, Missed> {
    best_order(problem, rules.map(|rule| rules::order(problem, rule)))
}

/// Schedules in each order of jobs; the cheapest counts.
///
/// # Errors
/// As [`first_plan`].
pub fn best_order(
    problem: &Problem,
    orders: impl Iterator<Item = Vec<u32>>,
) -> Result<Schedule, Missed> {
    let mut best: Result<Schedule, Missed> = Err(Missed {
        activities: Vec::new(),
    });
    for order in orders {
        let found = slots::keep(problem, &mut Front::default(), || {
            serial::activities(problem, &order)
        });
        best = match (best, found) {
            (Ok(best), Ok(found)) => Ok(if found.cost < best.cost { found } else { best }),
            (Ok(best), Err(_)) => Ok(best),
            (Err(_), Ok(found)) => Ok(found),
            (Err(best), Err(found)) => {
                let fewer =
                    best.activities.is_empty() || found.activities.len() < best.activities.len();
                Err(if fewer { found } else { best })
            }
        };
    }
    best
}
