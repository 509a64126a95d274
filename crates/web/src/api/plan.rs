//! One plan over all tenants: have one made, read the one in force, compare.
//!
//! In:    `POST /plan/proposals`, questions. Out: plans in short, rows, moves.
//! Never: holds up the ledger while it plans; shows a tenant another's rows.

use std::sync::Arc;

use anlauf_model::{Plan, PlanId};
use anlauf_planner::{Contradiction, Search, Situation};
use anlauf_recovery::{Event, Order};
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Asked, Insider, Reader, Told};
use super::command::{key_shape, permitted, reason_shape};
use super::difference::{self, Difference};
use super::planning::{self, Made};
use super::route::{Access, Route};
use super::shape::{Shape, list, maybe, object};
use super::stretch::{self, Stretch};
use super::veil;
use crate::Web;
use crate::limits::PLAN_STEP_COUNT_MAX;
use crate::memory::Memory;
use crate::port::DeskError;
use crate::problem::{Problem, ProblemReason};

/// Code of agreed slots that cannot all be kept.
const CODE_CONTRADICTION: &str = "AN-PLN-001";

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let row = object([
        ("cell", Shape::Text("whose")),
        ("task", Shape::Text("which step")),
        ("team", maybe(Shape::Text("who does it; none is the tenant"))),
        ("start", Shape::Time("first minute of work")),
        ("end", Shape::Time("first minute after it")),
    ]);
    let adopted = object([
        ("plan", Shape::Text("which")),
        ("parent", maybe(Shape::Text("which it replaced"))),
        ("adopted_at", Shape::Time("when it came into force")),
        ("reason", Shape::Text("why")),
        ("gap_per_mille", Shape::Number("how far from the best possible at most")),
    ]);
    vec![
        Route::get("/plan", "The plan in force; a tenant's own rows.", plan)
            .query("limit", stretch::LIMIT)
            .query("after", stretch::AFTER)
            .answer(
                object([
                    ("plan", maybe(Shape::Text("its id; none when no plan is in force"))),
                    ("made_at", maybe(Shape::Time("when it was made"))),
                    ("rows", list(row)),
                    ("total", Shape::Number("how many rows there are in all")),
                    ("next", maybe(Shape::Text("send as `after` for the next stretch"))),
                ])
                .or([
                    ("parent", maybe(Shape::Text("which it replaced; provider only"))),
                    ("objective", Shape::Number("as of a proposal; provider only")),
                    ("bound", Shape::Number("as of a proposal; provider only")),
                    ("gap_per_mille", Shape::Number("as of a proposal; provider only")),
                ]),
            ),
        Route::get("/plans", "Plans that were adopted, and those for decision.", plans)
            .access(Access::Provider)
            .answer(object([
                ("adopted", list(adopted)),
                ("proposed", list(proposed_shape())),
            ])),
        Route::get("/plans/diff", "What changes between two plans.", diff)
            .access(Access::Provider)
            .query("from", Shape::Text("earlier plan; the one in force if not given"))
            .query("to", Shape::Text("later plan"))
            .answer(object([
                ("from", Shape::Text("earlier plan")),
                ("to", Shape::Text("later plan")),
                ("difference", difference::shape()),
            ]))
            .problem(404, "there is no such plan"),
        Route::post(
            "/plan/proposals",
            "Have a plan made and kept for decision.",
            propose,
        )
        .body(
            object([("key", key_shape()), ("reason", reason_shape())]).or([
                (
                    "steps",
                    Shape::Number("improvement steps, at most 1,000,000"),
                ),
                ("seed", Shape::Number("seed of every choice")),
            ]),
        )
        .answer(object([
            ("seq", Shape::Number("number of its entry")),
            ("replayed", Shape::Flag("the key was used before")),
            ("plan", Shape::Text("id of the plan, for `adopt_plan`")),
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
            ("difference", maybe(difference::shape())),
        ]))
        .problem(409, "agreed slots cannot all be kept (`cells`), or refused")
        .problem(415, "the body is not sent as JSON")
        .problem(503, "too many plans are asked for"),
    ]
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
        ("objective", Shape::Number("sum of harm weight, insured people and hours")),
        ("bound", Shape::Number("no plan can have a smaller objective")),
        ("gap_per_mille", Shape::Number("how far from the best possible at most")),
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
    let rows = plan.into_iter().flat_map(|plan| plan.rows.iter().enumerate());
    let seen = rows.filter(|(_, row)| veil::sees_id(&state, &who, &row.cell));
    let mut told = stretch.of("rows", seen, (|(index, _)| *index, |(_, row)| json!(row)))?;
    told["plan"] = json!(plan.map(|plan| plan.id));
    told["made_at"] = json!(plan.map(|plan| plan.made_at));
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
    let from = pair.from.or_else(in_force).ok_or_else(none)?;
    let to = pair.to;
    let found = planning::blocking(move || {
        let before = find(&web, &memory, &from)?;
        let after = find(&web, &memory, &to)?;
        Ok::<_, DeskError>(before.zip(after))
    });
    let (before, after) = found.await??.ok_or_else(none)?;
    let difference = Difference::of(&before, &after).json();
    Ok(Json(json!({ "from": from, "to": to, "difference": difference })))
}

/// A plan by its id: from the state, or from the ledger where earlier plans lie.
fn find(web: &Web, memory: &Memory, id: &PlanId) -> Result<Option<Arc<Plan>>, DeskError> {
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

/// What `/plan/proposals` is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proposing {
    key: String,
    reason: String,
    #[serde(default)]
    steps: Option<u32>,
    #[serde(default)]
    seed: Option<u64>,
}

async fn propose(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    Reader(who): Reader,
    Told(asked): Told<Proposing>,
) -> Result<Json<Value>, Problem> {
    permitted(&who.0, "propose_plan")?;
    let steps = asked.steps.unwrap_or(web.plan_steps);
    if steps > PLAN_STEP_COUNT_MAX {
        let detail = format!("`steps` is {steps}, at most {PLAN_STEP_COUNT_MAX} are done");
        return Err(Problem::bad_request(detail));
    }
    let search = Search {
        seed: asked.seed.unwrap_or_default(),
        steps,
    };
    let made = planning::submit_made(&web, &memory, &who, (&asked.key, &asked.reason), {
        let web = web.clone();
        move || {
            let plan = make(&web, search)?;
            Ok(Order::ProposePlan {
                plan: Box::new(plan),
            })
        }
    })
    .await?;
    answer(&web, made).map(Json)
}

/// Makes a plan from the state as it is; the state is let go of before the search begins.
pub(super) fn make(web: &Web, search: Search) -> Result<Plan, Problem> {
    let (landscape, situation, parent) = {
        let state = web.desk.state();
        let no_landscape = || Problem::not_found("landscape");
        let landscape = state.landscape.clone().ok_or_else(no_landscape)?;
        let parts = planning::parts(&state, web.desk.now()).ok_or_else(no_landscape)?;
        (landscape, parts, state.plan.as_ref().map(|plan| plan.id))
    };
    let situation: Situation<'_> = situation.on(&landscape);
    anlauf_planner::plan(&situation, parent, search).map_err(contradicted)
}

fn contradicted(contradiction: Contradiction) -> Problem {
    let cells: Vec<String> = contradiction
        .cells
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut problem = Problem::new(
        StatusCode::CONFLICT,
        "agreed slots contradict each other",
        contradiction.why.clone(),
    );
    problem.reasons.push(ProblemReason {
        code: CODE_CONTRADICTION.to_owned(),
        message: contradiction.why,
        remedy: "have one of the cells' slots declined or moved, then plan again".to_owned(),
    });
    problem.with("cells", json!(cells))
}

/// A kept plan in short, against the one in force.
fn answer(web: &Web, made: Made) -> Result<Value, Problem> {
    let Event::PlanProposed { plan } = &made.entry.event else {
        return Err(made.key_used());
    };
    let state = web.desk.state();
    let against = state
        .plan
        .as_ref()
        .filter(|current| Some(current.id) == plan.parent);
    let difference = against.map(|current| Difference::of(current, plan).json());
    Ok(json!({
        "seq": made.entry.seq,
        "replayed": made.replayed,
        "plan": plan.id,
        "made_at": plan.made_at,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap_per_mille": plan.gap_per_mille(),
        "rows": plan.rows.len(),
        "difference": difference,
    }))
}
