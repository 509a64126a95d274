//! Days of the month by which services are open, as windows that give way.
//!
//! In:    a [`Network`], the deadlines of its landscape.
//! Out:   the same network, in which cells have a window up to their deadline.
//! Never: lets a deadline break an agreed window; keeps one that cannot be kept.
//! See:   docs/planner.md, "Problem".
//!
//! A deadline that has become impossible for a cell (nothing can open it by then) is the one of the
//! month after. What cannot be kept beside the others is given up, not reported as a contradiction:
//! nobody agreed to it.

use anlauf_model::{CellId, Landscape, Plan};

use crate::calendar::{Minute, Origin, Work};
use crate::network::{Network, Span};
use crate::serial::{self, Lanes};
use crate::slots::{self, Taste};
use crate::{order, rules};

/// How often what was missed is given up before all deadlines are.
const ROUNDS_MAX: u32 = 4;

/// Gives cells a window up to their deadline, as far as a plan by a simple rule can keep them.
pub(crate) fn soften(network: &mut Network<'_>, landscape: &Landscape, works: &[Work]) {
    if landscape.declared().deadlines.is_empty() {
        return;
    }
    let Some(taste) = rules::orders(network, works).into_iter().next() else {
        return;
    };
    let placed = order::placeable(network, &taste, &[]);
    let earliest = serial::schedule(network, &placed, works, Lanes::Unlimited).open;
    let mut soft: Vec<usize> = Vec::new();
    for (at, earliest) in earliest.into_iter().enumerate() {
        let node = &network.nodes[at];
        let due = due(landscape, &network.origin, &node.cell.service, earliest);
        if let (None, Some(due)) = (node.slot, due) {
            network.nodes[at].slot = Some(Span { from: 0, to: due });
            soft.push(at);
        }
    }
    for round in 0..=ROUNDS_MAX {
        let Err(missed) = slots::keep(network, Taste::Cells(&taste), &[], works) else {
            return;
        };
        let given_up: Vec<usize> = match round < ROUNDS_MAX {
            true => missed.into_iter().filter(|at| soft.contains(at)).collect(),
            false => soft.clone(),
        };
        // Agreed windows alone do not hold: no deadline is to blame or to be kept.
        let given_up = if given_up.is_empty() {
            soft.clone()
        } else {
            given_up
        };
        for at in &given_up {
            network.nodes[*at].slot = None;
        }
        soft.retain(|at| !given_up.contains(at));
        if soft.is_empty() {
            return;
        }
    }
}

/// The first deadline of a service that is no earlier than a minute.
fn due(
    landscape: &Landscape,
    origin: &Origin,
    service: &anlauf_model::ServiceId,
    earliest: Minute,
) -> Option<Minute> {
    let deadlines = landscape.declared().deadlines.iter();
    let of_service = deadlines.filter(|deadline| deadline.services.contains(service));
    let due = of_service.filter_map(|d| origin.month_day(earliest, d.month_day, d.hour));
    due.min()
}

/// Cells that a plan opens after the first deadline since it was made.
pub fn deadlines_missed(landscape: &Landscape, plan: &Plan) -> Vec<CellId> {
    let origin = Origin::new(plan.made_at, &landscape.declared().time_zone);
    let is_late = |(id, open): &(&CellId, anlauf_model::Timestamp)| {
        let due = landscape
            .cell(id)
            .and_then(|cell| due(landscape, &origin, &cell.service, 0));
        due.is_some_and(|due| origin.minute(*open) > due)
    };
    let late = plan.releases().into_iter().filter(is_late);
    late.map(|(id, _)| id.clone()).collect()
}
