//! What moved between two plans, by how much, because of what.
//!
//! In:    a landscape, two plans, the [`Cause`]s of the second.
//! Out:   a [`PlanDiff`]: a typed row for every cell whose opening moved.
//! Never: makes a plan; reads anything but the plans' rows and the order the landscape demands.
//! See:   docs/planner.md, "Replanning".

use std::collections::BTreeMap;

use anlauf_model::{
    CellId, Landscape, Minutes, Plan, PlanId, PlanRow, SiteId, TaskKind, TeamId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::place;

pub use causes::{Cause, causes};

mod causes;

/// What changes from one plan to another.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlanDiff {
    /// The earlier plan.
    pub old: PlanId,
    /// The later one.
    pub new: PlanId,
    /// What made it necessary.
    pub causes: Vec<Cause>,
    /// Every cell whose opening moved, largest move first; those that came or went before them.
    pub moved: Vec<Moved>,
    /// Cells that open earlier.
    pub sooner: usize,
    /// Cells that open later.
    pub later: usize,
    /// Cells that open as before.
    pub same: usize,
    /// Cells only in the later plan.
    pub added: usize,
    /// Cells only in the earlier plan.
    pub gone: usize,
    /// Fewest cells that have to leave their place to get from one order of openings to the other.
    pub order_changed: usize,
}

/// A cell whose opening moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Moved {
    /// Which.
    pub cell: CellId,
    /// Planned opening before; none when the earlier plan did not name it.
    pub from: Option<Timestamp>,
    /// Planned opening after; none when the later plan does not name it.
    pub to: Option<Timestamp>,
    /// How much later; below 0 is earlier. None when it came or went.
    pub by: Option<Minutes>,
    /// Because of what.
    #[serde(flatten)]
    pub because: Because,
}

/// Why a cell's opening moved: what holds the first of its steps that moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Because {
    /// The step itself takes longer or shorter.
    Work {
        /// Which step.
        task: TaskKind,
    },
    /// A cell it needs moved.
    Needs {
        /// Which.
        #[serde(rename = "behind")]
        cell: CellId,
    },
    /// A cell that comes before it by order moved.
    After {
        /// Which.
        #[serde(rename = "behind")]
        cell: CellId,
    },
    /// The team works on another cell in its place, or no longer does.
    Team {
        /// Which team.
        team: TeamId,
        /// Which step waits for it.
        task: TaskKind,
        /// On which cell.
        behind: CellId,
    },
    /// The tenant's own testers are busy elsewhere, or no longer are.
    Testers {
        /// With which cell.
        behind: CellId,
    },
    /// A window was agreed for it.
    Agreed,
    /// Its site is held until another time.
    Hold {
        /// Which.
        site: SiteId,
    },
    /// It must be done, or a step of it once more: the earlier plan did not name it.
    Added,
    /// Nothing is left to do, or it is no longer wanted.
    Gone,
    /// Another order, and nothing above.
    Order,
}

/// Two plans side by side.
struct Pair<'p> {
    landscape: &'p Landscape,
    old: Side<'p>,
    new: Side<'p>,
    causes: &'p [Cause],
}

/// One of them.
struct Side<'p> {
    opens: BTreeMap<&'p CellId, Timestamp>,
    rows: BTreeMap<(&'p CellId, TaskKind), &'p PlanRow>,
    /// By team, or by owner of the testers.
    crews: BTreeMap<&'p str, Vec<&'p PlanRow>>,
}

/// Compares two plans; `causes` says what made the second one necessary.
pub fn diff(landscape: &Landscape, old: &Plan, new: &Plan, causes: Vec<Cause>) -> PlanDiff {
    let pair = Pair {
        landscape,
        old: Side::new(old),
        new: Side::new(new),
        causes: &causes,
    };
    let mut moved = Vec::new();
    let mut same = 0;
    for (cell, to) in &pair.new.opens {
        match pair.old.opens.get(cell) {
            Some(from) if from == to => same += 1,
            from => moved.push(pair.moved(cell, from.copied(), Some(*to))),
        }
    }
    let gone = pair.old.opens.iter();
    for (cell, from) in gone.filter(|(cell, _)| !pair.new.opens.contains_key(*cell)) {
        moved.push(pair.moved(cell, Some(*from), None));
    }
    let size = |one: &Moved| one.by.map_or(i64::MAX, |by| by.0.abs());
    moved.sort_by(|a, b| (size(b), &a.cell).cmp(&(size(a), &b.cell)));
    let count = |is: fn(&Moved) -> bool| moved.iter().filter(|one| is(one)).count();
    PlanDiff {
        old: old.id,
        new: new.id,
        sooner: count(|one| one.by.is_some_and(|by| by.0 < 0)),
        later: count(|one| one.by.is_some_and(|by| by.0 > 0)),
        same,
        added: count(|one| one.from.is_none()),
        gone: count(|one| one.to.is_none()),
        order_changed: place::changed(&pair.old.opens, &pair.new.opens).len(),
        moved,
        causes,
    }
}

/// Cells that left their place: the fewest that must, to get from one plan's order of openings to
/// the other's. Cells that only one plan names do not count.
pub fn order_changed(old: &Plan, new: &Plan) -> Vec<CellId> {
    let cells = place::changed(&old.releases(), &new.releases());
    cells.into_iter().cloned().collect()
}

impl<'p> Side<'p> {
    fn new(plan: &'p Plan) -> Self {
        let mut crews: BTreeMap<&str, Vec<&PlanRow>> = BTreeMap::new();
        for row in &plan.rows {
            crews.entry(crew(row)).or_default().push(row);
        }
        let row = |row: &'p PlanRow| ((&row.cell, row.task), row);
        Self {
            opens: plan.releases(),
            rows: plan.rows.iter().map(row).collect(),
            crews,
        }
    }
}

/// Who works on a row: the team, or the owner's testers.
fn crew(row: &PlanRow) -> &str {
    row.team.as_ref().map_or(row.cell.owner(), TeamId::as_str)
}

impl<'p> Pair<'p> {
    fn moved(&self, cell: &CellId, from: Option<Timestamp>, to: Option<Timestamp>) -> Moved {
        let because = match (from, to) {
            (None, _) => Because::Added,
            (_, None) => Because::Gone,
            _ => self.because(cell),
        };
        Moved {
            cell: cell.clone(),
            from,
            to,
            by: from.zip(to).map(|(from, to)| to - from),
            because,
        }
    }

    /// What holds the first step that moved.
    fn because(&self, id: &CellId) -> Because {
        let Some(cell) = self.landscape.cell(id) else {
            return Because::Order;
        };
        let last = cell.tasks.keys().last().copied();
        for (task, _) in cell.steps(true) {
            let Some(new) = self.new.rows.get(&(id, task)).copied() else {
                continue;
            };
            let Some(old) = self.old.rows.get(&(id, task)).copied() else {
                return Because::Added;
            };
            if old.start == new.start && old.end != new.end {
                return Because::Work { task };
            }
            if old.start != new.start {
                return self.start_moved(cell, (old, new), last == Some(task));
            }
        }
        Because::Order
    }

    fn start_moved(
        &self,
        cell: &anlauf_model::Cell,
        (old, new): (&PlanRow, &PlanRow),
        last: bool,
    ) -> Because {
        if let (true, Some(cell)) = (
            new.task != TaskKind::Evidence,
            self.holding(&cell.needs, old, new),
        ) {
            return Because::Needs { cell };
        }
        let detour = cell.detour.as_ref().map(|detour| &detour.cell);
        if let (true, Some(cell)) = (
            new.task == TaskKind::Return,
            detour.and_then(|way| self.holding(std::slice::from_ref(way), old, new)),
        ) {
            return Because::After { cell };
        }
        if let (true, Some(cell)) = (last, self.holding(&cell.after, old, new)) {
            return Because::After { cell };
        }
        let is_hold =
            |cause: &Cause| matches!(cause, Cause::Hold { site, .. } if *site == cell.site);
        if self.causes.iter().any(is_hold) {
            return Because::Hold {
                site: cell.site.clone(),
            };
        }
        let is_agreed =
            |cause: &Cause| matches!(cause, Cause::Agreed { cell: of, .. } if *of == cell.id);
        if last && self.causes.iter().any(is_agreed) {
            return Because::Agreed;
        }
        match (self.behind(old, new), &new.team) {
            (Some(behind), Some(team)) => Because::Team {
                team: team.clone(),
                task: new.task,
                behind,
            },
            (Some(behind), None) => Because::Testers { behind },
            (None, _) => Because::Order,
        }
    }

    /// The one of these cells that keeps a step from beginning where it began, or no longer does.
    fn holding(&self, cells: &[CellId], old: &PlanRow, new: &PlanRow) -> Option<CellId> {
        let (side, before) = match new.start > old.start {
            true => (&self.new, old.start),
            false => (&self.old, new.start),
        };
        let opens = cells
            .iter()
            .filter_map(|id| Some((side.opens.get(id)?, id)));
        let latest = opens.filter(|(open, _)| **open > before).max()?;
        Some(latest.1.clone())
    }

    /// The cell that the same crew works on where this step was, and did not before; for a step
    /// that comes sooner, the one that made room.
    fn behind(&self, old: &PlanRow, new: &PlanRow) -> Option<CellId> {
        let (with, without, from, to) = match new.start > old.start {
            true => (&self.new, &self.old, old.start, new.start),
            false => (&self.old, &self.new, new.start, old.start),
        };
        let meanwhile = |row: &PlanRow| (row.end.0.min(to.0) - row.start.0.max(from.0)).max(0);
        let others = with.crews.get(crew(new))?.iter().copied();
        let others = others.filter(|row| row.cell != new.cell && meanwhile(row) > 0);
        let gained = others.map(|row| {
            let before = without.rows.get(&(&row.cell, row.task)).copied();
            (meanwhile(row) - before.map_or(0, meanwhile), &row.cell)
        });
        let most = gained.filter(|(gained, _)| *gained > 0).max()?;
        Some(most.1.clone())
    }
}
