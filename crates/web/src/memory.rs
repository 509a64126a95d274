//! What the control plane knows besides its ledger, and may forget.
//!
//! In:    gates' reports, the words of pages, plans that are being made.
//! Out:   when a gate was last heard, since when words hold, whose turn it is to plan.
//! Never: truth: after a restart all of it is learned again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anlauf_model::feed::{GateCounts, GateFreshness, GateReport};
use anlauf_model::{Digest, GateId, PlanId, Timestamp};
use anlauf_recovery::{Event, State};
use anlauf_trust::{FEED_SUM_EMPTY, feed_sum};
use tokio::sync::Semaphore;

use crate::limits::{PLAN_READ_COUNT_MAX, PLANNING_COUNT_MAX, PLANNING_WAITING_COUNT_MAX};
use crate::port::{Desk, DeskError};

/// What the control plane knows besides its ledger.
#[derive(Debug)]
pub(crate) struct Memory {
    gates: Mutex<BTreeMap<GateId, Heard>>,
    words: Mutex<Option<WordsMark>>,
    feed: Mutex<FeedSum>,
    plans: Mutex<PlanIndex>,
    /// One permit per plan or forecast in the making.
    pub(crate) planning: Semaphore,
    /// One permit per plan or forecast that is made or waits to be.
    pub(crate) planning_queue: Semaphore,
}

/// Where each proposed plan lies in the ledger, as far as it was read for that.
#[derive(Debug, Default)]
struct PlanIndex {
    read_to: u64,
    entries: BTreeMap<PlanId, u64>,
}

/// The sum of the feed, as far as it was added up.
#[derive(Debug)]
struct FeedSum {
    count: usize,
    sum: Digest,
}

impl Default for FeedSum {
    fn default() -> Self {
        let (count, sum) = (0, FEED_SUM_EMPTY);
        Self { count, sum }
    }
}

/// A gate's last word, whether or not it was worth an entry.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// When.
    pub(crate) at: Timestamp,
    /// Table it uses.
    pub(crate) table: Option<Digest>,
    /// Root version in force there.
    pub(crate) root_version: u64,
    /// Requests since it started.
    pub(crate) counts: GateCounts,
    /// How each class stands there that asks for fresh word.
    pub(crate) freshness: Vec<GateFreshness>,
    /// Digest of the last report that was worth an entry: a repeated one is not.
    kept: Option<Digest>,
}

/// What the words of the gates' pages are made of, and from which entry on we saw them so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WordsMark {
    forecasts: usize,
    notices: usize,
    began: Option<Timestamp>,
    /// Entry at which it was first seen; it may have been so a little longer.
    pub(crate) seen_at: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            gates: Mutex::default(),
            words: Mutex::default(),
            feed: Mutex::default(),
            plans: Mutex::default(),
            planning: Semaphore::new(PLANNING_COUNT_MAX),
            planning_queue: Semaphore::new(PLANNING_COUNT_MAX + PLANNING_WAITING_COUNT_MAX),
        }
    }
}

impl Memory {
    /// A gate's last word.
    pub(crate) fn heard(&self, gate: &GateId) -> Option<Heard> {
        locked(&self.gates).get(gate).cloned()
    }

    /// Remembers a report.
    pub(crate) fn hear(&self, at: Timestamp, report: &GateReport, kept: Option<Digest>) {
        let mut gates = locked(&self.gates);
        let before = gates.get(&report.gate).and_then(|heard| heard.kept);
        let heard = Heard {
            at,
            table: report.table,
            root_version: report.root_version,
            counts: report.counts,
            freshness: report.freshness.clone(),
            kept: kept.or(before),
        };
        gates.insert(report.gate.clone(), heard);
    }

    /// Whether this is the report that the gate's last entry was made of, sent once more.
    pub(crate) fn is_repeated(&self, gate: &GateId, report: &Digest) -> bool {
        let gates = locked(&self.gates);
        gates.get(gate).and_then(|heard| heard.kept).as_ref() == Some(report)
    }

    /// Where the feed ends, and the sum of what it holds. A feed only grows, so that only what is
    /// new is added up.
    pub(crate) fn feed_end(&self, state: &State) -> (u64, Digest) {
        let mut known = locked(&self.feed);
        for item in state.feed.iter().skip(known.count) {
            let envelope = Digest::of(item.envelope.as_bytes());
            known.sum = feed_sum(&known.sum, item.seq, &envelope);
            known.count += 1;
        }
        (state.feed.last().map_or(0, |item| item.seq), known.sum)
    }

    /// What the words are made of now, and since when.
    pub(crate) fn words_mark(&self, state: &State) -> WordsMark {
        let fresh = WordsMark {
            forecasts: state.forecasts.len(),
            notices: state.notices.iter().map(|n| n.versions.len()).sum(),
            began: state.incident.as_ref().map(|incident| incident.began),
            seen_at: state.seq,
        };
        let mut kept = locked(&self.words);
        match *kept {
            Some(mark) if mark.is_like(&fresh) => mark,
            _ => *kept.insert(fresh),
        }
    }
}

impl Memory {
    /// The entry that proposed a plan. Reads what was added to the ledger since the last question.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub(crate) fn plan_entry(
        &self,
        desk: &dyn Desk,
        id: &PlanId,
    ) -> Result<Option<u64>, DeskError> {
        let mut index = locked(&self.plans);
        loop {
            let entries = desk.entries(index.read_to + 1, PLAN_READ_COUNT_MAX)?;
            let Some(last) = entries.last() else { break };
            index.read_to = last.seq;
            for entry in &entries {
                if let Event::PlanProposed { plan } = &entry.event {
                    index.entries.insert(plan.id, entry.seq);
                }
            }
        }
        Ok(index.entries.get(id).copied())
    }
}

impl WordsMark {
    /// Whether both stand for the same words.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let parts = |mark: &Self| (mark.forecasts, mark.notices, mark.began);
        parts(self) == parts(other)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
