//! Who is who and what must be known: the root document and the policy in force.
//!
//! In:    a login. Out: both documents. Never: another tenant's people to a tenant.

use std::sync::Arc;

use anlauf_model::Role;
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::Reader;
use super::route::Route;
use super::shape::{Shape, list, maybe, object};
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/root",
            "The root document in force; for a tenant without others' people.",
            root,
        )
        .answer(object([
            ("domain", Shape::Text("domain of every signature")),
            ("drill", Shape::Flag("whether this is a rehearsal")),
            ("version", Shape::Number("from 1")),
            (
                "expires",
                Shape::Time("an expired root closes, never opens"),
            ),
            (
                "keys",
                list(Shape::Any(
                    "a key with its person, organisation, role and time",
                )),
            ),
            (
                "rootKeys",
                list(Shape::Text("a key that signs roots and policies")),
            ),
            (
                "rootThreshold",
                Shape::Number("persons that must sign a root or policy"),
            ),
            (
                "rootOrganisationsMin",
                Shape::Number("organisations they must come from"),
            ),
            (
                "pin",
                maybe(Shape::Text("digest of the first root: what gates pin")),
            ),
        ]))
        .problem(404, "no root is adopted"),
        Route::get(
            "/policy",
            "The policy in force: what must be known and who must sign.",
            policy,
        )
        .answer(object([
            ("digest", Shape::Text("what releases name")),
            ("domain", Shape::Text("domain of every signature")),
            ("version", Shape::Number("from 1")),
            (
                "table",
                Shape::Text("digest of the gate table it speaks about"),
            ),
            (
                "rules",
                list(Shape::Any("a rule per class, kind and stage")),
            ),
        ]))
        .problem(404, "no policy is adopted"),
    ]
}

async fn root(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Result<Json<Value>, Problem> {
    let state = web.desk.state();
    let authority = state
        .authority
        .as_ref()
        .ok_or_else(|| Problem::not_found("root"))?;
    let mut root = authority.root().clone();
    root.keys.retain(|key| {
        who.sees_all() || key.role != Role::Tenant || key.tenant.as_ref() == who.tenant()
    });
    let known: std::collections::BTreeSet<_> = root.keys.iter().map(|key| &key.id).collect();
    let root_keys: Vec<_> = root
        .root_keys
        .iter()
        .filter(|id| known.contains(id))
        .collect();
    let root_keys = json!(root_keys);
    let mut told = serde_json::to_value(&root).expect("a root has only string keys");
    told["rootKeys"] = root_keys;
    told["pin"] = json!(state.pin);
    Ok(Json(told))
}

async fn policy(Shared(web): Shared<Arc<Web>>, Reader(_): Reader) -> Result<Json<Value>, Problem> {
    let state = web.desk.state();
    let policy = state
        .authority
        .as_ref()
        .and_then(anlauf_trust::Authority::policy);
    let (digest, policy) = policy.ok_or_else(|| Problem::not_found("policy"))?;
    let mut told = serde_json::to_value(policy).expect("a policy has only string keys");
    told["digest"] = json!(digest);
    Ok(Json(told))
}
