//! How fast a cell that is fully open fills: a share of the clients, a rate, a number at once.
//!
//! In:    limits that an operator has set at this gate, who asks, `now`.
//! Out:   a [`Slot`] to hold while the request runs, or why not yet; what the client is to carry.
//! Never: opens anything: it is asked after the judge's yes, and only for stage `full`; waits.
//! See:   ADR 022, docs/guide/inflow.md.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anlauf_model::{CellId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::judge::{Again, No};
use crate::limits::{
    AGAIN_BUSY_SECONDS, AGAIN_FAR_SECONDS, AGAIN_NEAR_SECONDS, AGAIN_SHARE_SECONDS, INSIDE_MS,
    NEAR_COUNT,
};

pub(crate) mod keep;
mod line;
mod place;

use line::{Claim, Line, Standing};
pub(crate) use place::{Key, PLACE};
use place::{LOT_COUNT, Place};

/// How fast a cell fills. What is none is not limited.
///
/// No authority: whatever it says, nobody passes whom the stage does not let pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inflow {
    /// Percent of the clients that are let in at all, always the same ones; up to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_percent: Option<u8>,
    /// Clients a minute that come in; at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per_minute: Option<u32>,
    /// Requests under way at once; at least 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_max: Option<u32>,
}

impl Inflow {
    /// What is wrong with it.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        if self.share_percent.is_some_and(|share| share > 100) {
            return Some("share_percent is more than 100");
        }
        if self.rate_per_minute == Some(0) || self.concurrent_max == Some(0) {
            return Some("a rate or number of 0 lets nobody in; close the cell instead");
        }
        None
    }

    /// Whether it limits anything.
    pub(crate) fn is_set(&self) -> bool {
        self.share_percent.is_some_and(|share| share < 100)
            || self.rate_per_minute.is_some()
            || self.concurrent_max.is_some()
    }
}

/// How fast one cell fills, and who waits for it.
pub(crate) struct Flow {
    inner: Mutex<Inner>,
    /// Clients that came in, that were given a page with their place, that are outside of the
    /// share, and that found every slot taken.
    pub(crate) counts: [(&'static str, AtomicU64); 4],
}

struct Inner {
    inflow: Inflow,
    line: Line,
}

/// One of the requests that may be under way at once. Dropping it makes room.
pub(crate) struct Slot(Arc<Flow>);

/// Who asks to come in.
pub(crate) struct Comer<'a> {
    pub(crate) key: &'a Key,
    /// What it carries, as sent.
    pub(crate) carried: Option<&'a str>,
    /// Whether its next request may be made for it by its browser.
    pub(crate) reloads: bool,
    /// Whether it speaks TLS.
    pub(crate) is_tls: bool,
}

/// What became of it.
pub(crate) struct Answer {
    pub(crate) verdict: Result<Slot, No>,
    /// What it is to carry from here on, if that changes.
    pub(crate) carry: Option<Box<Carry>>,
}

/// What a client is to carry.
#[derive(Clone, Debug)]
pub(crate) struct Carry {
    /// The value alone, for programs.
    pub(crate) value: String,
    /// The line for browsers.
    pub(crate) cookie: String,
}

/// How a flow stands, for operators.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct FlowReport {
    pub(crate) cell: CellId,
    #[serde(flatten)]
    pub(crate) inflow: Inflow,
    pub(crate) in_flight: u32,
    pub(crate) waiting: u64,
}

// === impl Flow ===

impl Flow {
    pub(crate) fn new(now: Timestamp) -> Arc<Self> {
        let names = ["in", "waits", "outside", "busy"];
        Arc::new(Self {
            inner: Mutex::new(Inner {
                inflow: Inflow::default(),
                line: Line::new(now.0),
            }),
            counts: names.map(|name| (name, AtomicU64::new(0))),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn inflow(&self) -> Inflow {
        self.inner().inflow
    }

    pub(crate) fn set(&self, inflow: Inflow) {
        self.inner().inflow = inflow;
    }

    /// Sends everybody home: the cell is shut.
    pub(crate) fn clear(&self) {
        self.inner().line.clear();
    }

    /// How it stands.
    pub(crate) fn report(&self, cell: &CellId) -> FlowReport {
        let inner = self.inner();
        FlowReport {
            cell: cell.clone(),
            inflow: inner.inflow,
            in_flight: inner.line.in_flight(),
            waiting: inner.line.waiting(),
        }
    }

    fn count(&self, index: usize) {
        if let Some((_, count)) = self.counts.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Asks to come in. `cell` is its id, `path` where it lies.
    pub(crate) fn ask(
        self: &Arc<Self>,
        (cell, path): (&str, &str),
        comer: &Comer<'_>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Answer {
        let carried = comer.carried.and_then(|text| comer.key.open(cell, text));
        let mut next = carried.unwrap_or_else(|| Place {
            lot: comer.key.lot(cell, client),
            line: 0,
            number: 0,
            inside_at: 0,
        });
        let verdict = self.judge(&mut next, carried.is_some(), comer.reloads, now);
        let carry = (carried != Some(next)).then(|| {
            let value = comer.key.seal(cell, &next);
            let cookie = place::cookie(&value, path, comer.is_tls);
            Box::new(Carry { value, cookie })
        });
        Answer { verdict, carry }
    }

    fn judge(
        self: &Arc<Self>,
        place: &mut Place,
        is_back: bool,
        reloads: bool,
        now: Timestamp,
    ) -> Result<Slot, No> {
        let again = |seconds| Again { seconds, reloads };
        let mut inner = self.inner();
        let Inner { inflow, line } = &mut *inner;
        let share = u16::from(inflow.share_percent.unwrap_or(100));
        if place.lot >= share * (LOT_COUNT / 100) {
            self.count(2);
            return Err(No::Outside(again(AGAIN_SHARE_SECONDS)));
        }
        let inside_ms = now.0 - place.inside_at;
        let is_inside = place.inside_at > 0 && line.holds(place.inside_at) && inside_ms < INSIDE_MS;
        let claim = match is_inside {
            true => Claim::Inside,
            false if !is_back => Claim::New,
            false if place.number > 0 && place.line == line.begun() => Claim::Place(place.number),
            false => Claim::Back,
        };
        let standing = line.ask(claim, inflow, now.0);
        match standing {
            Standing::In { is_first } | Standing::Busy { is_first } => {
                if is_first || inside_ms > INSIDE_MS / 2 {
                    place.inside_at = now.0;
                }
                (place.line, place.number) = (0, 0);
            }
            Standing::Waits { place: number, .. } => {
                place.inside_at = 0;
                place.number = number.unwrap_or(0);
                place.line = number.map_or(0, |_| line.begun());
            }
        }
        drop(inner);
        match standing {
            Standing::In { .. } => {
                self.count(0);
                Ok(Slot(Arc::clone(self)))
            }
            Standing::Busy { .. } => {
                self.count(3);
                Err(No::Busy(again(AGAIN_BUSY_SECONDS)))
            }
            Standing::Waits { before, place } => {
                self.count(1);
                let seconds = match before < NEAR_COUNT || place.is_none() {
                    true => AGAIN_NEAR_SECONDS,
                    false => AGAIN_FAR_SECONDS,
                };
                Err(No::Waits(again(seconds), before))
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.inner().line.leave();
    }
}

#[cfg(test)]
mod tests;
