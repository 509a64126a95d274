//! Bounded runs of every target: seeds that are sound, changed byte by byte from a fixed chance.
//!
//! `ANLAUF_FUZZ_ROUNDS` says how many changes each seed gets; the same number does the same.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

use std::fs;
use std::path::Path;

use anlauf_fuzz::{TARGETS, Target};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Changes of each seed unless the variable says another number.
const ROUNDS: u64 = 1_500;

/// Bytes that mean something to one parser or another.
const MARKS: &[u8] = b"{}[]\":,\\\n0-+@= \xff\x00";

/// A small generator (SplitMix64): the same run twice.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below.max(1) as u64).unwrap()
    }
}

/// One to four changes: a bit, a byte, a cut, a piece twice, a piece of another seed.
fn change(bytes: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=chance.next(4) {
        let at = chance.next(out.len());
        let end = at + chance.next(out.len() - at.min(out.len()));
        match chance.next(7) {
            _ if out.is_empty() => out.push(b'{'),
            0 => out[at] ^= 1 << chance.next(8),
            1 => out[at] = u8::try_from(chance.next(256)).unwrap(),
            2 => out.truncate(at),
            3 => drop(out.drain(at..end)),
            4 => {
                let piece = out[at..end].to_vec();
                out.splice(at..at, piece);
            }
            5 => {
                let from = chance.next(other.len());
                out.splice(at..end, other[from..].iter().copied().take(64));
            }
            _ => out[at] = MARKS[chance.next(MARKS.len())],
        }
    }
    out
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = here.join("../../crates/trust/tests/golden");
    let read = |file: &str| fs::read(golden.join(file)).unwrap();
    let own = fs::read_dir(here.join("../seeds").join(name))
        .into_iter()
        .flatten();
    let mut paths: Vec<_> = own.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut all: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    match name {
        "envelope" => {
            let kinds = [
                "root",
                "policy",
                "release",
                "close-cells",
                "close-everything",
            ];
            for kind in kinds {
                all.push(read(&format!("{kind}.dsse.json")));
                all.push(read(&format!("{kind}.statement.json")));
            }
        }
        "checkpoint" => all.extend([read("checkpoint.txt"), read("leaf.txt")]),
        "root_chain" => {
            let line = |file: &str| {
                String::from_utf8(read(file))
                    .unwrap()
                    .trim()
                    .replace('\n', "")
            };
            let chain = format!("{}\n{}\n", line("root.dsse.json"), line("policy.dsse.json"));
            all.push(chain.into_bytes());
        }
        "landscape" => {
            let mut text = String::new();
            for (file, body) in anlauf_model::landscape::example::example() {
                text.push_str(&format!("\n@{file}\n{body}"));
            }
            all.push(text.trim_start().as_bytes().to_vec());
        }
        "proof" => all.push(proof_seed()),
        "witness" => {
            let note = String::from_utf8(read("checkpoint.txt")).unwrap();
            let hash = STANDARD.encode([9; 32]);
            all.push(format!("old 1\n{hash}\n\n{note}").into_bytes());
        }
        _ => {}
    }
    all
}

fn proof_seed() -> Vec<u8> {
    let hash = STANDARD.encode([9; 32]);
    let note = format!("a\n8\n{hash}\n\n\u{2014} a {hash}\n");
    let head = "c2sp.org/tlog-proof@v1\nextra eA==\nindex 4";
    format!("{head}\n{hash}\n{hash}\n\n{note}").into_bytes()
}

fn play(name: &str, target: Target) {
    let rounds = std::env::var("ANLAUF_FUZZ_ROUNDS").ok();
    let rounds = rounds.map_or(ROUNDS, |text| text.parse().unwrap());
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "`{name}` has no seed");
    for (number, seed) in seeds.iter().enumerate() {
        target(seed);
        let other = &seeds[(number + 1) % seeds.len()];
        // Long seeds cost more: the number of bytes looked at is what is bounded.
        let rounds = (rounds * 1_000 / seed.len().max(1_000) as u64).max(100);
        for round in 0..rounds {
            let mut chance = Chance(number as u64 * 1_000_003 + round);
            target(&change(seed, other, &mut chance));
        }
    }
}

#[test]
fn every_target_holds_under_mutation() {
    for (name, target) in TARGETS {
        play(name, target);
    }
}

#[test]
fn every_target_has_an_entry_for_long_runs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
    for (name, _) in TARGETS {
        let text = fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
        assert!(text.contains(&format!("anlauf_fuzz::{name}(")), "{name}");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), TARGETS.len());
}
