//! Bodies on their way through the gate, never gathered, in both directions.
//!
//! In:    frames of a client's request, frames of a backend's answer.
//! Out:   [`Upload`] to the backend, [`Download`] to the client.
//! Never: outlives a cut: dropped before its end, a download takes the backend's connection along.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use crate::access::Meter;
use crate::backdoor::Line;
use crate::judge::Permit;

/// Any reason why a body broke off.
pub(crate) type Broken = Box<dyn Error + Send + Sync>;

/// A client's body that cannot be read on: broken framing, or the client has left.
#[derive(Debug)]
pub(crate) struct Spoiled(Broken);

/// An HTTP/2 request's body on its way to a backend.
pub(crate) struct Upload {
    from: h2::RecvStream,
    /// Set when the body is let go of: no more of it can be sent.
    sent: Arc<AtomicBool>,
    /// Set when it has come to its end.
    whole: Arc<AtomicBool>,
    /// Counts it, where somebody wants to know.
    meter: Option<Arc<Meter>>,
}

/// An answer's body on its way to the client.
pub(crate) enum Download {
    /// The gate's own words.
    Own(Option<Bytes>),
    /// A backend's. The permit stays with it to the last byte.
    Backend {
        /// What comes.
        body: Incoming,
        /// What it comes on. Dropped before the permit.
        line: Line,
        /// Why it may.
        _permit: Permit,
    },
}

// === impl Spoiled ===

impl Spoiled {
    /// Whether this is what an error comes from.
    pub(crate) fn is_behind(error: &(dyn Error + 'static)) -> bool {
        error.is::<Self>() || error.source().is_some_and(Self::is_behind)
    }
}

impl fmt::Display for Spoiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the client's body cannot be read on")
    }
}

impl Error for Spoiled {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

// === impl Upload ===

impl Upload {
    /// A body over HTTP/2.
    pub(crate) fn http2(body: h2::RecvStream, meter: Option<Arc<Meter>>) -> Self {
        Self {
            whole: Arc::new(AtomicBool::new(body.is_end_stream())),
            from: body,
            sent: Arc::default(),
            meter,
        }
    }

    /// Tells, later, whether the body has come to its end.
    pub(crate) fn whole(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.whole)
    }

    /// Tells, later, whether the body was let go of.
    pub(crate) fn sent(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.sent)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.sent.store(true, Ordering::SeqCst);
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Spoiled;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Spoiled>>> {
        let frame = ready!(poll_http2(&mut self.from, cx).map_err(Spoiled));
        if frame.is_none() || self.from.is_end_stream() {
            self.whole.store(true, Ordering::SeqCst);
        }
        if let (Some(meter), Some(Ok(frame))) = (&self.meter, &frame) {
            meter.received(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.from.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.from.is_end_stream() {
            true => SizeHint::with_exact(0),
            false => SizeHint::default(),
        }
    }
}

fn poll_http2(
    body: &mut h2::RecvStream,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
    match ready!(body.poll_data(cx)) {
        Some(Ok(data)) => {
            // The window opens again as soon as the backend's connection has taken the frame.
            let _ = body.flow_control().release_capacity(data.len());
            Poll::Ready(Some(Ok(Frame::data(data))))
        }
        Some(Err(error)) => Poll::Ready(Some(Err(error.into()))),
        None => match ready!(body.poll_trailers(cx)) {
            Ok(Some(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Ok(None) => Poll::Ready(None),
            Err(error) => Poll::Ready(Some(Err(error.into()))),
        },
    }
}

// === impl Download ===

impl Download {
    /// The gate's own words.
    pub(crate) fn own(text: impl Into<Bytes>) -> Self {
        Self::Own(Some(text.into()))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Own(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Self::Backend { body, line, .. } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                // Nobody asks again after the last frame if it is known to be the last.
                if frame.is_none() || body.is_end_stream() {
                    line.answered();
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(text) => text.as_ref().is_none_or(Bytes::is_empty),
            Self::Backend { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(text) => SizeHint::with_exact(text.as_ref().map_or(0, |t| t.len() as u64)),
            Self::Backend { body, .. } => body.size_hint(),
        }
    }
}
