//! What gates are handed, and what they say of themselves.
//!
//! In:    a gate's questions and reports. Out: feed, table, receipts.
//! Never: anything a gate would have to believe: envelopes carry their own proof.
//! See:   `anlauf_model::feed`, docs/formats/gate.md.

use std::sync::Arc;
use std::time::Duration;

use anlauf_model::Digest;
use anlauf_model::feed::{FeedItem, FeedPage, GateReport, Words};
use anlauf_recovery::{Command, Order, State, query};
use anlauf_trust::{Envelope, Freshness};
use axum::extract::State as Shared;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::ask::{Asked, AtGate, Told};
use super::route::{Access, Route};
use super::shape::{Shape, list, object};
use crate::Web;
use crate::limits::{FEED_ITEM_COUNT_MAX, FEED_SIZE_MAX, FEED_WAIT_MS_MAX};
use crate::memory::{Memory, WordsMark};
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let item = object([
        ("seq", Shape::Number("entry that carried it")),
        (
            "kind",
            Shape::Text("root, policy, delegation, release or close"),
        ),
        ("envelope", Shape::Text("DSSE envelope as JSON text")),
    ]);
    vec![
        Route::get(
            "/gate/feed",
            "Signed envelopes after a position; waits for news.",
            feed,
        )
        .access(Access::Gate)
        .query("from", Shape::Number("last item the gate has; 0 at first"))
        .query(
            "wait_ms",
            Shape::Number("how long to wait for news, at most 25,000"),
        )
        .query(
            "beacon",
            Shape::Text("32 random bytes in hex; asks for fresh word, and is answered at once"),
        )
        .answer(
            object([
                ("domain", Shape::Text("domain of every signature")),
                ("items", list(item)),
                ("head", Shape::Number("last entry of the ledger")),
            ])
            .or([
                ("words", Shape::Any("what pages say; unsigned")),
                (
                    "fresh",
                    Shape::Text("the answer to the beacon, a DSSE envelope"),
                ),
            ]),
        ),
        Route::post("/gate/report", "A gate's account of itself.", report)
            .access(Access::Gate)
            .body(Shape::Any("the report; see docs/formats/gate.md"))
            .answer(object([
                (
                    "seq",
                    Shape::Number("last entry of the ledger, or the report's own"),
                ),
                ("kept", Shape::Flag("whether the report was worth an entry")),
            ]))
            .problem(
                409,
                "the gate speaks for another, or is ahead of the ledger",
            ),
        Route::get(
            "/gate/table",
            "The gate table in its one form of bytes.",
            table,
        )
        .access(Access::Gate)
        .answer(object([(
            "cells",
            list(Shape::Any("a cell as gates see it")),
        )]))
        .problem(404, "no landscape is adopted"),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    #[serde(default)]
    from: u64,
    #[serde(default)]
    wait_ms: u64,
    beacon: Option<Digest>,
}

async fn feed(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    AtGate(who): AtGate,
    Asked(asked): Asked<Position>,
) -> Json<FeedPage> {
    // A gate that lacks fresh word keeps cells shut: it is not made to wait for news.
    let held = if asked.beacon.is_some() {
        0
    } else {
        asked.wait_ms
    };
    let until = Instant::now() + wait(held);
    let mut watch = web.desk.watch();
    let mut known: Option<WordsMark> = None;
    loop {
        // Looked at before the state, so that no entry slips in between unseen.
        watch.borrow_and_update();
        {
            let state = web.desk.state();
            let mark = memory.words_mark(&state);
            let fresh_words = known.is_some_and(|known| !known.is_like(&mark));
            known.get_or_insert(mark);
            let items = items_after(&state, asked.from);
            if !items.is_empty() || fresh_words || Instant::now() >= until {
                let words = fresh_words || mark.seen_at > asked.from;
                let fresh = asked
                    .beacon
                    .and_then(|beacon| answer(&web, &memory, &state, (&who, beacon)));
                return Json(FeedPage {
                    fresh,
                    ..page(&state, &items, words)
                });
            }
        }
        tokio::select! {
            changed = watch.changed() => if changed.is_err() {
                // The desk is gone; nothing new will come.
                let state = web.desk.state();
                return Json(page(&state, &[], false));
            },
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// How long a question is held.
pub(super) fn wait(wait_ms: u64) -> Duration {
    Duration::from_millis(wait_ms.min(FEED_WAIT_MS_MAX))
}

/// The next items, as many as fit an answer; at least one if there is one.
fn items_after(state: &State, from: u64) -> Vec<Arc<FeedItem>> {
    let first = state.feed.partition_point(|item| item.seq <= from);
    let mut size = 0;
    let fits = |item: &&Arc<FeedItem>| {
        let is_first = size == 0;
        size += item.envelope.len();
        is_first || size <= FEED_SIZE_MAX
    };
    let items = state.feed[first..].iter().take(FEED_ITEM_COUNT_MAX);
    items.take_while(fits).cloned().collect()
}

fn page(state: &State, items: &[Arc<FeedItem>], with_words: bool) -> FeedPage {
    let domain = state.authority.as_ref().map(|a| a.root().domain.clone());
    FeedPage {
        domain: domain.unwrap_or_default(),
        items: items.iter().map(|item| (**item).clone()).collect(),
        head: state.seq,
        words: with_words.then(|| words(state)),
        fresh: None,
    }
}

/// The answer to a gate's beacon, under the control plane's own key; none while no policy asks for
/// freshness.
fn answer(
    web: &Web,
    memory: &Memory,
    state: &State,
    (who, beacon): (&Who, Digest),
) -> Option<String> {
    let authority = state.authority.as_ref()?;
    let (_, policy) = authority.policy()?;
    if policy.freshness.is_empty() {
        return None;
    }
    let (head, feed) = memory.feed_end(state);
    let said = Freshness {
        domain: authority.root().domain.clone(),
        gate: who.0.person.as_str().parse().ok()?,
        beacon,
        at: web.desk.now(),
        head,
        feed,
    };
    let mut envelope = Envelope::unsigned(said.to_payload());
    web.closer.sign(&mut envelope);
    String::from_utf8(envelope.to_bytes()).ok()
}

fn words(state: &State) -> Words {
    Words {
        as_of: Some(state.at),
        next_word_at: next_word_at(state),
        expected: query::expected(state),
    }
}

/// When everyone hears more: of the newest notice to everyone.
pub(crate) fn next_word_at(state: &State) -> Option<anlauf_model::Timestamp> {
    let mut open = state
        .notices
        .iter()
        .rev()
        .filter(|notice| notice.tenant.is_none());
    open.next()?
        .versions
        .last()
        .map(|version| version.next_word_at)
}

async fn report(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    AtGate(who): AtGate,
    Told(report): Told<GateReport>,
) -> Result<Json<Value>, Problem> {
    let now = web.desk.now();
    let digest = digest(&report);
    let is_own = report.gate.as_str() == who.0.person.as_str();
    let is_repeated = memory.is_repeated(&report.gate, &digest);
    let (seq, last) = {
        let state = web.desk.state();
        let known = state.gates.get(&report.gate);
        if is_own && (is_repeated || is_idle(known, &report)) {
            memory.hear(now, &report, None);
            return Ok(Json(json!({ "seq": state.seq, "kept": false })));
        }
        (
            known.map(|gate| gate.applied).unwrap_or_default(),
            known.map(|gate| gate.at),
        )
    };
    // The same report in the same place of the gate's story is the same command.
    let place = format!("{} {digest} {seq} {last:?}", report.gate);
    let command = Command {
        key: format!("gate-{}", Digest::of(place.as_bytes())),
        actor: who.0,
        reason: "report".to_owned(),
        order: Order::ReportGate {
            report: Box::new(report.clone()),
        },
    };
    let accepted = web.desk.submit(command).await?;
    memory.hear(now, &report, Some(digest));
    Ok(Json(json!({ "seq": accepted.seq, "kept": true })))
}

/// Whether a report says nothing that the ledger does not know.
fn is_idle(known: Option<&anlauf_recovery::state::GateState>, report: &GateReport) -> bool {
    let Some(known) = known else { return false };
    let is_known = |changed: &anlauf_model::feed::GateCellState| {
        known.cells.get(&changed.cell) == Some(&(changed.stage, changed.epoch))
    };
    report.applied == known.applied
        && report.decisions.is_empty()
        && report.changed.iter().all(is_known)
}

/// Digest of what a report brings into the ledger; its counts are none of it.
fn digest(report: &GateReport) -> Digest {
    let content = (
        &report.gate,
        report.applied,
        &report.changed,
        &report.decisions,
    );
    Digest::of(&serde_json::to_vec(&content).expect("reports have only string keys"))
}

async fn table(Shared(web): Shared<Arc<Web>>, AtGate(_): AtGate) -> Result<Response, Problem> {
    let landscape = web.desk.state().landscape.clone();
    let landscape = landscape.ok_or_else(|| Problem::not_found("landscape"))?;
    let bytes = landscape.gate_table().to_bytes();
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}
