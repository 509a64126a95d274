//! What would be if: which openings move, with their ranges; for a tenant only its own.
//!
//! In:    the planner's answer, who looks. Out: [`Attempt`]. Never: another tenant's cell to a
//!        tenant, by name or by date.

use anlauf_model::{CellId, Range, TenantId, Text, Timestamp};
use anlauf_planner::{Change, Lever, WhatIf};
use anlauf_recovery::State;

use crate::view::{CellName, Text2, cell_name};

/// Cells that are shown; more nobody reads.
const CELL_SHOWN_MAX: usize = 60;

/// What would be.
pub(crate) struct Attempt {
    /// What was tried.
    pub(crate) changes: Vec<Told>,
    /// The cells that move, the largest move first.
    pub(crate) cells: Vec<Moved>,
    pub(crate) earlier: usize,
    pub(crate) later: usize,
    /// Cells whose agreed window would not hold; only those the reader may know.
    pub(crate) broken: Vec<CellName>,
    /// Whether there are others of which the reader may not know.
    pub(crate) breaks_others: bool,
    /// When the last of all is back, before and after; of the provider's people only.
    pub(crate) whole: Option<(Range, Range)>,
}

/// One cell that moves.
pub(crate) struct Moved {
    pub(crate) name: CellName,
    pub(crate) planned: [Option<Timestamp>; 2],
    pub(crate) range: [Option<Range>; 2],
    /// How much later. Minutes.
    pub(crate) by: Option<i64>,
}

/// A change as people say it.
pub(crate) enum Told {
    Order(Text2),
    Slot(CellName, Timestamp, Timestamp),
    GiveBack(CellName),
    Lanes(Text, u32),
    Free(Text, Timestamp),
    Drop(CellName),
}

/// What would move a cell earlier.
pub(crate) struct Earlier {
    pub(crate) change: Told,
    pub(crate) opens: Timestamp,
    /// Minutes.
    pub(crate) by: i64,
}

impl Attempt {
    /// The answer for whoever looks; a tenant sees its own.
    pub(crate) fn of(
        state: &State,
        tried: &WhatIf,
        changes: &[Change],
        tenant: Option<&TenantId>,
    ) -> Self {
        let own = |cell: &CellId| tenant.is_none_or(|id| cell.owner() == id.as_str());
        let name = |cell: &CellId| {
            let landscape = state.landscape.as_deref()?;
            Some(cell_name(landscape, cell))
        };
        let effects = tried.effects();
        let mine = effects.iter().filter(|one| own(&one.cell));
        let by = |is: fn(i64) -> bool| {
            let by = mine.clone().filter_map(|one| one.by);
            by.filter(|by| is(by.0)).count()
        };
        let cells = mine.clone().take(CELL_SHOWN_MAX).filter_map(|one| {
            Some(Moved {
                name: name(&one.cell)?,
                planned: [one.planned_before, one.planned_after],
                range: [one.before, one.after],
                by: one.by.map(|by| by.0),
            })
        });
        let broken = &tried.after.broken;
        let newly = || {
            broken
                .iter()
                .filter(|cell| !tried.before.broken.contains(cell))
        };
        let whole = tried.ranges_before.whole.zip(tried.ranges_after.whole);
        Self {
            changes: changes.iter().filter_map(|one| told(state, one)).collect(),
            earlier: by(|by| by < 0),
            later: by(|by| by > 0),
            cells: cells.collect(),
            broken: newly().filter(|cell| own(cell)).filter_map(name).collect(),
            breaks_others: newly().any(|cell| !own(cell)),
            whole: whole.filter(|_| tenant.is_none()),
        }
    }
}

/// The levers for whoever looks; a tenant hears of no other tenant's cell.
pub(crate) fn earlier(state: &State, levers: &[Lever], tenant: Option<&TenantId>) -> Vec<Earlier> {
    let mine = |change: &Change| match (change, tenant) {
        (_, None) | (Change::Lanes { .. } | Change::Free { .. }, _) => true,
        (
            Change::GiveBack { cell } | Change::Drop { cell } | Change::Slot { cell, .. },
            Some(id),
        ) => cell.owner() == id.as_str(),
        (Change::Order { tenant, .. }, Some(id)) => tenant == id,
    };
    let told = levers
        .iter()
        .filter(|one| mine(&one.change))
        .filter_map(|one| {
            Some(Earlier {
                change: told(state, &one.change)?,
                opens: one.opens,
                by: one.earlier.0,
            })
        });
    told.collect()
}

fn told(state: &State, change: &Change) -> Option<Told> {
    let landscape = state.landscape.as_deref()?;
    let name = |cell: &CellId| cell_name(landscape, cell);
    Some(match change {
        Change::Order { tenant, .. } => Told::Order(Text2::same(&landscape.tenant(tenant)?.name)),
        Change::Slot { cell, from, to } => Told::Slot(name(cell), *from, *to),
        Change::GiveBack { cell } => Told::GiveBack(name(cell)),
        Change::Lanes { team, lanes } => Told::Lanes(landscape.team(team)?.name.clone(), *lanes),
        Change::Free { site, at } => Told::Free(landscape.site(site)?.name.clone(), *at),
        Change::Drop { cell } => Told::Drop(name(cell)),
    })
}
