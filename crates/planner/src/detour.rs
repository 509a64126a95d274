//! Emergency operation: which of the ways to a cell's people are taken.
//!
//! In:    a [`Situation`]; a plan in force, or how hard to look.
//! Out:   [`Detours`]: the emergency operations in use, with all that only they need.
//! Never: gives up one that has begun; takes one for a cell that people reach already.
//! See:   docs/planner.md, "Emergency operation".

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::{Cell, CellId, Plan, ServiceId, Stage, TaskKind};

use crate::situation::Situation;
use crate::slots::{self, Taste};
use crate::weight::Weights;
use crate::{conflict, cost, deadline, order, rules};

use crate::network::Network;

/// Rules that each choice is tried with; the ones behind them are seldom the best.
const RULES_TRIED: usize = 3;

/// The cells of emergency operations in use.
#[derive(Clone, Debug)]
pub(crate) struct Detours<'a> {
    /// Each emergency operation of a cell that people do not reach yet, and that cell.
    ways: BTreeMap<&'a CellId, &'a Cell>,
    used: BTreeSet<&'a CellId>,
    /// Cells on which was decided before there was anything to return from.
    decided: BTreeSet<&'a CellId>,
    /// Stand beside, and nobody returns from them: for a bound over every choice.
    beside: BTreeSet<&'a CellId>,
}

impl<'a> Detours<'a> {
    /// Only those that have begun, or have an agreed window.
    pub fn begun(situation: &Situation<'a>) -> Self {
        Self::where_used(situation, |_| false)
    }

    /// Those that a plan names, and those that have begun.
    pub fn of_plan(situation: &Situation<'a>, plan: &Plan) -> Self {
        let named: BTreeSet<&CellId> = plan.rows.iter().map(|row| &row.cell).collect();
        Self::where_used(situation, |id| named.contains(id))
    }

    fn where_used(situation: &Situation<'a>, is_used: impl Fn(&CellId) -> bool) -> Self {
        let mut detours = Self {
            ways: BTreeMap::new(),
            used: BTreeSet::new(),
            decided: BTreeSet::new(),
            beside: BTreeSet::new(),
        };
        for cell in situation.landscape.cells().values() {
            let Some(detour) = &cell.detour else { continue };
            let is_reached = |id: &CellId| {
                let known = situation.progress.get(id);
                known.is_some_and(|p| p.done || p.stage.is_public())
            };
            // Once it is decided on, only what is open already is still of use.
            let decided = is_decided(situation, &cell.id);
            if !is_reached(&cell.id) && (!decided || is_reached(&detour.cell)) {
                detours.ways.insert(&detour.cell, cell);
            }
            let known = situation.progress.get(&cell.id);
            if decided && !known.is_some_and(|p| p.tasks.contains_key(&TaskKind::Return)) {
                detours.decided.insert(&cell.id);
            }
        }
        let begun = |id: &CellId| {
            let known = situation.progress.get(id);
            known.is_some_and(|p| p.stage > Stage::Closed || !p.tasks.is_empty())
                || situation.slots.contains_key(id)
        };
        let ways: Vec<&CellId> = detours.ways.keys().copied().collect();
        for way in ways {
            if begun(way) || is_used(way) {
                detours.take(situation, way);
            }
        }
        detours
    }

    /// Takes a way, and what of emergency operations it needs.
    fn take(&mut self, situation: &Situation<'a>, way: &'a CellId) {
        let mut open = vec![way];
        while let Some(id) = open.pop() {
            let Some(cell) = situation.landscape.cell(id).filter(|cell| cell.emergency) else {
                continue;
            };
            if self.used.insert(&cell.id) {
                open.extend(cell.needs.iter().chain(&cell.after));
            }
        }
    }

    /// The same with more ways.
    fn with(&self, situation: &Situation<'a>, ways: &[&'a CellId]) -> Self {
        let mut more = self.clone();
        for way in ways {
            more.take(situation, way);
        }
        more
    }

    /// The same without one way. What only it needs stays: it may be another's.
    fn without(&self, situation: &Situation<'a>, way: &CellId) -> Self {
        let kept = self.used.iter().copied();
        let kept: Vec<&CellId> = kept
            .filter(|id| *id != way && self.ways.contains_key(id))
            .collect();
        let none = Self {
            used: BTreeSet::new(),
            ..self.clone()
        };
        none.with(situation, &kept)
    }

    /// Whether a cell is to be brought back: every regular one, and those in use.
    pub fn wants(&self, cell: &Cell) -> bool {
        let beside = || self.beside.contains(&cell.id);
        !cell.emergency || self.used.contains(&cell.id) || beside()
    }

    /// The regular cell that an emergency operation in use stands in for.
    pub fn regular(&self, emergency: &CellId) -> Option<&'a Cell> {
        self.ways.get(emergency).copied()
    }

    /// Whether people reach a cell by its emergency operation: that is in use, or open already.
    pub fn stands_in(&self, cell: &Cell) -> bool {
        let detour = cell.detour.as_ref();
        let ways = detour.map(|detour| &detour.cell);
        ways.is_some_and(|way| self.used.contains(way) && self.ways.contains_key(way))
    }

    /// Whether a cell has the way back to go.
    pub fn returns(&self, cell: &Cell) -> bool {
        self.stands_in(cell) && !self.decided.contains(&cell.id)
    }

    /// Ways that could be taken and are not.
    pub fn left(&self) -> impl Iterator<Item = (&'a CellId, &'a Cell)> {
        let free = |(way, _): &(&&CellId, &&Cell)| !self.used.contains(**way);
        self.ways
            .iter()
            .filter(free)
            .map(|(way, cell)| (*way, *cell))
    }

    /// The same, and every other way beside.
    pub fn loosely(&self, situation: &Situation<'a>) -> Self {
        let left: Vec<&CellId> = self.left().map(|(way, _)| way).collect();
        Self {
            beside: self.with(situation, &left).used,
            ..self.clone()
        }
    }
}

/// Whether a step behind the return has begun.
fn is_decided(situation: &Situation<'_>, cell: &CellId) -> bool {
    let known = situation.progress.get(cell);
    known.is_some_and(|p| p.tasks.keys().any(|task| *task > TaskKind::Return))
}

/// Chooses: whole services first, then as many single cells as there are steps, those with the
/// most harm first. A way is taken or left when that makes a schedule by rule cheaper.
pub(crate) fn choose<'a>(situation: &Situation<'a>, steps: u32) -> Detours<'a> {
    let begun = Detours::begun(situation);
    let mut left: Vec<(&CellId, &Cell)> = begun.left().collect();
    let mut best = begun.clone();
    let Some(mut least) = (!left.is_empty())
        .then(|| cost_by_rule(situation, &best))
        .flatten()
    else {
        return best;
    };
    let mut better = |tried: Detours<'a>, best: &mut Detours<'a>| {
        let cost = cost_by_rule(situation, &tried);
        if let Some(cost) = cost.filter(|cost| *cost < least) {
            (*best, least) = (tried, cost);
        }
    };
    let mut services: BTreeMap<&ServiceId, Vec<&CellId>> = BTreeMap::new();
    for (way, cell) in &left {
        services.entry(&cell.service).or_default().push(way);
    }
    for ways in services.values() {
        better(best.with(situation, ways), &mut best);
    }
    let weights = Weights::new(situation.landscape);
    left.sort_by_cached_key(|(way, cell)| (Reverse(weights.closed(cell)), *way));
    for (way, _) in left.into_iter().take(steps as usize) {
        let tried = match best.used.contains(way) {
            true => best.without(situation, way),
            false => best.with(situation, &[way]),
        };
        better(tried, &mut best);
    }
    best
}

/// What the best simple rule costs; none when no plan can be made that way.
fn cost_by_rule(situation: &Situation<'_>, detours: &Detours<'_>) -> Option<u128> {
    let mut network = Network::new(situation, detours);
    if conflict::nobody(&network).is_some() || !order::circle(&network).is_empty() {
        return None;
    }
    let works = network.works();
    deadline::soften(&mut network, situation.landscape, &works);
    let tastes = rules::orders(&network, &works);
    let kept = tastes.iter().take(RULES_TRIED).filter_map(|taste| {
        let kept = slots::keep(&network, Taste::Cells(taste), &[], &works).ok()?;
        Some(cost::weighted_minutes(&network, &kept.schedule.open))
    });
    kept.min()
}
