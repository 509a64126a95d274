//! Σ weight × start stays at or below a limit.
//!
//! In:    bounds, a limit. Out: latest starts. Never: loosens the limit.

use super::trail::{Conflict, Literal, Reason, Trail};

/// The weighted sum of starts.
pub(super) struct Sum {
    /// Variable and weight above 0.
    terms: Vec<(usize, i64)>,
    limit: i64,
}

impl Sum {
    pub(super) fn new(terms: Vec<(usize, i64)>) -> Self {
        Self {
            terms,
            limit: i64::MAX,
        }
    }

    /// From now on the sum is at most this.
    pub(super) fn limit_to(&mut self, limit: i64) {
        self.limit = self.limit.min(limit);
    }

    /// The variables it looks at.
    pub(super) fn variables(&self) -> impl Iterator<Item = usize> + '_ {
        self.terms.iter().map(|term| term.0)
    }

    /// The sum of the bounds at the root.
    pub(super) fn least_at_root(&self, trail: &Trail) -> i64 {
        let root =
            |&(variable, weight): &(usize, i64)| weight * i64::from(trail.root[2 * variable]);
        self.terms.iter().map(root).sum()
    }

    /// Tightens latest starts.
    ///
    /// # Errors
    /// Earliest starts whose sum is past the limit.
    pub(super) fn propagate(&self, trail: &mut Trail) -> Result<(), Conflict> {
        if self.limit == i64::MAX {
            return Ok(());
        }
        let least = |&(variable, weight): &(usize, i64)| weight * i64::from(trail.least(variable));
        let sum: i64 = self.terms.iter().map(least).sum();
        let spare = self.limit - sum;
        if spare < 0 {
            let mut conflict = Vec::new();
            self.explain(trail, None, -spare - 1, &mut conflict);
            return Err(conflict);
        }
        for &(variable, weight) in &self.terms {
            let room = spare / weight;
            let most = i64::from(trail.least(variable)) + room;
            if most < i64::from(trail.most(variable)) {
                // One more than `most` would be past the limit by so much.
                let excess = (room + 1) * weight - spare - 1;
                let from = trail.explanations.len();
                let mut reason = std::mem::take(&mut trail.explanations);
                self.explain(trail, Some(variable), excess, &mut reason);
                trail.explanations = reason;
                let count = trail.explanations.len() - from;
                let target = Literal::at_most(variable, most as i32);
                let set = trail.set(target, Reason::List(from as u32, count as u32));
                debug_assert!(set.is_ok(), "the new bound is not below the earliest start");
            }
        }
        Ok(())
    }

    /// Earliest starts without `but`, loosened by what the excess allows.
    fn explain(&self, trail: &Trail, but: Option<usize>, excess: i64, out: &mut Vec<Literal>) {
        let mut excess = excess;
        for &(variable, weight) in &self.terms {
            if Some(variable) == but {
                continue;
            }
            let (least, root) = (trail.least(variable), trail.root[2 * variable]);
            let looser = (excess / weight).min(i64::from(least - root));
            excess -= looser * weight;
            if i64::from(least - root) > looser {
                out.push(Literal::at_least(variable, least - looser as i32));
            }
        }
    }
}
