//! Activities in rows, each waiting for the one before it; and the cheapest place of such a row.
//!
//! In:    a [`Problem`]; prices of hours. Out: [`Chains`] that cover every activity once;
//!        starts of a chain that cost least.
//! Never: an order of two activities that the problem does not ask for.

use super::super::problem::{NONE, Problem};
use super::super::team::Hour;

/// Rows of activities.
pub(super) struct Chains {
    first: Vec<u32>,
    items: Vec<u32>,
    /// Whether an edge, as they lie in `problem.before`, holds two neighbours of a chain together.
    pub strong: Vec<bool>,
}

/// A chain with what an hour of it costs.
pub(super) struct Row<'a> {
    pub problem: &'a Problem,
    pub heads: &'a [Hour],
    /// Sums of prices before each hour, for each team.
    pub sums: &'a [Vec<f64>],
    /// Weight on the end of each activity; may be below zero, the sum to the chain's end is not.
    pub weight: &'a [f64],
    pub items: &'a [u32],
    /// More than what sums of prices lose by rounding.
    pub rounding: f64,
}

/// Room to compute in.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each item: first hour looked at, where its numbers begin.
    spans: Vec<(Hour, usize)>,
    least: Vec<f64>,
}

impl Chains {
    /// Covers what does not run yet; prefers neighbours of the same job, then lonely edges.
    pub fn new(problem: &Problem) -> Self {
        let count = problem.count();
        let mut next = vec![NONE; count];
        let mut has_before = vec![false; count];
        let mut strong = vec![false; problem.before.count()];
        for is_own in [true, false] {
            for &at in &problem.topological {
                let at = at as usize;
                if has_before[at] || problem.fixed(at) != NONE {
                    continue;
                }
                let fits = |need: u32| {
                    let same = problem.job_of[need as usize] == problem.job_of[at];
                    let lonely = problem.after.of(need as usize).len() <= 2;
                    next[need as usize] == NONE
                        && problem.fixed(need as usize) == NONE
                        && same == is_own
                        && (is_own || lonely)
                };
                let edges = problem.before.range(at).zip(problem.before(at));
                if let Some((edge, &need)) = edges.into_iter().find(|(_, need)| fits(**need)) {
                    next[need as usize] = at as u32;
                    has_before[at] = true;
                    strong[edge] = true;
                }
            }
        }
        let mut chains = Self {
            first: vec![0],
            items: Vec::new(),
            strong,
        };
        for (start, has_before) in has_before.into_iter().enumerate() {
            if has_before || problem.fixed(start) != NONE {
                continue;
            }
            let mut at = start as u32;
            while at != NONE {
                chains.items.push(at);
                at = next[at as usize];
            }
            chains.first.push(chains.items.len() as u32);
        }
        chains
    }

    pub fn count(&self) -> usize {
        self.first.len() - 1
    }

    /// Every activity of every chain.
    pub fn all(&self) -> &[u32] {
        &self.items
    }

    pub fn items(&self, chain: usize) -> &[u32] {
        &self.items[self.first[chain] as usize..self.first[chain + 1] as usize]
    }
}

impl Row<'_> {
    /// The items up to the last whose end costs anything; the rest may lie anywhere for nothing.
    pub fn weighted(&self) -> &[u32] {
        let last = self
            .items
            .iter()
            .rposition(|at| self.weight[*at as usize] > 1e-12);
        &self.items[..last.map_or(0, |last| last + 1)]
    }

    /// Cost of the chain where it lies, each item behind the end of the one before it: an item
    /// that cost nothing so far may lie anywhere.
    pub fn cost(&self, items: &[u32], start: &[Hour]) -> f64 {
        let (mut cost, mut end) = (0.0, 0);
        for &at in items {
            let at = at as usize;
            let sums = &self.sums[self.problem.team[at] as usize];
            let paid = |hour: Hour| sums[(hour as usize).min(sums.len() - 1)];
            let begin = start[at].max(end);
            end = begin + self.problem.hours[at];
            cost += self.weight[at] * f64::from(end) + paid(end) - paid(begin);
        }
        cost
    }

    /// Finds the cheapest starts; `known` is the cost of some starts. Gives the cost.
    ///
    /// Forwards over the items: the least cost of all up to one, if that one begins by an hour.
    /// Hours that cost more than `known` by their weight alone are not looked at.
    pub fn solve(
        &self,
        items: &[u32],
        known: f64,
        scratch: &mut Scratch,
        mut put: impl FnMut(u32, Hour),
    ) -> f64 {
        let limits = self.limits(items, known);
        scratch.spans.clear();
        scratch.least.clear();
        for (place, &at) in items.iter().enumerate() {
            self.add_item(place, at as usize, limits[place], scratch);
        }
        let Some(cost) = scratch.least.last().copied() else {
            return 0.0;
        };
        let mut last = scratch.least.len() - 1;
        for (place, &at) in items.iter().enumerate().rev() {
            let (from, base) = scratch.spans[place];
            // The least cost falls for the last time exactly where the item begins.
            let cost = scratch.least[last];
            let behind = scratch.least[base..last].partition_point(|least| *least > cost);
            let start = from + behind as Hour;
            put(at, start);
            if let Some(before) = place.checked_sub(1) {
                let (from, first) = scratch.spans[before];
                let latest = start - self.problem.hours[items[before] as usize];
                last = (first + (latest - from) as usize).min(base - 1);
            }
        }
        cost
    }

    fn add_item(&self, place: usize, at: usize, limit: Hour, scratch: &mut Scratch) {
        let base = scratch.least.len();
        let hours = self.problem.hours[at];
        let sums = &self.sums[self.problem.team[at] as usize];
        let mut from = self.heads[at];
        let mut before = None;
        if let Some(place) = place.checked_sub(1) {
            let (earlier, first) = scratch.spans[place];
            let shift = earlier + self.problem.hours[self.items[place] as usize];
            from = from.max(shift);
            before = Some(first + (from - shift) as usize);
        }
        let to = limit.max(from).min(sums.len() as Hour - 1 - hours);
        let count = (to - from + 1) as usize;
        let (sums_from, sums_to) = (&sums[from as usize..], &sums[(from + hours) as usize..]);
        let (weight, first) = (self.weight[at], f64::from(from + hours) * self.weight[at]);
        let ends = sums_from.iter().zip(sums_to).take(count).enumerate();
        let ends = ends.map(|(hour, (from, to))| first + weight * hour as f64 + (to - from));
        scratch.least.extend(ends);
        let (all_before, own) = scratch.least.split_at_mut(base);
        if let Some(first) = before {
            // Behind the hours looked at for the item before, its least cost stays.
            let known = &all_before[first.min(base - 1)..];
            let rest = known[known.len() - 1];
            for (cost, before) in own.iter_mut().zip(known) {
                *cost += before;
            }
            for cost in own.iter_mut().skip(known.len()) {
                *cost += rest;
            }
        }
        let mut least = f64::INFINITY;
        for cost in own {
            least = if *cost < least { *cost } else { least };
            *cost = least;
        }
        scratch.spans.push((from, base));
    }

    /// Latest start of each item worth looking at.
    fn limits(&self, items: &[u32], known: f64) -> Vec<Hour> {
        let problem = self.problem;
        let hours = |at: u32| f64::from(problem.hours[at as usize]);
        let mut behind = vec![0.0; items.len()];
        let mut sum = 0.0;
        for (place, &at) in items.iter().enumerate().rev() {
            sum += self.weight[at as usize];
            behind[place] = sum;
        }
        let first = items
            .first()
            .map_or(0.0, |at| f64::from(self.heads[*at as usize]));
        let mut fewest = behind.first().map_or(0.0, |sum| sum * first);
        for (place, &at) in items.iter().enumerate() {
            fewest += behind[place].max(0.0) * hours(at);
        }
        let room = (known + self.rounding - fewest).max(0.0);
        let (mut least, mut end) = (f64::INFINITY, first);
        let limit = |(place, &at): (usize, &u32)| {
            least = f64::min(least, behind[place]);
            let start = end;
            end += hours(at);
            // One hour more for rounding.
            let late = if least > 1e-9 {
                start + room / least + 1.0
            } else {
                f64::MAX
            };
            late.min(f64::from(u32::MAX / 2)) as Hour
        };
        items.iter().enumerate().map(limit).collect()
    }
}
