//! When a close is acknowledged, not one more byte of the cell passes, in either direction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anlauf_model::feed::FeedKind;
use anlauf_model::{Epoch, Stage};
use anlauf_trust::Scope;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::backend::{Backend, mirror};
use crate::cast::{ELSEWHERE, HOST, MELDEN, SOZIALES, cells, close, closing, sealed, text};
use crate::client::{Client, get, post, settle};
use crate::house::House;

const ELSEWHERE_HOST: &str = "stadt-ulmenau.kommunen.example";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const ASK: &str = "GET /melden/a HTTP/1.1\r\nhost: stadt-ahornfeld.kommunen.example\r\n\r\n";
/// More than any buffers on the way hold for a reader that does not read.
const FLOOD: usize = 64 * 1024 * 1024;
/// How often nothing must fit before nothing will.
const TURNS: usize = 20_000;

/// Only a test that fails waits so long.
const FOR_EVER: Duration = Duration::from_secs(20);

/// Shuts the cell at the gate itself; back when that is acknowledged.
async fn shut(house: &House, id: &str) {
    let envelope = text(&closing(cells(&[id]), 1));
    let answer = post(house.admin(), "/close", &envelope).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(house.stage(id), (Stage::Closed, Epoch(1)));
}

async fn open() -> (House, Backend) {
    let backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(MELDEN, 1, Stage::Full).await;
    (house, backend)
}

#[tokio::test]
async fn a_running_answer_is_cut() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(ASK).await;
    let mut exchange = backend.next().await;
    exchange.say(CHUNKED).await;
    exchange.say("6\r\nbefore\r\n").await;
    let head = client.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(client.exactly(11).await.unwrap(), b"6\r\nbefore\r\n");

    shut(&house, MELDEN).await;
    let _ = exchange.stream.write_all(b"5\r\nafter\r\n0\r\n\r\n").await;
    assert_eq!(client.settle().await, (0, 0));
    assert_eq!(
        exchange.rest().await,
        b"",
        "the backend hears nothing more either"
    );
    assert_eq!(house.gate.counts().cut, 1);
}

/// Writes until nothing more fits on the way to a reader that does not read; tells how much did.
async fn fill(stream: &TcpStream) -> usize {
    let (mut sent, mut refused) = (0, 0);
    // All tasks of the test share one thread: whoever could take more has had its turn by then.
    while refused < TURNS {
        match stream.try_write(&[b'x'; 65_536]) {
            Ok(size) => (sent, refused) = (sent + size, 0),
            Err(_) => refused += 1,
        }
        tokio::task::yield_now().await;
    }
    assert!(sent < FLOOD, "the test needs a longer body");
    sent
}

#[tokio::test]
async fn what_is_queued_for_a_slow_reader_is_thrown_away() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(ASK).await;
    let mut exchange = backend.next().await;
    exchange
        .say(&format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {FLOOD}\r\n\r\n"
        ))
        .await;
    client.head().await.unwrap();
    let sent = fill(&exchange.stream).await;

    shut(&house, MELDEN).await;
    let (waiting, all) = client.settle().await;
    assert!(
        waiting > 0 && waiting < sent,
        "the answer was under way: {waiting} of {sent}"
    );
    assert_eq!(
        all,
        waiting,
        "{} bytes came after the acknowledgement",
        all - waiting
    );
    assert_eq!(exchange.rest().await, b"", "the backend was cut off too");
}

#[tokio::test]
async fn what_is_queued_for_a_slow_backend_is_thrown_away() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client
        .say(&format!("POST /melden/a HTTP/1.1\r\nhost: {HOST}\r\n"))
        .await;
    client
        .say(&format!("content-length: {FLOOD}\r\n\r\n"))
        .await;
    let exchange = backend.next().await;
    let sent = fill(&client.stream).await;

    shut(&house, MELDEN).await;
    let (waiting, all) = settle(exchange.stream).await;
    assert!(
        waiting > 0 && waiting < sent,
        "the upload was under way: {waiting} of {sent}"
    );
    assert_eq!(
        all,
        waiting,
        "{} bytes came after the acknowledgement",
        all - waiting
    );
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_request_that_waits_for_its_answer_is_cut() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(ASK).await;
    let mut exchange = backend.next().await;

    shut(&house, MELDEN).await;
    let _ = exchange
        .stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nlate")
        .await;
    assert_eq!(client.settle().await, (0, 0));
    assert_eq!(exchange.rest().await, b"");
}

#[tokio::test]
async fn an_idle_connection_is_cut() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(ASK).await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
        .await;
    assert_eq!(client.answer().await.unwrap().body, "done");

    shut(&house, MELDEN).await;
    let _ = client.stream.write_all(ASK.as_bytes()).await;
    assert_eq!(client.settle().await, (0, 0));
    assert!(backend.is_quiet());
    let answer = get(house.address(), HOST, "/melden/a").await;
    assert_eq!(answer.status, 503);
    assert!(
        backend.is_quiet(),
        "a closed cell never reaches its backend"
    );
}

#[tokio::test]
async fn others_go_on() {
    let (house, mut backend) = open().await;
    house.open(ELSEWHERE, 1, Stage::Full).await;
    let mut client = Client::new(house.address()).await;
    client.say(&ASK.replace(HOST, ELSEWHERE_HOST)).await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst")
        .await;
    client.head().await.unwrap();

    shut(&house, MELDEN).await;
    exchange.say("last").await;
    assert_eq!(client.exactly(9).await.unwrap(), b"firstlast");
    assert_eq!(house.gate.counts().cut, 0);
}

#[tokio::test]
async fn a_connection_that_has_moved_on_stays_and_one_that_waits_in_line_does_not() {
    let (house, mut backend) = open().await;
    house.open(SOZIALES, 1, Stage::Full).await;
    let next = ASK.replace("/melden", "/soziales");
    let done = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";

    // One after another: everything of the first cell has arrived before the second is asked.
    let mut patient = Client::new(house.address()).await;
    patient.say(ASK).await;
    let mut one = backend.next().await;
    one.say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\ndone")
        .await;
    patient.answer().await.unwrap();
    patient.say(&next).await;
    let mut patient_exchange = backend.next().await;

    // Both at once: the second is asked before the first was answered.
    let mut hasty = Client::new(house.address()).await;
    hasty.say(&format!("{ASK}{next}")).await;
    let mut one = backend.next().await;
    one.say("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\ndone")
        .await;
    let mut hasty_exchange = backend.next().await;

    shut(&house, MELDEN).await;
    patient_exchange.say(done).await;
    assert_eq!(patient.answer().await.unwrap().body, "done");
    let _ = hasty_exchange.stream.write_all(done.as_bytes()).await;
    let (waiting, all) = hasty.settle().await;
    assert_eq!(all, waiting);
    assert_eq!(house.gate.counts().cut, 1);
}

#[tokio::test]
async fn a_close_from_the_feed_cuts_before_it_is_reported() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(ASK).await;
    let mut exchange = backend.next().await;
    exchange.say(CHUNKED).await;
    client.head().await.unwrap();

    let seq = house
        .control
        .push(FeedKind::Close, text(&closing(Scope::Everything, 1)));
    assert!(house.control.decision(seq).await.accepted);
    let _ = exchange.stream.write_all(b"5\r\nafter\r\n0\r\n\r\n").await;
    assert_eq!(client.settle().await, (0, 0));
    let open = house
        .states()
        .into_iter()
        .filter(|line| !line.contains(" closed "));
    assert_eq!(open.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn each_scope_shuts_its_own() {
    let house = House::grounded(mirror().await).await;
    let all = [MELDEN, SOZIALES, ELSEWHERE];
    let scopes = [
        (
            Scope::Tenant("stadt-ahornfeld".parse().unwrap()),
            [true, true, false],
        ),
        (
            Scope::Service("meldewesen".parse().unwrap()),
            [true, false, true],
        ),
        (Scope::Site("rz-tal".parse().unwrap()), [true, true, true]),
        (
            Scope::Site("rz-berg".parse().unwrap()),
            [false, false, false],
        ),
    ];
    for (turn, (scope, shut)) in (1..).zip(scopes) {
        for id in ["rz-tal/netz", "rz-tal/rechner", "foundation/verzeichnis"]
            .into_iter()
            .chain(all)
        {
            if house.stage(id).0 == Stage::Closed {
                house.open(id, turn, Stage::Full).await;
            }
        }
        let name = format!("{scope:?}");
        let answer = post(house.admin(), "/close", &text(&closing(scope, turn))).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        let now = all.map(|id| house.stage(id).0 == Stage::Closed);
        assert_eq!(now, shut, "{name}");
    }
}

#[tokio::test]
async fn a_close_that_nobody_may_sign_changes_nothing() {
    let (house, _backend) = open().await;
    let before = house.states();
    let scope = || cells(&[MELDEN]);
    let mut flipped = closing(scope(), 1);
    flipped.signatures[0].sig[7] ^= 1;
    let other_tenant = ["stadt-ulmenau.approver-1"];
    let refused = [
        (
            "auditor",
            sealed(close(scope(), 1).to_payload(), &["auditor-1"]),
        ),
        (
            "another tenant",
            sealed(close(scope(), 1).to_payload(), &other_tenant),
        ),
        ("nobody", sealed(close(scope(), 1).to_payload(), &[])),
        ("flipped bit", flipped),
        ("unknown cell", closing(cells(&["stadt-ahornfeld/nix"]), 1)),
        ("another kind", house.cast.opening(MELDEN, 2, Stage::Full)),
    ];
    for (name, envelope) in refused {
        let answer = post(house.admin(), "/close", &text(&envelope)).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.body);
        assert!(answer.body.contains("AN-TRU-"), "{name}: {}", answer.body);
        assert_eq!(house.states(), before, "{name}");
    }
    let answer = post(house.admin(), "/close", "{").await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let own = ["stadt-ahornfeld.approver-1"];
    let envelope = text(&sealed(close(scope(), 1).to_payload(), &own));
    assert_eq!(post(house.admin(), "/close", &envelope).await.status, 200);
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
}

#[tokio::test]
async fn a_close_that_is_too_old_says_so() {
    let (house, _backend) = open().await;
    house.open(MELDEN, 2, Stage::Full).await;
    let answer = post(
        house.admin(),
        "/close",
        &text(&closing(cells(&[MELDEN]), 1)),
    )
    .await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("AN-GAT-015"), "{}", answer.body);
    assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(2)));
}

/// Threads that ask as fast as they can for an answer without end, while one closes: whatever was
/// judged just before is cut, whatever comes after is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_slips_through_between_judge_and_close() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    tokio::spawn(async move {
        loop {
            let mut exchange = backend.next().await;
            tokio::spawn(async move {
                // The gate may have cut it already.
                let _ = exchange.stream.write_all(CHUNKED.as_bytes()).await;
                while exchange.stream.write_all(b"6\r\nfor ev\r\n").await.is_ok() {}
            });
        }
    });
    for epoch in 1..=25 {
        house.open(MELDEN, epoch, Stage::Full).await;
        let acknowledged = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for _ in 0..8 {
            let (acknowledged, to) = (Arc::clone(&acknowledged), house.address());
            clients.spawn(async move {
                loop {
                    let is_late = acknowledged.load(Ordering::SeqCst);
                    let mut client = Client::new(to).await;
                    let _ = client.stream.write_all(ASK.as_bytes()).await;
                    let head = client.head().await.unwrap_or_default();
                    if is_late {
                        return head;
                    }
                    if head.starts_with("HTTP/1.1 200") {
                        client.rest().await;
                    }
                }
            });
        }
        let envelope = text(&closing(cells(&[MELDEN]), epoch));
        let answer = post(house.admin(), "/close", &envelope).await;
        acknowledged.store(true, Ordering::SeqCst);
        assert_eq!(answer.status, 200, "{}", answer.body);
        while !clients.is_empty() {
            let ended = tokio::time::timeout(FOR_EVER, clients.join_next()).await;
            let head = ended
                .expect("an answer went on after the close")
                .unwrap()
                .unwrap();
            assert!(head.starts_with("HTTP/1.1 503"), "round {epoch}: {head}");
        }
    }
}
