//! Finds the order.
//!
//! In:    a [`Situation`], the plan it replaces, a [`Search`].
//! Out:   a [`Plan`], or the [`Contradiction`] that stands in its way.
//! Never: a plan that misses an agreed window.

use anlauf_model::{CellId, Digest, Plan, PlanRow};

use crate::bound;
use crate::calendar::{Minute, Work};
use crate::conflict;
use crate::cost;
use crate::deadline;
use crate::detour;
use crate::improve;
use crate::network::Network;
use crate::order;
use crate::piece;
use crate::rules;
use crate::serial::Schedule;
use crate::situation::Situation;
use crate::slots::{self, Kept, Taste};

/// How hard to look. Same seed and steps, same answer, with any number of threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Search {
    /// Seed of every choice.
    pub seed: u64,
    /// How many improvement steps after the rules; 0 = best rule only.
    ///
    /// A step makes one schedule and its share of the engine's walks, about 13 ms for 10,000 tasks;
    /// gains become small after 100.
    pub steps: u32,
}

/// How often steps are moved forward at the most. On the shipped landscapes the second time finds
/// nothing more.
const SETTLE_MAX: u32 = 3;

/// Wishes or slots that cannot all hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Contradiction {
    /// The cells whose slots cannot hold together, as few as possible. When some are impossible
    /// whatever the others do, all of those: each must be given up.
    pub cells: Vec<CellId>,
    /// In words, lower case.
    pub why: String,
}

/// Makes the plan.
///
/// # Errors
/// [`Contradiction`] when agreed slots cannot be kept, when cells wait for each other in a circle,
/// or when a task has nobody to do it.
pub fn plan(
    situation: &Situation<'_>,
    parent: Option<Digest>,
    search: Search,
) -> Result<Plan, Contradiction> {
    let detours = detour::choose(situation, search.steps);
    let mut network = Network::new(situation, &detours);
    if let Some(contradiction) = conflict::nobody(&network) {
        return Err(contradiction);
    }
    let circle = order::circle(&network);
    if !circle.is_empty() {
        return Err(conflict::circle(&network, &circle));
    }
    let works = network.works();
    deadline::soften(&mut network, situation.landscape, &works);
    let (bound, tried) = tried(situation, &network, &works);
    let found = improve::search(&network, tried, &works, search)
        .map_err(|nearest| conflict::windows(&network, &nearest, &works))?;
    let last = |kept| {
        let kept = settled(&network, granted(&network, kept, &works), &works);
        let cost = cost::weighted_minutes(&network, &kept.schedule.open);
        (cost, kept.schedule)
    };
    let best = found.into_iter().map(last).min_by_key(|(cost, _)| *cost);
    let (cost, schedule) = best.expect("a search finds at least one");
    Ok(Plan {
        id: Digest([0; 32]),
        parent,
        made_at: situation.now,
        rows: rows(&network, &schedule),
        objective: cost::weighted_hours(cost),
        bound: cost::weighted_hours(bound),
    }
    .sealed())
}

/// The bound and every order tried: the rules here, the bound and the order that follows from it on
/// a thread of their own. Answers keep their places.
fn tried(
    situation: &Situation<'_>,
    network: &Network<'_>,
    works: &[Work],
) -> (u128, Vec<improve::Tried>) {
    std::thread::scope(|scope| {
        let by_bound = scope.spawn(|| {
            let bound = bound::bound(network, works);
            let least = bound::over_choices(situation).unwrap_or(bound.minutes);
            (least, improve::tried(network, bound.order, works))
        });
        let rules = rules::orders(network, works).into_iter();
        let mut all: Vec<_> = rules
            .map(|rule| improve::tried(network, rule, works))
            .collect();
        match by_bound.join() {
            Ok((least, last)) => {
                all.push(last);
                (least, all)
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// The schedule with every wish granted. Agreed windows come before wishes: when they do not hold
/// any longer, it stays as it was. So does what was placed step by step, when cells of a tenant
/// that changes their places open no more in its order than before.
pub(crate) fn granted(network: &Network<'_>, kept: Kept, works: &[Work]) -> Kept {
    if network.wishes.is_empty() {
        return kept;
    }
    if !kept.is_by_piece {
        let taste = order::wished(network, &kept.order);
        let taste = Taste::Cells(&taste);
        return slots::keep(network, taste, &kept.first, works).unwrap_or(kept);
    }
    let taste = piece::wished(network, &kept.schedule);
    let against = |kept: &Kept| piece::against_wishes(network, &kept.schedule);
    let found = slots::keep(network, Taste::Pieces(&taste), &kept.first, works);
    found
        .ok()
        .filter(|found| against(found) < against(&kept))
        .unwrap_or(kept)
}

/// The schedule with each step moved to where nothing before it is in the way any longer. A repair
/// places steps in this order: what moves here would move there, without anything having happened.
fn settled(network: &Network<'_>, mut kept: Kept, works: &[Work]) -> Kept {
    for _ in 0..SETTLE_MAX {
        let taste = piece::by_begin(network, &kept.schedule);
        let found = slots::placed(network, Taste::Pieces(&taste), &[], works);
        let is_later = |(found, kept): (&Minute, &Minute)| found > kept;
        let mut openings = found.schedule.open.iter().zip(&kept.schedule.open);
        if found.schedule == kept.schedule || openings.any(is_later) {
            break;
        }
        let against = |kept: &Kept| piece::against_wishes(network, &kept.schedule);
        if !slots::missed(network, &found.schedule.open).is_empty()
            || against(&found) > against(&kept)
        {
            break;
        }
        kept = found;
    }
    kept
}

/// The schedule as rows, by cell, then task.
pub(crate) fn rows(network: &Network<'_>, schedule: &Schedule) -> Vec<PlanRow> {
    let row = |(at, task): (usize, &crate::network::Task)| PlanRow {
        cell: network.nodes[task.node].cell.id.clone(),
        task: task.kind,
        team: network.crews[task.crew].team.cloned(),
        start: task.running.map_or_else(
            || network.origin.time(schedule.begin[at]),
            |running| running.started,
        ),
        end: network.origin.time(schedule.end[at]),
    };
    network.tasks.iter().enumerate().map(row).collect()
}
