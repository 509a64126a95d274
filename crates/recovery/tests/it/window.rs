//! Windows that no plan could keep, against a search minute by minute.
//!
//! In:    random freezes, a random window, a random moment of the offer.
//! Out:   the offer is refused exactly when the search finds no minute.

use anlauf_model::landscape::Freeze;
use anlauf_model::{Minutes, Slot, Text};
use anlauf_recovery::command::SlotDraft;
use anlauf_recovery::{Command, Order, decide};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::cast;
use crate::story::House;

/// The least estimate of the decision in the house, which is the last step. Minutes.
const DECISION: i64 = 30;

/// A 32nd of a day: days with a fraction are exact in it. Minutes.
const UNIT: i64 = 45;

/// A house in an incident whose landscape has these freezes, in minutes from its beginning.
fn house(freezes: &[(i64, i64)]) -> House {
    let mut declared = cast::declared();
    let day = |minutes: i64| minutes as f64 / 1440.0;
    let freeze = |(from, to): &(i64, i64)| Freeze {
        reason: Text {
            de: "Lauf".to_owned(),
            en: "run".to_owned(),
        },
        from_day: day(*from),
        to_day: day(*to),
        sites: Vec::new(),
    };
    declared.freezes = freezes.iter().map(freeze).collect();
    let landscape = Box::new(declared);
    let mut house = House::new();
    house
        .send("op", Order::AdoptLandscape { landscape })
        .unwrap();
    house.play("op contain");
    house
}

/// Whether there is a minute of the window at whose end the decision has been taken, begun at `at`
/// or later, and has not touched a freeze.
fn found(freezes: &[(i64, i64)], at: i64, (from, to): (i64, i64)) -> bool {
    (from.max(at + DECISION)..=to).any(|end| {
        let begin = end - DECISION;
        freezes.iter().all(|(f, t)| begin >= *t || end < *f)
    })
}

#[test]
fn a_window_is_refused_when_no_minute_of_it_will_do() {
    let freeze = (0..16i64, 1..6i64).prop_map(|(from, len)| (from * UNIT, (from + len) * UNIT));
    let freezes = prop::collection::vec(freeze, 0..4);
    let cases = (freezes, 0..300i64, 0..700i64, 1..240i64);
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (mut refused, mut taken) = (0, 0);
    let counts = std::cell::RefCell::new((&mut refused, &mut taken));
    let mut runner = TestRunner::new_with_rng(config, rng);
    let run = runner.run(&cases, |(freezes, at, from, len)| {
        let to = from + len;
        prop_assume!(to > at);
        let house = house(&freezes);
        let began = house.state.running().unwrap().began;
        let slot = Slot {
            from: began + Minutes(from),
            to: began + Minutes(to),
        };
        let cell = "birch/web".parse().unwrap();
        let command = Command {
            key: "offer".into(),
            actor: cast::actor("op"),
            reason: "as the search goes".to_owned(),
            order: Order::OfferSlots {
                slots: vec![SlotDraft { cell, slot }],
            },
        };
        let answer = decide(&house.state, began + Minutes(at), &command);
        let mut counts = counts.borrow_mut();
        match answer {
            Ok(_) => {
                *counts.1 += 1;
                prop_assert!(found(&freezes, at, (from, to)), "taken");
            }
            Err(refusal) => {
                *counts.0 += 1;
                prop_assert_eq!(refusal.reasons[0].code.to_string(), "AN-REC-065");
                prop_assert!(!found(&freezes, at, (from, to)), "{:?}", refusal.reasons);
            }
        }
        Ok(())
    });
    run.unwrap();
    // A search that finds only one answer would prove nothing.
    assert!(refused > 40 && taken > 100, "{refused} {taken}");
}
