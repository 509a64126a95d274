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
mod route;
mod shape;
mod veil;

mod close;
mod command;
mod difference;
mod forecast;
mod gate;
mod plan;
mod planning;

pub(crate) use route::Route;

/// Every route, noun by noun.
pub(crate) fn table() -> Vec<Route> {
    [
        command::routes(),
        close::routes(),
        plan::routes(),
        forecast::routes(),
        gate::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
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
