//! Which cells lean on which, and what the plan wants first, by number instead of by name.
//!
//! In:    landscape, state. Out: look-ups that cost nothing: a drill asks them at every tick.
//! Never: knows more than the landscape and the plan in force say.

use std::collections::BTreeMap;

use anlauf_model::{Cell, CellId, Landscape, PlanId, TaskKind, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::state::CellState;

/// Which cells lean on which. The number of a cell is its place in the landscape.
pub struct Order {
    needs: Vec<Vec<usize>>,
    after: Vec<Vec<usize>>,
    planned: Vec<BTreeMap<TaskKind, Timestamp>>,
    plan: Option<PlanId>,
}

/// Which cells are open to the public now.
pub struct Open(Vec<bool>);

impl Order {
    /// Numbers the cells of a landscape.
    pub fn new(landscape: &Landscape) -> Self {
        let ids = landscape.cells().keys().enumerate();
        let numbers: BTreeMap<&CellId, usize> = ids.map(|(number, id)| (id, number)).collect();
        let mapped = |list: fn(&Cell) -> &[CellId]| {
            let of = |cell| {
                list(cell)
                    .iter()
                    .filter_map(|id| numbers.get(id).copied())
                    .collect()
            };
            landscape.cells().values().map(of).collect()
        };
        Self {
            needs: mapped(|cell| &cell.needs),
            after: mapped(|cell| &cell.after),
            planned: Vec::new(),
            plan: None,
        }
    }

    /// Takes over the plan in force, if it is another than before.
    pub fn follow(&mut self, state: &State) {
        let plan = state.plan.as_ref().map(|plan| plan.id);
        if plan == self.plan && !self.planned.is_empty() {
            return;
        }
        self.plan = plan;
        self.planned = vec![BTreeMap::new(); self.needs.len()];
        let mut rows = state.plan.iter().flat_map(|plan| &plan.rows).peekable();
        // Rows and cells come in the same order.
        for (id, planned) in state.cells.keys().zip(&mut self.planned) {
            while let Some(row) = rows.next_if(|row| row.cell <= *id) {
                if row.cell == *id {
                    planned.insert(row.task, row.start);
                }
            }
        }
    }

    /// When the plan wants a step to begin; the end of time when it does not name it.
    pub fn planned(&self, number: usize, task: TaskKind) -> Timestamp {
        let planned = self
            .planned
            .get(number)
            .and_then(|planned| planned.get(&task));
        planned.copied().unwrap_or(Timestamp(i64::MAX))
    }

    /// Whether everything a cell needs is open.
    pub fn needs_open(&self, number: usize, open: &Open) -> bool {
        all(&self.needs, number, open)
    }

    /// Whether everything that comes before a cell by order is open.
    pub fn comes_now(&self, number: usize, open: &Open) -> bool {
        all(&self.after, number, open)
    }
}

fn all(lists: &[Vec<usize>], number: usize, open: &Open) -> bool {
    let Some(list) = lists.get(number) else {
        return false;
    };
    list.iter()
        .all(|other| open.0.get(*other).copied().unwrap_or(false))
}

impl Open {
    /// Which cells are open to the public.
    pub fn of(state: &State) -> Self {
        Self(
            state
                .cells
                .values()
                .map(|cell| cell.stage.is_public())
                .collect(),
        )
    }
}

/// Every cell with its number and its state.
pub fn numbered<'a>(
    landscape: &'a Landscape,
    state: &'a State,
) -> impl Iterator<Item = (usize, &'a Cell, &'a CellState)> {
    // Both hold every cell of the landscape, in the same order.
    let pairs = landscape
        .cells()
        .values()
        .zip(state.cells.values())
        .enumerate();
    pairs.map(|(number, (cell, known))| (number, cell, known))
}
