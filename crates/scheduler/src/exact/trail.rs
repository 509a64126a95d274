//! Bounds of start times, and how each came to be.
//!
//! In:    bounds with reasons. Out: bounds, events in the order they happened.
//! Never: loosens a bound except by going back.
//! See:   Ohrimenko, Stuckey, Codish, "Propagation via lazy clause generation", 2009.

/// One side of a variable: `2 v` says "start of v is at least", `2 v + 1` says "minus start of v
/// is at least". So that both sides are lower bounds and need one code.
pub(super) type Side = u32;

/// "The side is at least the value."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) side: Side,
    pub(super) value: i32,
}

impl Literal {
    /// `x >= value`.
    pub(super) fn at_least(variable: usize, value: i32) -> Self {
        Self {
            side: 2 * variable as u32,
            value,
        }
    }

    /// `x <= value`.
    pub(super) fn at_most(variable: usize, value: i32) -> Self {
        Self {
            side: 2 * variable as u32 + 1,
            value: -value,
        }
    }

    /// What holds exactly when this does not.
    pub(super) fn negated(self) -> Self {
        Self {
            side: self.side ^ 1,
            value: 1 - self.value,
        }
    }
}

/// Why a bound holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    /// The search tried it.
    Decision,
    /// Another side, this much less, implies it.
    Edge(Side, i32),
    /// All literals of a nogood but the first hold.
    Nogood(u32),
    /// These literals of the store of explanations hold: from, count.
    List(u32, u32),
}

/// One bound getting tighter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) side: Side,
    pub(super) old: i32,
    pub(super) new: i32,
    previous: u32,
    pub(super) reason: Reason,
}

/// No event.
const NONE: u32 = u32::MAX;

/// All bounds with their history since the root.
pub(super) struct Trail {
    pub(super) bound: Vec<i32>,
    pub(super) root: Vec<i32>,
    pub(super) events: Vec<Event>,
    last: Vec<u32>,
    levels: Vec<(u32, u32)>,
    pub(super) explanations: Vec<Literal>,
}

/// A set of literals that cannot all hold, yet do.
pub(super) type Conflict = Vec<Literal>;

impl Trail {
    /// Variables between the given bounds.
    pub(super) fn new(bounds: &[(i32, i32)]) -> Self {
        let bound: Vec<i32> = bounds.iter().flat_map(|&(lo, hi)| [lo, -hi]).collect();
        Self {
            root: bound.clone(),
            last: vec![NONE; bound.len()],
            bound,
            events: Vec::new(),
            levels: Vec::new(),
            explanations: Vec::new(),
        }
    }

    pub(super) fn least(&self, variable: usize) -> i32 {
        self.bound[2 * variable]
    }

    pub(super) fn most(&self, variable: usize) -> i32 {
        -self.bound[2 * variable + 1]
    }

    pub(super) fn is_fixed(&self, variable: usize) -> bool {
        self.bound[2 * variable] + self.bound[2 * variable + 1] == 0
    }

    pub(super) fn holds(&self, literal: Literal) -> bool {
        self.bound[literal.side as usize] >= literal.value
    }

    pub(super) fn holds_at_root(&self, literal: Literal) -> bool {
        self.root[literal.side as usize] >= literal.value
    }

    /// How many decisions hold.
    pub(super) fn level(&self) -> usize {
        self.levels.len()
    }

    /// Index of the first event of the newest decision.
    pub(super) fn level_start(&self) -> usize {
        self.levels.last().map_or(0, |level| level.0 as usize)
    }

    /// Index of the first event after `level` decisions; nothing when no more hold.
    pub(super) fn start_of(&self, level: usize) -> Option<usize> {
        self.levels.get(level).map(|at| at.0 as usize)
    }

    /// The level at which an event happened.
    pub(super) fn level_of(&self, event: usize) -> usize {
        self.levels
            .partition_point(|level| level.0 as usize <= event)
    }

    /// The event that made a literal hold which does not hold at the root.
    pub(super) fn event_of(&self, literal: Literal) -> usize {
        let mut at = self.last[literal.side as usize] as usize;
        while self.events[at].old >= literal.value {
            at = self.events[at].previous as usize;
        }
        at
    }

    /// Begins a level with a decision.
    pub(super) fn decide(&mut self, literal: Literal) {
        let at = (self.events.len() as u32, self.explanations.len() as u32);
        self.levels.push(at);
        self.push(literal, Reason::Decision);
    }

    /// Makes a literal hold.
    ///
    /// # Errors
    /// What cannot hold together, when its opposite holds already.
    pub(super) fn set(&mut self, literal: Literal, reason: Reason) -> Result<bool, Literal> {
        if self.holds(literal) {
            return Ok(false);
        }
        let opposite = literal.negated();
        if self.holds(opposite) {
            return Err(opposite);
        }
        self.push(literal, reason);
        Ok(true)
    }

    fn push(&mut self, literal: Literal, reason: Reason) {
        let side = literal.side as usize;
        self.events.push(Event {
            side: literal.side,
            old: self.bound[side],
            new: literal.value,
            previous: self.last[side],
            reason,
        });
        self.last[side] = self.events.len() as u32 - 1;
        self.bound[side] = literal.value;
    }

    /// Goes back until only `level` decisions hold.
    pub(super) fn back_to(&mut self, level: usize) {
        let Some(&(events, explanations)) = self.levels.get(level) else {
            return;
        };
        while self.events.len() > events as usize {
            if let Some(event) = self.events.pop() {
                self.bound[event.side as usize] = event.old;
                self.last[event.side as usize] = event.previous;
            }
        }
        self.explanations.truncate(explanations as usize);
        self.levels.truncate(level);
    }

    /// At level 0: what holds is so for good and needs no reason.
    pub(super) fn settle(&mut self) {
        debug_assert!(self.levels.is_empty(), "only the root is for good");
        for event in self.events.drain(..) {
            self.last[event.side as usize] = NONE;
            self.root[event.side as usize] = self.bound[event.side as usize];
        }
        self.explanations.clear();
    }

    /// The literals that made a literal hold, given the event that did.
    pub(super) fn reason_of<'a>(
        &'a self,
        event: &Event,
        value: i32,
        nogood: impl FnOnce(u32) -> &'a [Literal],
        out: &mut Vec<Literal>,
    ) {
        out.clear();
        match event.reason {
            Reason::Decision => {}
            Reason::Edge(side, gap) => out.push(Literal {
                side,
                value: value - gap,
            }),
            Reason::Nogood(id) => out.extend_from_slice(&nogood(id)[1..]),
            Reason::List(from, count) => {
                let range = from as usize..(from + count) as usize;
                out.extend_from_slice(&self.explanations[range]);
            }
        }
    }
}
