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
    anchor: Mutex<(Instant, i64)>,
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

// === impl SystemClock ===

impl SystemClock {
    /// Believes the wall clock once, at the start.
    pub fn new() -> Self {
        Self {
            anchor: Mutex::new((Instant::now(), wall_ms())),
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
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = i64::try_from(anchor.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        let steady = anchor.1.saturating_add(ran);
        let wall = wall_ms();
        // Every step forward that is believed moves the anchor, else a wall clock that is set back
        // later would let the old anchor decide.
        if wall >= steady && wall - steady <= CLOCK_JUMP_MS_MAX {
            *anchor = (Instant::now(), wall);
            return Timestamp(wall);
        }
        Timestamp(steady)
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
