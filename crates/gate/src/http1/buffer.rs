//! Bytes that were read and not yet taken.
//!
//! In:    a socket. Out: what it brought, in order. Never: moves bytes that are already taken.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Room that is made for one read. 8 KiB holds a usual head and a small answer.
const ROOM: usize = 8 * 1024;

/// Bytes that were read and not yet taken.
#[derive(Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    is_full: bool,
}

impl Buffer {
    /// Begins with bytes that were read elsewhere.
    pub(crate) fn with(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// What is there.
    pub(crate) fn get(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Whether nothing is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.start >= self.bytes.len()
    }

    /// Whether the last read took all that it had room for: more may have been there.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Takes so many bytes from the front.
    pub(crate) fn eat(&mut self, size: usize) {
        self.start = (self.start + size).min(self.bytes.len());
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }

    /// Reads once; how many bytes came, 0 at the end.
    ///
    /// # Errors
    /// The socket failed.
    pub(crate) async fn fill(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start > 0 && self.bytes.capacity() - self.bytes.len() < ROOM / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        if self.bytes.capacity() - self.bytes.len() < ROOM / 2 {
            self.bytes.reserve(ROOM);
        }
        let size = from.read_buf(&mut self.bytes).await?;
        self.is_full = self.bytes.len() == self.bytes.capacity();
        Ok(size)
    }

    /// Gives room back while nobody uses it.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() && self.bytes.capacity() > 2 * ROOM {
            *self = Self::default();
        }
    }

    /// Makes room for long bodies.
    pub(crate) fn widen(&mut self, size: usize) {
        self.bytes.reserve(size);
    }
}
