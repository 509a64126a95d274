//! The plan on a time axis: rows of services or tenants, the teams' load, the way so far.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Digest, Plan, Range, Slot, TaskKind, Text, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{self, HitRate};
use anlauf_recovery::state::{Answer, PlanNote};

use super::inbox::{PlanCard, plans};
use super::{CellName, Text2, cell_name};

/// Columns of the teams' load.
pub(crate) const LOAD_COUNT: usize = 96;
/// Moves a difference of plans names.
const MOVE_SHOWN_MAX: usize = 5;

/// Everything of the plan page.
pub(crate) struct PlanView {
    pub(crate) current: Option<PlanHead>,
    pub(crate) proposed: Vec<PlanCard>,
    pub(crate) notes: Vec<PlanNote>,
    pub(crate) axis: Axis,
    pub(crate) rows: Vec<PlanLine>,
    pub(crate) teams: Vec<TeamLoad>,
    pub(crate) bands: Vec<Band>,
    pub(crate) way: Way,
    pub(crate) whole: Option<Range>,
    pub(crate) hits: HitRate,
    pub(crate) by_tenant: bool,
}

/// The plan in force, in figures.
pub(crate) struct PlanHead {
    pub(crate) id: Digest,
    pub(crate) made_at: Timestamp,
    pub(crate) gap_per_mille: u64,
    pub(crate) end: Option<Timestamp>,
    pub(crate) cell_count: usize,
}

/// From when to when the axis goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// One row of the axis.
pub(crate) struct PlanLine {
    pub(crate) name: Text2,
    /// Where the row leads: a filter of the grid.
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
    pub(crate) done_count: usize,
    pub(crate) cell_count: usize,
}

/// A time without work or release.
pub(crate) struct Band {
    pub(crate) name: Text,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// How busy a team is, per column of the axis. Per mille of its lanes.
pub(crate) struct TeamLoad {
    pub(crate) name: Text,
    pub(crate) lanes: u32,
    pub(crate) load: Vec<u32>,
    pub(crate) busy_hours: u64,
}

/// How the two progress numbers grew. Per mille at points in time, each list by itself.
#[derive(Default)]
pub(crate) struct Way {
    pub(crate) restored: Vec<(Timestamp, u32)>,
    pub(crate) released: Vec<(Timestamp, u32)>,
}

/// What a proposed plan changes.
#[derive(Clone, Debug)]
pub(crate) struct PlanDifference {
    pub(crate) earlier: usize,
    pub(crate) later: usize,
    pub(crate) same: usize,
    /// The largest moves: which, from, to.
    pub(crate) moves: Vec<(CellName, Timestamp, Timestamp)>,
}

impl PlanView {
    pub(crate) fn of(state: &State, now: Timestamp, by_tenant: bool) -> Self {
        let axis = axis(state, now);
        Self {
            current: state.plan.as_ref().map(|plan| PlanHead {
                id: plan.id,
                made_at: plan.made_at,
                gap_per_mille: plan.gap_per_mille(),
                end: plan.rows.iter().map(|row| row.end).max(),
                cell_count: plan.releases().len(),
            }),
            proposed: plans(state),
            notes: state.plans.iter().rev().cloned().collect(),
            rows: lines(state, now, by_tenant),
            teams: teams(state, axis),
            bands: bands(state, axis),
            axis,
            way: way(state, now),
            whole: state.forecast().and_then(|forecast| forecast.whole),
            hits: query::hit_rate(state),
            by_tenant,
        }
    }
}

impl Axis {
    /// Where a point lies. Per mille of the width, cut at both ends.
    pub(crate) fn at(&self, at: Timestamp) -> f64 {
        let whole = (self.to.0 - self.from.0).max(1) as f64;
        (((at.0 - self.from.0) as f64) / whole).clamp(0.0, 1.0) * 1000.0
    }
}

fn axis(state: &State, now: Timestamp) -> Axis {
    let began = state
        .incident
        .as_ref()
        .map_or(now, |incident| incident.began);
    let planned = state
        .plan
        .iter()
        .flat_map(|plan| plan.rows.iter().map(|row| row.end))
        .max();
    let whole = state
        .forecast()
        .and_then(|forecast| forecast.whole.map(|range| range.p95));
    let day = anlauf_model::Minutes::days(1);
    let to = [planned, whole, Some(now + day)]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(now);
    Axis {
        from: began,
        to: to + anlauf_model::Minutes::hours(12),
    }
}

fn lines(state: &State, now: Timestamp, by_tenant: bool) -> Vec<PlanLine> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let declared = landscape.declared();
    let mut groups: Vec<(Text2, String, &[CellId])> = Vec::new();
    if by_tenant {
        for tenant in &declared.tenants {
            let link = format!("/console/tenants/{}", tenant.id);
            let cells = landscape.cells_of_tenant(&tenant.id);
            groups.push((Text2::same(&tenant.name), link, cells));
        }
    } else {
        for service in &declared.services {
            let link = format!("/console/grid?service={}", service.id);
            let name = Text2::from(&service.name);
            groups.push((name, link, landscape.cells_of_service(&service.id)));
        }
    }
    let mut rows: BTreeMap<&CellId, (Timestamp, Timestamp)> = BTreeMap::new();
    for row in state.plan.iter().flat_map(|plan| &plan.rows) {
        let span = rows.entry(&row.cell).or_insert((row.start, row.end));
        *span = (span.0.min(row.start), span.1.max(row.end));
    }
    groups
        .into_iter()
        .map(|(name, link, cells)| line(state, now, (name, link), (cells, &rows)))
        .collect()
}

fn line(
    state: &State,
    now: Timestamp,
    (name, link): (Text2, String),
    (cells, rows): (&[CellId], &BTreeMap<&CellId, (Timestamp, Timestamp)>),
) -> PlanLine {
    let spans: Vec<_> = cells
        .iter()
        .filter_map(|id| rows.get(id).copied())
        .collect();
    let known = || cells.iter().filter_map(|id| state.cells.get(id));
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
    let agreed = cells.iter().filter_map(|id| state.offers.get(id));
    let agreed = agreed.filter(|offer| offer.answer == Answer::Agreed && offer.slot.to > now);
    let ranges = state.forecast().into_iter();
    let ranges = ranges.flat_map(|f| cells.iter().filter_map(|id| f.cells.get(id)));
    PlanLine {
        name,
        link,
        work: begin.zip(end),
        planned: spans.iter().map(|span| span.1).collect(),
        done_count: opened.len(),
        opened,
        slots: agreed.map(|offer| offer.slot).collect(),
        last: ranges.copied().max_by_key(|range| range.p80),
        cell_count: cells.len(),
    }
}

fn bands(state: &State, axis: Axis) -> Vec<Band> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let minutes = |days: f64| anlauf_model::Minutes((days * 1440.0) as i64);
    let freezes = landscape.declared().freezes.iter().map(|freeze| Band {
        name: freeze.reason.clone(),
        from: axis.from + minutes(freeze.from_day),
        to: axis.from + minutes(freeze.to_day),
    });
    let holds = state.incident.iter().flat_map(|incident| &incident.holds);
    let holds = holds.filter_map(|(site, until)| {
        Some(Band {
            name: landscape.site(site)?.name.clone(),
            from: axis.from,
            to: *until,
        })
    });
    freezes
        .chain(holds)
        .filter(|band| band.to > axis.from && band.from < axis.to)
        .collect()
}

fn teams(state: &State, axis: Axis) -> Vec<TeamLoad> {
    let (Some(landscape), Some(plan)) = (&state.landscape, &state.plan) else {
        return Vec::new();
    };
    let step = ((axis.to.0 - axis.from.0) / LOAD_COUNT as i64).max(1);
    let mut busy: BTreeMap<&anlauf_model::TeamId, Vec<i64>> = BTreeMap::new();
    for row in &plan.rows {
        let Some(team) = &row.team else { continue };
        let columns = busy.entry(team).or_insert_with(|| vec![0; LOAD_COUNT]);
        for (index, column) in columns.iter_mut().enumerate() {
            let from = axis.from.0 + step * index as i64;
            *column += (row.end.0.min(from + step) - row.start.0.max(from)).max(0);
        }
    }
    let teams = landscape.declared().teams.iter().filter_map(|team| {
        let columns = busy.get(&team.id)?;
        let whole = step.saturating_mul(i64::from(team.lanes.max(1)));
        let share = |spent: &i64| u32::try_from(spent * 1000 / whole.max(1)).unwrap_or(1000);
        Some(TeamLoad {
            name: team.name.clone(),
            lanes: team.lanes,
            load: columns.iter().map(share).collect(),
            busy_hours: u64::try_from(columns.iter().sum::<i64>() / 3_600_000).unwrap_or(0),
        })
    });
    teams.collect()
}

/// How the two numbers grew, read off the steps and gaps of the cells.
fn way(state: &State, now: Timestamp) -> Way {
    let (Some(landscape), Some(incident)) = (&state.landscape, &state.incident) else {
        return Way::default();
    };
    let (mut restored, mut released) = (Vec::new(), Vec::new());
    let (mut total, mut waiting) = (0u128, 0u128);
    for (id, cell) in landscape.cells() {
        let Some(known) = state.cells.get(id) else {
            continue;
        };
        total += 1;
        let technical = cell
            .tasks
            .keys()
            .filter(|t| !matches!(t, TaskKind::Acceptance | TaskKind::Decision));
        let ends: Option<Vec<_>> = technical
            .map(|t| known.tasks.get(t).and_then(|task| task.finished))
            .collect();
        let back = known
            .restored_at
            .or(ends.and_then(|ends| ends.into_iter().max()));
        restored.extend(back.map(|at| (at, 1u128)));
        if cell.tenant().is_some() {
            waiting += u128::from(cell.insured);
            let open = known.stage.is_public().then(|| known.gap_last()).flatten();
            released.extend(
                open.and_then(|gap| gap.to)
                    .map(|at| (at, u128::from(cell.insured))),
            );
        }
    }
    let span = (incident.began, incident.ended.unwrap_or(now));
    Way {
        restored: grown(restored, total, span),
        released: grown(released, waiting, span),
    }
}

fn grown(
    mut steps: Vec<(Timestamp, u128)>,
    whole: u128,
    (from, to): (Timestamp, Timestamp),
) -> Vec<(Timestamp, u32)> {
    steps.sort();
    let per_mille = |sum: u128| u32::try_from(sum * 1000 / whole.max(1)).unwrap_or(1000);
    let mut line = vec![(from, 0)];
    let mut sum = 0;
    for (at, share) in steps {
        sum += share;
        let point = per_mille(sum);
        // Steps nobody can see are left out: the line has at most 1,000 of them.
        if line.last().is_none_or(|last| last.1 != point) {
            line.push((at.max(from), point));
        }
    }
    line.push((to, per_mille(sum)));
    line
}

/// What a plan changes against another: only openings that both have.
pub(crate) fn difference(state: &State, current: &Plan, proposed: &Plan) -> PlanDifference {
    let (before, after) = (current.releases(), proposed.releases());
    let mut found = PlanDifference {
        earlier: 0,
        later: 0,
        same: 0,
        moves: Vec::new(),
    };
    let mut moves: Vec<(i64, &CellId, Timestamp, Timestamp)> = Vec::new();
    for (cell, to) in after {
        let Some(from) = before.get(cell).copied() else {
            continue;
        };
        match (to - from).0 {
            0 => found.same += 1,
            minutes if minutes < 0 => found.earlier += 1,
            _ => found.later += 1,
        }
        if to != from {
            moves.push(((to - from).0.abs(), cell, from, to));
        }
    }
    moves.sort_by_key(|(size, ..)| std::cmp::Reverse(*size));
    let shown = moves
        .into_iter()
        .take(MOVE_SHOWN_MAX)
        .filter_map(|(_, cell, from, to)| {
            Some((cell_name(state.landscape.as_deref()?, cell), from, to))
        });
    found.moves = shown.collect();
    found
}
