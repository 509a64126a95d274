//! Counts what goes over a connection, or over one stream of it.
//!
//! In:    sizes of reads and writes. Out: what came and went since it was last asked.
//! Never: more than one writer at a time: all that counts here is one task.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

/// Bytes both ways, and the status of an answer that has begun.
#[derive(Default)]
pub(crate) struct Meter {
    received: AtomicU64,
    sent: AtomicU64,
    /// Set when the head of a backend's answer is made; 0 before.
    pub(crate) status: AtomicU16,
}

/// What was counted.
pub(crate) struct Seen {
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) status: u16,
}

impl Meter {
    /// Bytes came.
    pub(crate) fn received(&self, size: usize) {
        add(&self.received, size);
    }

    /// Bytes went.
    pub(crate) fn sent(&self, size: usize) {
        add(&self.sent, size);
    }

    /// What came and went since it was last asked.
    pub(crate) fn take(&self) -> Seen {
        Seen {
            received: self.received.swap(0, Ordering::Relaxed),
            sent: self.sent.swap(0, Ordering::Relaxed),
            status: self.status.swap(0, Ordering::Relaxed),
        }
    }
}

/// Without a locked instruction, because nobody else adds at the same time.
fn add(count: &AtomicU64, size: usize) {
    let sum = count.load(Ordering::Relaxed) + size as u64;
    count.store(sum, Ordering::Relaxed);
}
