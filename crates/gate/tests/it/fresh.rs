//! What a gate does after a start, and without word from outside: real sockets, a clock by hand.
//!
//! What breaks when it is left out is tried by mutants of the simulator (docs/mutants.md).

use std::sync::Arc;

use anlauf_gate::Gate;
use anlauf_model::feed::{FeedItem, FeedKind, FeedPage, Standing};
use anlauf_model::landscape::{Class, FreshnessRule, Stale};
use anlauf_model::{Digest, Epoch, Minutes, Stage, Timestamp};
use anlauf_trust::{FEED_SUM_EMPTY, Freshness, feed_sum};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;

use crate::backend::{Backend, mirror};
use crate::cast::{
    Cast, DOMAIN, GROUND, HOST, Hand, MACHINE, MELDEN, ROOT_SIGNERS, SOZIALES, cell, cells,
    closing, noon, sealed, text,
};
use crate::client::{Client, get, post};
use crate::control::Answer;
use crate::house::House;

/// Class A shuts after a quarter of an hour.
const RULES: [FreshnessRule; 1] = [FreshnessRule {
    class: Class::A,
    minutes_max: 15,
    stale: Stale::Close,
}];

/// Fresh word of the machine about a feed.
fn word(beacon: Digest, items: &[FeedItem], at: Timestamp) -> String {
    let add = |sum: Digest, item: &FeedItem| {
        feed_sum(&sum, item.seq, &Digest::of(item.envelope.as_bytes()))
    };
    let said = Freshness {
        domain: DOMAIN.into(),
        gate: "gate-1".parse().unwrap(),
        beacon,
        at,
        head: items.last().map_or(0, |item| item.seq),
        feed: items.iter().fold(FEED_SUM_EMPTY, add),
    };
    text(&sealed(said.to_payload(), &[MACHINE]))
}

/// Answers every beacon, truly.
fn honest(cast: &Cast) -> Option<Answer> {
    let clock: Arc<Hand> = Arc::clone(&cast.clock);
    Some(Box::new(move |beacon, items| {
        Some(word(beacon, items, anlauf_gate::Clock::now(&*clock)))
    }))
}

/// Waits until a gate says this of a cell.
async fn becomes(gate: &Gate, id: &str, stage: Stage) {
    let mut progress = gate.progress();
    let is_so = |_: &_| gate.stage(&cell(id)).is_some_and(|(now, _)| now == stage);
    progress.wait_for(is_so).await.unwrap();
}

/// A gate with fresh word, and one class A cell of it open.
async fn open(backend: std::net::SocketAddr) -> House {
    let house = House::fresh(backend, &RULES).await;
    house.control.set_answer(honest(&house.cast));
    // Everything of class A that the cell needs opens with it, once there is fresh word.
    for id in GROUND.into_iter().chain([MELDEN]) {
        let envelope = house.cast.opening(id, 1, Stage::Full);
        let seq = house.send(FeedKind::Release, &envelope).await;
        let decision = house.control.decision(seq).await;
        assert!(decision.accepted, "{id}: {:?}", decision.reasons);
    }
    becomes(&house.gate, MELDEN, Stage::Full).await;
    house
}

/// The gate stops and starts again from its disk.
async fn restarted(house: House) -> (House, Gate) {
    let config = house.config(&house.control.address.to_string(), house.dir.path());
    let House {
        cast,
        control,
        gate,
        dir,
        backend,
    } = house;
    gate.stop().await;
    let gate = Gate::start(config).await.unwrap();
    let alone = dir.path().join("unused");
    let spare = Gate::start(crate::house::config(&cast, "127.0.0.1:9", &alone, backend));
    let house = House {
        gate: spare.await.unwrap(),
        cast,
        control,
        dir,
        backend,
    };
    (house, gate)
}

#[tokio::test]
async fn after_a_start_a_cell_stays_shut_until_its_beacon_is_answered() {
    let house = open(mirror().await).await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
    house.control.set_answer(None);
    let (house, gate) = restarted(house).await;
    let (address, admin) = (gate.addresses()[0], gate.admin().unwrap());
    // The release is on the disk, and the epoch with it; but nobody says that it still holds.
    assert_eq!(gate.stage(&cell(MELDEN)), Some((Stage::Closed, Epoch(1))));
    let mut client = Client::new(address).await;
    let no = client
        .ask(&format!(
            "GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\naccept: application/problem+json\r\n\r\n"
        ))
        .await;
    assert_eq!(no.status, 503);
    assert!(
        no.body.contains("urn:anlauf:problem:cell-unconfirmed"),
        "{}",
        no.body
    );
    assert!(
        no.head.to_ascii_lowercase().contains("retry-after: "),
        "{}",
        no.head
    );
    let metrics = get(admin, "-", "/metrics").await.body;
    for line in [
        "anlauf_gate_class_standing{class=\"A\",standing=\"unproven\"} 1\n",
        "anlauf_gate_cells_stale ",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(!metrics.contains("fresh_age_seconds"), "{metrics}");
    // It opens by itself, on the old release.
    house.control.set_answer(honest(&house.cast));
    becomes(&gate, MELDEN, Stage::Full).await;
    assert_eq!(get(address, HOST, "/melden/a").await.status, 200);
    let metrics = get(admin, "-", "/metrics").await.body;
    assert!(metrics.contains("anlauf_gate_cells_stale 0\n"), "{metrics}");
    assert!(
        metrics.contains("anlauf_gate_fresh_age_seconds 0\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn an_answer_of_a_start_before_opens_nothing() {
    let house = open(mirror().await).await;
    house.cast.clock.set(noon() + Minutes(4));
    let (said, mut heard) = watch::channel(None);
    let truly = honest(&house.cast).unwrap();
    house
        .control
        .set_answer(Some(Box::new(move |beacon, items| {
            let word = truly(beacon, items)?;
            said.send_replace(Some(word.clone()));
            Some(word)
        })));
    // The answer to the next question is overheard.
    let old = heard.wait_for(Option::is_some).await.unwrap().clone();
    let (house, gate) = {
        let old: Answer = Box::new(move |_, _| old.clone());
        house.control.set_answer(Some(old));
        restarted(house).await
    };
    // Whoever asks again has thought about the answer before.
    house.control.is_asked(house.control.asked() + 2).await;
    assert_eq!(gate.stage(&cell(MELDEN)), Some((Stage::Closed, Epoch(1))));
    house.control.set_answer(honest(&house.cast));
    becomes(&gate, MELDEN, Stage::Full).await;
}

#[tokio::test]
async fn a_stale_cell_is_cut_and_shut_and_opens_again_by_itself() {
    let mut backend = Backend::new().await;
    let house = open(backend.address).await;
    let mut client = Client::new(house.address()).await;
    client
        .say(&format!("GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nbefore\r\n")
        .await;
    client.head().await.unwrap();
    assert_eq!(client.exactly(11).await.unwrap(), b"6\r\nbefore\r\n");

    house.control.set_answer(None);
    house.cast.clock.set(noon() + Minutes(16));
    becomes(&house.gate, MELDEN, Stage::Closed).await;
    let _ = exchange.stream.write_all(b"5\r\nafter\r\n0\r\n\r\n").await;
    assert_eq!(client.settle().await, (0, 0));
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    // What comes in meanwhile is taken, and shut like the rest.
    let envelope = house.cast.opening(SOZIALES, 1, Stage::Full);
    let seq = house.send(FeedKind::Release, &envelope).await;
    assert!(house.control.decision(seq).await.accepted);
    assert_eq!(house.stage(SOZIALES), (Stage::Closed, Epoch(1)));

    house.control.set_answer(honest(&house.cast));
    becomes(&house.gate, MELDEN, Stage::Full).await;
    becomes(&house.gate, SOZIALES, Stage::Full).await;
}

#[tokio::test]
async fn a_held_class_stays_open_with_an_alarm() {
    let hold = FreshnessRule {
        stale: Stale::Hold,
        ..RULES[0].clone()
    };
    let house = House::fresh(mirror().await, &[hold]).await;
    house.control.set_answer(honest(&house.cast));
    for id in GROUND.into_iter().chain([MELDEN]) {
        let envelope = house.cast.opening(id, 1, Stage::Full);
        house.send(FeedKind::Release, &envelope).await;
    }
    becomes(&house.gate, MELDEN, Stage::Full).await;
    house.control.set_answer(None);
    house.cast.clock.set(noon() + Minutes(16));
    house.control.stands(Standing::Held).await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
    let metrics = get(house.admin(), "-", "/metrics").await.body;
    let alarm = "anlauf_gate_class_standing{class=\"A\",standing=\"held\"} 1\n";
    assert!(metrics.contains(alarm), "{metrics}");
    assert!(
        metrics.contains("anlauf_gate_fresh_age_seconds 960\n"),
        "{metrics}"
    );
}

/// The answer tells of a close that whoever carries the feed puts something else in the place of.
#[tokio::test]
async fn a_close_that_is_kept_back_keeps_the_class_shut() {
    let house = open(mirror().await).await;
    let mut true_feed = house.control.items();
    let seq = true_feed.last().unwrap().seq + 1;
    let close = text(&closing(cells(&[MELDEN]), 1));
    let item = |envelope: String| FeedItem {
        seq,
        kind: FeedKind::Close,
        envelope,
    };
    let mut false_feed = true_feed.clone();
    false_feed.push(item("{}".into()));
    true_feed.push(item(close));
    // By the time the gate reads the close, a next root does not know its signer any more.
    let mut root = house.cast.root();
    root.version = 2;
    root.keys.retain(|key| key.person.as_str() != "operator-1");
    let root = FeedItem {
        seq: seq + 1,
        kind: FeedKind::Root,
        envelope: text(&sealed(root.to_payload(), &ROOT_SIGNERS)),
    };
    false_feed.push(root.clone());
    true_feed.push(root);
    let clock = Arc::clone(&house.cast.clock);
    let told = true_feed.clone();
    house.control.set_answer(Some(Box::new(move |beacon, _| {
        Some(word(beacon, &told, anlauf_gate::Clock::now(&*clock)))
    })));
    house.control.rewrite(false_feed.clone());
    let asked = house.control.asked();
    let (house, gate) = restarted(house).await;
    // Whoever asks again has read the false feed and thought about the answer before.
    house.control.is_asked(asked + 1).await;
    house.cast.clock.set(noon() + Minutes(4));
    house.control.rewrite(false_feed);
    house.control.is_asked(asked + 2).await;
    assert_eq!(gate.stage(&cell(MELDEN)), Some((Stage::Closed, Epoch(1))));
    assert_eq!(gate.stage(&cell(GROUND[0])).unwrap().0, Stage::Closed);
    // The true feed, from the beginning: the rest of the class opens, the close shuts its cell.
    house.cast.clock.set(noon() + Minutes(8));
    house.control.rewrite(true_feed);
    becomes(&gate, GROUND[0], Stage::Full).await;
    assert_eq!(gate.stage(&cell(MELDEN)), Some((Stage::Closed, Epoch(1))));
    let no = get(gate.addresses()[0], HOST, "/melden/a").await;
    assert!(!no.body.contains("unconfirmed"), "{}", no.body);
}

/// A site that is cut off: beacon and answer travel as files.
#[tokio::test]
async fn beacon_and_answer_can_be_carried_by_hand() {
    let house = open(mirror().await).await;
    house.control.set_answer(None);
    let (house, gate) = restarted(house).await;
    let admin = gate.admin().unwrap();
    let asked = post(admin, "/beacon", "").await;
    let asked: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(asked["gate"], "gate-1");
    let beacon: Digest = asked["beacon"].as_str().unwrap().parse().unwrap();
    let applied = asked["applied"].as_u64().unwrap();
    assert_eq!(applied, gate.applied());
    let mut items = house.control.items();
    items.push(FeedItem {
        seq: applied + 1,
        kind: FeedKind::Close,
        envelope: text(&closing(cells(&[MELDEN]), 1)),
    });
    let page = |fresh| FeedPage {
        domain: DOMAIN.into(),
        items: items
            .iter()
            .filter(|one| one.seq > applied)
            .cloned()
            .collect(),
        head: applied + 1,
        words: None,
        fresh,
    };
    let bring = |page: FeedPage| serde_json::to_string(&page).unwrap();
    // Somebody else's answer is refused, and what came with it is taken all the same.
    let foreign = word(Digest::of(b"foreign"), &items, noon());
    let answer = post(admin, "/feed", &bring(page(Some(foreign)))).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("AN-GAT-020"), "{}", answer.body);
    let answer = post(
        admin,
        "/feed",
        &bring(page(Some(word(beacon, &items, noon())))),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.contains("\"standing\":\"fresh\""),
        "{}",
        answer.body
    );
    assert_eq!(gate.stage(&cell(GROUND[0])).unwrap().0, Stage::Full);
    assert_eq!(gate.stage(&cell(MELDEN)), Some((Stage::Closed, Epoch(1))));
    assert_eq!(post(admin, "/feed", "{").await.status, 400);
}
