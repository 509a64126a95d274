//! Keeps agreed windows with as little promotion as possible.
//!
//! In:    a [`Network`], an order by taste.
//! Out:   a schedule that keeps every window, or the cells that missed theirs.
//! Never: promotes a cell whose window holds without it.
//! See:   research/planner.md §3: scheduling all windows first costs 7 points of gap.

use crate::calendar::{Minute, Work};
use crate::network::Network;
use crate::order;
use crate::piece::{self, Piece};
use crate::serial::{self, Lanes, Schedule};

/// Rounds in which cells that missed their window are promoted, before it counts as impossible.
const ROUNDS_MAX: u32 = 8;

/// An order by taste.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Taste<'t> {
    /// Of cells: each with all its steps.
    Cells(&'t [usize]),
    /// Of single steps.
    Pieces(&'t [Piece]),
}

/// A schedule that keeps every window.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// The cells in the order in which they were placed, or of their openings.
    pub order: Vec<usize>,
    /// Whether single steps were placed: the order of cells does not say where they lie.
    pub is_by_piece: bool,
    /// Cells that had to come first.
    pub first: Vec<usize>,
    pub schedule: Schedule,
}

/// Places the cells in the order of taste; promotes what misses its window, with all it waits for.
///
/// # Errors
/// The cells that still miss their window after the last round.
pub(crate) fn keep(
    network: &Network<'_>,
    taste: Taste<'_>,
    first: &[usize],
    works: &[Work],
) -> Result<Kept, Vec<usize>> {
    let mut first = first.to_vec();
    let mut round = 0;
    loop {
        let kept = placed(network, taste, &first, works);
        let missed = missed(network, &kept.schedule.open);
        if missed.is_empty() {
            return Ok(kept);
        }
        round += 1;
        if round > ROUNDS_MAX {
            return Err(missed);
        }
        first = match round {
            1..=4 => promoted(network, first, &missed),
            5 => by_end(network, slotted(network)),
            _ => in_front(first, missed),
        };
    }
}

/// Places once: those cells first, whatever windows say.
pub(crate) fn placed(
    network: &Network<'_>,
    taste: Taste<'_>,
    first: &[usize],
    works: &[Work],
) -> Kept {
    let (order, schedule) = match taste {
        Taste::Cells(taste) => {
            let order = order::placeable(network, taste, first);
            let schedule = serial::schedule(network, &order, works, Lanes::Counted);
            (order, schedule)
        }
        Taste::Pieces(taste) => {
            let pieces = piece::placeable(network, taste, first);
            let schedule = serial::schedule_pieces(network, &pieces, works);
            (schedule.by_opening(), schedule)
        }
    };
    Kept {
        order,
        is_by_piece: matches!(taste, Taste::Pieces(_)),
        first: first.to_vec(),
        schedule,
    }
}

/// Cells that have a window.
pub(crate) fn slotted(network: &Network<'_>) -> Vec<usize> {
    (0..network.nodes.len())
        .filter(|at| network.nodes[*at].slot.is_some())
        .collect()
}

/// Cells that open outside their window.
pub(crate) fn missed(network: &Network<'_>, open: &[Minute]) -> Vec<usize> {
    let misses = |at: &usize| {
        let slot = network.nodes[*at].slot;
        slot.is_some_and(|slot| open[*at] < slot.from || open[*at] > slot.to)
    };
    (0..network.nodes.len()).filter(misses).collect()
}

fn promoted(network: &Network<'_>, mut first: Vec<usize>, missed: &[usize]) -> Vec<usize> {
    first.extend(missed);
    by_end(network, first)
}

/// The window that ends first comes first.
fn by_end(network: &Network<'_>, mut cells: Vec<usize>) -> Vec<usize> {
    cells.sort_by_key(|at| (network.nodes[*at].slot.map(|slot| slot.to), *at));
    cells.dedup();
    cells
}

fn in_front(first: Vec<usize>, missed: Vec<usize>) -> Vec<usize> {
    let rest: Vec<usize> = first
        .into_iter()
        .filter(|at| !missed.contains(at))
        .collect();
    missed.into_iter().chain(rest).collect()
}
