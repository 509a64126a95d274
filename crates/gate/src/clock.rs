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
}

/// The machine's clock, steadied: never back, never more than five minutes ahead of itself.
pub struct SystemClock {
    start: Instant,
    steady: Mutex<Steady>,
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

// === impl SystemClock ===

impl SystemClock {
    /// Believes the wall clock once, at the start.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            steady: Mutex::new(Steady::new(0, wall_ms())),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        steady.now(ran, wall_ms())
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
}
