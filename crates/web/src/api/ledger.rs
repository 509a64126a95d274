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
use super::shape::{Shape, list, maybe, object};
use crate::Web;
use crate::port::{Head, Witness, Witnesses};
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
            (
                "witnesses",
                maybe(object([
                    (
                        "quorum",
                        Shape::Number("how many must cosign a checkpoint until it counts"),
                    ),
                    (
                        "size",
                        Shape::Number("entries of the newest one that counts; 0 before the first"),
                    ),
                    (
                        "checkpoint",
                        maybe(Shape::Text("that one, cosigned (C2SP tlog-cosignature)")),
                    ),
                    (
                        "failed",
                        maybe(Shape::Text("why the last time nobody could be asked")),
                    ),
                    ("each", list(witness())),
                ])),
            ),
        ])
    };
    vec![
        Route::get("/ledger", "The ledger in figures.", ledger).answer(head()),
        Route::post(
            "/ledger/checkpoint",
            "Have the head signed, and cosigned by the witnesses.",
            checkpoint,
        )
        .access(Access::Provider)
        .answer(head())
        .problem(403, "an auditor changes nothing; ask an operator")
        .problem(503, "the control plane stops"),
    ]
}

fn witness() -> Shape {
    object([
        ("name", Shape::Text("of the witness")),
        (
            "size",
            Shape::Number("entries of the newest checkpoint it cosigned"),
        ),
        ("at", maybe(Shape::Time("when it did"))),
        (
            "trouble",
            maybe(Shape::Text("why it did not cosign the newest one")),
        ),
    ])
}

async fn ledger(Shared(web): Shared<Arc<Web>>, Reader(_): Reader) -> Result<Json<Value>, Problem> {
    let witnesses = web.desk.witnesses();
    let head = blocking(move || web.desk.head()).await??;
    Ok(Json(told(&head, witnesses.as_ref())))
}

async fn checkpoint(
    Shared(web): Shared<Arc<Web>>,
    Insider(who): Insider,
) -> Result<Json<Value>, Problem> {
    if who.0.role == Role::Auditor {
        return Err(Problem::forbidden(who.0.role));
    }
    let head = web.desk.checkpoint().await?;
    Ok(Json(told(&head, web.desk.witnesses().as_ref())))
}

fn told(head: &Head, witnesses: Option<&Witnesses>) -> Value {
    let witnesses = witnesses.map(|all| {
        let each = |one: &Witness| {
            json!({
                "name": one.name, "size": one.size, "at": one.at, "trouble": one.trouble,
            })
        };
        json!({
            "quorum": all.quorum, "size": all.size, "checkpoint": all.note,
            "failed": all.failed, "each": all.each.iter().map(each).collect::<Vec<_>>(),
        })
    });
    json!({
        "size": head.size, "root": head.root, "checkpoint": head.note, "bytes": head.bytes,
        "witnesses": witnesses,
    })
}
