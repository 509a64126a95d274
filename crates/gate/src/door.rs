//! A client's socket, with a way to slam it.
//!
//! In:    an accepted socket. Out: which protocol is spoken on it; [`Door`] for HTTP/2.
//! Never: lets buffered bytes out after [`DoorState::slam`]: the connection is reset on drop.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::socket::Socket;

/// A client's socket. Gives back first what was read to tell the protocol.
pub(crate) struct Door {
    socket: Socket,
    head: Bytes,
    state: Arc<DoorState>,
}

/// What others may know and want of a door.
pub(crate) struct DoorState {
    slam: Arc<AtomicBool>,
    blocked: AtomicBool,
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

/// Reads as much as it takes to tell the protocol, and not one byte more than the preface.
///
/// # Errors
/// The client has gone.
pub(crate) async fn tell(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(Vec<u8>, Protocol)> {
    let mut head = Vec::with_capacity(PREFACE.len());
    loop {
        let missing = PREFACE.len().saturating_sub(head.len());
        let mut more = (&mut *from).take(missing as u64);
        if more.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !PREFACE.starts_with(&head) {
            return Ok((head, Protocol::Http1));
        }
        if head.len() == PREFACE.len() {
            return Ok((head, Protocol::Http2));
        }
    }
}

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
}

// === impl Door ===

impl Door {
    /// A socket, what was read of it already, and its flag to slam it.
    pub(crate) fn new(socket: Socket, head: Vec<u8>, slam: Arc<AtomicBool>) -> Self {
        Self {
            socket,
            head: head.into(),
            state: Arc::new(DoorState {
                slam,
                blocked: AtomicBool::new(false),
            }),
        }
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
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Door {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.note(wrote.is_pending());
        wrote
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.note(wrote.is_pending());
        wrote
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        if flushed.is_pending() {
            // Under TLS a write is taken before it is sent.
            self.note(true);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
