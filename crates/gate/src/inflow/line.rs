//! The waiting line of one cell: who may go in now, and who stands where.
//!
//! In:    what a client can prove of itself, the limits, `now`.
//! Out:   in, in but busy, or a place with how many stand before it.
//! Never: more requests in flight than allowed; a place given twice; memory per waiting client.
//! See:   ADR 022, docs/guide/inflow.md.
//!
//! Places are numbers: `issued` is the last one given out, `called` the last one that may come in.
//! Only places that were called and not yet taken are remembered, a bounded number of them. A
//! client gets a number when it comes back with a cookie, not before: whoever asks once and never
//! again takes nobody's turn.

use std::collections::VecDeque;

use super::Inflow;
use crate::limits::{CALL_COUNT_MAX, CALL_WAIT_MS};

/// A token is so many parts, so that milliseconds times a rate a minute need no fraction.
const TOKEN: u64 = 60_000;

/// The waiting line of one cell.
pub(crate) struct Line {
    /// Which line a place belongs to: when it was begun. Milliseconds.
    begun: i64,
    /// Whoever came in before came into a cell that was shut since. Milliseconds.
    valid_from: i64,
    in_flight: u32,
    /// Parts of tokens, see [`TOKEN`].
    tokens: u64,
    filled_at: i64,
    issued: u64,
    called: u64,
    /// The last places called, up to `called`; those at the front that are over are taken out.
    calls: VecDeque<Call>,
    /// How many of them nobody has taken.
    open_count: u32,
}

struct Call {
    at: i64,
    taken: bool,
}

/// What a client can prove of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// Nothing.
    New,
    /// That it was here before, and comes back.
    Back,
    /// A place in this line.
    Place(u64),
    /// That it was let in not long ago.
    Inside,
}

/// Where a client stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// It may go in, and holds a slot. Whether this is its way in.
    In { is_first: bool },
    /// It is in, but every slot is taken at this moment. Whether this is its way in.
    Busy { is_first: bool },
    /// It waits; the place, if it has one, and how many stand before it.
    Waits { place: Option<u64>, before: u64 },
}

impl Line {
    /// An empty line.
    pub(crate) fn new(now: i64) -> Self {
        Self {
            begun: now,
            valid_from: i64::MIN,
            in_flight: 0,
            tokens: TOKEN,
            filled_at: now,
            issued: 0,
            called: 0,
            calls: VecDeque::new(),
            open_count: 0,
        }
    }

    /// When it was begun: a place of another line is none.
    pub(crate) fn begun(&self) -> i64 {
        self.begun
    }

    /// Whether whoever came in then is still in.
    pub(crate) fn holds(&self, inside_at: i64) -> bool {
        inside_at >= self.valid_from
    }

    /// Requests under way.
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Places that were not called yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.issued - self.called
    }

    /// Sends everybody home; what is under way stays counted.
    pub(crate) fn clear(&mut self) {
        // Later than all that was said in this line: its places must not fit the next.
        let begun = self.filled_at.max(self.begun).saturating_add(1);
        let in_flight = self.in_flight;
        *self = Self {
            in_flight,
            valid_from: begun,
            ..Self::new(begun)
        };
    }

    /// Gives a slot back.
    pub(crate) fn leave(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Tells a client where it stands; who may go in has its slot then.
    pub(crate) fn ask(&mut self, claim: Claim, inflow: &Inflow, now: i64) -> Standing {
        self.call(inflow, now);
        match claim {
            Claim::Inside => self.slot(inflow, false),
            Claim::Place(place) if place > self.called && place <= self.issued => {
                self.waits(Some(place))
            }
            Claim::Place(place) if self.take(place) => self.slot(inflow, true),
            // A place that is over, of long ago or never given: back to the end.
            Claim::New | Claim::Back | Claim::Place(_) => self.come(claim, inflow),
        }
    }

    fn come(&mut self, claim: Claim, inflow: &Inflow) -> Standing {
        let max = inflow.concurrent_max.map_or(u64::MAX, u64::from);
        // Slots are left for those who were called.
        let has_slot = u64::from(self.in_flight) + u64::from(self.open_count) < max;
        if self.waiting() == 0 && has_slot && self.pay(inflow) {
            return self.slot(inflow, true);
        }
        if claim == Claim::New {
            return self.waits(None);
        }
        self.issued += 1;
        self.waits(Some(self.issued))
    }

    fn waits(&self, place: Option<u64>) -> Standing {
        let before = match place {
            Some(place) => place - self.called - 1,
            None => self.waiting(),
        };
        Standing::Waits { place, before }
    }

    fn slot(&mut self, inflow: &Inflow, is_first: bool) -> Standing {
        if inflow
            .concurrent_max
            .is_some_and(|max| self.in_flight >= max)
        {
            return Standing::Busy { is_first };
        }
        self.in_flight += 1;
        Standing::In { is_first }
    }

    /// Takes a place that was called, once.
    fn take(&mut self, place: u64) -> bool {
        let first = self.called - self.calls.len() as u64 + 1;
        let index = place
            .checked_sub(first)
            .and_then(|i| usize::try_from(i).ok());
        let call = index.and_then(|index| self.calls.get_mut(index));
        match call {
            Some(call) if !call.taken => {
                call.taken = true;
                self.open_count -= 1;
                true
            }
            _ => false,
        }
    }

    /// Calls who may come in by now; calls that nobody has followed are over.
    fn call(&mut self, inflow: &Inflow, now: i64) {
        self.fill(inflow, now);
        while let Some(call) = self.calls.front() {
            if !call.taken {
                if now - call.at < CALL_WAIT_MS {
                    break;
                }
                self.open_count -= 1;
                // Nobody came in for it.
                self.tokens = (self.tokens + TOKEN).min(most(inflow));
            }
            self.calls.pop_front();
        }
        let max = inflow.concurrent_max.unwrap_or(u32::MAX);
        while self.waiting() > 0
            && self.calls.len() < CALL_COUNT_MAX
            && self.in_flight < max
            && self.open_count < max
            && self.pay(inflow)
        {
            self.called += 1;
            self.open_count += 1;
            self.calls.push_back(Call {
                at: now,
                taken: false,
            });
        }
    }

    fn fill(&mut self, inflow: &Inflow, now: i64) {
        let passed = u64::try_from(now - self.filled_at).unwrap_or(0);
        self.filled_at = self.filled_at.max(now);
        let rate = u64::from(inflow.rate_per_minute.unwrap_or(0));
        let fresh = passed.saturating_mul(rate);
        self.tokens = self.tokens.saturating_add(fresh).min(most(inflow));
    }

    /// Takes a token, if people come in at a rate.
    fn pay(&mut self, inflow: &Inflow) -> bool {
        if inflow.rate_per_minute.is_none() {
            return true;
        }
        match self.tokens.checked_sub(TOKEN) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

/// Most that is saved up: what comes in a second, and never less than one client.
fn most(inflow: &Inflow) -> u64 {
    let rate = u64::from(inflow.rate_per_minute.unwrap_or(0));
    TOKEN * rate.div_ceil(60).max(1)
}

#[cfg(test)]
mod tests;
