//! The search: try, follow, learn from the conflict, go back, until nothing is left to try.
//!
//! In:    a model, a strategy, a limit from outside, a budget of steps.
//! Out:   better starts, or the proof that there are none; a lower bound at any time.
//! Never: reads a clock; ends with a proof that rests on anything but the model and the limit.
//! See:   ADR 013; Schutt, Feydy, Stuckey, Wallace, "Solving RCPSP/max by lazy clause
//!        generation", 2013.

use super::branch::Branch;
use super::cumulative::Cumulative;
use super::model::{Goal, Model, ModelError};
use super::nogood::Store;
use super::sum::Sum;
use super::trail::{Conflict, Literal, Reason, Side, Trail};

/// Conflicts of the shortest run between two restarts.
const RESTART_UNIT: u64 = 100;

/// Which end of the gap the search works at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Looks for something better than the best known; ends when there is nothing.
    FromAbove,
    /// Refutes one value after the other from the lower bound on (makespan only; for weighted
    /// completion the same as [`Strategy::FromAbove`] with another order of trying).
    FromBelow,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The budget is used up; run again to go on.
    Paused,
    /// Better starts are in [`Solver::best`]; run again to go on.
    Improved,
    /// Nothing is better than [`Solver::best`] and than the limits given.
    Proven,
}

/// A search that can be paused at any step.
pub struct Solver {
    model: Model,
    strategy: Strategy,
    trail: Trail,
    edges: Vec<Vec<(Side, i32)>>,
    store: Store,
    cumulatives: Vec<Cumulative>,
    /// Per variable: resources, and the sum as one past the last.
    watchers: Vec<Vec<u32>>,
    is_queued: Vec<bool>,
    queue: Vec<u32>,
    sum: Sum,
    sum_constant: i64,
    next: usize,
    branch: Branch,
    hint: Vec<i32>,
    best: Option<(Vec<i32>, i64)>,
    limit: i64,
    restarts: u64,
    conflicts_left: u64,
    is_done: bool,
    steps: u64,
    need: Vec<Need>,
    learned: Vec<Literal>,
}

/// What a conflict needs of one side: the value, the event that made it hold.
#[derive(Clone, Copy)]
struct Need {
    value: i32,
    event: u32,
}

const NO_NEED: Need = Need {
    value: i32::MIN,
    event: u32::MAX,
};

impl Solver {
    /// Prepares a search.
    ///
    /// # Errors
    /// [`ModelError`] when the model's parts do not fit together.
    pub fn new(model: Model, strategy: Strategy) -> Result<Self, ModelError> {
        model.check()?;
        let count = model.tasks.len();
        let last = model.tasks.iter().map(|t| t.deadline).max().unwrap_or(0);
        let starts = model
            .tasks
            .iter()
            .map(|t| (t.release, t.deadline - t.duration));
        let bounds: Vec<_> = starts.chain([(0, last)]).collect();
        let is_empty = bounds.iter().any(|&(least, most)| least > most);
        let terms = weighted_terms(&model);
        let ends = model.tasks.iter().map(|t| t.weight * i64::from(t.duration));
        let mut solver = Self {
            strategy,
            trail: Trail::new(&bounds),
            edges: edges(&model),
            store: Store::new(2 * (count + 1)),
            cumulatives: cumulatives(&model),
            watchers: vec![Vec::new(); count + 1],
            is_queued: Vec::new(),
            queue: Vec::new(),
            sum: Sum::new(terms),
            sum_constant: ends.sum(),
            next: 0,
            branch: Branch::new(count + 1),
            hint: Vec::new(),
            best: None,
            limit: i64::MAX,
            restarts: 0,
            conflicts_left: RESTART_UNIT,
            is_done: is_empty,
            steps: 0,
            need: vec![NO_NEED; 2 * (count + 1)],
            learned: Vec::new(),
            model,
        };
        solver.watch();
        solver.begin();
        Ok(solver)
    }

    /// The best starts found by this search, with the goal's value.
    pub fn best(&self) -> Option<(&[i32], i64)> {
        self.best
            .as_ref()
            .map(|(starts, value)| (starts.as_slice(), *value))
    }

    /// Steps taken so far: bounds that moved, and tasks that were looked at.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// No schedule's value is below this. After [`Status::Proven`], it is the best there is, or the
    /// limit that nothing is below; `i64::MAX` when there is no schedule at all.
    pub fn lower_bound(&self) -> i64 {
        if self.is_done {
            return self.limit;
        }
        match self.model.goal {
            Goal::Makespan => self.trail.root[2 * self.model.tasks.len()].into(),
            Goal::WeightedCompletion => self.sum.least_at_root(&self.trail) + self.sum_constant,
        }
    }

    /// From now on only values below this are of interest.
    pub fn look_below(&mut self, value: i64) {
        if value >= self.limit {
            return;
        }
        self.limit = value;
        self.go_back(0);
        match self.model.goal {
            Goal::Makespan => {
                let most = (value - 1).clamp(-1, i64::from(i32::MAX)) as i32;
                let makespan = Literal::at_most(self.model.tasks.len(), most);
                self.set_at_root(makespan);
            }
            Goal::WeightedCompletion => {
                self.sum.limit_to(value - 1 - self.sum_constant);
                self.enqueue(self.cumulatives.len() as u32);
            }
        }
    }

    /// No value is below this, as somebody else has proved.
    pub fn believe_at_least(&mut self, value: i64) {
        if self.model.goal == Goal::Makespan && value > self.lower_bound() && !self.is_done {
            self.go_back(0);
            let least = value.clamp(0, i64::from(i32::MAX)) as i32;
            self.set_at_root(Literal::at_least(self.model.tasks.len(), least));
        }
    }

    /// Starts near which to look first: a known schedule, for example.
    pub fn hint(&mut self, starts: &[i32]) {
        self.hint.clear();
        self.hint.extend_from_slice(starts);
    }

    /// Searches for at most so many steps, or until `is_over` says so.
    pub fn run(&mut self, steps: u64, is_over: &dyn Fn() -> bool) -> Status {
        let until = self.steps + steps;
        let mut turns = 0_u32;
        while !self.is_done {
            turns += 1;
            if self.steps >= until || (turns.is_multiple_of(64) && is_over()) {
                return Status::Paused;
            }
            match self.propagate() {
                Err(conflict) => self.learn(conflict),
                Ok(()) if self.conflicts_left == 0 => self.restart(),
                Ok(()) => {
                    self.settle();
                    if !self.decide() {
                        self.keep();
                        return Status::Improved;
                    }
                }
            }
        }
        Status::Proven
    }

    fn watch(&mut self) {
        for (index, cumulative) in self.cumulatives.iter().enumerate() {
            for variable in cumulative.variables() {
                self.watchers[variable].push(index as u32);
            }
        }
        let sum = self.cumulatives.len() as u32;
        for variable in self.sum.variables() {
            self.watchers[variable].push(sum);
        }
        self.is_queued = vec![false; self.cumulatives.len() + 1];
    }

    /// At the very start nothing has moved yet: every edge and resource looks once.
    fn begin(&mut self) {
        if self.is_done {
            return;
        }
        for side in 0..self.edges.len() {
            let at = self.trail.bound[side];
            for edge in 0..self.edges[side].len() {
                let (other, gap) = self.edges[side][edge];
                let value = at + gap;
                self.set_at_root(Literal { side: other, value });
            }
        }
        for resource in 0..=self.cumulatives.len() {
            self.enqueue(resource as u32);
        }
    }

    fn set_at_root(&mut self, literal: Literal) {
        if self.trail.set(literal, Reason::Decision).is_err() {
            self.is_done = true;
        }
    }

    /// Makes what holds at the root hold for good.
    fn settle(&mut self) {
        if self.trail.level() == 0 {
            self.trail.settle();
            self.next = 0;
        }
    }

    fn enqueue(&mut self, propagator: u32) {
        if !self.is_queued[propagator as usize] {
            self.is_queued[propagator as usize] = true;
            self.queue.push(propagator);
        }
    }

    fn propagate(&mut self) -> Result<(), Conflict> {
        let result = self.propagate_all();
        if result.is_err() {
            for propagator in self.queue.drain(..) {
                self.is_queued[propagator as usize] = false;
            }
        }
        result
    }

    fn propagate_all(&mut self) -> Result<(), Conflict> {
        loop {
            while self.next < self.trail.events.len() {
                let event = self.trail.events[self.next];
                self.next += 1;
                self.steps += 1;
                let (variable, side) = (event.side as usize / 2, event.side as usize);
                for at in 0..self.watchers[variable].len() {
                    self.enqueue(self.watchers[variable][at]);
                }
                for &(other, gap) in &self.edges[side] {
                    let value = event.new + gap;
                    let literal = Literal { side: other, value };
                    let set = self.trail.set(literal, Reason::Edge(event.side, gap));
                    set.map_err(|opposite| {
                        let (side, value) = (event.side, event.new);
                        vec![Literal { side, value }, opposite]
                    })?;
                }
                self.store.follow(event, &mut self.trail)?;
            }
            let Some(propagator) = self.queue.pop() else {
                return Ok(());
            };
            self.is_queued[propagator as usize] = false;
            match self.cumulatives.get_mut(propagator as usize) {
                Some(cumulative) => {
                    self.steps += cumulative.effort();
                    cumulative.propagate(&mut self.trail)?;
                }
                None => self.sum.propagate(&mut self.trail)?,
            }
        }
    }

    /// Tries something. False when nothing is open.
    fn decide(&mut self) -> bool {
        let makespan = self.model.tasks.len();
        let is_below = self.strategy == Strategy::FromBelow;
        if is_below && self.model.goal == Goal::Makespan && !self.trail.is_fixed(makespan) {
            let least = self.trail.least(makespan);
            self.trail.decide(Literal::at_most(makespan, least));
            return true;
        }
        if self.restarts % 2 == u64::from(is_below) {
            self.decide_earliest()
        } else {
            self.decide_active()
        }
    }

    fn decide_earliest(&mut self) -> bool {
        let open = (0..self.model.tasks.len()).filter(|&v| !self.trail.is_fixed(v));
        let first = open.min_by_key(|&v| (self.trail.least(v), self.trail.most(v)));
        let variable = match first {
            Some(variable) => variable,
            None if self.trail.is_fixed(self.model.tasks.len()) => return false,
            None => self.model.tasks.len(),
        };
        let least = self.trail.least(variable);
        self.trail.decide(Literal::at_most(variable, least));
        true
    }

    fn decide_active(&mut self) -> bool {
        while let Some(variable) = self.branch.take() {
            if self.trail.is_fixed(variable) {
                continue;
            }
            let (least, most) = (self.trail.least(variable), self.trail.most(variable));
            let wish = self
                .hint
                .get(variable)
                .map_or(least, |&h| h.clamp(least, most));
            let literal = if wish < most {
                Literal::at_most(variable, wish)
            } else {
                Literal::at_least(variable, wish)
            };
            self.trail.decide(literal);
            self.branch.put(variable);
            return true;
        }
        false
    }

    /// Everything is fixed: keeps it and asks for better from now on.
    fn keep(&mut self) {
        let count = self.model.tasks.len();
        let starts: Vec<i32> = (0..count).map(|v| self.trail.least(v)).collect();
        let value = self.model.value(&starts);
        self.hint(&starts);
        self.best = Some((starts, value));
        self.go_back(0);
        self.look_below(value);
    }

    fn go_back(&mut self, level: usize) {
        let Some(start) = self.trail.start_of(level) else {
            return;
        };
        for at in start..self.trail.events.len() {
            self.branch.put(self.trail.events[at].side as usize / 2);
        }
        self.trail.back_to(level);
        self.next = self.next.min(self.trail.events.len());
    }

    fn restart(&mut self) {
        self.restarts += 1;
        self.conflicts_left = RESTART_UNIT * luby(self.restarts);
        self.go_back(0);
        if self.store.is_full() && self.store.clean(&mut self.trail).is_err() {
            self.is_done = true;
        }
    }

    /// Finds why the conflict came about at the newest level, keeps it, goes back to where it says
    /// something new.
    fn learn(&mut self, conflict: Conflict) {
        self.conflicts_left = self.conflicts_left.saturating_sub(1);
        self.steps += conflict.len() as u64;
        let events = conflict.iter().filter(|&&l| !self.trail.holds_at_root(l));
        let newest = events
            .map(|&l| self.trail.level_of(self.trail.event_of(l)))
            .max();
        let newest = newest.unwrap_or(0);
        if newest == 0 {
            self.is_done = true;
            return;
        }
        self.go_back(newest);
        self.analyse(conflict);
        let learned = std::mem::take(&mut self.learned);
        let mut levels: Vec<usize> = learned
            .iter()
            .map(|&literal| self.trail.level_of(self.trail.event_of(literal)))
            .collect();
        let back = levels.get(1).copied().unwrap_or(0);
        levels.sort_unstable();
        levels.dedup();
        self.go_back(back);
        if let [single] = learned.as_slice() {
            self.set_at_root(single.negated());
        } else {
            let id = self.store.add(&learned, levels.len() as u32);
            let set = self.trail.set(learned[0].negated(), Reason::Nogood(id));
            debug_assert!(set.is_ok(), "the first literal no longer holds");
        }
        self.learned = learned;
        self.branch.decay();
    }

    /// Fills `learned`: the one literal of the newest level first, then the next newest.
    fn analyse(&mut self, conflict: Conflict) {
        let start = self.trail.level_start();
        let mut open = 0;
        let mut touched: Vec<Side> = Vec::new();
        let mut literals = conflict;
        let mut at = self.trail.events.len();
        loop {
            for &literal in &literals {
                open += self.require(literal, start, &mut touched);
            }
            self.steps += literals.len() as u64;
            // The newest event that the conflict needs.
            let event = loop {
                at -= 1;
                let event = self.trail.events[at];
                if self.need[event.side as usize].event as usize == at {
                    break event;
                }
            };
            if open == 1 {
                break;
            }
            let value = self.need[event.side as usize].value;
            self.need[event.side as usize] = NO_NEED;
            open -= 1;
            if let Reason::Nogood(id) = event.reason {
                self.store.note_use(id);
            }
            let store = &self.store;
            self.trail
                .reason_of(&event, value, |id| store.literals(id), &mut literals);
        }
        self.collect(&touched, at);
        for side in touched {
            self.need[side as usize] = NO_NEED;
        }
    }

    /// Notes that the conflict needs a literal. Returns how many more of the newest level it has.
    fn require(&mut self, literal: Literal, start: usize, touched: &mut Vec<Side>) -> isize {
        let need = self.need[literal.side as usize];
        if self.trail.holds_at_root(literal) || need.value >= literal.value {
            return 0;
        }
        let event = self.trail.event_of(literal);
        self.need[literal.side as usize] = Need {
            value: literal.value,
            event: event as u32,
        };
        touched.push(literal.side);
        self.branch.bump(literal.side as usize / 2);
        let was_new = need.event != u32::MAX && need.event as usize >= start;
        isize::from(event >= start) - isize::from(was_new)
    }

    fn collect(&mut self, touched: &[Side], first: usize) {
        let mut found: Vec<(usize, Literal)> = Vec::new();
        for &side in touched {
            let need = self.need[side as usize];
            let value = need.value;
            if need.event != u32::MAX && need.event as usize != first {
                found.push((need.event as usize, Literal { side, value }));
            }
        }
        found.sort_unstable_by_key(|&(event, literal)| (usize::MAX - event, literal.side));
        found.dedup();
        found.retain(|&(event, literal)| !self.follows(event, literal));
        let side = self.trail.events[first].side;
        let value = self.need[side as usize].value;
        self.learned.clear();
        self.learned.push(Literal { side, value });
        self.learned
            .extend(found.iter().map(|&(_, literal)| literal));
    }

    /// Whether a literal follows from earlier ones that the conflict needs anyway.
    fn follows(&self, at: usize, literal: Literal) -> bool {
        let event = self.trail.events[at];
        if matches!(event.reason, Reason::Decision) {
            return false;
        }
        let mut reason = Vec::new();
        let nogood = |id| self.store.literals(id);
        self.trail
            .reason_of(&event, literal.value, nogood, &mut reason);
        reason.iter().all(|&literal| {
            let need = self.need[literal.side as usize];
            self.trail.holds_at_root(literal)
                || (need.value >= literal.value && (need.event as usize) < at)
        })
    }
}

fn weighted_terms(model: &Model) -> Vec<(usize, i64)> {
    if model.goal == Goal::Makespan {
        return Vec::new();
    }
    let weights = model.tasks.iter().map(|task| task.weight).enumerate();
    weights.filter(|term| term.1 > 0).collect()
}

/// Per side: the sides that follow it, with the least difference. The makespan is one past the
/// last task.
fn edges(model: &Model) -> Vec<Vec<(Side, i32)>> {
    let count = model.tasks.len();
    let mut edges = vec![Vec::new(); 2 * (count + 1)];
    let mut link = |before: usize, after: usize, gap: i32| {
        edges[2 * before].push((2 * after as u32, gap));
        edges[2 * after + 1].push((2 * before as u32 + 1, gap));
    };
    for p in &model.precedences {
        link(p.before, p.after, model.tasks[p.before].duration + p.gap);
    }
    let mut is_last = vec![true; count];
    model
        .precedences
        .iter()
        .for_each(|p| is_last[p.before] = false);
    for (index, task) in model.tasks.iter().enumerate() {
        if is_last[index] {
            link(index, count, task.duration);
        }
    }
    edges
}

fn cumulatives(model: &Model) -> Vec<Cumulative> {
    let one = |(resource, &capacity): (usize, &i32)| {
        let users = model.tasks.iter().enumerate().flat_map(|(index, task)| {
            let demands = task.demands.iter().filter(move |d| d.0 == resource);
            demands.map(move |d| (index, task.duration, d.1))
        });
        let busy = model.busy.iter().filter(|b| b.resource == resource);
        let busy: Vec<_> = busy.copied().collect();
        Cumulative::new(capacity, &users.collect::<Vec<_>>(), &busy)
    };
    model.capacities.iter().enumerate().map(one).collect()
}

/// 1 1 2 1 1 2 4 1 1 2 … (Luby, Sinclair, Zuckerman, 1993); the index begins at 1.
fn luby(index: u64) -> u64 {
    let mut index = index;
    loop {
        let power = (index + 1).ilog2();
        if index + 1 == 1 << power {
            return 1 << (power - 1);
        }
        index = index + 1 - (1 << power);
    }
}
