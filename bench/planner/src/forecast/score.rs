//! How well ranges told what came.
//!
//! In:    ranges, and when cells opened. Out: coverage, pinball loss, scores.
//! See:   Gneiting and Raftery 2007: the pinball loss is proper, coverage alone is not.

use std::collections::BTreeMap;

use anlauf_model::{Range, Timestamp};

use super::Told;
use super::house::House;
use super::peer::PERT;

const SHARES: [f64; 3] = [0.50, 0.80, 0.95];

/// Sums of one forecaster at one share of cells back.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: f64,
    held: [f64; 3],
    /// Hours.
    pinball: f64,
}

/// Everything that was judged.
#[derive(Default)]
pub struct Score {
    sums: BTreeMap<(usize, String), Sum>,
    /// Logarithms of (time it took / time told), of our own dates.
    scores: [Vec<f64>; 3],
}

impl Score {
    /// Judges what was told once.
    pub fn judge(&mut self, who: &str, told: &Told, house: &House<'_>) {
        let sum = self.sums.entry((told.share, who.to_owned())).or_default();
        for (cell, range) in &told.ranges {
            let Some(came) = house.opened(cell) else {
                continue;
            };
            sum.count += 1.0;
            for (level, at) in levels(range).into_iter().enumerate() {
                sum.held[level] += f64::from(u8::from(came <= at));
                sum.pinball += pinball(SHARES[level], at, came) / 3.0;
                if who == "anlauf" {
                    let lead = |at: Timestamp| (at - told.made_at).0.max(1) as f64;
                    self.scores[level].push((lead(came) / lead(at)).ln());
                }
            }
        }
    }

    /// Adds what was judged elsewhere.
    pub fn add(&mut self, other: Self) {
        for (key, sum) in other.sums {
            let own = self.sums.entry(key).or_default();
            own.count += sum.count;
            own.pinball += sum.pinball;
            for (held, more) in own.held.iter_mut().zip(sum.held) {
                *held += more;
            }
        }
        for (own, more) in self.scores.iter_mut().zip(other.scores) {
            own.extend(more);
        }
    }

    /// Rows of the table.
    pub fn lines(&self, shares: &[usize]) -> Vec<String> {
        let mut lines = Vec::new();
        for ((share, who), sum) in &self.sums {
            if !shares.contains(share) || sum.count == 0.0 {
                continue;
            }
            let [p50, p80, p95] = sum.held.map(|held| 100.0 * held / sum.count);
            let mean = sum.pinball / sum.count;
            let peer = self.sums.get(&(*share, PERT.to_owned()));
            let ratio = peer.map_or(String::new(), |peer| {
                format!(" ({:.3} of PERT)", mean / (peer.pinball / peer.count))
            });
            let count = sum.count;
            lines.push(format!(
                "{share} % | {who} | {count} | {p50:.0} / {p80:.0} / {p95:.0} | {mean:.1} h{ratio}"
            ));
        }
        lines
    }

    /// Scores at 5, 15 … 95 of 100.
    pub fn scores(&self, level: usize) -> Vec<f64> {
        let mut sorted = self.scores[level].clone();
        sorted.sort_by(f64::total_cmp);
        let at = |tenth: usize| sorted.get(sorted.len() * (2 * tenth + 1) / 20).copied();
        (0..10).filter_map(at).collect()
    }
}

fn levels(range: &Range) -> [Timestamp; 3] {
    [range.p50, range.p80, range.p95]
}

/// Hours.
fn pinball(share: f64, told: Timestamp, came: Timestamp) -> f64 {
    let late = (came - told).0 as f64 / 60.0;
    (share * late).max((share - 1.0) * late)
}
