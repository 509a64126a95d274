//! Gates: what each should be and what it says it is.
//!
//! In:    a login of the provider. Out: gates, cells that differ, what they refused.
//! Never: to a tenant.

use std::sync::Arc;

use anlauf_model::feed::GateDecision;
use anlauf_model::{CellId, Epoch, GateId, Stage, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::state::GateState;
use axum::extract::State as Shared;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::ask::Insider;
use super::route::{Access, Route};
use super::shape::{Shape, list, maybe, object};
use super::status::behind;
use crate::Web;
use crate::limits::DIFFERENCE_COUNT_MAX;
use crate::memory::Memory;
use crate::view::fresh::FreshView;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let differing = object([
        ("cell", Shape::Text("which")),
        ("wanted", Shape::Text("stage by the ledger")),
        ("wanted_epoch", Shape::Number("epoch by the ledger")),
        (
            "reported",
            maybe(Shape::Text("stage by the gate; none if it never said")),
        ),
        ("reported_epoch", maybe(Shape::Number("epoch by the gate"))),
    ]);
    let refused = object([
        ("at", Shape::Time("when")),
        ("seq", Shape::Number("which feed item")),
        ("reasons", list(Shape::Text("why not"))),
    ]);
    let gate = object([
        ("gate", Shape::Text("which")),
        ("at", Shape::Time("last report worth an entry")),
        (
            "heard_at",
            maybe(Shape::Time(
                "last report; none since the control plane started",
            )),
        ),
        ("applied", Shape::Number("last feed item in force there")),
        ("behind", Shape::Number("feed items it has not applied")),
        ("table", maybe(Shape::Text("digest of the table it uses"))),
        (
            "root_version",
            maybe(Shape::Number("root version in force there")),
        ),
        ("counts", maybe(Shape::Any("requests since it started"))),
        (
            "freshness",
            list(object([
                ("class", Shape::Text("cells of this class")),
                ("standing", Shape::Text("unproven, fresh, held or stale")),
                (
                    "age_minutes",
                    maybe(Shape::Number(
                        "age of the last fresh word; none if none is known",
                    )),
                ),
            ])),
        ),
        ("differing", Shape::Number("cells that are not as wanted")),
        ("cells", list(differing)),
        ("refused", list(refused)),
    ]);
    vec![
        Route::get(
            "/gates",
            "Gates: wanted state against reported state.",
            gates,
        )
        .access(Access::Provider)
        .answer(object([("gates", list(gate))])),
    ]
}

async fn gates(
    Shared(web): Shared<Arc<Web>>,
    Extension(memory): Extension<Arc<Memory>>,
    Insider(_): Insider,
) -> Json<Value> {
    let state = web.desk.state();
    let told = state
        .gates
        .iter()
        .map(|(id, gate)| told((&state, web.desk.now()), &memory, id, gate));
    Json(json!({ "gates": told.collect::<Vec<_>>() }))
}

fn freshness(one: &FreshView) -> Value {
    let (class, standing) = (one.class, one.standing);
    json!({ "class": class, "standing": standing, "age_minutes": one.age_minutes })
}

fn told(
    (state, now): (&State, Timestamp),
    memory: &Memory,
    id: &GateId,
    gate: &GateState,
) -> Value {
    let heard = memory.heard(id);
    let fresh = FreshView::of(state, now, heard.as_ref());
    let differing = differing(state, gate);
    let listed = differing.iter().take(DIFFERENCE_COUNT_MAX);
    json!({
        "gate": id,
        "at": gate.at,
        "heard_at": heard.as_ref().map(|heard| heard.at),
        "applied": gate.applied,
        "behind": behind(state, gate.applied),
        "table": heard.as_ref().and_then(|heard| heard.table),
        "root_version": heard.as_ref().map(|heard| heard.root_version),
        "counts": heard.as_ref().map(|heard| heard.counts),
        "freshness": fresh.iter().map(freshness).collect::<Vec<_>>(),
        "differing": differing.len(),
        "cells": listed.map(Differing::json).collect::<Vec<_>>(),
        "refused": gate.refused.iter().map(refused).collect::<Vec<_>>(),
    })
}

fn refused((at, decision): &(Timestamp, GateDecision)) -> Value {
    let (seq, reasons) = (decision.seq, &decision.reasons);
    json!({ "at": at, "seq": seq, "reasons": reasons })
}

/// A cell that is not at a gate as it should be.
struct Differing<'a> {
    cell: &'a CellId,
    wanted: (Stage, Epoch),
    reported: Option<(Stage, Epoch)>,
}

impl Differing<'_> {
    fn json(&self) -> Value {
        json!({
            "cell": self.cell,
            "wanted": self.wanted.0,
            "wanted_epoch": self.wanted.1,
            "reported": self.reported.map(|(stage, _)| stage),
            "reported_epoch": self.reported.map(|(_, epoch)| epoch),
        })
    }
}

/// Cells whose stage at the gate is not the wanted one. A closed cell a gate never spoke of is
/// closed there: gates begin shut.
fn differing<'a>(state: &'a State, gate: &GateState) -> Vec<Differing<'a>> {
    let cells = state.cells.iter().filter_map(|(cell, now)| {
        let reported = gate.cells.get(cell).copied();
        let is_same = reported.map_or(Stage::Closed, |(stage, _)| stage) == now.stage;
        (!is_same).then_some(Differing {
            cell,
            wanted: (now.stage, now.epoch),
            reported,
        })
    });
    cells.collect()
}
