//! Finds the order.
//!
//! In:    a [`Situation`], the plan it replaces, a [`Search`].
//! Out:   a [`Plan`], or the [`Contradiction`] that stands in its way.
//! Never: a plan that misses an agreed window.

use anlauf_model::{CellId, Digest, Plan, PlanRow};

use crate::bound;
use crate::calendar::Work;
use crate::conflict;
use crate::cost;
use crate::deadline;
use crate::detour;
use crate::improve;
use crate::network::Network;
use crate::order;
use crate::rules;
use crate::serial::Schedule;
use crate::situation::Situation;
use crate::slots::{self, Kept};

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
    let bound = bound::bound(&network, &works);
    let least = bound::over_choices(situation).unwrap_or(bound.minutes);
    let mut tastes = rules::orders(&network, &works);
    tastes.push(bound.order);
    let kept = improve::search(&network, &tastes, &works, search)
        .map_err(|nearest| conflict::windows(&network, &nearest, &works))?;
    let kept = granted(&network, kept, &works);
    let cost = cost::weighted_minutes(&network, &kept.schedule.open);
    Ok(Plan {
        id: Digest([0; 32]),
        parent,
        made_at: situation.now,
        rows: rows(&network, &kept.schedule),
        objective: cost::weighted_hours(cost),
        bound: cost::weighted_hours(least),
    }
    .sealed())
}

/// The schedule with every wish granted. Agreed windows come before wishes: when they do not hold
/// any longer, it stays as it was.
pub(crate) fn granted(network: &Network<'_>, kept: Kept, works: &[Work]) -> Kept {
    if network.wishes.is_empty() {
        return kept;
    }
    let taste = order::wished(network, &kept.order);
    slots::keep(network, &taste, &kept.first, works).unwrap_or(kept)
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
