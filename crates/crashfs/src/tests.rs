//! The layer itself: what it lets through, what it loses, what it never loses.

use rand::SeedableRng;
use rusqlite::Connection;

use crate::{Chance, Disk, Event, Fault, Tape, install};

/// A database in a recorded folder, with rows 1 to `count`, one commit each.
fn rows(folder: &std::path::Path, tape: &Tape, count: u32) -> rusqlite::Result<()> {
    let connection = Connection::open(folder.join("rows.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute("CREATE TABLE IF NOT EXISTS row (n INTEGER PRIMARY KEY)", [])?;
    let first: u32 = connection.query_row("SELECT count(*) FROM row", [], |row| row.get(0))?;
    for number in first + 1..=first + count {
        connection.execute("INSERT INTO row VALUES (?1)", [number])?;
        tape.say(Event::Promised(number.into()));
    }
    Ok(())
}

/// How many rows can be read, 0 if there is no table.
fn found(folder: &std::path::Path) -> u64 {
    let connection = Connection::open(folder.join("rows.sqlite")).expect("it opens");
    let count = connection.query_row("SELECT count(*) FROM row", [], |row| row.get::<_, u32>(0));
    count.unwrap_or(0).into()
}

/// Cuts the power everywhere. The first promise that was not kept.
fn first_lost(events: &[Event], seed: u64) -> Option<String> {
    let mut chance = Chance::seed_from_u64(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let mut disk = Disk::default();
    for (index, event) in events.iter().enumerate() {
        disk.step(event, &mut chance);
        let image = disk.cut(events.get(index + 1), &mut chance);
        image.write(folder.path()).expect("it can be written");
        let (have, want) = (found(folder.path()), disk.promised());
        if have < want {
            return Some(format!("after event {index}: {have} rows of {want}"));
        }
    }
    None
}

#[test]
fn what_was_flushed_stays() {
    install();
    let folder = tempfile::tempdir().expect("a folder");
    let tape = Tape::record(folder.path()).expect("it is recorded");
    rows(folder.path(), &tape, 12).expect("the disk is well");
    let events = tape.events();
    assert!(events.iter().any(|e| matches!(e, Event::Flushed { .. })));
    assert!(events.iter().any(|e| matches!(e, Event::Gone { .. })));
    assert_eq!(first_lost(&events, 1), None);
}

#[test]
fn a_disk_that_lies_is_found_out() {
    install();
    let folder = tempfile::tempdir().expect("a folder");
    let tape = Tape::record(folder.path()).expect("it is recorded");
    tape.lie();
    rows(folder.path(), &tape, 12).expect("it says that all is well");
    assert!(first_lost(&tape.events(), 1).is_some());
}

#[test]
fn what_shall_fail_fails_and_is_told() {
    install();
    for fault in [Fault::Flush, Fault::Write, Fault::Full] {
        let folder = tempfile::tempdir().expect("a folder");
        let tape = Tape::record(folder.path()).expect("it is recorded");
        rows(folder.path(), &tape, 3).expect("the disk is well");
        tape.fail(fault, 1);
        assert!(rows(folder.path(), &tape, 3).is_err(), "{fault:?}");
        assert!(tape.has_failed());
    }
}

#[test]
fn a_settled_disk_is_the_folder() {
    install();
    let folder = tempfile::tempdir().expect("a folder");
    let tape = Tape::record(folder.path()).expect("it is recorded");
    rows(folder.path(), &tape, 5).expect("the disk is well");
    let (mut disk, mut chance) = (Disk::default(), Chance::seed_from_u64(1));
    for event in tape.events() {
        disk.step(&event, &mut chance);
    }
    let image = disk.settled();
    let there = std::fs::read(folder.path().join("rows.sqlite")).expect("it is there");
    assert_eq!(image.files.keys().collect::<Vec<_>>(), ["rows.sqlite"]);
    assert!(image.files["rows.sqlite"] == there, "the files differ");
}
