//! Bits turn: the ledger is whole, or it is refused by name; never another ledger.

use std::collections::BTreeMap;

use anlauf_crashfs::{Chance, Disk};
use rand::SeedableRng;

use crate::point_count;
use crate::story::{SHORT, folder, live, open};

/// What became of ledgers with one turned bit.
#[derive(Default, Debug)]
struct Outcome {
    whole: usize,
    refused: BTreeMap<&'static str, usize>,
    /// The last commit was hit: not to be told from one that was never finished.
    unfinished: usize,
    forgotten: Vec<String>,
}

fn flips(seed: u64, count: usize, outcome: &mut Outcome) {
    let story = live(seed, SHORT, false);
    let mut chance = Chance::seed_from_u64(seed);
    let mut disk = Disk::default();
    let folder = folder();
    let at = |point: usize| point * story.events.len() / count.max(1);
    let mut point = 0;
    for (index, event) in story.events.iter().enumerate() {
        disk.step(event, &mut chance);
        while point < count && at(point) == index {
            point += 1;
            let mut image = disk.settled();
            let Some((file, byte)) = image.flip(&mut chance) else {
                continue;
            };
            image
                .write(folder.path())
                .expect("the folder can be written");
            let place = format!("seed {seed}, event {index}, byte {byte} of {file}");
            match open(folder.path()) {
                Err(why) => *outcome.refused.entry(why.code()).or_default() += 1,
                Ok((ledger, _)) => {
                    let head = ledger.head();
                    let known = story.heads.get(&head.size) == Some(&head.root);
                    assert!(known, "{place}: another ledger");
                    let is_last = head.size >= before_last(&story.heads, disk.promised());
                    if head.size < disk.promised() && is_last {
                        outcome.unfinished += 1;
                    } else if head.size < disk.promised() {
                        let (have, want) = (head.size, disk.promised());
                        outcome.forgotten.push(format!("{place}: {have} of {want}"));
                    } else {
                        outcome.whole += 1;
                    }
                }
            }
        }
    }
}

/// The size of the ledger before the last commit, and before the one that it hangs on: a turned
/// bit may hide the border between the two.
fn before_last(heads: &BTreeMap<u64, anlauf_model::Digest>, promised: u64) -> u64 {
    let before = heads.range(..promised).rev();
    before.map(|(size, _)| *size).nth(1).unwrap_or(0)
}

#[test]
fn a_turned_bit_is_named_or_harms_nothing() {
    let mut outcome = Outcome::default();
    let mut left = point_count(0.25);
    let mut seed = 100;
    while left > 0 {
        let now = left.min(250);
        flips(seed, now, &mut outcome);
        left -= now;
        seed += 1;
    }
    println!("{outcome:?}");
    assert!(outcome.refused.len() > 2, "hardly anything was refused");
    assert!(outcome.whole > 0, "hardly anything was harmless");
    assert!(outcome.forgotten.is_empty(), "{:#?}", outcome.forgotten);
}
