//! The book of clerks: what they decided, what had to wait, what it came to.
//!
//! In:    decisions as the service answered them. Out: [`Desk`] per insurer and service.
//! Never: an order for a card that nobody decided on goes unseen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::book::{Book, Kind, Place};

/// A clerk's yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Yes.
    Approved,
    /// No, with a reason.
    Rejected,
}

/// One insurer's desk of one service.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Desk {
    /// Decisions that stand, by the number of the photo or application.
    pub decided: BTreeMap<i64, Decision>,
    /// Decided on, and no answer came: done or not.
    pub unheard: BTreeSet<i64>,
    /// What had to wait because the service was in emergency operation: photos by their number,
    /// applications, which stayed with their people, by theirs.
    pub waited: BTreeSet<i64>,
    /// Decisions that the backup did not have: they are made again.
    pub undone: u64,
    /// Orders for cards that were found at the end.
    pub orders: u64,
    /// Still undecided at the end.
    pub left: u64,
    /// What is not as it was decided at the end.
    pub wrong: u64,
}

/// The desk in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Sum {
    /// Approved.
    pub approved: u64,
    /// Rejected with a reason.
    pub rejected: u64,
    /// Orders for cards.
    pub orders: u64,
    /// Waited for the end of emergency operation.
    pub waited: u64,
    /// Not in the backup, and made again.
    pub undone: u64,
    /// Undecided at the end.
    pub left: u64,
    /// Not as decided at the end.
    pub wrong: u64,
}

impl Desk {
    fn count(&self, wanted: Decision) -> u64 {
        let all = self.decided.values();
        all.filter(|decision| **decision == wanted).count() as u64
    }
}

impl Book {
    /// The desk of one insurer's service.
    pub fn desk(&mut self, place: &Place) -> &mut Desk {
        self.desks.entry(place.clone()).or_default()
    }

    /// All insurers' desks of one service.
    pub fn desk_sum(&self, kind: Kind) -> Sum {
        let desks = self.desks.iter().filter(|((_, own), _)| *own == kind);
        desks.fold(Sum::default(), |sum, (_, desk)| Sum {
            approved: sum.approved + desk.count(Decision::Approved),
            rejected: sum.rejected + desk.count(Decision::Rejected),
            orders: sum.orders + desk.orders,
            waited: sum.waited + desk.waited.len() as u64,
            undone: sum.undone + desk.undone,
            left: sum.left + desk.left,
            wrong: sum.wrong + desk.wrong,
        })
    }

    /// What must hold at the end of clerks' work; each violation in words.
    pub fn desk_violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for kind in [Kind::Photo, Kind::Branch] {
            let (sum, service) = (self.desk_sum(kind), kind.service());
            if sum.approved == 0 || sum.rejected == 0 {
                violations.push(format!("clerks: nobody said yes and no at `{service}`"));
            }
            if sum.left > 0 {
                violations.push(format!("clerks: {} still wait at `{service}`", sum.left));
            }
            if sum.wrong > 0 {
                violations.push(format!(
                    "clerks: {} are not as they were decided at `{service}`",
                    sum.wrong
                ));
            }
        }
        violations
    }
}
