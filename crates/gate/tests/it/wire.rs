//! HTTP/1.1 as clients and backends speak it: kept connections, other protocols, early answers.

use anlauf_gate::Serving;
use anlauf_model::{Epoch, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{Backend, Exchange, mirror};
use crate::cast::{HOST, MELDEN, cells, closing, text};
use crate::client::{Client, post};
use crate::house::House;

const DONE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone";

async fn open() -> (House, Backend) {
    let backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(MELDEN, 1, Stage::Full).await;
    (house, backend)
}

async fn shut(house: &House) {
    let answer = post(
        house.admin(),
        "/close",
        &text(&closing(cells(&[MELDEN]), 1)),
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
}

fn ask(method: &str, lines: &str) -> String {
    format!("{method} /melden/a HTTP/1.1\r\nhost: {HOST}\r\n{lines}\r\n")
}

const SWITCH: &str = "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: eA==\r\n";
const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

#[tokio::test]
async fn another_protocol_passes_both_ways_and_is_cut() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(&ask("GET", SWITCH)).await;
    let mut exchange = backend.next().await;
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-key: eA==",
    ] {
        assert!(exchange.head.contains(line), "{}", exchange.head);
    }
    exchange.say(&format!("{SWITCHED}\u{1}first")).await;
    let head = client.head().await.unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("upgrade: websocket"), "{head}");
    assert_eq!(client.exactly(6).await.unwrap(), b"\x01first");
    client.say("\u{2}second").await;
    exchange.until(b"\x02second").await;
    exchange.say("\u{1}third").await;
    assert_eq!(client.exactly(6).await.unwrap(), b"\x01third");
    assert_eq!(house.gate.counts().passed, 1);

    shut(&house).await;
    let _ = exchange.stream.write_all(b"after").await;
    assert_eq!(client.settle().await, (0, 0));
    let rest = exchange.rest().await;
    assert_eq!(rest, b"\x02second", "the backend hears nothing more");
    assert_eq!(house.gate.counts().cut, 1);
}

#[tokio::test]
async fn nobody_is_changed_to_another_protocol_unasked() {
    let (house, mut backend) = open().await;
    for lines in [
        "",
        "upgrade: websocket\r\n",
        "connection: upgrade\r\nupgrade: h2c\r\n",
        "connection: upgrade\r\nupgrade: a\r\nupgrade: b\r\n",
    ] {
        let mut client = Client::new(house.address()).await;
        client.say(&ask("GET", lines)).await;
        let mut exchange = backend.next().await;
        assert!(!exchange.head.contains("upgrade"), "{}", exchange.head);
        exchange.say(SWITCHED).await;
        assert_eq!(client.answer().await.unwrap().status, 502, "{lines}");
    }
}

#[tokio::test]
async fn a_client_that_asks_whether_to_go_on_is_told_by_the_backend() {
    let (house, mut backend) = open().await;
    let expect = "expect: 100-continue\r\ncontent-length: 5\r\n";
    let mut client = Client::new(house.address()).await;
    client.say(&ask("POST", expect)).await;
    let mut exchange = backend.next().await;
    assert!(exchange.head.contains("expect: 100-continue"));
    exchange.say("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(
        client.head().await.unwrap(),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    client.say("hello").await;
    exchange.until(b"hello").await;
    exchange.say(DONE).await;
    assert_eq!(client.answer().await.unwrap().body, "done");

    // A no comes before the body, and the connection ends: the body is not read as a request.
    shut(&house).await;
    let mut client = Client::new(house.address()).await;
    client.say(&ask("POST", expect)).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert_eq!(client.rest().await, b"");
    assert!(backend.is_quiet());
}

#[tokio::test]
async fn trailers_pass_to_whoever_takes_them() {
    let (house, mut backend) = open().await;
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
                  4;ext=1\r\ndone\r\n0\r\nx-sum: 1\r\ncontent-length: 9\r\n\r\n";
    for (lines, want) in [
        ("te: trailers\r\n", "4\r\ndone\r\n0\r\nx-sum: 1\r\n\r\n"),
        ("te: gzip\r\n", "4\r\ndone\r\n0\r\n\r\n"),
    ] {
        let mut client = Client::new(house.address()).await;
        client
            .say(&ask("GET", &format!("{lines}connection: close\r\n")))
            .await;
        let mut exchange = backend.next().await;
        exchange.say(answer).await;
        client.head().await.unwrap();
        assert_eq!(String::from_utf8(client.rest().await).unwrap(), want);
        drop(exchange);
    }
    let mut client = Client::new(house.address()).await;
    client
        .say(&ask("POST", "transfer-encoding: chunked\r\n"))
        .await;
    client
        .say("4\r\nbody\r\n0\r\nx-sum: 2\r\nhost: y\r\n\r\n")
        .await;
    let mut exchange = backend.next().await;
    exchange.until(b"4\r\nbody\r\n0\r\nx-sum: 2\r\n\r\n").await;
}

/// Reads the next head that comes on the same connection.
async fn next_head(exchange: &mut Exchange) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match exchange.stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            _ => return None,
        }
    }
    Some(String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn a_backends_connection_is_kept_and_its_end_is_noticed() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(&ask("GET", "")).await;
    let mut exchange = backend.next().await;
    exchange.say(DONE).await;
    client.answer().await.unwrap();
    // Another client, the same connection.
    let mut other = Client::new(house.address()).await;
    other.say(&ask("GET", "x: 2\r\n")).await;
    let head = next_head(&mut exchange).await.unwrap();
    assert!(head.contains("x: 2"), "{head}");
    exchange.say(DONE).await;
    assert_eq!(other.answer().await.unwrap().body, "done");
    assert!(backend.is_quiet());

    // It closes under the next request: asked again on a fresh one, for GET does nothing twice.
    client.say(&ask("GET", "x: 3\r\n")).await;
    next_head(&mut exchange).await.unwrap();
    drop(exchange);
    let mut exchange = backend.next().await;
    assert!(exchange.head.contains("x: 3"));
    exchange.say(DONE).await;
    assert_eq!(client.answer().await.unwrap().body, "done");

    // Not so for what may have been done.
    client.say(&ask("POST", "content-length: 0\r\n")).await;
    next_head(&mut exchange).await.unwrap();
    drop(exchange);
    assert_eq!(client.answer().await.unwrap().status, 502);
    assert!(backend.is_quiet());
}

#[tokio::test]
async fn what_a_backend_says_too_much_reaches_nobody() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(&ask("GET", "")).await;
    let mut exchange = backend.next().await;
    let spare = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen";
    exchange.say(&format!("{DONE}{spare}")).await;
    assert_eq!(client.answer().await.unwrap().body, "done");
    client.say(&ask("GET", "")).await;
    let mut fresh = backend.next().await;
    fresh.say(DONE).await;
    assert_eq!(client.answer().await.unwrap().body, "done");
}

#[tokio::test]
async fn a_backend_that_can_be_read_in_two_ways_is_not_believed() {
    let (house, mut backend) = open().await;
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\ndone",
        "HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\ndone",
        "HTTP/1.1 200 OK\r\nx: a\r\n folded\r\ncontent-length: 4\r\n\r\ndone",
        "HTTP/1.1 200 OK\ncontent-length: 4\n\ndone",
        "HTTP/1.1 99 No\r\ncontent-length: 4\r\n\r\ndone",
        "nonsense\r\n\r\n",
    ] {
        let mut client = Client::new(house.address()).await;
        client.say(&ask("GET", "")).await;
        let mut exchange = backend.next().await;
        exchange.say(answer).await;
        assert_eq!(client.answer().await.unwrap().status, 502, "{answer:?}");
        assert_eq!(exchange.rest().await, b"", "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_length_is_framed_for_the_client() {
    let (house, mut backend) = open().await;
    let bare = "HTTP/1.1 200 OK\r\n\r\ndone";
    let mut client = Client::new(house.address()).await;
    client.say(&ask("GET", "")).await;
    let mut exchange = backend.next().await;
    exchange.say(bare).await;
    assert!(
        client
            .head()
            .await
            .unwrap()
            .contains("transfer-encoding: chunked")
    );
    assert_eq!(client.exactly(9).await.unwrap(), b"4\r\ndone\r\n");
    drop(exchange);
    assert_eq!(client.exactly(5).await.unwrap(), b"0\r\n\r\n");

    let mut old = Client::new(house.address()).await;
    old.say(&ask("GET", "").replace("HTTP/1.1", "HTTP/1.0"))
        .await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ndone\r\n0\r\n\r\n")
        .await;
    let head = old.head().await.unwrap();
    assert!(
        head.contains("connection: close") && !head.contains("chunked"),
        "{head}"
    );
    assert_eq!(old.rest().await, b"done");
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_not_look_whole() {
    let (house, mut backend) = open().await;
    for (head, part) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", "half"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "4\r\nhalf\r\n",
        ),
    ] {
        let mut client = Client::new(house.address()).await;
        client.say(&ask("GET", "")).await;
        let mut exchange = backend.next().await;
        exchange.say(&format!("{head}{part}")).await;
        client.head().await.unwrap();
        assert_eq!(client.exactly(part.len()).await.unwrap(), part.as_bytes());
        drop(exchange);
        assert_eq!(client.rest().await, b"");
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_ends_the_connection() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(&ask("POST", "content-length: 1000\r\n")).await;
    client.say("begun").await;
    let mut exchange = backend.next().await;
    exchange.until(b"begun").await;
    exchange
        .say("HTTP/1.1 413 No\r\ncontent-length: 4\r\n\r\nmuch")
        .await;
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (413, "much"));
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn an_answer_to_head_has_no_body() {
    let (house, mut backend) = open().await;
    let mut client = Client::new(house.address()).await;
    client.say(&ask("HEAD", "")).await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n")
        .await;
    assert!(client.head().await.unwrap().contains("content-length: 4"));
    client.say(&ask("GET", "")).await;
    next_head(&mut exchange).await.unwrap();
    exchange.say(DONE).await;
    assert_eq!(client.answer().await.unwrap().body, "done");
}

#[tokio::test]
async fn workers_share_the_port_and_the_close() {
    let backend = mirror().await;
    let workers = |config: &mut anlauf_gate::GateConfig| {
        config.serving = Serving {
            workers: 3,
            ..Serving::default()
        }
    };
    let house = House::with(backend, workers).await;
    house.ground().await;
    house.open(MELDEN, 1, Stage::Full).await;
    let mut clients = Vec::new();
    for _ in 0..32 {
        let mut client = Client::new(house.address()).await;
        assert_eq!(client.get(HOST, "/melden/a").await.status, 200);
        clients.push(client);
    }
    shut(&house).await;
    for client in clients {
        assert_eq!(client.settle().await, (0, 0));
    }
    assert_eq!(house.gate.counts().cut, 32);
    house.gate.stop().await;
}

/// Server-sent events: each passes as soon as it is said, for hours, until the cell is shut.
#[tokio::test]
async fn events_pass_one_by_one_until_the_close() {
    for flag in ["--http1.1", "--http2-prior-knowledge"] {
        let mut backend = Backend::new().await;
        let house = House::grounded(backend.address).await;
        house.open(MELDEN, 1, Stage::Full).await;
        let mut curl = tokio::process::Command::new("curl")
            .args(["--silent", "--no-buffer", "--noproxy", "*", flag])
            .args(["--header", &format!("host: {HOST}")])
            .args(["--header", "accept: text/event-stream"])
            .arg(format!("http://{}/melden/events", house.address()))
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("these tests need `curl`");
        let mut seen = curl.stdout.take().unwrap();
        let mut exchange = backend.next().await;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";
        exchange.say(head).await;
        for number in 0..5 {
            let event = format!("id: {number}\ndata: something happened\n\n");
            exchange
                .say(&format!("{:x}\r\n{event}\r\n", event.len()))
                .await;
            // The next is said only when this one has arrived.
            let mut room = vec![0; event.len()];
            seen.read_exact(&mut room).await.unwrap();
            assert_eq!(String::from_utf8(room).unwrap(), event, "{flag}");
        }
        shut(&house).await;
        let _ = exchange.stream.write_all(b"5\r\nafter\r\n0\r\n\r\n").await;
        let mut late = Vec::new();
        seen.read_to_end(&mut late).await.unwrap();
        assert_eq!(late, b"", "{flag}");
        let ended = curl.wait().await.unwrap();
        assert!(
            !ended.success(),
            "{flag}: a stream that was cut is not whole"
        );
    }
}
