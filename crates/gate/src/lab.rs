//! The gate's core on one thread, without network, tasks or disk: what the simulator plays with.
//!
//! In:    envelopes, what time two clocks show, the bytes of a journal.
//! Out:   what the keeper would do, step by step; lines for the journal; how far cells are open.
//! Never: part of a gate that serves: only the feature `lab` compiles it.
//! See:   docs/adr/016-simulator-plays-the-real-gate.md.
//!
//! Mind, table, cell states, order of steps, journal format, clock and replay are the very code of
//! a serving gate. Left out: listeners, forwarding, the cutting of connections, the tokio task.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use anlauf_model::feed::FeedKind;
use anlauf_model::table::GateTable;
use anlauf_model::{CellId, Digest, Epoch, GateId, Stage, Timestamp};
use anlauf_trust::{Authority, Close, Envelope, Release};
use jiff::tz::TimeZone;

use crate::GateError;
use crate::access::Access;
use crate::clock::{Clock, Floor, Passed, Steady};
use crate::config::{Pilot, Upstreams};
use crate::driver::Drivers;
use crate::inflow::Key;
use crate::journal::{self, Entry, Signed};
use crate::judge::Testers;
use crate::keeper::replay;
use crate::mind::{Effect, Mind, Step, Without, needs_shut, steps};
use crate::request::Proxies;
use crate::shared::Shared;
use crate::table::CellState;

/// The two clocks of a machine, turned by hand.
pub struct HandClock {
    ran: AtomicI64,
    wall: AtomicI64,
    steady: Mutex<Steady>,
    passed: Mutex<Passed>,
}

/// A gate's core.
pub struct Lab {
    shared: Arc<Shared>,
    mind: Mind,
    sum: Digest,
}

/// What judging came to.
pub enum Judged {
    /// It may be put in force.
    Change(Change),
    /// A policy that names a table which is not here.
    Table(Digest),
    /// No, and why.
    Refused(Vec<String>),
}

/// An entry of a journal: its position and, if it has one, kind and envelope.
pub type Kept = (u64, Option<(FeedKind, String)>);

/// A change that was verified (or, for a mutant, was not).
pub struct Change(Effect);

/// What a change still has to go through, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Its line goes to the disk.
    Write,
    /// It takes effect.
    Install,
}

/// One cell of the table, for looking at it often.
#[derive(Clone)]
pub struct Door(Arc<CellState>);

// === impl HandClock ===

impl HandClock {
    /// A machine that starts now, at a wall time. Milliseconds.
    pub fn new(wall: i64) -> Arc<Self> {
        Arc::new(Self {
            ran: AtomicI64::new(0),
            wall: AtomicI64::new(wall),
            steady: Mutex::new(Steady::new(0, wall)),
            passed: Mutex::new(Passed::new(0, wall)),
        })
    }

    /// Time passes on both.
    pub fn pass(&self, milliseconds: i64) {
        self.ran.fetch_add(milliseconds, Ordering::SeqCst);
        self.wall.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// The wall clock is set.
    pub fn set(&self, wall: i64) {
        self.wall.store(wall, Ordering::SeqCst);
    }

    /// What the wall clock shows.
    pub fn wall(&self) -> i64 {
        self.wall.load(Ordering::SeqCst)
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        steady.now(
            self.ran.load(Ordering::SeqCst),
            self.wall.load(Ordering::SeqCst),
        )
    }

    fn ran(&self) -> i64 {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let (ran, wall) = (self.ran.load(Ordering::SeqCst), self.wall());
        passed.ran(ran, wall)
    }
}

// === impl Lab ===

impl Lab {
    /// What a new journal holds.
    pub fn blank(gate: &GateId, pin: &Digest) -> Vec<u8> {
        journal::head(gate, pin).into_bytes()
    }

    /// Starts from a journal: every entry is verified again. Gives how many of the bytes are whole
    /// entries; a gate cuts the rest off.
    ///
    /// # Errors
    /// The journal is damaged or another gate's, or an entry does not verify. The gate stays shut.
    pub fn start(
        (gate, pin): (&GateId, &Digest),
        disk: &[u8],
        table: &dyn Fn(&Digest) -> Option<GateTable>,
        clock: Arc<HandClock>,
    ) -> Result<(Self, usize), GateError> {
        let path = std::path::Path::new("journal");
        let kept = journal::read(path, &journal::head(gate, pin), disk)?;
        let testers = Testers {
            clean_room: Vec::new(),
            pilot: Pilot::default(),
            proxies: Proxies::default(),
        };
        let shared = Arc::new(Shared::new(
            testers,
            Floor::new(clock),
            TimeZone::UTC,
            (Key::new(b"lab"), Access::default(), Drivers::default()),
        ));
        let mut mind = Mind::new(gate.clone(), *pin, Upstreams::default());
        let find = |digest: &Digest| table(digest).ok_or(GateError::Table { digest: *digest });
        for (index, entry) in kept.entries.iter().enumerate() {
            replay(&mut mind, &shared, &find, entry)?.map_err(|why| GateError::Damaged {
                path: path.to_owned(),
                line: index + 2,
                why,
            })?;
        }
        let last = kept.entries.last();
        let position = last.map_or(0, |entry| entry.position);
        mind.fresh
            .resume(position, last.and_then(|entry| entry.sum));
        mind.settle(&shared);
        let sum = kept.sum;
        Ok((Self { shared, mind, sum }, kept.size))
    }

    /// The entries of a journal: position and, of each that has one, kind and envelope.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub fn entries((gate, pin): (&GateId, &Digest), disk: &[u8]) -> Result<Vec<Kept>, GateError> {
        let path = std::path::Path::new("journal");
        let kept = journal::read(path, &journal::head(gate, pin), disk)?;
        let signed = |entry: Entry| {
            let signed = entry.signed.map(|signed| (signed.kind, signed.envelope));
            (entry.position, signed)
        };
        Ok(kept.entries.into_iter().map(signed).collect())
    }

    /// What the gate takes for the present.
    pub fn now(&self) -> Timestamp {
        self.shared.now()
    }

    /// The root and policy in force.
    pub fn authority(&self) -> Option<&Authority> {
        self.mind.authority()
    }

    /// Judges an envelope as the keeper does, its own rules for releases included.
    pub fn judge(
        &self,
        asked: (FeedKind, &str),
        offered: Option<&GateTable>,
        now: Timestamp,
    ) -> Judged {
        match self.mind.judge(&self.shared.table(), asked, offered, now) {
            Err(Without::Table(digest)) => Judged::Table(digest),
            Err(Without::Reasons(reasons)) => Judged::Refused(reasons),
            Ok(effect) => self.held(Change(effect), now),
        }
    }

    /// The gate's own rules that no signature overrides, for a change that was judged.
    pub fn held(&self, change: Change, now: Timestamp) -> Judged {
        let reasons = needs_shut(&self.shared.table(), &change.0, now);
        if reasons.is_empty() {
            Judged::Change(change)
        } else {
            Judged::Refused(reasons)
        }
    }

    /// The line that the journal gets for a change.
    pub fn line(&mut self, position: u64, (kind, envelope): (FeedKind, &str)) -> Vec<u8> {
        let digest = Digest::of(envelope.as_bytes());
        let envelope = envelope.to_owned();
        let fresh = &self.mind.fresh;
        // A close that is handed in directly has no place in the feed.
        let sum = if fresh.is_beyond(position) {
            fresh.sum_with(position, &digest)
        } else {
            fresh.sum()
        };
        self.entry(&Entry {
            position,
            at: self.shared.now(),
            sum: sum.filter(|_| fresh.is_asked()),
            signed: Some(Signed { kind, envelope }),
            floor: None,
        })
    }

    /// A journal that holds only what a restart needs, as a gate writes it when it grows long.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub fn gist(
        &mut self,
        (gate, pin): (&GateId, &Digest),
        disk: &[u8],
    ) -> Result<Vec<u8>, GateError> {
        let head = journal::head(gate, pin);
        let kept = journal::read(std::path::Path::new("journal"), &head, disk)?;
        let gist = self.mind.gist(&kept.entries, &self.shared);
        self.sum = Digest::of(head.as_bytes());
        let mut bytes = head.into_bytes();
        for entry in &gist {
            bytes.extend(self.entry(entry));
        }
        Ok(bytes)
    }

    #[expect(
        clippy::expect_used,
        reason = "entries have only string keys, and nobody serves here"
    )]
    fn entry(&mut self, entry: &Entry) -> Vec<u8> {
        let (sum, line) = journal::line(&self.sum, entry).expect("entries have only string keys");
        self.sum = sum;
        line.into_bytes()
    }

    /// Puts a change in force in memory.
    pub fn install(&mut self, change: Change) {
        self.mind.install(change.0, &self.shared);
    }

    /// Shuts what has run out; the line that says so, if anything has.
    pub fn expire(&mut self, position: u64) -> Option<Vec<u8>> {
        let now = self.shared.now();
        let table = self.shared.table();
        let over = table.cells().filter(|cell| cell.state.is_over(now));
        let over: Vec<_> = over.map(|cell| Arc::clone(&cell.state)).collect();
        if over.is_empty() {
            return None;
        }
        over.iter().for_each(|state| state.shut(state.epoch()));
        let cells = over.iter().map(|state| state.kept(now)).collect();
        let burned = Vec::new();
        let fresh = &self.mind.fresh;
        let sum = fresh.sum().filter(|_| fresh.is_asked());
        Some(self.entry(&Entry {
            position,
            at: now,
            sum,
            signed: None,
            floor: Some(journal::Floor { cells, burned }),
        }))
    }

    /// An item of the feed was read, and is in force or refused.
    pub fn read(&mut self, seq: u64, envelope: &str) {
        let digest = Digest::of(envelope.as_bytes());
        self.mind.fresh.read(seq, &digest);
        self.settle();
    }

    /// The beacon to ask with, if fresh word is wanted; `random` becomes a new one.
    pub fn beacon(&mut self, random: Digest) -> Option<Digest> {
        self.mind.fresh.wanted(random, self.shared.ran())
    }

    /// Takes an answer to a beacon. Whether the feed must be read from the beginning: what was read
    /// is not what the answer tells of.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn hear(&mut self, envelope: &str, position: u64) -> Result<bool, Vec<String>> {
        self.mind.hear(envelope, self.shared.now())?;
        let is_astray = self.mind.fresh.is_astray(position);
        if is_astray {
            self.mind.fresh.rewind(position);
        }
        self.settle();
        Ok(is_astray)
    }

    /// The feed is read from the beginning.
    pub fn rewind(&mut self, position: u64) {
        self.mind.fresh.rewind(position);
    }

    /// Shuts what lacks fresh word, and opens again what has it.
    pub fn settle(&mut self) {
        self.mind.settle(&self.shared);
    }

    /// Every cell of the table in force.
    pub fn doors(&self) -> Vec<Door> {
        let table = self.shared.table();
        table
            .cells()
            .map(|cell| Door(Arc::clone(&cell.state)))
            .collect()
    }
}

// === impl Change ===

impl Change {
    /// In which order it is put in force.
    pub fn order(&self) -> [Part; 2] {
        let mut order = [Part::Install; 2];
        let parts = steps(&self.0).into_iter().filter_map(|step| match step {
            Step::Write => Some(Part::Write),
            Step::Install => Some(Part::Install),
            Step::Cut => None,
        });
        order
            .iter_mut()
            .zip(parts)
            .for_each(|(place, todo)| *place = todo);
        order
    }

    /// A mutant's: a release that nobody has verified.
    pub fn unverified_release(release: Release) -> Self {
        let unsigned = Box::new(Envelope::unsigned(Vec::new()));
        Self(Effect::Release(release, unsigned))
    }

    /// A mutant's: a close that nobody has verified.
    pub fn unverified_close(close: Close) -> Self {
        Self(Effect::Close(close))
    }

    /// A mutant's: an authority that does not follow on the one before.
    pub fn unverified_authority(authority: Authority) -> Self {
        Self(Effect::Policy(Box::new(authority), None))
    }

    /// The release, if it is one.
    pub fn release(&self) -> Option<&Release> {
        match &self.0 {
            Effect::Release(release, _) => Some(release),
            _ => None,
        }
    }

    /// The close, if it is one.
    pub fn closing(&self) -> Option<&Close> {
        match &self.0 {
            Effect::Close(close) => Some(close),
            _ => None,
        }
    }
}

// === impl Door ===

impl Door {
    /// Which cell.
    pub fn id(&self) -> &CellId {
        &self.0.id
    }

    /// How far it is open: the one load by which the judge of every request decides.
    pub fn stage(&self, now: Timestamp) -> Stage {
        self.0.stage(now)
    }

    /// Stage and end as last set, whatever the time.
    pub fn opened(&self) -> (Stage, Timestamp) {
        self.0.opened()
    }

    /// How far it is open by its release, fresh word or not.
    pub fn released(&self, now: Timestamp) -> Stage {
        self.0.released(now)
    }

    /// Highest epoch seen.
    pub fn epoch(&self) -> Epoch {
        self.0.epoch()
    }
}
