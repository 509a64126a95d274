//! The folder, clock, key and commands that the tests play with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use anlauf_model::{Role, Text, Timestamp};
use anlauf_recovery::{Actor, Command, Order, State};
use anlauf_trust::Signer;

use super::fault::{self, Hand};
use crate::{Clock, Desk, DeskConfig, Ledger, LedgerConfig, StoreError};

pub(super) const ORIGIN: &str = "anlauf/test";
pub(super) const DOMAIN: &str = "drill-test";

/// A clock that a test turns.
pub(super) struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1_000, Ordering::SeqCst))
    }
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(Hands(AtomicI64::new(1_777_000_000_000)))
}

pub(super) fn signer() -> Signer {
    Signer::from_seed([7; 32])
}

pub(super) fn ledger_config(folder: &Path) -> LedgerConfig {
    LedgerConfig {
        folder: folder.to_owned(),
        domain: Some(DOMAIN.to_owned()),
        origin: ORIGIN.to_owned(),
        public: signer().public(),
    }
}

pub(super) fn ledger(folder: &Path) -> Result<(Ledger, State), StoreError> {
    Ledger::open(ledger_config(folder))
}

pub(super) fn desk(folder: &Path) -> Desk {
    Desk::open(DeskConfig {
        data_dir: folder.to_owned(),
        domain: Some(DOMAIN.to_owned()),
        clock: clock(),
        signer: signer(),
        origin: ORIGIN.to_owned(),
    })
    .expect("the ledger is sound")
}

/// A desk whose writer stops at every point and asks the test how to go on.
pub(super) fn desk_in_hand(folder: &Path) -> (Desk, Hand) {
    let (mut ledger, state) = ledger(folder).expect("the ledger is sound");
    let (fault, hand) = fault::pair();
    ledger.fault = Some(fault);
    let desk = Desk::start(folder.to_owned(), clock(), signer(), (ledger, state));
    (desk.expect("a thread can be started"), hand)
}

/// A notice to everyone: the one order that an empty state takes.
pub(super) fn notice(key: &str) -> Command {
    let text = |word: &str| format!("{word} {key}");
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
            text: Text {
                de: text("Stand"),
                en: text("as of"),
            },
            next_word_at: Timestamp(4_000_000_000_000),
            tenant: None,
        },
    }
}
