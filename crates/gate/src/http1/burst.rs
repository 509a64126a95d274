//! Sends in bursts: first everyone's bytes are read and judged, then everyone's are sent.
//!
//! In:    a connection that is about to send. Out: its turn.
//! Never: lets a send pass by a close: the connection's task looks at its orders before it goes on.
//! See:   docs/benchmarks.md, "Why the gate sends in bursts".

/// Lets every connection of this thread that has something to read come first.
///
/// A send wakes whoever waits at the other end, which costs more than all that the gate does with
/// a request. Of sends right after one another, only the first finds the other end asleep.
pub(super) async fn after_the_others() {
    tokio::task::yield_now().await;
}
