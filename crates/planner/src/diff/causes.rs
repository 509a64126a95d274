//! What has happened since a plan was made, as far as it makes another one necessary.
//!
//! In:    a [`Plan`], the [`Situation`] it meets.
//! Out:   [`Cause`]s, largest first.
//! Never: looks into the ledger: what the plan says and what is are enough.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::{CellId, Minutes, Plan, SiteId, Slot, TaskKind, TeamId, TenantId, Timestamp};
use serde::Serialize;

use crate::detour::Detours;
use crate::situation::{Situation, TaskProgress};

/// Smaller differences are noise. Minutes.
const BY_MIN: i64 = 60;

/// Most causes that are named.
const CAUSES_MAX: usize = 40;

/// Something that makes another plan necessary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Cause {
    /// Work is undone that the plan took for done, or did not name: shut again, or found wanting.
    Again {
        /// On which cell.
        cell: CellId,
        /// From which step on.
        task: TaskKind,
    },
    /// A step ended later than planned, or has not ended by now.
    Late {
        /// Of which cell.
        cell: CellId,
        /// Which.
        task: TaskKind,
        /// By how much so far.
        by: Minutes,
        /// Whether it has ended.
        ended: bool,
    },
    /// A step ended earlier than planned.
    Early {
        /// Of which cell.
        cell: CellId,
        /// Which.
        task: TaskKind,
        /// By how much.
        by: Minutes,
    },
    /// A window was agreed that the plan does not keep.
    Agreed {
        /// For which cell.
        cell: CellId,
        /// When.
        slot: Slot,
    },
    /// A tenant wants its own cells in another order.
    Wish {
        /// Which.
        tenant: TenantId,
    },
    /// A site is held longer than the plan thought.
    Hold {
        /// Which.
        site: SiteId,
        /// Until.
        until: Timestamp,
    },
    /// A team has another number of lanes than the landscape says.
    Lanes {
        /// Which.
        team: TeamId,
        /// How many.
        lanes: u32,
    },
}

/// Reads what has happened since the plan was made.
pub fn causes(old: &Plan, situation: &Situation<'_>) -> Vec<Cause> {
    let mut found = Vec::new();
    found.extend(of_lanes(situation));
    found.extend(of_holds(old, situation));
    found.extend(of_windows(old, situation));
    found.extend(of_wishes(old, situation));
    found.extend(of_work_again(old, situation));
    let mut timed: Vec<(Minutes, Cause)> = of_work(old, situation);
    timed.sort_by_key(|(by, _)| std::cmp::Reverse(*by));
    found.extend(timed.into_iter().map(|(_, cause)| cause));
    found.truncate(CAUSES_MAX);
    found
}

fn of_lanes(situation: &Situation<'_>) -> Vec<Cause> {
    let declared = &situation.landscape.declared().teams;
    let differs = |(team, lanes): &(&TeamId, &u32)| {
        let own = declared.iter().find(|own| own.id == **team);
        own.is_some_and(|own| own.lanes != **lanes)
    };
    let lanes = situation.lanes.iter().filter(differs);
    lanes
        .map(|(team, lanes)| Cause::Lanes {
            team: team.clone(),
            lanes: *lanes,
        })
        .collect()
}

fn of_holds(old: &Plan, situation: &Situation<'_>) -> Vec<Cause> {
    let held_longer = |(site, until): &(&SiteId, &Timestamp)| {
        old.rows.iter().any(|row| {
            let cell = situation.landscape.cell(&row.cell);
            let running = situation.progress.get(&row.cell);
            let has_begun = running.is_some_and(|p| p.tasks.contains_key(&row.task));
            !has_begun && row.start < **until && cell.is_some_and(|cell| cell.site == **site)
        })
    };
    let holds = situation.holds.iter().filter(held_longer);
    holds
        .map(|(site, until)| Cause::Hold {
            site: site.clone(),
            until: *until,
        })
        .collect()
}

fn of_windows(old: &Plan, situation: &Situation<'_>) -> Vec<Cause> {
    let opens = old.releases();
    let misses = |(cell, slot): &(&CellId, &Slot)| {
        let is_back = situation.progress.get(*cell).is_some_and(|p| p.done);
        let open = opens.get(*cell);
        !is_back && open.is_some_and(|open| *open < slot.from || *open > slot.to)
    };
    let slots = situation.slots.iter().filter(misses);
    slots
        .map(|(cell, slot)| Cause::Agreed {
            cell: cell.clone(),
            slot: *slot,
        })
        .collect()
}

fn of_wishes(old: &Plan, situation: &Situation<'_>) -> Vec<Cause> {
    let opens = old.releases();
    let against = |(_, order): &(&TenantId, &Vec<CellId>)| {
        let times: Vec<Timestamp> = order.iter().filter_map(|c| opens.get(c).copied()).collect();
        times.windows(2).any(|pair| pair[0] > pair[1])
    };
    let wishes = situation.wishes.iter().filter(against);
    wishes
        .map(|(tenant, _)| Cause::Wish {
            tenant: tenant.clone(),
        })
        .collect()
}

/// The first step of each cell that is to be done and that the plan does not name.
fn of_work_again(old: &Plan, situation: &Situation<'_>) -> Vec<Cause> {
    let named: BTreeSet<(&CellId, TaskKind)> =
        old.rows.iter().map(|row| (&row.cell, row.task)).collect();
    let mut again = Vec::new();
    let detours = Detours::of_plan(situation, old);
    for (id, cell) in situation.landscape.cells() {
        let known = situation.progress.get(id);
        if known.is_some_and(|p| p.done) || !detours.wants(cell) {
            continue;
        }
        let is_done = |task: &TaskKind| {
            known.is_some_and(|p| matches!(p.tasks.get(task), Some(TaskProgress::Done { .. })))
        };
        let steps = cell.steps(detours.returns(cell)).map(|(task, _)| task);
        let mut undone = steps.filter(|task| !is_done(task));
        let unnamed = undone.find(|task| !named.contains(&(id, *task)));
        again.extend(unnamed.map(|task| Cause::Again {
            cell: id.clone(),
            task,
        }));
    }
    again
}

/// Steps whose end is not where the plan had it; only the first of each cell that is not over, for
/// what comes after it follows from that.
fn of_work(old: &Plan, situation: &Situation<'_>) -> Vec<(Minutes, Cause)> {
    let mut found = Vec::new();
    let mut overdue: BTreeMap<&CellId, ()> = BTreeMap::new();
    for row in &old.rows {
        let known = situation.progress.get(&row.cell);
        let task = known.and_then(|p| p.tasks.get(&row.task));
        let (cell, task_kind) = (row.cell.clone(), row.task);
        let is_back = known.is_some_and(|p| p.done);
        let (end, ended) = match task {
            Some(TaskProgress::Done { finished, .. }) => (*finished, true),
            _ if is_back => continue,
            _ => (situation.now, false),
        };
        let by = end - row.end;
        if !ended && (by.0 < BY_MIN || overdue.insert(&row.cell, ()).is_some()) {
            continue;
        }
        if by.0 >= BY_MIN {
            let late = Cause::Late {
                cell,
                task: task_kind,
                by,
                ended,
            };
            found.push((by, late));
        } else if by.0 <= -BY_MIN {
            let by = Minutes(-by.0);
            let early = Cause::Early {
                cell,
                task: task_kind,
                by,
            };
            found.push((by, early));
        }
    }
    found
}
