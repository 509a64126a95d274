//! What people were told.
//!
//! In:    a login. Out: notices to everyone and to its tenant, with every version.
//! Never: a notice to another tenant.

use std::sync::Arc;

use anlauf_recovery::state::Notice;
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::{Asked, Reader};
use super::route::Route;
use super::shape::{Shape, list, maybe, object};
use super::status::text_shape;
use super::stretch::{self, Stretch};
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/notices",
            "What people were told, with every version.",
            notices,
        )
        .query("limit", stretch::LIMIT)
        .query("after", stretch::AFTER)
        .answer(stretch::shape("notices", notice_shape())),
    ]
}

async fn notices(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(stretch): Asked<Stretch>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let own = |notice: &&Notice| {
        notice.tenant.is_none() || who.sees_all() || notice.tenant.as_ref() == who.tenant()
    };
    let seen = state.notices.iter().filter(own);
    Ok(Json(stretch.of(
        "notices",
        seen,
        (|notice| notice.number, |notice| told(notice)),
    )?))
}

fn told(notice: &Notice) -> Value {
    let version = |version: &anlauf_recovery::state::NoticeVersion| {
        json!({
            "at": version.at,
            "text": version.text,
            "next_word_at": version.next_word_at,
            "reason": version.reason,
        })
    };
    json!({
        "number": notice.number,
        "tenant": notice.tenant,
        "versions": notice.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

fn notice_shape() -> Shape {
    object([
        ("number", Shape::Number("from 1")),
        (
            "tenant",
            maybe(Shape::Text("who reads it; none is everyone")),
        ),
        (
            "versions",
            list(object([
                ("at", Shape::Time("as of")),
                ("text", text_shape()),
                ("next_word_at", Shape::Time("when they hear more")),
                ("reason", Shape::Text("why it was written or revised")),
            ])),
        ),
    ])
}
