//! What moves between two plans: which openings, by how much, because of what.
//!
//! In:    two plans, which cells. Out: [`PlanDifference`] in short, [`Change`] in full.
//! Never: calls a cell that was released in between a cell that left the plan.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anlauf_model::{CellId, Landscape, Plan, PlanId, TaskKind, Text, Timestamp};
use anlauf_planner::{Because, diff};
use anlauf_recovery::State;

use super::filter::Filter;
use crate::view::{CellName, cell_name};

/// Moves a short difference names.
const MOVE_SHORT_MAX: usize = 5;

/// Moves a picture and its table show; more nobody reads.
pub(crate) const MOVE_SHOWN_MAX: usize = 60;

/// What a proposed plan changes.
#[derive(Clone, Debug)]
pub(crate) struct PlanDifference {
    pub(crate) earlier: usize,
    pub(crate) later: usize,
    pub(crate) same: usize,
    /// The largest moves: which, from, to.
    pub(crate) moves: Vec<(CellName, Timestamp, Timestamp)>,
}

/// What moves between a plan and its parent.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) counts: Counts,
    /// The largest moves, by size.
    pub(crate) moves: Vec<Move>,
    /// How many there are in all.
    pub(crate) move_count: usize,
}

/// Openings by what becomes of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) earlier: usize,
    pub(crate) later: usize,
    pub(crate) same: usize,
    pub(crate) added: usize,
    pub(crate) gone: usize,
}

/// One opening that moves.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) name: CellName,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    /// Because of what; none before anybody asked.
    pub(crate) because: Option<Reason>,
}

/// Why an opening moved.
#[derive(Debug)]
pub(crate) enum Reason {
    Work(TaskKind),
    Needs(CellName),
    After(CellName),
    /// The team works on another cell in its place.
    Team(Text, CellName),
    /// The tenant's own testers do.
    Testers(CellName),
    Agreed,
    Hold(Text),
    Again,
    Done,
    Order,
}

/// A plan that can be compared with its parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: PlanId,
    pub(crate) parent: PlanId,
    /// When it came into force; none when it waits for a decision.
    pub(crate) adopted_at: Option<Timestamp>,
    pub(crate) made_at: Timestamp,
    /// Why it was put in force.
    pub(crate) reason: String,
}

/// Every plan with a parent: those for decision first, then those that were in force, newest first.
pub(crate) fn candidates(state: &State) -> Vec<Candidate> {
    let proposed = state.proposed.values().filter_map(|plan| {
        Some(Candidate {
            id: plan.id,
            parent: plan.parent?,
            adopted_at: None,
            made_at: plan.made_at,
            reason: String::new(),
        })
    });
    let mut proposed: Vec<_> = proposed.collect();
    proposed.sort_by_key(|one| Reverse(one.made_at));
    let notes = state.plans.iter().rev().filter_map(|note| {
        Some(Candidate {
            id: note.id,
            parent: note.parent?,
            adopted_at: Some(note.adopted_at),
            made_at: note.adopted_at,
            reason: note.reason.clone(),
        })
    });
    proposed.into_iter().chain(notes).collect()
}

impl Change {
    pub(crate) fn of(state: &State, before: &Plan, after: &Plan, filter: &Filter) -> Self {
        let Some(landscape) = state.landscape.as_deref() else {
            return Self::default();
        };
        let (old, new) = (before.releases(), after.releases());
        let mut counts = Counts::default();
        let mut moves: Vec<(u64, &CellId, Option<Timestamp>, Option<Timestamp>)> = Vec::new();
        let cells: BTreeMap<&CellId, ()> = old.keys().chain(new.keys()).map(|c| (*c, ())).collect();
        for cell in cells.into_keys() {
            if !filter.admits_id(landscape, cell) {
                continue;
            }
            let (from, to) = (old.get(cell).copied(), new.get(cell).copied());
            let back = state.cells.get(cell).and_then(|cell| cell.restored_at);
            // What had opened when the new plan was made did not leave it.
            if to.is_none() && back.is_some_and(|back| back <= after.made_at) {
                continue;
            }
            if counts.count(from, to) {
                let size = from.zip(to).map_or(u64::MAX, |(a, b)| a.0.abs_diff(b.0));
                moves.push((size, cell, from, to));
            }
        }
        moves.sort_by_key(|(size, cell, ..)| (Reverse(*size), *cell));
        let move_count = moves.len();
        let shown = moves.into_iter().take(MOVE_SHOWN_MAX);
        let moves = shown.map(|(_, cell, from, to)| Move {
            name: cell_name(landscape, cell),
            from,
            to,
            because: None,
        });
        Self {
            counts,
            moves: moves.collect(),
            move_count,
        }
    }
}

impl Change {
    /// The same with the reason of each move that is shown.
    pub(crate) fn explained(mut self, state: &State, before: &Plan, after: &Plan) -> Self {
        let Some(landscape) = state.landscape.as_deref() else {
            return self;
        };
        let found = diff(landscape, before, after, Vec::new());
        let found = found.moved.iter();
        let reasons: BTreeMap<_, _> = found.map(|one| (&one.cell, &one.because)).collect();
        for one in &mut self.moves {
            let because = reasons.get(&one.name.id);
            one.because = because.map(|because| reason(landscape, because));
        }
        self
    }
}

fn reason(landscape: &Landscape, because: &Because) -> Reason {
    let name = |cell: &CellId| cell_name(landscape, cell);
    match because {
        Because::Work { task } => Reason::Work(*task),
        Because::Needs { cell } => Reason::Needs(name(cell)),
        Because::After { cell } => Reason::After(name(cell)),
        Because::Team { team, behind, .. } => {
            let team = landscape.team(team).map(|team| team.name.clone());
            Reason::Team(team.unwrap_or_default(), name(behind))
        }
        Because::Testers { behind } => Reason::Testers(name(behind)),
        Because::Agreed => Reason::Agreed,
        Because::Hold { site } => {
            let site = landscape.site(site).map(|site| site.name.clone());
            Reason::Hold(site.unwrap_or_default())
        }
        Because::Added => Reason::Again,
        Because::Gone => Reason::Done,
        Because::Order => Reason::Order,
    }
}

impl Counts {
    /// Counts one opening; says whether it moves.
    fn count(&mut self, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        let counter = match (from, to) {
            (Some(from), Some(to)) if to < from => &mut self.earlier,
            (Some(from), Some(to)) if to > from => &mut self.later,
            (Some(_), Some(_)) | (None, None) => &mut self.same,
            (None, Some(_)) => &mut self.added,
            (Some(_), None) => &mut self.gone,
        };
        *counter += 1;
        from != to
    }
}

/// What a plan changes against another, in short: only openings that both have.
pub(crate) fn difference(state: &State, current: &Plan, proposed: &Plan) -> PlanDifference {
    let change = Change::of(state, current, proposed, &Filter::default());
    let both = change.moves.into_iter().filter_map(|one| {
        let (from, to) = one.from.zip(one.to)?;
        Some((one.name, from, to))
    });
    PlanDifference {
        earlier: change.counts.earlier,
        later: change.counts.later,
        same: change.counts.same,
        moves: both.take(MOVE_SHORT_MAX).collect(),
    }
}
