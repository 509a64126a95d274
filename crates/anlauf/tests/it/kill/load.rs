//! People who ask for changes all the time, until the control plane is gone.
//!
//! Out:   every acknowledged command: number of its last entry, and its key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anlauf_model::Digest;
use anlauf_trust::{Envelope, Signer};
use serde_json::{Value, json};

use crate::house::House;

/// Longest wait for one answer; only a hang reaches it.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// The cells that are opened and shut again and again.
const CELLS: [&str; 2] = ["site-west/network", "site-east/network"];

/// Everyone at work.
pub struct Load {
    people: Vec<JoinHandle<()>>,
    told: Receiver<()>,
    acknowledged: Arc<Mutex<BTreeMap<u64, String>>>,
}

/// One worker with a line to the control plane.
struct Worker {
    agent: ureq::Agent,
    control: String,
    next: Arc<AtomicU64>,
    tell: Sender<()>,
    acknowledged: Arc<Mutex<BTreeMap<u64, String>>>,
}

/// What came of a command, as long as the control plane is there.
enum Answer {
    Done(Value),
    Refused,
}

/// The control plane is gone.
struct Gone;

impl Load {
    /// Everyone begins.
    pub fn start(house: &House, control: &str, next: &Arc<AtomicU64>) -> Self {
        let (tell, told) = channel();
        let acknowledged = Arc::new(Mutex::new(BTreeMap::new()));
        let worker = || Worker {
            agent: agent(),
            control: control.to_owned(),
            next: next.clone(),
            tell: tell.clone(),
            acknowledged: acknowledged.clone(),
        };
        let tenant = house.token("town-birch.approver-1");
        let operator = house.token("operator-1");
        let keys =
            ["security-1", "forensics-1"].map(|name| (house.token(name), signer(house, name)));
        let (wishing, telling, opening) = (worker(), worker(), worker());
        let teller = operator.clone();
        let people = vec![
            std::thread::spawn(move || while wishing.wish(&tenant).is_ok() {}),
            std::thread::spawn(move || while telling.notice(&teller).is_ok() {}),
            std::thread::spawn(move || while opening.open(&operator, &keys).is_ok() {}),
        ];
        Self {
            people,
            told,
            acknowledged,
        }
    }

    /// Waits for so many acknowledged commands.
    pub fn wait(&self, count: u64) {
        for _ in 0..count {
            self.told.recv_timeout(ANSWER_WAIT_MAX).unwrap();
        }
    }

    /// Everyone has seen that the control plane is gone; gives what was acknowledged.
    pub fn end(self) -> BTreeMap<u64, String> {
        for person in self.people {
            person.join().unwrap();
        }
        std::mem::take(&mut *self.acknowledged.lock().unwrap())
    }
}

impl Worker {
    fn wish(&self, token: &str) -> Result<Answer, Gone> {
        let order = json!({
            "verb": "state_wish",
            "tenant": "town-birch",
            "order": ["town-birch/mail"],
        });
        self.send(token, "wish", "/commands", json!({ "order": order }))
    }

    fn notice(&self, token: &str) -> Result<Answer, Gone> {
        let order = json!({
            "verb": "publish_notice",
            "text": { "de": "Wir arbeiten daran.", "en": "We are working on it." },
            "next_word_at": "2099-01-01T00:00:00Z",
            "tenant": null,
        });
        self.send(token, "notice", "/commands", json!({ "order": order }))
    }

    /// Shuts the cells, and opens them again on signatures of two parties.
    fn open(&self, operator: &str, keys: &[(String, Signer); 2]) -> Result<(), Gone> {
        let scope = json!({ "scope": { "cells": CELLS } });
        self.send(operator, "close", "/close", scope)?;
        let finding = |cell: &str| {
            json!({
                "cell": cell,
                "kind": "commissioned",
                "verdict": "pass",
                "evidence": "00".repeat(32),
                "note": "",
            })
        };
        let order = json!({ "verb": "add_findings", "findings": CELLS.map(finding) });
        self.send(
            &keys[0].0,
            "finding",
            "/commands",
            json!({ "order": order }),
        )?;
        let waves = CELLS.map(|cell| json!({ "cells": [cell], "stage": "full" }));
        let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let order = json!({
            "verb": "propose_releases",
            "waves": waves,
            "not_after": until.to_string(),
        });
        let asked = self.send(operator, "propose", "/commands", json!({ "order": order }))?;
        let Answer::Done(proposed) = asked else {
            return Ok(());
        };
        let mut releases = Vec::new();
        for (token, signer) in keys {
            let (signatures, named) = sign(&proposed, signer);
            releases = named;
            let order = json!({ "verb": "add_signatures", "signatures": signatures });
            self.send(token, "sign", "/commands", json!({ "order": order }))?;
        }
        let order = json!({ "verb": "release", "releases": releases });
        self.send(operator, "release", "/commands", json!({ "order": order }))?;
        Ok(())
    }

    fn send(&self, token: &str, name: &str, path: &str, mut body: Value) -> Result<Answer, Gone> {
        let key = format!("{name}-{}", self.next.fetch_add(1, Ordering::SeqCst));
        body["key"] = json!(key);
        body["reason"] = json!("under load");
        let answer = self
            .agent
            .post(format!("{}/api/v1{path}", self.control))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .send(body.to_string());
        let Ok(mut answer) = answer else {
            return Err(Gone);
        };
        match answer.status().as_u16() {
            200 => {}
            409 => return Ok(Answer::Refused),
            status => panic!("{name}: {status} {:?}", answer.body_mut().read_to_string()),
        }
        // An answer that broke off was not an answer.
        let Ok(told) = answer.body_mut().read_json::<Value>() else {
            return Err(Gone);
        };
        let seq = told["seq"].as_u64().unwrap();
        self.acknowledged.lock().unwrap().insert(seq, key);
        // Nobody waits any longer once the kill was decided.
        let _unheard = self.tell.send(());
        Ok(Answer::Done(told))
    }
}

/// Signatures under what was drawn up, and its names.
fn sign(proposed: &Value, signer: &Signer) -> (Vec<Value>, Vec<Digest>) {
    let mut signatures = Vec::new();
    let mut releases = Vec::new();
    for entry in proposed["entries"].as_array().unwrap() {
        if entry["event"] != "release_proposed" {
            continue;
        }
        let envelope: Envelope = serde_json::from_value(entry["envelope"].clone()).unwrap();
        let signature = signer.signature(&envelope);
        releases.push(envelope.digest());
        signatures.push(json!({
            "release": envelope.digest(),
            "keyid": signature.keyid,
            "sig": hex::encode(signature.sig),
        }));
    }
    (signatures, releases)
}

fn signer(house: &House, person: &str) -> Signer {
    let path = house.path("keys").join(format!("{person}.key"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let seed: Digest = file["seed"].as_str().unwrap().parse().unwrap();
    Signer::from_seed(seed.0)
}

/// A client that tells what it was answered.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(ANSWER_WAIT_MAX))
        .build()
        .new_agent()
}

/// Reads JSON.
pub fn get<T: serde::de::DeserializeOwned>(url: &str) -> T {
    agent()
        .get(url)
        .call()
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap()
}
