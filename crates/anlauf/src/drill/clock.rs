//! The drill's clock: story time, moved by the player alone.
//!
//! In:    the player's steps. Out: the same `now` for the control plane and every gate.
//! Never: runs backwards.

use std::sync::atomic::{AtomicI64, Ordering};

use anlauf_model::Timestamp;

/// Story time.
#[derive(Debug)]
pub struct DrillClock(AtomicI64);

impl DrillClock {
    /// Starts at a point of the story.
    pub fn new(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.0))
    }

    /// Story time now.
    pub fn get(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    /// Moves on; an earlier time changes nothing.
    pub fn advance(&self, to: Timestamp) {
        self.0.fetch_max(to.0, Ordering::SeqCst);
    }
}

impl anlauf_store::Clock for DrillClock {
    fn now(&self) -> Timestamp {
        self.get()
    }
}

impl anlauf_gate::Clock for DrillClock {
    fn now(&self) -> Timestamp {
        self.get()
    }

    fn ran(&self) -> i64 {
        self.get().0
    }
}
