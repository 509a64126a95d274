//! A control plane whose checkpoints are cosigned by outsiders while it runs.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::house::{Desk, House, Plane};
use crate::kill::load::agent;
use crate::process::Running;

const ORIGIN: &str = "anlauf/beispiel";

/// Names of the witnesses; two of the three must cosign.
const NAMES: [&str; 3] = ["w1", "w2", "w3"];

fn house() -> House {
    let house = House::new(None);
    house.start(0).process.terminate().done();
    for name in NAMES {
        house
            .run(&format!("key new --person {name} --out {name}.key"))
            .done();
    }
    house
}

/// A witness with its own memory, and where it listens.
fn witness(house: &House, name: &str, port: &str) -> (Running, String) {
    let process = Running::start(&mut house.command(&format!(
        "--json witness serve --name {name} --key {name}.key --log {ORIGIN}=data/log.pub \
         --state {name} --listen 127.0.0.1:{port}"
    )));
    let url = process.listens().unwrap()["listening"].clone();
    (process, url.as_str().unwrap().to_owned())
}

fn policy(house: &House, urls: [&str; 3]) {
    house.run("ledger export data --out export").done();
    let log = fs::read_to_string(house.path("export/log.vkey")).unwrap();
    let mut text = format!("log {}\n", log.trim());
    for (name, url) in NAMES.iter().zip(urls) {
        let key = house
            .run(&format!("witness show --name {name} --key {name}.key"))
            .done();
        text.push_str(&format!("witness {name} {} {url}\n", key.trim()));
    }
    text.push_str("group most 2 w1 w2 w3\nquorum most\n");
    fs::write(house.path("policy"), text).unwrap();
}

fn serve(house: &House, more: &str) -> Plane {
    let mut command = house.serve(0);
    command.args(more.split_whitespace());
    let process = Running::start(&mut command);
    let told = process.listens().unwrap();
    let control = told["listening"].as_str().unwrap().to_owned();
    Plane { process, control }
}

/// Adds an entry.
fn grow(house: &House, plane: &Plane, title: &str) {
    let control = &plane.control;
    Desk { house, control }.must(
        "operator-1",
        &format!("announce --de {title} --en {title} --next-word 2100-01-01T00:00:00Z"),
    );
}

/// Has the head signed and cosigned; what the control plane says of it.
fn cosigned(house: &House, plane: &Plane) -> Value {
    let url = format!("{}/api/v1/ledger/checkpoint", plane.control);
    let token = format!("Bearer {}", house.token("operator-1"));
    let mut answer = agent()
        .post(&url)
        .header("authorization", token)
        .send_json(json!({}))
        .unwrap();
    assert_eq!(answer.status(), 200);
    answer.body_mut().read_json().unwrap()
}

/// Names of those that did not cosign the newest checkpoint.
fn behind(said: &Value) -> Vec<&str> {
    let each = said["witnesses"]["each"].as_array().unwrap().iter();
    let behind = each.filter(|one| !one["trouble"].is_null());
    behind.map(|one| one["name"].as_str().unwrap()).collect()
}

fn copy(house: &House, from: &str, to: &str) {
    let copied = Command::new("cp")
        .args(["-r", from, to])
        .current_dir(house.path("."))
        .status();
    assert!(copied.unwrap().success());
}

#[test]
fn checkpoints_are_cosigned_while_it_runs_and_an_old_copy_is_told_on() {
    let house = house();
    let ((one, url1), (two, url2)) = (witness(&house, "w1", "0"), witness(&house, "w2", "0"));
    // Port 1 is nobody's: the third witness is away.
    policy(&house, [&url1, &url2, "http://127.0.0.1:1"]);

    // All three may be asked, and two quorums of two share one: none of them may be false.
    let more = "--witness-policy policy";
    let mut strict = house.serve(0);
    strict.args(more.split_whitespace());
    house.not_served(&mut strict).says(3, &["AN-TRU-054"]);
    let more = "--witness-policy policy --witness-faulty 0";
    let plane = serve(&house, more);
    let said = cosigned(&house, &plane);
    assert_eq!(said["witnesses"]["size"], said["size"], "{said}");
    assert_eq!(behind(&said), ["w3"]);

    // What lies beside the ledger is what an outsider needs.
    grow(&house, &plane, "growth");
    let said = cosigned(&house, &plane);
    assert_eq!(said["witnesses"]["size"], said["size"], "{said}");
    house.run("ledger export data --out cosigned").done();
    house
        .run("ledger verify cosigned --policy policy --faulty 0")
        .done();

    // Too few: the ledger goes on, what counted before counts still, and it is said.
    let counted = said["size"].clone();
    two.kill();
    grow(&house, &plane, "alone");
    let said = cosigned(&house, &plane);
    assert_eq!(said["witnesses"]["size"], counted, "{said}");
    assert_ne!(said["size"], counted, "{said}");
    assert_eq!(behind(&said), ["w2", "w3"]);

    // It comes back, from behind, and the newest counts.
    let port = url2.rsplit(':').next().unwrap();
    let (two, _) = witness(&house, "w2", port);
    let said = cosigned(&house, &plane);
    assert_eq!(said["witnesses"]["size"], said["size"], "{said}");
    plane.process.terminate().done();

    // A copy of the ledger goes on in its place after the honest one did: the witnesses tell.
    copy(&house, "data", "copy");
    let plane = serve(&house, more);
    grow(&house, &plane, "honest");
    grow(&house, &plane, "honest-2");
    cosigned(&house, &plane);
    plane.process.terminate().done();
    fs::rename(house.path("data"), house.path("honest")).unwrap();
    fs::rename(house.path("copy"), house.path("data")).unwrap();
    let plane = serve(&house, more);
    let said = cosigned(&house, &plane);
    assert_eq!(behind(&said), NAMES, "{said}");
    let trouble = said["witnesses"]["each"][0]["trouble"].as_str().unwrap();
    assert!(trouble.contains("an old copy, or a fork"), "{trouble}");
    plane.process.terminate().done();
    one.kill();
    two.kill();
}

#[test]
fn a_policy_for_another_ledger_is_refused_before_anything_starts() {
    let house = house();
    policy(&house, ["", "", ""]);
    let text = fs::read_to_string(house.path("policy")).unwrap();
    let other = text.replace("log anlauf/beispiel+", "log anlauf/andere+");
    fs::write(house.path("policy"), other).unwrap();
    let mut command = house.serve(0);
    command.args(["--witness-policy", "policy", "--witness-faulty", "0"]);
    let run = house.not_served(&mut command);
    assert_ne!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("policy"), "{}", run.err);
}
