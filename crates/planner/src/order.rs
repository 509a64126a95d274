//! Orders of cells that can be placed: everything after what it waits for.
//!
//! In:    an order by taste. Out: the same order with each cell's prerequisites pulled before it.
//! Never: loses a cell, or names one twice.

use crate::network::Network;

/// Cells that wait for each other in a circle; empty when there is none.
pub(crate) fn circle(network: &Network<'_>) -> Vec<usize> {
    let count = network.nodes.len();
    let mut open: Vec<usize> = (0..count).map(|at| before(network, at).count()).collect();
    let mut next = vec![Vec::new(); count];
    for at in 0..count {
        for earlier in before(network, at) {
            next[earlier].push(at);
        }
    }
    let mut ready: Vec<usize> = (0..count).filter(|at| open[*at] == 0).collect();
    while let Some(at) = ready.pop() {
        for later in &next[at] {
            open[*later] -= 1;
            if open[*later] == 0 {
                ready.push(*later);
            }
        }
    }
    let stuck = (0..count).find(|at| open[*at] > 0);
    stuck.map_or(Vec::new(), |from| walk_back(network, &open, from))
}

/// Follows what is waited for until a cell comes twice: that is the circle.
fn walk_back(network: &Network<'_>, open: &[usize], from: usize) -> Vec<usize> {
    let mut path: Vec<usize> = vec![from];
    let mut at = from;
    while let Some(earlier) = before(network, at).find(|n| open[*n] > 0) {
        if let Some(begin) = path.iter().position(|n| *n == earlier) {
            return path.split_off(begin);
        }
        path.push(earlier);
        at = earlier;
    }
    path
}

/// Cells that must be open before this one can open.
fn before<'n>(network: &'n Network<'_>, at: usize) -> impl Iterator<Item = usize> + 'n {
    let node = &network.nodes[at];
    let waits = node.needs.iter().chain(&node.after);
    waits.chain(&node.detour).copied()
}

/// Puts `first` in front of the order, then every cell's prerequisites before it.
pub(crate) fn placeable(network: &Network<'_>, taste: &[usize], first: &[usize]) -> Vec<usize> {
    let mut given = vec![false; network.nodes.len()];
    let mut order = Vec::with_capacity(taste.len());
    for at in first.iter().chain(taste) {
        pull(network, *at, &mut given, &mut order, &|_| true);
    }
    order
}

/// The order with every wish granted: only the wishing tenants' cells change places, and only
/// among each other, so no tenant waits for another's wish.
pub(crate) fn wished(network: &Network<'_>, order: &[usize]) -> Vec<usize> {
    let mut order = order.to_vec();
    for wish in &network.wishes {
        grant(network, &mut order, wish);
    }
    order
}

/// Gives the places of a tenant's cells to the same cells in the order of the wish.
fn grant(network: &Network<'_>, taste: &mut [usize], wish: &[usize]) {
    let owner = network.nodes[wish[0]].cell.id.owner();
    let is_own = |at: usize| network.nodes[at].cell.id.owner() == owner;
    let places: Vec<usize> = (0..taste.len())
        .filter(|place| is_own(taste[*place]))
        .collect();
    let mut given = vec![false; network.nodes.len()];
    let mut order = Vec::with_capacity(places.len());
    let rest: Vec<usize> = places.iter().map(|place| taste[*place]).collect();
    for at in wish.iter().chain(&rest) {
        pull(network, *at, &mut given, &mut order, &is_own);
    }
    for (place, at) in places.into_iter().zip(order) {
        taste[place] = at;
    }
}

/// Appends a cell, and before it what it waits for as far as `may` allows; each once.
fn pull(
    network: &Network<'_>,
    at: usize,
    given: &mut [bool],
    order: &mut Vec<usize>,
    may: &dyn Fn(usize) -> bool,
) {
    let mut stack = vec![at];
    while let Some(top) = stack.last().copied() {
        if given[top] {
            stack.pop();
            continue;
        }
        let missing = before(network, top).filter(|n| !given[*n] && may(*n));
        let length = stack.len();
        stack.extend(missing);
        if stack.len() == length {
            given[top] = true;
            order.push(top);
            stack.pop();
        }
    }
}
