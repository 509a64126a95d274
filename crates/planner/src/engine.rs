//! The network as numbers of the scheduler, and its schedules as ours.
//!
//! In:    a [`Network`], a schedule that keeps every window, a seed, steps.
//! Out:   the cheapest schedule found that keeps every window, placed again minute by minute.
//! Never: takes the scheduler's word: what it found is placed by `serial` and kept only when that
//!        says that it is cheaper and misses no window.
//! See:   docs/planner.md, "Problem" and "Weighted engine".
//!
//! An hour of the scheduler is a minute here. Each crew's lanes count minutes of work; its calendar
//! says where they lie on the clock (`Draft::interrupt`). Each unfinished task is an activity, each
//! cell a job; a cell whose work is done but that is not open is one of a minute with a crew of its
//! own.

mod translate;

use anlauf_scheduler::weighted::{Schedule as Found, Search as Walks};

use crate::calendar::Work;
use crate::cost;
use crate::network::Network;
use crate::schedule::Search;
use crate::slots::{self, Kept, Taste};

use translate::Instance;

/// Threads that walk; the answer does not depend on them.
const THREADS: usize = 2;

/// Steps of the caller that make one round of the scheduler, which ends with both walks joined.
const STEPS_OF_ROUND: u32 = 10;

/// Cells for one step of a walk, for each step of the caller: those take about as long as one
/// schedule of all cells does.
const CELLS_OF_WALK: usize = 8;

/// Looks for a cheaper schedule, beginning at one that keeps every window.
///
/// What has numbers outside the scheduler's limits stays as it was.
pub(crate) fn improve(network: &Network<'_>, from: Kept, works: &[Work], search: Search) -> Kept {
    let Some(instance) = Instance::new(network, works, &from.schedule) else {
        return from;
    };
    let rounds = search.steps.div_ceil(STEPS_OF_ROUND);
    let start = instance.starts(network, &from.schedule);
    let steps = u64::from(search.steps) * network.nodes.len().div_ceil(CELLS_OF_WALK) as u64;
    let steps = u32::try_from(steps / u64::from(rounds.max(1))).unwrap_or(u32::MAX);
    let walks = Walks::by_start(&instance.problem, &start, search.seed, THREADS);
    let Ok(walks) = walks else { return from };
    let mut walks = walks.walking(steps);
    for round in 0..rounds {
        walks.round(1.0 - f64::from(round + 1) / f64::from(rounds));
    }
    let found = placed(network, &instance, &walks.into_best(), works);
    let cost = |kept: &Kept| cost::weighted_minutes(network, &kept.schedule.open);
    let is_better =
        slots::missed(network, &found.schedule.open).is_empty() && cost(&found) < cost(&from);
    if is_better { found } else { from }
}

/// The scheduler's starts as an order of tasks, each at the first place that fits.
fn placed(network: &Network<'_>, instance: &Instance, found: &Found, works: &[Work]) -> Kept {
    slots::placed(
        network,
        Taste::Pieces(&instance.by_start(found)),
        &[],
        works,
    )
}

#[cfg(test)]
mod tests;
