//! What time it is for a gate.
//!
//! In:    the machine's clocks. Out: a [`Timestamp`] that never goes back.
//! Never: believes a wall clock that leaps ahead: one bad time server would close every cell.
//! See:   docs/formats/gate.md, "Time".

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anlauf_model::Timestamp;

use crate::limits::CLOCK_JUMP_MS_MAX;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;

    /// What has passed since some moment, by a clock that nobody can set back. Milliseconds.
    fn ran(&self) -> i64;
}

/// The machine's clock, steadied: never back, never more than five minutes ahead of itself.
pub struct SystemClock {
    start: Instant,
    steady: Mutex<(Steady, Passed)>,
}

/// Time that has passed, out of two clocks: the one that only runs on, and every lead that the
/// wall's ever took over it. Milliseconds.
///
/// A machine that was stopped and goes on from an image of its memory has slept by the one, and has
/// not by the other: the longer of the two is what has passed. A wall clock that leaps ahead by
/// mistake makes word look older than it is until the next one.
pub(crate) struct Passed {
    apart: i64,
    lead: i64,
}

/// One time out of two clocks: one that only runs on, and the wall's. Milliseconds.
pub(crate) struct Steady {
    ran: i64,
    at: i64,
}

/// A clock that also never falls below the last time written to disk.
pub(crate) struct Floor {
    clock: Arc<dyn Clock>,
    last: AtomicI64,
}

fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

// === impl Steady ===

impl Steady {
    /// Believes the wall clock once, at the start.
    pub(crate) fn new(ran: i64, wall: i64) -> Self {
        Self { ran, at: wall }
    }

    pub(crate) fn now(&mut self, ran: i64, wall: i64) -> Timestamp {
        let steady = self.at.saturating_add(ran.saturating_sub(self.ran));
        // Every step forward that is believed moves the anchor, else a wall clock that is set back
        // later would let the old anchor decide.
        if wall >= steady && wall.saturating_sub(steady) <= CLOCK_JUMP_MS_MAX {
            (self.ran, self.at) = (ran, wall);
            return Timestamp(wall);
        }
        Timestamp(steady)
    }
}

// === impl Passed ===

impl Passed {
    pub(crate) fn new(ran: i64, wall: i64) -> Self {
        Self {
            apart: wall.saturating_sub(ran),
            lead: 0,
        }
    }

    pub(crate) fn ran(&mut self, ran: i64, wall: i64) -> i64 {
        let apart = wall.saturating_sub(ran);
        self.lead = self.lead.max(apart.saturating_sub(self.apart));
        ran.saturating_add(self.lead)
    }
}

// === impl SystemClock ===

impl SystemClock {
    /// Believes the wall clock once, at the start.
    pub fn new() -> Self {
        let wall = wall_ms();
        Self {
            start: Instant::now(),
            steady: Mutex::new((Steady::new(0, wall), Passed::new(0, wall))),
        }
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut clocks = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.0.now(self.elapsed(), wall_ms())
    }

    fn ran(&self) -> i64 {
        let mut clocks = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        clocks.1.ran(self.elapsed(), wall_ms())
    }
}

// === impl Floor ===

impl Floor {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            last: AtomicI64::new(i64::MIN),
        }
    }

    /// Later times than `at` only, from here on.
    pub(crate) fn raise(&self, at: Timestamp) {
        self.last.fetch_max(at.0, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now().0;
        Timestamp(self.last.fetch_max(now, Ordering::SeqCst).max(now))
    }

    pub(crate) fn ran(&self) -> i64 {
        self.clock.ran()
    }
}

#[cfg(test)]
mod tests;
