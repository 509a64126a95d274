//! What the public reads: calm, per service and per tenant, nothing from inside.

use anlauf_model::landscape::ServiceScope;
use anlauf_model::{CellId, Stage, TenantId, Text, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{self, HitRate};

use super::desk::{NoticeView, notices};
use super::{StageCounts, Text2, stage_now};

/// The public status.
pub(crate) struct StatusView {
    pub(crate) provider: Option<Text>,
    pub(crate) incident: Option<(Text, Timestamp, Option<Timestamp>)>,
    pub(crate) services: Vec<ServiceLine>,
    pub(crate) tenants: Vec<(TenantId, String)>,
    /// The tenant someone asked for.
    pub(crate) chosen: Option<ChosenTenant>,
    /// Tenants that fit what was asked, when there are several.
    pub(crate) several: Vec<(TenantId, String)>,
    /// Someone asked for a name that nobody has.
    pub(crate) is_unknown: bool,
    pub(crate) notices: Vec<NoticeView>,
    /// How dates that were given held; none before the first forecast.
    pub(crate) hits: Option<HitRate>,
}

/// One service over all tenants that have it.
pub(crate) struct ServiceLine {
    pub(crate) name: Text2,
    pub(crate) counts: StageCounts,
    pub(crate) count: u32,
}

/// One tenant's services.
pub(crate) struct ChosenTenant {
    pub(crate) name: String,
    pub(crate) services: Vec<(Text2, Stage, Option<Timestamp>)>,
}

impl StatusView {
    pub(crate) fn of(state: &State, now: Timestamp, asked: Option<&str>) -> Self {
        let declared = state.landscape.as_ref().map(|l| l.declared());
        let mut tenants: Vec<(TenantId, String)> = declared
            .map(|d| {
                d.tenants
                    .iter()
                    .map(|t| (t.id.clone(), t.name.clone()))
                    .collect()
            })
            .unwrap_or_default();
        tenants.sort_by(|a, b| a.1.cmp(&b.1));
        let found = asked.map(|asked| find(&tenants, asked)).unwrap_or_default();
        Self {
            provider: declared.map(|declared| declared.title.clone()),
            incident: state
                .incident
                .as_ref()
                .map(|i| (i.title.clone(), i.began, i.ended)),
            services: services(state, now),
            chosen: match found.as_slice() {
                [(id, _)] => chosen(state, now, id),
                _ => None,
            },
            is_unknown: asked.is_some() && found.is_empty(),
            several: if found.len() > 1 { found } else { Vec::new() },
            tenants,
            notices: notices(state, |notice| notice.tenant.is_none()),
            hits: state.forecast().map(|_| query::hit_rate(state)),
        }
    }

    /// An incident runs.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.incident, Some((_, _, None)))
    }
}

/// Whether an id and a name in small letters are meant.
type Way<'a> = &'a dyn Fn(&str, &str) -> bool;

/// Tenants by id, by name, by a word of it, or by a part of it: the first way that finds any.
fn find(tenants: &[(TenantId, String)], asked: &str) -> Vec<(TenantId, String)> {
    let asked = asked.trim().to_lowercase();
    let ways: [Way<'_>; 3] = [
        &|id, name| id == asked || name == asked,
        &|_, name| name.split_whitespace().any(|word| word == asked),
        &|id, name| name.contains(&asked) || id.contains(&asked),
    ];
    let by = |way: &Way<'_>| {
        let fits = |(id, name): &&(TenantId, String)| way(id.as_str(), &name.to_lowercase());
        tenants.iter().filter(fits).cloned().collect::<Vec<_>>()
    };
    ways.iter()
        .map(by)
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// Services people know: those of tenants, without the non-standard ones.
fn services(state: &State, now: Timestamp) -> Vec<ServiceLine> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let known = landscape.declared().services.iter().filter(|service| {
        matches!(service.scope, ServiceScope::Tenant | ServiceScope::Shared) && !service.custom
    });
    let line = |service: &anlauf_model::landscape::Service| {
        let cells = landscape
            .cells_of_service(&service.id)
            .iter()
            .filter_map(|id| {
                landscape.cell(id).filter(|cell| cell.tenant().is_some())?;
                state.cells.get(id)
            });
        let counts = super::count_stages(cells, now);
        ServiceLine {
            name: Text2::from(&service.name),
            count: counts.iter().sum(),
            counts,
        }
    };
    known.map(line).filter(|line| line.count > 0).collect()
}

fn chosen(state: &State, now: Timestamp, id: &TenantId) -> Option<ChosenTenant> {
    let landscape = state.landscape.as_ref()?;
    let tenant = landscape.tenant(id)?;
    let line = |id: &CellId| {
        let cell = landscape.cell(id)?;
        let service = landscape
            .service(&cell.service)
            .filter(|service| !service.custom)?;
        let stage = stage_now(state.cells.get(id)?, now);
        let range = state.forecast().and_then(|forecast| forecast.cells.get(id));
        let expected = range.filter(|_| !stage.is_public()).map(|range| range.p80);
        Some((Text2::from(&service.name), stage, expected))
    };
    Some(ChosenTenant {
        name: tenant.name.clone(),
        services: landscape
            .cells_of_tenant(id)
            .iter()
            .filter_map(line)
            .collect(),
    })
}
