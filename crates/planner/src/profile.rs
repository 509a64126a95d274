//! How many lanes of a crew are busy, minute of work by minute of work.
//!
//! In:    pieces of work. Out: the first place where one more fits.
//! Never: more pieces side by side than there are lanes, except what was running already.

use crate::calendar::Work;

/// Busy lanes over the minutes of work of a crew.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    lanes: u32,
    /// From this minute on so many lanes are busy; neighbours differ; the last is 0.
    steps: Vec<(Work, u32)>,
}

impl Profile {
    /// All lanes free.
    pub fn new(lanes: u32) -> Self {
        Self {
            lanes,
            steps: vec![(0, 0)],
        }
    }

    /// The first minute at or after `from` at which one lane is free for `work` minutes.
    pub fn earliest(&self, from: Work, work: Work) -> Work {
        let mut at = self
            .steps
            .partition_point(|step| step.0 <= from)
            .saturating_sub(1);
        let mut begin = from;
        loop {
            if self.steps[at].1 >= self.lanes {
                // The last step is free, so there is always a next one.
                at += 1;
                begin = self.steps[at].0;
                continue;
            }
            match self.steps.get(at + 1) {
                Some(next) if next.0 < begin + work => at += 1,
                _ => return begin,
            }
        }
    }

    /// Takes one lane for the minutes from `from` to `to`.
    pub fn take(&mut self, from: Work, to: Work) {
        let first = self.split(from);
        let last = self.split(to);
        for step in &mut self.steps[first..last] {
            step.1 += 1;
        }
        self.join(last);
        self.join(first);
    }

    /// Makes `at` the beginning of a step; says which.
    fn split(&mut self, at: Work) -> usize {
        let after = self.steps.partition_point(|step| step.0 < at);
        if self.steps.get(after).is_none_or(|step| step.0 != at) {
            let busy = self.steps[after.saturating_sub(1)].1;
            self.steps.insert(after, (at, busy));
        }
        after
    }

    /// Drops the step when it says the same as the one before.
    fn join(&mut self, at: usize) {
        if at > 0 && self.steps[at].1 == self.steps[at - 1].1 {
            self.steps.remove(at);
        }
    }
}
