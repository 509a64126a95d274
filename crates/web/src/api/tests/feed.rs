//! What gates are handed, and what is made of their reports.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anlauf_model::feed::{FeedKind, FeedPage};
use anlauf_model::table::GateTable;
use anlauf_model::{Digest, Minutes};
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::Desk as _;
use crate::stand::story::OWN;
use crate::stand::{Answer, Stand};

async fn feed(stand: &Stand, from: u64, wait_ms: u64) -> FeedPage {
    let path = format!("/gate/feed?from={from}&wait_ms={wait_ms}");
    let answer = stand.get("gate-1", &path).await;
    serde_json::from_str(&answer.text).expect("a page of the feed")
}

async fn report(stand: &Stand, who: &str, body: &serde_json::Value) -> Answer {
    stand
        .ask(Some(who), Method::POST, "/gate/report", Some(body))
        .await
}

#[tokio::test]
async fn a_gate_gets_every_envelope_in_order() {
    let stand = Stand::rich().await;
    let page = feed(&stand, 0, 0).await;
    let kinds: Vec<_> = page.items.iter().take(3).map(|item| item.kind).collect();
    assert_eq!(kinds, [FeedKind::Root, FeedKind::Policy, FeedKind::Close]);
    assert!(page.items.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    assert_eq!(page.domain, "drill-stand");
    assert_eq!(page.head, stand.desk.state().seq);
    let middle = page.items[2].seq;
    let rest = feed(&stand, middle, 0).await;
    assert_eq!(rest.items, page.items[3..]);
    let last = page.items.last().expect("items").seq;
    assert_eq!(feed(&stand, last, 0).await.items, []);
}

#[tokio::test]
async fn words_come_with_the_forecast() {
    let stand = Stand::rich().await;
    let words = feed(&stand, 0, 0).await.words.expect("words");
    assert!(
        words.expected.keys().any(|cell| cell.owner() == OWN),
        "{words:?}"
    );
    assert!(words.next_word_at.is_some() && words.as_of.is_some());
    let head = stand.desk.state().seq;
    assert_eq!(feed(&stand, head, 0).await.words, None, "nothing new since");
}

/// Notes whether someone was woken.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A question that is held; polled by hand, so that no clock decides.
struct Held<F> {
    question: Pin<Box<F>>,
    bell: Arc<Bell>,
}

impl<F: Future<Output = FeedPage>> Held<F> {
    fn new(question: F) -> Self {
        Self {
            question: Box::pin(question),
            bell: Arc::default(),
        }
    }

    fn poll(&mut self) -> Option<FeedPage> {
        self.bell.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(self.bell.clone());
        match self
            .question
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
        {
            Poll::Ready(page) => Some(page),
            Poll::Pending => None,
        }
    }

    fn is_woken(&self) -> bool {
        self.bell.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_question_is_held_until_there_is_news() {
    let stand = Stand::contained().await;
    let last = feed(&stand, 0, 0).await.items.last().expect("items").seq;
    let mut held = Held::new(feed(&stand, last, 20_000));
    assert_eq!(held.poll(), None, "it did not wait");
    // An entry that is nothing for gates wakes it, and it goes on waiting.
    stand
        .must(
            "operator-1",
            json!({ "verb": "narrow_incident", "sites": ["site-east"] }),
        )
        .await;
    assert_eq!(held.poll(), None, "it did not wait on");
    assert!(!held.is_woken());
    stand
        .close_must("operator-1", json!({ "site": "site-west" }))
        .await;
    assert!(held.is_woken(), "news did not wake it");
    let page = held.poll().expect("there is news");
    assert_eq!(page.items.len(), 1);
    assert_eq!(page.items[0].kind, FeedKind::Close);
}

#[tokio::test]
async fn a_forecast_wakes_the_held_question_for_its_words() {
    let stand = Stand::rich().await;
    let last = feed(&stand, 0, 0).await.items.last().expect("items").seq;
    let mut held = Held::new(feed(&stand, last, 20_000));
    assert_eq!(held.poll(), None);
    stand.desk.pass(Minutes::days(1));
    stand.plan().await;
    assert!(held.is_woken());
    let page = held.poll().expect("there are words");
    assert_eq!(page.items, []);
    assert!(page.words.is_some_and(|words| !words.expected.is_empty()));
}

#[tokio::test]
async fn a_question_without_news_ends_by_itself() {
    let stand = Stand::contained().await;
    let last = feed(&stand, 0, 0).await.items.last().expect("items").seq;
    assert_eq!(feed(&stand, last, 1).await.items, []);
    let longest = super::super::gate::wait(u64::MAX);
    assert_eq!(
        longest,
        Duration::from_millis(crate::limits::FEED_WAIT_MS_MAX)
    );
}

#[tokio::test]
async fn the_table_has_the_digest_of_the_policy() {
    let stand = Stand::founded().await;
    let answer = stand.get("gate-1", "/gate/table").await;
    let signed = stand.desk.state().authority.clone().expect("an authority");
    let (_, policy) = signed.policy().expect("a policy");
    assert_eq!(Digest::of(answer.text.as_bytes()), policy.table);
    GateTable::from_bytes(answer.text.as_bytes()).expect("it is canonical");
    assert_eq!(
        Stand::new().get("gate-1", "/gate/table").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_report_is_kept_once_and_idle_ones_never() {
    let stand = Stand::rich().await;
    let last = stand.desk.state().feed.last().expect("a feed").seq;
    let said = stand.report("gate-1", last);
    assert_eq!(
        report(&stand, "gate-1", &said).await.json()["kept"],
        json!(true)
    );
    let before = stand.desk.state().seq;
    // The answer got lost: the gate says it once more.
    assert_eq!(
        report(&stand, "gate-1", &said).await.json()["kept"],
        json!(false)
    );
    let mut idle = said.clone();
    idle["changed"] = json!([]);
    idle["decisions"] = json!([]);
    idle["counts"]["passed"] = json!(100);
    assert_eq!(
        report(&stand, "gate-1", &idle).await.json()["kept"],
        json!(false)
    );
    assert_eq!(stand.desk.state().seq, before);
    let gates = stand.json("operator-1", "/gates").await;
    assert_eq!(gates["gates"][0]["counts"]["passed"], json!(100), "{gates}");
    assert_eq!(gates["gates"][0]["behind"], json!(0));
    assert_eq!(gates["gates"][0]["differing"], json!(0));
}

/// A gate that fell back to an earlier state says what it said before: that is news.
#[tokio::test]
async fn a_report_from_the_past_is_kept_again() {
    let stand = Stand::contained().await;
    let (old, new) = (stand.report("gate-1", 2), stand.report("gate-1", 3));
    for said in [&old, &new, &old] {
        assert_eq!(
            report(&stand, "gate-1", said).await.json()["kept"],
            json!(true)
        );
    }
    let gate = &stand.desk.state().gates[&"gate-1".parse().expect("an id")].clone();
    assert_eq!(gate.applied, 2);
}

#[tokio::test]
async fn a_gate_speaks_for_itself_only() {
    let stand = Stand::contained().await;
    let said = stand.report("gate-2", 1);
    let answer = report(&stand, "gate-1", &said).await;
    assert_eq!(answer.codes(), ["AN-REC-096"]);
    let ahead = stand.report("gate-1", 10_000);
    assert_eq!(
        report(&stand, "gate-1", &ahead).await.codes(),
        ["AN-REC-097"]
    );
}

#[tokio::test]
async fn a_gate_that_differs_is_shown() {
    let stand = Stand::rich().await;
    stand.close_must("operator-1", json!("everything")).await;
    let gates = stand.json("auditor-1", "/gates").await;
    let gate = &gates["gates"][0];
    assert!(
        gate["differing"].as_u64().is_some_and(|count| count > 0),
        "{gate}"
    );
    assert!(
        gate["behind"].as_u64().is_some_and(|count| count > 0),
        "{gate}"
    );
    assert_eq!(gate["cells"][0]["wanted"], json!("closed"));
}
