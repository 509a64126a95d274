//! What changes between two plans, in short.
//!
//! In:    two plans.
//! Out:   how many cells come sooner, later, newly or not at all, and the largest moves.
//! Never: the whole of both plans.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Plan, Timestamp};
use serde_json::{Value, json};

use super::shape::{Shape, list, maybe, object};
use crate::limits::MOVE_COUNT_MAX;

/// What changes between two plans.
pub(crate) struct Difference {
    sooner: usize,
    later: usize,
    same: usize,
    added: usize,
    gone: usize,
    moves: Vec<Move>,
}

struct Move {
    cell: CellId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Difference {
    /// Compares when each cell is released.
    pub(crate) fn of(before: &Plan, after: &Plan) -> Self {
        Self::between(&before.releases(), &after.releases())
    }

    /// Compares dates by cell.
    pub(crate) fn between(
        before: &BTreeMap<&CellId, Timestamp>,
        after: &BTreeMap<&CellId, Timestamp>,
    ) -> Self {
        let mut found = Self {
            sooner: 0,
            later: 0,
            same: 0,
            added: 0,
            gone: 0,
            moves: Vec::new(),
        };
        for (cell, to) in after {
            found.count((*cell).clone(), before.get(cell).copied(), Some(*to));
        }
        for (cell, from) in before.iter().filter(|(cell, _)| !after.contains_key(*cell)) {
            found.count((*cell).clone(), Some(*from), None);
        }
        found
            .moves
            .sort_by_key(|one| (std::cmp::Reverse(one.size()), one.cell.clone()));
        found.moves.truncate(MOVE_COUNT_MAX);
        found
    }

    fn count(&mut self, cell: CellId, from: Option<Timestamp>, to: Option<Timestamp>) {
        match (from, to) {
            (Some(from), Some(to)) if from == to => {
                self.same += 1;
                return;
            }
            (Some(from), Some(to)) if to < from => self.sooner += 1,
            (Some(_), Some(_)) => self.later += 1,
            (None, _) => self.added += 1,
            (_, None) => self.gone += 1,
        }
        self.moves.push(Move { cell, from, to });
    }

    /// As the API tells it.
    pub(crate) fn json(&self) -> Value {
        let told = |one: &Move| json!({ "cell": one.cell, "from": one.from, "to": one.to });
        json!({
            "sooner": self.sooner,
            "later": self.later,
            "same": self.same,
            "added": self.added,
            "gone": self.gone,
            "moves": self.moves.iter().map(told).collect::<Vec<_>>(),
        })
    }
}

impl Move {
    /// How far; cells that come or go stand first.
    fn size(&self) -> u64 {
        match (self.from, self.to) {
            (Some(from), Some(to)) => from.0.abs_diff(to.0),
            _ => u64::MAX,
        }
    }
}

/// The form of a difference.
pub(crate) fn shape() -> Shape {
    object([
        ("sooner", Shape::Number("cells released earlier")),
        ("later", Shape::Number("cells released later")),
        ("same", Shape::Number("cells released as before")),
        ("added", Shape::Number("cells only in the later plan")),
        ("gone", Shape::Number("cells only in the earlier plan")),
        (
            "moves",
            list(object([
                ("cell", Shape::Text("which")),
                ("from", maybe(Shape::Time("release before"))),
                ("to", maybe(Shape::Time("release after"))),
            ])),
        ),
    ])
}
