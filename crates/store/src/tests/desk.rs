//! What the desk promises to those who submit.

use super::cast::{desk, desk_in_hand, ledger, notice};
use super::fault::{Point, Then};
use crate::{StoreError, SubmitError};

#[test]
fn what_was_accepted_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = desk(folder.path());
    for key in ["a", "b", "c"] {
        let accepted = first.submit_blocking(notice(key)).unwrap();
        assert!(!accepted.replayed);
    }
    let shown = first.read().clone();
    first.close();
    let second = desk(folder.path());
    assert_eq!(shown.seq, 3);
    assert_eq!(*second.read(), shown);
}

#[test]
fn a_fault_after_the_commit_answers_nobody_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let waiting = std::thread::spawn({
        let desk = desk.clone();
        move || desk.submit_blocking(notice("a"))
    });
    assert_eq!(hand.reached(), Some(Point::Written));
    hand.decide(Then::Go);
    assert_eq!(hand.reached(), Some(Point::Committed));
    assert_eq!(desk.read().seq, 0, "not shown before it is safe");
    hand.decide(Then::Panic);
    assert_eq!(waiting.join().unwrap(), Err(SubmitError::Stopped));
    assert_eq!(hand.reached(), None);
    drop(desk);
    assert_eq!(ledger(folder.path()).unwrap().1.seq, 1);
    assert!(matches!(StoreError::Fault.code(), "AN-STO-013"));
}

#[test]
fn a_failed_write_stops_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let waiting = std::thread::spawn({
        let desk = desk.clone();
        move || desk.submit_blocking(notice("a"))
    });
    assert_eq!(hand.reached(), Some(Point::Written));
    hand.decide(Then::Fail);
    assert_eq!(waiting.join().unwrap(), Err(SubmitError::Stopped));
    drop(desk);
    assert_eq!(ledger(folder.path()).unwrap().1.seq, 0);
}
