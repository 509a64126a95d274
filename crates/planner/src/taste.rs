//! The order of an earlier plan, for a network that has changed since.
//!
//! In:    a [`Network`], the [`Plan`] before. Out: an [`Order`] of its steps and of its cells.
//! Never: looks at what has changed: that is for whoever places them.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Plan, TaskKind, Timestamp};

use crate::calendar::Work;
use crate::network::Network;
use crate::piece::{self, Piece};
use crate::rules;

/// One order in several views.
pub(crate) struct Order {
    /// Each step where it began.
    pub pieces: Vec<Piece>,
    /// Whole cells by opening, by middle, by begin. Which of them comes nearest to the old order
    /// when cells are placed anew depends on what has happened.
    pub cells: [Vec<usize>; 3],
}

/// What the plan says of one cell.
struct Told {
    begin: Timestamp,
    open: Timestamp,
    /// By task.
    begins: Vec<(TaskKind, Timestamp)>,
}

/// Reads the order of a plan. What it does not name lies where a simple rule would put it: as far
/// from the front as it stands among all.
pub(crate) fn of_plan(network: &Network<'_>, old: &Plan, works: &[Work]) -> Order {
    let told = told(old);
    let told: Vec<Option<&Told>> = network
        .nodes
        .iter()
        .map(|node| told.get(&node.cell.id))
        .collect();
    let rule = rules::orders(network, works).into_iter().next();
    let rule = rule.unwrap_or_else(|| (0..network.nodes.len()).collect());
    let middle = |told: &Told| Timestamp(told.begin.0 / 2 + told.open.0 / 2);
    Order {
        pieces: pieces(network, &told, &rule),
        cells: [
            cells(&rule, &told, |told| told.open),
            cells(&rule, &told, middle),
            cells(&rule, &told, |told| told.begin),
        ],
    }
}

fn told(old: &Plan) -> BTreeMap<&CellId, Told> {
    let mut told: BTreeMap<&CellId, Told> = BTreeMap::new();
    for rows in old.rows.chunk_by(|a, b| a.cell == b.cell) {
        for row in rows {
            let told = told.entry(&row.cell).or_insert_with(|| Told {
                begin: row.start,
                open: row.end,
                begins: Vec::new(),
            });
            told.begin = told.begin.min(row.start);
            told.open = told.open.max(row.end);
            told.begins.push((row.task, row.start));
        }
    }
    told
}

/// The cells by what the plan says of them, with those that it does not name in between.
fn cells(rule: &[usize], told: &[Option<&Told>], key: impl Fn(&Told) -> Timestamp) -> Vec<usize> {
    let mut known: Vec<(Timestamp, usize)> = rule
        .iter()
        .filter_map(|at| Some((key(told[*at]?), *at)))
        .collect();
    known.sort_unstable();
    let count = rule.len().max(1);
    let place = |index: usize| index * known.len() / count;
    let new = rule
        .iter()
        .enumerate()
        .filter(|(_, at)| told[**at].is_none());
    let new = new.map(|(index, at)| (place(index), 0, *at));
    let old = known.iter().enumerate();
    let old = old.map(|(index, (_, at))| (index, 1, *at));
    let mut all: Vec<(usize, u8, usize)> = new.chain(old).collect();
    all.sort_by_key(|(place, is_old, _)| (*place, *is_old));
    all.into_iter().map(|(_, _, at)| at).collect()
}

/// The steps by their begin. One that is to be done again lies where the next one after it began;
/// those of a cell that the plan does not name, where the cell in whose place it comes began.
fn pieces(network: &Network<'_>, told: &[Option<&Told>], rule: &[usize]) -> Vec<Piece> {
    let order = cells(rule, told, |told| told.begin);
    let mut begin = vec![Timestamp(i64::MAX); network.nodes.len()];
    let mut next = Timestamp(i64::MAX);
    for at in order.into_iter().rev() {
        next = told[at].map_or(next, |told| told.begin);
        begin[at] = next;
    }
    let mut keyed: Vec<(Timestamp, bool, Piece)> = Vec::with_capacity(network.tasks.len());
    for (at, told) in told.iter().enumerate() {
        let of_node = keyed.len();
        match told {
            None => {
                let pieces = piece::of_cell(network, at);
                keyed.extend(pieces.map(|piece| (begin[at], false, piece)));
            }
            Some(told) => add_told(network, at, told, &mut keyed),
        }
        // What a step of the same cell waits for lies no later than it.
        for place in (of_node + 1..keyed.len()).rev() {
            keyed[place - 1].0 = keyed[place - 1].0.min(keyed[place].0);
        }
    }
    keyed.sort_by_key(|(begin, is_old, _)| (*begin, *is_old));
    keyed.into_iter().map(|(_, _, piece)| piece).collect()
}

fn add_told(
    network: &Network<'_>,
    at: usize,
    told: &Told,
    keyed: &mut Vec<(Timestamp, bool, Piece)>,
) {
    for piece in piece::of_cell(network, at) {
        let Piece::Task(task) = piece else {
            keyed.push((told.open, true, piece));
            continue;
        };
        let kind = network.tasks[task].kind;
        let named = told.begins.iter().find(|(other, _)| *other == kind);
        let is_running = network.tasks[task].running.is_some();
        keyed.push(match named {
            _ if is_running => (Timestamp(i64::MIN), true, piece),
            Some((_, begin)) => (*begin, true, piece),
            None => (told.open, false, piece),
        });
    }
}
