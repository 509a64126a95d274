//! How a change is written.

use anlauf_planner::Change;

use super::change;

#[test]
fn every_form_is_read() {
    let read = |text: &str| change(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert!(matches!(
        read("lanes:systems=3"),
        Change::Lanes { lanes: 3, .. }
    ));
    assert!(matches!(
        read("free:east=2026-01-06T08:00:00Z"),
        Change::Free { .. }
    ));
    assert!(matches!(
        read("drop:town-alder/special-01"),
        Change::Drop { .. }
    ));
    assert!(matches!(
        read("give-back:town-alder/mail"),
        Change::GiveBack { .. }
    ));
    let order = read("order:town-alder=town-alder/portal,town-alder/mail");
    assert!(matches!(order, Change::Order { order, .. } if order.len() == 2));
    let slot = read("slot:town-alder/mail=2026-01-06T08:00:00Z/2026-01-07T08:00:00Z");
    assert!(matches!(slot, Change::Slot { from, to, .. } if from < to));
}

#[test]
fn what_is_no_change_says_how_one_is_written() {
    for text in [
        "",
        "more people",
        "lanes:systems",
        "lanes:systems=many",
        "dig:x=1",
    ] {
        let why = change(text).expect_err(text);
        assert!(why.contains('`'), "{why}");
    }
    let why = change("slot:a/b=2026-01-06T08:00:00Z").expect_err("one end only");
    assert!(why.contains("slot:CELL=FROM/TO"), "{why}");
}
