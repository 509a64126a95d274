//! Makes the plan fit what has happened since, and leaves the rest as it was.
//!
//! In:    a [`Situation`], the plan in force.
//! Out:   [`Repaired`]: a child of that plan in its order, and the agreed windows it cannot keep.
//! Never: searches: a few schedules, each placed once; breaks a window that could be kept.
//! See:   docs/planner.md, "Replanning".

use anlauf_model::{CellId, Digest, Plan};

use crate::calendar::Work;
use crate::detour::Detours;
use crate::network::{Network, Span};
use crate::schedule::{Contradiction, granted, rows};
use crate::serial::{self, Lanes};
use crate::situation::Situation;
use crate::slots::{self, Kept, Taste};
use crate::taste::{self, Order};
use crate::{bound, conflict, cost, deadline, order, place};

/// How often windows that were missed are given up together before all are.
const ROUNDS_MAX: u32 = 3;

/// How many windows that were given up are tried again one by one.
const TRIALS_MAX: usize = 12;

/// A schedule that costs less than this share more than the cheapest may be taken for its order.
/// 1 / 100.
const COST_SHARE: u128 = 100;

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
    let taste = taste::of_plan(&network, old, &works);
    // The bound of a new plan, beside the schedules on a thread of its own.
    let (best, bound) = std::thread::scope(|scope| {
        let bound = scope.spawn(|| bound::bound(&network, &works).minutes);
        let best = steady(&network, old, &taste, &works);
        match bound.join() {
            Ok(bound) => (best, bound),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let (kept, mut broken, bound) = match best {
        Some(kept) => (kept, Vec::new(), bound),
        None => {
            // Before an agreed window is broken, every deadline gives way.
            network = hard;
            let (kept, broken) = give_up(&mut network, &taste, &works);
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

/// The schedule that leaves most cells in their places, of those that keep every window and cost
/// hardly more than the cheapest.
///
/// Steps in their old order come first. When that keeps every window without anything moved to the
/// front, it is as near to the old plan as there is, with all that a search found.
fn steady(network: &Network<'_>, old: &Plan, taste: &Order, works: &[Work]) -> Option<Kept> {
    let keep = |taste| slots::keep(network, taste, &[], works).ok();
    let by_piece = keep(Taste::Pieces(&taste.pieces));
    if by_piece.as_ref().is_some_and(|kept| kept.first.is_empty()) {
        return by_piece;
    }
    let by_cell = taste
        .cells
        .iter()
        .filter_map(|cells| keep(Taste::Cells(cells)));
    let cost = |kept: &Kept| cost::weighted_minutes(network, &kept.schedule.open);
    let found = by_piece.into_iter().chain(by_cell);
    let found: Vec<(u128, Kept)> = found.map(|kept| (cost(&kept), kept)).collect();
    let least = found.iter().map(|(cost, _)| *cost).min()?;
    let dear = least.saturating_add(least / COST_SHARE);
    let found = found.into_iter().filter(|(cost, _)| *cost <= dear);
    let best = found.min_by_key(|(cost, kept)| (changed(network, old, kept), *cost));
    best.map(|(_, kept)| kept)
}

/// A schedule without the windows that cannot be kept, and whose those are.
///
/// Windows that are impossible whatever the others do go first, then what is missed. What was
/// given up is tried again one by one, so that none is given up for nothing.
fn give_up(network: &mut Network<'_>, order: &Order, works: &[Work]) -> (Kept, Vec<usize>) {
    let taste = Taste::Pieces(&order.pieces);
    let placed = order::placeable(network, &order.cells[0], &[]);
    let earliest = serial::schedule(network, &placed, works, Lanes::Unlimited).open;
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
    let mut kept = kept.unwrap_or_else(|| slots::placed(network, taste, &[], works));
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

/// How many cells left their place.
fn changed(network: &Network<'_>, old: &Plan, kept: &Kept) -> usize {
    let open = kept.schedule.open.iter();
    let open = open.zip(&network.nodes);
    let open = open.map(|(open, node)| (&node.cell.id, network.origin.time(*open)));
    place::changed(&old.releases(), &open.collect()).len()
}
