use anlauf_model::{CellId, Stage};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Desk as _;
use crate::stand::story::{OTHER, OWN, OWN_PERSON};
use crate::stand::{Answer, Stand};

/// An incident with a plan in force.
async fn planned() -> Stand {
    let stand = Stand::contained().await;
    stand.plan().await;
    stand
}

/// A tenant's cells that are shut.
fn cells(stand: &Stand, tenant: &str) -> Vec<CellId> {
    let state = stand.desk.state();
    let shut = state.cells.iter();
    let shut = shut.filter(|(id, now)| id.owner() == tenant && now.stage == Stage::Closed);
    shut.map(|(id, _)| id.clone()).collect()
}

/// Asks as it is: a trial changes nothing, so it has no key and no reason.
async fn ask(stand: &Stand, who: &str, body: &Value) -> Answer {
    stand
        .ask(Some(who), Method::POST, "/plan/trials", Some(body))
        .await
}

async fn try_it(stand: &Stand, who: &str, change: Value) -> (StatusCode, Value) {
    let answer = ask(stand, who, &json!({ "changes": [change] })).await;
    (
        answer.status,
        serde_json::from_str(&answer.text).expect("JSON"),
    )
}

#[tokio::test]
async fn an_operator_tries_more_people_and_nothing_is_written() {
    let stand = planned().await;
    let before = stand.desk.state().seq;
    let team = stand.landscape.declared().teams.iter();
    let mut moved = 0;
    for team in team {
        let change = json!({ "change": "lanes", "team": team.id, "lanes": 9 });
        let (status, told) = try_it(&stand, "operator-1", change).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        moved += told["effects"].as_array().expect("a list").len();
        let cost = |name: &str| told[name].as_u64().expect("a number");
        assert!(
            cost("objective_after") <= cost("objective_before"),
            "{told}"
        );
    }
    assert!(moved > 0);
    assert_eq!(stand.desk.state().seq, before);
}

#[tokio::test]
async fn a_tenant_tries_its_own_order_and_sees_its_own_cells_only() {
    let stand = planned().await;
    let mut order = cells(&stand, OWN);
    let release = |id: &CellId| {
        let state = stand.desk.state();
        let plan = state.plan.clone().expect("a plan");
        plan.releases().get(id).copied()
    };
    order.sort_by_key(|id| std::cmp::Reverse(release(id)));
    let change = json!({ "change": "order", "tenant": OWN, "order": order });
    let (status, told) = try_it(&stand, OWN_PERSON, change).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    for effect in told["effects"].as_array().expect("a list") {
        let cell = effect["cell"].as_str().expect("an id");
        assert!(cell.starts_with(&format!("{OWN}/")), "{cell}");
    }
    for hidden in ["objective_before", "whole_before"] {
        assert_eq!(told[hidden], Value::Null, "{told}");
    }
    assert!(!told.to_string().contains(OTHER), "{told}");
}

#[tokio::test]
async fn a_tenant_tries_nothing_that_is_not_its_own() {
    let stand = planned().await;
    let foreign = cells(&stand, OTHER).remove(0);
    let team = stand.landscape.declared().teams[0].id.clone();
    let at = stand.desk.now();
    for change in [
        json!({ "change": "slot", "cell": foreign, "from": at, "to": at }),
        json!({ "change": "give_back", "cell": foreign }),
        json!({ "change": "give_back", "cell": "town-nowhere/web" }),
        json!({ "change": "order", "tenant": OTHER, "order": [] }),
        json!({ "change": "order", "tenant": OWN, "order": [foreign] }),
        json!({ "change": "lanes", "team": team, "lanes": 9 }),
        json!({ "change": "drop", "cell": foreign }),
    ] {
        let body = json!({ "changes": [change] });
        let answer = ask(&stand, OWN_PERSON, &body).await;
        assert_eq!(answer.codes(), ["AN-REC-004"], "{}", answer.text);
        assert!(!answer.text.contains(OTHER), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_keeps_the_provider_from_planning_is_not_told_to_a_tenant() {
    let stand = planned().await;
    let change = json!({ "change": "lanes", "team": "nobody-here", "lanes": 1 });
    let (status, told) = try_it(&stand, "operator-1", change).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{told}");
    let many = vec![json!({ "change": "give_back", "cell": "a/b" }); 21];
    let answer = ask(&stand, "operator-1", &json!({ "changes": many })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let none = Stand::contained().await;
    let answer = ask(&none, "operator-1", &json!({ "changes": [] })).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}
