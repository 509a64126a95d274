//! What changes between two plans, in short.
//!
//! In:    two plans.
//! Out:   how many cells come sooner, later, newly or not at all, and the largest moves, each with
//!        its reason as a kind with fields.
//! Never: the whole of both plans.

use anlauf_model::{Landscape, Plan};
use anlauf_planner::{PlanDiff, diff};
use serde_json::{Value, json};

use super::shape::{Shape, list, maybe, object};
use crate::limits::MOVE_COUNT_MAX;

/// What changes between two plans.
pub(crate) struct Difference(PlanDiff);

impl Difference {
    /// Compares when each cell is released.
    pub(crate) fn of(landscape: &Landscape, before: &Plan, after: &Plan) -> Self {
        let mut found = diff(landscape, before, after, Vec::new());
        found.moved.truncate(MOVE_COUNT_MAX);
        Self(found)
    }

    /// As the API tells it.
    pub(crate) fn json(&self) -> Value {
        let Self(found) = self;
        json!({
            "sooner": found.sooner,
            "later": found.later,
            "same": found.same,
            "added": found.added,
            "gone": found.gone,
            "order_changed": found.order_changed,
            "moves": found.moved,
        })
    }
}

/// The form of a difference.
pub(crate) fn shape() -> Shape {
    let because = "why: `work` (the step itself), `needs`, `after` (another cell), `team` (works \
                   on another cell in its place), `testers` (the tenant's), `agreed`, `hold`, \
                   `added`, `gone`, `order`";
    let one = object([
        ("cell", Shape::Text("which")),
        ("from", maybe(Shape::Time("release before"))),
        ("to", maybe(Shape::Time("release after"))),
        (
            "by",
            maybe(Shape::Number("how many minutes later; below 0 is earlier")),
        ),
        ("because", Shape::Text(because)),
    ]);
    let one = one.or([
        ("task", Shape::Text("of `work` and `team`: which step")),
        (
            "behind",
            Shape::Text("of `needs`, `after`, `team`, `testers`: which cell"),
        ),
        ("team", Shape::Text("of `team`: which")),
        ("site", Shape::Text("of `hold`: which")),
    ]);
    object([
        ("sooner", Shape::Number("cells released earlier")),
        ("later", Shape::Number("cells released later")),
        ("same", Shape::Number("cells released as before")),
        ("added", Shape::Number("cells only in the later plan")),
        ("gone", Shape::Number("cells only in the earlier plan")),
        (
            "order_changed",
            Shape::Number("fewest cells that left their place in the order"),
        ),
        ("moves", list(one)),
    ])
}
