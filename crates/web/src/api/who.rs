//! Who is logged in, and whether anyone answers at all.
//!
//! In:    a login, or none. Out: the login's own rights. Never: anyone else's.

use std::sync::Arc;

use anlauf_recovery::rights;
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::Reader;
use super::route::{Access, Route};
use super::shape::{Shape, list, maybe, object};
use crate::Web;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/health", "Whether the control plane answers.", health)
            .access(Access::Open)
            .answer(object([("status", Shape::Text("`ok`"))])),
        Route::get("/whoami", "The login, and what it may do.", whoami).answer(object([
            ("person", Shape::Text("who")),
            ("organisation", Shape::Text("whom they belong to")),
            ("role", Shape::Text("what they act as")),
            ("tenant", maybe(Shape::Text("whose cells they may touch"))),
            (
                "verbs",
                list(Shape::Text("a verb that `/commands` takes from this login")),
            ),
            ("domain", maybe(Shape::Text("domain of every signature"))),
            ("drill", Shape::Flag("whether this is a rehearsal")),
            ("now", Shape::Time("the control plane's time")),
        ])),
    ]
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn whoami(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Json<Value> {
    let state = web.desk.state();
    let root = state.authority.as_ref().map(anlauf_trust::Authority::root);
    let verbs = rights::VERBS
        .into_iter()
        .filter(|verb| rights::may(who.0.role, verb));
    Json(json!({
        "person": who.0.person,
        "organisation": who.0.organisation,
        "role": who.0.role,
        "tenant": who.0.tenant,
        "verbs": verbs.collect::<Vec<_>>(),
        "domain": root.map(|root| &root.domain),
        "drill": root.is_some_and(|root| root.drill),
        "now": web.desk.now(),
    }))
}
