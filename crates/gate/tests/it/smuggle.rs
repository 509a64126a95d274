//! One request in is one request out, framed anew; what can be read in two ways is refused.

use anlauf_model::Stage;
use tokio::io::AsyncWriteExt;

use crate::backend::{Backend, Exchange};
use crate::cast::{HOST, SOZIALES};
use crate::client::Client;
use crate::house::House;

/// What the backend gets of a request: its body, or nothing at all.
enum Want {
    /// The status that the gate itself answers; or an end without a word.
    No(u16),
    /// A body that breaks on its way: begun perhaps, never ended, and the client is told so.
    Broken,
    /// Exactly this body, in one request, and nothing behind it.
    Body(&'static str),
}
use Want::{Body, Broken, No};

const START: &str = "POST /soziales/a HTTP/1.1\r\nhost: stadt-ahornfeld.kommunen.example\r\n";
const INSIDE: &str = "GET /melden/secret HTTP/1.1\r\nhost: x\r\n\r\n";

type Case = (&'static str, String, Want);

fn cases() -> Vec<Case> {
    [lengths(), both(), codings(), feeds(), lines(), heads()]
        .into_iter()
        .flatten()
        .collect()
}

fn with(lines: &str, body: &str) -> String {
    format!("{START}{lines}\r\n{body}")
}

const CHUNKED: &str = "transfer-encoding: chunked\r\n";

fn lengths() -> Vec<Case> {
    vec![
        (
            "plain length",
            with("content-length: 5\r\n", "hello"),
            Body("hello"),
        ),
        (
            "chunked",
            with(CHUNKED, "5\r\nhello\r\n0\r\n\r\n"),
            Body("hello"),
        ),
        (
            "chunk extension",
            with(CHUNKED, "5;a=\"b\"\r\nhello\r\n0\r\n\r\n"),
            Broken,
        ),
        (
            "trailer",
            with(CHUNKED, "5\r\nhello\r\n0\r\nhost: y\r\n\r\n"),
            Body("hello"),
        ),
        (
            "the same length twice",
            with("content-length: 5\r\ncontent-length: 5\r\n", "hello"),
            No(400),
        ),
        (
            "two lengths",
            with("content-length: 5\r\ncontent-length: 6\r\n", "hello!"),
            No(400),
        ),
        (
            "two lengths in a line",
            with("content-length: 5, 6\r\n", "hello!"),
            No(400),
        ),
        (
            "length with sign",
            with("content-length: +5\r\n", "hello"),
            No(400),
        ),
        (
            "negative length",
            with("content-length: -1\r\n", "hello"),
            No(400),
        ),
        (
            "hexadecimal length",
            with("content-length: 0x5\r\n", "hello"),
            No(400),
        ),
        (
            "length beyond numbers",
            with("content-length: 99999999999999999999\r\n", ""),
            No(400),
        ),
    ]
}

fn both() -> Vec<Case> {
    vec![
        (
            "length and chunks (CL.TE)",
            with(
                &format!("content-length: 5\r\n{CHUNKED}"),
                &format!("0\r\n\r\n{INSIDE}"),
            ),
            No(400),
        ),
        (
            "chunks and length (TE.CL)",
            with(
                &format!("{CHUNKED}content-length: 5\r\n"),
                &format!("0\r\n\r\n{INSIDE}"),
            ),
            No(400),
        ),
        (
            "two codings (TE.TE)",
            with(
                &format!("{CHUNKED}transfer-encoding: x\r\n"),
                &format!("0\r\n\r\n{INSIDE}"),
            ),
            No(400),
        ),
    ]
}

fn codings() -> Vec<Case> {
    vec![
        (
            "a coding that is spelled with an underscore is none",
            with(
                "transfer_encoding: chunked\r\ncontent-length: 5\r\n",
                "hello",
            ),
            Body("hello"),
        ),
        (
            "coding in quotes",
            with("transfer-encoding: \"chunked\"\r\n", "0\r\n\r\n"),
            No(400),
        ),
        (
            "coding with parameter",
            with("transfer-encoding: chunked;q=1\r\n", "0\r\n\r\n"),
            No(400),
        ),
        (
            "coding behind a vertical tab",
            with("transfer-encoding: \u{b}chunked\r\n", "0\r\n\r\n"),
            No(400),
        ),
        (
            "a connection line that takes the length away",
            with(
                "connection: content-length\r\ncontent-length: 5\r\n",
                "hello",
            ),
            Body("hello"),
        ),
        (
            "unknown coding",
            with("transfer-encoding: xchunked\r\n", "0\r\n\r\n"),
            No(400),
        ),
        (
            "chunked is not last",
            with("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
            No(400),
        ),
        (
            "coding with tab",
            with("transfer-encoding:\tchunked\r\n", "0\r\n\r\n"),
            Body(""),
        ),
        (
            "coding behind a fold",
            with("transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n"),
            No(400),
        ),
    ]
}

fn feeds() -> Vec<Case> {
    vec![
        (
            "bare line feed between lines",
            with("x: a\ncontent-length: 5\r\n", "hello"),
            No(400),
        ),
        (
            "bare line feed as the blank line",
            format!("{START}x: a\r\n\n{INSIDE}"),
            No(400),
        ),
        (
            "fold",
            with("x: a\r\n content-length: 5\r\n", "hello"),
            No(400),
        ),
        (
            "bare line feed behind a chunk size",
            with(CHUNKED, "5\nhello\r\n0\r\n\r\n"),
            Broken,
        ),
        (
            "bare line feed behind a chunk",
            with(CHUNKED, "5\r\nhello\n0\r\n\r\n"),
            Broken,
        ),
        (
            "blank behind a chunk size",
            with(CHUNKED, "5 \r\nhello\r\n0\r\n\r\n"),
            Broken,
        ),
        (
            "chunk size with 0x",
            with(CHUNKED, "0x5\r\nhello\r\n0\r\n\r\n"),
            Broken,
        ),
    ]
}

fn lines() -> Vec<Case> {
    vec![
        (
            "blank before the colon",
            with("transfer-encoding : chunked\r\n", "0\r\n\r\n"),
            No(400),
        ),
        (
            "line begins with a blank",
            with(" content-length: 5\r\n", "hello"),
            No(400),
        ),
        (
            "zero byte in a name",
            with("content\0-length: 5\r\n", "hello"),
            No(400),
        ),
        ("zero byte in a value", with("x: a\0b\r\n", ""), No(400)),
        (
            "bare carriage return",
            with("x: a\rcontent-length: 5\r\n", "hello"),
            No(400),
        ),
        ("line without colon", with("nonsense\r\n", ""), No(400)),
        (
            "chunk size with sign",
            with(CHUNKED, "+5\r\nhello\r\n0\r\n\r\n"),
            Broken,
        ),
        (
            "chunk size beyond numbers",
            with(CHUNKED, "fffffffffffffffff\r\nhello"),
            Broken,
        ),
        (
            "chunk longer than it says",
            with(CHUNKED, "3\r\nhello\r\n0\r\n\r\n"),
            Broken,
        ),
    ]
}

fn heads() -> Vec<Case> {
    vec![
        ("two hosts", format!("{START}host: {HOST}\r\n\r\n"), No(400)),
        (
            "no host",
            "GET /soziales/a HTTP/1.1\r\n\r\n".into(),
            No(400),
        ),
        (
            "chunks in HTTP/1.0",
            with(CHUNKED, "0\r\n\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1),
            No(400),
        ),
        (
            "another version",
            with("", "").replacen("HTTP/1.1", "HTTP/1.2", 1),
            No(400),
        ),
        (
            "blank in the target",
            with("", "").replacen("/soziales/a", "/soziales/a b", 1),
            No(400),
        ),
        (
            "fragment in the target",
            with("", "").replacen("/soziales/a", "/soziales/a#b", 1),
            No(400),
        ),
        (
            "tab in the request line",
            with("", "").replacen(" HTTP/1.1", "\tHTTP/1.1", 1),
            No(400),
        ),
        (
            "no version",
            "GET /soziales/a\r\nhost: stadt-ahornfeld.kommunen.example\r\n\r\n".into(),
            No(400),
        ),
        (
            "host of the target and of the line differ",
            with("", "").replacen("/soziales/a", "http://other.example/soziales/a", 1),
            No(400),
        ),
        (
            "tunnel",
            format!("CONNECT {HOST}:443 HTTP/1.1\r\nhost: {HOST}\r\n\r\n"),
            No(405),
        ),
        (
            "echo",
            format!("TRACE /soziales/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n"),
            No(405),
        ),
        ("too many lines", with(&"x: y\r\n".repeat(200), ""), No(431)),
        (
            "too long a head",
            with(&format!("x: {}\r\n", "y".repeat(64 * 1024)), ""),
            No(431),
        ),
    ]
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_or_said_anew() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    let cases = cases();
    for (number, (name, text, want)) in cases.iter().enumerate() {
        // Each case has its own path, so that what comes late is laid at the right door.
        let text = text.replacen("/soziales/a", &format!("/soziales/{number}"), 1);
        let mut client = Client::new(house.address()).await;
        // The gate may hang up before everything is said.
        let _ = client.stream.write_all(text.as_bytes()).await;
        if let Body(body) = want {
            let mut exchange = loop {
                let exchange = backend.next().await;
                if case(&exchange) == number {
                    break exchange;
                }
                never_ends(&cases, exchange).await;
            };
            assert_eq!(body_of(&mut exchange).await, *body, "{name}");
            let done = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            exchange.say(done).await;
            assert_eq!(client.answer().await.unwrap().status, 200, "{name}");
            assert_eq!(
                exchange.rest().await,
                b"",
                "{name}: nothing behind the request"
            );
            continue;
        }
        let status = client.answer().await.map(|answer| answer.status);
        match (want, status) {
            (No(_), None) | (Broken, Some(400)) => {}
            (No(want), Some(status)) if *want == status => {}
            _ => panic!("{name}: {status:?}"),
        }
    }
    while let Some(exchange) = backend.quiet() {
        never_ends(&cases, exchange).await;
    }
    assert_eq!(
        house
            .gate
            .stage(&crate::cast::cell(crate::cast::MELDEN))
            .unwrap()
            .0,
        Stage::Closed
    );
}

/// Reads one body as the head frames it, and takes it out of the exchange.
async fn body_of(exchange: &mut Exchange) -> String {
    let head = exchange.head.to_ascii_lowercase();
    let lengths = head.matches("content-length:").count();
    let codings = head.matches("transfer-encoding:").count();
    assert!(lengths + codings <= 1, "{head}");
    if codings == 1 {
        exchange.until(b"0\r\n\r\n").await;
        let text = String::from_utf8(std::mem::take(&mut exchange.body)).unwrap();
        let pieces = text.split("\r\n").collect::<Vec<_>>();
        return pieces
            .chunks(2)
            .filter_map(|pair| pair.get(1))
            .copied()
            .collect();
    }
    let size = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let size: usize = size.map_or(0, |size| size.parse().unwrap());
    exchange.at_least(size).await;
    String::from_utf8(std::mem::take(&mut exchange.body)).unwrap()
}

/// The number of the case that an exchange belongs to.
fn case(exchange: &Exchange) -> usize {
    let path = exchange.head.split(' ').nth(1).unwrap();
    path.rsplit('/').next().unwrap().parse().unwrap()
}

/// Only a broken body may have come here, and it does not end.
async fn never_ends(cases: &[Case], exchange: Exchange) {
    let (name, _, want) = &cases[case(&exchange)];
    assert!(matches!(want, Broken), "{name}: {}", exchange.head);
    let rest = String::from_utf8(exchange.rest().await).unwrap();
    assert!(!rest.contains("0\r\n\r\n"), "{name}: {rest}");
}
