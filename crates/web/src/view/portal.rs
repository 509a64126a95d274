//! A tenant's own view: its cells, order, dates, acceptances, signatures, proofs; nothing of
//! others.

use anlauf_model::{CellId, Range, Slot, Stage, TenantId, Timestamp};
use anlauf_recovery::query::{self, HitRate};
use anlauf_recovery::state::{Answer, ReleaseEnd};
use anlauf_recovery::{Actor, State};

use super::desk::{NoticeView, notices};
use super::hold::{Held, hold_short};
use super::inbox::acceptance_due;
use super::release::ReleaseView;
use super::wait::{Waiting, waiting};
use super::{CellName, StageCounts, cell_name, count_stages, stage_now};

/// A tenant's view.
pub(crate) struct PortalView {
    pub(crate) name: String,
    pub(crate) insured: u64,
    /// Of its own cells: technical work done, and open to people. Per mille.
    pub(crate) restored: u32,
    pub(crate) released: u32,
    pub(crate) stages: StageCounts,
    pub(crate) cells: Vec<OwnCell>,
    pub(crate) slots: Vec<OwnSlot>,
    pub(crate) accept: Vec<CellName>,
    pub(crate) sign: Vec<ReleaseView>,
    pub(crate) catch_up: Vec<(CellName, Timestamp, Timestamp)>,
    /// Its order of what is not back, as it stands.
    pub(crate) order: Vec<CellName>,
    pub(crate) has_wish: bool,
    pub(crate) notices: Vec<NoticeView>,
    /// How dates that were given held; none before the first forecast.
    pub(crate) hits: Option<HitRate>,
    /// When the last of its cells opens; none while one of them has no date.
    pub(crate) whole: Option<Range>,
}

/// One of its cells.
pub(crate) struct OwnCell {
    pub(crate) name: CellName,
    pub(crate) stage: Stage,
    pub(crate) is_back: bool,
    pub(crate) range: Option<Range>,
    /// What its date waits for, when it has none.
    pub(crate) wait: Option<Waiting>,
    pub(crate) slot: Option<(Slot, Answer)>,
    /// What it waits for first.
    pub(crate) held: Option<Held>,
}

/// A window it was offered.
pub(crate) struct OwnSlot {
    pub(crate) name: CellName,
    pub(crate) slot: Slot,
    pub(crate) answer: Answer,
    pub(crate) reason: String,
}

impl PortalView {
    /// The view of a tenant; none when there is no such tenant.
    pub(crate) fn of(state: &State, now: Timestamp, id: &TenantId, actor: &Actor) -> Option<Self> {
        let landscape = state.landscape.as_deref()?;
        let tenant = landscape.tenant(id)?;
        let ids = landscape.cells_of_tenant(id);
        let own = |cell: &CellId| cell.owner() == id.as_str();
        let known = || ids.iter().filter_map(|cell| state.cells.get(cell));
        let (restored, released) = shares(state, ids);
        let accept = acceptance_due(state, &own);
        let order = order(state, id, ids);
        Some(Self {
            name: tenant.name.clone(),
            insured: tenant.insured,
            restored,
            released,
            stages: count_stages(known(), now),
            cells: own_cells(state, now, ids),
            slots: slots(state, ids),
            accept: accept
                .into_iter()
                .map(|cell| cell_name(landscape, cell))
                .collect(),
            sign: signatures(state, id, actor),
            catch_up: gaps(state, ids),
            order: order
                .iter()
                .map(|cell| cell_name(landscape, cell))
                .collect(),
            has_wish: state.wishes.contains_key(id),
            notices: notices(state, |notice| {
                notice.tenant.is_none() || notice.tenant.as_ref() == Some(id)
            }),
            hits: state.forecast().map(|_| query::hit_rate(state)),
            whole: state.forecast().and_then(|f| f.tenants.get(id).copied()),
        })
    }

    /// How much waits for the tenant.
    pub(crate) fn due_count(&self) -> usize {
        let open = self
            .slots
            .iter()
            .filter(|slot| slot.answer == Answer::Open)
            .count();
        open + self.accept.len() + self.sign.iter().filter(|release| release.is_mine).count()
    }
}

/// The two numbers over these cells, each for itself.
fn shares(state: &State, ids: &[CellId]) -> (u32, u32) {
    let Some(landscape) = &state.landscape else {
        return (0, 0);
    };
    let (mut restored, mut released) = (0usize, 0usize);
    for id in ids {
        let (Some(cell), Some(known)) = (landscape.cell(id), state.cells.get(id)) else {
            continue;
        };
        use anlauf_model::TaskKind::{Acceptance, Decision};
        let technical = cell
            .tasks
            .keys()
            .filter(|task| !matches!(task, Acceptance | Decision));
        let done =
            known.stage == cell.stage_last() || technical.into_iter().all(|t| known.is_done(*t));
        restored += usize::from(done);
        released += usize::from(known.stage.is_public());
    }
    let share = |part: usize| u32::try_from(part * 1000 / ids.len().max(1)).unwrap_or(1000);
    (share(restored), share(released))
}

/// What is not back first, then by name.
fn own_cells(state: &State, now: Timestamp, ids: &[CellId]) -> Vec<OwnCell> {
    let mut cells: Vec<OwnCell> = ids.iter().map(|cell| own_cell(state, now, cell)).collect();
    cells.sort_by(|a, b| (a.is_back, &a.name.service).cmp(&(b.is_back, &b.name.service)));
    cells
}

fn own_cell(state: &State, now: Timestamp, id: &CellId) -> OwnCell {
    let landscape = state.landscape.as_deref().expect("the cell came from it");
    let known = state.cells.get(id);
    let stage = known.map_or(Stage::Closed, |cell| stage_now(cell, now));
    let last = landscape
        .cell(id)
        .map_or(Stage::Full, |cell| cell.stage_last());
    let is_back = stage >= last;
    let held = (!is_back).then(|| hold_short(state, id, true)).flatten();
    OwnCell {
        name: cell_name(landscape, id),
        stage,
        is_back,
        wait: waiting(state, landscape, id),
        range: state
            .forecast()
            .and_then(|f| f.cells.get(id).copied())
            .filter(|_| !is_back),
        slot: state.offers.get(id).map(|offer| (offer.slot, offer.answer)),
        held: held.and_then(|held| held.reasons.into_iter().next()),
    }
}

fn slots(state: &State, ids: &[CellId]) -> Vec<OwnSlot> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let mut slots: Vec<OwnSlot> = ids
        .iter()
        .filter_map(|id| {
            let offer = state.offers.get(id)?;
            Some(OwnSlot {
                name: cell_name(landscape, id),
                slot: offer.slot,
                answer: offer.answer,
                reason: offer.reason.clone(),
            })
        })
        .filter(|slot| slot.answer != Answer::Kept)
        .collect();
    slots.sort_by_key(|slot| (slot.answer != Answer::Open, slot.slot.from));
    slots
}

fn signatures(state: &State, id: &TenantId, actor: &Actor) -> Vec<ReleaseView> {
    let open = state
        .releases
        .iter()
        .filter(|(_, case)| case.end == ReleaseEnd::Open);
    let own = open.filter(|(_, case)| {
        case.release
            .cells
            .iter()
            .any(|bound| bound.cell.owner() == id.as_str())
    });
    own.map(|(digest, case)| ReleaseView::of(state, digest, case, actor))
        .collect()
}

fn gaps(state: &State, ids: &[CellId]) -> Vec<(CellName, Timestamp, Timestamp)> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let open = ids.iter().filter_map(|id| {
        let gap = state.cells.get(id)?.gap_last()?;
        let to = gap.to.filter(|_| gap.caught_up.is_none())?;
        Some((cell_name(landscape, id), gap.from, to))
    });
    open.collect()
}

/// Cells that are not back, in the tenant's own order; what it did not name comes last.
fn order(state: &State, id: &TenantId, ids: &[CellId]) -> Vec<CellId> {
    let wish = state.wishes.get(id).map(Vec::as_slice).unwrap_or_default();
    let place = |cell: &CellId| wish.iter().position(|w| w == cell).unwrap_or(usize::MAX);
    let shut = |cell: &&CellId| {
        state
            .cells
            .get(*cell)
            .is_some_and(|c| c.restored_at.is_none())
    };
    let mut order: Vec<CellId> = ids.iter().filter(shut).cloned().collect();
    order.sort_by_key(|cell| place(cell));
    order
}
