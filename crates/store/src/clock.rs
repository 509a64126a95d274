//! Where `now` comes from.
//!
//! In:    the system, or a test's or drill's own time. Out: [`Timestamp`].

use std::time::{SystemTime, UNIX_EPOCH};

use anlauf_model::Timestamp;

/// Tells the time to the desk.
pub trait Clock: Send + Sync {
    /// The time now. May stand still or run backwards; the ledger's time then stands still.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
