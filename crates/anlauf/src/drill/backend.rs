//! The services behind the gates: one small HTTP server per site that says which cell it served.
//!
//! In:    requests that a gate let through. Out: 200 with the cell's name, also slowly, in pieces.
//! Never: listens anywhere but on loopback; is reached by clients except through a gate.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Result;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Header by which a client knows that a backend, not a gate, answered.
pub const SERVED: &str = "x-drill-served";

/// Time between two pieces of a running answer.
const PIECE_EVERY: Duration = Duration::from_millis(20);

/// When this process first asked, and what the drill's time was then.
static START: OnceLock<(Instant, u64)> = OnceLock::new();

/// Microseconds since the drill's process first asked. What backends stamp on each piece they send.
pub fn stamp() -> u64 {
    let (began, before) = START.get_or_init(|| (Instant::now(), 0));
    before.saturating_add(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// Has another process go by the drill's time, as it was when that was sent here: a stamp is
/// early by the way of that word, never late.
pub fn follow(stamp: u64) {
    START.get_or_init(|| (Instant::now(), stamp));
}

/// A running backend.
pub struct Backend {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Backend {
    /// Starts one on a free port of the loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let serve = auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no error of the drill.
                    let _gone = serve
                        .serve_connection(TokioIo::new(stream), service_fn(answer))
                        .await;
                });
            }
        });
        Ok(Self { address, task })
    }

    /// Stops listening.
    pub fn stop(self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let cell = request.headers().get("x-anlauf-cell").cloned();
    let slow = request.uri().path().ends_with("/slow");
    let text = match &cell {
        Some(cell) => format!("served {}\n", cell.to_str().unwrap_or("?")),
        None => "served without a cell\n".to_owned(),
    };
    let body = if slow {
        slow_body()
    } else {
        Full::new(Bytes::from(text)).boxed()
    };
    let mut response = Response::new(body);
    let served = cell.unwrap_or_else(|| hyper::header::HeaderValue::from_static("?"));
    response.headers_mut().insert(SERVED, served);
    Ok(response)
}

/// A running answer: pieces, each with the time it was sent, until the client or a gate ends it.
pub fn slow_body() -> BoxBody<Bytes, Infallible> {
    /// Ten minutes of pieces: no answer runs for ever.
    const PIECE_COUNT: u32 = 30_000;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        for _ in 0..PIECE_COUNT {
            if sender
                .send(Bytes::from(format!("{}\n", stamp())))
                .await
                .is_err()
            {
                return;
            }
            tokio::time::sleep(PIECE_EVERY).await;
        }
    });
    Pieces(receiver).boxed()
}

/// A body that yields what a channel brings.
struct Pieces(mpsc::Receiver<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
