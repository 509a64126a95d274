//! What would be if: another order of a tenant's own cells, a window, more people, a site freed.
//!
//! In:    a [`Situation`], the plan in force, [`Change`]s, a [`Simulation`].
//! Out:   a [`WhatIf`]: the plan and the ranges with the changes beside those without.
//! Never: changes anything; compares with another plan than the one in force, brought up to now.
//! See:   docs/planner.md, "What-if".

use anlauf_model::{
    CellId, CellKind, Forecast, Minutes, Plan, Range, SiteId, Slot, Stage, TeamId, TenantId,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::forecast::{Simulation, forecast_to_tell};
use crate::repair::{Repaired, repair};
use crate::schedule::Contradiction;
use crate::situation::Situation;

/// Most lanes a team can be given.
const LANES_MAX: u32 = 1_000;

/// One thing that could be otherwise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change", deny_unknown_fields)]
pub enum Change {
    /// A tenant's own cells in this order, most wanted first.
    Order {
        /// Whose.
        tenant: TenantId,
        /// Its own cells.
        order: Vec<CellId>,
    },
    /// A cell opens inside this window.
    Slot {
        /// Which.
        cell: CellId,
        /// First moment it may open.
        from: Timestamp,
        /// Last moment.
        to: Timestamp,
    },
    /// The window agreed for a cell is given back.
    GiveBack {
        /// Which.
        cell: CellId,
    },
    /// A team has so many lanes.
    Lanes {
        /// Which.
        team: TeamId,
        /// How many.
        lanes: u32,
    },
    /// Forensics gives a site free at this time.
    Free {
        /// Which.
        site: SiteId,
        /// When; a time that is past means now.
        at: Timestamp,
    },
    /// A non-standard cell is not brought back.
    Drop {
        /// Which.
        cell: CellId,
    },
}

/// How it would be.
#[derive(Clone, PartialEq, Debug)]
pub struct WhatIf {
    /// The plan in force, brought up to now.
    pub before: Repaired,
    /// The same with the changes.
    pub after: Repaired,
    /// Ranges of the first.
    pub ranges_before: Forecast,
    /// Ranges of the second, from the same chances.
    pub ranges_after: Forecast,
}

/// What the changes mean for one cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Effect {
    /// Which.
    pub cell: CellId,
    /// Planned opening without the changes; none when nothing is planned for it.
    pub planned_before: Option<Timestamp>,
    /// With them.
    pub planned_after: Option<Timestamp>,
    /// How much later it opens by plan; below 0 is earlier.
    pub by: Option<Minutes>,
    /// Range without them; none while it waits for something.
    pub before: Option<Range>,
    /// Range with them.
    pub after: Option<Range>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The change speaks of something that is not there, or not possible.
    #[error("{0}")]
    Impossible(String),
    /// No plan can be made, with or without the changes.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

/// Tries the changes.
///
/// # Errors
/// [`NoAnswer`], in words.
pub fn whatif(
    situation: &Situation<'_>,
    plan: &Plan,
    changes: &[Change],
    simulation: &Simulation<'_>,
) -> Result<WhatIf, NoAnswer> {
    let mut changed = situation.clone();
    for change in changes {
        apply(&mut changed, change)?;
    }
    let before = repair(situation, plan)?;
    let after = repair(&changed, plan)?;
    Ok(WhatIf {
        ranges_before: forecast_to_tell(situation, &before.plan, simulation),
        ranges_after: forecast_to_tell(&changed, &after.plan, simulation),
        before,
        after,
    })
}

impl WhatIf {
    /// The cells that change, the largest move first.
    pub fn effects(&self) -> Vec<Effect> {
        let (before, after) = (self.before.plan.releases(), self.after.plan.releases());
        let mut cells: Vec<&CellId> = before.keys().chain(after.keys()).copied().collect();
        cells.sort_unstable();
        cells.dedup();
        let effect = |cell: &CellId| {
            let planned_before = before.get(cell).copied();
            let planned_after = after.get(cell).copied();
            Effect {
                planned_before,
                planned_after,
                by: planned_before
                    .zip(planned_after)
                    .map(|(from, to)| to - from),
                before: self.ranges_before.cells.get(cell).copied(),
                after: self.ranges_after.cells.get(cell).copied(),
                cell: cell.clone(),
            }
        };
        let mut effects: Vec<Effect> = cells.into_iter().map(effect).collect();
        effects.retain(|e| e.planned_before != e.planned_after || e.before != e.after);
        let size = |e: &Effect| e.by.map_or(i64::MAX, |by| by.0.abs());
        effects.sort_by(|a, b| (size(b), &a.cell).cmp(&(size(a), &b.cell)));
        effects
    }
}

/// The situation with one change.
///
/// # Errors
/// [`NoAnswer::Impossible`] when it speaks of something unknown.
pub(crate) fn apply(situation: &mut Situation<'_>, change: &Change) -> Result<(), NoAnswer> {
    let no = |words: String| Err(NoAnswer::Impossible(words));
    match change {
        Change::Order { tenant, order } => {
            for cell in order {
                known(situation, cell)?;
                if cell.owner() != tenant.as_str() {
                    return no(format!("`{cell}` is not a cell of `{tenant}`"));
                }
            }
            situation.wishes.insert(tenant.clone(), order.clone());
        }
        Change::Slot { cell, from, to } => {
            known(situation, cell)?;
            let (from, to) = (*from, *to);
            if to < from || to < situation.now {
                return no(format!("the window for `{cell}` is over before it begins"));
            }
            situation.slots.insert(cell.clone(), Slot { from, to });
        }
        Change::GiveBack { cell } => {
            if situation.slots.remove(cell).is_none() {
                return no(format!("no window is agreed for `{cell}`"));
            }
        }
        Change::Lanes { team, lanes } => {
            if situation.landscape.team(team).is_none() {
                return no(format!("no team is called `{team}`"));
            }
            if *lanes > LANES_MAX {
                return no(format!("a team has at most {LANES_MAX} lanes"));
            }
            situation.lanes.insert(team.clone(), *lanes);
        }
        Change::Free { site, at } => {
            if situation.landscape.site(site).is_none() {
                return no(format!("no site is called `{site}`"));
            }
            situation
                .holds
                .insert(site.clone(), (*at).max(situation.now));
        }
        Change::Drop { cell } => {
            if known(situation, cell)? != CellKind::Custom {
                return no(format!(
                    "`{cell}` is a standard service; only others can be dropped"
                ));
            }
            let progress = situation.progress.entry(cell.clone()).or_default();
            progress.done = true;
            progress.stage = Stage::Full;
            situation.slots.remove(cell);
        }
    }
    Ok(())
}

/// The kind of a cell that is to be brought back.
fn known(situation: &Situation<'_>, cell: &CellId) -> Result<CellKind, NoAnswer> {
    let found = situation.landscape.cell(cell);
    let is_back = situation.progress.get(cell).is_some_and(|p| p.done);
    match found {
        Some(_) if is_back => Err(NoAnswer::Impossible(format!("`{cell}` is back already"))),
        Some(found) => Ok(found.kind),
        None => Err(NoAnswer::Impossible(format!("no cell is called `{cell}`"))),
    }
}
