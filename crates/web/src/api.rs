//! The JSON API, version 1.
//!
//! In:    requests below `/api/v1`. Out: JSON, problem+json, server-sent events.
//! Never: a route outside of [`table`]: router, document and the tests of cover all go by it.
//! See:   docs/guide/api.md, `/api/v1/openapi.json`.

use std::sync::Arc;

use anlauf_model::limits::REQUEST_BODY_SIZE_MAX;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};

use crate::Web;
use crate::problem::Problem;

mod ask;
pub(crate) mod attempt;
mod route;
mod shape;
mod stretch;
mod veil;

mod agreement;
mod authority;
mod cell;
mod close;
mod command;
mod difference;
mod document;
mod door;
mod entry;
mod event;
mod finding;
mod forecast;
mod gate;
mod inbox;
mod landscape;
mod ledger;
mod made;
mod notice;
pub(crate) mod plan;
mod planning;
mod proposal;
mod public;
mod release;
mod status;
mod tenant;
mod who;

pub(crate) use made::{forecast_for_page, plan_for_page};

pub(crate) use route::Route;

/// Every route, noun by noun.
pub(crate) fn table() -> Vec<Route> {
    let nouns = [
        who::routes(),
        command::routes(),
        close::routes(),
        status::routes(),
        inbox::routes(),
        landscape::routes(),
        tenant::routes(),
        cell::routes(),
        attempt::routes(),
        plan::routes(),
        proposal::routes(),
        forecast::routes(),
        finding::routes(),
        agreement::routes(),
        release::routes(),
        authority::routes(),
        entry::routes(),
        event::routes(),
        ledger::routes(),
        gate::routes(),
        door::routes(),
        notice::routes(),
        public::routes(),
        document::routes(),
    ];
    nouns.into_iter().flatten().collect()
}

/// Every route below `/api/v1`.
pub(crate) fn routes() -> Router<Arc<Web>> {
    let mut router = Router::new();
    for route in table() {
        router = router.route(route.path, route.serve);
    }
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(REQUEST_BODY_SIZE_MAX))
}

async fn unknown(uri: Uri) -> Problem {
    let path = uri.path();
    let detail = format!("there is no `{path}`; see `/api/v1/openapi.json` for what there is");
    Problem::new(StatusCode::NOT_FOUND, "not found", detail)
}

async fn wrong_method() -> Problem {
    let detail = "this is read with GET and changed with POST; see `/api/v1/openapi.json`";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong method", detail)
}

#[cfg(test)]
mod tests;
