//! Break-glass as every screen tells it: what is open on it, until when, who answers for it.
//!
//! In:    the state of the moment, whoever looks. Out: lines for the banner and for the review.
//! Never: another tenant's cells to a tenant; any cell to the public.

use anlauf_model::{Digest, PersonId, Role, Stage, TenantId, Timestamp};
use anlauf_recovery::{Actor, BreakGlass, State, break_glasses};

use super::{CellName, cell_name};

/// Cells a line names; the rest is counted.
const CELL_SHOWN_MAX: usize = 3;

/// One break-glass that is open or not answered for.
#[derive(Clone, Debug)]
pub(crate) struct GlassLine {
    pub(crate) release: Digest,
    /// None to the public.
    pub(crate) cells: Vec<CellName>,
    pub(crate) cells_more: usize,
    pub(crate) stage: Stage,
    pub(crate) until: Timestamp,
    pub(crate) reason: String,
    pub(crate) signers: Vec<PersonId>,
    /// Whether it is over and its review is owed.
    pub(crate) is_owed: bool,
}

/// What whoever looks has to be told; nobody = the public, which is told what is open, not where.
pub(crate) fn glass_lines(state: &State, actor: Option<&Actor>) -> Vec<GlassLine> {
    let named = actor.filter(|actor| !matches!(actor.role, Role::Public | Role::Gate));
    let told = |one: &BreakGlass| match named {
        None => !one.open.is_empty(),
        Some(actor) => one.is_loud() && is_shown(one, actor),
    };
    let all = break_glasses(state).into_iter().filter(told);
    all.map(|one| line(state, one, named.is_some())).collect()
}

fn is_shown(one: &BreakGlass, actor: &Actor) -> bool {
    let own = actor.tenant.as_ref().map(TenantId::as_str);
    actor.role != Role::Tenant || one.cells.iter().all(|cell| Some(cell.owner()) == own)
}

fn line(state: &State, one: BreakGlass, is_named: bool) -> GlassLine {
    let is_owed = one.is_owed();
    let cells = if is_owed { one.cells } else { one.open };
    let landscape = state.landscape.as_deref().filter(|_| is_named);
    let shown = cells.iter().take(CELL_SHOWN_MAX);
    GlassLine {
        release: one.release,
        cells: shown
            .filter_map(|id| Some(cell_name(landscape?, id)))
            .collect(),
        cells_more: cells.len().saturating_sub(CELL_SHOWN_MAX),
        stage: one.stage,
        until: one.until,
        reason: if is_named { one.reason } else { String::new() },
        signers: if is_named { one.signers } else { Vec::new() },
        is_owed,
    }
}
