//! Tenants, each with its own numbers.
//!
//! In:    a login. Out: tenants in short, one with its services. Never: another tenant to a tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::TenantId;
use anlauf_model::landscape::Tenant;
use anlauf_recovery::State;
use anlauf_recovery::state::Answer;
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde_json::{Value, json};

use super::ask::{Asked, Reader};
use super::cell::known;
use super::route::Route;
use super::shape::{Shape, list, map, object};
use super::status::{progress_of, progress_shape};
use super::stretch::{self, Stretch};
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let short = || {
        vec![
            ("id", Shape::Text("which")),
            ("name", Shape::Text("for people")),
            ("size", Shape::Text("class of size")),
            ("insured", Shape::Number("people it serves")),
            ("site", Shape::Text("where its own instances run")),
            ("cells", Shape::Number("its cells")),
            ("stages", map(Shape::Number("cells at this stage"))),
            ("progress", progress_shape()),
        ]
    };
    let service = object([
        ("cell", Shape::Text("which")),
        ("service", Shape::Text("service type")),
        ("stage", Shape::Text("how far open")),
    ]);
    let mut whole = short();
    whole.extend([
        ("services", list(service)),
        (
            "offers_open",
            Shape::Number("windows that wait for its word"),
        ),
        ("wish", list(Shape::Text("a cell, most wanted first"))),
    ]);
    vec![
        Route::get(
            "/tenants",
            "Tenants with their numbers; a tenant's own.",
            tenants,
        )
        .query("limit", stretch::LIMIT)
        .query("after", stretch::AFTER)
        .answer(stretch::shape(
            "tenants",
            Shape::Object(short(), Vec::new()),
        )),
        Route::get("/tenants/{tenant}", "One tenant with its services.", tenant)
            .answer(Shape::Object(whole, Vec::new()))
            .problem(404, "there is no such tenant for this login"),
    ]
}

async fn tenants(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(stretch): Asked<Stretch>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let declared = state
        .landscape
        .iter()
        .flat_map(|landscape| &landscape.declared().tenants);
    let own = declared.filter(|tenant| who.sees_all() || who.tenant() == Some(&tenant.id));
    let sorted: BTreeMap<&TenantId, &Tenant> = own.map(|tenant| (&tenant.id, tenant)).collect();
    let told = stretch.of(
        "tenants",
        sorted.into_values(),
        (|tenant| tenant.id.clone(), |tenant| short(&state, tenant)),
    )?;
    Ok(Json(told))
}

async fn tenant(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let id = id.parse::<TenantId>().ok();
    let id = id.filter(|id| who.sees_all() || who.tenant() == Some(id));
    let found = id.and_then(|id| state.landscape.as_ref()?.tenant(&id));
    let found = found.ok_or_else(|| Problem::not_found("tenant"))?;
    let mut told = short(&state, found);
    let own = known(&state).filter(|(cell, _)| cell.tenant() == Some(&found.id));
    let services = own
        .map(|(cell, now)| json!({ "cell": cell.id, "service": cell.service, "stage": now.stage }));
    told["services"] = services.collect();
    let open = state
        .offers
        .iter()
        .filter(|(cell, offer)| cell.owner() == found.id.as_str() && offer.answer == Answer::Open);
    told["offers_open"] = json!(open.count());
    told["wish"] = json!(state.wishes.get(&found.id).cloned().unwrap_or_default());
    Ok(Json(told))
}

fn short(state: &State, tenant: &Tenant) -> Value {
    let mut stages: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, now) in known(state).filter(|(cell, _)| cell.tenant() == Some(&tenant.id)) {
        *stages.entry(now.stage.word()).or_default() += 1;
    }
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "size": tenant.size,
        "insured": tenant.insured,
        "site": tenant.site,
        "cells": stages.values().sum::<u32>(),
        "stages": stages,
        "progress": progress_of(state, &tenant.id),
    })
}
