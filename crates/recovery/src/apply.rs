//! Carries an entry into the state. Cannot fail.

use crate::event::Entry;
use crate::state::State;

impl State {
    /// Carries one entry over. Entries must come in order.
    pub fn apply(&mut self, _entry: &Entry) {
        unimplemented!()
    }
}
