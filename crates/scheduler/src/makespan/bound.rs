//! Lower bounds that need no search.
//!
//! In:    a problem. Out: a makespan that no schedule can beat.
//! Never: a bound that some schedule beats.

use super::problem::Problem;

/// The longest chain of activities.
pub fn critical_path(problem: &Problem) -> u32 {
    let ends = problem.heads().into_iter().zip(problem.activities());
    let longest = ends.map(|(head, a)| head + i64::from(a.duration)).max();
    longest.unwrap_or(0) as u32
}

/// The largest of the longest chain and, for each resource, the work between a head and a tail.
///
/// All activities that cannot start before `head` and leave at least `tail` behind them share the
/// resource in what lies between.
pub fn lower_bound(problem: &Problem) -> u32 {
    let (heads, tails) = (problem.heads(), problem.tails());
    let mut best = i64::from(critical_path(problem));
    for (resource, &capacity) in problem.capacities().iter().enumerate() {
        let mut works: Vec<(i64, i64, u64)> = Vec::new();
        for (index, activity) in problem.activities().iter().enumerate() {
            let work = u64::from(activity.demands[resource]) * u64::from(activity.duration);
            if work > 0 {
                works.push((heads[index], tails[index], work));
            }
        }
        best = best.max(between(&mut works, u64::from(capacity.max(1))));
    }
    best as u32
}

fn between(works: &mut [(i64, i64, u64)], capacity: u64) -> i64 {
    // From the longest tail on; for each smallest head, the work so far gives a bound.
    works.sort_unstable_by_key(|&(head, tail, _)| (-tail, head));
    let mut heads: Vec<i64> = works.iter().map(|work| work.0).collect();
    heads.sort_unstable();
    heads.dedup();
    let mut best = 0;
    for &least in thinned(&heads) {
        let mut sum = 0;
        for &(head, tail, work) in works.iter() {
            if head >= least {
                sum += work;
                best = best.max(least + sum.div_ceil(capacity) as i64 + tail);
            }
        }
    }
    best
}

/// At most some hundred heads, so that 20,000 activities stay quick; each is a valid bound alone.
fn thinned(heads: &[i64]) -> impl Iterator<Item = &i64> {
    const HEADS_MAX: usize = 400;
    heads.iter().step_by(heads.len().div_ceil(HEADS_MAX).max(1))
}
