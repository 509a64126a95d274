//! A gate of the simulation: the product's own core over a disk, a clock and crashes of ours.
//!
//! In:    feed items in any order, closings, two clocks, where it shall crash.
//! Out:   how far which cell is open, judgements.
//! Never: judges anything itself, but for the mistakes in `wrong.rs`.
//! See:   crates/gate/src/lab.rs, docs/adr/016-simulator-plays-the-real-gate.md.

use std::sync::Arc;

use anlauf_gate::Clock;
use anlauf_gate::lab::{Change, Door, HandClock, Judged as Verdict, Lab, Part};
use anlauf_model::feed::{FeedItem, FeedKind};
use anlauf_model::{CellId, Digest, Epoch, GateId, GateTable, Stage, Timestamp};

use anlauf_trust::Authority;

use crate::mutant::Mutant;
use crate::wrong::Wrong;

/// What became of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    /// Seen before, or older than what was seen.
    Skipped,
    /// In force, on the disk, acknowledged.
    Accepted,
    /// Refused, with why.
    Refused(String),
    /// The gate died over it, or is dead.
    Died,
}

/// Where a gate dies while it puts something in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crash {
    /// After so many of the actions.
    pub after: usize,
    /// How much of the line that is being written is on the disk then, in per mille.
    pub torn: u32,
}

/// A gate.
pub struct Gate {
    /// Name for people.
    pub name: String,
    /// Last feed item judged.
    pub position: u64,
    /// Actions so far: judgements, writes, effects.
    pub actions: u64,
    /// The machine's clocks.
    pub clock: Arc<HandClock>,
    /// What a power cut leaves of the journal.
    pub disk: Vec<u8>,
    /// Why it refused something last.
    pub refused: String,
    id: GateId,
    pin: Digest,
    table: GateTable,
    /// None: it does not run. Everything is shut then.
    lab: Option<Lab>,
    doors: Vec<Door>,
    wrong: Wrong,
}

impl Gate {
    /// A gate with its pinned root, everything shut.
    ///
    /// # Panics
    /// When the name is not a legal id: names are this crate's.
    pub fn new(
        name: &str,
        (pin, table): (Digest, GateTable),
        wall: Timestamp,
        mutant: Option<Mutant>,
    ) -> Self {
        let id: GateId = name.parse().expect("names in this crate are legal");
        let mut gate = Self {
            name: name.to_owned(),
            position: 0,
            actions: 0,
            clock: HandClock::new(wall.0),
            disk: Lab::blank(&id, &pin),
            refused: String::new(),
            id,
            pin,
            wrong: Wrong::new(mutant, pin, table.clone()),
            table,
            lab: None,
            doors: Vec::new(),
        };
        gate.start();
        gate
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.lab.is_some()
    }

    /// What it takes for the present.
    pub fn now(&self) -> Timestamp {
        let wall = Timestamp(self.clock.wall());
        let core = self.lab.as_ref().map_or(wall, Lab::now);
        self.wrong.time(core, (self.clock.now(), wall))
    }

    /// Every cell of the table in force, and by its index how far it is open.
    pub fn doors(&self) -> &[Door] {
        &self.doors
    }

    /// How far one of `doors` is open at the gate's own time: what a request meets.
    pub fn stage_of(&self, door: &Door, now: Timestamp) -> Stage {
        self.wrong.stage(door, now)
    }

    /// How far a cell is open.
    pub fn stage(&self, cell: &CellId) -> Stage {
        let now = self.now();
        let door = self.doors.iter().find(|door| door.id() == cell);
        door.map_or(Stage::Closed, |door| self.stage_of(door, now))
    }

    /// The root and policy in force.
    pub fn authority(&self) -> Option<&Authority> {
        self.lab.as_ref().and_then(Lab::authority)
    }

    /// Judges the next item of the feed.
    pub fn take(&mut self, item: &FeedItem, crash: Option<Crash>) -> Judged {
        if self.lab.is_none() {
            return Judged::Died;
        }
        if item.seq <= self.position {
            return Judged::Skipped;
        }
        let judged = self.judge((item.kind, &item.envelope), item.seq, crash);
        if let Some(lab) = self.lab.as_mut().filter(|_| judged != Judged::Died) {
            self.position = item.seq;
            lab.read(item.seq, &item.envelope);
        }
        judged
    }

    /// The beacon to ask with, if it wants fresh word; `random` becomes a new one.
    pub fn beacon(&mut self, random: Digest) -> Option<Digest> {
        self.lab.as_mut()?.beacon(random)
    }

    /// Hears an answer to a beacon.
    pub fn hear(&mut self, envelope: &str) {
        let now = self.now();
        let Some(lab) = &mut self.lab else {
            return;
        };
        self.actions += 1;
        let heard = lab.hear(envelope, self.position);
        let known = (lab.authority(), now);
        self.wrong.heard(envelope, heard.is_ok(), known);
        if heard == Ok(true) {
            self.position = 0;
        }
    }

    /// Everything is read again from the beginning.
    pub fn rewind(&mut self) {
        if let Some(lab) = &mut self.lab {
            lab.rewind(self.position);
        }
        self.position = 0;
    }

    /// How far a cell is open by its release, fresh word or not.
    pub fn released(&self, cell: &CellId) -> Stage {
        let now = self.now();
        let door = self.doors.iter().find(|door| door.id() == cell);
        door.map_or(Stage::Closed, |door| {
            self.stage_of(door, now).max(door.released(now))
        })
    }

    /// Judges a close that a person hands in directly.
    pub fn close(&mut self, envelope: &str, crash: Option<Crash>) -> Judged {
        self.judge((FeedKind::Close, envelope), self.position, crash)
    }

    fn judge(&mut self, asked: (FeedKind, &str), position: u64, crash: Option<Crash>) -> Judged {
        let now = self.now();
        let Some(lab) = &self.lab else {
            return Judged::Died;
        };
        self.actions += 1;
        let offered = (asked.0 == FeedKind::Policy).then_some(&self.table);
        let known = (lab.authority(), now);
        let verdict = match self.wrong.judge(asked, &self.doors, known) {
            Some(Verdict::Change(change)) if !self.wrong.skips_needs() => lab.held(change, now),
            Some(verdict) => verdict,
            None => lab.judge(asked, offered, now),
        };
        match verdict {
            Verdict::Change(change) if self.wrong.is_masked(&change, &self.table) => {
                Judged::Refused("what it needs is shut".into())
            }
            Verdict::Refused(reasons) => {
                self.refused = reasons.join("; ");
                Judged::Refused(self.refused.clone())
            }
            Verdict::Table(_) => Judged::Refused("its table is not here".into()),
            Verdict::Change(change) => self.put_in_force(change, (asked, position), crash),
        }
    }

    /// One action after another, in the product's order; the gate may die between any two.
    fn put_in_force(
        &mut self,
        change: Change,
        (asked, position): ((FeedKind, &str), u64),
        crash: Option<Crash>,
    ) -> Judged {
        let parts = self.wrong.order(asked.0, change.order());
        let is_written = self.wrong.writes(&change);
        let mut change = Some(self.wrong.change(change, &self.doors));
        for (index, part) in parts.into_iter().enumerate() {
            let dies = crash.filter(|crash| crash.after == index);
            if dies.is_some_and(|_| self.wrong.acknowledges_early(asked.0, index)) {
                self.stop();
                return Judged::Accepted;
            }
            let Some(lab) = &mut self.lab else {
                return Judged::Died;
            };
            self.actions += 1;
            if part == Part::Write && is_written {
                let line = lab.line(position, asked);
                let size = dies.map_or(line.len(), |crash| part_of(line.len(), crash.torn));
                self.disk.extend(&line[..size]);
            }
            if dies.is_some() {
                self.stop();
                return Judged::Died;
            }
            if part == Part::Install
                && let Some(change) = change.take()
            {
                self.wrong.took(asked, lab.authority());
                if self.wrong.installs(&change, &self.doors) {
                    lab.install(change);
                }
                if asked.0 == FeedKind::Policy {
                    self.doors = lab.doors();
                }
            }
        }
        Judged::Accepted
    }

    /// Notices what has run out, and writes it down.
    pub fn expire(&mut self) {
        if let Some(lab) = &mut self.lab {
            lab.settle();
        }
        if !self.wrong.expires() {
            return;
        }
        if let Some(line) = self.lab.as_mut().and_then(|lab| lab.expire(self.position)) {
            self.actions += 1;
            self.disk.extend(line);
        }
    }

    /// Dies, if it runs, and forgets what is not on the disk.
    pub fn stop(&mut self) {
        self.lab = None;
        self.doors = Vec::new();
    }

    /// Starts from what is on the disk: verifies all of it, and stays shut if it does not hold.
    /// Whether it runs.
    pub fn start(&mut self) -> bool {
        self.stop();
        self.clock = HandClock::new(self.clock.wall());
        self.wrong.reads(&mut self.disk);
        let mut entries = Lab::entries((&self.id, &self.pin), &self.disk).unwrap_or_default();
        let started = self.started();
        let (lab, size) = match started {
            Some(started) => started,
            None => {
                let believed = self.wrong.believes_disk(&entries);
                if believed.is_empty() {
                    return false;
                }
                entries.pop();
                self.disk.truncate(last_line(&self.disk));
                let Some((mut lab, size)) = self.started() else {
                    return false;
                };
                believed.into_iter().for_each(|change| lab.install(change));
                (lab, size)
            }
        };
        self.disk.truncate(size);
        self.actions += entries.len() as u64;
        // The last one, not the highest: a feed that began anew goes on from there.
        self.position = entries.last().map(|(at, _)| *at).unwrap_or_default();
        for (kind, envelope) in entries.iter().filter_map(|(_, signed)| signed.as_ref()) {
            self.wrong.took((*kind, envelope), None);
        }
        self.doors = lab.doors();
        self.lab = Some(lab);
        true
    }

    fn started(&self) -> Option<(Lab, usize)> {
        let table = |digest: &Digest| (*digest == self.table.digest()).then(|| self.table.clone());
        let own = (&self.id, &self.pin);
        Lab::start(own, &self.disk, &table, Arc::clone(&self.clock)).ok()
    }

    /// Somebody with the machine in hand writes a release into the journal, sums and all, and
    /// stops the gate.
    pub fn forge(&mut self, envelope: &str) {
        if let Some(lab) = &mut self.lab {
            let line = lab.line(self.position, (FeedKind::Release, envelope));
            self.disk.extend(line);
        }
        self.stop();
    }

    /// Writes its journal anew, with only what it needs.
    pub fn tidy(&mut self) {
        let own = (&self.id, &self.pin);
        if let Some(lab) = &mut self.lab
            && let Ok(bytes) = lab.gist(own, &self.disk)
        {
            self.actions += 1;
            self.disk = bytes;
        }
    }

    /// Highest epoch seen of a cell.
    pub fn epoch(&self, cell: &CellId) -> Epoch {
        let door = self.doors.iter().find(|door| door.id() == cell);
        door.map(Door::epoch).unwrap_or_default()
    }
}

/// Where the last line begins.
fn last_line(bytes: &[u8]) -> usize {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    body.iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1)
}

fn part_of(size: usize, per_mille: u32) -> usize {
    size * per_mille as usize / 1_000
}
