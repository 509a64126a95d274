//! Shutting cells on a person's word: the control plane draws up and signs the close.
//!
//! In:    `POST /close` with a scope. Out: the entries of the close.
//! Never: opens anything: the key it signs with may close only.

use std::collections::BTreeSet;
use std::sync::Arc;

use anlauf_model::CellId;
use anlauf_model::feed::FeedKind;
use anlauf_recovery::{Command, Order, Refusal, State, close_statement, close_with_dependents};
use anlauf_trust::{Envelope, Scope, Statement};
use axum::Json;
use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::Value;

use super::ask::{Reader, Told};
use super::command::{done, done_shape, key_last, key_shape, permitted, reason_shape};
use super::route::Route;
use super::shape::{Shape, object};
use super::veil;
use crate::Web;
use crate::limits::CLOSE_DRAWING_COUNT_MAX;
use crate::port::DeskError;
use crate::problem::Problem;

/// A cell moved on since the close was drawn up.
const CODE_EPOCH_MOVED: &str = "AN-REC-020";
/// The key was used for another order.
const CODE_KEY_USED: &str = "AN-REC-002";

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let scope = Shape::Any(
        "`\"everything\"`, or one of `{\"site\": ID}`, `{\"tenant\": ID}`, `{\"service\": ID}`, \
         `{\"cells\": [OWNER/SERVICE, …]}`",
    );
    let dependents = Shape::Flag("also shut everything that cannot work without the cells");
    vec![
        Route::post(
            "/close",
            "Shut cells at once, signed by the control plane's key.",
            close,
        )
        .body(
            object([
                ("key", key_shape()),
                ("reason", reason_shape()),
                ("scope", scope),
            ])
            .or([("with_dependents", dependents)]),
        )
        .answer(done_shape())
        .problem(409, "refused; `reasons` says why and what would remove it")
        .problem(413, "the body is too large")
        .problem(415, "the body is not sent as JSON")
        .problem(503, "too many commands wait, or the control plane stops"),
    ]
}

/// What `/close` is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Closing {
    key: String,
    reason: String,
    scope: Scope,
    #[serde(default)]
    with_dependents: bool,
}

async fn close(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Told(closing): Told<Closing>,
) -> Result<Json<Value>, Problem> {
    permitted(&who.0, "close")?;
    if !veil::is_own(&who, &closing.scope) {
        return Err(veil::foreign().into());
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let envelope = envelope(&web, &closing)?;
        let command = Command {
            key: closing.key.clone(),
            actor: who.0.clone(),
            reason: closing.reason.clone(),
            order: Order::Close { envelope },
        };
        match web.desk.submit(command).await {
            Ok(accepted) => return Ok(Json(done(&who, &accepted))),
            Err(DeskError::Refused(refusal))
                if tries < CLOSE_DRAWING_COUNT_MAX && is_overtaken(&refusal) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The close of this key if it was sent before; else a fresh one.
fn envelope(web: &Web, closing: &Closing) -> Result<Envelope, Refusal> {
    let state = web.present();
    let scope = scope(&state, closing)?;
    let known = key_last(&state, &closing.key);
    if let Some(known) = known.and_then(|last| known_envelope(&state, last, &scope)) {
        return Ok(known);
    }
    let statement = close_statement(&state, web.desk.now(), scope, &closing.reason);
    let mut envelope = Envelope::unsigned(statement.to_payload());
    web.closer.sign(&mut envelope);
    Ok(envelope)
}

/// The scope with its dependents, where they are asked for.
fn scope(state: &State, closing: &Closing) -> Result<Scope, Refusal> {
    if !closing.with_dependents {
        return Ok(closing.scope.clone());
    }
    let landscape = state.landscape.as_deref();
    let listed = |cells: Option<&[CellId]>| cells.map(<[CellId]>::to_vec).unwrap_or_default();
    let cells = match &closing.scope {
        Scope::Everything => return Ok(Scope::Everything),
        Scope::Cells(cells) => cells.clone(),
        Scope::Site(site) => listed(landscape.map(|l| l.cells_at_site(site))),
        Scope::Tenant(tenant) => listed(landscape.map(|l| l.cells_of_tenant(tenant))),
        Scope::Service(service) => listed(landscape.map(|l| l.cells_of_service(service))),
    };
    if let Some(cell) = cells.iter().find(|cell| !state.cells.contains_key(cell)) {
        let message = format!("cell `{cell}` is not in the landscape");
        let remedy = "look it up with `anlauf status`";
        return Err(Refusal::one("AN-REC-005", message, remedy));
    }
    let all: BTreeSet<CellId> = close_with_dependents(state, &cells);
    Ok(Scope::Cells(all.into_iter().collect()))
}

/// The envelope that a close of this key and scope was accepted with.
///
/// An envelope carries its time, so a close drawn up again would be another order under the same
/// key. The order of a key begins with its `close_ordered`, which is the last close in the feed at
/// or before the key's last entry; were it another command's, the desk would refuse the key.
fn known_envelope(state: &State, last: u64, scope: &Scope) -> Option<Envelope> {
    let count = state.feed.partition_point(|item| item.seq <= last);
    let item = state.feed[..count]
        .iter()
        .rev()
        .find(|item| item.kind == FeedKind::Close)?;
    let envelope = Envelope::parse(item.envelope.as_bytes()).ok()?;
    match Statement::parse(&envelope.payload) {
        Ok(Statement::Close(close)) if close.scope == *scope => Some(envelope),
        _ => None,
    }
}

/// Whether a close drawn up again may be accepted: a cell moved on, or the same key won a race.
fn is_overtaken(refusal: &Refusal) -> bool {
    let again = |code: &str| code == CODE_EPOCH_MOVED || code == CODE_KEY_USED;
    refusal.reasons.iter().all(|reason| again(reason.code))
}
