//! Which lanes of a team are free in which hour.
//!
//! In:    a [`Team`]. Out: the first stretch that is free; stretches taken and given back.
//! Never: looks at hours one by one when a word of 64 says it at once.

use super::team::{Hour, Team, WEEK};

/// Free lanes of one team from the plan's first hour on, as far as anybody has looked.
#[derive(Clone, Default, Debug)]
pub(super) struct Timeline {
    free: Vec<u8>,
    /// One bit for each hour: whether a lane is free.
    open: Vec<u64>,
    /// No hour of the words before this one is open.
    solid: usize,
}

impl Timeline {
    /// First hour from which on a lane is free for so many hours.
    ///
    /// Ends: the team's week has a stretch of that length, which the problem has checked, and
    /// behind everything taken nobody takes it.
    pub fn first(&mut self, team: &Team, from: Hour, hours: u32) -> Hour {
        let mut start = self.next(team, (from as usize).max(self.solid * 64));
        loop {
            let end = self.stretch(team, start, start + hours as usize);
            if end >= start + hours as usize {
                return start as Hour;
            }
            start = self.next(team, end);
        }
    }

    /// Takes a lane.
    #[inline]
    pub fn take(&mut self, team: &Team, from: Hour, hours: u32) {
        let (from, to) = (from as usize, (from + hours) as usize);
        self.reach(team, to);
        for free in &mut self.free[from..to] {
            // What already runs may lie over hours without a lane.
            *free = free.saturating_sub(1);
        }
        for (word, hours) in words(from, to) {
            let full = full(&self.free[hours.clone()]) << (hours.start % 64);
            self.open[word] &= !full;
        }
        while self.open.get(self.solid) == Some(&0) {
            self.solid += 1;
        }
    }

    /// Gives a lane back that was taken.
    #[inline]
    pub fn give(&mut self, from: Hour, hours: u32) {
        let (from, to) = (from as usize, (from + hours) as usize);
        self.solid = self.solid.min(from / 64);
        for free in &mut self.free[from..to] {
            *free += 1;
        }
        for (word, hours) in words(from, to) {
            self.open[word] |= u64::MAX >> (64 - hours.len()) << (hours.start % 64);
        }
    }

    /// First hour at or after `from` that is open.
    #[inline]
    fn next(&mut self, team: &Team, from: usize) -> usize {
        let mut word = from / 64;
        let mut mask = u64::MAX << (from % 64);
        loop {
            if word >= self.open.len() {
                self.reach(team, (word + 1) * 64);
            }
            let found = self.open[word] & mask;
            if found != 0 {
                return word * 64 + found.trailing_zeros() as usize;
            }
            word += 1;
            mask = u64::MAX;
        }
    }

    /// First hour of `from..to` that is not open; `to` when all are.
    #[inline]
    fn stretch(&mut self, team: &Team, from: usize, to: usize) -> usize {
        self.reach(team, to);
        let mut word = from / 64;
        let mut mask = u64::MAX << (from % 64);
        while word * 64 < to {
            let found = !self.open[word] & mask;
            if found != 0 {
                return (word * 64 + found.trailing_zeros() as usize).min(to);
            }
            word += 1;
            mask = u64::MAX;
        }
        to
    }

    /// Lays out hours until `to` at the least.
    fn reach(&mut self, team: &Team, to: usize) {
        if to <= self.free.len() {
            return;
        }
        let from = self.free.len();
        let to = to.max(from + from / 2).next_multiple_of(64);
        let changed = team.changed_to() as usize;
        let lanes = |hour: usize| {
            if hour < changed {
                team.lanes(hour as Hour)
            } else {
                team.week[hour % WEEK]
            }
        };
        self.free.extend((from..to).map(lanes));
        let word = |hours: &[u8]| {
            let bits = hours.iter().enumerate();
            bits.fold(0, |word, (bit, free)| word | u64::from(*free > 0) << bit)
        };
        self.open.extend(self.free[from..].chunks(64).map(word));
    }
}

/// The words that some hours lie in, each with those of its hours.
fn words(from: usize, to: usize) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    let word = move |word: usize| (word, from.max(word * 64)..to.min(word * 64 + 64));
    (from / 64..to.div_ceil(64)).map(word)
}

/// A bit for each hour without a free lane.
#[inline]
fn full(hours: &[u8]) -> u64 {
    let least = hours.iter().fold(u8::MAX, |least, free| least.min(*free));
    if least > 0 {
        return 0;
    }
    let most = hours.iter().fold(0, |most, free| u8::max(most, *free));
    if most == 0 {
        return u64::MAX >> (64 - hours.len());
    }
    let bits = hours.iter().enumerate();
    bits.fold(0, |word, (bit, free)| word | u64::from(*free == 0) << bit)
}
