//! When is everything back: the shortest schedule of activities that share resources.
//!
//! In:    a [`Problem`], a seed, a [`Budget`], a number of threads.
//! Out:   an [`Outcome`]: a schedule, its makespan, a bound that no schedule can beat.
//! Never: reads a clock; another answer for the same seed and steps.
//! See:   docs/planner.md, "makespan mode"; ADR 013.

mod bound;
mod chance;
mod check;
mod population;
mod problem;
mod search;
mod sgs;
mod window;

pub use bound::{critical_path, lower_bound};
pub use check::{Breach, check};
pub use problem::{
    ACTIVITIES_MAX, Activity, CAPACITY_MAX, HORIZON_MAX, Problem, ProblemError, RESOURCES_MAX,
};
pub use search::{Budget, Outcome, search};

#[cfg(test)]
mod tests;
