//! Names what holds a cell.
//!
//! In:    a [`Situation`], a [`Plan`] made from it or shortly before it, a cell.
//! Out:   a chain of [`Why`], nearest first: from the opening back to what can begin at once.
//! Never: makes another plan; the dates are those of the plan that is given.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Plan, PlanRow, SiteId, Slot, TaskKind, TeamId, Timestamp};
use serde::Serialize;

use crate::detour::Detours;
use crate::network::{Network, Node};
use crate::situation::Situation;

/// Most cells that are followed; the longest chain of the reference landscape has nine.
const CELLS_MAX: usize = 12;

/// Most cells named whose work comes before.
const BEHIND_MAX: usize = 5;

/// One link of the chain that holds a cell in the plan, nearest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Why {
    /// It waits for a cell it needs.
    Needs {
        /// Which.
        cell: CellId,
        /// When that one is planned to open.
        until: Timestamp,
    },
    /// It comes after another by order.
    After {
        /// Which.
        cell: CellId,
        /// When that one is planned to open.
        until: Timestamp,
    },
    /// Its own step takes this long.
    Work {
        /// Which step.
        task: TaskKind,
        /// From.
        start: Timestamp,
        /// To.
        end: Timestamp,
    },
    /// Every lane of a team is busy with others.
    Team {
        /// Which.
        team: TeamId,
        /// Step that waits.
        task: TaskKind,
        /// Since when it could have begun.
        since: Timestamp,
        /// When a lane becomes free.
        until: Timestamp,
        /// Whose work is before it, at most five.
        behind: Vec<CellId>,
    },
    /// The tenant's own testers are busy with its other cells.
    Acceptance {
        /// Since when it could have begun.
        since: Timestamp,
        /// Until.
        until: Timestamp,
    },
    /// Its site is held for forensics.
    Hold {
        /// Which.
        site: SiteId,
        /// Until.
        until: Timestamp,
    },
    /// It was agreed for this window.
    Agreed {
        /// Window.
        slot: Slot,
    },
    /// No work or no release at this time (night, freeze).
    Calendar {
        /// Until.
        until: Timestamp,
    },
}

/// The plan beside the situation it is read in.
struct Reader<'p, 'a> {
    situation: &'p Situation<'a>,
    network: Network<'a>,
    rows: BTreeMap<&'p CellId, Vec<&'p PlanRow>>,
    plan: &'p Plan,
}

/// What a step had to wait for, and until when.
enum Bound<'p> {
    /// Nothing but the plan's first minute.
    Begin,
    /// The step before it.
    Step,
    Needs(&'p CellId),
    After(&'p CellId),
    Hold,
    Agreed(Slot),
}

/// The chain that holds a cell, nearest first; empty when the cell is not in the plan.
pub fn why(situation: &Situation<'_>, plan: &Plan, cell: &CellId) -> Vec<Why> {
    let mut rows: BTreeMap<&CellId, Vec<&PlanRow>> = BTreeMap::new();
    for row in &plan.rows {
        rows.entry(&row.cell).or_default().push(row);
    }
    for rows in rows.values_mut() {
        rows.sort_by_key(|row| row.task);
    }
    let reader = Reader {
        situation,
        network: Network::new(situation, &Detours::of_plan(situation, plan)),
        rows,
        plan,
    };
    let mut chain = Vec::new();
    let mut next = reader.rows.get_key_value(cell).map(|(id, _)| *id);
    for _ in 0..CELLS_MAX {
        let Some(id) = next else { break };
        next = reader.follow(id, &mut chain);
    }
    chain
}

impl<'p> Reader<'p, '_> {
    /// Appends what holds one cell, from its opening backwards; says which cell to look at next.
    fn follow(&self, id: &CellId, chain: &mut Vec<Why>) -> Option<&'p CellId> {
        let node = &self.network.nodes[self.network.position(id)?];
        let rows = self.rows.get(id)?;
        for (at, row) in rows.iter().enumerate().rev() {
            if self.is_over(node, row) {
                return None;
            }
            chain.push(Why::Work {
                task: row.task,
                start: row.start,
                end: row.end,
            });
            if row.start <= self.situation.now {
                return None;
            }
            let before = at.checked_sub(1).map(|at| rows[at].end);
            let (bound, ready) = self.bound(node, row, before, at + 1 == rows.len());
            chain.extend(self.gap(node, row, ready));
            match bound {
                Bound::Begin => return None,
                Bound::Step => {}
                Bound::Needs(cell) => {
                    chain.push(Why::Needs {
                        cell: cell.clone(),
                        until: ready,
                    });
                    return Some(cell);
                }
                Bound::After(cell) => {
                    chain.push(Why::After {
                        cell: cell.clone(),
                        until: ready,
                    });
                    return Some(cell);
                }
                Bound::Hold => {
                    chain.push(Why::Hold {
                        site: node.cell.site.clone(),
                        until: ready,
                    });
                    return None;
                }
                Bound::Agreed(slot) => {
                    chain.push(Why::Agreed { slot });
                    return None;
                }
            }
        }
        None
    }

    /// Whether the step was finished since the plan was made.
    fn is_over(&self, node: &Node<'_>, row: &PlanRow) -> bool {
        let mut left = node.tasks.clone();
        !left.any(|task| self.network.tasks[task].kind == row.task)
    }

    /// The latest thing a step waited for.
    fn bound(
        &self,
        node: &Node<'_>,
        row: &PlanRow,
        before: Option<Timestamp>,
        last: bool,
    ) -> (Bound<'p>, Timestamp) {
        let mut latest = (Bound::Begin, self.plan.made_at);
        let mut later = |bound: Bound<'p>, at: Timestamp| {
            if at > latest.1 {
                latest = (bound, at);
            }
        };
        if let Some(end) = before {
            later(Bound::Step, end);
        }
        if let Some(hold) = self.situation.holds.get(&node.cell.site) {
            later(Bound::Hold, *hold);
        }
        if row.task != TaskKind::Evidence {
            for (cell, open) in self.opened(&node.needs) {
                later(Bound::Needs(cell), open);
            }
        }
        if row.task == TaskKind::Return {
            for (cell, open) in self.opened(node.detour.as_slice()) {
                later(Bound::After(cell), open);
            }
        }
        if last {
            for (cell, open) in self.opened(&node.after) {
                later(Bound::After(cell), open);
            }
            if let Some(slot) = self.situation.slots.get(&node.cell.id) {
                let length = row.end - row.start;
                let begin = if row.start < slot.from {
                    slot.from - length
                } else {
                    slot.from
                };
                later(Bound::Agreed(*slot), begin);
            }
        }
        latest
    }

    /// Planned openings of cells.
    fn opened(&self, cells: &[usize]) -> impl Iterator<Item = (&'p CellId, Timestamp)> {
        cells.iter().filter_map(|at| {
            let (id, rows) = self.rows.get_key_value(&self.network.nodes[*at].cell.id)?;
            Some((*id, rows.iter().map(|row| row.end).max()?))
        })
    }

    /// What fills the time between being ready and beginning.
    fn gap(&self, node: &Node<'_>, row: &PlanRow, ready: Timestamp) -> Option<Why> {
        if row.start <= ready {
            return None;
        }
        let origin = &self.network.origin;
        let task = node
            .tasks
            .clone()
            .find(|task| self.network.tasks[*task].kind == row.task)?;
        let calendar = self.network.calendar(task);
        let (from, begin) = (origin.minute(ready), origin.minute(row.start));
        let works = !calendar.is_empty() && calendar.worked(begin) > calendar.worked(from);
        let behind = self.behind(node, row, ready);
        if !works || behind.is_empty() {
            return Some(Why::Calendar { until: row.start });
        }
        Some(match &row.team {
            None => Why::Acceptance {
                since: ready,
                until: row.start,
            },
            Some(team) => Why::Team {
                team: team.clone(),
                task: row.task,
                since: ready,
                until: row.start,
                behind,
            },
        })
    }

    /// Whose work the same crew does in that time, what ends last first.
    fn behind(&self, node: &Node<'_>, row: &PlanRow, ready: Timestamp) -> Vec<CellId> {
        let same = |other: &&PlanRow| match &row.team {
            Some(team) => other.team.as_ref() == Some(team),
            None => other.team.is_none() && other.cell.owner() == node.cell.id.owner(),
        };
        let meanwhile = |other: &&PlanRow| other.start < row.start && other.end > ready;
        let others = self.plan.rows.iter().filter(|other| other.cell != row.cell);
        let mut others: Vec<&PlanRow> = others.filter(same).filter(meanwhile).collect();
        // Those that stand in the way to the last come first: they free the lane.
        others.sort_by_key(|other| (std::cmp::Reverse(other.end.min(row.start)), &other.cell));
        let mut cells: Vec<CellId> = Vec::new();
        for other in others {
            if cells.len() < BEHIND_MAX && !cells.contains(&other.cell) {
                cells.push(other.cell.clone());
            }
        }
        cells
    }
}
