//! What tenants wish, and the windows they were offered.
//!
//! In:    questions. Out: offers with the tenant's word, orders of cells. Never: another tenant's.

use std::sync::Arc;

use anlauf_model::CellId;
use anlauf_recovery::state::{Answer, Offer};
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::{Asked, Reader};
use super::route::Route;
use super::shape::{Shape, list, map, object};
use super::stretch::{self, Stretch};
use super::veil;
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/offers",
            "Windows offered, with the tenants' word.",
            offers,
        )
        .query("limit", stretch::LIMIT)
        .query("after", stretch::AFTER)
        .answer(stretch::shape("offers", offer_shape())),
        Route::get("/wishes", "Tenants' own orders of their cells.", wishes).answer(object([(
            "wishes",
            map(list(Shape::Text("a cell, most wanted first"))),
        )])),
    ]
}

/// The word for an answer.
pub(crate) const fn answer_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Open => "open",
        Answer::Agreed => "agreed",
        Answer::Declined => "declined",
        Answer::Missed => "missed",
        Answer::Kept => "kept",
    }
}

/// An offer as the API tells it.
pub(crate) fn offer(cell: &CellId, offer: &Offer) -> Value {
    json!({
        "cell": cell,
        "from": offer.slot.from,
        "to": offer.slot.to,
        "answer": answer_word(offer.answer),
        "at": offer.at,
        "reason": offer.reason,
    })
}

/// The form of an offer.
pub(crate) fn offer_shape() -> Shape {
    object([
        ("cell", Shape::Text("which")),
        ("from", Shape::Time("first moment")),
        ("to", Shape::Time("last moment")),
        (
            "answer",
            Shape::Text("open, agreed, declined, missed or kept"),
        ),
        ("at", Shape::Time("when the last word was given")),
        ("reason", Shape::Text("why")),
    ])
}

async fn offers(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(stretch): Asked<Stretch>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let seen = state
        .offers
        .iter()
        .filter(|(cell, _)| veil::sees_id(&state, &who, cell));
    let told = stretch.of(
        "offers",
        seen,
        (|(cell, _)| (*cell).clone(), |(cell, o)| offer(cell, o)),
    )?;
    Ok(Json(told))
}

async fn wishes(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Json<Value> {
    let state = web.present();
    let own = |tenant: &anlauf_model::TenantId| who.sees_all() || who.tenant() == Some(tenant);
    let seen = state.wishes.iter().filter(|(tenant, _)| own(tenant));
    let seen: serde_json::Map<_, _> = seen
        .map(|(tenant, order)| (tenant.to_string(), json!(order)))
        .collect();
    Json(json!({ "wishes": seen }))
}
