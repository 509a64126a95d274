//! Simulates a plan many times and reads ranges off it.
//!
//! In:    a [`Situation`], a [`Plan`] made from it, how many samples, a seed.
//! Out:   a [`Forecast`]: P50, P80 and P95 per cell and for the whole.
//! Never: adds up dates: every sample is played by crews with lanes and hours, in the plan's order.
//! See:   research/planner.md §5: factors shared by all tasks are what makes ranges honest.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Forecast, Plan, Range, TaskKind, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::calendar::{Minute, Work};
use crate::learn::{Belief, Learned};
use crate::network::Network;
use crate::replay::{self, Dependents};
use crate::situation::Situation;

/// How often a result is not good enough, and what share of the work doing it again takes.
const REWORK: f64 = 0.08;
const REWORK_SHARE: std::ops::Range<f64> = 0.3..1.0;

/// A task that has used up its time needs this share of it still, at least.
const OVERDUE_SHARE: f64 = 0.1;

/// Longest a single task is thought to take. Estimates; e³ ≈ 20 times.
const LOGARITHM_MAX: f64 = 3.0;

/// Simulates the plan `samples` times from `seed`.
///
/// Durations: shared factors of the incident and of each team, learned from tasks begun, times
/// a factor of the task with a heavy tail. Cells that never open (nobody works on them) get no
/// range; while there is one, neither does the whole.
pub fn forecast(situation: &Situation<'_>, plan: &Plan, samples: u32, seed: u64) -> Forecast {
    let network = Network::new(situation);
    let places = places(&network, plan);
    let dependents = Dependents::new(&network);
    let learned = Learned::new(situation);
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut opens: Vec<Vec<Minute>> = vec![Vec::new(); network.nodes.len()];
    let mut ends: Vec<Minute> = Vec::new();
    for _ in 0..samples {
        let works = sample(&network, &learned, &mut chance);
        let open = replay::replay(&network, &dependents, &places, &works, learned.handover);
        for (opens, open) in opens.iter_mut().zip(&open) {
            opens.extend(open);
        }
        ends.extend(
            open.iter()
                .copied()
                .collect::<Option<Vec<_>>>()
                .and_then(|all| all.into_iter().max()),
        );
    }
    let complete = |minutes: Vec<Minute>| match minutes.len() == samples as usize {
        true => range(&network, minutes),
        false => None,
    };
    let ranges = network.nodes.iter().zip(opens);
    let ranges = ranges.filter_map(|(node, opens)| Some((node.cell.id.clone(), complete(opens)?)));
    Forecast {
        plan: plan.id,
        made_at: situation.now,
        cells: ranges.collect::<BTreeMap<CellId, Range>>(),
        whole: complete(ends),
    }
}

/// Each task's place in the order of the plan; what is not in it comes last.
fn places(network: &Network<'_>, plan: &Plan) -> Vec<usize> {
    let starts: BTreeMap<(&CellId, TaskKind), Timestamp> = plan
        .rows
        .iter()
        .map(|row| ((&row.cell, row.task), row.start))
        .collect();
    let start = |task: usize| {
        let what = &network.tasks[task];
        let start = starts.get(&(&network.nodes[what.node].cell.id, what.kind));
        (start.copied().unwrap_or(Timestamp(i64::MAX)), task)
    };
    let mut order: Vec<usize> = (0..network.tasks.len()).collect();
    order.sort_by_key(|task| start(*task));
    let mut places = vec![0; order.len()];
    for (place, task) in order.into_iter().enumerate() {
        places[task] = place;
    }
    places
}

/// One way it could go: minutes of work for every task.
fn sample(
    network: &Network<'_>,
    learned: &Learned<'_>,
    chance: &mut Xoshiro256PlusPlus,
) -> Vec<Work> {
    let incident = draw(learned.incident, chance);
    // All tenants' testers share one factor, as they do in what was learned.
    let testers = draw(learned.crew(None, incident), chance);
    let crew = |crew: &crate::network::Crew<'_>, chance: &mut Xoshiro256PlusPlus| match crew.team {
        Some(team) => draw(learned.crew(Some(team), incident), chance),
        None => testers,
    };
    let crews: Vec<f64> = network
        .crews
        .iter()
        .map(|c| incident + crew(c, chance))
        .collect();
    let task = |task: &crate::network::Task| {
        let own = Belief {
            mean: crews[task.crew],
            sd: learned.task_sd,
        };
        let factor = draw(own, chance).clamp(-LOGARITHM_MAX, LOGARITHM_MAX).exp();
        let again = chance.random_bool(REWORK);
        let share = chance.random_range(REWORK_SHARE);
        let whole = task.estimate.mean().0 as f64 * factor * if again { 1.0 + share } else { 1.0 };
        let left = task.running.map_or(whole, |running| {
            (whole - running.elapsed as f64).max(whole * OVERDUE_SHARE)
        });
        (left.round() as Work).max(1)
    };
    network.tasks.iter().map(task).collect()
}

fn draw(belief: Belief, chance: &mut Xoshiro256PlusPlus) -> f64 {
    let normal: f64 = StandardNormal.sample(chance);
    belief.mean + belief.sd * normal
}

/// The times that 50, 80 and 95 of 100 samples do not pass.
fn range(network: &Network<'_>, mut minutes: Vec<Minute>) -> Option<Range> {
    minutes.sort_unstable();
    let at = |per_cent: usize| {
        let place = (minutes.len() * per_cent).div_ceil(100).saturating_sub(1);
        minutes
            .get(place)
            .map(|minute| network.origin.time(*minute))
    };
    Some(Range {
        p50: at(50)?,
        p80: at(80)?,
        p95: at(95)?,
    })
}
