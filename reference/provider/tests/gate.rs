//! The real gate before the real services: shut, released, shut and released again under load.
//!
//! In:    the programs `anlauf` (built beside this test) and `reference-provider`.
//! Out:   what 200 people at once get: the service or an honest no, and nothing while shut.
//! Never: a wait by the clock: the gate is asked until it has followed, bounded in count.
//! See:   docs/guide/reference.md, which walks the same way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;
use tempfile::TempDir;

const HOST: &str = "town-alder.beispiel.example";
const CELL: &str = "town-alder/portal";
const PEOPLE: [&str; 5] = [
    "operator-1",
    "security-1",
    "owner-1",
    "forensics-1",
    "town-alder.approver-1",
];

/// How many ask at once.
const CLIENT_COUNT: u64 = 200;

/// Most questions until the gate has followed.
const LOOK_COUNT_MAX: usize = 200_000;

/// A process that ends with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

struct Provider {
    folder: TempDir,
    control: String,
}

/// `anlauf` as `cargo xtask test` builds it: beside the folder of the tests.
fn anlauf() -> PathBuf {
    let own = std::env::current_exe().expect("a test");
    let folder = own.ancestors().nth(2).expect("target/debug/deps");
    let path = folder.join("anlauf");
    assert!(path.exists(), "build it first: cargo build -p anlauf");
    path
}

fn start(command: &mut Command) -> (Ended, String) {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("asked for"));
    out.read_line(&mut line).expect("text");
    // Nobody reads further; the process writes nothing more to it.
    std::mem::forget(out);
    assert!(!line.is_empty(), "it ended: {command:?}");
    (Ended(child), line)
}

impl Provider {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(anlauf());
        command.args(line.split(' ')).current_dir(self.path());
        command
            .env("ANLAUF_CONTROL", &self.control)
            .env("LANG", "C.UTF-8");
        command
    }

    fn must(&self, command: &mut Command) {
        let out = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{command:?}: {text}");
    }

    fn run(&self, line: &str) {
        self.must(&mut self.command(line));
    }

    fn change(&self, person: &str, line: &str) {
        let token = format!("tokens/{person}");
        let mut command = self.command(line);
        self.must(
            command
                .env("ANLAUF_TOKEN_FILE", token)
                .args(["--reason", "agreed"]),
        );
    }

    /// A landscape whose portal is the photo service, keys, signed documents, logins.
    fn prepare(&self, upstream: &str) {
        let file = self.path().join("land/landscape.toml");
        let text = std::fs::read_to_string(&file).expect("a landscape");
        let text = text
            .replace("path = \"/portal\"", "path = \"/lichtbild\"")
            .replace("http://127.0.0.1:9001", upstream);
        std::fs::write(&file, text).expect("written");
        std::fs::create_dir(self.path().join("keys")).expect("a folder");
        for person in ["security-2", "town-birch.approver-1"]
            .iter()
            .chain(&PEOPLE)
        {
            self.run(&format!(
                "key new --person {person} --out keys/{person}.key"
            ));
        }
        self.run(
            "genesis --landscape land --keys keys --data data --domain drill-beispiel \
             --out data/authority",
        );
        let [root, normal, policy] =
            ["root", "policy-normal", "policy"].map(|name| format!("data/authority/{name}.json"));
        for signer in ["security-1", "forensics-1"] {
            self.run(&format!(
                "sign {root} {normal} {policy} --key keys/{signer}.key --yes"
            ));
        }
        for person in PEOPLE {
            let out = format!("--out tokens/{person}");
            self.run(&format!(
                "login add {person} --data data --landscape land {out}"
            ));
        }
        self.run(
            "login add gate-1 --data data --role gate --organisation provider --out tokens/gate-1",
        );
    }

    fn found(&self, cells: &str) {
        let evidence = "0".repeat(64);
        let line =
            format!("finding add --kind commissioned --verdict pass --evidence {evidence} {cells}");
        self.change("security-1", &line);
    }

    fn release(&self, stage: &str, cells: &str, signers: &[&str]) {
        self.change(
            "operator-1",
            &format!("release propose --stage {stage} {cells}"),
        );
        for signer in signers {
            let line = format!("sign --waiting --yes --key keys/{signer}.key");
            self.change(signer, &line);
        }
        self.change("operator-1", "release carry-out --ready");
    }

    fn release_service(&self) {
        let tenant = "town-alder.approver-1";
        self.found(CELL);
        self.release("pilot", CELL, &["security-1", tenant]);
        self.release("full", CELL, &["security-1", "owner-1", tenant]);
    }
}

/// One question through the gate: status, and whether the service itself answered; none when the
/// connection was cut, which a close does to those who are inside.
fn asked(gate: SocketAddr) -> Option<(u16, bool)> {
    let mut stream = TcpStream::connect(gate).ok()?;
    write!(
        stream,
        "GET /lichtbild/health HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let is_service = text.contains("\"status\":\"up\"") && text.contains("town-alder");
    Some((status, is_service))
}

/// The same where nothing is cut.
fn ask(gate: SocketAddr) -> (u16, bool) {
    asked(gate).unwrap_or((0, false))
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let came = (0..LOOK_COUNT_MAX).any(|_| holds());
    assert!(came, "it never came: {what}");
}

/// What people got.
#[derive(Default)]
struct Book {
    stop: AtomicBool,
    shut: AtomicBool,
    served: AtomicU64,
    told: AtomicU64,
    leaked: AtomicU64,
    cut: AtomicU64,
    other: AtomicU64,
}

/// Lets the people go home, also when the test fails.
struct Home<'a>(&'a Book);

impl Drop for Home<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

impl Book {
    fn keep_asking(&self, gate: SocketAddr) {
        while !self.stop.load(Ordering::SeqCst) {
            let before = self.shut.load(Ordering::SeqCst);
            let answer = asked(gate);
            let after = self.shut.load(Ordering::SeqCst);
            let counter = match answer {
                Some((200, true)) if before && after => &self.leaked,
                Some((200, true)) => &self.served,
                Some((503, false)) => &self.told,
                None => &self.cut,
                _ => &self.other,
            };
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn more(&self, counter: &AtomicU64, gate: SocketAddr) {
        let from = counter.load(Ordering::SeqCst);
        until("people ask", || {
            ask(gate);
            counter.load(Ordering::SeqCst) >= from + CLIENT_COUNT
        });
    }
}

/// Starts the services, the control plane and the gate.
fn start_all() -> (Provider, [Ended; 3], SocketAddr) {
    let folder = TempDir::new().expect("a folder");
    let mut house = Provider {
        folder,
        control: String::new(),
    };
    house.run("init land");
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-provider"));
    command
        .current_dir(house.path())
        .args(["--data", "ref", "--tenants", "land/tenants.csv"]);
    let (services, line) = start(command.args(["serve", "--listen", "127.0.0.1:0"]));
    let upstream = line
        .trim()
        .strip_prefix("listening ")
        .expect("an address")
        .to_owned();
    house.prepare(&upstream);

    let serve = "--json serve --landscape land --data data --listen 127.0.0.1:0";
    let (plane, line) = start(&mut house.command(serve));
    let told: Value = serde_json::from_str(&line).expect("JSON");
    house.control = told["listening"].as_str().expect("an address").to_owned();
    let line = format!(
        "--json gate --control {} --state gate --listen 127.0.0.1:0 --id gate-1 \
         --root data/authority/root.json --token-file tokens/gate-1",
        house.control
    );
    let (door, line) = start(&mut house.command(&line));
    let told: Value = serde_json::from_str(&line).expect("JSON");
    let gate = told["listening"][0].as_str().expect("an address");
    let gate: SocketAddr = gate
        .strip_prefix("http://")
        .expect("plain")
        .parse()
        .expect("one");
    until("the table", || ask(gate).0 == 503);

    (house, [services, plane, door], gate)
}

/// Opens everything the service needs.
fn commission(house: &Provider) {
    house.found(
        "site-west/network site-east/network foundation/identity shared/mail town-alder/mail",
    );
    let provider = ["security-1", "forensics-1"];
    for cells in [
        "site-west/network site-east/network",
        "foundation/identity",
        "shared/mail",
    ] {
        house.release("full", cells, &provider);
    }
    house.release(
        "full",
        "town-alder/mail",
        &["owner-1", "town-alder.approver-1"],
    );
}

#[test]
fn a_closed_cell_serves_nobody_and_a_released_one_everybody() {
    let (house, _running, gate) = start_all();
    commission(&house);
    assert_eq!(
        ask(gate),
        (503, false),
        "what it needs is open, the service is not"
    );
    house.release_service();
    until("the release", || ask(gate) == (200, true));

    let book = Book::default();
    std::thread::scope(|scope| {
        for _ in 0..CLIENT_COUNT {
            scope.spawn(|| book.keep_asking(gate));
        }
        let _home = Home(&book);
        book.more(&book.served, gate);
        house.change("security-1", &format!("close --yes {CELL}"));
        until("the close", || ask(gate) == (503, false));
        book.shut.store(true, Ordering::SeqCst);
        book.more(&book.told, gate);
        book.shut.store(false, Ordering::SeqCst);
        house.release_service();
        until("the second release", || ask(gate) == (200, true));
        book.more(&book.served, gate);
    });
    let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
    assert_eq!(count(&book.leaked), 0, "served by a closed cell");
    assert_eq!(
        count(&book.other),
        0,
        "neither the service nor an honest no"
    );
    assert!(
        count(&book.cut) <= CLIENT_COUNT,
        "only those who were inside are cut"
    );
    assert!(count(&book.served) >= 2 * CLIENT_COUNT && count(&book.told) >= CLIENT_COUNT);
}
