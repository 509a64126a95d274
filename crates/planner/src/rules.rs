//! Simple rules for who comes first; the best of them is where the search begins.
//!
//! In:    a [`Network`], minutes of work per task. Out: orders by taste, one per rule.
//! Never: looks at a schedule.
//!
//! Tried on both shipped landscapes and dropped: weight over the root of the work (between the two
//! that stand here), and again and again the cell worth most together with all it still waits for
//! (a third dearer: it brings back the damaged site's foundation before the others' services).

use std::cmp::Reverse;

use crate::calendar::Work;
use crate::network::Network;

/// One order per rule.
pub(crate) fn orders(network: &Network<'_>, works: &[Work]) -> Vec<Vec<usize>> {
    let load = loads(network, works);
    let total = |at: usize| {
        network.nodes[at]
            .tasks
            .clone()
            .map(|t| works[t])
            .sum::<Work>()
    };
    let bottleneck = |at: usize| {
        let share = |task: usize| {
            let crew = network.tasks[task].crew;
            let lanes = i64::from(network.crews[crew].lanes.max(1));
            works[task].saturating_mul(load[crew]) / lanes
        };
        network.nodes[at]
            .tasks
            .clone()
            .map(share)
            .fold(0, i64::saturating_add)
    };
    let weight = |at: usize| network.nodes[at].weight;
    let rank = |at: usize| u128::from(network.nodes[at].cell.harm);
    vec![
        by_density(network, weight, total),
        by_density(network, weight, bottleneck),
        by_density(network, weight, |_| 1),
        by_density(network, rank, total),
        (0..network.nodes.len()).collect(),
    ]
}

/// Highest value per cost first; equal ones in the order of their ids.
fn by_density(
    network: &Network<'_>,
    value: impl Fn(usize) -> u128,
    cost: impl Fn(usize) -> i64,
) -> Vec<usize> {
    /// Enough digits that no two real cells become equal by the division.
    const SCALE: u128 = 1 << 40;
    let density =
        |at: usize| value(at).saturating_mul(SCALE) / u128::from(cost(at).max(1).unsigned_abs());
    let mut order: Vec<usize> = (0..network.nodes.len()).collect();
    order.sort_by_cached_key(|at| (Reverse(density(*at)), *at));
    order
}

/// Hours of work per lane that wait for each crew; at least one.
fn loads(network: &Network<'_>, works: &[Work]) -> Vec<i64> {
    let mut loads = vec![0; network.crews.len()];
    for (task, work) in network.tasks.iter().zip(works) {
        loads[task.crew] += work;
    }
    let per_lane = |(load, crew): (i64, &crate::network::Crew<'_>)| {
        load / 60 / i64::from(crew.lanes.max(1)) + 1
    };
    loads
        .into_iter()
        .zip(&network.crews)
        .map(per_lane)
        .collect()
}
