//! A client's socket, with a way to slam it.
//!
//! In:    an accepted TCP stream. Out: [`Door`], which protocol is spoken on it.
//! Never: lets buffered bytes out after [`DoorState::slam`]: the connection is reset on drop.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A client's socket. Gives back first what was read to tell the protocol.
pub(crate) struct Door {
    stream: TcpStream,
    head: Bytes,
    state: Arc<DoorState>,
}

/// What others may know and want of a door.
#[derive(Default)]
pub(crate) struct DoorState {
    slam: AtomicBool,
    blocked: AtomicBool,
    reads: AtomicU64,
}

/// What a client speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protocol {
    /// HTTP/1.
    Http1,
    /// HTTP/2 with prior knowledge (RFC 9113 §3.3).
    Http2,
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// === impl DoorState ===

impl DoorState {
    /// When the door is dropped, the connection is reset and what is buffered is thrown away.
    pub(crate) fn slam(&self) {
        self.slam.store(true, Ordering::SeqCst);
    }

    /// Whether the client is not taking what is sent.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::SeqCst)
    }

    /// How often bytes came in. Tells a request that was waiting in the buffer already.
    pub(crate) fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }
}

// === impl Door ===

impl Door {
    /// Reads as much as it takes to tell the protocol, and not one byte more than the preface.
    pub(crate) async fn open(mut stream: TcpStream) -> io::Result<(Self, Protocol)> {
        let mut head = Vec::with_capacity(PREFACE.len());
        let protocol = loop {
            let missing = PREFACE.len().saturating_sub(head.len());
            let mut more = (&mut stream).take(missing as u64);
            if more.read_buf(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if !PREFACE.starts_with(&head) {
                break Protocol::Http1;
            }
            if head.len() == PREFACE.len() {
                break Protocol::Http2;
            }
        };
        Ok((
            Self {
                stream,
                head: head.into(),
                state: Arc::default(),
            },
            protocol,
        ))
    }

    /// What others may know and want of it.
    pub(crate) fn state(&self) -> Arc<DoorState> {
        Arc::clone(&self.state)
    }

    fn note(&self, blocked: bool) {
        self.state.blocked.store(blocked, Ordering::SeqCst);
    }
}

impl AsyncRead for Door {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let size = self.head.len().min(buf.remaining());
            buf.put_slice(self.head.get(..size).unwrap_or_default());
            self.head.advance(size);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() && buf.filled().len() > before {
            self.state.reads.fetch_add(1, Ordering::SeqCst);
        }
        read
    }
}

impl AsyncWrite for Door {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(wrote.is_pending());
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(wrote.is_pending());
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.state.slam.load(Ordering::SeqCst) {
            // Without linger the kernel resets the connection and throws its send buffer away.
            let _ = self.stream.set_zero_linger();
        }
    }
}
