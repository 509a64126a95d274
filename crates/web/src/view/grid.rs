//! Tenants × services, and above them what all of them lean on.

use std::collections::BTreeMap;

use anlauf_model::landscape::ServiceScope;
use anlauf_model::{CellId, Owner, ServiceId, Stage, Text, Timestamp};
use anlauf_recovery::State;

use super::{StageCounts, Text2, stage_now};

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct GridFilter {
    pub(crate) site: Option<String>,
    pub(crate) stage: Option<Stage>,
    pub(crate) size: Option<String>,
    pub(crate) service: Option<String>,
}

/// The grid.
pub(crate) struct GridView {
    pub(crate) has_landscape: bool,
    /// Foundation, site and shared instances, by service.
    pub(crate) ground: Vec<GroundLine>,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<TenantRow>,
    pub(crate) row_count_all: usize,
    pub(crate) sites: Vec<(String, Text)>,
    pub(crate) sizes: Vec<String>,
    pub(crate) counts: StageCounts,
}

/// A service all lean on, with its instances.
pub(crate) struct GroundLine {
    pub(crate) service: Text2,
    pub(crate) cells: Vec<GroundCell>,
}

/// An instance of it.
pub(crate) struct GroundCell {
    pub(crate) id: CellId,
    /// The site, where there is one instance per site.
    pub(crate) site: Option<(String, Text)>,
    pub(crate) stage: Stage,
}

/// A service of the tenants.
pub(crate) struct Column {
    pub(crate) id: ServiceId,
    pub(crate) name: Text2,
}

/// A tenant with its cells, one list per column.
pub(crate) struct TenantRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) size: String,
    pub(crate) site: Text,
    pub(crate) cells: Vec<Vec<GridCell>>,
}

/// One cell of the grid.
pub(crate) struct GridCell {
    pub(crate) id: CellId,
    pub(crate) stage: Stage,
    /// Whether a step runs.
    pub(crate) is_worked: bool,
    /// Whether the filter asks for it; others stand beside it, faint.
    pub(crate) is_meant: bool,
}

impl GridView {
    pub(crate) fn of(state: &State, now: Timestamp, filter: &GridFilter) -> Self {
        let Some(landscape) = &state.landscape else {
            return Self::empty();
        };
        let declared = landscape.declared();
        let stage_of = |id: &CellId| {
            state
                .cells
                .get(id)
                .map_or(Stage::Closed, |cell| stage_now(cell, now))
        };
        let mut counts = StageCounts::default();
        for id in state.cells.keys() {
            counts[stage_of(id) as usize] += 1;
        }
        let per_tenant = |scope| matches!(scope, ServiceScope::Tenant | ServiceScope::Shared);
        let columns = declared
            .services
            .iter()
            .filter(|service| per_tenant(service.scope));
        let columns =
            columns.filter(|s| filter.service.as_deref().is_none_or(|f| f == s.id.as_str()));
        let columns: Vec<Column> = columns
            .map(|service| Column {
                id: service.id.clone(),
                name: Text2::from(&service.name),
            })
            .collect();
        let mut sizes: Vec<String> = Vec::new();
        for tenant in &declared.tenants {
            if !sizes.contains(&tenant.size) {
                sizes.push(tenant.size.clone());
            }
        }
        let rows = rows(state, (&columns, filter), &stage_of);
        let (columns, rows) = narrowed(columns, rows);
        Self {
            has_landscape: true,
            ground: ground(state, &stage_of, filter),
            rows,
            columns,
            row_count_all: declared.tenants.len(),
            sites: declared
                .sites
                .iter()
                .map(|s| (s.id.to_string(), s.name.clone()))
                .collect(),
            sizes,
            counts,
        }
    }

    fn empty() -> Self {
        Self {
            has_landscape: false,
            ground: Vec::new(),
            columns: Vec::new(),
            rows: Vec::new(),
            row_count_all: 0,
            sites: Vec::new(),
            sizes: Vec::new(),
            counts: StageCounts::default(),
        }
    }
}

fn ground(
    state: &State,
    stage_of: &dyn Fn(&CellId) -> Stage,
    filter: &GridFilter,
) -> Vec<GroundLine> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let line = |service: &anlauf_model::landscape::Service| {
        let instances = landscape
            .cells_of_service(&service.id)
            .iter()
            .filter_map(|id| {
                let cell = landscape.cell(id)?;
                let at = match &cell.owner {
                    Owner::Tenant(_) => return None,
                    Owner::Site(site) => landscape
                        .site(site)
                        .map(|site| (site.id.to_string(), site.name.clone())),
                    Owner::Foundation | Owner::Shared => None,
                };
                let stage = stage_of(id);
                let kept = filter
                    .site
                    .as_deref()
                    .is_none_or(|site| site == cell.site.as_str())
                    && filter.stage.is_none_or(|wanted| wanted == stage);
                kept.then(|| GroundCell {
                    id: id.clone(),
                    site: at,
                    stage,
                })
            });
        GroundLine {
            service: Text2::from(&service.name),
            cells: instances.collect(),
        }
    };
    let services = landscape.declared().services.iter();
    let services =
        services.filter(|s| filter.service.as_deref().is_none_or(|f| f == s.id.as_str()));
    services
        .map(line)
        .filter(|line| !line.cells.is_empty())
        .collect()
}

fn rows(
    state: &State,
    (columns, filter): (&[Column], &GridFilter),
    stage_of: &dyn Fn(&CellId) -> Stage,
) -> Vec<TenantRow> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    for tenant in &landscape.declared().tenants {
        let kept = filter
            .site
            .as_deref()
            .is_none_or(|site| site == tenant.site.as_str())
            && filter
                .size
                .as_deref()
                .is_none_or(|size| size == tenant.size);
        if !kept {
            continue;
        }
        let mut by_service: BTreeMap<&ServiceId, Vec<GridCell>> = BTreeMap::new();
        for id in landscape.cells_of_tenant(&tenant.id) {
            let Some(cell) = landscape.cell(id) else {
                continue;
            };
            let known = state.cells.get(id);
            by_service.entry(&cell.service).or_default().push(GridCell {
                id: id.clone(),
                stage: stage_of(id),
                is_meant: filter.stage.is_none_or(|wanted| wanted == stage_of(id)),
                is_worked: known.is_some_and(|c| c.tasks.values().any(|t| t.finished.is_none())),
            });
        }
        let cells: Vec<Vec<GridCell>> = columns
            .iter()
            .map(|column| by_service.remove(&column.id).unwrap_or_default())
            .collect();
        let shown = filter
            .stage
            .is_none_or(|wanted| cells.iter().flatten().any(|c| c.stage == wanted));
        let site = landscape.site(&tenant.site).map(|site| site.name.clone());
        if shown {
            rows.push(TenantRow {
                id: tenant.id.to_string(),
                name: tenant.name.clone(),
                size: tenant.size.clone(),
                site: site.unwrap_or_default(),
                cells,
            });
        }
    }
    rows
}

/// Without the columns in which nobody has a cell that is asked for.
fn narrowed(columns: Vec<Column>, rows: Vec<TenantRow>) -> (Vec<Column>, Vec<TenantRow>) {
    let is_meant =
        |row: &TenantRow, index: usize| row.cells[index].iter().any(|cell| cell.is_meant);
    let kept: Vec<bool> = (0..columns.len())
        .map(|index| rows.iter().any(|row| is_meant(row, index)))
        .collect();
    if rows.is_empty() {
        return (columns, rows);
    }
    let mut index = kept.iter();
    let columns = columns
        .into_iter()
        .filter(|_| index.next() == Some(&true))
        .collect();
    let narrow = |mut row: TenantRow| {
        let mut index = kept.iter();
        row.cells.retain(|_| index.next() == Some(&true));
        row
    };
    (columns, rows.into_iter().map(narrow).collect())
}
