//! Filters of others follow the cells: Debian's HAProxy and the kernel's nftables, both with the
//! settings of the guide, looked at from outside.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anlauf_gate::Driven;
use anlauf_model::feed::GateCellState;
use anlauf_model::{Epoch, Stage};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::backend::{Backend, Exchange, mirror};
use crate::cast::{HOST, MELDEN, SOZIALES, cell, cells, closing, text};
use crate::client::{Answer, Client, get, post};
use crate::house::House;
use crate::proxy::{Front, front, settings};

const GUIDE: &str = include_str!("../../../../docs/guide/drivers.md");

async fn close(house: &House, id: &str) -> (Answer, Value) {
    let answer = post(house.admin(), "/close", &text(&closing(cells(&[id]), 1))).await;
    let value = serde_json::from_str(&answer.body).unwrap();
    (answer, value)
}

async fn metric(house: &House, name: &str) -> String {
    let all = get(house.admin(), "gate", "/metrics").await.body;
    let line = all.lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {all}"));
    line.rsplit(' ').next().unwrap().to_owned()
}

/// Looks after each answer of the gate, so many times.
async fn until_metric(house: &House, name: &str, wanted: &str) {
    for _ in 0..200_000 {
        if metric(house, name).await == wanted {
            return;
        }
    }
    panic!("{name} was never {wanted}");
}

const FOLLOWS: &str = "anlauf_gate_driver_follows";
const UNCLEAR: &str = "anlauf_gate_driver_cells_not_confirmed_shut";

/// A gate that has an HAProxy follow whose files are in this folder.
async fn house(folder: &Path) -> House {
    let driven = Driven::Haproxy {
        socket: folder.join("socket"),
        map: folder.join("anlauf.map").display().to_string(),
    };
    let house = House::with(mirror().await, |config| {
        config.serving.driven = vec![driven]
    })
    .await;
    house.ground().await;
    house
}

async fn haproxy(folder: &Path, service: SocketAddr) -> Front {
    let guarded = format!("{MELDEN} closed\n{SOZIALES} closed\n");
    std::fs::write(folder.join("anlauf.map"), guarded).unwrap();
    let places = format!("{HOST}/melden {MELDEN}\n{HOST}/soziales {SOZIALES}\n");
    std::fs::write(folder.join("cells.map"), places).unwrap();
    let file = |name: &str| folder.join(name).display().to_string();
    front("/usr/sbin/haproxy", &["-db", "-f"], |listen, _| {
        let places = [
            ("/run/haproxy/anlauf.sock", file("socket")),
            ("/etc/haproxy/anlauf.map", file("anlauf.map")),
            ("/etc/haproxy/cells.map", file("cells.map")),
            ("bind :80", format!("bind {listen}")),
            ("10.1.0.20:9000", service.to_string()),
        ];
        settings(GUIDE, "haproxy", &places)
    })
    .await
}

/// Asks again until the request passes; its answer has begun.
async fn inside(proxy: &Front, service: &mut Backend, path: &str) -> (Client, Exchange) {
    for _ in 0..100_000 {
        let mut client = Client::new(proxy.address).await;
        client
            .say(&format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
            .await;
        let mut exchange = tokio::select! {
            exchange = service.next() => exchange,
            head = client.head() => {
                assert!(head.unwrap().starts_with("HTTP/1.1 503 "));
                continue;
            }
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbefore";
        exchange.say(head).await;
        assert!(client.head().await.unwrap().starts_with("HTTP/1.1 200 "));
        assert_eq!(client.exactly(6).await.unwrap(), b"before");
        return (client, exchange);
    }
    panic!("{path} never passed");
}

#[tokio::test]
async fn haproxy_follows_and_cuts() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = Backend::new().await;
    let proxy = haproxy(folder.path(), service.address).await;
    let house = house(folder.path()).await;
    until_metric(&house, FOLLOWS, "1").await;
    let status = |path: &'static str| async move { get(proxy.address, HOST, path).await.status };
    assert_eq!(status("/melden/a").await, 503);
    // A filter knows no stages: what is not open to everyone is shut there.
    house.open(SOZIALES, 1, Stage::Full).await;
    let (mut kept, mut kept_exchange) = inside(&proxy, &mut service, "/soziales/a").await;
    house.open(MELDEN, 1, Stage::Full).await;
    let (cut, mut exchange) = inside(&proxy, &mut service, "/melden/a").await;

    let (answer, said) = close(&house, MELDEN).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(said["closed"][0]["cell"], MELDEN);
    assert!(
        said["not_proven"][0]
            .as_str()
            .unwrap()
            .starts_with("HAProxy at ")
    );
    // What the service says after the acknowledgement reaches nobody.
    let _ = exchange.stream.write_all(b"after").await;
    assert_eq!(cut.rest().await, b"");
    assert_eq!(status("/melden/a").await, 503);
    assert!(service.is_quiet());
    kept_exchange.say("after").await;
    assert_eq!(kept.exactly(5).await.unwrap(), b"after");
    let state = GateCellState {
        cell: cell(MELDEN),
        stage: Stage::Closed,
        epoch: Epoch(1),
    };
    house.control.reported(&state).await;
    assert_eq!(metric(&house, UNCLEAR).await, "0");
    let state = get(house.admin(), "gate", "/state").await.body;
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["drivers"][0]["guarded"], 2, "{state}");
    assert_eq!(state["drivers"][0]["trouble"], Value::Null, "{state}");
    assert_eq!(state["not_proven"][0], state["drivers"][0]["filter"]);
}

/// What passes there is not known: the gate is shut, and nobody is told more than that.
#[tokio::test]
async fn a_filter_that_is_away_is_never_said_to_be_shut() {
    let folder = tempfile::tempdir().unwrap();
    let house = house(folder.path()).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let (answer, said) = close(&house, MELDEN).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(said["closed"], Value::Array(Vec::new()));
    let why = said["reasons"][0].as_str().unwrap();
    let want = format!("`{MELDEN}` may still pass elsewhere: HAProxy at ");
    assert!(
        why.starts_with(&want) && why.contains("cannot be asked"),
        "{why}"
    );
    // The gate itself is shut whatever the filter does.
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    assert_eq!(metric(&house, FOLLOWS).await, "0");
    assert_ne!(metric(&house, UNCLEAR).await, "0");
    assert!(!house.control.has_reported(&cell(MELDEN), Stage::Closed));

    let service = Backend::new().await;
    let _proxy = haproxy(folder.path(), service.address).await;
    let state = GateCellState {
        cell: cell(MELDEN),
        stage: Stage::Closed,
        epoch: Epoch(1),
    };
    house.control.reported(&state).await;
    until_metric(&house, FOLLOWS, "1").await;
    assert_eq!(metric(&house, UNCLEAR).await, "0");
}

/// Its sessions are somewhere where they cannot be ended.
#[tokio::test]
async fn a_cell_without_a_backend_of_its_name_is_not_said_to_be_shut() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("anlauf.map");
    std::fs::write(&map, format!("{MELDEN} closed\n")).unwrap();
    let _proxy = front("/usr/sbin/haproxy", &["-db", "-f"], |listen, _| {
        let (folder, map) = (folder.path().display(), map.display());
        format!(
            "global\n  stats socket {folder}/socket level admin\n\
             defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n\
             \x20 timeout server 30s\n\
             frontend door\n  bind {listen}\n\
             \x20 http-request deny unless {{ str({MELDEN}),map_str({map}) -m str open }}\n\
             \x20 default_backend elsewhere\n\
             backend elsewhere\n  server a 127.0.0.1:9\n"
        )
    })
    .await;
    let house = house(folder.path()).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let (answer, _) = close(&house, MELDEN).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("has no backend"), "{}", answer.body);
    assert_eq!(metric(&house, FOLLOWS).await, "0");
}

/// A network of its own with the guide's rules in it; ends with this value.
struct Net {
    holder: Child,
    folder: tempfile::TempDir,
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Net {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = [
            ("hook forward", "hook input".to_owned()),
            ("10.1.0.20 . 25", "127.0.0.1 . 9025".to_owned()),
        ];
        std::fs::write(folder.path().join("rules"), settings(GUIDE, "nft", &places)).unwrap();
        let mut command = Command::new("unshare");
        let script = "ip link set lo up && nft -f \"$0\" && echo ready && exec cat";
        command.args(["-rn", "sh", "-c", script]);
        command.arg(folder.path().join("rules"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().expect("these tests need `unshare`");
        let mut first = String::new();
        let mut said = BufReader::new(holder.stdout.as_mut().unwrap());
        said.read_line(&mut first).unwrap();
        assert_eq!(first, "ready\n", "no network namespace, or no nft in it");
        let net = Self { holder, folder };
        // Written by another process: a file that this one has open cannot be run.
        let script = format!("#!/bin/sh\nexec {} nft \"$@\"\n", net.inside());
        let write = "printf %s \"$1\" > \"$0\" && chmod 755 \"$0\"";
        let mut command = Command::new("sh");
        command.args(["-c", write]).arg(net.nft()).arg(script);
        assert!(command.status().unwrap().success());
        net
    }

    fn inside(&self) -> String {
        let id = self.holder.id();
        format!("nsenter -t {id} -U -n --preserve-credentials")
    }

    /// `nft`, run in here.
    fn nft(&self) -> PathBuf {
        self.folder.path().join("nft")
    }

    fn elements(&self) -> String {
        let asked = ["list", "set", "inet", "anlauf", "open4"];
        let out = Command::new(self.nft()).args(asked).output().unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    }

    /// A program in here, by its own words.
    fn python(&self, program: &str) -> Python {
        let inside = self.inside();
        let mut words = inside.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(["python3", "-u", "-c", program]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Python { child, said }
    }
}

/// A program that ends with this value.
struct Python {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Python {
    fn next(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

/// Says `tick` to whoever is connected.
const SERVER: &str = "
import socket, threading, time
def serve(s):
    try:
        while True:
            s.sendall(b'tick\\n')
            time.sleep(0.01)
    except OSError:
        pass
l = socket.create_server(('127.0.0.1', 9025))
print('ready')
while True:
    s, _ = l.accept()
    threading.Thread(target=serve, args=(s,), daemon=True).start()
";

/// Tries until it gets through, then talks, and says what it hears until it is reset; then tries
/// once more.
const CLIENT: &str = "
import socket, threading, time
def talk(s):
    try:
        while True:
            s.sendall(b'x')
            time.sleep(0.01)
    except OSError:
        pass
refused = False
while True:
    try:
        s = socket.create_connection(('127.0.0.1', 9025))
        break
    except ConnectionRefusedError:
        if not refused:
            print('refused')
        refused = True
threading.Thread(target=talk, args=(s,), daemon=True).start()
try:
    f = s.makefile()
    while True:
        print(f.readline().strip() or 'end')
except ConnectionResetError:
    print('reset')
try:
    socket.create_connection(('127.0.0.1', 9025))
    print('through')
except ConnectionRefusedError:
    print('refused')
";

/// A gate whose cell for reports is followed by the sets of this namespace.
async fn followed(net: &Net) -> House {
    let driven = Driven::Nftables {
        table: "anlauf".into(),
        program: net.nft(),
        cells: vec![(cell(MELDEN), "127.0.0.1:9025".parse().unwrap())],
    };
    House::with(mirror().await, |config| {
        config.serving.driven = vec![driven]
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nftables_follow_and_cut() {
    let net = Net::new();
    let house = followed(&net).await;
    house.ground().await;
    until_metric(&house, FOLLOWS, "1").await;
    let mut server = net.python(SERVER);
    assert_eq!(server.next(), "ready");
    let mut client = net.python(CLIENT);
    assert_eq!(client.next(), "refused");
    assert!(!net.elements().contains("9025"));
    house.open(MELDEN, 1, Stage::Full).await;
    assert_eq!(client.next(), "tick");
    assert!(net.elements().contains("127.0.0.1 . 9025"));

    let (answer, said) = close(&house, MELDEN).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(said["not_proven"][0], "nftables table anlauf");
    assert!(!net.elements().contains("9025"));
    let last = (0..10_000)
        .map(|_| client.next())
        .find(|said| said != "tick");
    assert_eq!(last.unwrap(), "reset");
    assert_eq!(client.next(), "refused");
}

/// Whoever empties the table, or puts in what nobody has released, is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_released_does_not_stay_in_a_set() {
    let net = Net::new();
    let nft = |script: &str| {
        let script: Vec<_> = script.split(' ').collect();
        assert!(
            Command::new(net.nft())
                .args(script)
                .status()
                .unwrap()
                .success()
        );
    };
    nft("add element inet anlauf open4 { 127.0.0.1 . 9025, 127.0.0.1 . 9026 }");
    let house = followed(&net).await;
    until_metric(&house, FOLLOWS, "1").await;
    until_metric(&house, UNCLEAR, "0").await;
    assert!(!net.elements().contains("902"), "{}", net.elements());
    nft("delete table inet anlauf");
    until_metric(&house, FOLLOWS, "0").await;
    let state = get(house.admin(), "gate", "/state").await.body;
    assert!(state.contains("`nft` says `"), "{state}");
}
