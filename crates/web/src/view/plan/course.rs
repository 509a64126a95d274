//! The way so far and to come: services released, and how many by when as forecast.
//!
//! In:    [`State`], which cells. Out: [`Course`], and the two progress numbers over time.
//! Never: a forecast of what is released already.

use anlauf_model::{Range, TaskKind, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{self, HitRate};

use super::filter::Filter;
use super::{Span, span};
use crate::view::stage_now;

#[cfg(test)]
mod tests;

/// How the services of tenants come back.
pub(crate) struct Course {
    pub(crate) span: Span,
    /// Services of tenants in all.
    pub(crate) total: u32,
    /// How many are released from when on.
    pub(crate) released: Vec<(Timestamp, u32)>,
    /// The same as the plan wants it.
    pub(crate) planned: Vec<(Timestamp, u32)>,
    /// The same as forecast: with 50, 80, 95 of 100. Empty without a forecast.
    pub(crate) fan: [Vec<(Timestamp, u32)>; 3],
    pub(crate) hits: HitRate,
    pub(crate) way: Way,
}

/// How the two progress numbers grew. Per mille at points in time, each list by itself.
#[derive(Default)]
pub(crate) struct Way {
    pub(crate) restored: Vec<(Timestamp, u32)>,
    pub(crate) released: Vec<(Timestamp, u32)>,
}

/// A quantile of a range.
type Pick = fn(&Range) -> Timestamp;

impl Course {
    /// Whether there are services and none of them is left to come.
    pub(crate) fn is_all_back(&self) -> bool {
        let back = self.released.last().map_or(0, |(_, count)| *count);
        self.total > 0 && back == self.total
    }

    pub(crate) fn of(state: &State, now: Timestamp, filter: &Filter) -> Self {
        let span = span(state, now);
        let mut course = Self {
            span,
            total: 0,
            released: Vec::new(),
            planned: Vec::new(),
            fan: <[Vec<(Timestamp, u32)>; 3]>::default(),
            hits: query::hit_rate(state),
            way: way(state, now),
        };
        let Some(landscape) = &state.landscape else {
            return course;
        };
        let services = landscape.cells().iter();
        let services = services.filter(|(_, cell)| cell.tenant().is_some() && filter.admits(cell));
        let releases = state.plan.as_ref().map(|plan| plan.releases());
        let (mut opened, mut planned) = (Vec::new(), Vec::new());
        let mut expected: Vec<Range> = Vec::new();
        for (id, _) in services {
            course.total += 1;
            let known = state.cells.get(id);
            if let Some(cell) = known.filter(|cell| stage_now(cell, now).is_public()) {
                let since = cell.gap_last().and_then(|gap| gap.to);
                opened.push(since.unwrap_or(span.from).max(span.from));
                continue;
            }
            planned.extend(releases.as_ref().and_then(|ends| ends.get(id).copied()));
            expected.extend(state.forecast().and_then(|f| f.cells.get(id).copied()));
        }
        let before = u32::try_from(opened.len()).unwrap_or(u32::MAX);
        course.released = stairs(opened, (span.from, 0), Some(now));
        course.planned = stairs(planned, (now, before), None);
        if !expected.is_empty() {
            let picks: [Pick; 3] = [|one| one.p50, |one| one.p80, |one| one.p95];
            course.fan = picks.map(|pick| {
                let ends = expected.iter().map(|range| pick(range).max(now));
                stairs(ends.collect(), (now, before), None)
            });
        }
        course
    }

    /// How many are released by a point in time, along a line.
    pub(crate) fn count(line: &[(Timestamp, u32)], at: Timestamp) -> u32 {
        let known = line.iter().take_while(|(from, _)| *from <= at);
        known.last().map_or(0, |(_, count)| *count)
    }
}

/// How a count grows from where it begins to where it ends.
fn stairs(
    mut steps: Vec<Timestamp>,
    begin: (Timestamp, u32),
    end: Option<Timestamp>,
) -> Vec<(Timestamp, u32)> {
    steps.sort_unstable();
    let mut line = vec![begin];
    let mut count = begin.1;
    for at in steps {
        count = count.saturating_add(1);
        let is_first = line.len() == 1;
        match line.last_mut() {
            Some(last) if last.0 == at && !is_first => last.1 = count,
            _ => line.push((at, count)),
        }
    }
    if let Some(end) = end.filter(|end| line.last().is_some_and(|last| last.0 < *end)) {
        line.push((end, count));
    }
    line
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
