//! Derives cells from what is declared. (Shape fixed; content by its owner.)

use super::{Declared, Landscape};
use crate::landscape::lint::Problem;

impl Landscape {
    /// Checks and derives; every error at once.
    ///
    /// # Errors
    /// Every [`Problem`] of severity error that `lint` finds.
    pub fn new(declared: Declared) -> Result<Self, Vec<Problem>> {
        Ok(Self { declared, cells: Default::default() })
    }
}
