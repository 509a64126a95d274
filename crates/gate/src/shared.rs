//! What every connection of a gate shares.
//!
//! In:    what the keeper has accepted. Out: the same, cheap to read for each request.
//! Never: decides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anlauf_model::Timestamp;
use anlauf_model::feed::{GateFreshness, Words};
use jiff::tz::TimeZone;
use tokio::sync::{Notify, watch};

use crate::clock::Floor;
use crate::forward::Forwarder;
use crate::inflow::Key;
use crate::judge::Testers;
use crate::page::Speaker;
use crate::serve::Counts;
use crate::table::Table;

/// How far a gate is. Changes whenever something took effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Last feed item that was judged and, if accepted, is in force and on disk.
    pub applied: u64,
    /// Counts every change of a cell, the table, the authority or the words.
    pub changes: u64,
    /// Last feed item that the control plane has heard of from this gate.
    pub reported: u64,
}

/// What every connection of a gate shares.
pub(crate) struct Shared {
    pub(crate) testers: Testers,
    pub(crate) forwarder: Forwarder,
    pub(crate) counts: Counts,
    pub(crate) clock: Floor,
    pub(crate) progress: watch::Sender<Progress>,
    /// Rung when there is something to report.
    pub(crate) news: Notify,
    pub(crate) zone: TimeZone,
    /// What clients' places are sealed with.
    pub(crate) places: Key,
    drill: AtomicBool,
    table: RwLock<Arc<Table>>,
    words: RwLock<Arc<Words>>,
    freshness: RwLock<Arc<Vec<GateFreshness>>>,
}

impl Shared {
    pub(crate) fn new(testers: Testers, clock: Floor, zone: TimeZone, places: Key) -> Self {
        Self {
            testers,
            forwarder: Forwarder::new(),
            counts: Counts::default(),
            clock,
            progress: watch::Sender::new(Progress::default()),
            news: Notify::new(),
            zone,
            places,
            drill: AtomicBool::new(false),
            table: RwLock::new(Arc::new(Table::empty())),
            words: RwLock::default(),
            freshness: RwLock::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What has passed since some moment, by a clock that nobody sets back. Milliseconds.
    pub(crate) fn ran(&self) -> i64 {
        self.clock.ran()
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_table(&self, table: Table) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    /// How classes stand that ask for fresh word, as of the last look.
    pub(crate) fn freshness(&self) -> Arc<Vec<GateFreshness>> {
        let known = self.freshness.read();
        Arc::clone(&known.unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_freshness(&self, account: Vec<GateFreshness>) {
        let known = self.freshness.write();
        *known.unwrap_or_else(PoisonError::into_inner) = Arc::new(account);
    }

    pub(crate) fn words(&self) -> Arc<Words> {
        Arc::clone(&self.words.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_words(&self, words: Words) {
        *self.words.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(words);
        self.changed();
    }

    pub(crate) fn set_drill(&self, drill: bool) {
        self.drill.store(drill, Ordering::Relaxed);
    }

    pub(crate) fn is_drill(&self) -> bool {
        self.drill.load(Ordering::Relaxed)
    }

    /// Tells whoever waits that something took effect.
    pub(crate) fn changed(&self) {
        self.progress.send_modify(|progress| progress.changes += 1);
    }

    pub(crate) fn speaker(&self) -> Speaker {
        Speaker {
            drill: self.is_drill(),
            words: self.words(),
            now: self.now(),
            zone: self.zone.clone(),
        }
    }
}
