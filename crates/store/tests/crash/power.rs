//! The power goes, at any point of a life: nothing acknowledged is lost.

use std::path::Path;

use anlauf_crashfs::{Chance, Disk, Event, Tape};
use rand::{RngExt, SeedableRng};

use crate::point_count;
use crate::story::{HEAVY, Kind, SHORT, Story, folder, live, open, sign};

/// Opens what a power cut left, and holds it against what was promised.
fn check(folder: &Path, story: &Story, promised: u64) -> Result<(), String> {
    let (ledger, state) = open(folder).map_err(|why| format!("{}: {why}", why.code()))?;
    let head = ledger.head();
    if head.size < promised {
        let lost = promised - head.size;
        return Err(format!(
            "{lost} acknowledged entries of {promised} are gone"
        ));
    }
    if story.heads.get(&head.size) != Some(&head.root) {
        return Err(format!(
            "no ledger of {} entries was ever like this",
            head.size
        ));
    }
    if state.seq != head.size {
        return Err(format!("the state ends at {}", state.seq));
    }
    Ok(())
}

/// The power goes once more while the ledger is opened after the first time.
fn twice(folder: &Path, story: &Story, promised: u64, chance: &mut Chance) -> Result<(), String> {
    let tape = Tape::record(folder).expect("the folder is recorded");
    check(folder, story, promised)?;
    let events = tape.events();
    let mut disk = Disk::default();
    let found = |event: &&Event| matches!(event, Event::Born { found: Some(_), .. });
    let found = events.iter().take_while(found).count();
    let stop = chance.random_range(found..=events.len());
    events[..stop]
        .iter()
        .for_each(|event| disk.step(event, chance));
    let whole = std::fs::read(folder.join(anlauf_store::FILE_CHECKPOINT)).ok();
    let mut image = disk.cut(None, chance);
    if let Some(bytes) = whole {
        // It was mended by now, or was good before.
        image
            .files
            .insert(anlauf_store::FILE_CHECKPOINT.to_owned(), bytes);
    }
    drop(tape);
    image.write(folder).expect("the folder can be written");
    check(folder, story, promised).map_err(|why| format!("second cut at {stop}: {why}"))
}

/// Cuts the power at `count` points of a story. The first broken promise.
fn cuts(story: &Story, seed: u64, count: usize) -> Result<(), String> {
    let mut chance = Chance::seed_from_u64(seed);
    let mut disk = Disk::default();
    let folder = folder();
    let events = &story.events;
    // Points are spread evenly, several at one event if there are more points than events.
    let at = |point: usize| point * events.len() / count.max(1);
    let mut point = 0;
    for (index, event) in events.iter().enumerate() {
        disk.step(event, &mut chance);
        while point < count && at(point) == index {
            point += 1;
            let image = disk.cut(events.get(index + 1), &mut chance);
            image
                .write(folder.path())
                .expect("the folder can be written");
            let promised = disk.promised();
            let held = match point % 20 {
                0 => twice(folder.path(), story, promised, &mut chance),
                1 => check(folder.path(), story, promised).and_then(|()| goes_on(folder.path())),
                _ => check(folder.path(), story, promised),
            };
            held.map_err(|why| format!("seed {seed}, event {index} of {}: {why}", events.len()))?;
        }
    }
    Ok(())
}

/// The ledger that was found is one to go on with: it takes entries, signs, and opens again.
fn goes_on(folder: &Path) -> Result<(), String> {
    let (mut ledger, mut state) = open(folder).map_err(|why| why.to_string())?;
    let now = anlauf_model::Timestamp(1_800_000_000_000);
    let key = format!("after {}", state.seq);
    let entries = anlauf_recovery::decide(&state, now, &crate::story::notice(&key))
        .map_err(|why| why.to_string())?;
    entries.iter().for_each(|entry| state.apply(entry));
    let head = ledger.append(&entries).map_err(|why| why.to_string())?;
    let tape = Tape::record(folder).map_err(|why| why.to_string())?;
    sign(&mut ledger, &tape);
    drop(ledger);
    let (ledger, again) = open(folder).map_err(|why| why.to_string())?;
    let whole = ledger.head() == head && again == state;
    whole
        .then_some(())
        .ok_or_else(|| "it does not go on from there".to_owned())
}

/// Lives until all points are played: one quarter of the seeds per test.
fn quarter(number: u64, kind: Kind, (count, per_story): (usize, usize)) {
    let mut seed = number;
    let mut left = count;
    while left > 0 {
        let now = left.min(per_story);
        let story = live(seed, kind, false);
        cuts(&story, seed, now).unwrap_or_else(|why| panic!("{why}"));
        left -= now;
        seed += 4;
    }
    println!("{count} power cuts, nothing acknowledged is lost");
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_first_quarter() {
    quarter(0, SHORT, (point_count(0.24), 500));
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_second_quarter() {
    quarter(1, SHORT, (point_count(0.24), 500));
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_third_quarter() {
    quarter(2, SHORT, (point_count(0.24), 500));
}

#[test]
fn no_power_cut_loses_what_was_acknowledged_last_quarter() {
    quarter(3, SHORT, (point_count(0.24), 500));
}

/// In a heavy life the write-ahead log is carried over while entries come in.
#[test]
fn no_power_cut_loses_what_was_acknowledged_while_the_log_is_carried_over() {
    quarter(0, HEAVY, (point_count(0.04), 2_000));
    let events = live(0, HEAVY, false).events;
    let first_file = |event: &&Event| matches!(event, Event::Flushed { inode: 0 });
    let carried = events.iter().filter(first_file).count();
    assert!(carried > 2, "the log was carried over {carried} times only");
}

/// The canary: a disk that says it has flushed and has not must be found out.
#[test]
fn a_disk_that_lies_is_found_out() {
    let story = live(1, SHORT, true);
    let found = cuts(&story, 1, 500);
    println!("{found:?}");
    assert!(found.is_err(), "a disk that keeps nothing was good enough");
}
