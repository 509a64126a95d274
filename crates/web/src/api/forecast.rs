//! Dates as ranges: have them made from the plan in force, read them, and how the past ones held.
//!
//! In:    `POST /forecast`, questions. Out: ranges, or what a date waits for.
//! Never: a single date instead of a range; to a tenant a range that tells of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::{Forecast, TenantId};
use anlauf_planner::{Simulation, forecast_to_tell};
use anlauf_recovery::{Event, Order, query};
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Reader, Told};
use super::command::{key_shape, permitted, reason_shape};
use super::planning;
use super::route::Route;
use super::shape::{Shape, list, map, maybe, object};
use super::veil;
use crate::Web;
use crate::limits::{FORECAST_SAMPLE_COUNT_DEFAULT, FORECAST_SAMPLE_COUNT_MAX};
use crate::memory::Memory;
use crate::problem::Problem;

mod trial;

pub(super) use trial::no_answer;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = own_routes();
    routes.extend(trial::routes());
    routes
}

fn own_routes() -> Vec<Route> {
    let past = object([
        ("plan", Shape::Text("plan it was made from")),
        ("made_at", Shape::Time("when it was made")),
        ("whole", maybe(range_shape())),
    ]);
    let hits = object([
        (
            "given",
            Shape::Number("dates whose last day has come, one per cell and return"),
        ),
        ("held_p50", Shape::Number("of these, back by P50")),
        ("held_p80", Shape::Number("of these, back by P80")),
        ("held_p95", Shape::Number("of these, back by P95")),
    ]);
    let sentence = object([
        ("de", Shape::Text("in German")),
        ("en", Shape::Text("in English")),
    ]);
    vec![
        Route::get(
            "/forecast",
            "The newest ranges; a tenant's own cells.",
            newest,
        )
        .answer(object([
            (
                "plan",
                maybe(Shape::Text("plan it was made from; none before the first")),
            ),
            ("made_at", maybe(Shape::Time("when it was made"))),
            ("whole", maybe(range_shape())),
            ("cells", map(range_shape())),
            ("tenants", map(range_shape())),
            ("services", map(range_shape())),
            ("waits", map(wait_shape())),
        ])),
        Route::get("/forecasts", "Past forecasts and how they held.", past_ones).answer(object([
            ("hit_rate", hits),
            ("sentence", sentence),
            ("forecasts", list(past)),
        ])),
        Route::post(
            "/forecast",
            "Make ranges from the plan in force and put them on record.",
            publish,
        )
        .body(
            object([("key", key_shape()), ("reason", reason_shape())]).or([
                ("samples", Shape::Number("simulations, 1 to 10,000")),
                ("seed", Shape::Number("seed of every chance")),
            ]),
        )
        .answer(object([
            ("seq", Shape::Number("number of its entry")),
            ("replayed", Shape::Flag("the key was used before")),
            ("plan", Shape::Text("plan it was made from")),
            ("made_at", Shape::Time("when it was made")),
            ("cells", Shape::Number("how many cells have a range")),
            ("waits", Shape::Number("how many wait for something first")),
            ("whole", maybe(range_shape())),
        ]))
        .problem(409, "no plan is in force, or refused")
        .problem(415, "the body is not sent as JSON")
        .problem(503, "too many plans are asked for"),
    ]
}

/// The form of a range.
pub(crate) fn range_shape() -> Shape {
    object([
        ("p50", Shape::Time("with 50 of 100 not later")),
        ("p80", Shape::Time("with 80 of 100 not later")),
        ("p95", Shape::Time("with 95 of 100 not later")),
    ])
}

/// The form of what a cell waits for before a date can be given.
fn wait_shape() -> Shape {
    object([(
        "wait",
        Shape::Text("`verdict` of forensics, `plan`, `nobody` on a step, another `cell`"),
    )])
    .or([
        ("site", Shape::Text("of `verdict`: where")),
        (
            "team",
            maybe(Shape::Text("of `nobody`: which; none is the tenant")),
        ),
        ("task", Shape::Text("of `nobody`: which step")),
        (
            "cell",
            Shape::Text("of `cell`: which; `another tenant` when it is another's"),
        ),
    ])
}

async fn newest(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Json<Value> {
    let state = web.desk.state();
    let forecast = state.forecast();
    let cells = forecast.iter().flat_map(|forecast| &forecast.cells);
    let seen = cells.filter(|(cell, _)| veil::sees_id(&state, &who, cell));
    let seen: serde_json::Map<_, _> = seen
        .map(|(cell, range)| (cell.to_string(), json!(range)))
        .collect();
    let tenants = forecast.iter().flat_map(|forecast| &forecast.tenants);
    let own = |tenant: &TenantId| who.sees_all() || who.tenant() == Some(tenant);
    let tenants: BTreeMap<_, _> = tenants.filter(|(tenant, _)| own(tenant)).collect();
    let services = forecast.iter().flat_map(|forecast| &forecast.services);
    let services: BTreeMap<_, _> = services.filter(|_| who.sees_all()).collect();
    let waits = forecast.iter().flat_map(|forecast| &forecast.waits);
    let waits = waits.filter(|(cell, _)| veil::sees_id(&state, &who, cell));
    let waits: BTreeMap<_, _> = waits.map(|(id, wait)| (id.to_string(), wait)).collect();
    let mut waits = json!(waits);
    veil::cover(&state, &who, &mut waits);
    Json(json!({
        "plan": forecast.map(|forecast| forecast.plan),
        "made_at": forecast.map(|forecast| forecast.made_at),
        "whole": forecast.and_then(|forecast| forecast.whole).filter(|_| who.sees_all()),
        "cells": seen,
        "tenants": tenants,
        "services": services,
        "waits": waits,
    }))
}

async fn past_ones(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Json<Value> {
    let state = web.desk.state();
    let told = state.forecasts.iter().map(|forecast| {
        json!({
            "plan": forecast.plan,
            "made_at": forecast.made_at,
            "whole": forecast.whole.filter(|_| who.sees_all()),
        })
    });
    let hits = query::hit_rate(&state);
    Json(json!({
        "hit_rate": hits,
        "sentence": hits.in_words(),
        "forecasts": told.collect::<Vec<_>>(),
    }))
}

/// What `/forecast` is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forecasting {
    key: String,
    reason: String,
    #[serde(default)]
    samples: Option<u32>,
    #[serde(default)]
    seed: Option<u64>,
}

async fn publish(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    Reader(who): Reader,
    Told(asked): Told<Forecasting>,
) -> Result<Json<Value>, Problem> {
    permitted(&who.0, "publish_forecast")?;
    let samples = asked.samples.unwrap_or(FORECAST_SAMPLE_COUNT_DEFAULT);
    if samples == 0 || samples > FORECAST_SAMPLE_COUNT_MAX {
        let detail = format!("`samples` is {samples}; it is 1 to {FORECAST_SAMPLE_COUNT_MAX}");
        return Err(Problem::bad_request(detail));
    }
    let seed = asked.seed.unwrap_or_default();
    let made = planning::submit_made(&web, &memory, &who, (&asked.key, &asked.reason), {
        let web = web.clone();
        move || {
            let forecast = make(&web, samples, seed)?;
            Ok(Order::PublishForecast {
                forecast: Box::new(forecast),
            })
        }
    })
    .await?;
    let Event::ForecastPublished { forecast } = &made.entry.event else {
        return Err(made.key_used());
    };
    Ok(Json(json!({
        "seq": made.entry.seq,
        "replayed": made.replayed,
        "plan": forecast.plan,
        "made_at": forecast.made_at,
        "cells": forecast.cells.len(),
        "waits": forecast.waits.len(),
        "whole": forecast.whole,
    })))
}

/// Makes ranges from the state as it is; the state is let go of before the simulation begins.
pub(super) fn make(web: &Web, samples: u32, seed: u64) -> Result<Forecast, Problem> {
    let (landscape, parts, plan, outcomes) = {
        let state = web.desk.state();
        let no_landscape = || Problem::not_found("landscape");
        let landscape = state.landscape.clone().ok_or_else(no_landscape)?;
        let now = web.desk.now();
        let parts = planning::parts(&state, now).ok_or_else(no_landscape)?;
        let no_plan = || {
            let detail = "no plan is in force; propose one and adopt it first";
            Problem::new(StatusCode::CONFLICT, "no plan", detail)
        };
        let plan = state.plan.clone().ok_or_else(no_plan)?;
        (landscape, parts, plan, query::outcomes(&state, now))
    };
    let simulation = Simulation {
        samples,
        seed,
        outcomes: &outcomes,
    };
    Ok(forecast_to_tell(&parts.on(&landscape), &plan, &simulation))
}
