//! Rows of the time axis: what of a service, tenant or site is worked on and opens when.
//!
//! In:    [`State`], a [`Filter`]. Out: [`Lines`]. Never: a row without cells.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::landscape::Landscape;
use anlauf_model::{CellId, Forecast, Range, Slot, Text, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::state::Answer;

use super::chain::Chain;
use super::filter::{By, Filter};
use super::{Span, span};
use crate::view::Text2;

/// The plan on a time axis.
pub(crate) struct Lines {
    pub(crate) span: Span,
    pub(crate) rows: Vec<PlanLine>,
    pub(crate) bands: Vec<Band>,
    pub(crate) chain: Chain,
    /// Cells that are shown, and all.
    pub(crate) cell_count: usize,
    pub(crate) cell_count_all: usize,
}

/// One row of the axis.
pub(crate) struct PlanLine {
    pub(crate) name: Text2,
    /// Where the row leads.
    pub(crate) link: String,
    pub(crate) work: Option<(Timestamp, Timestamp)>,
    /// Planned openings to come.
    pub(crate) planned: Vec<Timestamp>,
    /// Openings that happened.
    pub(crate) opened: Vec<Timestamp>,
    /// Agreed windows to come.
    pub(crate) slots: Vec<Slot>,
    /// When the last of its cells opens.
    pub(crate) last: Option<Range>,
    /// Its steps on the critical chain.
    pub(crate) chain: Vec<(Timestamp, Timestamp)>,
    pub(crate) done_count: usize,
    pub(crate) cell_count: usize,
}

/// A time without work or release.
pub(crate) struct Band {
    pub(crate) name: Text,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// A row before anything is known of it.
struct Group<'a> {
    name: Text2,
    link: String,
    cells: Vec<&'a CellId>,
    /// When the last of all its cells opens, as forecast for the whole group.
    range: Option<Range>,
}

impl Lines {
    pub(crate) fn of(state: &State, now: Timestamp, filter: &Filter) -> Self {
        let span = span(state, now);
        let Some(landscape) = state.landscape.as_deref() else {
            return Self {
                span,
                rows: Vec::new(),
                bands: Vec::new(),
                chain: Chain::default(),
                cell_count: 0,
                cell_count_all: 0,
            };
        };
        let mut groups = groups(landscape, state.forecast().map(|f| &**f), filter.by);
        for group in &mut groups {
            let cell_count = group.cells.len();
            group.cells.retain(|id| filter.admits_id(landscape, id));
            // Of a part of a group, only the ranges of its cells are known.
            group.range = group.range.filter(|_| group.cells.len() == cell_count);
        }
        groups.retain(|group| !group.cells.is_empty());
        let chain = Chain::of(state, now, filter);
        let spans = spans(state);
        let shown: BTreeSet<_> = groups.iter().flat_map(|group| &group.cells).collect();
        let (cell_count, cell_count_all) = (shown.len(), landscape.cells().len());
        let rows = groups
            .into_iter()
            .map(|group| line(state, now, group, (&spans, &chain)));
        Self {
            rows: rows.collect(),
            span,
            bands: bands(state, span),
            chain,
            cell_count,
            cell_count_all,
        }
    }
}

fn groups<'a>(landscape: &'a Landscape, forecast: Option<&Forecast>, by: By) -> Vec<Group<'a>> {
    let declared = landscape.declared();
    match by {
        By::Service => {
            let services = declared.services.iter().map(|service| Group {
                name: Text2::from(&service.name),
                link: format!("/console/grid?service={}", service.id),
                cells: landscape.cells_of_service(&service.id).iter().collect(),
                range: forecast.and_then(|f| f.services.get(&service.id).copied()),
            });
            services.collect()
        }
        By::Tenant => {
            let tenants = declared.tenants.iter().map(|tenant| Group {
                name: Text2::same(&tenant.name),
                link: format!("/console/tenants/{}", tenant.id),
                cells: landscape.cells_of_tenant(&tenant.id).iter().collect(),
                range: forecast.and_then(|f| f.tenants.get(&tenant.id).copied()),
            });
            tenants.collect()
        }
        By::Site => {
            let sites = declared.sites.iter().map(|site| Group {
                name: Text2::from(&site.name),
                link: format!("/console/grid?site={}", site.id),
                cells: landscape.cells_at_site(&site.id).iter().collect(),
                range: None,
            });
            sites.collect()
        }
    }
}

/// From its first step in the plan to its last, per cell.
fn spans(state: &State) -> BTreeMap<&CellId, (Timestamp, Timestamp)> {
    let mut spans: BTreeMap<&CellId, (Timestamp, Timestamp)> = BTreeMap::new();
    for row in state.plan.iter().flat_map(|plan| &plan.rows) {
        let span = spans.entry(&row.cell).or_insert((row.start, row.end));
        *span = (span.0.min(row.start), span.1.max(row.end));
    }
    spans
}

fn line(
    state: &State,
    now: Timestamp,
    group: Group<'_>,
    (spans, chain): (&BTreeMap<&CellId, (Timestamp, Timestamp)>, &Chain),
) -> PlanLine {
    let cells = &group.cells;
    let known = || cells.iter().filter_map(|id| state.cells.get(*id));
    let spans: Vec<_> = cells
        .iter()
        .filter_map(|id| spans.get(*id).copied())
        .collect();
    let started = known()
        .flat_map(|cell| cell.tasks.values().map(|task| task.started))
        .min();
    let opened: Vec<_> = known().filter_map(|cell| cell.restored_at).collect();
    let begin = spans.iter().map(|span| span.0).chain(started).min();
    let end = spans
        .iter()
        .map(|span| span.1)
        .chain(opened.iter().copied())
        .max();
    let agreed = cells.iter().filter_map(|id| state.offers.get(*id));
    let agreed = agreed.filter(|offer| offer.answer == Answer::Agreed && offer.slot.to > now);
    let ranges = state.forecast().into_iter();
    let ranges = ranges.flat_map(|f| cells.iter().filter_map(|id| f.cells.get(*id)));
    let steps = chain
        .steps
        .iter()
        .filter(|step| cells.contains(&&step.cell));
    PlanLine {
        name: group.name,
        link: group.link,
        work: begin.zip(end),
        planned: spans.iter().map(|span| span.1).collect(),
        done_count: opened.len(),
        opened,
        slots: agreed.map(|offer| offer.slot).collect(),
        last: group
            .range
            .or_else(|| ranges.copied().max_by_key(|range| range.p80)),
        chain: steps.map(|step| (step.start, step.end)).collect(),
        cell_count: cells.len(),
    }
}

fn bands(state: &State, span: Span) -> Vec<Band> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let minutes = |days: f64| anlauf_model::Minutes((days * 1440.0) as i64);
    let freezes = landscape.declared().freezes.iter().map(|freeze| Band {
        name: freeze.reason.clone(),
        from: span.from + minutes(freeze.from_day),
        to: span.from + minutes(freeze.to_day),
    });
    let holds = state.incident.iter().flat_map(|incident| &incident.holds);
    let holds = holds.filter_map(|(site, until)| {
        Some(Band {
            name: landscape.site(site)?.name.clone(),
            from: span.from,
            to: *until,
        })
    });
    freezes
        .chain(holds)
        .filter(|band| band.to > span.from && band.from < span.to)
        .collect()
}
