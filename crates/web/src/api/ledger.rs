//! The ledger in figures, and its signed head.
//!
//! In:    a login. Out: size, root, checkpoint. Never: an entry; those are `entry`'s.

use std::sync::Arc;

use anlauf_model::Role;
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::{Insider, Reader};
use super::planning::blocking;
use super::route::{Access, Route};
use super::shape::{Shape, maybe, object};
use crate::Web;
use crate::port::Head;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let head = || {
        object([
            (
                "size",
                Shape::Number("entries, which is the number of the last one"),
            ),
            ("root", Shape::Text("root of the Merkle tree over them")),
            (
                "checkpoint",
                maybe(Shape::Text(
                    "newest signed checkpoint (C2SP tlog-checkpoint)",
                )),
            ),
            ("bytes", Shape::Number("how much it takes on the disk")),
        ])
    };
    vec![
        Route::get("/ledger", "The ledger in figures.", ledger).answer(head()),
        Route::post("/ledger/checkpoint", "Have the head signed.", checkpoint)
            .access(Access::Provider)
            .answer(head())
            .problem(403, "an auditor changes nothing; ask an operator")
            .problem(503, "the control plane stops"),
    ]
}

async fn ledger(Shared(web): Shared<Arc<Web>>, Reader(_): Reader) -> Result<Json<Value>, Problem> {
    let head = blocking(move || web.desk.head()).await??;
    Ok(Json(told(&head)))
}

async fn checkpoint(
    Shared(web): Shared<Arc<Web>>,
    Insider(who): Insider,
) -> Result<Json<Value>, Problem> {
    if who.0.role == Role::Auditor {
        return Err(Problem::forbidden(who.0.role));
    }
    let head = web.desk.checkpoint().await?;
    Ok(Json(told(&head)))
}

fn told(head: &Head) -> Value {
    json!({
        "size": head.size, "root": head.root, "checkpoint": head.note, "bytes": head.bytes,
    })
}
