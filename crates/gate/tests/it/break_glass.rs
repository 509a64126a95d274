//! Break-glass at the gate: two words open, its own clock shuts, everybody can see it.

use anlauf_model::feed::FeedKind;
use anlauf_model::{Minutes, Stage, Timestamp};
use anlauf_trust::{Release, ReleaseCell};

use crate::backend::mirror;
use crate::cast::{HOST, MELDEN, noon, sealed};
use crate::client::get;
use crate::house::House;

const TWO: [&str; 2] = ["security-1", "stadt-ahornfeld.approver-1"];

/// What is needed when nothing is known: no evidence, four hours.
fn glass(house: &House, epoch: u64) -> Release {
    let mut release = house.cast.release(&[(MELDEN, epoch)], Stage::Full);
    release.cells = release
        .cells
        .into_iter()
        .map(|one| ReleaseCell {
            evidence: Vec::new(),
            ..one
        })
        .collect();
    release.not_before = noon();
    release.not_after = noon() + Minutes(240);
    release.break_glass = true;
    release
}

/// What operators of the gate are told, in its state and its metrics.
async fn told(house: &House, until: Option<Timestamp>) {
    let state = get(house.admin(), "localhost", "/state").await.body;
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let want = match until {
        Some(until) => serde_json::json!([{ "cell": MELDEN, "until": until }]),
        None => serde_json::json!([]),
    };
    assert_eq!(state["break_glass"], want);
    let metrics = get(house.admin(), "localhost", "/metrics").await.body;
    let count = u8::from(until.is_some());
    let line = format!("anlauf_gate_break_glass_cells {count}\n");
    assert!(metrics.contains(&line), "{metrics}");
}

#[tokio::test]
async fn two_words_open_for_hours_and_the_gates_own_clock_shuts() {
    let house = House::grounded(mirror().await).await;
    let release = glass(&house, 1);
    for (people, change, code) in [
        (vec!["security-1", "owner-1"], 240, "AN-TRU-031"),
        (vec!["security-1", "security-1"], 240, "AN-TRU-030"),
        (
            vec!["security-1", "stadt-ulmenau.approver-1"],
            240,
            "AN-TRU-037",
        ),
        (TWO.to_vec(), 241, "AN-TRU-045"),
    ] {
        let mut wrong = release.clone();
        wrong.not_after = noon() + Minutes(change);
        let seq = house
            .send(FeedKind::Release, &sealed(wrong.to_payload(), &people))
            .await;
        let decision = house.control.decision(seq).await;
        assert!(!decision.accepted, "{people:?} {change}");
        let why = decision.reasons.join("; ");
        assert!(why.contains(code), "{why}");
        assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    }

    let envelope = sealed(release.to_payload(), &TWO);
    let seq = house.send(FeedKind::Release, &envelope).await;
    assert!(house.control.decision(seq).await.accepted);
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
    told(&house, Some(release.not_after)).await;

    // A millisecond before the end it is open; at the end nobody has to say a word.
    let last = Timestamp(release.not_after.0 - 1);
    house.cast.clock.set(last);
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
    house.cast.clock.set(release.not_after);
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    told(&house, None).await;

    // The same statement opens nothing again, whatever the clock says.
    house.cast.clock.set(noon());
    let seq = house.send(FeedKind::Release, &envelope).await;
    assert!(!house.control.decision(seq).await.accepted);
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
}

#[tokio::test]
async fn what_it_leans_on_has_to_be_open_for_it_too() {
    let house = House::new(mirror().await).await;
    let envelope = sealed(glass(&house, 1).to_payload(), &TWO);
    let seq = house.send(FeedKind::Release, &envelope).await;
    let decision = house.control.decision(seq).await;
    assert!(!decision.accepted);
    let why = decision.reasons.join("; ");
    assert!(why.contains("AN-GAT-014"), "{why}");
    assert_eq!(house.stage(MELDEN).0, Stage::Closed);
}
