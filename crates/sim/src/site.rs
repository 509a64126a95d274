//! Where a gate stands: its machine, its line to the control plane, and what befalls them.
//!
//! In:    chance, time. Out: crashes, stopped and started gates, turned clocks, restored disks,
//!        messages that come late, twice or never.
//! Never: decides what a gate should have done.

use std::collections::BTreeMap;

use anlauf_model::feed::FeedItem;
use anlauf_model::{Minutes, Timestamp};

use crate::chance::Chance;
use crate::check::Acknowledged;
use crate::gate::{Crash, Gate};
use crate::report::Events;

/// A message, and whether the adversary made it.
pub type Message = (FeedItem, bool);

/// Most answers to beacons that the adversary keeps.
const WORD_COUNT_MAX: usize = 20;

/// A gate and its surroundings.
pub struct Site {
    /// The gate.
    pub gate: Gate,
    /// What it has acknowledged.
    pub known: Acknowledged,
    /// On the wire, by when it arrives.
    wire: BTreeMap<(Timestamp, u64), Message>,
    sent: u64,
    /// Answers to beacons on the wire, by when they arrive.
    words: BTreeMap<(Timestamp, u64), String>,
    /// Answers that the adversary keeps for later.
    past: Vec<String>,
    cut_off_until: Timestamp,
    /// An image of the disk that someone made, and what had been acknowledged by then.
    image: Option<(Vec<u8>, Acknowledged)>,
    /// The last journal that a gate wrote itself.
    own: Vec<u8>,
    fate: Option<Fate>,
}

/// What befalls a gate's machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Restart,
    ClockTurned,
    CutOff,
    ImageMade,
    ImageRestored,
    DiskForged,
    JournalTidied,
}

impl Site {
    /// A new gate on a sound machine.
    pub fn new(gate: Gate) -> Self {
        Self {
            own: gate.disk.clone(),
            gate,
            known: Acknowledged::default(),
            wire: BTreeMap::new(),
            sent: 0,
            words: BTreeMap::new(),
            past: Vec::new(),
            cut_off_until: Timestamp(0),
            image: None,
            fate: None,
        }
    }

    /// Whether the control plane cannot be reached.
    pub fn is_cut_off(&self, now: Timestamp) -> bool {
        now < self.cut_off_until
    }

    /// Whether and where the gate will die over the next thing it does.
    pub fn crash(&self, chance: &mut Chance) -> Option<Crash> {
        (chance.below(60) == 0).then(|| Crash {
            after: chance.below(3),
            torn: u32::try_from(chance.below(1_001)).unwrap_or(1_000),
        })
    }

    /// Something befalls the machine, or nothing.
    pub fn suffers(&mut self, chance: &mut Chance, now: Timestamp) -> bool {
        if !self.gate.is_running() {
            self.fate = Some(Fate::Restart);
            return chance.percent(50);
        }
        self.fate = match chance.below(1_000) {
            0..6 => Some(Fate::Restart),
            6..25 => Some(Fate::ClockTurned),
            25..35 => Some(Fate::CutOff),
            35..40 => Some(Fate::ImageMade),
            40..42 => Some(Fate::ImageRestored),
            42..48 => Some(Fate::DiskForged),
            48..52 => Some(Fate::JournalTidied),
            _ => None,
        };
        match self.fate {
            Some(Fate::ClockTurned) => {
                let turn = chance.minutes(-600, 600);
                self.gate.clock.set((now + turn).0);
            }
            Some(Fate::CutOff) => self.cut_off_until = now + chance.minutes(10, 600),
            Some(Fate::ImageMade) => {
                self.image = Some((self.gate.disk.clone(), self.known.clone()));
            }
            Some(Fate::JournalTidied) => self.gate.tidy(),
            _ => {}
        }
        self.fate.is_some()
    }

    /// Whether somebody is about to write into the journal.
    pub fn is_struck_by_forger(&mut self, _chance: &mut Chance) -> bool {
        if self.fate == Some(Fate::DiskForged) {
            self.own.clone_from(&self.gate.disk);
        }
        self.fate == Some(Fate::DiskForged)
    }

    /// What follows on what befell it: the gate starts again, if it has to. Whether it did.
    pub fn start(&mut self, chance: &mut Chance, now: Timestamp) -> bool {
        match self.fate {
            Some(Fate::ImageRestored) => {
                let Some((disk, known)) = self.image.clone() else {
                    return false;
                };
                (self.gate.disk, self.known) = (disk, known);
            }
            Some(Fate::Restart | Fate::DiskForged) => {}
            _ => return false,
        }
        // Most machines have the time when they start.
        let off = if chance.percent(10) {
            chance.minutes(-300, 120)
        } else {
            Minutes(0)
        };
        self.gate.clock.set((now + off).0);
        self.known.is_out_of_time = off.0 < 0;
        self.known.starts();
        if !self.gate.start() && self.fate == Some(Fate::Restart) {
            // Someone comes, sees that it was tampered with, and puts back its own journal.
            self.gate.disk.clone_from(&self.own);
            return self.gate.start();
        }
        self.gate.is_running()
    }

    /// A page goes on the wire, message by message.
    pub fn send(
        &mut self,
        chance: &mut Chance,
        (page, now): (Vec<Message>, Timestamp),
        events: &mut Events,
    ) {
        let is_slow = chance.percent(20);
        for message in page {
            events.messages += 1;
            if chance.percent(4) {
                continue;
            }
            let copies = if chance.percent(5) { 2 } else { 1 };
            events.messages += copies - 1;
            for _ in 0..copies {
                let late = if is_slow || chance.percent(5) {
                    chance.minutes(0, 90)
                } else {
                    Minutes(0)
                };
                self.sent += 1;
                self.wire.insert((now + late, self.sent), message.clone());
            }
        }
    }

    /// An answer to a beacon goes on the wire. Who owns it drops some, keeps them, and sends old
    /// ones instead.
    pub fn answer(&mut self, fate: &mut Chance, word: String, now: Timestamp, events: &mut Events) {
        let old = self.past.get(fate.below(self.past.len())).cloned();
        let (is_replayed, is_dropped) = (fate.percent(30), fate.percent(15));
        let late = if fate.percent(15) {
            fate.minutes(0, 90)
        } else {
            Minutes(0)
        };
        for (at, word) in [
            (now, old.filter(|_| is_replayed)),
            (now + late, Some(word.clone()).filter(|_| !is_dropped)),
        ] {
            events.messages += 1;
            self.sent += 1;
            let sent = word.map(|word| ((at, self.sent), word));
            self.words.extend(sent);
        }
        if self.past.len() >= WORD_COUNT_MAX {
            self.past.remove(fate.below(WORD_COUNT_MAX));
        }
        self.past.push(word);
    }

    /// The next answer, once nobody is on the wire any more: none is lost, and old ones are gone.
    pub fn calm_word(&mut self) -> Option<String> {
        self.words.clear();
        self.past.pop()
    }

    /// The next answer that has arrived.
    pub fn word_due(&mut self, now: Timestamp) -> Option<String> {
        if !self.gate.is_running() {
            self.words.clear();
            return None;
        }
        let first = self.words.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// The next message that has arrived.
    pub fn due(&mut self, now: Timestamp) -> Option<Message> {
        if !self.gate.is_running() {
            self.wire.clear();
            return None;
        }
        let first = self.wire.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// Everything is put right: what was lost on the way is read again from the start.
    pub fn heal(&mut self, now: Timestamp) {
        self.wire.clear();
        self.words.clear();
        self.cut_off_until = now;
        self.gate.clock.set(now.0);
        self.known.is_out_of_time = false;
        self.known.starts();
        if !self.gate.start() {
            self.gate.disk.clone_from(&self.own);
            self.gate.start();
        }
        self.gate.rewind();
    }
}
