//! Work whose result is not good enough, and that is done again.
//!
//! In:    chance. Out: a factor on a task's work.
//! Never: counted twice: what is learned from finished tasks holds it already, so learning takes
//!        mean and variance off before the simulation puts them on.

use rand::RngExt;
use rand_xoshiro::Xoshiro256PlusPlus;

/// How often a result is not good enough, and what share of the work doing it again takes.
const SHARE: f64 = 0.08;
const AGAIN: std::ops::Range<f64> = 0.3..1.0;

/// Mean of the factor's logarithm: 0.08 · ∫ ln(1+x) dx over 0.3 … 1.0 / 0.7 = 0.08 · 0.4927.
pub(crate) const LOGARITHM_MEAN: f64 = 0.0394;

/// Its variance: 0.08 · 0.2580 (the mean square over the same span) − 0.0394².
pub(crate) const LOGARITHM_VARIANCE: f64 = 0.0191;

/// A factor of 1, or more when the work is done again.
pub(crate) fn factor(chance: &mut Xoshiro256PlusPlus) -> f64 {
    let is_again = chance.random_bool(SHARE);
    let share = chance.random_range(AGAIN);
    if is_again { 1.0 + share } else { 1.0 }
}

#[cfg(test)]
mod tests;
