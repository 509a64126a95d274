//! Chance out of one seed.
//!
//! In:    a seed. Out: numbers. Never: any other source of chance.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A seeded generator with the few questions this crate asks.
pub struct Chance(Xoshiro256PlusPlus);

impl Chance {
    /// Equal seeds give equal chance.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number below `count`; 0 when there is nothing below it.
    pub fn below(&mut self, count: usize) -> usize {
        if count == 0 {
            0
        } else {
            self.0.random_range(0..count)
        }
    }

    /// Whether it happens, so many times in a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// A span between two, in minutes.
    pub fn minutes(&mut self, from: i64, to: i64) -> anlauf_model::Minutes {
        anlauf_model::Minutes(self.0.random_range(from..=to))
    }
}
