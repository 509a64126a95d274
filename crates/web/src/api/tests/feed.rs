//! What gates are handed, and what is made of their reports.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use anlauf_model::feed::{FeedItem, FeedKind, FeedPage};
use anlauf_model::table::GateTable;
use anlauf_model::{Digest, Minutes};
use anlauf_trust::{Envelope, FEED_SUM_EMPTY, Freshness, feed_sum};
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

/// The answer to a beacon, if there is one.
async fn answer(stand: &Stand, beacon: &Digest) -> Option<Freshness> {
    // Longer than any test may take: a question with a beacon is not held.
    let path = format!("/gate/feed?from=1000000&wait_ms=25000&beacon={beacon}");
    let page = stand.get("gate-1", &path).await;
    let page: FeedPage = serde_json::from_str(&page.text).expect("a page of the feed");
    let envelope = Envelope::parse(page.fresh?.as_bytes()).expect("an envelope");
    let state = stand.desk.state();
    let authority = state.authority.as_ref().expect("a root");
    let verified = authority.check_freshness(&envelope, stand.desk.now());
    Some(verified.expect("it verifies").statement().clone())
}

#[tokio::test]
async fn a_beacon_is_answered_with_the_sum_of_the_feed_where_policy_asks_for_it() {
    let stand = Stand::rich().await;
    let beacon = Digest::of(b"beacon");
    assert_eq!(answer(&stand, &beacon).await, None, "no policy asks");
    let adopt = |version| {
        let policy = stand.cast.policy_fresh(&stand.landscape, version);
        json!({ "verb": "adopt_policy", "envelope": policy })
    };
    stand.must("operator-1", adopt(2)).await;
    let mut heads = Vec::new();
    for version in [3, 4] {
        let said = answer(&stand, &beacon).await.expect("fresh word");
        assert_eq!(said.gate.as_str(), "gate-1");
        assert_eq!((said.beacon, said.at), (beacon, stand.desk.now()));
        let feed = feed(&stand, 0, 0).await.items;
        let add = |sum: Digest, item: &FeedItem| {
            feed_sum(&sum, item.seq, &Digest::of(item.envelope.as_bytes()))
        };
        assert_eq!(said.feed, feed.iter().fold(FEED_SUM_EMPTY, add));
        assert_eq!(said.head, feed.last().expect("items").seq);
        heads.push((said.head, said.feed));
        stand.must("operator-1", adopt(version)).await;
    }
    assert_ne!(heads[0], heads[1]);
    let wrong = stand.get("gate-1", "/gate/feed?from=0&beacon=00").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    // Whoever is no gate gets none.
    let path = format!("/gate/feed?from=0&beacon={beacon}");
    assert_eq!(
        stand.get("operator-1", &path).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_gate_without_fresh_word_is_shown_and_grows_old_while_it_is_not_heard() {
    let stand = Stand::rich().await;
    let policy = stand.cast.policy_fresh(&stand.landscape, 2);
    let order = json!({ "verb": "adopt_policy", "envelope": policy });
    stand.must("operator-1", order).await;
    let last = stand.desk.state().feed.last().expect("a feed").seq;
    let standing = |gates: &serde_json::Value| {
        let one = &gates["gates"][0]["freshness"][0];
        (one["standing"].clone(), one["age_minutes"].clone())
    };
    let gates = stand.json("operator-1", "/gates").await;
    assert_eq!(
        standing(&gates),
        (json!("unproven"), json!(null)),
        "{gates}"
    );
    let mut said = stand.report("gate-1", last);
    said["freshness"] = json!([{ "class": "A", "standing": "fresh", "age_seconds": 120 }]);
    report(&stand, "gate-1", &said).await;
    let gates = stand.json("operator-1", "/gates").await;
    assert_eq!(standing(&gates), (json!("fresh"), json!(2)), "{gates}");
    stand.desk.pass(Minutes(13));
    let gates = stand.json("operator-1", "/gates").await;
    assert_eq!(standing(&gates), (json!("fresh"), json!(15)), "{gates}");
    stand.desk.pass(Minutes(1));
    let gates = stand.json("operator-1", "/gates").await;
    assert_eq!(standing(&gates), (json!("stale"), json!(16)), "{gates}");
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
