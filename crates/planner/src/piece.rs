//! Orders of single steps: what a search or an earlier plan found, in more detail than by cells.
//!
//! In:    begins of steps. Out: steps in an order in which they can be placed.
//! Never: loses a step, or names one twice; places one before what it waits for.
//!
//! An order of cells says nothing about where a cell's steps lie among those of others. A schedule
//! that a search found step by step, put back into an order of cells, costs as much as one that
//! nobody searched for.

use anlauf_model::TaskKind;

use crate::calendar::Minute;
use crate::network::Network;
use crate::order;
use crate::serial::Schedule;

/// What is placed: a task, or the opening of a cell that has none left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Piece {
    /// By index.
    Task(usize),
    /// By index.
    Cell(usize),
}

/// Follows what pieces wait for.
struct Puller<'n, 'a> {
    network: &'n Network<'a>,
    given: Vec<bool>,
    stack: Vec<Piece>,
    order: Vec<Piece>,
}

/// Every piece in the order of its begin; equal ones by cell.
pub(crate) fn by_begin(network: &Network<'_>, schedule: &Schedule) -> Vec<Piece> {
    let all = (0..network.nodes.len()).flat_map(|at| of_cell(network, at));
    let mut pieces: Vec<Piece> = all.collect();
    pieces.sort_by_key(|piece| begin(network, schedule, *piece));
    pieces
}

fn begin(network: &Network<'_>, schedule: &Schedule, piece: Piece) -> Minute {
    match piece {
        Piece::Task(task) if network.tasks[task].running.is_some() => Minute::MIN,
        Piece::Task(task) => schedule.begin[task],
        Piece::Cell(node) => schedule.open[node],
    }
}

/// Puts cells in front of the order, then what each piece waits for before it.
pub(crate) fn placeable(network: &Network<'_>, taste: &[Piece], first: &[usize]) -> Vec<Piece> {
    let mut puller = Puller {
        network,
        given: vec![false; network.tasks.len() + network.nodes.len()],
        stack: Vec::new(),
        order: Vec::with_capacity(taste.len()),
    };
    for at in first {
        puller.pull(last(network, *at));
    }
    for piece in taste {
        puller.pull(*piece);
    }
    puller.order
}

/// The order of a schedule with every wish granted: each wishing tenant's cells take each other's
/// places. Who has more steps than the place goes on where that ended.
pub(crate) fn wished(network: &Network<'_>, schedule: &Schedule) -> Vec<Piece> {
    let opened = schedule.by_opening();
    let wanted = order::wished(network, &opened);
    let mut place_of: Vec<usize> = (0..network.nodes.len()).collect();
    for (place, at) in opened.into_iter().zip(wanted) {
        place_of[at] = place;
    }
    let mut keyed: Vec<(Minute, Piece)> = Vec::with_capacity(network.tasks.len());
    for (at, place) in place_of.into_iter().enumerate() {
        let mut places = of_cell(network, place);
        for piece in of_cell(network, at) {
            let place = places.next().unwrap_or(last(network, place));
            keyed.push((begin(network, schedule, place), piece));
        }
    }
    keyed.sort_by_key(|(begin, _)| *begin);
    keyed.into_iter().map(|(_, piece)| piece).collect()
}

/// How often a cell opens after one of its tenant that the tenant wishes behind it.
pub(crate) fn against_wishes(network: &Network<'_>, schedule: &Schedule) -> usize {
    let wanted = order::wished(network, &schedule.by_opening());
    let mut count = 0;
    for wish in &network.wishes {
        let owner = network.nodes[wish[0]].cell.id.owner();
        let is_own = |at: &&usize| network.nodes[**at].cell.id.owner() == owner;
        let own: Vec<usize> = wanted.iter().filter(is_own).copied().collect();
        for (place, at) in own.iter().enumerate().filter(|(_, at)| wish.contains(at)) {
            let behind = own[place + 1..].iter();
            count += behind
                .filter(|other| schedule.open[**other] < schedule.open[*at])
                .count();
        }
    }
    count
}

/// The pieces of a cell, in their order.
pub(crate) fn of_cell(network: &Network<'_>, at: usize) -> impl Iterator<Item = Piece> + use<> {
    let tasks = network.nodes[at].tasks.clone();
    let opening = tasks.is_empty().then_some(Piece::Cell(at));
    tasks.map(Piece::Task).chain(opening)
}

/// With which piece a cell opens.
fn last(network: &Network<'_>, at: usize) -> Piece {
    let tasks = &network.nodes[at].tasks;
    match tasks.is_empty() {
        true => Piece::Cell(at),
        false => Piece::Task(tasks.end - 1),
    }
}

impl Puller<'_, '_> {
    fn pull(&mut self, piece: Piece) {
        self.stack.push(piece);
        while let Some(top) = self.stack.last().copied() {
            let length = self.stack.len();
            if !self.is_given(top) {
                self.push_missing(top);
            }
            if self.stack.len() > length {
                continue;
            }
            self.stack.pop();
            if !self.is_given(top) {
                let number = self.number(top);
                self.given[number] = true;
                self.order.push(top);
            }
        }
    }

    /// Puts on the stack what a piece waits for and what is not given yet.
    fn push_missing(&mut self, piece: Piece) {
        let network = self.network;
        match piece {
            Piece::Cell(at) => {
                let node = &network.nodes[at];
                self.push_cells(&node.needs);
                self.push_cells(&node.after);
            }
            Piece::Task(task) => {
                let node = &network.nodes[network.tasks[task].node];
                if task > node.tasks.start && !self.given[task - 1] {
                    self.stack.push(Piece::Task(task - 1));
                }
                if network.tasks[task].running.is_some() {
                    return;
                }
                if network.tasks[task].kind != TaskKind::Evidence {
                    self.push_cells(&node.needs);
                }
                if network.tasks[task].kind == TaskKind::Return {
                    self.push_cells(node.detour.as_slice());
                }
                if task + 1 == node.tasks.end {
                    self.push_cells(&node.after);
                }
            }
        }
    }

    fn push_cells(&mut self, cells: &[usize]) {
        for at in cells {
            let last = last(self.network, *at);
            if !self.is_given(last) {
                self.stack.push(last);
            }
        }
    }

    fn is_given(&self, piece: Piece) -> bool {
        self.given[self.number(piece)]
    }

    fn number(&self, piece: Piece) -> usize {
        match piece {
            Piece::Task(task) => task,
            Piece::Cell(at) => self.network.tasks.len() + at,
        }
    }
}
