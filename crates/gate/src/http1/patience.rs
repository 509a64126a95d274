//! Waits that end, without a timer for each.
//!
//! In:    a future, a moment. Out: its result, or none when the moment has passed.
//! Never: wakes anyone: the connection's one clock does that every few seconds, and a wait may be
//!        longer by that much. A timer for each request would cost more than the request.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

/// The future's result; none if it is not there at a look after `until`.
pub(crate) async fn within<T>(until: Instant, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if Instant::now() >= until => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
