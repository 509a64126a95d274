//! Talks with the control plane: asks for news, fetches tables, reports.
//!
//! In:    feed pages and tables, size-capped. Out: items for the keeper, reports.
//! Never: believes what it hears: items go to the verifier, words change only what pages say.
//! See:   docs/formats/gate.md, "Feed".
//!
//! A control plane that is away changes nothing: the gate goes on with what it has.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anlauf_model::Digest;
use anlauf_model::feed::{FeedItem, FeedKind, FeedPage, Words};
use anlauf_model::limits::GATE_TABLE_SIZE_MAX;
use anlauf_model::table::GateTable;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::error::GateError;
use crate::keeper::{Closed, Order, Outcome, Urgent};
use crate::limits::{
    BEACON_WAIT, CONTROL_WAIT_MAX, FEED_SIZE_MAX, FEED_WAIT_MS, REPORT_WAIT_MAX, RETRY_WAIT_MAX,
    RETRY_WAIT_MIN,
};
use crate::repeat::Repeat;
use crate::shared::Shared;

/// Largest problem of the control plane that is read. Bytes.
const PROBLEM_SIZE_MAX: usize = 16 * 1024;

/// Longest detail of a problem that the log shows. Characters.
const DETAIL_LENGTH_MAX: usize = 300;

/// A line to the control plane.
#[derive(Clone)]
pub(crate) struct Control {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: HeaderValue,
}

/// Lines to the keeper.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) urgent: mpsc::Sender<Urgent>,
}

/// What went wrong on the line, in words for the log.
type Trouble = String;

// === impl Control ===

impl Control {
    /// # Errors
    /// The address is not `http://host:port`, or the token is not fit for a header.
    pub(crate) fn new(base: &str, token: &str) -> Result<Self, GateError> {
        let base = base.trim_end_matches('/').to_owned();
        let is_url = base.parse::<hyper::Uri>().is_ok_and(|uri| {
            uri.scheme_str() == Some("http") && uri.authority().is_some() && uri.path() == "/"
        });
        if !is_url {
            let what = "address of the control plane";
            let hint = "write it like `http://127.0.0.1:8440`";
            return Err(GateError::Setting {
                what,
                value: base,
                hint,
            });
        }
        let token = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut token = token.map_err(|_| GateError::Setting {
            what: "token of the gate",
            value: "(not shown)".to_owned(),
            hint: "use printable ASCII",
        })?;
        token.set_sensitive(true);
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Ok(Self {
            client,
            base,
            token,
        })
    }

    async fn get(&self, path: &str, size_max: usize) -> Result<Bytes, Trouble> {
        self.ask(Method::GET, path, Bytes::new(), size_max).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        size_max: usize,
    ) -> Result<Bytes, Trouble> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, self.token.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let exchange = async {
            let answer = self
                .client
                .request(request)
                .await
                .map_err(|e| e.to_string())?;
            let status = answer.status();
            if !status.is_success() {
                let body = Limited::new(answer.into_body(), PROBLEM_SIZE_MAX);
                let body = body.collect().await.map(|body| body.to_bytes());
                let why = body.ok().and_then(|body| detail(&body)).unwrap_or_default();
                return Err(format!("the control plane answered {status}{why}"));
            }
            let body = Limited::new(answer.into_body(), size_max).collect().await;
            Ok(body.map_err(|error| error.to_string())?.to_bytes())
        };
        match tokio::time::timeout(CONTROL_WAIT_MAX, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err("the control plane did not answer in time".to_owned()),
        }
    }
}

/// What a problem of the control plane says, for the log: one line, cut.
fn detail(body: &[u8]) -> Option<String> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = problem.get("detail")?.as_str()?;
    let safe = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(safe).take(DETAIL_LENGTH_MAX).collect();
    Some(format!(": {text}"))
}

// === impl Desk ===

impl Desk {
    async fn item(&self, item: FeedItem, table: Option<GateTable>) -> Result<Outcome, Trouble> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Item(item, table.map(Box::new), reply);
        self.orders.send(order).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// The beacon to ask with, if fresh word is wanted.
    async fn beacon(&self) -> Result<Option<Digest>, Trouble> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Beacon(reply);
        self.orders.send(order).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// Takes an answer to a beacon, or tells why not.
    pub(crate) async fn fresh(&self, envelope: String) -> Result<Result<(), Vec<String>>, Trouble> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Fresh(envelope, reply);
        self.orders.send(order).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    /// A beacon to be carried by hand, and how far the feed was read.
    pub(crate) async fn carried(&self) -> Result<(Digest, u64), Trouble> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Carried(reply);
        self.orders.send(order).await.map_err(|_| stopping())?;
        let carried = answer.await.map_err(|_| stopping())?;
        carried.map_err(|error| error.to_string())
    }

    /// Takes a close at once.
    pub(crate) async fn close(&self, envelope: String) -> Option<Result<Closed, Vec<String>>> {
        let (reply, answer) = oneshot::channel();
        self.urgent.send(Urgent { envelope, reply }).await.ok()?;
        answer.await.ok()
    }
}

fn stopping() -> Trouble {
    "the gate is stopping".to_owned()
}

/// Asks for news until told to stop.
pub(crate) async fn listen(
    control: Control,
    desk: Desk,
    shared: Arc<Shared>,
    words_path: PathBuf,
    mut stop: watch::Receiver<bool>,
) {
    let mut wait = RETRY_WAIT_MIN;
    let mut troubles = Repeat::default();
    let mut asks_from = Instant::now();
    loop {
        let started = Instant::now();
        let heard = tokio::select! {
            heard = round(&control, &desk, (&shared, &words_path), started >= asks_from) => heard,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let pause = match heard {
            Ok(Heard { count, lacks_word }) => {
                shared.set_control_heard();
                wait = RETRY_WAIT_MIN;
                if lacks_word {
                    // A question with a beacon is not held: it must not be asked in a spin.
                    asks_from = Instant::now() + BEACON_WAIT;
                }
                if let Some(past) = troubles.over() {
                    let (error, again) = (past.cause, past.again);
                    tracing::info!(error, again, "the control plane is heard again");
                }
                // A control plane that does not hold the question must not be asked in a spin.
                let least = if count == 0 {
                    RETRY_WAIT_MIN
                } else {
                    Duration::ZERO
                };
                least.saturating_sub(started.elapsed())
            }
            Err(error) => {
                let wait_ms = wait.as_millis();
                if troubles.is_news(&error) {
                    tracing::warn!(error, wait_ms, "no news from the control plane");
                } else {
                    tracing::debug!(error, wait_ms, "still no news from the control plane");
                }
                let pause = wait;
                wait = (wait * 2).min(RETRY_WAIT_MAX);
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// What a question came to.
struct Heard {
    /// Items.
    count: usize,
    /// It asked for fresh word, and there is nobody to give it.
    lacks_word: bool,
}

/// Asks once, with a beacon if one is wanted, and hands everything on.
async fn round(
    control: &Control,
    desk: &Desk,
    (shared, words_path): (&Shared, &Path),
    asks: bool,
) -> Result<Heard, Trouble> {
    let from = shared.progress.borrow().applied;
    let beacon = if asks { desk.beacon().await? } else { None };
    let asked = beacon.map(|beacon| format!("&beacon={beacon}"));
    let asked = asked.unwrap_or_default();
    let path = format!("/api/v1/gate/feed?from={from}&wait_ms={FEED_WAIT_MS}{asked}");
    let bytes = control.get(&path, FEED_SIZE_MAX).await?;
    let page: FeedPage = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let lacks_word = beacon.is_some() && page.fresh.is_none();
    if let Some(words) = &page.words {
        // Best effort: after a restart the pages say what they said, else they say less.
        if let Ok(json) = serde_json::to_vec(words) {
            let _ = tokio::fs::write(words_path, json).await;
        }
        shared.set_words(words.clone());
    }
    if page.head < from {
        // What was taken is not in it: a number that nobody signed has led the gate astray, or the
        // ledger was set back. From the beginning; what was accepted changes nothing again.
        desk.orders
            .send(Order::Rewind)
            .await
            .map_err(|_| stopping())?;
        let head = page.head;
        return Err(format!(
            "the feed ends at {head}, before {from} that was taken from it"
        ));
    }
    let count = apply(Some(control), desk, from, page).await?;
    Ok(Heard { count, lacks_word })
}

/// Hands everything on that a page of the feed holds after a position; tells how many items there
/// were. Without a line no table can be fetched.
async fn apply(
    control: Option<&Control>,
    desk: &Desk,
    from: u64,
    page: FeedPage,
) -> Result<usize, Trouble> {
    // An item beyond what the page itself calls the end is none.
    let is_fresh = |item: &FeedItem| item.seq > from && item.seq <= page.head;
    let items: Vec<_> = page.items.into_iter().filter(is_fresh).collect();
    for item in items.iter().filter(|item| item.kind == FeedKind::Close) {
        // Refused here may still be good in its turn, after a root that stands before it.
        desk.close(item.envelope.clone()).await;
    }
    let count = items.len();
    for item in items {
        let seq = item.seq;
        let mut outcome = desk.item(item.clone(), None).await?;
        if let Outcome::Table(digest) = outcome {
            let fetched = match control {
                Some(control) => fetch(control, &digest).await,
                None => Err(format!("table `{}` comes on the line only", digest.short())),
            };
            let table = match fetched {
                Ok(table) => table,
                Err(why) => {
                    let _ = desk.orders.send(Order::Blocked(seq, why.clone())).await;
                    return Err(why);
                }
            };
            outcome = desk.item(item, Some(table)).await?;
        }
        if outcome != Outcome::Done {
            return Err(format!("item {seq} cannot be applied yet"));
        }
    }
    if let Some(fresh) = page.fresh {
        // After the items: a root among them may name who has signed it.
        desk.fresh(fresh).await?.map_err(|why| why.join("; "))?;
    }
    Ok(count)
}

/// Hands on a page that somebody carried here. A policy whose table is not here must wait for the
/// line.
pub(crate) async fn carried(
    desk: &Desk,
    shared: &Shared,
    page: FeedPage,
) -> Result<usize, Trouble> {
    let from = shared.progress.borrow().applied;
    apply(None, desk, from, page).await
}

async fn fetch(control: &Control, digest: &Digest) -> Result<GateTable, Trouble> {
    let bytes = control
        .get("/api/v1/gate/table", GATE_TABLE_SIZE_MAX)
        .await?;
    let found = Digest::of(&bytes);
    if found != *digest {
        let (found, wanted) = (found.short(), digest.short());
        return Err(format!(
            "the control plane serves table `{found}`, signed is `{wanted}`"
        ));
    }
    GateTable::from_bytes(&bytes).map_err(|error| error.to_string())
}

/// Reports after every change and at least every few seconds, until told to stop.
pub(crate) async fn report(
    control: Control,
    desk: Desk,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let mut wait = RETRY_WAIT_MIN;
    let mut troubles = Repeat::default();
    loop {
        let pause = match tell(&control, &desk, &shared).await {
            Ok(()) => {
                wait = RETRY_WAIT_MIN;
                if let Some(past) = troubles.over() {
                    let (error, again) = (past.cause, past.again);
                    tracing::info!(error, again, "can report again");
                }
                tokio::select! {
                    () = shared.news.notified() => Duration::ZERO,
                    () = tokio::time::sleep(REPORT_WAIT_MAX) => Duration::ZERO,
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            }
            Err(error) => {
                let wait_ms = wait.as_millis();
                if troubles.is_news(&error) {
                    tracing::warn!(error, wait_ms, "cannot report");
                } else {
                    tracing::debug!(error, wait_ms, "still cannot report");
                }
                wait = (wait * 2).min(RETRY_WAIT_MAX);
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn tell(control: &Control, desk: &Desk, shared: &Shared) -> Result<(), Trouble> {
    let (reply, answer) = oneshot::channel();
    desk.orders
        .send(Order::Report(reply))
        .await
        .map_err(|_| stopping())?;
    let (report, mark) = answer.await.map_err(|_| stopping())?;
    let body = serde_json::to_vec(&report).map_err(|error| error.to_string())?;
    control
        .ask(
            Method::POST,
            "/api/v1/gate/report",
            body.into(),
            FEED_SIZE_MAX,
        )
        .await?;
    desk.orders
        .send(Order::Heard(mark))
        .await
        .map_err(|_| stopping())?;
    let applied = report.applied;
    shared
        .progress
        .send_modify(|progress| progress.reported = progress.reported.max(applied));
    Ok(())
}

/// Words kept from before a restart; none if there are none.
pub(crate) fn words_kept(path: &Path) -> Words {
    serde_json::from_slice(&std::fs::read(path).unwrap_or_default()).unwrap_or_default()
}
