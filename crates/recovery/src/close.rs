//! Shutting cells.

use std::collections::BTreeSet;

use anlauf_model::{CellId, Timestamp};
use anlauf_trust::{Close, Scope};

use crate::state::State;

/// Draws up a close that burns every epoch used or proposed so far in the scope.
pub fn close_statement(_state: &State, _now: Timestamp, _scope: Scope, _reason: &str) -> Close {
    unimplemented!()
}

/// The cells and everything that cannot work without them.
pub fn close_with_dependents(_state: &State, _cells: &[CellId]) -> BTreeSet<CellId> {
    unimplemented!()
}
