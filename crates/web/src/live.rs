//! Live pages: one stream per page, each message a part of it, rendered again.
//!
//! In:    the address of a page, the last entry its reader has seen. Out: server-sent events.
//! Never: shows what the page itself would not; sends faster than a person can look.
//! See:   HTML Standard §9.2 (server-sent events); page::screen, the parts.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anlauf_model::{Digest, Language};
use anlauf_recovery::Actor;
use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::Web;
use crate::memory::Memory;
use crate::page::screen::KEY_HERE;
use crate::page::visit::{Visit, pairs};
use crate::page::{Route, pick, shell};
use crate::who::{Spoken, Who, token};

/// Shortest time between two messages of one stream: people look, machines have the API.
const PAUSE: Duration = Duration::from_millis(700);

/// Longest silence; then the clock is sent, so that both ends know that the other is there.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// Messages that wait for a slow reader; beyond that the stream waits too.
const WAITING_COUNT_MAX: usize = 4;

/// Most streams at the same time: the provider's people, every tenant's, and a public that reloads.
const READER_COUNT_MAX: usize = 1_000;

/// Places for streams.
#[derive(Clone)]
pub(crate) struct Readers(Arc<Semaphore>);

impl Default for Readers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(READER_COUNT_MAX)))
    }
}

/// A stream of events as a response's body.
struct Stream {
    messages: mpsc::Receiver<Bytes>,
    _place: OwnedSemaphorePermit,
}

/// What one reader follows.
struct Reader {
    web: Arc<Web>,
    memory: Arc<Memory>,
    token: Option<String>,
    language: Language,
    path: String,
    query: String,
    /// Digest of every part as it was last sent.
    sent: BTreeMap<String, Digest>,
}

/// Follows a page.
pub(crate) async fn stream(
    State(web): State<Arc<Web>>,
    (Extension(memory), Extension(readers)): (Extension<Arc<Memory>>, Extension<Readers>),
    who: Option<Who>,
    Spoken(language): Spoken,
    (uri, headers): (Uri, HeaderMap),
) -> Response {
    let asked = pairs(uri.query().unwrap_or_default());
    let get = |name: &str| {
        asked
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .or(get("seq"));
    let seen: u64 = seen.and_then(|id| id.trim().parse().ok()).unwrap_or(0);
    let (path, query) = get("at")
        .unwrap_or("/")
        .split_once('?')
        .unwrap_or((get("at").unwrap_or("/"), ""));
    let role = who.as_ref().map(|who| who.0.role);
    let route = Route::find(path, |route| route.show.is_some());
    if route.is_none_or(|(route, _)| !route.audience.admits(role)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(place) = readers.0.clone().try_acquire_owned() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "30")],
        )
            .into_response();
    };
    let reader = Reader {
        token: token(&headers),
        memory,
        language,
        path: path.to_owned(),
        query: query.to_owned(),
        sent: BTreeMap::new(),
        web,
    };
    let (messages, received) = mpsc::channel(WAITING_COUNT_MAX);
    tokio::spawn(reader.follow(seen, messages));
    let stream = Stream {
        messages: received,
        _place: place,
    };
    let kind = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (kind, Body::new(stream)).into_response()
}

impl Reader {
    /// Sends what changes, until the reader leaves, may no longer read, or the desk is gone.
    async fn follow(mut self, seen: u64, messages: mpsc::Sender<Bytes>) {
        let mut news = self.web.desk.watch();
        let now = *news.borrow_and_update();
        // What the reader has on its screen is known when nothing happened since.
        let first = self.render(now);
        let Some(first) = first else { return };
        if seen != now && !send(&messages, first).await {
            return;
        }
        loop {
            let heard = tokio::select! {
                changed = news.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return,
                },
                () = messages.closed() => return,
                () = tokio::time::sleep(SILENCE_MAX) => false,
            };
            if heard {
                tokio::time::sleep(PAUSE).await;
            }
            let seq = *news.borrow_and_update();
            let Some(message) = self.render(seq) else {
                return;
            };
            if !send(&messages, message).await {
                return;
            }
        }
    }

    /// The parts that differ from what was sent; none when the reader may not see the page now.
    fn render(&mut self, seq: u64) -> Option<String> {
        let actor: Option<Actor> = match &self.token {
            Some(token) => Some(self.web.logins.find(token)?),
            None => None,
        };
        let (route, gaps) = Route::find(&self.path, |route| route.show.is_some())?;
        if !route
            .audience
            .admits(actor.as_ref().map(|actor| actor.role))
        {
            return None;
        }
        let address = (self.path.as_str(), self.query.as_str());
        let mut visit = Visit::new(&self.web, actor.as_ref(), self.language, address);
        visit.memory = Some(&self.memory);
        visit.gaps = gaps;
        let screen = route.show.and_then(|show| show(&visit).ok())?;
        let frame = shell::frame(&visit);
        let mut parts = screen.parts;
        if parts.is_empty() {
            parts.push((MAIN.to_owned(), whole(&screen.main)));
        }
        let same = self.sent.is_empty()
            || parts.iter().all(|(id, _)| self.sent.contains_key(id))
                && self.sent.len() == parts.len() + 3;
        let mut changed: Vec<(String, maud::Markup)> = Vec::new();
        if !same {
            // Other parts than before: the page is sent as a whole, the parts are known from then
            // on.
            changed.push((MAIN.to_owned(), whole(&screen.main)));
            self.sent.clear();
        }
        parts.push(("clock".to_owned(), shell::clock(&visit, &frame)));
        parts.push(("badge".to_owned(), shell::badge(&visit, &frame)));
        parts.push(("glass".to_owned(), shell::glass(&visit, &frame)));
        for (id, markup) in parts {
            let digest = Digest::of(markup.0.as_bytes());
            if self.sent.insert(id.clone(), digest) != Some(digest) && (same || id == "clock") {
                changed.push((id, markup));
            }
        }
        let mut message = String::new();
        for (id, markup) in changed {
            let html = if markup.0.contains(KEY_HERE) {
                pick::keyed(&markup)
            } else {
                markup.0
            };
            message.push_str(&format!(
                "event: part\nid: {seq}\ndata: {}\n\n",
                json!([id, html])
            ));
        }
        if message.is_empty() {
            message.push_str(": still here\n\n");
        }
        Some(message)
    }
}

/// Id of the element that holds the page's content.
const MAIN: &str = "main";

fn whole(main: &maud::Markup) -> maud::Markup {
    maud::html! { main id=(MAIN) tabindex="-1" { (main) } }
}

async fn send(messages: &mpsc::Sender<Bytes>, message: String) -> bool {
    messages.send(Bytes::from(message)).await.is_ok()
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.messages
            .poll_recv(context)
            .map(|message| message.map(|bytes| Ok(Frame::data(bytes))))
    }
}
