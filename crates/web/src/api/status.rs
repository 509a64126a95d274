//! Where everything stands, in numbers.
//!
//! In:    a login. Out: the two progress numbers, counts, incident, head, gates in short.
//! Never: numbers of other tenants; a tenant gets its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::{Stage, TaskKind, TenantId};
use anlauf_recovery::query::Progress;
use anlauf_recovery::{State, break_glasses, query};
use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use super::ask::Reader;
use super::cell::known;
use super::forecast::range_shape;
use super::gate::next_word_at;
use super::route::Route;
use super::shape::{Shape, list, map, maybe, object};
use super::veil;
use crate::Web;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let incident = object([
        ("title", text_shape()),
        ("began", Shape::Time("since")),
        ("ended", maybe(Shape::Time("until"))),
        (
            "restricted",
            list(Shape::Text("a site that stays restricted after narrowing")),
        ),
    ])
    .or([(
        "holds",
        map(Shape::Time("until when the site is held; provider only")),
    )]);
    let gate = object([
        ("gate", Shape::Text("which")),
        ("at", Shape::Time("last report worth an entry")),
        ("applied", Shape::Number("last feed item in force there")),
        ("behind", Shape::Number("feed items it has not applied")),
    ]);
    vec![
        Route::get(
            "/status",
            "Progress, counts and incident; a tenant's own for a tenant.",
            status,
        )
        .answer(
            object([
                ("as_of", Shape::Time("when the last entry was decided")),
                ("now", Shape::Time("the control plane's time")),
                (
                    "next_word_at",
                    maybe(Shape::Time("when everyone hears more")),
                ),
                ("domain", maybe(Shape::Text("domain of every signature"))),
                ("drill", Shape::Flag("whether this is a rehearsal")),
                ("seq", Shape::Number("last entry of the ledger")),
                ("incident", maybe(incident)),
                ("progress", progress_shape()),
                ("stages", map(Shape::Number("cells at this stage"))),
                ("cells", Shape::Number("cells in all")),
                ("plan", maybe(Shape::Text("plan in force"))),
                ("break_glass", list(break_glass_shape())),
            ])
            .or([
                ("expected", maybe(range_shape())),
                (
                    "kinds",
                    map(map(Shape::Number("cells of this kind at this stage"))),
                ),
                ("gates", list(gate)),
                ("releases_open", Shape::Number("releases on their way")),
                ("plans_proposed", Shape::Number("plans for decision")),
            ]),
        ),
    ]
}

/// The form of a break-glass that has to be told.
fn break_glass_shape() -> Shape {
    object([
        ("release", Shape::Text("digest of what was signed")),
        ("cells", list(Shape::Text("open on it, or that were"))),
        ("stage", Shape::Text("to which stage")),
        ("since", Shape::Time("when it was carried out")),
        ("until", Shape::Time("when it ends by itself")),
        ("reason", Shape::Text("why")),
        ("signers", list(Shape::Text("who signed"))),
        (
            "owed",
            Shape::Flag("whether it is over and nobody gave account of it"),
        ),
    ])
}

/// What is open on two words, or was and nobody gave account of it; a tenant's own for a tenant.
fn break_glass(state: &State, who: &Who) -> Vec<Value> {
    let loud = break_glasses(state).into_iter().filter(|one| {
        one.is_loud() && one.cells.iter().all(|cell| veil::sees_id(state, who, cell))
    });
    loud.map(|one| {
        json!({
            "release": one.release,
            "cells": if one.is_owed() { &one.cells } else { &one.open },
            "stage": one.stage, "since": one.since, "until": one.until,
            "reason": one.reason, "signers": one.signers, "owed": one.is_owed(),
        })
    })
    .collect()
}

/// The form of a text in both languages.
pub(crate) fn text_shape() -> Shape {
    object([
        ("de", Shape::Text("in German")),
        ("en", Shape::Text("in English")),
    ])
}

/// The form of the two progress numbers.
pub(crate) fn progress_shape() -> Shape {
    object([
        (
            "systems_restored_per_mille",
            Shape::Number("cells whose technical work is done"),
        ),
        (
            "services_released_per_mille",
            Shape::Number("services open, weighted by insured people"),
        ),
    ])
}

async fn status(Shared(web): Shared<Arc<Web>>, Reader(who): Reader) -> Json<Value> {
    let state = web.present();
    let root = state.authority.as_ref().map(anlauf_trust::Authority::root);
    let stages = stages(&state, &who);
    let mut told = json!({
        "as_of": state.at,
        "now": web.desk.now(),
        "next_word_at": next_word_at(&state),
        "domain": root.map(|root| &root.domain),
        "drill": root.is_some_and(|root| root.drill),
        "seq": state.seq,
        "incident": incident(&state, &who),
        "progress": progress(&state, &who),
        "cells": stages.values().sum::<u32>(),
        "stages": stages,
        "plan": state.plan.as_ref().map(|plan| plan.id),
        "break_glass": break_glass(&state, &who),
    });
    if who.sees_all() {
        told["expected"] = json!(state.forecast().and_then(|forecast| forecast.whole));
        told["kinds"] = kinds(&state);
        told["gates"] = state
            .gates
            .iter()
            .map(|(id, gate)| gate_short(&state, id, gate))
            .collect();
        let open = |case: &&anlauf_recovery::state::ReleaseCase| {
            case.end == anlauf_recovery::state::ReleaseEnd::Open
        };
        told["releases_open"] = json!(state.releases.values().filter(open).count());
        told["plans_proposed"] = json!(state.proposed.len());
    }
    Json(told)
}

fn progress(state: &State, who: &Who) -> Progress {
    match who.tenant() {
        Some(tenant) => progress_of(state, tenant),
        None => query::progress(state),
    }
}

fn incident(state: &State, who: &Who) -> Value {
    let Some(incident) = &state.incident else {
        return Value::Null;
    };
    let mut told = json!({
        "title": incident.title,
        "began": incident.began,
        "ended": incident.ended,
        "restricted": incident.restricted,
    });
    if who.sees_all() {
        told["holds"] = json!(incident.holds);
    }
    told
}

/// How many cells that this login sees are at each stage.
pub(crate) fn stages(state: &State, who: &Who) -> BTreeMap<&'static str, u32> {
    let mut counts: BTreeMap<_, _> = Stage::ALL.iter().map(|stage| (stage.word(), 0)).collect();
    for (_, now) in known(state).filter(|(cell, _)| veil::sees(who, cell)) {
        *counts.entry(now.stage.word()).or_default() += 1;
    }
    counts
}

fn kinds(state: &State) -> Value {
    let mut told = serde_json::Map::new();
    for ((kind, stage), count) in query::stages(state) {
        let Ok(Value::String(kind)) = serde_json::to_value(kind) else {
            continue;
        };
        let stages = told.entry(kind).or_insert_with(|| json!({}));
        stages[stage.word()] = json!(count);
    }
    Value::Object(told)
}

fn gate_short(
    state: &State,
    id: &anlauf_model::GateId,
    gate: &anlauf_recovery::state::GateState,
) -> Value {
    json!({
        "gate": id, "at": gate.at, "applied": gate.applied, "behind": behind(state, gate.applied),
    })
}

/// Feed items after the one a gate applied last.
pub(crate) fn behind(state: &State, applied: u64) -> usize {
    state.feed.len() - state.feed.partition_point(|item| item.seq <= applied)
}

/// The two progress numbers over one tenant's own cells.
pub(crate) fn progress_of(state: &State, tenant: &TenantId) -> Progress {
    let (mut cells, mut restored, mut waiting, mut released) = (0u64, 0u64, 0u128, 0u128);
    for (cell, now) in known(state).filter(|(cell, _)| cell.tenant() == Some(tenant)) {
        let technical =
            |task: &&TaskKind| !matches!(task, TaskKind::Acceptance | TaskKind::Decision);
        let is_done = cell
            .tasks
            .keys()
            .filter(technical)
            .all(|task| now.is_done(*task));
        cells += 1;
        restored += u64::from(is_done || now.stage_released() == cell.stage_last());
        waiting += u128::from(cell.insured);
        released += if now.stage_released().is_public() {
            u128::from(cell.insured)
        } else {
            0
        };
    }
    let per_mille = |part: u128, whole: u128| {
        u32::try_from((part * 1000).checked_div(whole).unwrap_or(0)).unwrap_or(1000)
    };
    Progress {
        systems_restored_per_mille: per_mille(restored.into(), cells.into()),
        services_released_per_mille: per_mille(released, waiting),
    }
}
