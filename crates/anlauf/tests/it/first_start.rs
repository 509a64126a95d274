//! The walk of `docs/guide/first-start.md`, from an empty folder to a recovered service.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::house::{Desk, ENDLESS, House, backend, has_ledger};
use crate::process::{Run, Running, address, ask};

/// The cells the portal of one town leans on, and the portal, in the order of need.
const NETWORKS: &str = "site-west/network site-east/network";
const HOST: &str = "town-alder.beispiel.example";

#[test]
fn every_missing_step_of_the_first_start_is_named() {
    let house = House::with_landscape(None);
    let serve = || house.not_served(&mut house.serve(0));

    serve().says(
        9,
        &[
            "root.json",
            "which is missing",
            "anlauf key new",
            "anlauf genesis",
        ],
    );
    assert!(!has_ledger(&house.path("data")));

    std::fs::create_dir(house.path("keys")).unwrap();
    house
        .genesis("beispiel", "data/authority")
        .says(9, &["holds no `*.pub` file", "anlauf key new"]);
    std::fs::remove_dir(house.path("keys")).unwrap();
    house.make_keys();
    house.genesis("beispiel", "data/authority").done();
    serve().says(9, &["is not signed yet", "anlauf sign"]);

    house.sign_documents("security-1");
    serve().says(
        6,
        &["does not hold", "AN-TRU-030", "1 of 2 distinct persons"],
    );

    // Somebody else of the same organisation does not do.
    house.sign_documents("operator-1");
    serve().says(6, &["AN-TRU-031", "1 of 2 distinct organisations"]);
    assert!(!has_ledger(&house.path("data")));

    house.sign_documents("forensics-1");
    let plane = house.start(0);
    assert!(plane.control.starts_with("http://127.0.0.1:"));
    let run = plane.process.terminate();
    assert_eq!(run.code, 0, "{}", run.err);

    // Without the documents it starts again: they are in the ledger.
    std::fs::rename(house.path("data/authority"), house.path("kept")).unwrap();
    house.start(0).process.terminate().done();
    house.run("ledger verify data").done();
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let house = House::with_landscape(None);
    house
        .run("key new --person security-1 --out mine.key")
        .done();
    let mode = std::fs::metadata(house.path("mine.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    house
        .run("key new --person security-1 --out mine.key")
        .says(6, &["never overwritten"]);

    let told: Value = serde_json::from_str(&house.run("--json key show mine.key").done()).unwrap();
    let public: Value =
        serde_json::from_str(&house.run("--json key show mine.pub").done()).unwrap();
    assert_eq!(told, public);
    let secret: Value =
        serde_json::from_str(&std::fs::read_to_string(house.path("mine.key")).unwrap()).unwrap();
    let seed = secret["seed"].as_str().unwrap();
    assert!(!house.run("key show mine.key").done().contains(seed));

    // A genesis refuses the key of someone the landscape does not name.
    std::fs::create_dir(house.path("keys")).unwrap();
    house
        .run("key new --person stranger --out keys/stranger.key")
        .done();
    house
        .genesis("beispiel", "out")
        .says(6, &["`stranger`", "does not name"]);
}

#[test]
fn nothing_is_signed_without_a_typed_yes() {
    let house = House::with_landscape(None);
    house.make_keys();
    house.genesis("drill-beispiel", "out").done();
    let before = std::fs::read(house.path("out/root.json")).unwrap();
    house
        .run("sign out/root.json --key keys/security-1.key")
        .says(
            8,
            &[
                "ROOT version 1",
                "DRILL",
                "To read aloud: ",
                "nobody typed yes",
            ],
        );
    assert_eq!(std::fs::read(house.path("out/root.json")).unwrap(), before);
    house
        .run("sign out/policy.json --key keys/security-1.key --lang de")
        .says(
            8,
            &["FREIGABEREGELN Version 2", "Klasse A", "Zum Vorlesen: "],
        );
}

#[test]
fn from_an_empty_folder_to_a_recovered_service() {
    let upstream = backend("welcome to the portal");
    let house = House::new(Some(upstream));
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    let gate = Running::start(&mut house.gate(&plane.control, ""));
    let told = gate.listens().unwrap();
    let door = address(&told["listening"][0]);
    let mut feed = Feed::start(&desk);

    feed.followed(&desk);
    // Nobody passes before anything is released, and strangers never do.
    assert_eq!(ask(door, HOST, "/portal", "").0, 503);
    assert_eq!(ask(door, "nobody.example", "/", "").0, 421);

    commission(&desk);
    feed.followed(&desk);
    let (status, body) = ask(door, HOST, "/portal", "");
    assert_eq!((status, body.as_str()), (200, "welcome to the portal"));

    let mut running = endless(door);
    contain(&desk);
    feed.followed(&desk);
    assert_eq!(ask(door, HOST, "/portal", "").0, 503);
    // What was under way is cut, not finished.
    let mut rest = Vec::new();
    let _cut = running.read_to_end(&mut rest);
    assert!(
        (rest.len() as u64) < ENDLESS / 2,
        "{} bytes passed",
        rest.len()
    );

    recover(&desk, &mut feed, door);
    assert_eq!(ask(door, HOST, "/portal", "").0, 200);
    let status = desk.read("operator-1", "status");
    assert_ne!(status["progress"]["services_released_per_mille"], 0);

    withdraw(&desk);
    feed.followed(&desk);
    assert_eq!(ask(door, HOST, "/portal", "").0, 503);

    let shut = desk.must("operator-1", "close --yes shared/mail --with-dependents");
    let closed = |entry: &&Value| entry["event"] == "cells_closed";
    let owners = shut["entries"].as_array().unwrap().iter().filter(closed);
    assert!(owners.count() >= 4, "shared, and the mail of three towns");
    prove(&desk);
    shut_at_the_gate(&desk, &told["admin"], door, &mut feed);
    gate.terminate().done();
    plane.process.terminate().done();
    let verified = house.run("ledger verify data --origin anlauf/beispiel --key data/log.pub");
    assert!(verified.done().contains("signature checked"));
}

/// An answer under way through the gate, of which the first byte has come.
fn endless(door: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(door).unwrap();
    write!(
        stream,
        "GET /portal/endless HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\nx") {
        let mut byte = [0u8];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200"));
    stream
}

/// Opens the portal of one town and all it leans on, before any incident.
pub fn commission(desk: &Desk<'_>) {
    let all = "site-west/network site-east/network foundation/identity shared/mail \
               town-alder/mail town-alder/portal";
    let evidence = "--evidence 0000000000000000000000000000000000000000000000000000000000000000";
    let line = format!("finding add --kind commissioned --verdict pass {evidence} {all}");
    // A reason is mandatory, and only security says what was in operation.
    Run::of(&mut desk.command("security-1", &line))
        .says(2, &["--reason", "every change carries its reason"]);
    desk.change("forensics-1", &line).says(3, &["AN-REC-003"]);
    desk.must("security-1", &line);

    // Needs come first, and a release is carried out only on its whole quorum.
    desk.change("operator-1", "release propose --stage full town-alder/mail")
        .says(3, &["AN-REC-032", "release `"]);
    let provider = ["security-1", "forensics-1"];
    let proposed = desk.must(
        "operator-1",
        &format!("release propose --stage full {NETWORKS}"),
    );
    let release = proposed["entries"][0]["release"].as_str().unwrap();
    let line = format!("release carry-out {release}");
    desk.change("operator-1", &line).says(3, &["AN-TRU-030"]);
    for signer in provider {
        desk.must(
            signer,
            &format!("sign --waiting --yes --ssh-key ssh/{signer}"),
        );
    }
    desk.change(
        "security-1",
        &format!("sign {release} --yes --ssh-key ssh/security-1"),
    )
    .says(3, &["AN-REC-090"]);
    desk.must("operator-1", "release carry-out --ready");

    desk.release("full", "foundation/identity", &provider);
    desk.release("full", "shared/mail", &provider);
    desk.release(
        "full",
        "town-alder/mail",
        &["owner-1", "town-alder.approver-1"],
    );
    desk.release(
        "pilot",
        "town-alder/portal",
        &["security-1", "town-alder.approver-1"],
    );
    let three = ["security-1", "owner-1", "town-alder.approver-1"];
    desk.release("full", "town-alder/portal", &three);
}

fn contain(desk: &Desk<'_>) {
    // Nobody typed yes: nothing happens.
    desk.change("security-1", "contain")
        .says(8, &["full 6", "shut at once?"]);
    let shut = desk.must("security-1", "contain --yes --key contain-1");
    let again = desk.must("security-1", "contain --yes --key contain-1");
    assert_eq!(shut["seq"], again["seq"]);
    assert_eq!(again["replayed"], true);
    desk.must("operator-1", "incident declare --de Vorfall --en incident");
    desk.must("operator-1", "adopt data/authority/policy.json");
}

/// Evidence, work, plan, agreement, signatures of three parties, release: cell after cell.
fn recover(desk: &Desk<'_>, feed: &mut Feed, door: SocketAddr) {
    let evidence = "--evidence 1111111111111111111111111111111111111111111111111111111111111111";
    let found = |person: &str, kind: &str, cells: &str| {
        let cells = if cells.is_empty() {
            String::new()
        } else {
            format!(" {cells}")
        };
        let line = format!("finding add --kind {kind} --verdict pass {evidence}{cells}");
        desk.must(person, &line);
    };
    let work = |task: &str, cells: &str| {
        desk.must("owner-1", &format!("task start {task} {cells}"));
        desk.must("owner-1", &format!("task finish {task} {cells}"));
    };
    let made = desk.must("operator-1", "plan propose --steps 10");
    assert!(made["rows"].as_u64().unwrap() > 10);
    desk.must("operator-1", "plan adopt");
    desk.must("operator-1", "plan forecast --samples 20");
    let why = desk.read("town-alder.approver-1", "why town-alder/portal");
    assert_eq!(why["stage"], "closed");
    assert!(!why["needs_closed"].as_array().unwrap().is_empty());
    let words = Run::of(&mut desk.command("operator-1", "why town-alder/portal")).done();
    assert!(
        words.contains("needs first: foundation/identity town-alder/mail"),
        "{words}"
    );
    assert!(
        words.contains("-> waits for town-alder/mail, planned 20"),
        "{words}"
    );

    found("security-1", "entry_path_closed", "");
    let provider = ["security-1", "forensics-1"];
    for cells in [NETWORKS, "foundation/identity", "shared/mail"] {
        work("evidence", cells);
        found("forensics-1", "forensics_verdict", cells);
        work("rebuild", cells);
        found("security-1", "backup_clean", cells);
        work("decision", cells);
        desk.release("full", cells, &provider);
    }
    work("rebuild", "town-alder/mail");
    found("security-1", "backup_clean", "town-alder/mail");
    agree(desk);
    desk.release(
        "full",
        "town-alder/mail",
        &["owner-1", "town-alder.approver-1"],
    );

    work("rebuild", "town-alder/portal");
    found("security-1", "backup_clean", "town-alder/portal");
    desk.release(
        "pilot",
        "town-alder/portal",
        &["security-1", "town-alder.approver-1"],
    );
    feed.followed(desk);
    assert_eq!(
        ask(door, HOST, "/portal", "").0,
        503,
        "only testers pass a pilot"
    );
    desk.must(
        "town-alder.approver-1",
        "task start acceptance town-alder/portal",
    );
    desk.must("town-alder.approver-1", "accept town-alder/portal");
    work("decision", "town-alder/portal");
    let three = ["security-1", "owner-1", "town-alder.approver-1"];
    desk.release("full", "town-alder/portal", &three);
    feed.followed(desk);
}

fn agree(desk: &Desk<'_>) {
    let make = |from: &str, to: &str| {
        format!("offer make --from {from} --to {to} town-alder/mail town-alder/portal")
    };
    // A window that ends before it begins, and one in the past, are no windows.
    let line = make("2099-01-02T00:00:00Z", "2099-01-01T00:00:00Z");
    desk.change("operator-1", &line).says(3, &["AN-REC-060"]);
    let line = make("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    desk.change("operator-1", &line).says(3, &["AN-REC-060"]);
    desk.must(
        "operator-1",
        &make("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
    );
    // Another tenant sees nothing of it, and cannot answer.
    let offers = desk.read("town-birch.approver-1", "offer list");
    assert_eq!(offers, serde_json::json!([]));
    desk.change("town-birch.approver-1", "agree town-alder/mail")
        .says(3, &["AN-REC-004"]);
    desk.must("town-alder.approver-1", "agree --all");
    let wish = "wish state town-alder town-alder/portal town-alder/mail";
    desk.must("town-alder.approver-1", wish);
}

/// Evidence of what the portal leans on does not hold any longer: all that rests on it is shut.
fn withdraw(desk: &Desk<'_>) {
    let list = "finding list --cell town-alder/mail --kind backup_clean";
    let number = desk.read("security-1", list)[0]["number"].as_u64().unwrap();
    let line = format!("finding withdraw {number} --close");
    desk.change("security-1", &line).says(
        8,
        &["town-alder/mail town-alder/portal", "shut these cells"],
    );
    let line = format!("{line} --yes --key withdraw-1");
    let told = desk.must("security-1", &line);
    let stage = |cell: &str| desk.read("operator-1", &format!("cell show {cell}"))["stage"].clone();
    assert_eq!(stage("town-alder/portal"), "closed");
    assert_eq!(stage("shared/mail"), "full");
    // Sent again with the same key, nothing happens a second time.
    let again = desk.must("security-1", &line);
    assert_eq!(again["seq"], told["seq"]);
    assert_eq!(again["replayed"], true);
}

/// One person shuts a gate without the control plane, and the ledger takes it over later.
fn shut_at_the_gate(desk: &Desk<'_>, admin: &Value, door: SocketAddr, feed: &mut Feed) {
    let host = "site-west.beispiel.example";
    // The foundation has no backend in the example: a bad gateway is an open cell.
    assert_eq!(ask(door, host, "/network", "").0, 502);
    let gate = admin.as_str().unwrap();
    // An operator has it fill slowly, looks, and lets everyone in again.
    let inflow = |what: &str| desk.read("operator-1", &format!("inflow{what} --gate {gate}"));
    let told = inflow(" site-west/network --share 0");
    assert_eq!(told[0]["share_percent"], 0);
    assert_eq!(ask(door, host, "/network", "").0, 503);
    assert_eq!(inflow("")[0]["cell"], "site-west/network");
    assert_eq!(inflow(" site-west/network --off"), Value::Array(Vec::new()));
    assert_eq!(ask(door, host, "/network", "").0, 502);
    let line = |key: &str| {
        format!(
            "contain --yes --cell site-west/network --gate {gate} --sign-with {key} \
             --root data/authority/root.json --out close.json"
        )
    };
    desk.change("security-1", &line("keys/town-birch.approver-1.key"))
        .says(3, &["AN-TRU-"]);
    assert_eq!(ask(door, host, "/network", "").0, 502);
    let told = desk.must("security-1", &line("ssh/security-1"));
    assert_eq!(told["closed"].as_array().unwrap().len(), 1);
    assert_eq!(ask(door, host, "/network", "").0, 503);
    desk.must("security-1", "adopt close.json");
    feed.followed(desk);
    let cell = desk.read("operator-1", "cell show site-west/network");
    assert_eq!(cell["stage"], "closed");
}

fn prove(desk: &Desk<'_>) {
    let log = "--origin anlauf/beispiel --log-key data/log.pub";
    let told = desk.read("operator-1", &format!("prove 1 --out proof.json {log}"));
    assert_eq!(told["verified"], true);
    assert_eq!(told["signature_checked"], true);
    let house = desk.house;
    house.run(&format!("prove --check proof.json {log}")).done();

    let path = house.path("proof.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("first start", "First start", 1)).unwrap();
    house
        .run(&format!("prove --check proof.json {log}"))
        .says(6, &["does not hold", "does not match its leaf"]);

    // A tenant has no proof of what is not its own.
    let out = desk.command("town-birch.approver-1", "prove 4 --out foreign.json");
    Run::of(&mut { out }).says(7, &["not found"]);
    assert!(!house.path("foreign.json").exists());
}

/// The ledger as it grows, read by a process of its own.
pub struct Feed {
    process: Running,
}

impl Feed {
    pub fn start(desk: &Desk<'_>) -> Self {
        let line = "events --follow --json --from 1";
        Self {
            process: Running::start(&mut desk.command("operator-1", line)),
        }
    }

    /// Waits until the gate has followed everything that was ordered so far.
    pub fn followed(&mut self, desk: &Desk<'_>) {
        let head = desk.read("operator-1", "status")["seq"].as_u64().unwrap();
        loop {
            let gates = desk.read("operator-1", "gates");
            let is_there = |gate: &Value| gate["behind"] == 0 && gate["differing"] == 0;
            if gates[0].is_object() && is_there(&gates[0]) {
                return;
            }
            // Look again when the gate has said something more.
            loop {
                let line = self.process.line().expect("the control plane is there");
                let event: Value = serde_json::from_str(&line).unwrap();
                if event["event"] == "gate_reported" || event["seq"].as_u64() > Some(head) {
                    break;
                }
            }
        }
    }
}
