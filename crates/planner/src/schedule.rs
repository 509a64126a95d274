//! Finds the order.

use anlauf_model::{CellId, Digest, Plan};

use crate::situation::Situation;

/// How hard to look. Same seed and steps, same answer, with any number of threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search {
    /// Seed of every choice.
    pub seed: u64,
    /// How many improvement steps after the rules; 0 = best rule only.
    pub steps: u32,
}

/// Wishes or slots that cannot all hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Contradiction {
    /// The cells whose slots cannot hold together, as few as possible.
    pub cells: Vec<CellId>,
    /// In words, lower case.
    pub why: String,
}

/// Makes the plan.
///
/// # Errors
/// [`Contradiction`] when agreed slots cannot be kept.
pub fn plan(
    _situation: &Situation<'_>,
    _parent: Option<Digest>,
    _search: Search,
) -> Result<Plan, Contradiction> {
    unimplemented!()
}
