//! Route cover: every route is tried without a login and as everyone who must not see.
//!
//! A route that is not in [`COVER`] fails the test, so that nobody adds one without thinking of it.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::route::{Access, Method as Verb};
use super::super::table;
use crate::stand::story::{OTHER, OTHER_PERSON, OWN, OWN_PERSON};
use crate::stand::{Answer, Stand};

/// What a route is to a tenant's representative.
#[derive(Clone, Copy, PartialEq, Debug)]
enum To {
    /// Anyone reads it, without a login.
    Anyone,
    /// A list or document, cut down to the tenant's own.
    Own,
    /// One thing with an address: another's is a 404.
    Thing,
    /// The provider's: a 403.
    Provider,
    /// A gate's: a 403.
    Gate,
    /// A change.
    Change,
}

/// Every route, and what it is to a tenant.
const COVER: [(Verb, &str, To); 38] = [
    (Verb::Get, "/health", To::Anyone),
    (Verb::Get, "/openapi.json", To::Anyone),
    (Verb::Get, "/public/status", To::Anyone),
    (Verb::Get, "/whoami", To::Own),
    (Verb::Get, "/status", To::Own),
    (Verb::Get, "/inbox", To::Own),
    (Verb::Get, "/landscape", To::Own),
    (Verb::Get, "/tenants", To::Own),
    (Verb::Get, "/tenants/{tenant}", To::Thing),
    (Verb::Get, "/cells", To::Own),
    (Verb::Get, "/cells/{owner}/{service}", To::Thing),
    (Verb::Get, "/cells/{owner}/{service}/why", To::Thing),
    (Verb::Get, "/plan", To::Own),
    (Verb::Get, "/plans", To::Provider),
    (Verb::Get, "/plans/diff", To::Provider),
    (Verb::Get, "/forecast", To::Own),
    (Verb::Get, "/forecasts", To::Own),
    (Verb::Get, "/findings", To::Own),
    (Verb::Get, "/findings/{number}", To::Thing),
    (Verb::Get, "/offers", To::Own),
    (Verb::Get, "/wishes", To::Own),
    (Verb::Get, "/releases", To::Own),
    (Verb::Get, "/releases/{digest}", To::Thing),
    (Verb::Get, "/root", To::Own),
    (Verb::Get, "/policy", To::Own),
    (Verb::Get, "/entries", To::Own),
    (Verb::Get, "/entries/{number}", To::Thing),
    (Verb::Get, "/entries/{number}/proof", To::Thing),
    (Verb::Get, "/events", To::Own),
    (Verb::Get, "/ledger", To::Own),
    (Verb::Get, "/notices", To::Own),
    (Verb::Get, "/gates", To::Provider),
    (Verb::Get, "/gate/feed", To::Gate),
    (Verb::Get, "/gate/table", To::Gate),
    (Verb::Post, "/gate/report", To::Gate),
    (Verb::Post, "/commands", To::Change),
    (Verb::Post, "/close", To::Change),
    (Verb::Post, "/plan/proposals", To::Change),
];

/// Routes that are covered by [`COVER`] and these, which change things too.
const COVER_MORE: [(Verb, &str, To); 4] = [
    (Verb::Get, "/cells/{owner}/{service}/earlier", To::Thing),
    (Verb::Post, "/forecast", To::Change),
    (Verb::Post, "/plan/trials", To::Change),
    (Verb::Post, "/ledger/checkpoint", To::Provider),
];

fn cover() -> impl Iterator<Item = (Verb, &'static str, To)> {
    COVER.into_iter().chain(COVER_MORE)
}

/// What must not reach a tenant's eyes: ids and names of the others.
const UNSEEN: [&str; 6] = [
    OTHER,
    "Stadt Birke",
    "town-cedar",
    "Stadt Zeder",
    "townbirch",
    "towncedar",
];

fn method(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
    }
}

/// A real address of a route's thing that belongs to a tenant.
fn address(stand: &Stand, path: &str, tenant: &str) -> String {
    use crate::Desk as _;
    let state = stand.desk.state();
    let own = |cell: Option<&anlauf_model::CellId>| cell.is_some_and(|c| c.owner() == tenant);
    let finding = state
        .findings
        .values()
        .find(|finding| own(finding.cell.as_ref()));
    let finding = finding.expect("the story has findings").number.to_string();
    let entries = stand
        .desk
        .entries(1, usize::MAX)
        .expect("memory does not fail");
    let scope = anlauf_recovery::event::Scope::Tenant(tenant.parse().expect("an id"));
    let entry = entries
        .iter()
        .find(|entry| entry.scope == scope)
        .expect("the story has entries");
    let plan = state.plan.as_ref().expect("a plan").id.to_string();
    let filled = path
        .replace("{tenant}", tenant)
        .replace("{owner}/{service}", &format!("{tenant}/portal"))
        .replace("{digest}", &stand.open_release(tenant));
    match filled.as_str() {
        "/findings/{number}" => format!("/findings/{finding}"),
        "/entries/{number}" => format!("/entries/{}", entry.seq),
        "/entries/{number}/proof" => format!("/entries/{}/proof", entry.seq),
        "/plans/diff" => format!("/plans/diff?to={plan}"),
        "/entries" => "/entries?limit=1000".to_owned(),
        _ => filled,
    }
}

/// A body that the route would take from someone who may.
fn body(stand: &Stand, path: &str) -> Option<Value> {
    let reason = "tried by the route cover";
    let key = format!("cover {path}");
    match path {
        "/commands" => {
            let text = json!({ "de": "Satz", "en": "sentence" });
            let order = json!({ "verb": "publish_notice", "text": text,
                "next_word_at": "2036-01-01T00:00:00Z", "tenant": null });
            Some(json!({ "key": key, "reason": reason, "order": order }))
        }
        "/close" => Some(json!({ "key": key, "reason": reason, "scope": "everything" })),
        "/plan/proposals" | "/forecast" => Some(json!({ "key": key, "reason": reason })),
        "/plan/trials" => {
            let change = json!({ "change": "lanes", "team": "crew", "lanes": 2 });
            Some(json!({ "changes": [change] }))
        }
        "/gate/report" => Some(stand.report("gate-1", 1)),
        _ => None,
    }
}

async fn ask(stand: &Stand, who: Option<&str>, verb: Verb, path: &str, tenant: &str) -> Answer {
    let body = if verb == Verb::Post {
        body(stand, path)
    } else {
        None
    };
    stand
        .ask(
            who,
            method(verb),
            &address(stand, path, tenant),
            body.as_ref(),
        )
        .await
}

#[test]
fn every_route_is_covered_and_every_covered_route_exists() {
    let mut served: Vec<_> = table()
        .iter()
        .map(|route| (route.method, route.path, route.access))
        .collect();
    for (verb, path, to) in cover() {
        let found = served
            .iter()
            .position(|(method, known, _)| (*method, *known) == (verb, path));
        let (.., access) =
            served.remove(found.unwrap_or_else(|| panic!("{verb:?} {path} is gone")));
        let wanted = match to {
            To::Anyone => Access::Open,
            To::Own | To::Thing | To::Change => Access::Person,
            To::Provider => Access::Provider,
            To::Gate => Access::Gate,
        };
        assert_eq!(access, wanted, "{verb:?} {path}");
    }
    assert!(
        served.is_empty(),
        "add to COVER and think who may see: {served:?}"
    );
}

#[tokio::test]
async fn without_a_login_nothing_but_the_public_routes_answers() {
    let stand = Stand::rich().await;
    for who in [None, Some("nobody"), Some("")] {
        for (verb, path, to) in cover().filter(|(.., to)| *to != To::Anyone) {
            let answer = ask(&stand, who, verb, path, OWN).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{verb:?} {path} {to:?}"
            );
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert!(answer.headers.contains_key("www-authenticate"), "{path}");
        }
    }
    for (verb, path, _) in cover().filter(|(.., to)| *to == To::Anyone) {
        let answer = ask(&stand, None, verb, path, OWN).await;
        assert_eq!(answer.status, StatusCode::OK, "{verb:?} {path}");
    }
}

#[tokio::test]
async fn gates_and_the_public_have_no_business_elsewhere() {
    let stand = Stand::rich().await;
    for (verb, path, to) in cover().filter(|(.., to)| *to != To::Anyone) {
        let answer = ask(&stand, Some("anyone"), verb, path, OWN).await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "public: {verb:?} {path}"
        );
        let answer = ask(&stand, Some("gate-1"), verb, path, OWN).await;
        let wanted = if to == To::Gate {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(
            answer.status, wanted,
            "gate: {verb:?} {path}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn an_auditor_reads_everything_and_changes_nothing() {
    let stand = Stand::rich().await;
    for (verb, path, to) in cover().filter(|(_, path, _)| *path != "/events") {
        let before = seq(&stand);
        let answer = ask(&stand, Some("auditor-1"), verb, path, OTHER).await;
        let status = answer.status;
        if verb == Verb::Get && to != To::Gate {
            assert_eq!(status, StatusCode::OK, "{path}: {}", answer.text);
        } else {
            let is_no = status == StatusCode::FORBIDDEN || status == StatusCode::CONFLICT;
            assert!(is_no, "{verb:?} {path}: {status}");
        }
        assert_eq!(seq(&stand), before, "{verb:?} {path} changed something");
    }
}

#[tokio::test]
async fn a_tenant_never_sees_anything_of_another() {
    let stand = Stand::rich().await;
    for (verb, path, to) in cover().filter(|(_, path, _)| *path != "/events") {
        let own = ask(&stand, Some(OWN_PERSON), verb, path, OWN).await;
        assert_unseen(&own.text, &format!("{verb:?} {path}"));
        match to {
            To::Anyone | To::Own => assert_eq!(own.status, StatusCode::OK, "{path}: {}", own.text),
            To::Provider | To::Gate => assert_eq!(own.status, StatusCode::FORBIDDEN, "{path}"),
            To::Change => {
                assert_eq!(own.status, StatusCode::CONFLICT, "{path}: {}", own.text);
            }
            To::Thing => {
                assert_eq!(own.status, StatusCode::OK, "{path}: {}", own.text);
                let foreign = ask(&stand, Some(OWN_PERSON), verb, path, OTHER).await;
                assert_eq!(
                    foreign.status,
                    StatusCode::NOT_FOUND,
                    "{path}: {}",
                    foreign.text
                );
                assert_unseen(&foreign.text, path);
                let theirs = ask(&stand, Some(OTHER_PERSON), verb, path, OTHER).await;
                assert_eq!(theirs.status, StatusCode::OK, "{path} as its owner");
            }
        }
    }
}

/// The test above looks for names; this one shows that the same answers do hold them for those
/// who may see, so that the search cannot be empty by accident.
#[tokio::test]
async fn what_a_tenant_does_not_see_is_there() {
    let stand = Stand::rich().await;
    let mut with_names = Vec::new();
    for (verb, path, _) in cover().filter(|(verb, path, to)| {
        *verb == Verb::Get && *path != "/events" && *to != To::Gate && *to != To::Thing
    }) {
        let answer = ask(&stand, Some("operator-1"), verb, path, OWN).await;
        if answer.text.contains(OTHER) {
            with_names.push(path);
        }
    }
    let wanted = [
        "/landscape",
        "/tenants",
        "/cells",
        "/plan",
        "/forecast",
        "/findings",
        "/offers",
        "/wishes",
        "/releases",
        "/root",
        "/entries",
        "/notices",
        "/gates",
    ];
    for path in wanted {
        assert!(
            with_names.contains(&path),
            "{path} holds nothing to hide: {with_names:?}"
        );
    }
}

/// What is another's is told in the same words as what does not exist.
#[tokio::test]
async fn a_refusal_does_not_tell_what_exists() {
    let stand = Stand::rich().await;
    let orders = |tenant: &str| {
        let cell = format!("{tenant}/portal");
        let tasks = json!([{ "cell": cell, "task": "acceptance" }]);
        [
            json!({ "verb": "start_tasks", "tasks": tasks }),
            json!({ "verb": "agree_slots", "cells": [cell] }),
            json!({ "verb": "decline_slots", "cells": [cell] }),
            json!({ "verb": "accept_cells", "cells": [cell], "passed": true }),
            json!({ "verb": "catch_up", "cells": [cell] }),
            json!({ "verb": "state_wish", "tenant": tenant, "order": [cell] }),
        ]
    };
    for (real, made_up) in orders(OTHER).into_iter().zip(orders("town-nowhere")) {
        let real = stand.order(OWN_PERSON, real).await;
        let made_up = stand.order(OWN_PERSON, made_up).await;
        assert_eq!(real.status, StatusCode::CONFLICT);
        assert_eq!(real.text, made_up.text);
    }
    let scope = |tenant: &str| json!({ "cells": [format!("{tenant}/portal")] });
    let close = |tenant: &str| json!({ "reason": "tried", "scope": scope(tenant) });
    let real = stand.post(OWN_PERSON, "/close", close(OTHER)).await;
    assert_eq!(real.codes(), ["AN-REC-004"]);
    assert_eq!(
        real.text,
        stand
            .post(OWN_PERSON, "/close", close("town-nowhere"))
            .await
            .text
    );
}

/// A close that a tenant signed itself is looked at like one that it asks for.
#[tokio::test]
async fn a_signed_close_does_not_tell_what_exists() {
    let stand = Stand::rich().await;
    let close = |cells: &[&str]| {
        use crate::Desk as _;
        let state = stand.desk.state();
        let cells = cells
            .iter()
            .map(|cell| cell.parse().expect("a cell"))
            .collect();
        let scope = anlauf_trust::Scope::Cells(cells);
        let statement = anlauf_recovery::close_statement(&state, state.at, scope, "tried");
        let mut envelope = anlauf_trust::Envelope::unsigned(statement.to_payload());
        crate::stand::signer(OWN_PERSON).sign(&mut envelope);
        json!({ "verb": "close", "envelope": envelope })
    };
    let real = stand.order(OWN_PERSON, close(&["town-birch/portal"])).await;
    assert_eq!(real.codes(), ["AN-REC-004"]);
    for cells in [
        &["town-nowhere/portal"][..],
        &["town-alder/mail", "town-nowhere/portal"],
    ] {
        assert_eq!(
            stand.order(OWN_PERSON, close(cells)).await.text,
            real.text,
            "{cells:?}"
        );
    }
    let own = stand.order(OWN_PERSON, close(&["town-alder/portal"])).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
}

/// A foreign release is as unknown to a signer as one that was never drawn up.
#[tokio::test]
async fn a_foreign_release_cannot_be_signed_nor_found() {
    let stand = Stand::rich().await;
    let release = json!(stand.open_release(OTHER));
    let draft = stand.signature(OWN_PERSON, &release);
    let order = json!({ "verb": "add_signatures", "signatures": [draft] });
    let answer = stand.order(OWN_PERSON, order).await;
    assert_eq!(answer.codes(), ["AN-REC-078"]);
}

#[tokio::test]
async fn the_public_sees_no_list_of_tenants() {
    let stand = Stand::rich().await;
    let all = stand.ask(None, Method::GET, "/public/status", None).await;
    for name in [
        OWN,
        OTHER,
        "town-cedar",
        "Stadt",
        "approver",
        "site-",
        "security-1",
    ] {
        assert!(!all.text.contains(name), "{name} in {}", all.text);
    }
    let path = format!("/public/status?tenant={OTHER}");
    let one = stand.ask(None, Method::GET, &path, None).await.json();
    assert_eq!(one["tenant"], json!("Stadt Birke"));
    let answer = stand
        .ask(
            None,
            Method::GET,
            "/public/status?tenant=town-nowhere",
            None,
        )
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

fn seq(stand: &Stand) -> u64 {
    use crate::Desk as _;
    stand.desk.state().seq
}

/// Fails when a text names another tenant, also within the payload of an envelope.
pub(super) fn assert_unseen(text: &str, what: &str) {
    let mut texts = vec![text.to_owned()];
    if let Ok(value) = serde_json::from_str(text) {
        payloads(&value, &mut texts);
    }
    for text in &texts {
        for name in UNSEEN {
            let place = text.find(name);
            let around = place.map(|place| {
                let before = text[..place].char_indices().rev().nth(120);
                &text[before.map_or(0, |(index, _)| index)..place + name.len()]
            });
            assert_eq!(around, None, "`{name}` is told to {OWN_PERSON} by {what}");
        }
    }
}

/// Every envelope's payload, as text: base64 would hide a name from the search.
fn payloads(value: &Value, texts: &mut Vec<String>) {
    if let Ok(envelope) = serde_json::from_value::<anlauf_trust::Envelope>(value.clone()) {
        texts.push(String::from_utf8(envelope.payload).expect("statements are text"));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| payloads(item, texts)),
        Value::Object(fields) => fields.values().for_each(|item| payloads(item, texts)),
        Value::String(text) if text.starts_with('{') => {
            if let Ok(inner) = serde_json::from_str(text) {
                payloads(&inner, texts);
            }
        }
        _ => {}
    }
}
