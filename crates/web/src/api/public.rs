//! What anyone may know: which services run, as of when, and when there is more.
//!
//! In:    nothing, or a tenant's id. Out: calm words. Never: anything internal; a list of tenants;
//!        dates that only a forecast knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::landscape::Service;
use anlauf_model::{CellKind, Stage, TenantId, Text, Timestamp};
use anlauf_recovery::{State, break_glasses};
use axum::Json;
use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::Asked;
use super::cell::known;
use super::gate::next_word_at;
use super::route::{Access, Route};
use super::shape::{Shape, list, maybe, object};
use super::status::text_shape;
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let service = object([
        ("service", Shape::Text("which")),
        ("name", text_shape()),
        (
            "stage",
            Shape::Text("the least open stage of its instances"),
        ),
        ("words", text_shape()),
        ("open", Shape::Number("instances open to people")),
        ("instances", Shape::Number("instances in all")),
    ]);
    let notice = object([
        ("at", Shape::Time("as of")),
        ("text", text_shape()),
        ("next_word_at", Shape::Time("when there is more")),
        (
            "revised",
            Shape::Flag("whether it corrects an earlier text"),
        ),
    ]);
    vec![
        Route::get(
            "/public/status",
            "What anyone may know, without a login.",
            status,
        )
        .access(Access::Open)
        .query(
            "tenant",
            Shape::Text("only this tenant's services; without it, all together"),
        )
        .answer(object([
            ("as_of", Shape::Time("when this was so")),
            ("next_word_at", maybe(Shape::Time("when there is more"))),
            ("drill", Shape::Flag("whether this is a rehearsal")),
            (
                "running",
                Shape::Flag("whether an incident is being worked on"),
            ),
            (
                "break_glass_until",
                maybe(Shape::Time(
                    "until when services run in an emergency without a release",
                )),
            ),
            ("title", maybe(text_shape())),
            ("tenant", maybe(Shape::Text("name of the asked tenant"))),
            ("services", list(service)),
            ("notices", list(notice)),
        ]))
        .problem(404, "there is no such tenant"),
    ]
}

/// The query of `/public/status`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    tenant: Option<TenantId>,
}

async fn status(
    Shared(web): Shared<Arc<Web>>,
    Asked(of): Asked<Of>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let tenant = of.tenant.map(|id| {
        let found = state
            .landscape
            .as_ref()
            .and_then(|landscape| landscape.tenant(&id));
        found.ok_or_else(|| {
            let status = axum::http::StatusCode::NOT_FOUND;
            Problem::new(status, "not found", "there is no such tenant")
        })
    });
    let tenant = tenant.transpose()?;
    let root = state.authority.as_ref().map(anlauf_trust::Authority::root);
    Ok(Json(json!({
        "as_of": state.at,
        "next_word_at": next_word_at(&state),
        "drill": root.is_some_and(|root| root.drill),
        "running": state.running().is_some(),
        "break_glass_until": break_glass_until(&state),
        "title": state.running().map(|incident| &incident.title),
        "tenant": tenant.map(|tenant| &tenant.name),
        "services": services(&state, tenant.map(|tenant| &tenant.id)),
        "notices": notices(&state),
    })))
}

/// Until when something is open on two words; not what.
fn break_glass_until(state: &State) -> Option<Timestamp> {
    let open = break_glasses(state).into_iter();
    let open = open.filter(|one| !one.open.is_empty());
    open.map(|one| one.until).max()
}

/// Services that people use, each with its least open stage.
fn services(state: &State, tenant: Option<&TenantId>) -> Vec<Value> {
    let mut stages: BTreeMap<&anlauf_model::ServiceId, Vec<Stage>> = BTreeMap::new();
    for (cell, now) in known(state) {
        let is_used = matches!(
            cell.kind,
            CellKind::Switch | CellKind::Tenant | CellKind::Custom
        );
        // Non-standard services are named by their tenants only.
        let is_told = cell.kind != CellKind::Custom || tenant.is_some();
        if is_used && is_told && (tenant.is_none() || cell.tenant() == tenant) {
            stages.entry(&cell.service).or_default().push(now.stage);
        }
    }
    let told = stages.into_iter().filter_map(|(id, stages)| {
        let service = state.landscape.as_ref()?.service(id)?;
        Some(told(service, &stages))
    });
    told.collect()
}

fn told(service: &Service, stages: &[Stage]) -> Value {
    let open = stages.iter().filter(|stage| stage.is_public()).count();
    let least = stages.iter().min().copied().unwrap_or_default();
    json!({
        "service": service.id,
        "name": service.name,
        "stage": least,
        "words": words(least, open, stages.len()),
        "open": open,
        "instances": stages.len(),
    })
}

/// A stage as the public reads it. What only testers reach is closed to everyone else.
fn words(least: Stage, open: usize, instances: usize) -> Text {
    let (de, en) = match (least, open) {
        (Stage::Full, _) => ("läuft", "is running"),
        (Stage::Basic, _) => ("läuft eingeschränkt", "is running with reduced function"),
        (_, 0) => ("derzeit nicht verfügbar", "not available at present"),
        (_, open) => {
            return Text {
                de: format!("läuft bei {open} von {instances}"),
                en: format!("is running at {open} of {instances}"),
            };
        }
    };
    Text {
        de: de.to_owned(),
        en: en.to_owned(),
    }
}

/// Notices to everyone, the newest first, each in its last version.
fn notices(state: &State) -> Vec<Value> {
    let open = state
        .notices
        .iter()
        .rev()
        .filter(|notice| notice.tenant.is_none());
    let told = open.filter_map(|notice| {
        let version = notice.versions.last()?;
        Some(json!({
            "at": version.at,
            "text": version.text,
            "next_word_at": version.next_word_at,
            "revised": notice.versions.len() > 1,
        }))
    });
    told.take(crate::limits::PUBLIC_NOTICE_COUNT_MAX).collect()
}
