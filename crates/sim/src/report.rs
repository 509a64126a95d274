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
    /// Everything that happened, by kind.
    pub events: Events,
}

/// What counts as an event: something that happens to, or is decided by, the product's own code,
/// or a fault. A look of a checker, a drawn number, a thought of a person are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// Commands that the state machine decided, accepted or refused.
    pub commands: u64,
    /// Messages on the wire: sent, dropped, doubled, held back, delivered, forged.
    pub messages: u64,
    /// Judgements, journal writes, effects, replayed entries, ends noticed at gates.
    pub actions: u64,
    /// Requests of clients, each judged by the cell's state as a serving gate does.
    pub requests: u64,
    /// Signatures of witnesses and trees held against each other.
    pub trees: u64,
    /// Crashes, partitions, turned clocks, restored and forged disks.
    pub faults: u64,
}

impl Events {
    /// All of them.
    pub fn count(&self) -> u64 {
        self.without_requests() + self.requests
    }

    /// All but the requests, which are by far the cheapest.
    pub fn without_requests(&self) -> u64 {
        self.commands + self.messages + self.actions + self.trees + self.faults
    }

    /// Both together.
    pub fn add(&mut self, other: &Events) {
        self.commands += other.commands;
        self.messages += other.messages;
        self.actions += other.actions;
        self.requests += other.requests;
        self.trees += other.trees;
        self.faults += other.faults;
    }
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
            "{} events, {} steps, {} commands accepted, {} refused, {} releases, {} closes, \
             {} forgeries refused, {} restarts, all open after {} calm rounds",
            self.events.count(),
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

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events: {} commands, {} messages, {} actions at gates, {} trees, {} faults, \
             {} requests",
            self.count(),
            self.commands,
            self.messages,
            self.actions,
            self.trees,
            self.faults,
            self.requests
        )
    }
}
