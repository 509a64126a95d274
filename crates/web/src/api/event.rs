//! Entries as they happen: server-sent events.
//!
//! In:    the last number a client has. Out: one event per entry it may read, its id the number.
//! Never: an event twice or out of order; one of another scope.
//! See:   WHATWG HTML, §9.2 server-sent events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anlauf_model::{Landscape, Language};
use anlauf_recovery::{Entry, query};
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::ask::{Asked, Reader};
use super::command::readable;
use super::planning::blocking;
use super::route::Route;
use super::shape::Shape;
use crate::Web;
use crate::limits::{EVENT_READ_COUNT_MAX, EVENT_SILENCE_MAX, EVENT_WAITING_COUNT_MAX};
use crate::problem::Problem;
use crate::who::{Spoken, Who};

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/events",
            "Entries as they happen, as server-sent events.",
            events,
        )
        .query(
            "from",
            Shape::Number("last entry the client has; the head if not given"),
        )
        .content("text/event-stream")
        .answer(Shape::Text(
            "events `entry`, id = entry number, data = JSON with seq, at, event, reason and \
                 words in the asked language; `Last-Event-ID` goes before `from`",
        )),
    ]
}

/// The query of `/events`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    from: Option<u64>,
}

async fn events(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Spoken(language): Spoken,
    Asked(since): Asked<Since>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last = match headers.get("last-event-id") {
        None => since.from,
        Some(value) => {
            let number = value
                .to_str()
                .ok()
                .and_then(|text| text.trim().parse().ok());
            let wrong = || Problem::bad_request("`Last-Event-ID` is not an entry's number");
            Some(number.ok_or_else(wrong)?)
        }
    };
    let from = last.unwrap_or_else(|| web.desk.state().seq);
    let (sender, receiver) = mpsc::channel(EVENT_WAITING_COUNT_MAX);
    tokio::spawn(tell(web, who, language, from, sender));
    let kind = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((kind, Body::new(Stream(receiver))).into_response())
}

/// Tells every readable entry after `last` until the client goes away.
async fn tell(
    web: Arc<Web>,
    who: Who,
    language: Language,
    mut last: u64,
    sender: mpsc::Sender<Bytes>,
) {
    let mut watch = web.desk.watch();
    loop {
        watch.borrow_and_update();
        let (ledger, from) = (web.clone(), last.saturating_add(1));
        let read = move || ledger.desk.entries(from, EVENT_READ_COUNT_MAX);
        let Ok(Ok(entries)) = blocking(read).await else {
            // The client comes again with its last number; the log says what is wrong.
            tracing::error!(from, "cannot read the ledger for a stream of events");
            return;
        };
        let is_full = entries.len() == EVENT_READ_COUNT_MAX;
        let landscape = web.desk.state().landscape.clone();
        for entry in entries {
            last = entry.seq;
            let told = || event(&entry, landscape.as_deref(), language);
            if readable(&who.0, &entry) && sender.send(told()).await.is_err() {
                return;
            }
        }
        if !is_full && !wait(&mut watch, &sender).await {
            return;
        }
    }
}

/// Waits for the next entry; says something now and then. No when there is nothing to wait for.
async fn wait(watch: &mut tokio::sync::watch::Receiver<u64>, sender: &mpsc::Sender<Bytes>) -> bool {
    loop {
        tokio::select! {
            changed = watch.changed() => return changed.is_ok(),
            () = sender.closed() => return false,
            () = tokio::time::sleep(EVENT_SILENCE_MAX) => {
                if sender.send(Bytes::from_static(b":\n\n")).await.is_err() {
                    return false;
                }
            }
        }
    }
}

fn event(entry: &Entry, landscape: Option<&Landscape>, language: Language) -> Bytes {
    let event = serde_json::to_value(&entry.event).unwrap_or_default();
    let told = json!({
        "seq": entry.seq,
        "at": entry.at,
        "event": event["event"],
        "reason": entry.reason,
        "words": query::in_words_named(&entry.event, landscape, language),
    });
    Bytes::from(format!("id: {}\nevent: entry\ndata: {told}\n\n", entry.seq))
}

/// A body that grows as events come.
struct Stream(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0
            .poll_recv(context)
            .map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
