//! Having a plan made and kept for decision.
//!
//! In:    `POST /plan/proposals`.
//! Out:   the proposal in short, against the plan in force; or the cells whose agreed slots
//!        contradict each other.
//! Never: holds up the ledger while it plans; adopts anything.

use std::sync::Arc;

use anlauf_model::Plan;
use anlauf_planner::{Contradiction, Search, Situation};
use anlauf_recovery::{Event, Order};
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Reader, Told};
use super::command::{key_shape, permitted, reason_shape};
use super::difference::{self, Difference};
use super::planning::{self, Made};
use super::route::Route;
use super::shape::{Shape, maybe, object};
use crate::Web;
use crate::limits::PLAN_STEP_COUNT_MAX;
use crate::memory::Memory;
use crate::problem::{Problem, ProblemReason};

/// Code of agreed slots that cannot all be kept.
const CODE_CONTRADICTION: &str = "AN-PLN-001";

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
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

/// Why there is no plan, with the fewest cells that stand in its way.
pub(super) fn contradicted(contradiction: Contradiction) -> Problem {
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
        remedy: "have the tenant give one of these windows back with `anlauf decline CELL`, offer \
                 a later one, then plan again"
            .to_owned(),
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
    let pair = against.zip(state.landscape.as_deref());
    let difference = pair.map(|(current, on)| Difference::of(on, current, plan).json());
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
