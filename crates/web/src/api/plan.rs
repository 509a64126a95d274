//! One plan over all tenants: read the one in force, compare with others.
//!
//! In:    questions. Out: rows, plans in short, moves. Never: shows a tenant another's rows.
//! See:   `proposal` for having one made.

use std::sync::Arc;

use anlauf_model::{Plan, PlanId};
use anlauf_planner::deadlines_missed;
use anlauf_recovery::Event;
use axum::extract::State as Shared;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Asked, Insider, Reader};
use super::difference::{self, Difference};
use super::planning;
use super::route::{Access, Route};
use super::shape::{Shape, list, maybe, object};
use super::stretch::{self, Stretch};
use super::veil;
use crate::Web;
use crate::memory::Memory;
use crate::port::DeskError;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/plan", "The plan in force; a tenant's own rows.", plan)
            .query("limit", stretch::LIMIT)
            .query("after", stretch::AFTER)
            .answer(
                object([
                    (
                        "plan",
                        maybe(Shape::Text("its id; none when no plan is in force")),
                    ),
                    ("made_at", maybe(Shape::Time("when it was made"))),
                    (
                        "deadlines_missed",
                        list(Shape::Text("a cell that opens after its day of the month")),
                    ),
                    ("rows", list(row_shape())),
                    ("total", Shape::Number("how many rows there are in all")),
                    (
                        "next",
                        maybe(Shape::Text("send as `after` for the next stretch")),
                    ),
                ])
                .or([
                    (
                        "parent",
                        maybe(Shape::Text("which it replaced; provider only")),
                    ),
                    (
                        "objective",
                        Shape::Number("as of a proposal; provider only"),
                    ),
                    ("bound", Shape::Number("as of a proposal; provider only")),
                    (
                        "gap_per_mille",
                        Shape::Number("as of a proposal; provider only"),
                    ),
                ]),
            ),
        Route::get(
            "/plans",
            "Plans that were adopted, and those for decision.",
            plans,
        )
        .access(Access::Provider)
        .answer(object([
            ("adopted", list(adopted_shape())),
            ("proposed", list(proposed_shape())),
        ])),
        Route::get("/plans/diff", "What changes between two plans.", diff)
            .access(Access::Provider)
            .query(
                "from",
                Shape::Text("earlier plan; the one in force if not given"),
            )
            .query("to", Shape::Text("later plan"))
            .answer(object([
                ("from", Shape::Text("earlier plan")),
                ("to", Shape::Text("later plan")),
                ("difference", difference::shape()),
            ]))
            .problem(404, "there is no such plan"),
    ]
}

/// The form of a row.
fn row_shape() -> Shape {
    object([
        ("cell", Shape::Text("whose")),
        ("task", Shape::Text("which step")),
        (
            "team",
            maybe(Shape::Text("who does it; none is the tenant")),
        ),
        ("start", Shape::Time("first minute of work")),
        ("end", Shape::Time("first minute after it")),
    ])
}

/// The form of an adopted plan.
fn adopted_shape() -> Shape {
    object([
        ("plan", Shape::Text("which")),
        ("parent", maybe(Shape::Text("which it replaced"))),
        ("adopted_at", Shape::Time("when it came into force")),
        ("reason", Shape::Text("why")),
        (
            "gap_per_mille",
            Shape::Number("how far from the best possible at most"),
        ),
    ])
}

/// A plan for decision, in short.
pub(crate) fn proposed(plan: &Plan) -> Value {
    json!({
        "plan": plan.id,
        "parent": plan.parent,
        "made_at": plan.made_at,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap_per_mille": plan.gap_per_mille(),
        "rows": plan.rows.len(),
    })
}

/// The form of a plan for decision.
pub(crate) fn proposed_shape() -> Shape {
    object([
        ("plan", Shape::Text("its id, for `adopt_plan`")),
        ("parent", maybe(Shape::Text("which it would replace"))),
        ("made_at", Shape::Time("when it was made")),
        (
            "objective",
            Shape::Number("sum of harm weight, insured people and hours"),
        ),
        (
            "bound",
            Shape::Number("no plan can have a smaller objective"),
        ),
        (
            "gap_per_mille",
            Shape::Number("how far from the best possible at most"),
        ),
        ("rows", Shape::Number("how many rows it has")),
    ])
}

async fn plan(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(stretch): Asked<Stretch>,
) -> Result<Json<Value>, Problem> {
    let state = web.desk.state();
    let plan = state.plan.as_deref();
    // A plan never changes, so the place of a row is a name for it.
    let rows = plan
        .into_iter()
        .flat_map(|plan| plan.rows.iter().enumerate());
    let seen = rows.filter(|(_, row)| veil::sees_id(&state, &who, &row.cell));
    let mut told = stretch.of("rows", seen, (|(index, _)| *index, |(_, row)| json!(row)))?;
    told["plan"] = json!(plan.map(|plan| plan.id));
    told["made_at"] = json!(plan.map(|plan| plan.made_at));
    let late = plan.zip(state.landscape.as_deref());
    let late = late.map_or(Vec::new(), |(plan, landscape)| {
        deadlines_missed(landscape, plan)
    });
    let late = late.iter().filter(|id| veil::sees_id(&state, &who, id));
    told["deadlines_missed"] = json!(late.collect::<Vec<_>>());
    if let Some(plan) = plan.filter(|_| who.sees_all()) {
        told["parent"] = json!(plan.parent);
        told["objective"] = json!(plan.objective);
        told["bound"] = json!(plan.bound);
        told["gap_per_mille"] = json!(plan.gap_per_mille());
    }
    Ok(Json(told))
}

async fn plans(Shared(web): Shared<Arc<Web>>, Insider(_): Insider) -> Json<Value> {
    let state = web.desk.state();
    let adopted = state.plans.iter().map(|note| {
        json!({
            "plan": note.id,
            "parent": note.parent,
            "adopted_at": note.adopted_at,
            "reason": note.reason,
            "gap_per_mille": note.gap_per_mille,
        })
    });
    Json(json!({
        "adopted": adopted.collect::<Vec<_>>(),
        "proposed": state.proposed.values().map(|plan| proposed(plan)).collect::<Vec<_>>(),
    }))
}

/// The query of `/plans/diff`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    from: Option<PlanId>,
    to: PlanId,
}

async fn diff(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    Insider(_): Insider,
    Asked(pair): Asked<Pair>,
) -> Result<Json<Value>, Problem> {
    let none = || Problem::not_found("plan");
    let in_force = || web.desk.state().plan.as_ref().map(|plan| plan.id);
    let landscape = web.desk.state().landscape.clone().ok_or_else(none)?;
    let from = pair.from.or_else(in_force).ok_or_else(none)?;
    let to = pair.to;
    let found = planning::blocking(move || {
        let before = find(&web, &memory, &from)?;
        let after = find(&web, &memory, &to)?;
        Ok::<_, DeskError>(before.zip(after))
    });
    let (before, after) = found.await??.ok_or_else(none)?;
    let difference = Difference::of(&landscape, &before, &after).json();
    Ok(Json(
        json!({ "from": from, "to": to, "difference": difference }),
    ))
}

/// A plan by its id: from the state, or from the ledger where earlier plans lie.
pub(crate) fn find(
    web: &Web,
    memory: &Memory,
    id: &PlanId,
) -> Result<Option<Arc<Plan>>, DeskError> {
    {
        let state = web.desk.state();
        let current = state.plan.as_ref().filter(|plan| plan.id == *id);
        if let Some(plan) = current.or_else(|| state.proposed.get(id)) {
            return Ok(Some(plan.clone()));
        }
    }
    let Some(seq) = memory.plan_entry(web.desk.as_ref(), id)? else {
        return Ok(None);
    };
    let entry = web.desk.entries(seq, 1)?.into_iter().next();
    Ok(entry.and_then(|entry| match entry.event {
        Event::PlanProposed { plan } if plan.id == *id => Some(Arc::new(*plan)),
        _ => None,
    }))
}
