//! Looks for a better order, step by step.
//!
//! In:    a [`Network`], orders to begin with, a seed, a number of steps.
//! Out:   the cheapest schedule found that keeps every window.
//! Never: keeps a worse one; looks at a clock.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::calendar::Work;
use crate::cost;
use crate::network::Network;
use crate::schedule::Search;
use crate::slots::{self, Kept};

/// The best so far.
pub(crate) struct Best {
    pub kept: Kept,
    pub cost: u128,
}

/// Tries every order, then improves the best one.
///
/// # Errors
/// The order that came nearest when none keeps every window.
pub(crate) fn search(
    network: &Network<'_>,
    tastes: &[Vec<usize>],
    works: &[Work],
    search: Search,
) -> Result<Best, Vec<usize>> {
    let mut best: Option<Best> = None;
    let mut nearest: Option<(usize, &Vec<usize>)> = None;
    for taste in tastes {
        match slots::keep(network, taste, &[], works) {
            Ok(kept) => better(network, &mut best, kept),
            Err(missed) => {
                if nearest.is_none_or(|(count, _)| missed.len() < count) {
                    nearest = Some((missed.len(), taste));
                }
            }
        }
    }
    let Some(mut best) = best else {
        return Err(nearest.map_or_else(Vec::new, |(_, taste)| taste.clone()));
    };
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(search.seed);
    let mut sorted = 0;
    for _ in 0..search.steps {
        let taste = match sorted {
            0 => by_opening(&best.kept),
            1 => by_middle(network, &best.kept),
            _ => shaken(&best.kept.order, &mut chance),
        };
        sorted += 1;
        if let Ok(kept) = slots::keep(network, &taste, &best.kept.first, works) {
            let cost = cost::weighted_minutes(network, &kept.schedule.open);
            if cost < best.cost {
                best = Best { kept, cost };
                sorted = 0;
            }
        }
    }
    Ok(best)
}

fn better(network: &Network<'_>, best: &mut Option<Best>, kept: Kept) {
    let cost = cost::weighted_minutes(network, &kept.schedule.open);
    if best.as_ref().is_none_or(|best| cost < best.cost) {
        *best = Some(Best { kept, cost });
    }
}

/// What opened first comes first: closes the holes that later cells left before earlier ones.
fn by_opening(kept: &Kept) -> Vec<usize> {
    let mut order = kept.order.clone();
    order.sort_by_key(|at| kept.schedule.open[*at]);
    order
}

/// Whose work lay earliest in the middle comes first.
fn by_middle(network: &Network<'_>, kept: &Kept) -> Vec<usize> {
    let middle = |at: usize| {
        let tasks = network.nodes[at].tasks.clone();
        let begin = tasks.clone().map(|task| kept.schedule.begin[task]).min();
        begin.unwrap_or(kept.schedule.open[at]) + kept.schedule.open[at]
    };
    let mut order = kept.order.clone();
    order.sort_by_key(|at| middle(*at));
    order
}

/// The order with a few cells moved, or all of them a little.
fn shaken(order: &[usize], chance: &mut Xoshiro256PlusPlus) -> Vec<usize> {
    let count = order.len();
    if count < 2 {
        return order.to_vec();
    }
    if chance.random_bool(0.3) {
        let reach = count as f64 * chance.random_range(0.002..0.05);
        let key = |place: usize, chance: &mut Xoshiro256PlusPlus| -> f64 {
            let noise: f64 = StandardNormal.sample(chance);
            place as f64 + reach * noise
        };
        let keys = order
            .iter()
            .enumerate()
            .map(|(place, at)| (key(place, chance), *at));
        let mut keyed: Vec<(f64, usize)> = keys.collect();
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        return keyed.into_iter().map(|(_, at)| at).collect();
    }
    let mut order = order.to_vec();
    for _ in 0..chance.random_range(1..=6) {
        let from = chance.random_range(0..count);
        let reach = (count / 8).max(1);
        let to = chance.random_range(from.saturating_sub(reach)..=(from + reach).min(count - 1));
        let at = order.remove(from);
        order.insert(to, at);
    }
    order
}
