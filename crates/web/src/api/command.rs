//! Every change: one order, one reason, one idempotency key.
//!
//! In:    `POST /commands`. Out: the entries it made, as far as this login may read them.
//! Never: takes the person from the body; tells a tenant whether a thing of another exists.

use std::sync::Arc;

use anlauf_recovery::{Actor, Command, Entry, Order, Refusal, State, query};
use axum::Json;
use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Reader, Told};
use super::route::Route;
use super::shape::{Shape, list, object};
use super::veil;
use crate::Web;
use crate::port::Accepted;
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post(
            "/commands",
            "Ask for a change: an order with its reason and idempotency key.",
            command,
        )
        .body(object([
            ("key", key_shape()),
            ("reason", reason_shape()),
            ("order", order_shape()),
        ]))
        .answer(done_shape())
        .problem(409, "refused; `reasons` says why and what would remove it")
        .problem(413, "the body is too large")
        .problem(415, "the body is not sent as JSON")
        .problem(503, "too many commands wait, or the control plane stops"),
    ]
}

/// What `/commands` is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asking {
    key: String,
    reason: String,
    order: Order,
}

async fn command(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Told(asking): Told<Asking>,
) -> Result<Json<Value>, Problem> {
    veil::close_permitted(&who, &asking.order)?;
    let command = Command {
        key: asking.key,
        actor: who.0.clone(),
        reason: asking.reason,
        order: asking.order,
    };
    let accepted = web.desk.submit(command).await?;
    Ok(Json(done(&who, &accepted)))
}

/// An accepted command as the API tells it.
pub(crate) fn done(who: &Who, accepted: &Accepted) -> Value {
    let entries = accepted
        .entries
        .iter()
        .filter(|entry| readable(&who.0, entry));
    let entries: Vec<Value> = entries.map(entry_short).collect();
    json!({ "seq": accepted.seq, "replayed": accepted.replayed, "entries": entries })
}

/// Whether this actor may read an entry.
pub(crate) fn readable(actor: &Actor, entry: &Entry) -> bool {
    query::may_read(entry, actor.role, actor.tenant.as_ref())
}

fn entry_short(entry: &Entry) -> Value {
    let mut event = serde_json::to_value(&entry.event).expect("events have only string keys");
    if let Some(fields) = event.as_object_mut() {
        fields.insert("seq".into(), json!(entry.seq));
    }
    event
}

/// Last entry of the command that a key stands for already.
pub(crate) fn key_last(state: &State, key: &str) -> Option<u64> {
    state.keys.get(key).map(|(seq, _)| *seq)
}

/// Refuses roles that may not use a verb, before any work is done for them.
pub(crate) fn permitted(actor: &Actor, verb: &str) -> Result<(), Refusal> {
    if anlauf_recovery::rights::may(actor.role, verb) {
        return Ok(());
    }
    let message = format!("role `{}` may not `{verb}`", actor.role);
    let remedy = "ask someone whose role has this right";
    Err(Refusal::one("AN-REC-003", message, remedy))
}

/// The form of an idempotency key.
pub(crate) fn key_shape() -> Shape {
    Shape::Text("idempotency key, 1 to 128 bytes: the same key with the same order is done once")
}

/// The form of a reason.
pub(crate) fn reason_shape() -> Shape {
    Shape::Text("why, for people; never empty, at most 2,000 bytes")
}

fn order_shape() -> Shape {
    Shape::Any(
        "an object with `verb` and the verb's own fields; verbs: adopt_landscape, \
         adopt_root, adopt_policy, adopt_delegation, declare_incident, narrow_incident, \
         hold_site, end_incident, close, start_tasks, finish_tasks, fail_tasks, \
         add_findings, add_signed_finding, withdraw_finding, propose_plan, adopt_plan, \
         publish_forecast, state_wish, offer_slots, agree_slots, decline_slots, \
         accept_cells, propose_releases, add_signatures, release, catch_up, \
         report_gate, publish_notice, revise_notice, break_glass, review_break_glass",
    )
}

/// The form of an accepted command.
pub(crate) fn done_shape() -> Shape {
    object([
        ("seq", Shape::Number("number of its last entry")),
        (
            "replayed",
            Shape::Flag("the key was used before: nothing was done this time"),
        ),
        (
            "entries",
            list(Shape::Any("an event, with `event` and its number `seq`")),
        ),
    ])
}
