//! Simulates a plan many times and reads ranges off it.

use anlauf_model::{Forecast, Plan};

use crate::situation::Situation;

/// Simulates the plan `samples` times from `seed`.
///
/// Durations: shared factors of the incident and of each team, learned from finished tasks, times
/// a factor of the task with a heavy tail.
pub fn forecast(_situation: &Situation<'_>, _plan: &Plan, _samples: u32, _seed: u64) -> Forecast {
    unimplemented!()
}
