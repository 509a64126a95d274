//! What the desk promises to those who submit.

use std::collections::BTreeSet;

use anlauf_model::Role;
use anlauf_trust::Checkpoint;
use tokio::sync::oneshot;

use super::cast::{ORIGIN, clock, desk, desk_config, desk_in_hand, ledger, notice, public, revise};
use super::fault::{Point, Then};
use crate::{Accepted, Desk, FILE_CHECKPOINT, Reader, StoreError, SubmitError, verify_signed};

#[test]
fn what_was_accepted_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = desk(folder.path());
    for key in ["a", "b", "c"] {
        let accepted = first.submit_blocking(notice(key)).unwrap();
        assert!(!accepted.replayed);
        assert_eq!(accepted.entries.len(), 1);
        assert_eq!(accepted.entries[0].seq, accepted.seq);
    }
    let shown = first.read().clone();
    let head = first.head().unwrap();
    first.close();

    let second = desk(folder.path());
    assert_eq!(shown.seq, 3);
    assert_eq!(*second.read(), shown);
    assert_eq!(second.head().unwrap().root, head.root);
    assert_eq!(second.entries(2, 10).unwrap().len(), 2);
    assert_eq!(second.entries(0, 1).unwrap()[0].seq, 1);
}

#[test]
fn a_key_is_answered_twice_and_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = desk(folder.path());
    let done = first.submit_blocking(notice("a")).unwrap();
    first.submit_blocking(notice("b")).unwrap();
    let again = first.submit_blocking(notice("a")).unwrap();
    assert!(again.replayed);
    assert_eq!((again.seq, &again.entries), (done.seq, &done.entries));
    first.close();

    let second = desk(folder.path());
    let later = second.submit_blocking(notice("a")).unwrap();
    assert!(later.replayed);
    assert_eq!((later.seq, &later.entries), (done.seq, &done.entries));
    assert_eq!(second.read().seq, 2, "nothing was done twice");
    let mut other = notice("a");
    other.order = notice("c").order;
    let Err(SubmitError::Refused(refusal)) = second.submit_blocking(other) else {
        panic!("one key means one order");
    };
    assert_eq!(refusal.reasons[0].code, "AN-REC-002");
}

#[test]
fn what_waits_together_is_written_together() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let mut waiting = vec![desk.put(notice("first")).unwrap()];
    assert_eq!(hand.reached(), Some(Point::Written));
    for number in 0..100 {
        waiting.push(desk.put(notice(&format!("n{number}"))).unwrap());
    }
    let shown = desk.clone();
    let closing = std::thread::spawn(move || desk.close());
    hand.decide(Then::Go);
    let mut flushes = Vec::new();
    while let Some(point) = hand.reached() {
        if point == Point::Committed {
            flushes.push(shown.read().seq);
        }
        hand.decide(Then::Go);
    }
    assert_eq!(
        flushes,
        [0, 1],
        "101 commands take two flushes, each shown after its own"
    );
    let answer = |waiting: oneshot::Receiver<Result<Accepted, SubmitError>>| {
        waiting.blocking_recv().unwrap().unwrap().seq
    };
    let seqs: Vec<_> = waiting.into_iter().map(answer).collect();
    assert_eq!(seqs, (1..=101).collect::<Vec<_>>());
    closing.join().unwrap();
}

#[test]
fn nothing_is_answered_or_shown_before_the_disk_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let durable = desk.watch();
    let mut accepted = desk.put(notice("a")).unwrap();
    for point in [Point::Written, Point::Committed] {
        assert_eq!(hand.reached(), Some(point));
        assert!(accepted.try_recv().is_err(), "not answered");
        assert_eq!(desk.read().seq, 0, "not shown");
        assert_eq!(*durable.borrow(), 0, "not told");
        hand.decide(Then::Go);
    }
    assert_eq!(accepted.blocking_recv().unwrap().unwrap().seq, 1);
    assert_eq!(desk.read().seq, 1);
    assert_eq!(*durable.borrow(), 1);
}

#[test]
fn a_refusal_that_rests_on_the_batch_waits_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let first = desk.put(notice("first")).unwrap();
    assert_eq!(hand.reached(), Some(Point::Written));
    let done = desk.put(notice("a")).unwrap();
    let mut other = notice("a");
    other.order = notice("b").order;
    let mut refused = desk.put(other).unwrap();
    hand.decide(Then::Go);
    assert_eq!(hand.reached(), Some(Point::Committed));
    hand.decide(Then::Go);
    assert!(first.blocking_recv().unwrap().is_ok());
    assert_eq!(hand.reached(), Some(Point::Written));
    assert!(
        refused.try_recv().is_err(),
        "entry 2 is not durable, so nobody hears of it"
    );
    hand.decide(Then::Fail);
    drop(hand);
    assert!(done.blocking_recv().is_err());
    assert!(refused.blocking_recv().is_err());
}

#[test]
fn a_failed_write_stops_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let lost = desk.put(notice("a")).unwrap();
    assert_eq!(hand.reached(), Some(Point::Written));
    let queued = desk.put(notice("b")).unwrap();
    hand.decide(Then::Fail);
    drop(hand);
    assert!(lost.blocking_recv().is_err());
    assert!(queued.blocking_recv().is_err());
    assert_eq!(desk.submit_blocking(notice("c")), Err(SubmitError::Stopped));
    assert_eq!(desk.read().seq, 0, "what is not on the disk is not shown");
    assert_eq!(stopped_with(&desk), "AN-STO-009");
    assert!(matches!(
        desk.checkpoint_blocking(),
        Err(StoreError::Stopped)
    ));
    drop(desk);
    assert_eq!(ledger(folder.path()).unwrap().1.seq, 0);
}

#[test]
fn a_flush_that_reports_failure_may_have_been_done_and_the_key_tells() {
    for then in [Then::Fail, Then::Panic] {
        let folder = tempfile::tempdir().unwrap();
        let (first, hand) = desk_in_hand(folder.path());
        let unknown = first.put(notice("a")).unwrap();
        assert_eq!(hand.reached(), Some(Point::Written));
        hand.decide(Then::Go);
        assert_eq!(hand.reached(), Some(Point::Committed));
        hand.decide(then);
        drop(hand);
        assert!(unknown.blocking_recv().is_err());
        assert_eq!(first.read().seq, 0, "unknown is not shown");
        let code = if then == Then::Panic {
            "AN-STO-013"
        } else {
            "AN-STO-009"
        };
        assert_eq!(stopped_with(&first), code);
        drop(first);

        let second = desk(folder.path());
        assert_eq!(second.read().seq, 1);
        assert!(second.submit_blocking(notice("a")).unwrap().replayed);
    }
}

#[test]
fn the_folder_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let first = desk(folder.path());
    first.submit_blocking(notice("a")).unwrap();
    let Err(error) = Desk::open(desk_config(folder.path(), clock())) else {
        panic!("two writers on one folder");
    };
    assert_eq!(error.code(), "AN-STO-002");
    first.submit_blocking(notice("b")).unwrap();
    first.close();
    assert_eq!(desk(folder.path()).read().seq, 2);
}

#[test]
fn other_handles_hear_that_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path());
    let other = desk.clone();
    desk.submit_blocking(notice("a")).unwrap();
    desk.close();
    assert_eq!(
        other.submit_blocking(notice("b")),
        Err(SubmitError::Stopped)
    );
    assert!(in_runtime(other.stopped()).is_none(), "closed, not failed");
    assert!(
        ledger(folder.path()).is_ok(),
        "the folder is free while a handle lives"
    );
}

#[test]
fn readers_stand_beside_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let reader = Reader::open(folder.path()).unwrap();
    let accepted = desk.put(notice("a")).unwrap();
    assert_eq!(hand.reached(), Some(Point::Written));
    assert_eq!(
        reader.head().unwrap().size,
        0,
        "half a transaction is not seen"
    );
    assert!(reader.entries(1, 10).unwrap().is_empty());
    hand.decide(Then::Go);
    assert_eq!(hand.reached(), Some(Point::Committed));
    hand.decide(Then::Go);
    let accepted = accepted.blocking_recv().unwrap().unwrap();
    assert_eq!(reader.head().unwrap().size, 1);
    assert_eq!(reader.entries(1, 10).unwrap(), accepted.entries);
    assert!(reader.record(2).unwrap().is_none());
}

#[test]
fn a_checkpoint_is_signed_and_lies_beside_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path());
    assert_eq!(
        desk.checkpoint_blocking().unwrap().note,
        None,
        "nothing to sign"
    );
    desk.submit_blocking(notice("a")).unwrap();
    desk.submit_blocking(notice("b")).unwrap();
    let head = desk.checkpoint_blocking().unwrap();
    let note = head.note.unwrap();
    let checkpoint = Checkpoint::verify(&note, ORIGIN, &public()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (2, head.root));
    let beside = std::fs::read_to_string(folder.path().join(FILE_CHECKPOINT)).unwrap();
    assert_eq!(beside, note);
    assert_eq!(
        desk.checkpoint_blocking().unwrap().note.unwrap(),
        note,
        "signed once"
    );
    desk.submit_blocking(notice("c")).unwrap();
    desk.close();
    let report = verify_signed(folder.path(), ORIGIN, &public()).unwrap();
    assert_eq!(
        (report.size, report.checkpoint_size, report.checkpoint_count),
        (3, 3, 2)
    );
    assert!(report.signature_checked);
}

#[test]
fn a_full_desk_turns_away_and_takes_again() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, hand) = desk_in_hand(folder.path());
    let _first = desk.put(notice("first")).unwrap();
    assert_eq!(hand.reached(), Some(Point::Written));
    let mut auditor = notice("n");
    auditor.actor.role = Role::Auditor;
    let mut waiting = Vec::new();
    let turned_away = loop {
        match desk.put(auditor.clone()) {
            Ok(answer) => waiting.push(answer),
            Err(error) => break error,
        }
        assert!(waiting.len() <= 20_000, "the queue has a limit");
    };
    assert_eq!(turned_away, SubmitError::Busy);
    assert_eq!(turned_away.code(), Some("AN-STO-014"));
    drop(hand);
    for answer in waiting {
        assert!(matches!(
            answer.blocking_recv().unwrap(),
            Err(SubmitError::Refused(_))
        ));
    }
    assert!(desk.submit_blocking(notice("later")).is_ok());
}

#[test]
fn tasks_submit_too() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path());
    let seqs = in_runtime(async {
        let mut tasks = Vec::new();
        for number in 0..32 {
            let desk = desk.clone();
            let key = format!("n{number}");
            tasks.push(tokio::spawn(async move { desk.submit(notice(&key)).await }));
        }
        let mut seqs = BTreeSet::new();
        for task in tasks {
            seqs.insert(task.await.unwrap().unwrap().seq);
        }
        seqs.insert(desk.checkpoint().await.unwrap().size);
        seqs
    });
    assert_eq!(seqs, (1..=32).collect());
    let Err(SubmitError::Refused(refusal)) = desk.submit_blocking(revise("r", 33)) else {
        panic!("there is no notice 33");
    };
    assert_eq!(refusal.reasons[0].code, "AN-REC-098");
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// The code with which the desk ended.
fn stopped_with(desk: &Desk) -> &'static str {
    // One that has not ended is closed, so that nobody waits for it.
    desk.clone().close();
    in_runtime(desk.stopped()).map_or("closed", |error| error.code())
}
