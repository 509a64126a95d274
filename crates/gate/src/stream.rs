//! One HTTP/2 stream: forwards, and sends the answer as fast as the client takes it.
//!
//! In:    an admitted request, the stream's sending half, a word to reset.
//! Out:   frames; the sending half back, for a close that comes after the last frame.
//! Never: gives the connection more than the client's window takes: what is queued could leak.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use h2::server::SendResponse;
use h2::{Reason, SendStream};
use hyper::body::{Body, Bytes};
use hyper::{Method, Request, Response, Version};
use tokio::sync::oneshot;

use crate::access::{Entry, Meter, Verdict};
use crate::body::{Broken, Download, Upload};
use crate::serve::{Admitted, pass};
use crate::shared::Shared;

/// What is left of a stream.
pub(crate) struct Finished {
    /// Stream id.
    pub(crate) id: u32,
    /// Its sending half, if an answer began and was not reset.
    pub(crate) sent: Option<SendStream<Bytes>>,
    /// Whether its last frames may still be queued, with no half left to empty the queue.
    pub(crate) is_let_go: bool,
}

// === impl Finished ===

impl Finished {
    fn without_answer(id: u32) -> Self {
        Self {
            id,
            sent: None,
            is_let_go: false,
        }
    }

    /// A client that is still sending its body has to hear that nobody reads on (RFC 9113 §8.1),
    /// and the library says so when the last half is let go of.
    fn answered(id: u32, sent: SendStream<Bytes>, is_read: bool) -> Self {
        Self {
            id,
            sent: is_read.then_some(sent),
            is_let_go: !is_read,
        }
    }
}

/// Forwards the request and sends the answer.
pub(crate) async fn run(
    shared: Arc<Shared>,
    (admitted, mut entry): (Admitted<'static>, Entry),
    request: Request<Upload>,
    (mut respond, mut resets): (SendResponse<Bytes>, oneshot::Receiver<Infallible>),
) -> Finished {
    let id = respond.stream_id().as_u32();
    let bare = *request.method() == Method::HEAD;
    let whole = request.body().whole();
    let answer = tokio::select! {
        biased;
        _ = &mut resets => {
            respond.send_reset(Reason::CANCEL);
            return Finished::without_answer(id);
        }
        _ = poll_fn(|cx| respond.poll_reset(cx)) => {
            entry.verdict(Verdict::Gone);
            return Finished::without_answer(id);
        }
        answer = pass(&shared, admitted, request) => answer,
    };
    entry.status(answer.status().as_u16());
    let verdict = match answer.body() {
        Download::Backend { .. } => Verdict::Passed,
        Download::Own(_) if answer.status().is_client_error() => Verdict::Unknown,
        Download::Own(_) => Verdict::Failed,
    };
    let (head, mut body) = answer.into_parts();
    let is_end = bare || body.is_end_stream();
    let Ok(mut send) = begin(Response::from_parts(head, ()), &mut respond, is_end) else {
        return Finished::without_answer(id);
    };
    if is_end {
        entry.verdict(verdict);
        return Finished::answered(id, send, whole.load(Ordering::SeqCst));
    }
    let meter = entry.meter();
    let ended = tokio::select! {
        biased;
        _ = &mut resets => Some(Reason::CANCEL),
        pumped = pump(&mut send, &mut body, meter.as_deref()) => {
            pumped.err().map(|_| Reason::INTERNAL_ERROR)
        }
    };
    match ended {
        None => {
            entry.verdict(verdict);
            Finished::answered(id, send, whole.load(Ordering::SeqCst))
        }
        Some(reason) => {
            send.send_reset(reason);
            Finished::without_answer(id)
        }
    }
}

/// Sends the gate's own words.
pub(crate) fn say(answer: Response<Download>, respond: &mut SendResponse<Bytes>, bare: bool) {
    let (head, body) = answer.into_parts();
    let text = match body {
        Download::Own(Some(text)) if !bare => text,
        _ => Bytes::new(),
    };
    let head = Response::from_parts(head, ());
    // An error means that the client has gone.
    if let Ok(mut send) = begin(head, respond, text.is_empty())
        && !text.is_empty()
    {
        let _ = send.send_data(text, true);
    }
}

fn begin(
    mut head: Response<()>,
    respond: &mut SendResponse<Bytes>,
    is_end: bool,
) -> Result<SendStream<Bytes>, h2::Error> {
    *head.version_mut() = Version::HTTP_2;
    respond.send_response(head, is_end)
}

async fn pump(
    send: &mut SendStream<Bytes>,
    body: &mut Download,
    meter: Option<&Meter>,
) -> Result<(), Broken> {
    loop {
        let frame = poll_fn(|cx| match send.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(Some(Err(Broken::from("the client has left")))),
            Poll::Pending => Pin::new(&mut *body).poll_frame(cx).map_err(Broken::from),
        });
        let Some(frame) = frame.await else {
            send.send_data(Bytes::new(), true)?;
            return Ok(());
        };
        match frame?.into_data() {
            Ok(data) => push(send, data, meter).await?,
            Err(frame) => {
                let trailers = frame
                    .into_trailers()
                    .map_err(|_| "neither data nor trailers")?;
                send.send_trailers(trailers)?;
                return Ok(());
            }
        }
    }
}

async fn push(
    send: &mut SendStream<Bytes>,
    mut data: Bytes,
    meter: Option<&Meter>,
) -> Result<(), Broken> {
    while !data.is_empty() {
        send.reserve_capacity(data.len());
        while send.capacity() == 0 {
            match poll_fn(|cx| send.poll_capacity(cx)).await {
                Some(capacity) => capacity?,
                None => return Err("the client has left".into()),
            };
        }
        let size = send.capacity().min(data.len());
        send.send_data(data.split_to(size), false)?;
        if let Some(meter) = meter {
            meter.sent(size);
        }
    }
    Ok(())
}
