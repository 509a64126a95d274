//! A control plane, a gate and the services of one town, as processes of their own.
//!
//! In:    orders of the people who work there, requests by HTTP. Out: what the gate answers.
//! Never: a way to the services beside the gate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reference_provider::kernel::seed::{insured, password_of};
use reference_provider::login::party::Party;
use serde_json::Value;
use tempfile::TempDir;

pub const TOWN: &str = "town-alder";
pub const HOST: &str = "town-alder.beispiel.example";
const SEED: u64 = 1;

/// Services with a cell of their own; `portal` is the photo service.
pub const CELLS: [&str; 4] = ["idp", "og", "app", "epa"];

const PEOPLE: [&str; 5] = [
    "operator-1",
    "security-1",
    "owner-1",
    "forensics-1",
    "town-alder.approver-1",
];

/// Most questions until the gate has followed.
const LOOK_COUNT_MAX: usize = 50_000;

/// A verifier of PKCE, 43 characters or more.
const VERIFIER: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";

/// A process that ends with the test.
pub struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// The provider with its folder, and everyone who works there.
pub struct Provider {
    folder: TempDir,
    control: String,
}

/// Everything that runs.
pub struct Scene {
    pub house: Provider,
    pub gate: SocketAddr,
    /// Where the gate takes mail.
    pub mail: SocketAddr,
    /// Where the gate lets mailboxes be read.
    pub reading: SocketAddr,
    _running: [Ended; 3],
}

/// What the gate answered.
pub struct Told {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// `anlauf` as `cargo xtask test` builds it: beside the folder of the tests.
fn anlauf() -> PathBuf {
    let own = std::env::current_exe().expect("a test");
    let folder = own.ancestors().nth(2).expect("target/debug/deps");
    let path = folder.join("anlauf");
    assert!(path.exists(), "build it first: cargo build -p anlauf");
    path
}

/// Starts a program; its first lines.
fn start(command: &mut Command, line_count: usize) -> (Ended, Vec<String>) {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("asked for"));
    let mut lines = Vec::new();
    for _ in 0..line_count {
        let mut line = String::new();
        out.read_line(&mut line).expect("text");
        assert!(!line.is_empty(), "it ended: {command:?}");
        lines.push(line.trim().to_owned());
    }
    // Nobody reads further; the process writes nothing more to it.
    std::mem::forget(out);
    (Ended(child), lines)
}

/// A port that nobody has at the moment.
fn free() -> SocketAddr {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port");
    port.local_addr().expect("an address")
}

pub fn until(what: &str, holds: impl Fn() -> bool) {
    let came = (0..LOOK_COUNT_MAX).any(|_| holds());
    assert!(came, "it never came: {what}");
}

/// A service of the town in the landscape.
fn service(id: &str, upstream: &str) -> String {
    format!(
        "[[services]]\nid = \"{id}\"\nname = {{ de = \"{id}\", en = \"{id}\" }}\n\
         scope = \"tenant\"\nconfidentiality = \"high\"\nintegrity = \"high\"\n\
         availability = \"high\"\nmta_hours = 168\nrto_hours = 120\nneeds = [\"identity\"]\n\
         team = \"systems\"\nstages = [\"full\"]\npath = \"/{id}\"\nupstream = \"{upstream}\"\n\n"
    )
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

    /// The services' own program in the same folder.
    fn services(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reference-provider"));
        let public = "http://{tenant}.beispiel.example";
        command
            .current_dir(self.path())
            .args([
                "--data",
                "ref",
                "--tenants",
                "land/tenants.csv",
                "--insured",
                "210",
            ])
            .args(["--public", public])
            .args(line.split(' '));
        command
    }

    fn must(&self, command: &mut Command) {
        let out = command.output().expect("it runs");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{command:?}: {text}");
    }

    /// The certificate of the mailboxes, made as the guide says.
    fn certify(&self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reference-provider"));
        let made = command.args(["certificate", "*.beispiel.example"]).output();
        let made = made.expect("it runs");
        assert!(made.status.success());
        std::fs::write(self.certificate(), made.stdout).expect("written");
    }

    pub fn certificate(&self) -> PathBuf {
        self.path().join("mail.pem")
    }

    fn run(&self, line: &str) {
        self.must(&mut self.command(line));
    }

    /// What an operator of the services does beside them.
    pub fn operate(&self, line: &str) {
        self.must(&mut self.services(line));
    }

    pub fn change(&self, person: &str, line: &str) {
        let token = format!("tokens/{person}");
        let mut command = self.command(line);
        self.must(
            command
                .env("ANLAUF_TOKEN_FILE", token)
                .args(["--reason", "agreed"]),
        );
    }

    /// A landscape whose portal is the photo service, beside it the others; keys, signed
    /// documents, logins.
    fn prepare(&self, upstream: &str) {
        let file = self.path().join("land/landscape.toml");
        let text = std::fs::read_to_string(&file).expect("a landscape");
        let more: String = CELLS.iter().map(|id| service(id, upstream)).collect();
        let work = "# --- Work: hours";
        let text = text
            .replace("path = \"/portal\"", "path = \"/lichtbild\"")
            .replace("http://127.0.0.1:9001", upstream)
            .replacen(work, &format!("{more}{work}"), 1);
        std::fs::write(&file, text).expect("written");
        let offers = self.path().join("land/offers.csv");
        let mut text = std::fs::read_to_string(&offers).expect("offers");
        for id in CELLS {
            text.push_str(&format!("{TOWN},{id},1\n"));
        }
        std::fs::write(&offers, text).expect("written");
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

    /// Releases cells of the town: the photo service, which needs more parties, by its pilot.
    pub fn release_town(&self, ids: &[&str]) {
        let tenant = "town-alder.approver-1";
        let cell = |id: &&str| format!("{TOWN}/{id}");
        let all: Vec<String> = ids.iter().map(cell).collect();
        self.found(&all.join(" "));
        let (portal, others): (Vec<&str>, Vec<&str>) = ids.iter().partition(|id| **id == "portal");
        for id in &portal {
            self.release("pilot", &cell(id), &["security-1", tenant]);
            self.release("full", &cell(id), &["security-1", "owner-1", tenant]);
        }
        if !others.is_empty() {
            let cells: Vec<String> = others.iter().map(cell).collect();
            self.release("full", &cells.join(" "), &["owner-1", tenant]);
        }
    }

    pub fn close_town(&self, ids: &[&str]) {
        let all: Vec<String> = ids.iter().map(|id| format!("{TOWN}/{id}")).collect();
        self.change("security-1", &format!("close --yes {}", all.join(" ")));
    }

    /// Opens everything the services need.
    pub fn commission(&self) {
        self.found(
            "site-west/network site-east/network foundation/identity shared/mail town-alder/mail",
        );
        let provider = ["security-1", "forensics-1"];
        for cells in [
            "site-west/network site-east/network",
            "foundation/identity",
            "shared/mail",
        ] {
            self.release("full", cells, &provider);
        }
        self.release_mail();
    }

    /// Opens the mail again after a close.
    pub fn found_mail(&self) {
        self.found("town-alder/mail");
        self.release_mail();
    }

    fn release_mail(&self) {
        let cell = "town-alder/mail";
        self.release("full", cell, &["owner-1", "town-alder.approver-1"]);
    }

    /// The cookie of a person who has logged in at the branch before.
    pub fn session(&self, kvnr: &str) -> String {
        let secret = format!("session-of-{kvnr}");
        let mark = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
        let file = self.path().join("ref").join(TOWN).join("house.sqlite");
        let store = rusqlite::Connection::open(file).expect("a store");
        store.busy_timeout(Duration::from_secs(5)).expect("set");
        let row = (mark.as_ref(), kvnr, 4_000_000_000_i64);
        store
            .execute("INSERT INTO session VALUES (?1, ?2, 'insured', ?3)", row)
            .expect("a session");
        format!("reference-session={TOWN}.{secret}")
    }
}

impl Scene {
    /// Starts the services, the control plane and the gate.
    pub fn new() -> Self {
        let folder = TempDir::new_in("/dev/shm").expect("a folder in memory");
        let mut house = Provider {
            folder,
            control: String::new(),
        };
        house.run("init land");
        let (plane_at, mail, reading) = (free(), free(), free());
        house.certify();
        let serve = format!(
            "serve --listen 127.0.0.1:0 --listen-mail 127.0.0.1:0 --listen-pop3 127.0.0.1:0 \
             --mail-tls mail.pem --status http://{plane_at}/api/v1/public/status"
        );
        let (services, lines) = start(&mut house.services(&serve), 3);
        let upstream = lines[0].strip_prefix("listening ").expect("an address");
        house.prepare(upstream);
        let post = lines[1]
            .strip_prefix("listening smtp://")
            .expect("one more");
        let boxes = lines[2]
            .strip_prefix("listening pop3s://")
            .expect("and one");

        let serve = format!("--json serve --landscape land --data data --listen {plane_at}");
        let (plane, lines) = start(&mut house.command(&serve), 1);
        let told: Value = serde_json::from_str(&lines[0]).expect("JSON");
        house.control = told["listening"].as_str().expect("an address").to_owned();
        let line = format!(
            "--json gate --control {} --state gate --listen 127.0.0.1:0 --id gate-1 \
             --root data/authority/root.json --token-file tokens/gate-1 \
             --listen-mail {mail} --mail-name mx.beispiel.example \
             --mail {TOWN}.example={TOWN}/mail=tcp://{post} \
             --tcp {reading}={TOWN}/mail=tcp://{boxes}",
            house.control
        );
        let (door, lines) = start(&mut house.command(&line), 1);
        let told: Value = serde_json::from_str(&lines[0]).expect("JSON");
        let gate = told["listening"][0].as_str().expect("an address");
        let gate = gate.strip_prefix("http://").expect("plain");
        let scene = Self {
            house,
            gate: gate.parse().expect("one"),
            mail,
            reading,
            _running: [services, plane, door],
        };
        until("the table", || scene.health("lichtbild").0 == 503);
        scene
    }

    /// One request; none when the connection was cut, which a close does to those inside.
    pub fn call(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Told> {
        let mut stream = TcpStream::connect(self.gate).ok()?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).ok()?;
        // A no may come, and the connection end, before all was sent.
        let sent = stream.write_all(body);
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        if bytes.is_empty() && (sent.is_err() || read.is_err()) {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some(Told {
            status: head.split(' ').nth(1)?.parse().ok()?,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        })
    }

    /// Status of a service's health, and whether the service itself answered.
    pub fn health(&self, service: &str) -> (u16, bool) {
        let told = self.call(("GET", &format!("/{service}/health")), &[], b"");
        told.map_or((0, false), |told| (told.status, told.is_service()))
    }

    /// Logs a person in through the gate as the app does; an access token.
    pub fn token(&self, kvnr: &str) -> String {
        let origin = format!("http://{HOST}");
        let party = Party {
            issuer: format!("{origin}/idp"),
            client: "app".to_owned(),
            redirect: format!("{origin}/app/callback"),
            tenant: TOWN.to_owned(),
            back: Some(self.gate),
        };
        let endpoints = party.discover().expect("an issuer");
        let address = party.address(&endpoints, "state-1", "nonce-1", VERIFIER);
        let (_, query) = address.split_once('?').expect("a query");
        let form = format!("{query}&name={kvnr}&password={}", password_of(SEED));
        let media = ("content-type", "application/x-www-form-urlencoded");
        let told = self.call(("POST", "/idp/authorize"), &[media], form.as_bytes());
        let head = told.expect("an answer").head;
        let (_, code) = head
            .split_once("code=")
            .unwrap_or_else(|| panic!("no code: {head}"));
        let code = code.split(['&', '\r']).next().expect("a value");
        let now = jiff::Timestamp::now().as_second();
        let redeemed = party.redeem(code, VERIFIER, "nonce-1", now);
        redeemed.expect("tokens").1
    }
}

impl Told {
    /// Whether a service speaks: it answers no 503 here, and the gate nothing else.
    pub fn is_service(&self) -> bool {
        let own = "content-security-policy: default-src 'none'; script-src 'self'";
        self.status != 503 && self.head.contains(own)
    }

    /// Whether the gate says that the cell is shut.
    pub fn is_shut(&self) -> bool {
        // Closed, or open to testers only.
        let says_so = ["closed", "testing"].iter().any(|kind| {
            self.body
                .contains(&format!("urn:anlauf:problem:cell-{kind}"))
        }) || self.body.contains("\"OperationOutcome\"");
        self.status == 503 && says_so && self.head.contains("retry-after:")
    }
}

/// The password of every synthetic person.
pub fn password() -> String {
    password_of(SEED)
}

/// The number of a synthetic person of the town.
pub fn kvnr(number: u32) -> String {
    insured(TOWN, SEED, number).kvnr.to_string()
}
