//! What would be if: changes tried on the plan in force.
//!
//! In:    `POST /plan/trials`.
//! Out:   new dates beside those without the changes; the agreed windows that would break.
//! Never: changes anything; lets a tenant try what is not its own, or see what it does to others.
//! See:   docs/planner.md, "What-if".

use std::sync::Arc;

use anlauf_model::{CellId, Landscape, Plan};
use anlauf_planner::{Change, NoAnswer, Outcome, Simulation, WhatIf, whatif};
use anlauf_recovery::{State, query};
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::ask::{Reader, Told};
use super::super::command::permitted;
use super::super::planning::{self, Parts};
use super::super::route::Route;
use super::super::shape::{Shape, list, maybe, object};
use super::super::veil;
use super::range_shape;
use crate::Web;
use crate::limits::{TRIAL_CHANGE_COUNT_MAX, TRIAL_SAMPLE_COUNT};
use crate::memory::Memory;
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let change = object([(
        "change",
        Shape::Text("`order`, `slot`, `give_back`; for operators also `lanes`, `free`, `drop`"),
    )])
    .or([
        ("tenant", Shape::Text("of `order`: whose cells")),
        (
            "order",
            list(Shape::Text("of `order`: most wanted cell first")),
        ),
        ("cell", Shape::Text("of `slot`, `give_back`, `drop`: which")),
        ("from", Shape::Time("of `slot`: first moment")),
        ("to", Shape::Time("of `slot`: last moment")),
        ("team", Shape::Text("of `lanes`: which team")),
        ("lanes", Shape::Number("of `lanes`: how many it has")),
        ("site", Shape::Text("of `free`: which site")),
        ("at", Shape::Time("of `free`: when forensics gives it free")),
    ]);
    let trial = Route::post(
        "/plan/trials",
        "Try changes on the plan in force; changes nothing.",
        trial,
    );
    vec![
        trial
            .body(object([("changes", list(change))]))
            .answer(answer_shape())
            .problem(409, "no plan is in force, or none can be made")
            .problem(415, "the body is not sent as JSON")
            .problem(503, "too many plans are asked for"),
    ]
}

fn answer_shape() -> Shape {
    let effect = object([
        ("cell", Shape::Text("which")),
        (
            "planned_before",
            maybe(Shape::Time("planned opening without")),
        ),
        ("planned_after", maybe(Shape::Time("planned opening with"))),
        (
            "by",
            maybe(Shape::Number("minutes later by plan; below 0 is earlier")),
        ),
        ("before", maybe(range_shape())),
        ("after", maybe(range_shape())),
    ]);
    object([
        ("plan", Shape::Text("the plan in force it was tried on")),
        ("effects", list(effect)),
        (
            "broken",
            list(Shape::Text(
                "cells whose agreed or asked window would break",
            )),
        ),
        (
            "breaks_others",
            Shape::Flag("an agreement of somebody else would break: it cannot be had"),
        ),
    ])
    .or([
        ("whole_before", maybe(range_shape())),
        ("whole_after", maybe(range_shape())),
        (
            "objective_before",
            Shape::Number("of the plan without; provider only"),
        ),
        (
            "objective_after",
            Shape::Number("of the plan with; provider only"),
        ),
    ])
}

/// What `/plan/trials` is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trying {
    changes: Vec<Change>,
}

async fn trial(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    Reader(who): Reader,
    Told(asked): Told<Trying>,
) -> Result<Json<Value>, Problem> {
    let verb = if who.tenant().is_some() {
        "state_wish"
    } else {
        "propose_plan"
    };
    permitted(&who.0, verb)?;
    if asked.changes.len() > TRIAL_CHANGE_COUNT_MAX {
        let detail = format!("at most {TRIAL_CHANGE_COUNT_MAX} changes are tried at once");
        return Err(Problem::bad_request(detail));
    }
    if !asked.changes.iter().all(|change| may_try(&who, change)) {
        return Err(veil::foreign().into());
    }
    let basis = Basis::new(&web)?;
    let plan = basis.plan.id;
    let _turn = planning::turn(&memory).await?;
    let tried = planning::blocking(move || basis.tried(&asked.changes)).await?;
    let tried = tried.map_err(|why| no_answer(&who, why))?;
    let mut told = told(&web.desk.state(), &who, &tried);
    told["plan"] = json!(plan);
    Ok(Json(told))
}

/// Whether a change touches only what is the login's own. The provider's people may try all.
fn may_try(who: &Who, change: &Change) -> bool {
    let Some(own) = who.tenant() else {
        return true;
    };
    let is_own = |cell: &CellId| cell.owner() == own.as_str();
    match change {
        Change::Order { tenant, order } => tenant == own && order.iter().all(is_own),
        Change::Slot { cell, .. } | Change::GiveBack { cell } => is_own(cell),
        Change::Lanes { .. } | Change::Free { .. } | Change::Drop { .. } => false,
    }
}

/// What is worked on, out of the state.
struct Basis {
    landscape: Arc<Landscape>,
    parts: Parts,
    plan: Arc<Plan>,
    outcomes: Vec<Outcome>,
}

impl Basis {
    fn new(web: &Web) -> Result<Self, Problem> {
        let state = web.desk.state();
        let now = web.desk.now();
        let no_landscape = || Problem::not_found("landscape");
        let no_plan = || {
            let detail = "no plan is in force; propose one and adopt it first";
            Problem::new(StatusCode::CONFLICT, "no plan", detail)
        };
        Ok(Self {
            landscape: state.landscape.clone().ok_or_else(no_landscape)?,
            parts: planning::parts(&state, now).ok_or_else(no_landscape)?,
            plan: state.plan.clone().ok_or_else(no_plan)?,
            outcomes: query::outcomes(&state, now),
        })
    }

    fn tried(self, changes: &[Change]) -> Result<WhatIf, NoAnswer> {
        let simulation = Simulation {
            samples: TRIAL_SAMPLE_COUNT,
            seed: 0,
            outcomes: &self.outcomes,
        };
        whatif(
            &self.parts.on(&self.landscape),
            &self.plan,
            changes,
            &simulation,
        )
    }
}

/// The answer, cut down to what the login may see.
fn told(state: &State, who: &Who, tried: &WhatIf) -> Value {
    let sees = |cell: &CellId| veil::sees_id(state, who, cell);
    let effects = tried.effects();
    let effects: Vec<_> = effects.iter().filter(|e| sees(&e.cell)).collect();
    // Windows that do not hold without the changes either are not their doing.
    let broken = tried.after.broken.iter();
    let broken: Vec<_> = broken
        .filter(|c| !tried.before.broken.contains(c))
        .collect();
    let (seen, unseen): (Vec<_>, Vec<_>) = broken.into_iter().partition(|cell| sees(cell));
    let mut told = json!({
        "effects": effects,
        "broken": seen,
        "breaks_others": !unseen.is_empty(),
    });
    if who.sees_all() {
        told["whole_before"] = json!(tried.ranges_before.whole);
        told["whole_after"] = json!(tried.ranges_after.whole);
        told["objective_before"] = json!(tried.before.plan.objective);
        told["objective_after"] = json!(tried.after.plan.objective);
    }
    told
}

/// To a tenant, what keeps the provider from planning is told without its words: they name cells
/// and teams.
pub(in crate::api) fn no_answer(who: &Who, why: NoAnswer) -> Problem {
    match why {
        NoAnswer::Impossible(words) => Problem::bad_request(words),
        NoAnswer::Contradiction(contradiction) => {
            let detail = match who.sees_all() {
                true => contradiction.why,
                false => "no plan can be made at the moment; the provider sees why".to_owned(),
            };
            Problem::new(StatusCode::CONFLICT, "no plan", detail)
        }
    }
}

#[cfg(test)]
mod tests;
