//! What others do: independent three-point estimates, and the speed so far.
//!
//! In:    a house at work, the plan in force. Out: ranges per cell.
//! Never: a straw man: the first re-schedules every sample with teams and hours, as no tool on the
//!        market does; the second knows the order of the plan.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Minutes, Plan, Range, TaskKind, ThreePoint, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_distr::{Beta, Distribution};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::house::House;

/// Name of the first.
pub const PERT: &str = "independent PERT + rescheduling";

/// Name of who cannot be bettered.
pub const ORACLE: &str = "oracle: knows every factor";

/// Ranges by cell.
type Ranges = Vec<(CellId, Range)>;

/// Every peer's ranges, and those that nobody could better.
pub fn all(house: &House<'_>, plan: &Plan, samples: u32, seed: u64) -> [(&'static str, Ranges); 3] {
    [
        (ORACLE, oracle(house, plan, samples, seed)),
        (PERT, pert(house, plan, samples, seed)),
        (
            "throughput bootstrap",
            throughput(house, plan, samples, seed),
        ),
    ]
}

/// The world itself with other chances: it knows the factor of the incident, those of all teams,
/// also of the days to come, and the family of the noise. What it misses is chance alone.
fn oracle(house: &House<'_>, plan: &Plan, samples: u32, seed: u64) -> Ranges {
    let mut opens: BTreeMap<CellId, Vec<Timestamp>> = BTreeMap::new();
    for number in 0..u64::from(samples) {
        let mut played = house.dreamt(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number + 1));
        played.follow(plan, 100);
        read(&played, plan, &mut opens);
    }
    ranges(opens)
}

/// Each task drawn by itself from the beta distribution of its three points.
fn pert(house: &House<'_>, plan: &Plan, samples: u32, seed: u64) -> Ranges {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut opens: BTreeMap<CellId, Vec<Timestamp>> = BTreeMap::new();
    for _ in 0..samples {
        let mut lengths = BTreeMap::new();
        for (id, cell) in house.landscape().cells() {
            for (task, need) in &cell.tasks {
                let key: (CellId, TaskKind) = (id.clone(), *task);
                lengths.insert(key, beta(need.work, &mut chance));
            }
        }
        let mut played = house.guessed(lengths);
        played.follow(plan, 100);
        read(&played, plan, &mut opens);
    }
    ranges(opens)
}

/// Adds the openings of one play.
fn read(played: &House<'_>, plan: &Plan, opens: &mut BTreeMap<CellId, Vec<Timestamp>>) {
    for id in plan.releases().into_keys() {
        if let Some(open) = played.opened(id) {
            opens.entry(id.clone()).or_default().push(open);
        }
    }
}

fn ranges(opens: BTreeMap<CellId, Vec<Timestamp>>) -> Ranges {
    let ranges = opens.into_iter();
    ranges
        .filter_map(|(id, at)| Some((id, range(at)?)))
        .collect()
}

fn beta(work: ThreePoint, chance: &mut Xoshiro256PlusPlus) -> i64 {
    let [low, likely, high] = [work.optimistic, work.likely, work.pessimistic].map(|m| m.0 as f64);
    if high <= low {
        return likely.max(1.0) as i64;
    }
    let shape = |part: f64| 1.0 + 4.0 * part / (high - low);
    match Beta::new(shape(likely - low), shape(high - likely)) {
        Ok(beta) => (low + beta.sample(chance) * (high - low)).round().max(1.0) as i64,
        Err(_) => likely.max(1.0) as i64,
    }
}

/// Days of the past drawn anew until the cell's place in the plan has come.
fn throughput(house: &House<'_>, plan: &Plan, samples: u32, seed: u64) -> Ranges {
    let mut per_day = vec![0_usize; usize::try_from(house.days()).unwrap_or(0) + 1];
    for day in house.openings() {
        per_day[usize::try_from(day).unwrap_or(0)] += 1;
    }
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut order: Vec<(Timestamp, &CellId)> = plan
        .releases()
        .into_iter()
        .map(|(id, open)| (open, id))
        .collect();
    order.sort();
    let mut opens: Vec<Vec<Timestamp>> = vec![Vec::new(); order.len()];
    for _ in 0..samples {
        let (mut day, mut done) = (0, 0);
        while done < order.len() && day < 2_000 {
            day += 1;
            let count = per_day[chance.random_range(0..per_day.len())];
            let until = (done + count).min(order.len());
            for open in &mut opens[done..until] {
                open.push(house.now() + Minutes::days(day));
            }
            done = until;
        }
    }
    let ranges = order.into_iter().zip(opens);
    ranges
        .filter_map(|((_, id), at)| Some((id.clone(), range(at)?)))
        .collect()
}

fn range(mut at: Vec<Timestamp>) -> Option<Range> {
    at.sort();
    let quantile = |per_cent: usize| {
        at.get((at.len() * per_cent).div_ceil(100).saturating_sub(1))
            .copied()
    };
    Some(Range {
        p50: quantile(50)?,
        p80: quantile(80)?,
        p95: quantile(95)?,
    })
}
