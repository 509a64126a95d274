//! The disk says no: the desk stops, and everything acknowledged is there at the next start.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anlauf_crashfs::{Chance, Disk, Fault, Tape};
use anlauf_model::Timestamp;
use anlauf_store::{Clock, Desk, DeskConfig, SubmitError};
use rand::{RngExt, SeedableRng};

use crate::point_count;
use crate::story::{folder, notice, open, signer};

struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

/// A desk works until something fails. Gives the tape, and the keys of what was acknowledged.
fn work(folder: &std::path::Path, chance: &mut Chance) -> (Tape, Vec<String>) {
    let tape = Tape::record(folder).expect("the folder is recorded");
    let desk = Desk::open(DeskConfig {
        data_dir: folder.to_owned(),
        domain: Some("drill-crash".to_owned()),
        clock: Arc::new(Ticks(AtomicI64::new(1_777_000_000_000))),
        signer: signer(),
        origin: "anlauf/crash".to_owned(),
    })
    .expect("a new ledger");
    let fault = [Fault::Flush, Fault::Write, Fault::Full][chance.random_range(0..3)];
    let mut acknowledged = Vec::new();
    for number in 0..200 {
        if number == 3 {
            tape.fail(fault, chance.random_range(0..25));
        }
        let key = format!("k{number}");
        match desk.submit_blocking(notice(&key)) {
            Ok(_) => acknowledged.push(key),
            Err(SubmitError::Stopped) => break,
            Err(other) => panic!("after {number}: {other}"),
        }
        if tape.has_failed() && number > 3 {
            break;
        }
    }
    // Whatever was refused by the disk, nothing more is taken after it.
    let more = (0..3).map(|n| desk.submit_blocking(notice(&format!("late{n}"))));
    for answer in more {
        if answer.is_ok() {
            assert!(!tape.has_failed(), "the desk works on after {fault:?}");
        }
    }
    assert!(tape.has_failed(), "{fault:?} never came");
    (tape, acknowledged)
}

#[test]
fn a_disk_that_says_no_stops_the_desk_and_loses_nothing_acknowledged() {
    anlauf_crashfs::install();
    for seed in 0..point_count(0.02) as u64 {
        let mut chance = Chance::seed_from_u64(seed);
        let (place, after) = (folder(), folder());
        let (tape, acknowledged) = work(place.path(), &mut chance);
        let mut disk = Disk::default();
        tape.events()
            .iter()
            .for_each(|event| disk.step(event, &mut chance));
        drop(tape);
        disk.cut(None, &mut chance)
            .write(after.path())
            .expect("the folder can be written");
        let (_, state) = open(after.path()).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        let lost = acknowledged
            .iter()
            .find(|key| !state.keys.contains_key(*key));
        assert_eq!(lost, None, "seed {seed}: acknowledged and gone");
    }
}
