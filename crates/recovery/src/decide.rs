//! One command in, its events or a refusal out.

use anlauf_model::Timestamp;

use crate::command::Command;
use crate::event::Entry;
use crate::refusal::Refusal;
use crate::state::State;

/// Decides one command. Changes nothing.
///
/// The entries are numbered from `state.seq + 1`; none when the key was already used for the same order.
///
/// # Errors
/// Every reason why not.
pub fn decide(_state: &State, _now: Timestamp, _command: &Command) -> Result<Vec<Entry>, Refusal> {
    unimplemented!()
}
