//! The folder, clock, key and commands that the tests play with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anlauf_model::{Digest, Role, Text, Timestamp};
use anlauf_recovery::{Actor, Command, Entry, Order, State, decide};
use anlauf_trust::leaf::{Leaf, salted};
use anlauf_trust::merkle::root_of;
use anlauf_trust::{PublicKey, Signer};

use super::fault::{self, Hand};
use crate::{Clock, Desk, DeskConfig, Ledger, LedgerConfig, Record, StoreError};

pub(super) const ORIGIN: &str = "anlauf/test";
pub(super) const DOMAIN: &str = "drill-test";

/// A clock that goes on by a second whenever it is asked.
pub(super) struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(Ticks(AtomicI64::new(1_777_000_000_000)))
}

pub(super) fn signer() -> Signer {
    Signer::from_seed([7; 32])
}

pub(super) fn public() -> PublicKey {
    signer().public()
}

pub(super) fn ledger_config(folder: &Path) -> LedgerConfig {
    LedgerConfig {
        folder: folder.to_owned(),
        domain: Some(DOMAIN.to_owned()),
        origin: ORIGIN.to_owned(),
        public: public(),
    }
}

pub(super) fn ledger(folder: &Path) -> Result<(Ledger, State), StoreError> {
    Ledger::open(ledger_config(folder))
}

pub(super) fn desk_config(folder: &Path, clock: Arc<dyn Clock>) -> DeskConfig {
    DeskConfig {
        data_dir: folder.to_owned(),
        domain: Some(DOMAIN.to_owned()),
        clock,
        signer: signer(),
        origin: ORIGIN.to_owned(),
    }
}

pub(super) fn desk(folder: &Path) -> Desk {
    Desk::open(desk_config(folder, clock())).expect("the ledger is sound")
}

/// A desk whose writer stops at every point and asks the test how to go on.
pub(super) fn desk_in_hand(folder: &Path) -> (Desk, Hand) {
    let (mut ledger, state) = ledger(folder).expect("the ledger is sound");
    let (fault, hand) = fault::pair();
    ledger.fault = Some(fault);
    let desk = Desk::start(folder.to_owned(), clock(), signer(), (ledger, state));
    (desk.expect("a thread can be started"), hand)
}

pub(super) fn command(key: &str, order: Order) -> Command {
    let actor = Actor {
        person: "op-1".parse().expect("a name"),
        organisation: "provider".parse().expect("a name"),
        role: Role::Operator,
        tenant: None,
    };
    let reason = "people wait".to_owned();
    Command {
        key: key.to_owned(),
        actor,
        reason,
        order,
    }
}

/// A notice to everyone: an order that an empty state takes.
pub(super) fn notice(key: &str) -> Command {
    let text = Text {
        de: format!("Stand {key}"),
        en: format!("as of {key}"),
    };
    let next_word_at = Timestamp(4_000_000_000_000);
    command(
        key,
        Order::PublishNotice {
            text,
            next_word_at,
            tenant: None,
        },
    )
}

/// Corrects a notice; refused when there is none of this number.
pub(super) fn revise(key: &str, notice: u64) -> Command {
    let text = Text {
        de: format!("Neu {key}"),
        en: format!("anew {key}"),
    };
    let next_word_at = Timestamp(4_000_000_000_000);
    command(
        key,
        Order::ReviseNotice {
            notice,
            text,
            next_word_at,
        },
    )
}

/// The entries that these commands mean, decided without any store.
pub(super) fn decided(state: &mut State, clock: &dyn Clock, commands: &[Command]) -> Vec<Entry> {
    let mut all = Vec::new();
    for command in commands {
        let entries = decide(state, clock.now(), command).unwrap_or_default();
        for entry in &entries {
            state.apply(entry);
        }
        all.extend(entries);
    }
    all
}

/// Entries of `count` notices, from the first.
pub(super) fn notices(count: usize) -> Vec<Entry> {
    let commands: Vec<_> = (1..=count)
        .map(|number| notice(&format!("n{number}")))
        .collect();
    decided(&mut State::default(), &*clock(), &commands)
}

/// The root over records, from their bodies and salts alone.
pub(super) fn root_again(records: &[Record]) -> Digest {
    let leaf = |record: &Record| {
        let body = serde_json::to_string(&record.entry).expect("entries have only string keys");
        assert_eq!(body, record.body, "the stored bytes are those of the entry");
        let event = serde_json::to_value(&record.entry.event).expect("events have string keys");
        let kind = event["event"].as_str().expect("events say what they are");
        let (seq, at) = (record.entry.seq, record.entry.at);
        let digest = salted(&record.salt, body.as_bytes());
        Leaf::new(seq, at, kind, "everyone", digest)
            .expect("plain words")
            .hash()
    };
    root_of(&records.iter().map(leaf).collect::<Vec<_>>())
}
