//! Changes: once per key, right under races, refused with every reason.

use anlauf_model::{Minutes, Stage};
use anlauf_recovery::command::WaveDraft;
use anlauf_recovery::{Command, Order, State};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Desk as _;
use crate::limits::{CLOSE_DRAWING_COUNT_MAX, PLAN_STEP_COUNT_MAX};
use crate::stand::Stand;
use crate::stand::story::{OTHER, OWN, OWN_PERSON};

#[tokio::test]
async fn a_whole_recovery_goes_through_the_api() {
    let stand = Stand::rich().await;
    let status = stand.json("operator-1", "/status").await;
    assert_eq!(status["drill"], json!(true));
    assert!(
        status["seq"].as_u64().is_some_and(|seq| seq > 100),
        "{status}"
    );
}

fn notice(word: &str) -> Value {
    let text = json!({ "de": word, "en": word });
    json!({ "verb": "publish_notice", "text": text,
        "next_word_at": "2036-01-01T00:00:00Z", "tenant": null })
}

#[tokio::test]
async fn the_same_key_is_done_once() {
    let stand = Stand::founded().await;
    let body = json!({ "key": "one", "reason": "why", "order": notice("a") });
    let first = stand
        .post("operator-1", "/commands", body.clone())
        .await
        .json();
    stand.desk.pass(Minutes::hours(5));
    let again = stand.post("operator-1", "/commands", body).await.json();
    assert_eq!(
        (&first["replayed"], &again["replayed"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["seq"], again["seq"]);
    assert_eq!(first["entries"], again["entries"]);
    let other = json!({ "key": "one", "reason": "why", "order": notice("b") });
    let answer = stand.post("operator-1", "/commands", other).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.codes(), ["AN-REC-002"]);
    assert_eq!(stand.desk.state().notices.len(), 1);
}

#[tokio::test]
async fn a_refusal_gives_every_reason_with_its_remedy() {
    let stand = Stand::founded().await;
    let order = json!({ "verb": "start_tasks", "tasks": [
        { "cell": "town-alder/nothing", "task": "rebuild" },
        { "cell": "town-alder/portal", "task": "decision" },
    ] });
    let answer = stand.order("operator-1", order).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.codes().len() >= 3, "{}", answer.text);
    for reason in answer.json()["reasons"].as_array().expect("reasons") {
        assert!(
            reason["remedy"]
                .as_str()
                .is_some_and(|remedy| !remedy.is_empty()),
            "{reason}"
        );
    }
    let empty = json!({ "reason": " ", "order": notice("a") });
    let answer = stand.post("operator-1", "/commands", empty).await;
    assert_eq!(answer.codes(), ["AN-REC-001"]);
}

#[tokio::test]
async fn a_tenant_gets_only_the_entries_it_may_read() {
    let stand = Stand::rich().await;
    let body = json!({ "reason": "ours", "scope": { "tenant": OWN } });
    let done = stand.post(OWN_PERSON, "/close", body).await.json();
    let events = done["entries"].as_array().expect("entries");
    assert!(
        events
            .iter()
            .all(|event| event["event"] != json!("close_ordered")),
        "{done}"
    );
    assert!(
        events
            .iter()
            .any(|event| event["event"] == json!("cells_closed")),
        "{done}"
    );
}

// === close ===

fn close(key: &str, scope: Value) -> Value {
    json!({ "key": key, "reason": "second attack", "scope": scope })
}

#[tokio::test]
async fn a_close_is_done_once_per_key() {
    let stand = Stand::rich().await;
    let first = stand
        .post("operator-1", "/close", close("c", json!("everything")))
        .await
        .json();
    stand.desk.pass(Minutes::hours(1));
    let again = stand
        .post("operator-1", "/close", close("c", json!("everything")))
        .await
        .json();
    assert_eq!(
        (&first["replayed"], &again["replayed"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["seq"], again["seq"]);
    let other = close("c", json!({ "site": "site-east" }));
    let answer = stand.post("operator-1", "/close", other).await;
    assert_eq!(answer.codes(), ["AN-REC-002"], "{}", answer.text);
    stand.must("operator-1", notice("between")).await;
    let body = json!({ "key": "n", "reason": "r", "order": notice("n") });
    stand.post("operator-1", "/commands", body).await;
    let answer = stand
        .post("operator-1", "/close", close("n", json!("everything")))
        .await;
    assert_eq!(
        answer.codes(),
        ["AN-REC-002"],
        "a key of another verb: {}",
        answer.text
    );
}

/// Two requests with one key at the same time: each looks the key up before the other is in.
#[tokio::test]
async fn two_closes_with_one_key_are_one() {
    let stand = Stand::rich().await;
    let before = stand.desk.state().feed.len();
    let actor = operator(&stand);
    let closer = stand.cast.closer();
    stand.desk.overtake(1, move |state| {
        let scope = anlauf_trust::Scope::Everything;
        let statement = anlauf_recovery::close_statement(state, state.at, scope, "first");
        let mut envelope = anlauf_trust::Envelope::unsigned(statement.to_payload());
        closer.sign(&mut envelope);
        Command {
            key: "race".into(),
            actor: actor.clone(),
            reason: "first".into(),
            order: Order::Close { envelope },
        }
    });
    stand.desk.pass(Minutes(1));
    let answer = stand
        .post("operator-1", "/close", close("race", json!("everything")))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.json()["replayed"], json!(true));
    assert_eq!(stand.desk.state().feed.len(), before + 1);
}

fn operator(stand: &Stand) -> anlauf_recovery::Actor {
    let mut actors = stand.cast.actors();
    let found = actors.find(|one| one.person.as_str() == "operator-1");
    found.expect("the example has an operator").clone()
}

/// A release drawn up for a cell moves its epoch: what overtakes a close.
fn overtaking(stand: &Stand) -> impl FnMut(&State) -> Command + Send + 'static {
    let actor = operator(stand);
    let mut number = 0;
    move |state| {
        number += 1;
        let wave = WaveDraft {
            cells: vec!["site-east/network".parse().expect("a cell")],
            stage: Stage::Full,
        };
        Command {
            key: format!("overtaking-{number}"),
            actor: actor.clone(),
            reason: "at the same time".into(),
            order: Order::ProposeReleases {
                waves: vec![wave],
                not_after: state.at + Minutes::days(30),
            },
        }
    }
}

/// A stand whose `site-east/network` is shut with its work done, so that releases can be drawn up.
async fn ready_to_race() -> Stand {
    let stand = Stand::contained().await;
    stand
        .recover("site-east/network", Stage::Full, "forensics-1")
        .await;
    stand
        .close_must("operator-1", json!({ "cells": ["site-west/network"] }))
        .await;
    stand
        .close_must("operator-1", json!({ "cells": ["site-east/network"] }))
        .await;
    stand.work("site-east/network").await;
    stand
}

#[tokio::test]
async fn an_overtaken_close_is_drawn_up_again() {
    let stand = ready_to_race().await;
    stand
        .desk
        .overtake(u64::from(CLOSE_DRAWING_COUNT_MAX) - 1, overtaking(&stand));
    let body = close("overtaken", json!("everything"));
    let answer = stand.post("operator-1", "/close", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let state = stand.desk.state();
    let cell = &state.cells[&"site-east/network".parse().expect("a cell")];
    assert_eq!(
        cell.epoch, cell.epoch_proposed,
        "a release drawn up meanwhile is burned too"
    );
}

#[tokio::test]
async fn a_close_that_is_always_overtaken_gives_up() {
    let stand = ready_to_race().await;
    stand
        .desk
        .overtake(u64::from(CLOSE_DRAWING_COUNT_MAX), overtaking(&stand));
    let body = close("overtaken", json!("everything"));
    let answer = stand.post("operator-1", "/close", body).await;
    assert_eq!(answer.codes(), ["AN-REC-020"]);
}

#[tokio::test]
async fn dependents_are_shut_with_what_they_need() {
    let stand = Stand::rich().await;
    let open = |stand: &Stand, cell: &str| {
        let state = stand.desk.state();
        state.cells[&cell.parse().expect("a cell")].stage > Stage::Closed
    };
    let portal = format!("{OTHER}/portal");
    assert!(open(&stand, &portal) && open(&stand, "shared/mail"));
    let mut body = close("deep", json!({ "cells": ["shared/mail"] }));
    body["with_dependents"] = json!(true);
    let answer = stand.post("security-1", "/close", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(!open(&stand, &portal) && !open(&stand, "shared/mail"));
    assert!(open(&stand, "foundation/identity"));
}

#[tokio::test]
async fn who_may_close_what() {
    let stand = Stand::rich().await;
    let own = json!({ "cells": [format!("{OWN}/portal")] });
    let other = json!({ "cells": [format!("{OTHER}/portal")] });
    for (who, scope, status) in [
        (OWN_PERSON, own.clone(), 200),
        (OWN_PERSON, json!({ "tenant": OWN }), 200),
        (OWN_PERSON, other.clone(), 409),
        (OWN_PERSON, json!({ "tenant": OTHER }), 409),
        (OWN_PERSON, json!("everything"), 409),
        (OWN_PERSON, json!({ "site": "site-east" }), 409),
        (OWN_PERSON, json!({ "service": "portal" }), 409),
        ("auditor-1", own.clone(), 409),
        ("owner-1", other, 200),
    ] {
        let body = json!({ "reason": "tried", "scope": scope });
        let answer = stand.post(who, "/close", body).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{who} {scope}: {}",
            answer.text
        );
    }
}

// === plan and forecast ===

#[tokio::test]
async fn a_plan_is_made_once_per_key() {
    let stand = Stand::contained().await;
    let body = json!({ "key": "p", "reason": "first plan", "steps": 0 });
    let first = stand
        .post("operator-1", "/plan/proposals", body.clone())
        .await
        .json();
    assert_eq!(first["difference"], Value::Null);
    let plan = first["plan"].clone();
    stand
        .must("operator-1", json!({ "verb": "adopt_plan", "plan": plan }))
        .await;
    stand.desk.pass(Minutes::days(1));
    let again = stand
        .post("operator-1", "/plan/proposals", body)
        .await
        .json();
    assert_eq!(again["replayed"], json!(true));
    assert_eq!(
        (&first["plan"], &first["seq"]),
        (&again["plan"], &again["seq"])
    );
    let used = json!({ "key": "p", "reason": "r", "samples": 4 });
    let answer = stand.post("operator-1", "/forecast", used).await;
    assert_eq!(answer.codes(), ["AN-REC-002"], "{}", answer.text);
}

#[tokio::test]
async fn a_second_plan_tells_what_it_changes() {
    let stand = Stand::contained().await;
    stand.plan().await;
    stand.desk.pass(Minutes::days(3));
    let body = json!({ "reason": "three days later", "steps": 0 });
    let told = stand
        .post("operator-1", "/plan/proposals", body)
        .await
        .json();
    assert!(
        told["difference"]["later"]
            .as_u64()
            .is_some_and(|later| later > 0),
        "{told}"
    );
    // Each move is typed: a kind, and the fields that belong to it.
    let moves = told["difference"]["moves"].as_array().expect("moves");
    for one in moves {
        let kind = one["because"].as_str().expect("a kind");
        let with_cell = ["needs", "after", "team", "testers"].contains(&kind);
        assert_eq!(one["behind"].is_string(), with_cell, "{one}");
        assert_ne!(one["behind"], one["cell"], "{one}");
        assert_eq!(one["team"].is_string(), kind == "team", "{one}");
        assert!(one["by"].as_i64().is_some_and(|by| by != 0), "{one}");
    }
    let plan = told["plan"].as_str().expect("an id");
    let diff = stand
        .json("operator-1", &format!("/plans/diff?to={plan}"))
        .await;
    assert_eq!(diff["difference"], told["difference"]);
    // An earlier plan lies in the ledger only.
    let first = stand.desk.state().plan.as_ref().expect("a plan").id;
    stand
        .must("operator-1", json!({ "verb": "adopt_plan", "plan": plan }))
        .await;
    let diff = stand
        .json("auditor-1", &format!("/plans/diff?from={first}&to={plan}"))
        .await;
    assert_eq!(diff["difference"], told["difference"]);
}

#[tokio::test]
async fn slots_that_contradict_are_named() {
    let stand = Stand::contained().await;
    let cells = [format!("{OWN}/portal"), format!("{OTHER}/portal")];
    let (from, to) = (stand.desk.now(), stand.desk.now() + Minutes(20));
    let slots = cells
        .iter()
        .map(|cell| json!({ "cell": cell, "slot": { "from": from, "to": to } }));
    let slots: Vec<_> = slots.collect();
    stand
        .must(
            "operator-1",
            json!({ "verb": "offer_slots", "slots": slots }),
        )
        .await;
    for (tenant, cell) in [OWN, OTHER].into_iter().zip(&cells) {
        let order = json!({ "verb": "agree_slots", "cells": [cell] });
        stand.must(&format!("{tenant}.approver-1"), order).await;
    }
    let answer = stand
        .post("operator-1", "/plan/proposals", json!({ "reason": "r" }))
        .await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text);
    let problem = answer.json();
    assert_eq!(answer.codes(), ["AN-PLN-001"]);
    assert!(
        problem["cells"]
            .as_array()
            .is_some_and(|cells| !cells.is_empty()),
        "{problem}"
    );
}

#[tokio::test]
async fn planning_has_its_limits() {
    let stand = Stand::contained().await;
    let steps = PLAN_STEP_COUNT_MAX + 1;
    let cases = [
        (
            "/plan/proposals",
            json!({ "reason": "r", "steps": steps }),
            400,
        ),
        ("/forecast", json!({ "reason": "r", "samples": 0 }), 400),
        (
            "/forecast",
            json!({ "reason": "r", "samples": 1_000_000 }),
            400,
        ),
        ("/forecast", json!({ "reason": "r", "samples": 1 }), 409),
        ("/plan/proposals", json!({ "reason": "", "steps": 0 }), 409),
    ];
    for (path, body, status) in cases {
        let answer = stand.post("operator-1", path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
    }
    let empty = Stand::new();
    let answer = empty
        .post("operator-1", "/plan/proposals", json!({ "reason": "r" }))
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    for who in [OWN_PERSON, "auditor-1", "security-1"] {
        let answer = stand
            .post(who, "/plan/proposals", json!({ "reason": "r" }))
            .await;
        assert_eq!(answer.codes(), ["AN-REC-003"], "{who}");
    }
}

#[tokio::test]
async fn a_checkpoint_is_signed_on_demand() {
    let stand = Stand::founded().await;
    assert_eq!(
        stand.json("auditor-1", "/ledger").await["checkpoint"],
        Value::Null
    );
    let path = "/ledger/checkpoint";
    let head = stand
        .ask(Some("operator-1"), Method::POST, path, None)
        .await
        .json();
    assert_eq!(head["size"], json!(stand.desk.state().seq));
    let note = head["checkpoint"].as_str().expect("a note");
    let public = crate::stand::signer("ledger").public();
    let origin = crate::stand::desk::ORIGIN;
    let checked = anlauf_trust::Checkpoint::verify(note, origin, &public).expect("it verifies");
    assert_eq!(json!(checked.root), head["root"]);
}
