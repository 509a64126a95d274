//! The ledger's entries, and the proof that one lies in it.
//!
//! In:    positions. Out: entries this login may read, in words too; leaf, salt and path.
//! Never: an entry of another scope; a root document with the people of other tenants.

use std::sync::Arc;

use anlauf_model::Language;
use anlauf_recovery::{Entry, Event, query};
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Asked, Reader};
use super::command::readable;
use super::planning::blocking;
use super::route::Route;
use super::shape::{Shape, list, maybe, object};
use super::status::text_shape;
use super::stretch::limit;
use crate::Web;
use crate::limits::{ENTRY_COUNT_DEFAULT, ENTRY_COUNT_MAX, ENTRY_LOOK_COUNT_MAX};
use crate::port::DeskError;
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/entries",
            "Entries of the ledger from a number on.",
            entries,
        )
        .query(
            "from",
            Shape::Number("first number looked at; 1 is the first"),
        )
        .query(
            "limit",
            Shape::Number("at most so many, 1 to 1,000; 100 if not given"),
        )
        .answer(object([
            ("entries", list(entry_shape())),
            (
                "next",
                maybe(Shape::Number("send as `from` for the next stretch")),
            ),
            ("head", Shape::Number("last entry of the ledger")),
        ])),
        Route::get("/entries/{number}", "One entry of the ledger.", entry)
            .answer(entry_shape())
            .problem(404, "there is no such entry for this login"),
        Route::get(
            "/entries/{number}/proof",
            "What proves an entry to lie in the ledger.",
            proof,
        )
        .query(
            "size",
            Shape::Number("entries of the tree; the checkpoint's if not given"),
        )
        .answer(object([
            ("seq", Shape::Number("the entry")),
            ("body", Shape::Text("its bytes as they were hashed")),
            ("salt", Shape::Text("salt of its body, in hex")),
            ("leaf", Shape::Text("leaf hash, in hex")),
            (
                "size",
                Shape::Number("entries of the tree the path leads to"),
            ),
            (
                "path",
                list(Shape::Text("sibling hash, from the leaf to the root")),
            ),
            (
                "root",
                maybe(Shape::Text(
                    "root of the tree of that size, where it is the head",
                )),
            ),
            ("checkpoint", maybe(Shape::Text("newest signed checkpoint"))),
        ]))
        .problem(404, "there is no such entry for this login"),
    ]
}

/// The query of `/entries`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    from: Option<u64>,
    limit: Option<usize>,
}

async fn entries(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(asked): Asked<Position>,
) -> Result<Json<Value>, Problem> {
    let limit = limit(asked.limit, ENTRY_COUNT_DEFAULT, ENTRY_COUNT_MAX)?;
    let from = asked.from.unwrap_or(1).max(1);
    let head = web.desk.state().seq;
    let (found, next) = blocking(move || collect(&web, &who, from, limit)).await??;
    Ok(Json(
        json!({ "entries": found, "next": next.filter(|next| *next <= head), "head": head }),
    ))
}

async fn entry(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let none = || Problem::not_found("entry");
    let seq = number.parse::<u64>().map_err(|_| none())?;
    let ledger = web.clone();
    let found = blocking(move || ledger.desk.entries(seq, 1)).await??;
    let found = found.into_iter().next();
    let found = found.filter(|entry| entry.seq == seq && readable(&who.0, entry));
    Ok(Json(told(&web, &who, &found.ok_or_else(none)?)))
}

/// Looks from a number on for entries this login may read; gives where to go on.
fn collect(
    web: &Web,
    who: &Who,
    from: u64,
    limit: usize,
) -> Result<(Vec<Value>, Option<u64>), DeskError> {
    let (mut found, mut next, mut looked) = (Vec::new(), from, 0);
    while looked < ENTRY_LOOK_COUNT_MAX {
        let stretch = web.desk.entries(next, ENTRY_COUNT_MAX)?;
        if stretch.is_empty() {
            return Ok((found, None));
        }
        looked += stretch.len();
        for entry in stretch {
            if found.len() == limit {
                return Ok((found, Some(entry.seq)));
            }
            next = entry.seq + 1;
            if readable(&who.0, &entry) {
                found.push(told(web, who, &entry));
            }
        }
    }
    Ok((found, Some(next)))
}

/// An entry as the API tells it.
pub(crate) fn told(web: &Web, who: &Who, entry: &Entry) -> Value {
    let mut told = serde_json::to_value(entry).expect("entries have only string keys");
    if let Event::RootAdopted { version, envelope } = &entry.event
        && !who.sees_all()
    {
        // The document names every tenant's people.
        let digest = envelope.digest();
        told["event"] = json!({ "event": "root_adopted", "version": version, "digest": digest });
    }
    let landscape = web.desk.state().landscape.clone();
    let words = |language| query::in_words_named(&entry.event, landscape.as_deref(), language);
    told["words"] = json!({ "de": words(Language::De), "en": words(Language::En) });
    told
}

/// The form of an entry.
pub(crate) fn entry_shape() -> Shape {
    object([
        ("seq", Shape::Number("from 1, without gaps")),
        ("at", Shape::Time("when it was decided")),
        (
            "actor",
            Shape::Any("who asked: person, organisation, role, tenant"),
        ),
        ("reason", Shape::Text("why")),
        ("key", Shape::Text("idempotency key of its command")),
        ("command", Shape::Text("digest of its command's order")),
        ("scope", Shape::Any("who may read it")),
        ("event", Shape::Any("what happened, told apart by `event`")),
        ("words", text_shape()),
    ])
}

/// The query of a proof.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tree {
    size: Option<u64>,
}

async fn proof(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(number): Path<String>,
    Asked(tree): Asked<Tree>,
) -> Result<Json<Value>, Problem> {
    let none = || Problem::not_found("entry");
    let seq = number.parse::<u64>().map_err(|_| none())?;
    let found = blocking(move || {
        // Looked at before the proof is made: what is another's costs nothing and tells nothing.
        let entry = web.desk.entries(seq, 1)?.into_iter().next();
        if !entry.is_some_and(|entry| entry.seq == seq && may_prove(&who, &entry)) {
            return Ok(None);
        }
        let head = web.desk.head()?;
        let signed = head
            .note
            .as_deref()
            .and_then(note_size)
            .filter(|size| *size >= seq);
        let size = tree.size.or(signed).unwrap_or(head.size);
        Ok(web.desk.proof(seq, size)?.map(|proof| (proof, head)))
    });
    let found: Result<_, DeskError> = found.await?;
    let (proof, head) = found?.ok_or_else(none)?;
    Ok(Json(json!({
        "seq": proof.entry.seq,
        "body": proof.body,
        "salt": hex::encode(proof.salt),
        "leaf": proof.leaf,
        "size": proof.size,
        "path": proof.path,
        "root": Some(head.root).filter(|_| proof.size == head.size),
        "checkpoint": head.note,
    })))
}

/// Whether a login may have an entry's bytes: it reads all of it.
fn may_prove(who: &Who, entry: &Entry) -> bool {
    let is_whole = who.sees_all() || !matches!(entry.event, Event::RootAdopted { .. });
    is_whole && readable(&who.0, entry)
}

/// Tree size of a signed checkpoint: its second line.
fn note_size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}
