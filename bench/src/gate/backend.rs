//! A backend: 1 KiB for everyone, and a stream without end under `stream`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use anyhow::Result;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

enum Answer {
    Once(Option<Bytes>),
    Endless(Bytes),
}

/// Starts it; it ends with its runtime.
///
/// # Errors
/// No free port.
pub async fn start(size: usize) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let body = Bytes::from(vec![b'x'; size]);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let body = body.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let body = body.clone();
                async move {
                    Ok::<_, Infallible>(Response::new(match request.uri().query() {
                        Some("stream") => Answer::Endless(body),
                        _ => Answer::Once(Some(body)),
                    }))
                }
            });
            tokio::spawn(Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(match &mut *self {
            Self::Once(body) => body.take().map(|body| Ok(Frame::data(body))),
            Self::Endless(body) => Some(Ok(Frame::data(body.clone()))),
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Once(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Once(body) => {
                let size = body.as_ref().map_or(0, Bytes::len);
                hyper::body::SizeHint::with_exact(size as u64)
            }
            Self::Endless(_) => hyper::body::SizeHint::default(),
        }
    }
}
