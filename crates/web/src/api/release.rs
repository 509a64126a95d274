//! Releases: what is drawn up, what it says, who signed and who is still missing.
//!
//! In:    questions. Out: releases, their envelopes to sign, their words.
//! Never: a signature; a tenant sees only releases of its own cells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anlauf_model::{Digest, Language, PersonId, Role, TenantId};
use anlauf_recovery::state::{ReleaseCase, ReleaseEnd};
use anlauf_recovery::{State, words_missing};
use anlauf_trust::Authority;
use anlauf_words::fingerprint;
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ask::{Asked, Reader};
use super::route::Route;
use super::shape::{Shape, list, maybe, object};
use super::stretch::{self, Stretch};
use super::veil;
use crate::Web;
use crate::problem::Problem;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let whole = {
        let mut always = short_fields();
        always.extend([
            (
                "envelope",
                Shape::Any("DSSE envelope; what is signed is its payload"),
            ),
            ("words", object([("de", WORDS), ("en", WORDS)])),
            (
                "fingerprint",
                Shape::Text("sixteen digits to read to one another"),
            ),
            (
                "evidence",
                list(Shape::Any(
                    "a cell with its epoch and the findings it rests on",
                )),
            ),
            (
                "refused",
                list(Shape::Text("why the gates would refuse it now")),
            ),
        ]);
        Shape::Object(always, Vec::new())
    };
    vec![
        Route::get("/releases", "Releases, by digest.", releases)
            .query(
                "open",
                Shape::Flag("only those on their way, or only those that ended"),
            )
            .query("limit", stretch::LIMIT)
            .query("after", stretch::AFTER)
            .answer(stretch::shape("releases", short_shape())),
        Route::get(
            "/releases/{digest}",
            "One release, to be read and signed.",
            release,
        )
        .answer(whole)
        .problem(404, "there is no such release for this login"),
    ]
}

const WORDS: Shape = Shape::Text("the statement as a person reads it before signing");

/// The query of `/releases`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    open: Option<bool>,
    limit: Option<usize>,
    after: Option<String>,
}

async fn releases(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let is_open = |case: &ReleaseCase| case.end == ReleaseEnd::Open;
    let seen = state
        .releases
        .iter()
        .filter(|(_, case)| filter.open.is_none_or(|asked| is_open(case) == asked))
        .filter(|(id, _)| veil::sees_release(&state, &who, id));
    let stretch = Stretch {
        limit: filter.limit,
        after: filter.after.clone(),
    };
    let told = stretch.of(
        "releases",
        seen,
        (
            |(id, _)| **id,
            |(id, case)| Value::Object(short(&state, id, case)),
        ),
    )?;
    Ok(Json(told))
}

async fn release(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(digest): Path<String>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let found = digest.parse::<Digest>().ok();
    let found = found.filter(|id| veil::sees_release(&state, &who, id));
    let found = found.and_then(|id| Some((id, state.releases.get(&id)?)));
    let (id, case) = found.ok_or_else(|| Problem::not_found("release"))?;
    let mut told = short(&state, &id, case);
    let words = |language| anlauf_words::release(&case.release, language);
    told.insert("envelope".into(), json!(case.envelope));
    told.insert(
        "words".into(),
        json!({ "de": words(Language::De), "en": words(Language::En) }),
    );
    told.insert("fingerprint".into(), json!(fingerprint(&id)));
    told.insert("evidence".into(), json!(case.release.cells));
    told.insert(
        "refused".into(),
        json!(refused(&state, case, web.desk.now())),
    );
    Ok(Json(Value::Object(told)))
}

/// Why the gates would refuse a release now; none once it ended.
fn refused(state: &State, case: &ReleaseCase, now: anlauf_model::Timestamp) -> Vec<String> {
    let Some(authority) = state
        .authority
        .as_ref()
        .filter(|_| case.end == ReleaseEnd::Open)
    else {
        return Vec::new();
    };
    match authority.check_release(&case.envelope, &|cell| state.facts(cell), now) {
        Ok(_) => Vec::new(),
        Err(refusal) => refusal
            .reasons
            .into_iter()
            .map(|reason| reason.message)
            .collect(),
    }
}

/// A release in short.
pub(crate) fn short(state: &State, id: &Digest, case: &ReleaseCase) -> Map<String, Value> {
    let (end, ended_at, why) = match &case.end {
        ReleaseEnd::Open => ("open", None, None),
        ReleaseEnd::Released(at) => ("released", Some(at), None),
        ReleaseEnd::Dropped(at, why) => ("dropped", Some(at), Some(why)),
    };
    let signed = case
        .signed
        .iter()
        .map(|(by, at)| json!({ "person": by, "at": at }));
    let missing = missing(state, case).into_iter();
    let missing = missing.map(|(role, count)| match role {
        Some(role) => json!({ "role": role, "count": count }),
        None => json!({ "role": "any", "count": count }),
    });
    let fields = json!({
        "release": id,
        "break_glass": case.release.break_glass,
        "reviewed": case.review.as_ref().map(|review| {
            json!({ "by": review.by, "at": review.at, "account": review.account })
        }),
        "stage": case.release.stage,
        "cells": case.release.cells.iter().map(|bound| &bound.cell).collect::<Vec<_>>(),
        "not_before": case.release.not_before,
        "not_after": case.release.not_after,
        "reason": case.release.reason,
        "proposed_by": case.proposed.0,
        "proposed_at": case.proposed.1,
        "signed": signed.collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "end": end,
        "ended_at": ended_at,
        "ended_why": why,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn short_fields() -> Vec<(&'static str, Shape)> {
    vec![
        ("release", Shape::Text("digest of the envelope: its name")),
        (
            "break_glass",
            Shape::Flag("whether two words open it for hours, without findings"),
        ),
        (
            "reviewed",
            maybe(object([
                ("by", Shape::Text("who gave account of the break-glass")),
                ("at", Shape::Time("when")),
                ("account", Shape::Text("in words")),
            ])),
        ),
        ("stage", Shape::Text("to which stage")),
        ("cells", list(Shape::Text("which"))),
        ("not_before", Shape::Time("holds from")),
        ("not_after", Shape::Time("holds until")),
        ("reason", Shape::Text("why")),
        ("proposed_by", Shape::Text("who drew it up")),
        ("proposed_at", Shape::Time("when")),
        (
            "signed",
            list(object([
                ("person", Shape::Text("who signed")),
                ("at", Shape::Time("when")),
            ])),
        ),
        (
            "missing",
            list(object([
                (
                    "role",
                    Shape::Text("acting as; `any` of another organisation under a break-glass"),
                ),
                ("count", Shape::Number("persons still missing")),
            ])),
        ),
        ("end", Shape::Text("open, released or dropped")),
        ("ended_at", maybe(Shape::Time("when it ended"))),
        ("ended_why", maybe(Shape::Text("why it was dropped"))),
    ]
}

/// The form of a release in short.
pub(crate) fn short_shape() -> Shape {
    Shape::Object(short_fields(), Vec::new())
}

/// Signers that policy demands and that have not signed an open release, by role; by none for a
/// break-glass, which any two of different organisations open.
pub(crate) fn missing(state: &State, case: &ReleaseCase) -> BTreeMap<Option<Role>, u32> {
    let mut missing = BTreeMap::new();
    if case.end != ReleaseEnd::Open {
        return missing;
    }
    if case.release.break_glass {
        let (count, _) = words_missing(state, case);
        return Some((None, count))
            .filter(|_| count > 0)
            .into_iter()
            .collect();
    }
    let Some(authority) = &state.authority else {
        return missing;
    };
    for (role, count) in demanded(state, authority, case) {
        let signed = case
            .signed
            .keys()
            .filter(|person| role_of(authority, person) == Some(role));
        let left = count.saturating_sub(u32::try_from(signed.count()).unwrap_or(u32::MAX));
        if left > 0 {
            missing.insert(Some(role), left);
        }
    }
    missing
}

/// The most that any of the cells' rules demands, by role.
fn demanded(state: &State, authority: &Authority, case: &ReleaseCase) -> BTreeMap<Role, u32> {
    let mut demanded: BTreeMap<Role, u32> = BTreeMap::new();
    let Some((_, policy)) = authority.policy() else {
        return demanded;
    };
    let stage = case.release.stage;
    for bound in &case.release.cells {
        let cell = state
            .landscape
            .as_ref()
            .and_then(|landscape| landscape.cell(&bound.cell));
        let Some(cell) = cell else { continue };
        let rule = policy
            .rules
            .iter()
            .find(|rule| rule.matches(cell.class, cell.kind, stage));
        for signer in rule.iter().flat_map(|rule| &rule.signers) {
            let most = demanded.entry(signer.role).or_default();
            *most = (*most).max(signer.count);
        }
    }
    demanded
}

fn role_of(authority: &Authority, person: &PersonId) -> Option<Role> {
    authority
        .root()
        .keys
        .iter()
        .find(|key| key.person == *person)
        .map(|key| key.role)
}

/// Whether a person's signature under an open release is still wanted.
pub(crate) fn may_sign(state: &State, case: &ReleaseCase, person: &PersonId) -> bool {
    let Some(authority) = &state.authority else {
        return false;
    };
    if case.end != ReleaseEnd::Open || case.signed.contains_key(person) {
        return false;
    }
    if case.release.break_glass {
        return words_missing(state, case).1.contains(person);
    }
    let tenants = tenants(state, case);
    let missing = missing(state, case);
    authority
        .root()
        .keys
        .iter()
        .filter(|key| key.person == *person)
        .any(|key| {
            missing.contains_key(&Some(key.role))
                && key
                    .tenant
                    .as_ref()
                    .is_none_or(|own| tenants.iter().all(|tenant| tenant == own))
        })
}

fn tenants(state: &State, case: &ReleaseCase) -> BTreeSet<TenantId> {
    let landscape = state.landscape.as_ref();
    let cells = case.release.cells.iter();
    cells
        .filter_map(|bound| landscape?.cell(&bound.cell)?.tenant().cloned())
        .collect()
}
