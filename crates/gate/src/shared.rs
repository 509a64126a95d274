//! What every connection of a gate shares.
//!
//! In:    what the keeper has accepted. Out: the same, cheap to read for each request.
//! Never: decides.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anlauf_model::Timestamp;
use anlauf_model::feed::{GateFreshness, Words};
use jiff::tz::TimeZone;
use tokio::sync::{Notify, watch};

use crate::access::{Access, Beginning, Entry, Verdict};
use crate::clock::Floor;
use crate::driver::Drivers;
use crate::forward::Forwarder;
use crate::inflow::Key;
use crate::judge::Testers;
use crate::page::Speaker;
use crate::proxy_protocol::TurnedAway;
use crate::serve::Counts;
use crate::table::Table;
use crate::visit::Conn;

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
    /// Where it is said how requests ended.
    pub(crate) access: Access,
    /// Filters of others that follow.
    pub(crate) drivers: Drivers,
    /// Threads that serve.
    pub(crate) workers: AtomicUsize,
    /// When the control plane last answered.
    control: Mutex<Option<Instant>>,
    drill: AtomicBool,
    table: RwLock<Arc<Table>>,
    words: RwLock<Arc<Words>>,
    freshness: RwLock<Arc<Vec<GateFreshness>>>,
}

impl Shared {
    pub(crate) fn new(
        testers: Testers,
        clock: Floor,
        zone: TimeZone,
        (places, access, drivers): (Key, Access, Drivers),
    ) -> Self {
        Self {
            testers,
            forwarder: Forwarder::new(),
            counts: Counts::default(),
            clock,
            progress: watch::Sender::new(Progress::default()),
            news: Notify::new(),
            zone,
            places,
            access,
            drivers,
            workers: AtomicUsize::new(0),
            control: Mutex::new(None),
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

    /// Something begins on a connection; nothing without a log.
    pub(crate) fn entry(&self, conn: &Conn) -> Entry {
        if !self.access.is_on() {
            return Entry::default();
        }
        let fresh;
        let meter = match &conn.meter {
            Some(meter) => meter,
            None => {
                fresh = Arc::default();
                &fresh
            }
        };
        self.access.begin(&Beginning {
            protocol: conn.protocol,
            meter,
            client: conn.peer.address,
            now: self.now(),
        })
    }

    /// A connection is dropped before anything of it was read.
    pub(crate) fn turn_away(&self, client: IpAddr, why: TurnedAway) {
        self.counts.turned_away.add(why);
        if !self.access.is_on() {
            return;
        }
        let mut entry = self.access.begin(&Beginning {
            protocol: "tcp",
            meter: &Arc::default(),
            client,
            now: self.now(),
        });
        entry.because(why.name());
        entry.verdict(Verdict::TurnedAway);
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

    /// The control plane has answered.
    pub(crate) fn set_control_heard(&self) {
        let mut heard = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = Some(Instant::now());
    }

    /// How long ago the control plane last answered; none if it never has.
    pub(crate) fn control_age(&self) -> Option<Duration> {
        let heard = *self.control.lock().unwrap_or_else(PoisonError::into_inner);
        heard.map(|heard| heard.elapsed())
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
