//! Reading: filters, stretches, reasons, the inbox of each role.

use serde_json::{Value, json};

use super::super::veil::ANOTHER_TENANT;
use crate::Desk as _;
use crate::stand::Stand;
use crate::stand::story::{OTHER, OWN, OWN_PERSON};

fn ids(list: &Value, name: &str) -> Vec<String> {
    let items = list.as_array().expect("a list");
    items
        .iter()
        .map(|item| item[name].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn cells_are_filtered_and_come_in_stretches() {
    let stand = Stand::rich().await;
    let all = stand.json("operator-1", "/cells").await;
    let whole = ids(&all["cells"], "id");
    assert_eq!(whole.len(), stand.landscape.cells().len());
    let (mut walked, mut after) = (Vec::new(), String::new());
    for _ in 0..whole.len() {
        let page = stand
            .json("operator-1", &format!("/cells?limit=2{after}"))
            .await;
        assert_eq!(page["total"], all["total"]);
        walked.extend(ids(&page["cells"], "id"));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(walked, whole);
    for (query, count) in [
        ("tenant=town-alder", 4),
        ("service=mail", 4),
        ("kind=switch", 3),
        ("tenant=town-alder&service=special", 2),
        ("tenant=town-nowhere", 0),
    ] {
        let found = stand.json("operator-1", &format!("/cells?{query}")).await;
        assert_eq!(found["total"], json!(count), "{query}");
    }
    let full = stand.json("operator-1", "/cells?stage=full").await;
    assert!(ids(&full["cells"], "id").contains(&"shared/mail".to_owned()));
    let foreign = stand
        .json(OWN_PERSON, &format!("/cells?tenant={OTHER}"))
        .await;
    assert_eq!(foreign["total"], json!(0));
}

#[tokio::test]
async fn a_tenant_gets_its_own_numbers() {
    let stand = Stand::rich().await;
    let status = stand.json(OWN_PERSON, "/status").await;
    assert_eq!(status["cells"], json!(4));
    for name in ["gates", "kinds", "expected", "releases_open"] {
        assert!(status.get(name).is_none(), "{name}");
    }
    let own = stand.json(OWN_PERSON, &format!("/tenants/{OWN}")).await;
    assert_eq!(own["progress"], status["progress"]);
    let whole = stand.json("operator-1", "/status").await;
    assert_eq!(whole["cells"], json!(stand.landscape.cells().len()));
    assert!(
        whole["progress"]["systems_restored_per_mille"]
            .as_u64()
            .is_some_and(|n| n > 0)
    );
}

/// A team is busy with other tenants' cells: a tenant reads that, and not with whose.
#[tokio::test]
async fn a_chain_does_not_name_other_tenants() {
    let stand = Stand::contained().await;
    stand.plan().await;
    let (mut named, mut covered) = (0, 0);
    for cell in stand.landscape.cells().keys() {
        let tenant = cell.owner();
        if stand
            .landscape
            .cell(cell)
            .is_some_and(|cell| cell.tenant().is_none())
        {
            continue;
        }
        let path = format!("/cells/{cell}/why");
        let whole = stand.json("operator-1", &path).await.to_string();
        let own = stand
            .json(&format!("{tenant}.approver-1"), &path)
            .await
            .to_string();
        for other in ["town-alder", "town-birch", "town-cedar"]
            .iter()
            .filter(|o| **o != tenant)
        {
            named += usize::from(whole.contains(other));
            assert!(!own.contains(other), "{path}: {own}");
        }
        covered += usize::from(own.contains(ANOTHER_TENANT));
    }
    assert!(
        named > 0 && covered > 0,
        "no chain leads to another tenant: nothing was tried"
    );
}

#[tokio::test]
async fn each_inbox_holds_what_its_owner_may_do() {
    let stand = Stand::rich().await;
    let own = stand.json(OWN_PERSON, "/inbox").await;
    assert_eq!(ids(&own["sign"], "release"), [stand.open_release(OWN)]);
    assert_eq!(ids(&own["slots"], "cell"), [format!("{OWN}/mail")]);
    assert_eq!(own["plans"], json!([]));
    let security = stand.json("security-1", "/inbox").await;
    assert_eq!(security["sign"], json!([]), "security has signed all of it");
    let second = stand.json("security-2", "/inbox").await;
    assert_eq!(
        second["sign"],
        json!([]),
        "policy asks for one of security only"
    );
    let operator = stand.json("operator-1", "/inbox").await;
    assert_eq!(operator["sign"], json!([]));
    assert_eq!(
        operator["slots"],
        json!([]),
        "an operator does not answer for a tenant"
    );

    let release = json!(stand.open_release(OWN));
    assert_eq!(
        stand.json(OWN_PERSON, "/releases").await["releases"]
            .as_array()
            .map(Vec::is_empty),
        Some(false)
    );
    stand.sign(OWN_PERSON, &release).await;
    assert_eq!(stand.json(OWN_PERSON, "/inbox").await["sign"], json!([]));
    let operator = stand.json("operator-1", "/inbox").await;
    assert_eq!(
        ids(&operator["release"], "release"),
        [stand.open_release(OWN)]
    );
}

#[tokio::test]
async fn a_release_says_what_is_signed_and_who_is_missing() {
    let stand = Stand::rich().await;
    let release = stand.open_release(OWN);
    let told = stand
        .json(OWN_PERSON, &format!("/releases/{release}"))
        .await;
    assert_eq!(told["missing"], json!([{ "role": "tenant", "count": 1 }]));
    assert_eq!(ids(&told["signed"], "person"), ["security-1"]);
    let portal = format!("{OWN}/portal");
    for language in ["de", "en"] {
        assert!(
            told["words"][language]
                .as_str()
                .is_some_and(|words| words.contains(&portal))
        );
    }
    let envelope = anlauf_trust::Envelope::parse(told["envelope"].to_string().as_bytes());
    let envelope = envelope.expect("the envelope is whole");
    assert_eq!(
        envelope.digest().to_string(),
        release,
        "what is read is what is signed"
    );
    assert!(
        told["refused"]
            .as_array()
            .is_some_and(|reasons| !reasons.is_empty())
    );
}

#[tokio::test]
async fn a_finding_tells_what_rests_on_it() {
    let stand = Stand::rich().await;
    let findings = stand
        .json("security-1", "/findings?cell=shared/mail&kind=backup_clean")
        .await;
    let number = findings["findings"][0]["number"].clone();
    let told = stand
        .json("security-1", &format!("/findings/{number}"))
        .await;
    let resting = told["rests_on"].as_array().expect("a list");
    assert!(resting.contains(&json!("shared/mail")), "{told}");
    assert!(
        resting.contains(&json!(format!("{OTHER}/portal"))),
        "{told}"
    );
    let withdrawn = stand.json("security-1", "/findings?standing=false").await;
    assert!(withdrawn["total"].as_u64().is_some_and(|total| total > 0));
}

#[tokio::test]
async fn contradictions_wait_for_the_operator() {
    let stand = Stand::contained().await;
    let cell = format!("{OWN}/portal");
    let (from, to) = (
        stand.desk.now(),
        stand.desk.now() + anlauf_model::Minutes::days(30),
    );
    let slots = json!([{ "cell": cell, "slot": { "from": from, "to": to } }]);
    stand
        .must(
            "operator-1",
            json!({ "verb": "offer_slots", "slots": slots }),
        )
        .await;
    stand
        .must(
            OWN_PERSON,
            json!({ "verb": "agree_slots", "cells": [cell] }),
        )
        .await;
    assert_eq!(
        stand.json("operator-1", "/inbox").await["contradictions"],
        json!([])
    );
    stand.desk.pass(anlauf_model::Minutes::days(31));
    let inbox = stand.json("operator-1", "/inbox").await;
    assert_eq!(inbox["contradictions"][0]["why"], json!("passed"));
}
