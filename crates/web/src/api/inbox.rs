//! What waits for this login: signatures, answers, tests, plans, releases.
//!
//! In:    a login. Out: what it may do now. Never: what others must do.

use std::sync::Arc;

use anlauf_model::{CellId, FindingKind, Role, TaskKind, Timestamp};
use anlauf_recovery::state::{Answer, ReleaseEnd};
use anlauf_recovery::{State, rights};
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::agreement::{offer, offer_shape};
use super::ask::Reader;
use super::cell::known;
use super::plan::{proposed, proposed_shape};
use super::release::{may_sign, missing, short, short_shape};
use super::route::Route;
use super::shape::{Shape, list, maybe, object};
use super::veil;
use crate::Web;
use crate::limits::INBOX_COUNT_MAX;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let conflict = object([
        ("cell", Shape::Text("which")),
        ("from", Shape::Time("agreed from")),
        ("to", Shape::Time("agreed until")),
        (
            "planned",
            maybe(Shape::Time("release by the plan in force")),
        ),
        ("why", Shape::Text("`passed` or `outside_plan`")),
    ]);
    let finding = object([
        ("cell", Shape::Text("which")),
        ("kind", Shape::Text("which finding")),
    ]);
    vec![
        Route::get(
            "/inbox",
            "What waits for this login; each list at most 200.",
            inbox,
        )
        .answer(object([
            ("sign", list(short_shape())),
            ("slots", list(offer_shape())),
            (
                "acceptance",
                list(Shape::Text("a cell whose tests wait for the tenant's word")),
            ),
            (
                "catch_up",
                list(Shape::Text("a cell whose gap is to be worked off")),
            ),
            ("findings", list(finding)),
            ("plans", list(proposed_shape())),
            ("release", list(short_shape())),
            ("contradictions", list(conflict)),
        ])),
    ]
}

async fn inbox(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Json<Value> {
    let state = web.present();
    let now = web.desk.now();
    let may = |verb: &str| rights::may(who.0.role, verb);
    Json(json!({
        "sign": if may("add_signatures") { to_sign(&state, &who) } else { Vec::new() },
        "slots": if may("agree_slots") { slots(&state, &who, now) } else { Vec::new() },
        "acceptance": if may("accept_cells") { acceptance(&state, &who) } else { Vec::new() },
        "catch_up": if may("catch_up") { catch_up(&state, &who) } else { Vec::new() },
        "findings": if may("add_findings") { findings(&state, &who) } else { Vec::new() },
        "plans": if may("adopt_plan") { plans(&state) } else { Vec::new() },
        "release": if may("release") { to_release(&state) } else { Vec::new() },
        "contradictions": if may("offer_slots") { contradictions(&state, now) } else { Vec::new() },
    }))
}

fn to_sign(state: &State, who: &Who) -> Vec<Value> {
    let cases = state.releases.iter();
    let seen = cases.filter(|(id, _)| veil::sees_release(state, who, id));
    let own = seen.filter(|(_, case)| may_sign(state, case, &who.0.person));
    own.take(INBOX_COUNT_MAX)
        .map(|(id, case)| Value::Object(short(state, id, case)))
        .collect()
}

fn slots(state: &State, who: &Who, now: Timestamp) -> Vec<Value> {
    let open = state
        .offers
        .iter()
        .filter(|(_, o)| o.answer == Answer::Open && o.slot.to > now);
    let seen = open.filter(|(cell, _)| veil::sees_id(state, who, cell));
    seen.take(INBOX_COUNT_MAX)
        .map(|(cell, one)| offer(cell, one))
        .collect()
}

fn acceptance(state: &State, who: &Who) -> Vec<CellId> {
    let running = known(state).filter(|(_, now)| {
        now.tasks
            .get(&TaskKind::Acceptance)
            .is_some_and(|task| task.finished.is_none())
    });
    let seen = running.filter(|(cell, _)| veil::sees(who, cell));
    seen.take(INBOX_COUNT_MAX)
        .map(|(cell, _)| cell.id.clone())
        .collect()
}

/// The provider's cells are worked off by the provider, a tenant's by the tenant.
fn catch_up(state: &State, who: &Who) -> Vec<CellId> {
    let behind = known(state).filter(|(_, now)| {
        now.gaps
            .iter()
            .any(|gap| gap.to.is_some() && gap.caught_up.is_none())
    });
    let own = behind.filter(|(cell, _)| cell.tenant() == who.tenant());
    own.take(INBOX_COUNT_MAX)
        .map(|(cell, _)| cell.id.clone())
        .collect()
}

/// Findings whose step is finished and that nobody brought yet.
fn findings(state: &State, who: &Who) -> Vec<Value> {
    let mut waiting = Vec::new();
    for (cell, now) in known(state) {
        for task in cell.tasks.keys().filter(|task| now.is_done(**task)) {
            let Some(kind) = task.finding() else { continue };
            if !now.findings.contains_key(&kind) && is_theirs(who.0.role, kind) {
                waiting.push(json!({ "cell": cell.id, "kind": kind }));
            }
            if waiting.len() == INBOX_COUNT_MAX {
                return waiting;
            }
        }
    }
    waiting
}

fn is_theirs(role: Role, kind: FindingKind) -> bool {
    match kind {
        FindingKind::TenantAccepted => false,
        FindingKind::ForensicsVerdict => matches!(role, Role::Forensics | Role::Security),
        _ => matches!(role, Role::Security | Role::Forensics | Role::Automation),
    }
}

fn plans(state: &State) -> Vec<Value> {
    let current = state.plan.as_ref().map(|plan| plan.id);
    let fitting = state
        .proposed
        .values()
        .filter(|plan| plan.parent == current);
    fitting
        .take(INBOX_COUNT_MAX)
        .map(|plan| proposed(plan))
        .collect()
}

/// Releases that nobody's signature is missing under.
fn to_release(state: &State) -> Vec<Value> {
    let open = state
        .releases
        .iter()
        .filter(|(_, case)| case.end == ReleaseEnd::Open);
    let ready = open.filter(|(_, case)| missing(state, case).is_empty());
    ready
        .take(INBOX_COUNT_MAX)
        .map(|(id, case)| Value::Object(short(state, id, case)))
        .collect()
}

/// Agreed windows that passed without a release, or that the plan in force does not keep.
fn contradictions(state: &State, now: Timestamp) -> Vec<Value> {
    let planned = state
        .plan
        .as_ref()
        .map(|plan| plan.releases())
        .unwrap_or_default();
    let agreed = state
        .offers
        .iter()
        .filter(|(_, offer)| offer.answer == Answer::Agreed);
    let told = agreed.filter_map(|(cell, offer)| {
        let release = planned.get(cell).copied();
        let slot = offer.slot;
        let why = if slot.to <= now {
            "passed"
        } else if release.is_some_and(|at| at < slot.from || at > slot.to) {
            "outside_plan"
        } else {
            return None;
        };
        Some(json!({
            "cell": cell, "from": slot.from, "to": slot.to, "planned": release, "why": why,
        }))
    });
    told.take(INBOX_COUNT_MAX).collect()
}
