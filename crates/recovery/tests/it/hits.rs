//! Which of the dates that were told count, and how they held.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::{CellId, Digest, Forecast, Minutes, Range, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{HitRate, hit_rate};
use anlauf_recovery::state::{Gap, Incident};

use crate::story::House;

const CELL: &str = "alder/web";
const NEEDED: &str = "foundation/login";

/// A house whose incident has run for so many days.
fn house(days: i64) -> (State, Timestamp) {
    let mut state = House::new().state;
    let began = state.at;
    state.incident = Some(Incident {
        title: anlauf_model::Text::default(),
        began,
        ended: None,
        restricted: Default::default(),
        holds: BTreeMap::new(),
        findings: BTreeMap::new(),
    });
    state.at = began + Minutes::days(days);
    (state, began)
}

/// Tells on a day that the cell comes by so many days after the beginning: 50, 80 and 95 of 100.
fn tell(state: &mut State, began: Timestamp, on: i64, by: [i64; 3]) {
    let [p50, p80, p95] = by.map(|day| began + Minutes::days(day));
    state.forecasts.push(Arc::new(Forecast {
        plan: Digest([0; 32]),
        made_at: began + Minutes::days(on),
        cells: BTreeMap::from([(id(CELL), Range { p50, p80, p95 })]),
        tenants: BTreeMap::new(),
        services: BTreeMap::new(),
        whole: None,
        waits: BTreeMap::new(),
    }));
}

fn id(cell: &str) -> CellId {
    cell.parse().unwrap()
}

fn back(state: &mut State, began: Timestamp, day: i64) {
    let cell = state.cells.get_mut(&id(CELL)).unwrap();
    cell.returns.push(began + Minutes::days(day));
}

fn rate(given: u32, held: [u32; 3]) -> HitRate {
    let [held_p50, held_p80, held_p95] = held;
    HitRate {
        given,
        held_p50,
        held_p80,
        held_p95,
    }
}

#[test]
fn a_date_counts_when_its_last_day_has_come() {
    let (mut state, began) = house(9);
    tell(&mut state, began, 1, [5, 7, 10]);
    back(&mut state, began, 6);
    assert_eq!(hit_rate(&state), rate(0, [0, 0, 0]));
    state.at = began + Minutes::days(10);
    assert_eq!(hit_rate(&state), rate(1, [0, 1, 1]));
    // After the incident every date of a cell that is back counts.
    state.at = began + Minutes::days(9);
    state.incident.as_mut().unwrap().ended = Some(state.at);
    assert_eq!(hit_rate(&state), rate(1, [0, 1, 1]));
}

#[test]
fn a_date_that_has_passed_without_the_cell_is_missed() {
    let (mut state, began) = house(11);
    tell(&mut state, began, 1, [5, 7, 10]);
    assert_eq!(hit_rate(&state), rate(1, [0, 0, 0]));
}

#[test]
fn a_cell_told_many_dates_counts_once_by_the_middle_one() {
    let (mut state, began) = house(30);
    for (on, by) in [
        (1, [2, 3, 4]),
        (2, [5, 7, 9]),
        (3, [8, 9, 10]),
        (4, [9, 9, 9]),
        (5, [9, 9, 9]),
    ] {
        tell(&mut state, began, on, by);
    }
    back(&mut state, began, 9);
    assert_eq!(hit_rate(&state), rate(1, [0, 1, 1]));
}

#[test]
fn a_second_attack_does_not_count_against_earlier_dates() {
    let (mut state, began) = house(60);
    tell(&mut state, began, 1, [5, 7, 10]);
    back(&mut state, began, 6);
    // Shut again after it was back: the date held. Told anew, it comes late.
    back(&mut state, began, 40);
    tell(&mut state, began, 21, [25, 27, 30]);
    assert_eq!(hit_rate(&state), rate(2, [0, 1, 1]));
    // What it needs is shut on day 24, before it is back: the second date counts no longer.
    let gap = Gap {
        from: began + Minutes::days(24),
        to: None,
        caught_up: None,
    };
    state.cells.get_mut(&id(NEEDED)).unwrap().gaps.push(gap);
    assert_eq!(hit_rate(&state), rate(1, [0, 1, 1]));
}

#[test]
fn the_rate_is_told_as_a_sentence() {
    let words = rate(40, [20, 33, 38]).in_words();
    assert_eq!(words.en, "Of 40 dates given with 80 %, 33 held.");
    assert_eq!(
        words.de,
        "Von 40 Terminen, die mit 80 % genannt wurden, hielten 33."
    );
    assert_eq!(
        HitRate::default().in_words().en,
        "The day of no date given has come yet."
    );
}
