//! The access log: one line for everything that came, whole or cut, and nothing that is nobody's
//! business.

use std::path::PathBuf;

use anlauf_gate::{AccessLog, Clients, GateConfig};
use anlauf_model::{Epoch, Stage};
use h2::client;
use hyper::Request;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::{Backend, mirror};
use crate::cast::{HOST, MELDEN, cell, cells, closing, text};
use crate::client::{Client, get, get_with, post};
use crate::house::House;
use crate::smtp;

struct Logged {
    house: House,
    folder: tempfile::TempDir,
}

/// A gate with a log, and one cell open.
async fn logged(backend: std::net::SocketAddr, change: impl FnOnce(&mut GateConfig)) -> Logged {
    let folder = tempfile::tempdir().unwrap();
    let to = Some(folder.path().join("access"));
    let house = House::with(backend, |config| {
        let clients = Clients::Short;
        config.serving.access = Some(AccessLog { to, clients });
        change(config);
    })
    .await;
    house.ground().await;
    house.open(MELDEN, 1, Stage::Full).await;
    Logged { house, folder }
}

impl Logged {
    fn path(&self) -> PathBuf {
        self.folder.path().join("access")
    }

    async fn shut(&self) {
        let envelope = text(&closing(cells(&[MELDEN]), 1));
        let answer = post(self.house.admin(), "/close", &envelope).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(self.house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    }

    /// Every line, when the gate has stopped.
    async fn lines(self) -> (Vec<Value>, String) {
        let path = self.path();
        self.house.gate.stop().await;
        (read(&path), std::fs::read_to_string(path).unwrap())
    }
}

fn read(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// What a line says under these names, in one text.
fn brief(line: &Value, names: &[&str]) -> String {
    let word = |name: &&str| match &line[*name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    names.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn every_request_has_a_line() {
    let logged = logged(mirror().await, |_| ()).await;
    let to = logged.house.address();
    let id = "x-request-id: 7f3a\r\ncookie: secret\r\n";
    get_with(to, HOST, "/melden/a?name=secret", id).await;
    get(to, HOST, "/soziales/b").await;
    get(to, HOST, "/nowhere").await;
    get(to, "nobody.example", "/").await;
    get(to, HOST, "/.anlauf/health").await;
    Client::new(to).await.ask("nonsense\r\n\r\n").await;
    let (lines, all) = logged.lines().await;
    let names = [
        "protocol", "method", "path", "cell", "stage", "verdict", "reason", "status",
    ];
    let briefs: Vec<_> = lines.iter().map(|line| brief(line, &names)).collect();
    insta::assert_snapshot!(briefs.join("\n"), @r"
    http/1 GET /melden/a stadt-ahornfeld/meldewesen full passed null 200
    http/1 GET /soziales/b stadt-ahornfeld/sozialhilfe closed refused closed 503
    http/1 GET /nowhere null null unknown null 404
    http/1 GET / null null unknown null 421
    http/1 GET /.anlauf/health null null own null 200
    http/1 null null null null unknown null 400
    ");
    let first = &lines[0];
    assert_eq!(first["client"], "127.0.0.0");
    assert_eq!(first["host"], HOST);
    assert_eq!(first["request"], "7f3a");
    assert_eq!(first["gate"], "gate-1");
    assert!(first["sent"].as_u64() > Some(100), "{first}");
    assert!(first["micros"].is_u64(), "{first}");
    let head = format!("GET /melden/a?name=secret HTTP/1.1\r\nhost: {HOST}\r\n{id}\r\n");
    assert_eq!(first["received"], head.len());
    assert!(!all.contains("secret"), "{all}");
}

/// Each request of a kept connection counts its own bytes.
#[tokio::test]
async fn a_kept_connection_has_a_line_for_each_request() {
    let logged = logged(mirror().await, |_| ()).await;
    let mut client = Client::new(logged.house.address()).await;
    let mut sizes = Vec::new();
    for path in ["/melden/a", "/melden/abc", "/soziales/b"] {
        let answer = client.get(HOST, path).await;
        sizes.push(answer.head.len() + answer.body.len());
    }
    let (lines, _) = logged.lines().await;
    let sent: Vec<_> = lines
        .iter()
        .map(|line| line["sent"].as_u64().unwrap())
        .collect();
    assert_eq!(
        sent,
        sizes.iter().map(|size| *size as u64).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn what_a_close_cuts_is_said_to_be_cut() {
    let mut backend = Backend::new().await;
    let logged = logged(backend.address, |_| ()).await;
    let mut client = Client::new(logged.house.address()).await;
    client
        .say(&format!("GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 206 Partial\r\ncontent-length: 100\r\n\r\nbefore")
        .await;
    client.head().await.unwrap();
    client.exactly(6).await.unwrap();
    // A client that leaves is none that was cut.
    let mut other = Client::new(logged.house.address()).await;
    other
        .say(&format!("GET /melden/b HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    let mut left = backend.next().await;
    left.say("HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n")
        .await;
    other.head().await.unwrap();
    drop(other);
    while left.stream.write_all(&[b'a'; 65_536]).await.is_ok() {}
    logged.shut().await;
    let names = ["path", "stage", "verdict", "status"];
    let (mut lines, _) = logged.lines().await;
    lines.sort_by_key(|line| line["path"].to_string());
    let briefs: Vec<_> = lines.iter().map(|line| brief(line, &names)).collect();
    assert_eq!(
        briefs,
        ["/melden/a full cut 206", "/melden/b full gone 200"]
    );
    let head = lines[0]["sent"].as_u64().unwrap();
    assert!(head > 6, "{}", lines[0]);
}

#[tokio::test]
async fn streams_of_http2_have_lines_of_their_own() {
    let mut backend = Backend::new().await;
    let logged = logged(backend.address, |_| ()).await;
    let stream = TcpStream::connect(logged.house.address()).await.unwrap();
    let (mut send, connection) = client::handshake(stream).await.unwrap();
    let drive = tokio::spawn(async move { drop(connection.await) });
    let ask = |path: &str| {
        let uri = format!("http://{HOST}{path}");
        Request::builder().uri(uri).body(()).unwrap()
    };
    let (whole, _) = send.send_request(ask("/melden/a?b=c"), true).unwrap();
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
        .await;
    let mut body = whole.await.unwrap().into_body();
    while let Some(data) = body.data().await {
        let size = data.unwrap().len();
        body.flow_control().release_capacity(size).unwrap();
    }
    let (shut, _) = send.send_request(ask("/soziales/b"), true).unwrap();
    assert_eq!(shut.await.unwrap().status(), 503);
    let (cut, _) = send.send_request(ask("/melden/c"), true).unwrap();
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbefore")
        .await;
    let answer = cut.await.unwrap();
    logged.shut().await;
    drop((answer, send));
    drive.abort();
    let names = ["protocol", "path", "verdict", "status"];
    let (lines, _) = logged.lines().await;
    let briefs: Vec<_> = lines.iter().map(|line| brief(line, &names)).collect();
    assert_eq!(
        briefs,
        [
            "http/2 /melden/a passed 200",
            "http/2 /soziales/b refused 503",
            "http/2 /melden/c cut 200",
        ]
    );
    assert_eq!(lines[0]["sent"], 5);
}

#[tokio::test]
async fn bytes_that_are_passed_through_have_lines_too() {
    let backend = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = backend.local_addr().unwrap();
    let logged = logged(address, |config| {
        let upstreams = &mut config.upstreams.cells;
        upstreams.insert(cell(MELDEN), format!("tcp://{address}"));
        config.serving.tcp = vec![("127.0.0.1:0".parse().unwrap(), cell(MELDEN))];
    })
    .await;
    let port = logged.house.gate.passing()[0];
    let mut client = TcpStream::connect(port).await.unwrap();
    let (mut server, _) = backend.accept().await.unwrap();
    client.write_all(b"QUIT").await.unwrap();
    client.shutdown().await.unwrap();
    let mut bytes = Vec::new();
    server.read_to_end(&mut bytes).await.unwrap();
    server.write_all(b"+OK bye").await.unwrap();
    drop(server);
    client.read_to_end(&mut bytes).await.unwrap();
    let client = TcpStream::connect(port).await.unwrap();
    let (server, _) = backend.accept().await.unwrap();
    logged.shut().await;
    drop((client, server));
    let mut late = TcpStream::connect(port).await.unwrap();
    let _ = late.read_to_end(&mut bytes).await;
    let (lines, _) = logged.lines().await;
    let names = ["protocol", "cell", "verdict", "received", "sent"];
    let briefs: Vec<_> = lines.iter().map(|line| brief(line, &names)).collect();
    let want = ["passed 4 7", "cut 0 0", "refused 0 0"];
    assert_eq!(briefs, want.map(|end| format!("tcp {MELDEN} {end}")));
}

#[tokio::test]
async fn every_recipient_has_a_line_and_no_address() {
    let servers = smtp::server::MailServer::new().await;
    let logged = logged(servers.address, |config| {
        config.serving.mail = Some(smtp::mail([servers.address; 3]));
    })
    .await;
    let mut mailer = smtp::Mailer::hello(logged.house.gate.mail()[0]).await;
    mailer.ask("MAIL FROM:<secret@client.example>").await;
    for to in ["melden.example", "soziales.example", "nobody.example"] {
        mailer.ask(&format!("RCPT TO:<secret@{to}>")).await;
    }
    mailer.ask("DATA").await;
    let said = mailer.ask("Subject: secret\r\n\r\nsecret\r\n.").await;
    assert!(said.starts_with("250 "), "{said}");
    mailer.ask("MAIL FROM:<secret@client.example>").await;
    mailer.ask("RCPT TO:<secret@melden.example>").await;
    logged.shut().await;
    drop(mailer);
    let (lines, all) = logged.lines().await;
    let names = [
        "protocol", "method", "host", "verdict", "reason", "status", "received",
    ];
    let briefs: Vec<_> = lines.iter().map(|line| brief(line, &names)).collect();
    insta::assert_snapshot!(briefs.join("\n"), @r"
    smtp RCPT soziales.example refused closed 450 0
    smtp RCPT nobody.example unknown null 550 0
    smtp RCPT melden.example passed null 250 27
    smtp RCPT melden.example cut null null 0
    ");
    assert!(!all.contains("secret"), "{all}");
}

#[tokio::test]
async fn who_is_turned_away_has_a_line() {
    let logged = logged(mirror().await, |config| {
        let elsewhere = "10.0.0.0/8".parse().unwrap();
        config.serving.heralds = vec![("127.0.0.1:0".parse().unwrap(), elsewhere)];
    })
    .await;
    let mut client = TcpStream::connect(logged.house.address()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = client.read_to_end(&mut bytes).await;
    let (lines, _) = logged.lines().await;
    let briefs: Vec<_> = lines
        .iter()
        .map(|line| brief(line, &["verdict", "reason"]))
        .collect();
    assert_eq!(briefs, ["turned_away stranger"]);
}

/// Looks after each answer of the gate, so many times.
async fn until(logged: &Logged, is_so: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if is_so() {
            return;
        }
        get(logged.house.admin(), "gate", "/health").await;
    }
    panic!("it never came about");
}

/// As logrotate does it.
#[tokio::test]
async fn a_file_that_was_moved_away_is_opened_anew() {
    let logged = logged(mirror().await, |_| ()).await;
    get(logged.house.address(), HOST, "/melden/a").await;
    let (path, moved) = (logged.path(), logged.folder.path().join("moved"));
    until(&logged, || read(&path).len() == 1).await;
    std::fs::rename(&path, &moved).unwrap();
    logged.house.gate.reopen_access_log();
    until(&logged, || path.exists()).await;
    get(logged.house.address(), HOST, "/melden/b").await;
    let Logged { house, folder } = logged;
    house.gate.stop().await;
    assert_eq!(read(&moved).len(), 1);
    assert_eq!(read(&path).len(), 1);
    drop(folder);
}

/// A full disk costs lines, never requests.
#[tokio::test]
async fn a_disk_that_takes_nothing_holds_nobody_up() {
    let full = AccessLog {
        to: Some("/dev/full".into()),
        clients: Clients::None,
    };
    let logged = logged(mirror().await, |config| config.serving.access = Some(full)).await;
    let mut client = Client::new(logged.house.address()).await;
    let lost = |metrics: &str| {
        let name = "anlauf_gate_access_log_lost_total ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().parse::<u64>().unwrap()
    };
    for _ in 0..5_000 {
        assert_eq!(client.get(HOST, "/melden/a").await.status, 200);
        let metrics = get(logged.house.admin(), "gate", "/metrics").await.body;
        if lost(&metrics) > 0 {
            return;
        }
    }
    panic!("the log never said that it lost something");
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_is_said_at_the_start() {
    let house = House::new(mirror().await).await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = house.config("127.0.0.1:9", dir.path());
    config.serving.access = Some(AccessLog {
        to: Some(dir.path().join("missing/access")),
        clients: Clients::None,
    });
    let refused = anlauf_gate::Gate::start(config).await;
    assert!(matches!(
        refused,
        Err(anlauf_gate::GateError::Setting { .. })
    ));
}

/// What another proxy was told, by the client it asks for.
#[tokio::test]
async fn questions_of_other_proxies_have_lines() {
    let logged = logged(mirror().await, |config| {
        config.serving.proxies = vec!["127.0.0.1".parse().unwrap()];
        config.serving.asked = vec!["127.0.0.1:0".parse().unwrap()];
    })
    .await;
    let to = logged.house.gate.asked()[0];
    for path in ["/melden/a?secret", "/soziales/b"] {
        let lines = format!(
            "x-forwarded-method: PUT\r\nx-forwarded-host: {HOST}\r\nx-forwarded-uri: {path}\r\n\
             x-forwarded-for: 192.0.2.7\r\n"
        );
        get_with(to, "gate.internal", "/nginx", &lines).await;
    }
    get(to, "gate.internal", "/nowhere").await;
    let (lines, all) = logged.lines().await;
    let names = [
        "protocol", "client", "method", "path", "verdict", "reason", "status",
    ];
    let briefs: Vec<_> = lines.iter().map(|line| brief(line, &names)).collect();
    let want = [
        "ask 192.0.2.0 PUT /melden/a passed null 200",
        "ask 192.0.2.0 PUT /soziales/b refused closed 403",
        "ask 127.0.0.0 null null unknown null 404",
    ];
    assert_eq!(briefs, want);
    assert!(!all.contains("secret"), "{all}");
}
