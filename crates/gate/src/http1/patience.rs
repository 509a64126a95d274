//! Waits that end, without a timer or a look at the clock for each.
//!
//! In:    a future, how long it may take. Out: its result, or none when that is over.
//! Never: wakes anyone: each connection wakes itself every few seconds, and a wait may be longer by
//!        twice that. A timer for each request would cost more than the request.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::limits::PATIENCE_LOOK_EVERY;

/// Counts a worker's looks at the time, one every [`PATIENCE_LOOK_EVERY`].
#[derive(Default)]
pub(crate) struct Looks(AtomicU32);

/// A look at which something is over.
#[derive(Clone, Copy)]
pub(crate) struct Until<'a> {
    looks: &'a Looks,
    at: u32,
}

impl Looks {
    /// One more.
    pub(crate) fn look(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// The first look at which so much time has passed for certain.
    pub(crate) fn after(&self, wait: Duration) -> Until<'_> {
        let looks = wait.as_secs().div_ceil(PATIENCE_LOOK_EVERY.as_secs());
        let looks = u32::try_from(looks).unwrap_or(u32::MAX).saturating_add(1);
        Until {
            looks: self,
            at: self.count().saturating_add(looks),
        }
    }
}

/// The future's result; none if it is not there when the time is over.
pub(crate) async fn within<T>(until: Until<'_>, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if until.looks.count() >= until.at => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

#[cfg(test)]
mod tests;
