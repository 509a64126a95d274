//! Makes the plan fit what has happened since, and leaves the rest as it was.
//!
//! In:    a [`Situation`], the plan in force.
//! Out:   [`Repaired`]: a child of that plan in its order, and the agreed windows it cannot keep.
//! Never: searches: a few schedules, each placed once; breaks a window that could be kept.
//! See:   docs/planner.md, "Replanning".

use std::collections::BTreeMap;

use anlauf_model::{CellId, Digest, Plan, Timestamp};

use crate::calendar::Work;
use crate::detour::Detours;
use crate::network::{Network, Span};
use crate::schedule::{Contradiction, granted, rows};
use crate::serial::{self, Lanes};
use crate::situation::Situation;
use crate::slots::{self, Kept};
use crate::{bound, conflict, cost, deadline, order, place, rules};

/// How often windows that were missed are given up together before all are.
const ROUNDS_MAX: u32 = 3;

/// How many windows that were given up are tried again one by one.
const TRIALS_MAX: usize = 12;

/// A plan that fits what has happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Repaired {
    /// A child of the plan that was repaired, with the bound that a new plan would have.
    pub plan: Plan,
    /// Cells whose agreed windows cannot be kept. Each one of them taken back by itself breaks
    /// another; empty when all hold.
    pub broken: Vec<CellId>,
}

/// Repairs a plan.
///
/// # Errors
/// [`Contradiction`] when cells wait for each other in a circle or a task has nobody to do it: the
/// plan in force stays.
pub fn repair(situation: &Situation<'_>, old: &Plan) -> Result<Repaired, Contradiction> {
    let detours = Detours::of_plan(situation, old);
    let mut network = Network::new(situation, &detours);
    if let Some(contradiction) = conflict::nobody(&network) {
        return Err(contradiction);
    }
    let circle = order::circle(&network);
    if !circle.is_empty() {
        return Err(conflict::circle(&network, &circle));
    }
    let works = network.works();
    let hard = network.clone();
    deadline::soften(&mut network, situation.landscape, &works);
    let tastes = [Place::Opening, Place::Middle, Place::Begin];
    let tastes = tastes.map(|place| order_of(&network, old, place, &works));
    let placed = order::placeable(&network, &tastes[0], &[]);
    let free = serial::schedule(&network, &placed, &works, Lanes::Unlimited);
    let steady = |taste: &Vec<usize>| {
        let kept = slots::keep(&network, taste, &[], &works).ok()?;
        let changed = changed(&network, old, &kept);
        let cost = cost::weighted_minutes(&network, &kept.schedule.open);
        Some(((changed, cost), kept))
    };
    // The bound of a new plan, beside the schedules on a thread of its own.
    let (best, bound) = std::thread::scope(|scope| {
        let bound = scope.spawn(|| bound::bound(&network, &works).minutes);
        let best = tastes.iter().filter_map(steady).min_by_key(|found| found.0);
        match bound.join() {
            Ok(bound) => (best, bound),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let (kept, mut broken, bound) = match best {
        Some((_, kept)) => (kept, Vec::new(), bound),
        None => {
            // Before an agreed window is broken, every deadline gives way.
            network = hard;
            let (kept, broken) = give_up(&mut network, (&tastes[0], &works), &free.open);
            let bound = bound::bound(&network, &works).minutes;
            (kept, broken, bound)
        }
    };
    let bound = over_choices(situation, &network, &broken).unwrap_or(bound);
    let kept = granted(&network, kept, &works);
    broken.sort_unstable();
    let cost = cost::weighted_minutes(&network, &kept.schedule.open);
    let plan = Plan {
        id: Digest([0; 32]),
        parent: Some(old.id),
        made_at: situation.now,
        rows: rows(&network, &kept.schedule),
        objective: cost::weighted_hours(cost),
        bound: cost::weighted_hours(bound),
    };
    let name = |at: &usize| network.nodes[*at].cell.id.clone();
    Ok(Repaired {
        plan: plan.sealed(),
        broken: broken.iter().map(name).collect(),
    })
}

/// The bound over every choice of emergency operations, without the windows that are broken.
fn over_choices(
    situation: &Situation<'_>,
    network: &Network<'_>,
    broken: &[usize],
) -> Option<u128> {
    if broken.is_empty() {
        return bound::over_choices(situation);
    }
    let mut kept = situation.clone();
    for at in broken {
        kept.slots.remove(&network.nodes[*at].cell.id);
    }
    bound::over_choices(&kept)
}

/// Where a cell lies in a plan: three views of one order. Which of them comes nearest to the old
/// order when cells are placed anew depends on what has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Opening,
    Middle,
    Begin,
}

/// The cells in the order of the plan. What it does not name lies where a simple rule would put
/// it: as far from the front as it stands among all.
fn order_of(network: &Network<'_>, old: &Plan, place: Place, works: &[Work]) -> Vec<usize> {
    let opens = places_of(old, place);
    let rule = rules::orders(network, works).into_iter().next();
    let rule = rule.unwrap_or_else(|| (0..network.nodes.len()).collect());
    let open = |at: &usize| opens.get(&network.nodes[*at].cell.id).copied();
    let mut known: Vec<usize> = rule
        .iter()
        .copied()
        .filter(|at| open(at).is_some())
        .collect();
    known.sort_by_key(|at| (open(at), *at));
    let count = rule.len().max(1);
    let place = |index: usize| index * known.len() / count;
    let new = rule.iter().enumerate().filter(|(_, at)| open(at).is_none());
    let new = new.map(|(index, at)| (place(index), 0, *at));
    let old = known.iter().enumerate();
    let mut all: Vec<(usize, u8, usize)> =
        new.chain(old.map(|(index, at)| (index, 1, *at))).collect();
    all.sort_by_key(|(place, is_old, _)| (*place, *is_old));
    all.into_iter().map(|(_, _, at)| at).collect()
}

/// A schedule without the windows that cannot be kept, and whose those are.
///
/// Windows that are impossible whatever the others do go first, then what is missed. What was
/// given up is tried again one by one, so that none is given up for nothing.
fn give_up(
    network: &mut Network<'_>,
    (taste, works): (&[usize], &[Work]),
    earliest: &[i64],
) -> (Kept, Vec<usize>) {
    let windows: Vec<Option<Span>> = network.nodes.iter().map(|node| node.slot).collect();
    let all = slots::slotted(network);
    let is_late = |at: &usize| windows[*at].is_some_and(|slot| earliest[*at] > slot.to);
    let lost: Vec<usize> = all.iter().copied().filter(is_late).collect();
    let mut broken = lost.clone();
    let mut kept = None;
    for round in 0..=ROUNDS_MAX {
        if round == ROUNDS_MAX {
            broken.clone_from(&all);
        }
        for at in &broken {
            network.nodes[*at].slot = None;
        }
        match slots::keep(network, taste, &[], works) {
            Ok(found) => {
                kept = Some(found);
                break;
            }
            Err(missed) => broken.extend(missed),
        }
    }
    let mut kept = kept.unwrap_or_else(|| without_windows(network, taste, works));
    let again = broken.iter().copied().filter(|at| !lost.contains(at));
    let again: Vec<usize> = again.take(TRIALS_MAX).collect();
    for at in again {
        // The only one cannot be kept: that is why it stands here.
        if broken.len() <= 1 {
            break;
        }
        network.nodes[at].slot = windows[at];
        match slots::keep(network, taste, &kept.first, works) {
            Ok(found) => {
                kept = found;
                broken.retain(|other| *other != at);
            }
            Err(_) => network.nodes[at].slot = None,
        }
    }
    (kept, broken)
}

fn places_of(old: &Plan, place: Place) -> BTreeMap<&CellId, Timestamp> {
    let mut spans: BTreeMap<&CellId, (Timestamp, Timestamp)> = BTreeMap::new();
    for row in &old.rows {
        let span = spans.entry(&row.cell).or_insert((row.start, row.end));
        *span = (span.0.min(row.start), span.1.max(row.end));
    }
    let of = |(begin, open): (Timestamp, Timestamp)| match place {
        Place::Opening => open,
        Place::Middle => Timestamp(begin.0 / 2 + open.0 / 2),
        Place::Begin => begin,
    };
    spans
        .into_iter()
        .map(|(cell, span)| (cell, of(span)))
        .collect()
}

/// How many cells left their place.
fn changed(network: &Network<'_>, old: &Plan, kept: &Kept) -> usize {
    let open = kept.schedule.open.iter();
    let open = open.zip(&network.nodes);
    let open = open.map(|(open, node)| (&node.cell.id, network.origin.time(*open)));
    place::changed(&old.releases(), &open.collect()).len()
}

fn without_windows(network: &Network<'_>, taste: &[usize], works: &[Work]) -> Kept {
    let order = order::placeable(network, taste, &[]);
    let schedule = serial::schedule(network, &order, works, Lanes::Counted);
    Kept {
        order,
        first: Vec::new(),
        schedule,
    }
}
