//! A ledger lives for a while on a recorded disk: appends, signs, ends, begins again.
//!
//! In:    a seed, what kind of life. Out: [`Story`]: the tape, and every head the ledger has had.
//! Never: waits for a real disk: the folder lies in memory where the machine has such a place.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_crashfs::{Chance, Event, Tape};
use anlauf_model::{Digest, Role, Text, Timestamp};
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Actor, Command, Entry, Order, State, decide};
use anlauf_store::{FILE_CHECKPOINT, Head, Ledger, LedgerConfig, StoreError};
use anlauf_trust::Signer;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

/// What was on the disk, and what was said of it.
pub struct Story {
    /// In order.
    pub events: Vec<Event>,
    /// Root by size of every head that an append was about to make.
    pub heads: BTreeMap<u64, Digest>,
}

/// How long and how heavy a life is.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Steps: batches, signings, restarts.
    pub steps: u32,
    /// Most entries of a batch.
    pub batch_max: usize,
    /// Longest reason of an entry. Bytes. Long ones fill the write-ahead log, so that SQLite
    /// carries it over in the middle of a life.
    pub reason_max: usize,
}

/// Short lives with many restarts.
pub const SHORT: Kind = Kind {
    steps: 14,
    batch_max: 5,
    reason_max: 300,
};

/// A life that fills the write-ahead log (1,000 pages) more than once.
pub const HEAVY: Kind = Kind {
    steps: 60,
    batch_max: 2,
    reason_max: 190_000,
};

/// A folder in memory, if the machine has one: what the disk does is the model's to say.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder can be made")
}

/// The log's key.
pub fn signer() -> Signer {
    Signer::from_seed([9; 32])
}

/// The ledger of a folder.
pub fn open(folder: &Path) -> Result<(Ledger, State), StoreError> {
    Ledger::open(LedgerConfig {
        folder: folder.to_owned(),
        domain: Some("drill-crash".to_owned()),
        origin: "anlauf/crash".to_owned(),
        public: signer().public(),
    })
}

/// A notice to everyone.
pub fn notice(key: &str) -> Command {
    let text = Text {
        de: format!("Stand {key}"),
        en: format!("as of {key}"),
    };
    Command {
        key: key.to_owned(),
        actor: Actor {
            person: "op-1".parse().expect("a name"),
            organisation: "provider".parse().expect("a name"),
            role: Role::Operator,
            tenant: None,
        },
        reason: "people wait".to_owned(),
        order: Order::PublishNotice {
            text,
            next_word_at: Timestamp(4_000_000_000_000),
            tenant: None,
        },
    }
}

/// Entries that follow on a state, with reasons of any length.
fn entries(state: &mut State, chance: &mut Chance, kind: Kind) -> Vec<Entry> {
    let mut all = Vec::new();
    for _ in 0..chance.random_range(1..=kind.batch_max) {
        let now = Timestamp(1_777_000_000_000 + i64::try_from(state.seq).expect("few") * 1_000);
        let key = format!("n{}", state.seq);
        let mut entries = decide(state, now, &notice(&key)).expect("a notice is taken");
        for entry in &mut entries {
            entry.scope = Scope::Everyone;
            entry.reason = "x".repeat(chance.random_range(1..=kind.reason_max));
            state.apply(entry);
        }
        all.extend(entries);
    }
    all
}

/// Lives a life. `lies` makes the disk one that flushes nothing.
pub fn live(seed: u64, kind: Kind, lies: bool) -> Story {
    anlauf_crashfs::install();
    let folder = folder();
    let tape = Tape::record(folder.path()).expect("the folder is recorded");
    let mut chance = Chance::seed_from_u64(seed);
    let mut heads = BTreeMap::new();
    let (mut ledger, mut state) = open(folder.path()).expect("a new ledger");
    tape.say(Event::FolderFlushed);
    if lies {
        tape.lie();
    }
    note_head(&mut heads, ledger.head());
    for _ in 0..kind.steps {
        match chance.random_range(0..10) {
            0 | 1 => sign(&mut ledger, &tape),
            2 => {
                drop(ledger);
                let again = open(folder.path()).expect("it was closed in order");
                assert_eq!(again.1.seq, state.seq);
                tape.say(Event::FolderFlushed);
                ledger = again.0;
            }
            _ => {
                let head = ledger.append(&entries(&mut state, &mut chance, kind));
                let head = head.expect("the disk is well");
                tape.say(Event::Promised(head.size));
                note_head(&mut heads, head);
            }
        }
    }
    drop(ledger);
    let events = tape.events();
    Story { events, heads }
}

fn note_head(heads: &mut BTreeMap<u64, Digest>, head: Head) {
    heads.insert(head.size, head.root);
}

/// Signs; the side file is written after the last thing that SQLite does for it.
pub fn sign(ledger: &mut Ledger, tape: &Tape) {
    let note = ledger.checkpoint(&signer()).expect("the disk is well");
    if let Some(note) = note {
        let bytes = note.into_bytes();
        let name = FILE_CHECKPOINT.to_owned();
        tape.say(Event::Replaced { name, bytes });
    }
}
