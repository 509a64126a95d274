//! Moves ranges by what earlier ones have missed, so that 80 of 100 are 80 of 100.
//!
//! In:    [`Outcome`]s: dates that were told and whose day has come.
//! Out:   [`Calibration`]: a factor on the time until each date.
//! Never: lets dates of one incident, which stand and fall together, outweigh all others.
//! See:   docs/planner.md, "Forecast"; Vovk et al. 2005 (split conformal prediction).
//!
//! The score of a date is the logarithm of (time until it came / time until it was told). Where
//! 80 of 100 scores lie below, there the P80 belongs: its factor is that quantile.

use anlauf_model::{Range, Timestamp};

/// How many dates of simulated past incidents stand beside those of this one.
const SIMULATED_WORTH: f64 = 40.0;

/// How alike the scores of one incident are: *n* of them tell as much as n / (1 + (n − 1) · this).
const ALIKE: f64 = 0.08;

/// Largest factor either way, as a logarithm: e^0.7 ≈ 2.
const LOGARITHM_MAX: f64 = 0.7;

/// Score of a date that has not come: beyond every factor.
const SCORE_MISSED: f64 = 5.0;

/// Scores of simulated incidents at 5, 15 … 95 of 100, for P50, P80 and P95.
///
/// Measured on 100 worlds of the family that the model knows, on both shipped landscapes, before
/// this table stood here:
/// `cargo xtask bench planner forecast --scores --worlds 50 --tenants 6 --seed 1`.
const SIMULATED: [[f64; 10]; 3] = [
    [
        -0.438, -0.230, -0.138, -0.073, -0.017, 0.027, 0.083, 0.152, 0.255, 0.438,
    ],
    [
        -0.799, -0.495, -0.387, -0.310, -0.242, -0.179, -0.123, -0.059, 0.012, 0.166,
    ],
    [
        -1.269, -0.823, -0.673, -0.575, -0.502, -0.428, -0.360, -0.293, -0.205, -0.061,
    ],
];

/// The share of dates that should hold, per quantile.
const SHARES: [f64; 3] = [0.50, 0.80, 0.95];

/// A date that was told, and how it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// When it was told.
    pub made_at: Timestamp,
    /// What was told.
    pub told: Range,
    /// When it came; none when its last day has passed and it has not come.
    pub came: Option<Timestamp>,
}

/// How much later than simulated each date is told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Calibration {
    /// Logarithms of the factors on the time until P50, P80 and P95.
    offsets: [f64; 3],
}

impl Calibration {
    /// Reads what was missed.
    pub fn new(outcomes: &[Outcome]) -> Self {
        let count = outcomes.len() as f64;
        let worth = count / (1.0 + (count - 1.0).max(0.0) * ALIKE);
        let mut offsets = [0.0; 3];
        for (level, offset) in offsets.iter_mut().enumerate() {
            let simulated = SIMULATED[level].iter();
            let simulated = simulated.map(|score| (*score, SIMULATED_WORTH / 10.0));
            let own = outcomes.iter();
            let own = own.map(|outcome| (outcome.score(level), worth / count));
            let quantile = weighted(simulated.chain(own).collect(), SHARES[level]);
            // Simulated incidents are as the model believes; that is no reason to promise more. A
            // date is told earlier than it was simulated only on the word of this one's own.
            let least = -LOGARITHM_MAX * worth / (worth + SIMULATED_WORTH);
            *offset = quantile.clamp(least, LOGARITHM_MAX);
        }
        Self { offsets }
    }

    /// The range with every date moved; still in order.
    pub fn moved(&self, made_at: Timestamp, range: Range) -> Range {
        let moved = |level: usize, at: Timestamp| {
            let lead = (at.0.saturating_sub(made_at.0)).max(0) as f64;
            Timestamp(
                made_at
                    .0
                    .saturating_add((lead * self.offsets[level].exp()) as i64),
            )
        };
        let p50 = moved(0, range.p50);
        let p80 = moved(1, range.p80).max(p50);
        let p95 = moved(2, range.p95).max(p80);
        Range { p50, p80, p95 }
    }
}

impl Outcome {
    /// Logarithm of how much longer it took than was told at a level.
    fn score(&self, level: usize) -> f64 {
        let told = [self.told.p50, self.told.p80, self.told.p95][level];
        let Some(came) = self.came else {
            return SCORE_MISSED;
        };
        // One minute at least: a date of this moment has no ratio.
        let lead = |at: Timestamp| (at.0.saturating_sub(self.made_at.0)).max(60_000) as f64;
        (lead(came) / lead(told)).ln()
    }
}

/// The value below which a share of the weight lies; between two scores in proportion. A score
/// stands for the middle of its weight, so that the tenth of ten is the 95th of 100.
fn weighted(mut scores: Vec<(f64, f64)>, share: f64) -> f64 {
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let wanted = share * scores.iter().map(|score| score.1).sum::<f64>();
    let (mut below, mut last) = (0.0, None);
    for (score, weight) in scores {
        let middle = below + weight / 2.0;
        if middle >= wanted {
            return match last {
                Some((middle_last, score_last)) => {
                    let part = (wanted - middle_last) / (middle - middle_last);
                    score_last + part * (score - score_last)
                }
                None => score,
            };
        }
        last = Some((middle, score));
        below += weight;
    }
    last.map_or(0.0, |(_, score)| score)
}

#[cfg(test)]
mod tests;
