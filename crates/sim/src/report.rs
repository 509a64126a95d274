//! What a run did, or what it found.

use std::fmt;

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Steps taken before the calm.
    pub steps: u32,
    /// Commands that became entries.
    pub accepted: u64,
    /// Commands that were refused.
    pub refused: u64,
    /// Cells released by the control plane.
    pub releases: u64,
    /// Cells shut by the control plane, and closings taken straight at a gate.
    pub closes: u64,
    /// Forged or withheld-and-replayed items that gates refused.
    pub forgeries: u64,
    /// Restarts of gates.
    pub restarts: u64,
    /// Rounds of the calm at the end until everything was open.
    pub calm_rounds: u32,
}

/// A promise that did not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("step {step}, checker `{checker}`: {what}")]
pub struct Violation {
    /// At which step; steps of the calm count on.
    pub step: u32,
    /// Who noticed.
    pub checker: &'static str,
    /// What was promised and what happened.
    pub what: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps, {} commands accepted, {} refused, {} releases, {} closes, \
             {} forgeries refused, {} restarts, all open after {} calm rounds",
            self.steps,
            self.accepted,
            self.refused,
            self.releases,
            self.closes,
            self.forgeries,
            self.restarts,
            self.calm_rounds
        )
    }
}
