//! What a close would shut: the exact list, before anyone orders it.

use anlauf_model::{CellId, ServiceId, SiteId, Stage, TenantId, Timestamp};
use anlauf_recovery::{State, close_with_dependents, query};
use anlauf_trust::Scope;

use super::{CellName, Text2, cell_name, stage_now};

/// A close as asked for: the word in addresses and what it means.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Everything,
    Site(SiteId),
    Tenant(TenantId),
    Service(ServiceId),
    Cell(CellId),
    Dependents(CellId),
    Finding(u64),
}

/// What it would shut.
pub(crate) struct CloseView {
    pub(crate) word: String,
    pub(crate) wanted: Wanted,
    /// What it is about, for people; none = everything.
    pub(crate) about: Option<Text2>,
    /// Cells that are open and would be shut.
    pub(crate) open: Vec<(CellName, Stage)>,
    /// Cells in the scope that are shut already; their waiting releases burn too.
    pub(crate) shut_count: usize,
    /// Open cells that need one of these and are not in the scope.
    pub(crate) left_behind: Vec<CellName>,
    pub(crate) insured: u64,
}

impl Wanted {
    /// Reads the word of an address: `site/dc-south`, `cell/bkk-amsel/epa`, `finding/12`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        if word == "everything" {
            return Some(Wanted::Everything);
        }
        let (kind, rest) = word.split_once('/')?;
        Some(match kind {
            "site" => Wanted::Site(rest.parse().ok()?),
            "tenant" => Wanted::Tenant(rest.parse().ok()?),
            "service" => Wanted::Service(rest.parse().ok()?),
            "cell" => Wanted::Cell(rest.parse().ok()?),
            "dependents" => Wanted::Dependents(rest.parse().ok()?),
            "finding" => Wanted::Finding(rest.parse().ok()?),
            _ => return None,
        })
    }

    /// The scope of the close that is signed.
    pub(crate) fn scope(&self, state: &State) -> Scope {
        match self {
            Wanted::Everything => Scope::Everything,
            Wanted::Site(site) => Scope::Site(site.clone()),
            Wanted::Tenant(tenant) => Scope::Tenant(tenant.clone()),
            Wanted::Service(service) => Scope::Service(service.clone()),
            Wanted::Cell(cell) => Scope::Cells(vec![cell.clone()]),
            Wanted::Dependents(cell) => Scope::Cells(
                close_with_dependents(state, std::slice::from_ref(cell))
                    .into_iter()
                    .collect(),
            ),
            Wanted::Finding(number) => Scope::Cells(query::rests_on(state, *number)),
        }
    }
}

impl CloseView {
    /// The list; none when there is no such thing.
    pub(crate) fn of(state: &State, now: Timestamp, word: &str) -> Option<Self> {
        let wanted = Wanted::parse(word)?;
        let landscape = state.landscape.as_deref()?;
        let about = match &wanted {
            Wanted::Everything => None,
            Wanted::Site(id) => Some(Text2::from(&landscape.site(id)?.name)),
            Wanted::Tenant(id) => Some(Text2::same(&landscape.tenant(id)?.name)),
            Wanted::Service(id) => Some(Text2::from(&landscape.service(id)?.name)),
            Wanted::Cell(id) | Wanted::Dependents(id) => {
                Some(Text2::same(&landscape.cell(id)?.id.to_string()))
            }
            Wanted::Finding(number) => {
                Some(Text2::same(&state.findings.get(number)?.number.to_string()))
            }
        };
        let cells: Vec<&CellId> = match wanted.scope(state) {
            Scope::Everything => landscape.cells().keys().collect(),
            Scope::Site(site) => landscape.cells_at_site(&site).iter().collect(),
            Scope::Tenant(tenant) => landscape.cells_of_tenant(&tenant).iter().collect(),
            Scope::Service(service) => landscape.cells_of_service(&service).iter().collect(),
            Scope::Cells(cells) => cells
                .iter()
                .filter_map(|id| landscape.cell(id))
                .map(|cell| &cell.id)
                .collect(),
        };
        let stage = |id: &CellId| {
            state
                .cells
                .get(id)
                .map_or(Stage::Closed, |cell| stage_now(cell, now))
        };
        let open: Vec<_> = cells
            .iter()
            .filter(|id| stage(id) > Stage::Closed)
            .copied()
            .collect();
        let all: Vec<CellId> = open.iter().map(|id| (*id).clone()).collect();
        let behind = close_with_dependents(state, &all);
        let behind = behind
            .iter()
            .filter(|id| stage(id) > Stage::Closed && !cells.contains(id));
        Some(Self {
            word: word.to_owned(),
            about,
            shut_count: cells.len() - open.len(),
            insured: tenants_of(state, &open),
            left_behind: behind.map(|id| cell_name(landscape, id)).collect(),
            open: open
                .into_iter()
                .map(|id| (cell_name(landscape, id), stage(id)))
                .collect(),
            wanted,
        })
    }
}

/// People of all tenants that have one of these cells.
fn tenants_of(state: &State, cells: &[&CellId]) -> u64 {
    let Some(landscape) = &state.landscape else {
        return 0;
    };
    let tenants: std::collections::BTreeSet<&TenantId> = cells
        .iter()
        .filter_map(|id| landscape.cell(id)?.tenant())
        .collect();
    tenants
        .into_iter()
        .filter_map(|id| landscape.tenant(id))
        .map(|tenant| tenant.insured)
        .sum()
}
