//! Which cells left their place in an order.
//!
//! In:    two lists of openings. Out: the fewest cells that must leave their place.
//! Never: counts a cell that only moved because those before it did.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Timestamp};

/// Everything but a longest run of cells that keep their order (patience sorting). Cells that open
/// at the same moment have none among each other.
pub(crate) fn changed<'p>(
    old: &BTreeMap<&'p CellId, Timestamp>,
    new: &BTreeMap<&'p CellId, Timestamp>,
) -> Vec<&'p CellId> {
    let both = old.iter();
    let both = both.filter_map(|(cell, before)| Some((*before, *new.get(cell)?, *cell)));
    let mut both: Vec<(Timestamp, Timestamp, &CellId)> = both.collect();
    both.sort();
    // The last cell of the best run of each length, and who stands before each cell in its run.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(both.len());
    for at in 0..both.len() {
        let place = tails.partition_point(|tail| both[*tail].1 <= both[at].1);
        before.push(place.checked_sub(1).map(|place| tails[place]));
        match tails.get_mut(place) {
            Some(tail) => *tail = at,
            None => tails.push(at),
        }
    }
    let mut stays = vec![false; both.len()];
    let mut next = tails.last().copied();
    while let Some(at) = next {
        stays[at] = true;
        next = before[at];
    }
    let changed = both.iter().zip(stays).filter(|(_, stays)| !stays);
    changed.map(|((_, _, cell), _)| *cell).collect()
}

#[cfg(test)]
mod tests;
