//! A backend's socket, with a way to slam it from outside.
//!
//! In:    a connected TCP stream. Out: [`Backdoor`] for the HTTP client, [`Line`] for one exchange.
//! Never: sends a byte to a backend, or takes one from it, after a broken-off [`Line`] was dropped.
//!
//! The HTTP client runs each connection in a task of its own that may hold bytes still to be sent.
//! So the socket lies behind a lock: who drops an unfinished exchange takes the socket away there
//! and resets it, and whatever the client still holds has nowhere to go.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use hyper::http::Extensions;
use hyper::{Request, Uri};
use hyper_util::client::legacy::connect::{
    CaptureConnection, Connected, Connection, HttpConnector, capture_connection,
};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::body::Upload;

/// A backend's socket.
pub(crate) struct Backdoor(Arc<Slot>);

/// Where the socket lies.
struct Slot {
    inside: Mutex<Inside>,
}

struct Inside {
    /// None once slammed.
    stream: Option<TcpStream>,
    /// Whether the backend is not taking what is sent.
    blocked: bool,
    /// The client's task for this connection, to be told of a slam.
    waker: Option<Waker>,
}

/// One exchange with a backend, from its first byte to its last in both directions.
///
/// Dropped earlier, it takes the connection with it.
pub(crate) struct Line {
    captured: CaptureConnection,
    /// Set when the client has let go of the request's body.
    sent: Arc<AtomicBool>,
    answered: bool,
}

/// Connects to backends.
#[derive(Clone)]
pub(crate) struct Connector(pub(crate) HttpConnector);

// === impl Slot ===

impl Slot {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slam(&self) {
        let mut inside = self.inside();
        if let Some(stream) = inside.stream.take() {
            // Without linger the kernel throws away what it still holds.
            let _ = stream.set_zero_linger();
        }
        let waker = inside.waker.take();
        drop(inside);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn with<T>(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let mut inside = self.inside();
        let Some(stream) = &mut inside.stream else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let done = act(Pin::new(stream), cx);
        if done.is_pending()
            && !inside
                .waker
                .as_ref()
                .is_some_and(|w| w.will_wake(cx.waker()))
        {
            inside.waker = Some(cx.waker().clone());
        }
        done
    }

    fn write(
        &self,
        cx: &mut Context<'_>,
        act: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let wrote = self.with(cx, act);
        self.inside().blocked = wrote.is_pending();
        wrote
    }
}

// === impl Line ===

impl Line {
    /// Watches which connection the request goes out on.
    pub(crate) fn new(request: &mut Request<Upload>) -> Self {
        let sent = request.body().sent();
        Self {
            captured: capture_connection(request),
            sent,
            answered: false,
        }
    }

    /// The whole answer has come.
    pub(crate) fn answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut extras = Extensions::new();
        if let Some(connected) = &*self.captured.connection_metadata() {
            connected.get_extras(&mut extras);
        }
        let Some(slot) = extras.get::<Arc<Slot>>() else {
            return;
        };
        let is_over = self.answered && self.sent.load(Ordering::SeqCst);
        if !is_over || slot.inside().blocked {
            slot.slam();
        }
    }
}

// === impl Backdoor ===

impl Backdoor {
    fn new(stream: TcpStream) -> Self {
        let inside = Inside {
            stream: Some(stream),
            blocked: false,
            waker: None,
        };
        Self(Arc::new(Slot {
            inside: Mutex::new(inside),
        }))
    }
}

impl Connection for Backdoor {
    fn connected(&self) -> Connected {
        Connected::new().extra(Arc::clone(&self.0))
    }
}

impl AsyncRead for Backdoor {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.with(cx, |stream, cx| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Backdoor {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.write(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .write(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.with(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.with(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

// === impl Connector ===

impl Service<Uri> for Connector {
    type Response = TokioIo<Backdoor>;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            let stream = connecting.await?.into_inner();
            Ok(TokioIo::new(Backdoor::new(stream)))
        })
    }
}
