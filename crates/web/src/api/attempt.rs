//! What would be if, and what would move a cell earlier: worked out in its turn.
//!
//! In:    changes, or a cell. Out: the planner's answer. Never: changes anything; holds the state
//!        while it works; shows a tenant another's cell.

use std::sync::Arc;

use anlauf_model::{CellId, Landscape, Plan};
use anlauf_planner::{Change, Lever, Simulation, WhatIf, levers, whatif};
use anlauf_recovery::query;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::ask::Reader;
use super::forecast::no_answer;
use super::planning::{self, Parts};
use super::route::Route;
use super::shape::{Shape, list, object};
use super::veil;
use crate::Web;
use crate::limits::FORECAST_SAMPLE_COUNT_DEFAULT;
use crate::memory::Memory;
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let lever = object([
        (
            "change",
            Shape::Text("what would have to be otherwise: `lanes`, `free`, `give_back`"),
        ),
        ("opens", Shape::Time("planned opening with it")),
        ("earlier", Shape::Number("by how many minutes earlier")),
    ])
    .or([
        ("team", Shape::Text("of `lanes`: which team")),
        ("lanes", Shape::Number("of `lanes`: how many it would have")),
        ("site", Shape::Text("of `free`: which site")),
        ("at", Shape::Time("of `free`: from when on")),
        ("cell", Shape::Text("of `give_back`: whose agreed window")),
    ]);
    let route = Route::get(
        "/cells/{owner}/{service}/earlier",
        "What would move a cell earlier, and by how much; worked out on the plan in force.",
        earlier,
    );
    let answer = object([("cell", Shape::Text("which")), ("levers", list(lever))]);
    vec![
        route
            .answer(answer)
            .problem(404, "there is no such cell")
            .problem(409, "no plan is in force")
            .problem(503, "too many plans are asked for"),
    ]
}

async fn earlier(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    Reader(who): Reader,
    Path((owner, service)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let no_cell = || Problem::not_found("cell");
    let cell: CellId = format!("{owner}/{service}")
        .parse()
        .map_err(|_| no_cell())?;
    if !veil::sees_id(&web.desk.state(), &who, &cell) {
        return Err(no_cell());
    }
    let levers = levers_for_page(&web, &memory, cell.clone()).await?;
    let mut told = json!({ "cell": cell, "levers": levers });
    veil::cover(&web.desk.state(), &who, &mut told);
    Ok(Json(told))
}

/// Tries changes on the plan in force.
///
/// # Errors
/// No plan is in force, a change is not possible, too many wait.
pub(crate) async fn try_for_page(
    web: &Arc<Web>,
    memory: &Memory,
    who: &Who,
    changes: Vec<Change>,
) -> Result<WhatIf, Problem> {
    let (landscape, parts, plan) = basis(web)?;
    let outcomes = query::outcomes(&web.desk.state(), web.desk.now());
    let work = move || {
        let simulation = Simulation {
            samples: FORECAST_SAMPLE_COUNT_DEFAULT,
            seed: 0,
            outcomes: &outcomes,
        };
        whatif(&parts.on(&landscape), &plan, &changes, &simulation)
    };
    let _turn = planning::turn(memory).await?;
    let tried = planning::blocking(work).await?;
    tried.map_err(|why| no_answer(who, why))
}

/// What would move a cell earlier, the strongest first.
///
/// # Errors
/// No plan is in force, too many wait.
pub(crate) async fn levers_for_page(
    web: &Arc<Web>,
    memory: &Memory,
    cell: CellId,
) -> Result<Vec<Lever>, Problem> {
    let (landscape, parts, plan) = basis(web)?;
    let work = move || levers(&parts.on(&landscape), &plan, &cell);
    let _turn = planning::turn(memory).await?;
    planning::blocking(work).await
}

/// What is worked on, out of the state.
fn basis(web: &Web) -> Result<(Arc<Landscape>, Parts, Arc<Plan>), Problem> {
    let state = web.desk.state();
    let no_landscape = || Problem::not_found("landscape");
    let landscape = state.landscape.clone().ok_or_else(no_landscape)?;
    let parts = planning::parts(&state, web.desk.now()).ok_or_else(no_landscape)?;
    let no_plan = || {
        let detail = "no plan is in force; propose one and adopt it first";
        Problem::new(StatusCode::CONFLICT, "no plan", detail)
    };
    Ok((landscape, parts, state.plan.clone().ok_or_else(no_plan)?))
}
