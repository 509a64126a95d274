//! The same over HTTP/2: streams of a closed cell end, the others on the connection go on.

use anlauf_model::{Epoch, Stage};
use h2::client::{ResponseFuture, SendRequest};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::backend::{Backend, mirror};
use crate::cast::{HOST, MELDEN, SOZIALES, cells, closing, text};
use crate::client::post;
use crate::house::House;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";

struct Line {
    send: SendRequest<Bytes>,
    drive: JoinHandle<()>,
}

impl Line {
    async fn new(house: &House) -> Self {
        let stream = TcpStream::connect(house.address()).await.unwrap();
        let (send, connection) = h2::client::handshake(stream).await.unwrap();
        let drive = tokio::spawn(async move { drop(connection.await) });
        Self { send, drive }
    }

    async fn ask(
        &mut self,
        request: Request<()>,
        end: bool,
    ) -> (ResponseFuture, h2::SendStream<Bytes>) {
        std::future::poll_fn(|cx| self.send.poll_ready(cx))
            .await
            .unwrap();
        self.send.send_request(request, end).unwrap()
    }

    async fn get(&mut self, path: &str) -> ResponseFuture {
        self.ask(request("GET", HOST, path), true).await.0
    }
}

fn request(method: &str, host: &str, path: &str) -> Request<()> {
    Request::builder()
        .method(method)
        .uri(format!("http://{host}{path}"))
        .body(())
        .unwrap()
}

async fn shut(house: &House, id: &str) {
    let answer = post(house.admin(), "/close", &text(&closing(cells(&[id]), 1))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(house.stage(id), (Stage::Closed, Epoch(1)));
}

async fn open() -> (House, Backend) {
    let backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(MELDEN, 1, Stage::Full).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    (house, backend)
}

async fn data(body: &mut h2::RecvStream, size: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < size {
        let data = body.data().await.unwrap().unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        all.extend_from_slice(&data);
    }
    all
}

#[tokio::test]
async fn one_stream_is_cut_and_the_other_goes_on() {
    let (house, mut backend) = open().await;
    let mut line = Line::new(&house).await;
    let cut = line.get("/melden/a").await;
    let mut cut_exchange = backend.next().await;
    cut_exchange.say(&format!("{HEAD}before")).await;
    let mut cut = cut.await.unwrap().into_body();
    assert_eq!(data(&mut cut, 6).await, b"before");
    let kept = line.get("/soziales/a").await;
    let mut kept_exchange = backend.next().await;
    kept_exchange.say(&format!("{HEAD}before")).await;
    let mut kept = kept.await.unwrap().into_body();
    assert_eq!(data(&mut kept, 6).await, b"before");

    shut(&house, MELDEN).await;
    let _ = cut_exchange.stream.write_all(b"after").await;
    let error = cut.data().await.unwrap().unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::CANCEL), "{error}");
    assert_eq!(cut_exchange.rest().await, b"");
    kept_exchange.say("after").await;
    assert_eq!(data(&mut kept, 5).await, b"after");
    // The closed cell says an honest no on the same connection.
    assert_eq!(
        line.get("/melden/a").await.await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    kept_exchange.say(&"x".repeat(100 - 11)).await;
    assert_eq!(data(&mut kept, 89).await.len(), 89);
    assert_eq!(house.gate.counts().cut, 1);
}

#[tokio::test]
async fn a_connection_with_nothing_else_is_cut_whole() {
    let (house, mut backend) = open().await;
    let mut line = Line::new(&house).await;
    let cut = line.get("/melden/a").await;
    let mut exchange = backend.next().await;
    exchange.say(&format!("{HEAD}before")).await;
    let mut cut = cut.await.unwrap().into_body();
    assert_eq!(data(&mut cut, 6).await, b"before");

    shut(&house, MELDEN).await;
    let _ = exchange.stream.write_all(b"after").await;
    cut.data().await.unwrap().unwrap_err();
    line.drive.await.unwrap();
    assert_eq!(exchange.rest().await, b"");
}

#[tokio::test]
async fn a_client_that_does_not_answer_loses_the_connection() {
    let (house, mut backend) = open().await;
    let stream = TcpStream::connect(house.address()).await.unwrap();
    let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
    // Driven by hand: after both answers have begun it falls silent, and no PING comes back.
    let mut connection = Box::pin(connection);
    let mut asked = Vec::new();
    for path in ["/melden/a", "/soziales/a"] {
        let (answer, _) = send.send_request(request("GET", HOST, path), true).unwrap();
        let mut exchange = tokio::select! {
            exchange = backend.next() => exchange,
            ended = &mut connection => panic!("{ended:?}"),
        };
        exchange.say(&format!("{HEAD}before")).await;
        let answer = tokio::select! {
            answer = answer => answer.unwrap(),
            ended = &mut connection => panic!("{ended:?}"),
        };
        asked.push((exchange, answer));
    }
    shut(&house, MELDEN).await;
    for (exchange, _) in &mut asked {
        let _ = exchange.stream.write_all(b"after").await;
    }
    connection.await.unwrap_err();
    for (exchange, answer) in asked {
        assert_eq!(exchange.rest().await, b"");
        let mut body = answer.into_body();
        let mut all = Vec::new();
        while let Some(Ok(data)) = body.data().await {
            all.extend_from_slice(&data);
        }
        assert!(!String::from_utf8(all).unwrap().contains("after"));
    }
}

#[tokio::test]
async fn an_upload_is_cut() {
    let (house, mut backend) = open().await;
    let mut line = Line::new(&house).await;
    let kept = line.get("/soziales/a").await;
    let mut kept_exchange = backend.next().await;
    kept_exchange.say(&format!("{HEAD}before")).await;
    let mut kept = kept.await.unwrap().into_body();
    data(&mut kept, 6).await;

    let (answer, mut body) = line.ask(request("POST", HOST, "/melden/a"), false).await;
    body.send_data(Bytes::from_static(b"before"), false)
        .unwrap();
    let exchange = backend.next().await;
    shut(&house, MELDEN).await;
    let _ = body.send_data(Bytes::from_static(b"after"), true);
    let error = answer.await.unwrap_err();
    assert_eq!(error.reason(), Some(h2::Reason::CANCEL), "{error}");
    let got = String::from_utf8(exchange.rest().await).unwrap();
    assert!(got == "6\r\nbefore\r\n" || got.is_empty(), "{got}");
    kept_exchange.say("after").await;
    assert_eq!(data(&mut kept, 5).await, b"after");
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_ends_the_stream() {
    let (house, mut backend) = open().await;
    let mut line = Line::new(&house).await;
    let kept = line.get("/soziales/a").await;
    let mut kept_exchange = backend.next().await;
    kept_exchange.say(&format!("{HEAD}before")).await;
    let mut kept = kept.await.unwrap().into_body();
    data(&mut kept, 6).await;

    let (answer, mut body) = line.ask(request("POST", HOST, "/melden/a"), false).await;
    body.send_data(Bytes::from_static(b"before"), false)
        .unwrap();
    let mut exchange = backend.next().await;
    let early = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\n\r\nfull";
    exchange.say(early).await;
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(data(&mut answer.into_body(), 4).await, b"full");
    // RFC 9113, section 8.1: whoever answers early asks, without an error, to stop sending.
    let reset = std::future::poll_fn(|cx| body.poll_reset(cx))
        .await
        .unwrap();
    assert_eq!(reset, h2::Reason::NO_ERROR);
    kept_exchange.say("after").await;
    assert_eq!(data(&mut kept, 5).await, b"after");

    // Nothing is left that could empty the queue of that stream: the connection is the proof.
    shut(&house, MELDEN).await;
    line.drive.await.unwrap();
}

#[tokio::test]
async fn hosts_and_paths_are_read_as_strictly_as_in_http1() {
    let house = House::grounded(mirror().await).await;
    house.open(SOZIALES, 1, Stage::Full).await;
    let mut line = Line::new(&house).await;
    let mut with_host = request("GET", HOST, "/soziales/a");
    let other = "stadt-ulmenau.kommunen.example".parse().unwrap();
    with_host.headers_mut().insert("host", other);
    let asked = [
        (request("GET", HOST, "/soziales/a"), 200),
        (request("GET", HOST, "/melden/a"), 503),
        (request("GET", HOST, "/nichts"), 404),
        (request("GET", HOST, "/soziales/../melden"), 400),
        (request("GET", "nobody.example", "/soziales/a"), 421),
        (with_host, 400),
        (request("TRACE", HOST, "/soziales/a"), 405),
    ];
    for (asked, want) in asked {
        let name = format!("{asked:?}");
        let (answer, _) = line.ask(asked, true).await;
        assert_eq!(answer.await.unwrap().status().as_u16(), want, "{name}");
    }
}

/// What a program of other people says that asks this gate, its name resolved to here.
async fn says(program: &str, arguments: &[String]) -> String {
    let out = tokio::process::Command::new(program)
        .args(arguments)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{program}: {said}");
    said
}

#[tokio::test]
async fn h2load_is_served_and_refused_many_at_once() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let to = house.address();
    let load = |path: &str| {
        let arguments = ["-n", "300", "-c", "3", "-m", "20", "--connect-to"];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
        arguments.extend([to.to_string(), format!("http://{HOST}{path}")]);
        arguments
    };
    let said = says("h2load", &load("/melden/a")).await;
    assert!(said.contains("Application protocol: h2c"), "{said}");
    assert!(said.contains("300 succeeded, 0 failed"), "{said}");
    let codes = "status codes: 300 2xx, 0 3xx, 0 4xx, 0 5xx";
    assert!(said.contains(codes), "{said}");
    let said = says("h2load", &load("/soziales/a")).await;
    let codes = "status codes: 0 2xx, 0 3xx, 0 4xx, 300 5xx";
    assert!(said.contains(codes), "{said}");
}

/// Its frames are those of a strict library: what it does not understand it says.
#[tokio::test]
async fn nghttp_understands_every_frame() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let folder = tempfile::tempdir().unwrap();
    let body = folder.path().join("body");
    // More than one window of flow control.
    std::fs::write(&body, vec![b'a'; 300_000]).unwrap();
    let arguments = |more: &[&str]| {
        // A stream that does not end is an error of the program, in seconds.
        let mut all = ["-v", "-n", "-t", "20"].map(str::to_owned).to_vec();
        all.push(format!("-H:authority: {HOST}"));
        all.extend(more.iter().map(|text| (*text).to_owned()));
        all.push(format!("http://{}/melden/a", house.address()));
        all
    };
    for (more, count) in [
        (&["-m", "20"][..], 20),
        (&["--data", body.to_str().unwrap()], 1),
        (&["--no-dep", "--padding", "100"], 1),
    ] {
        let said = says("nghttp", &arguments(more)).await;
        assert_eq!(said.matches(":status: 200").count(), count, "{said}");
        assert!(!said.contains("[ERROR]"), "{said}");
        // The backend answers before the end of a long body: nobody reads on, and no harm done.
        let mut resets = said.split("RST_STREAM").skip(1);
        assert!(
            resets.all(|rest| rest.lines().nth(1).unwrap().contains("NO_ERROR")),
            "{said}"
        );
    }
}
