//! Findings: what was looked at, what it says, and what rests on it.
//!
//! In:    questions. Out: findings. Never: evidence itself; a tenant sees those of its own cells.

use std::sync::Arc;

use anlauf_model::{CellId, FindingKind};
use anlauf_recovery::state::Finding;
use anlauf_recovery::{State, query};
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Asked, Reader};
use super::route::Route;
use super::shape::{Shape, list, maybe};
use super::stretch::{self, Stretch};
use super::veil;
use crate::Web;
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    let whole = {
        let mut always = fields();
        always.push((
            "rests_on",
            list(Shape::Text("a cell that rests on it, open to people")),
        ));
        Shape::Object(always, Vec::new())
    };
    vec![
        Route::get("/findings", "Findings, by number.", findings)
            .query("cell", Shape::Text("only about this cell"))
            .query("kind", Shape::Text("only of this kind"))
            .query(
                "standing",
                Shape::Flag("only those that stand, or only those that do not"),
            )
            .query("limit", stretch::LIMIT)
            .query("after", stretch::AFTER)
            .answer(stretch::shape(
                "findings",
                Shape::Object(fields(), Vec::new()),
            )),
        Route::get(
            "/findings/{number}",
            "One finding and what rests on it.",
            finding,
        )
        .answer(whole)
        .problem(404, "there is no such finding for this login"),
    ]
}

/// The query of `/findings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    cell: Option<CellId>,
    kind: Option<FindingKind>,
    standing: Option<bool>,
    limit: Option<usize>,
    after: Option<String>,
}

async fn findings(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let seen = state
        .findings
        .values()
        .filter(|finding| sees(&state, &who, finding))
        .filter(|finding| filter.cell.is_none() || finding.cell == filter.cell)
        .filter(|finding| filter.kind.is_none_or(|kind| finding.kind == kind))
        .filter(|finding| {
            filter
                .standing
                .is_none_or(|asked| stands(&state, finding) == asked)
        });
    let stretch = Stretch {
        limit: filter.limit,
        after: filter.after.clone(),
    };
    let told = stretch.of(
        "findings",
        seen,
        (|f| f.number, |f| Value::Object(told(&state, f))),
    )?;
    Ok(Json(told))
}

async fn finding(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(number): Path<String>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let found = number
        .parse::<u64>()
        .ok()
        .and_then(|number| state.findings.get(&number));
    let found = found.filter(|finding| sees(&state, &who, finding));
    let found = found.ok_or_else(|| Problem::not_found("finding"))?;
    let resting = query::rests_on(&state, found.number).into_iter();
    let resting: Vec<_> = resting
        .filter(|id| veil::sees_id(&state, &who, id))
        .collect();
    let mut fields = told(&state, found);
    fields.insert("rests_on".into(), json!(resting));
    Ok(Json(Value::Object(fields)))
}

/// A tenant sees findings about its own cells; those about the whole incident are the provider's.
fn sees(state: &State, who: &Who, finding: &Finding) -> bool {
    who.sees_all()
        || finding
            .cell
            .as_ref()
            .is_some_and(|id| veil::sees_id(state, who, id))
}

fn stands(state: &State, finding: &Finding) -> bool {
    let standing = match &finding.cell {
        Some(cell) => state
            .cells
            .get(cell)
            .and_then(|now| now.findings.get(&finding.kind))
            .copied(),
        None => state.incident_finding(finding.kind),
    };
    standing == Some(finding.number) && finding.withdrawn.is_none()
}

fn told(state: &State, finding: &Finding) -> serde_json::Map<String, Value> {
    let withdrawn = finding.withdrawn.as_ref();
    let fields = json!({
        "number": finding.number,
        "cell": finding.cell,
        "kind": finding.kind,
        "verdict": finding.verdict,
        "evidence": finding.evidence,
        "digest": finding.digest(),
        "note": finding.note,
        "by": finding.by,
        "at": finding.at,
        "signed": finding.signed,
        "standing": stands(state, finding),
        "withdrawn_at": withdrawn.map(|(at, _)| at),
        "withdrawn_why": withdrawn.map(|(_, why)| why),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}

fn fields() -> Vec<(&'static str, Shape)> {
    vec![
        ("number", Shape::Number("from 1 over the whole ledger")),
        (
            "cell",
            maybe(Shape::Text("about which; none is the whole incident")),
        ),
        ("kind", Shape::Text("what it speaks about")),
        ("verdict", Shape::Text("pass or fail")),
        (
            "evidence",
            Shape::Text("SHA-256 of the evidence, which stays with forensics"),
        ),
        (
            "digest",
            Shape::Text("what a release names when it rests on this"),
        ),
        ("note", Shape::Text("in words")),
        ("by", Shape::Text("whose finding it is")),
        ("at", Shape::Time("when they found it")),
        (
            "signed",
            maybe(Shape::Text("digest of the signed statement it came by")),
        ),
        ("standing", Shape::Flag("neither withdrawn nor overtaken")),
        ("withdrawn_at", maybe(Shape::Time("when it was withdrawn"))),
        ("withdrawn_why", maybe(Shape::Text("why it was withdrawn"))),
    ]
}
