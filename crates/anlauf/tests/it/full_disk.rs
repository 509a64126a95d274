//! A full disk: the process stops with an error, and nothing acknowledged is lost.
//!
//! The shell limits how large a file may grow and has the signal of that ignored, so that writing
//! fails as on a full disk.

use std::process::Command;

use serde_json::{Value, json};

use crate::house::{Desk, House};
use crate::process::{ANLAUF, Running};

#[test]
fn a_full_disk_stops_the_process_and_loses_nothing() {
    let house = House::new(None);
    house.start(0).process.terminate().done();

    // 256 KiB: the first entries are there already; a few notices of 16 KB fill the rest.
    let script = format!(
        "trap '' XFSZ; ulimit -f 512; exec {ANLAUF} --json serve --landscape land --data data \
         --listen 127.0.0.1:0"
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .current_dir(house.path("."))
        .env("NO_COLOR", "1")
        .env("ANLAUF_LOG", "warn");
    let process = Running::start(&mut command);
    let control = process.listens().unwrap()["listening"]
        .as_str()
        .unwrap()
        .to_owned();

    let text = "x".repeat(8_000);
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let token = house.token("operator-1");
    let mut acknowledged = Vec::new();
    for number in 0..1_000 {
        let order = json!({
            "verb": "publish_notice",
            "text": { "de": text, "en": text },
            "next_word_at": "2099-01-01T00:00:00Z",
            "tenant": null,
        });
        let body = json!({ "key": format!("n-{number}"), "reason": "telling", "order": order });
        let answer = agent
            .post(format!("{control}/api/v1/commands"))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .send(body.to_string());
        let Ok(mut answer) = answer else { break };
        if !answer.status().is_success() {
            break;
        }
        let told: Value = answer.body_mut().read_json().unwrap();
        acknowledged.push((number, told["seq"].as_u64().unwrap()));
    }
    assert!(!acknowledged.is_empty() && acknowledged.len() < 1_000);
    process
        .end()
        .says(5, &["cannot write to the ledger", "AN-STO-009"]);

    house.run("ledger verify data").done();
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    for (number, seq) in &acknowledged {
        let line = format!("events --from {seq} --limit 1");
        let entries = desk.read("operator-1", &line);
        assert_eq!(entries[0]["key"], format!("n-{number}"), "entry {seq}");
    }
    plane.process.terminate().done();
}
