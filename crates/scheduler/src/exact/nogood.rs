//! What the search has learned: sets of literals that cannot all hold.
//!
//! In:    nogoods, events. Out: literals that must not hold, conflicts.
//! Never: forgets one that is the reason of a bound (it forgets at the root only).

use super::trail::{Conflict, Event, Literal, Reason, Trail};

/// Nogoods kept beside the short ones before the first cleaning.
const KEPT_FIRST: usize = 6_000;

/// Growth of that number with every cleaning.
const KEPT_MORE: usize = 500;

/// Nogoods over at most so many levels are kept for good.
const LEVELS_GOOD: u32 = 2;

struct Nogood {
    from: u32,
    count: u32,
    levels: u32,
    used: u32,
}

#[derive(Clone, Copy)]
struct Watch {
    value: i32,
    id: u32,
    other: Literal,
}

/// All nogoods, each watched at two literals that do not hold.
pub(super) struct Store {
    literals: Vec<Literal>,
    nogoods: Vec<Nogood>,
    watches: Vec<Vec<Watch>>,
    kept_max: usize,
}

impl Store {
    pub(super) fn new(sides: usize) -> Self {
        Self {
            literals: Vec::new(),
            nogoods: Vec::new(),
            watches: vec![Vec::new(); sides],
            kept_max: KEPT_FIRST,
        }
    }

    pub(super) fn literals(&self, id: u32) -> &[Literal] {
        let nogood = &self.nogoods[id as usize];
        &self.literals[nogood.from as usize..(nogood.from + nogood.count) as usize]
    }

    pub(super) fn note_use(&mut self, id: u32) {
        self.nogoods[id as usize].used += 1;
    }

    /// Whether it is time to clean.
    pub(super) fn is_full(&self) -> bool {
        self.nogoods.len() > self.kept_max
    }

    /// Keeps a nogood of two or more literals; the first two are watched.
    pub(super) fn add(&mut self, literals: &[Literal], levels: u32) -> u32 {
        let id = self.nogoods.len() as u32;
        self.nogoods.push(Nogood {
            from: self.literals.len() as u32,
            count: literals.len() as u32,
            levels,
            used: 0,
        });
        self.literals.extend_from_slice(literals);
        for (at, other) in [(0, 1), (1, 0)] {
            self.watches[literals[at].side as usize].push(Watch {
                value: literals[at].value,
                id,
                other: literals[other],
            });
        }
        id
    }

    /// Follows one event through all nogoods that watch it.
    ///
    /// # Errors
    /// A nogood all of whose literals hold.
    pub(super) fn follow(&mut self, event: Event, trail: &mut Trail) -> Result<(), Conflict> {
        let side = event.side as usize;
        let mut watches = std::mem::take(&mut self.watches[side]);
        let mut outcome = Ok(());
        let mut kept = 0;
        for at in 0..watches.len() {
            let watch = watches[at];
            let is_hit = watch.value > event.old && watch.value <= event.new;
            if outcome.is_err() || !is_hit || !self.visit(watch, event.side, trail, &mut outcome) {
                watches[kept] = watch;
                kept += 1;
            }
        }
        watches.truncate(kept);
        self.watches[side] = watches;
        outcome
    }

    /// One nogood whose watched literal holds. True when it is watched elsewhere.
    fn visit(
        &mut self,
        watch: Watch,
        side: u32,
        trail: &mut Trail,
        outcome: &mut Result<(), Conflict>,
    ) -> bool {
        if trail.holds(watch.other.negated()) {
            return false;
        }
        let nogood = &self.nogoods[watch.id as usize];
        let range = nogood.from as usize..(nogood.from + nogood.count) as usize;
        let literals = &mut self.literals[range];
        if literals[0].side == side && literals[0].value == watch.value {
            literals.swap(0, 1);
        }
        if trail.holds(literals[0].negated()) {
            return false;
        }
        let free = (2..literals.len()).find(|&i| !trail.holds(literals[i]));
        if let Some(free) = free {
            literals.swap(1, free);
            let moved = Watch {
                value: literals[1].value,
                id: watch.id,
                other: literals[0],
            };
            self.watches[literals[1].side as usize].push(moved);
            return true;
        }
        if trail.holds(literals[0]) {
            *outcome = Err(literals.to_vec());
            return false;
        }
        let result = trail.set(literals[0].negated(), Reason::Nogood(watch.id));
        debug_assert!(result.is_ok(), "neither it nor its opposite held");
        false
    }

    /// At the root: drops what is true anyway and the less useful half of what is over the limit.
    ///
    /// # Errors
    /// An empty conflict when some nogood holds at the root.
    pub(super) fn clean(&mut self, trail: &mut Trail) -> Result<(), Conflict> {
        let drop = self.is_full();
        if drop {
            self.kept_max += KEPT_MORE;
        }
        let mut limit = (u32::MAX, 0);
        if drop {
            let mut scores: Vec<_> = self.nogoods.iter().map(score).collect();
            let middle = scores.len() / 2;
            limit = *scores.select_nth_unstable(middle).1;
        }
        let old_literals = std::mem::take(&mut self.literals);
        let old = std::mem::take(&mut self.nogoods);
        self.watches.iter_mut().for_each(Vec::clear);
        for nogood in old {
            if drop && nogood.levels > LEVELS_GOOD && score(&nogood) > limit {
                continue;
            }
            let range = nogood.from as usize..(nogood.from + nogood.count) as usize;
            let mut literals = old_literals[range].to_vec();
            if literals.iter().any(|l| trail.holds_at_root(l.negated())) {
                continue;
            }
            literals.retain(|l| !trail.holds_at_root(*l));
            match literals.as_slice() {
                [] => return Err(Vec::new()),
                [single] => {
                    let set = trail.set(single.negated(), Reason::Decision);
                    set.map_err(|_| Vec::new())?;
                }
                more => {
                    let id = self.add(more, nogood.levels);
                    self.nogoods[id as usize].used = nogood.used / 2;
                }
            }
        }
        Ok(())
    }
}

/// Smaller is more useful.
fn score(nogood: &Nogood) -> (u32, u32) {
    (
        nogood.levels.saturating_sub(nogood.used.min(8)),
        nogood.count,
    )
}
