//! Whether a gate has fresh word from outside: the beacons it asked with, and the answers.
//!
//! In:    random bytes, verified answers, how far the feed was read, a clock that only runs on.
//! Out:   [`Standing`] of each class: whether its cells may be open, as far as freshness goes.
//! Never: opens anything; reads a clock; takes an answer to a beacon that it did not ask with.
//! See:   docs/adr/020-fresh-word-for-a-beacon.md, docs/formats/gate.md "Fresh word".
//!
//! A gate that was set back to an old image, or that is told an old story, cannot notice by itself.
//! So it asks with bytes that nobody could have known before. The answer tells where the feed ends
//! and what it holds; only when the gate has read exactly that, it is as fresh as its question.

use std::collections::VecDeque;

use anlauf_model::feed::{GateFreshness, Standing};
use anlauf_model::landscape::freshness::freshness;
use anlauf_model::landscape::{Class, FreshnessRule, Stale};
use anlauf_model::{Digest, GateId};
use anlauf_trust::{FEED_SUM_EMPTY, Freshness, Verified, feed_sum};

use crate::error::refusal;

/// How many ends of the feed are remembered: an answer may be about one a little back.
const END_COUNT_MAX: usize = 64;

/// A gate asks this often in the time after which it is stale.
const ASKED_PER_LIMIT: i64 = 4;

const MINUTE_MS: i64 = 60_000;

/// What a gate knows of its own freshness. Begins anew with every start.
pub(crate) struct Fresh {
    gate: GateId,
    rules: Vec<FreshnessRule>,
    /// The question on the line to the control plane that has no answer.
    line: Option<Beacon>,
    /// The question in somebody's hand: carried from a site that is cut off.
    hand: Option<Beacon>,
    /// The newest answer whose feed was not read yet.
    waiting: Option<Word>,
    /// When the question was asked whose answer holds. Milliseconds of the running clock.
    fresh_at: Option<i64>,
    /// The last ends of the feed that was read: number and sum. Empty: not known.
    ends: VecDeque<(u64, Digest)>,
    /// Whether the feed was begun anew for the answer that waits.
    is_begun_anew: bool,
    /// How far the feed, or the journal, had been read before it was begun anew.
    reread_to: u64,
}

struct Beacon {
    bytes: Digest,
    made: i64,
}

struct Word {
    made: i64,
    head: u64,
    feed: Digest,
}

impl Fresh {
    /// Nothing is fresh, and nothing asks for it.
    pub(crate) fn new(gate: GateId) -> Self {
        Self {
            gate,
            rules: Vec::new(),
            line: None,
            hand: None,
            waiting: None,
            fresh_at: None,
            ends: VecDeque::from([(0, FEED_SUM_EMPTY)]),
            is_begun_anew: false,
            // Until the journal has been read back.
            reread_to: u64::MAX,
        }
    }

    /// Whether any class asks for freshness.
    pub(crate) fn is_asked(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Takes the rules of the policy in force.
    pub(crate) fn set_rules(&mut self, rules: &[FreshnessRule]) {
        self.rules = rules.to_vec();
    }

    /// The beacon to ask with on the line, if it is time to ask; `random` becomes a new one where
    /// the last has grown too old to be worth an answer.
    pub(crate) fn wanted(&mut self, random: Digest, ran: i64) -> Option<Digest> {
        let limit = self.rules.iter().map(limit_ms).min()?;
        let pace = limit / ASKED_PER_LIMIT;
        let newest = self
            .waiting
            .as_ref()
            .map(|word| word.made)
            .max(self.fresh_at);
        if newest.is_some_and(|made| ran - made < pace) {
            return None;
        }
        let is_old = |beacon: &Beacon| ran - beacon.made >= pace;
        if self.line.as_ref().is_none_or(is_old) {
            self.line = Some(Beacon {
                bytes: random,
                made: ran,
            });
        }
        self.line.as_ref().map(|beacon| beacon.bytes)
    }

    /// A beacon that somebody carries to where it can be answered. The one before is forgotten.
    pub(crate) fn carried(&mut self, random: Digest, ran: i64) -> Digest {
        self.hand = Some(Beacon {
            bytes: random,
            made: ran,
        });
        random
    }

    /// Takes an answer. Its beacon is used up; it counts once the feed that it tells of was read.
    ///
    /// # Errors
    /// It answers another gate, or a beacon that is not open here.
    pub(crate) fn answered(&mut self, verified: &Verified<Freshness>) -> Result<(), String> {
        let said = verified.statement();
        if said.gate != self.gate {
            return Err(refusal::beacon_foreign(&said.gate));
        }
        let is_asked = |open: &&mut Option<Beacon>| {
            open.as_ref()
                .is_some_and(|beacon| beacon.bytes == said.beacon)
        };
        let open = [&mut self.line, &mut self.hand];
        let beacon = open.into_iter().find(is_asked).and_then(Option::take);
        let Some(beacon) = beacon else {
            return Err(refusal::beacon_unknown(&said.beacon));
        };
        let made = beacon.made;
        let is_newer = |than: i64| made > than;
        if self.waiting.as_ref().is_none_or(|word| is_newer(word.made)) {
            self.waiting = Some(Word {
                made,
                head: said.head,
                feed: said.feed,
            });
            self.is_begun_anew = false;
        }
        self.look();
        Ok(())
    }

    /// The sum of the feed with one more item, for the journal; none while it is not known.
    pub(crate) fn sum_with(&self, seq: u64, envelope: &Digest) -> Option<Digest> {
        let (_, sum) = self.ends.back()?;
        Some(feed_sum(sum, seq, envelope))
    }

    /// Whether an item stands beyond what was read.
    #[cfg(feature = "lab")]
    pub(crate) fn is_beyond(&self, seq: u64) -> bool {
        self.ends.back().is_some_and(|(last, _)| seq > *last)
    }

    /// The sum of the feed as far as it was read.
    pub(crate) fn sum(&self) -> Option<Digest> {
        self.ends.back().map(|(_, sum)| *sum)
    }

    /// One more item of the feed was read, and is in force or refused.
    pub(crate) fn read(&mut self, seq: u64, envelope: &Digest) {
        if let Some(sum) = self.sum_with(seq, envelope) {
            self.ends.push_back((seq, sum));
        }
        if self.ends.len() > END_COUNT_MAX {
            self.ends.pop_front();
        }
        self.look();
    }

    /// The feed was read up to here before a restart; without a sum nobody knows what it held.
    pub(crate) fn resume(&mut self, position: u64, sum: Option<Digest>) {
        self.reread_to = 0;
        self.ends.clear();
        match (position, sum) {
            (0, _) => self.ends.push_back((0, FEED_SUM_EMPTY)),
            (_, Some(sum)) => self.ends.push_back((position, sum)),
            (_, None) => {}
        }
    }

    /// The feed is read from the beginning once more.
    pub(crate) fn rewind(&mut self, position: u64) {
        self.reread_to = self.reread_to.max(position);
        self.ends = VecDeque::from([(0, FEED_SUM_EMPTY)]);
    }

    /// Whether what is read now was read before: from the journal, or with something else in its
    /// place.
    pub(crate) fn is_rereading(&self) -> bool {
        self.ends
            .back()
            .is_some_and(|(last, _)| *last < self.reread_to)
    }

    /// Whether the feed that was read is not the one that the answer tells of: somebody slipped
    /// something in or left something out. True once for each answer; the feed is read anew then.
    pub(crate) fn is_astray(&mut self, position: u64) -> bool {
        let waits = self
            .waiting
            .as_ref()
            .is_some_and(|word| word.head <= position);
        let astray = waits && !self.is_begun_anew;
        self.is_begun_anew |= astray;
        astray
    }

    /// Whether the answer that waits has been reached.
    fn look(&mut self) {
        let is_reached = |word: &Word| self.ends.contains(&(word.head, word.feed));
        if self.waiting.as_ref().is_some_and(is_reached) {
            let made = self.waiting.take().map(|word| word.made);
            self.fresh_at = self.fresh_at.max(made);
        }
    }

    /// How a class stands; none when nothing is asked of it.
    pub(crate) fn standing(&self, class: Class, ran: i64) -> Option<Standing> {
        let rule = freshness(&self.rules, class)?;
        let Some(age) = self.fresh_at.map(|at| ran - at) else {
            return Some(Standing::Unproven);
        };
        Some(match rule.stale {
            _ if age <= limit_ms(rule) => Standing::Fresh,
            Stale::Close => Standing::Stale,
            Stale::Hold => Standing::Held,
        })
    }

    /// Whether cells of a class must be shut for want of fresh word.
    pub(crate) fn shuts(&self, class: Class, ran: i64) -> bool {
        match self.standing(class, ran) {
            None | Some(Standing::Fresh | Standing::Held) => false,
            Some(Standing::Unproven | Standing::Stale) => true,
        }
    }

    /// Age of the last fresh word. Milliseconds.
    pub(crate) fn age(&self, ran: i64) -> Option<i64> {
        self.fresh_at.map(|at| ran - at)
    }

    /// How every class stands that asks for freshness, for reports.
    pub(crate) fn account(&self, ran: i64) -> Vec<GateFreshness> {
        let seconds = |ms: i64| u64::try_from(ms / 1_000).unwrap_or(0);
        let one = |rule: &FreshnessRule| {
            Some(GateFreshness {
                class: rule.class,
                standing: self.standing(rule.class, ran)?,
                age_seconds: self.age(ran).map(seconds),
            })
        };
        self.rules.iter().filter_map(one).collect()
    }
}

fn limit_ms(rule: &FreshnessRule) -> i64 {
    i64::from(rule.minutes_max) * MINUTE_MS
}

#[cfg(test)]
mod tests;
