//! Cells: where each stands, what it waits for, and why.
//!
//! In:    questions with filters. Out: cells in short, one cell whole, what holds it.
//! Never: a tenant gets another's cell: it is unknown, and in a chain it has no name.

use std::sync::Arc;

use anlauf_model::landscape::TaskNeed;
use anlauf_model::{
    Cell, CellId, CellKind, Forecast, ServiceId, SiteId, Stage, TaskKind, TenantId, Timestamp,
};
use anlauf_recovery::state::{CellState, Gap, Offer};
use anlauf_recovery::{State, query};
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::Deserialize;
use serde_json::{Value, json};

use super::agreement::answer_word;
use super::ask::{Asked, Reader};
use super::forecast::range_shape;
use super::route::Route;
use super::shape::{Shape, list, maybe, object};
use super::stretch::{self, Stretch};
use super::veil;
use crate::Web;
use crate::problem::Problem;
use crate::who::Who;

/// The routes of this noun.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/cells", "Cells with their stage, filtered.", cells)
            .query("tenant", Shape::Text("only this tenant's"))
            .query("service", Shape::Text("only of this service type"))
            .query("site", Shape::Text("only at this site"))
            .query("stage", Shape::Text("only at this stage"))
            .query("kind", Shape::Text("only of this kind"))
            .query("limit", stretch::LIMIT)
            .query("after", stretch::AFTER)
            .answer(stretch::shape("cells", short_shape())),
        Route::get(
            "/cells/{owner}/{service}",
            "One cell with all that is known of it.",
            cell,
        )
        .answer(whole_shape())
        .problem(404, "there is no such cell for this login"),
        Route::get(
            "/cells/{owner}/{service}/why",
            "What holds a cell, nearest first.",
            why,
        )
        .answer(why_shape())
        .problem(404, "there is no such cell for this login"),
    ]
}

/// The query of `/cells`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    tenant: Option<TenantId>,
    service: Option<ServiceId>,
    site: Option<SiteId>,
    stage: Option<Stage>,
    kind: Option<CellKind>,
    limit: Option<usize>,
    after: Option<String>,
}

impl Filter {
    fn takes(&self, cell: &Cell, now: &CellState) -> bool {
        let or_any = |wanted: bool, is_asked: bool| !is_asked || wanted;
        or_any(cell.tenant() == self.tenant.as_ref(), self.tenant.is_some())
            && or_any(
                Some(&cell.service) == self.service.as_ref(),
                self.service.is_some(),
            )
            && or_any(Some(&cell.site) == self.site.as_ref(), self.site.is_some())
            && or_any(Some(now.stage) == self.stage, self.stage.is_some())
            && or_any(Some(cell.kind) == self.kind, self.kind.is_some())
    }
}

async fn cells(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Asked(filter): Asked<Filter>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let looks = Looks::new(&state);
    let seen = known(&state)
        .filter(|(cell, _)| veil::sees(&who, cell))
        .filter(|(cell, now)| filter.takes(cell, now));
    let stretch = Stretch {
        limit: filter.limit,
        after: filter.after.clone(),
    };
    let told = stretch.of(
        "cells",
        seen,
        (
            |(cell, _)| cell.id.clone(),
            |(cell, now)| looks.short(cell, now),
        ),
    )?;
    Ok(Json(told))
}

/// Every cell of the landscape with its state.
pub(crate) fn known(state: &State) -> impl Iterator<Item = (&Cell, &CellState)> {
    let cells = state
        .landscape
        .iter()
        .flat_map(|landscape| landscape.cells().values());
    cells.filter_map(|cell| Some((cell, state.cells.get(&cell.id)?)))
}

/// What is looked up for every cell of a list.
pub(crate) struct Looks<'a> {
    state: &'a State,
    planned: std::collections::BTreeMap<&'a CellId, Timestamp>,
    forecast: Option<&'a Forecast>,
}

impl<'a> Looks<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self {
            state,
            planned: state
                .plan
                .as_ref()
                .map(|plan| plan.releases())
                .unwrap_or_default(),
            forecast: state.forecast().map(AsRef::as_ref),
        }
    }

    /// A cell in short.
    pub(crate) fn short(&self, cell: &Cell, now: &CellState) -> Value {
        let is_back = now.stage == cell.stage_last();
        let open = cell
            .tasks
            .keys()
            .filter(|task| !is_back && !now.is_done(**task));
        let expected = self
            .forecast
            .and_then(|forecast| forecast.cells.get(&cell.id));
        json!({
            "id": cell.id,
            "service": cell.service,
            "tenant": cell.tenant(),
            "site": cell.site,
            "kind": cell.kind,
            "class": cell.class,
            "insured": cell.insured,
            "stage": now.stage,
            "epoch": now.epoch,
            "stage_last": cell.stage_last(),
            "restored_at": now.restored_at,
            "not_after": now.not_after,
            "tasks_open": open.count(),
            "planned": self.planned.get(&cell.id),
            "expected": expected.filter(|_| !is_back),
            "offer": self.state.offers.get(&cell.id).map(offer),
        })
    }
}

fn offer(offer: &Offer) -> Value {
    let (slot, answer) = (offer.slot, answer_word(offer.answer));
    json!({ "from": slot.from, "to": slot.to, "answer": answer })
}

fn short_fields() -> Vec<(&'static str, Shape)> {
    vec![
        ("id", Shape::Text("owner/service")),
        ("service", Shape::Text("service type")),
        (
            "tenant",
            maybe(Shape::Text("whose; none for the provider's own")),
        ),
        ("site", Shape::Text("where it runs")),
        (
            "kind",
            Shape::Text("foundation, shared, switch, tenant or custom"),
        ),
        ("class", Shape::Text("A, B or C by protection need")),
        ("insured", Shape::Number("people who wait for it")),
        (
            "stage",
            Shape::Text("closed, clean_room, pilot, basic or full"),
        ),
        ("epoch", Shape::Number("openings and closings so far")),
        ("stage_last", Shape::Text("stage at which it is back")),
        (
            "restored_at",
            maybe(Shape::Time("when it came back in this incident")),
        ),
        (
            "not_after",
            maybe(Shape::Time("when its release ends by itself")),
        ),
        ("tasks_open", Shape::Number("steps that are not done")),
        (
            "planned",
            maybe(Shape::Time("release by the plan in force")),
        ),
        ("expected", maybe(range_shape())),
        (
            "offer",
            maybe(object([
                ("from", Shape::Time("first moment")),
                ("to", Shape::Time("last moment")),
                (
                    "answer",
                    Shape::Text("open, agreed, declined, missed or kept"),
                ),
            ])),
        ),
    ]
}

fn short_shape() -> Shape {
    Shape::Object(short_fields(), Vec::new())
}

/// A cell that this login may see, by the two parts of its address.
fn find<'a>(
    state: &'a State,
    who: &Who,
    (owner, service): &(String, String),
) -> Result<(&'a Cell, &'a CellState), Problem> {
    let found = || {
        let id: CellId = format!("{owner}/{service}").parse().ok()?;
        let cell = state.landscape.as_ref()?.cell(&id)?;
        veil::sees(who, cell).then_some((cell, state.cells.get(&id)?))
    };
    found().ok_or_else(|| Problem::not_found("cell"))
}

async fn cell(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(path): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let (cell, now) = find(&state, &who, &path)?;
    let mut told = Looks::new(&state).short(cell, now);
    let visible = |ids: &[CellId]| -> Vec<CellId> {
        let seen =
            |id: &&CellId| id.owner() == path.0 || is_providers(&state, id) || who.sees_all();
        ids.iter().filter(seen).cloned().collect()
    };
    let dependents = state
        .landscape
        .as_ref()
        .map(|l| l.dependents(&cell.id))
        .unwrap_or_default();
    told["needs"] = json!(visible(&cell.needs));
    told["after"] = json!(visible(&cell.after));
    told["needed_by"] = json!(visible(dependents));
    told["stages"] = json!(cell.stages);
    told["host"] = json!(cell.host);
    told["path"] = json!(cell.path);
    told["release"] = json!(now.release);
    told["tasks"] = query::steps(&state, cell)
        .map(|(kind, need)| task(need, now, kind))
        .collect();
    told["findings"] = now
        .findings
        .values()
        .filter_map(|n| finding(&state, *n))
        .collect();
    told["gaps"] = now.gaps.iter().map(gap).collect();
    if who.sees_all() {
        told["upstream"] = json!(cell.upstream);
        told["gates"] = gates(&state, &cell.id);
    }
    Ok(Json(told))
}

fn gap(gap: &Gap) -> Value {
    let (from, to) = (gap.from, gap.to);
    json!({ "from": from, "to": to, "caught_up": gap.caught_up })
}

fn is_providers(state: &State, id: &CellId) -> bool {
    let cell = state
        .landscape
        .as_ref()
        .and_then(|landscape| landscape.cell(id));
    cell.is_some_and(|cell| cell.tenant().is_none())
}

fn task(need: &TaskNeed, now: &CellState, kind: TaskKind) -> Value {
    let known = now.tasks.get(&kind);
    json!({
        "task": kind,
        "team": need.team,
        "started": known.map(|task| task.started),
        "finished": known.and_then(|task| task.finished),
        "failures": known.map_or(0, |task| task.failures),
    })
}

fn finding(state: &State, number: u64) -> Option<Value> {
    let finding = state.findings.get(&number)?;
    Some(json!({ "number": number, "kind": finding.kind, "verdict": finding.verdict }))
}

fn gates(state: &State, id: &CellId) -> Value {
    let reported = state.gates.iter().filter_map(|(gate, known)| {
        let (stage, epoch) = known.cells.get(id)?;
        Some(json!({ "gate": gate, "stage": stage, "epoch": epoch }))
    });
    reported.collect()
}

fn whole_shape() -> Shape {
    let mut always = short_fields();
    always.extend([
        ("needs", list(Shape::Text("a cell it cannot work without"))),
        (
            "after",
            list(Shape::Text("a cell released before it, by order only")),
        ),
        (
            "needed_by",
            list(Shape::Text("a cell that cannot work without it")),
        ),
        ("stages", list(Shape::Text("a stage of its release"))),
        ("host", Shape::Text("host name at the gate")),
        ("path", Shape::Text("path at the gate")),
        ("release", maybe(Shape::Text("release in force"))),
        (
            "tasks",
            list(object([
                ("task", Shape::Text("which step")),
                (
                    "team",
                    maybe(Shape::Text("who does it; none is the tenant")),
                ),
                ("started", maybe(Shape::Time("since"))),
                ("finished", maybe(Shape::Time("until"))),
                ("failures", Shape::Number("how often it was done again")),
            ])),
        ),
        (
            "findings",
            list(object([
                ("number", Shape::Number("of the finding")),
                ("kind", Shape::Text("what it speaks about")),
                ("verdict", Shape::Text("pass or fail")),
            ])),
        ),
        (
            "gaps",
            list(object([
                ("from", Shape::Time("shut at")),
                ("to", maybe(Shape::Time("open again at"))),
                ("caught_up", maybe(Shape::Time("worked off at"))),
            ])),
        ),
    ]);
    let reported = object([
        ("gate", Shape::Text("which")),
        ("stage", Shape::Text("reported stage")),
        ("epoch", Shape::Number("reported epoch")),
    ]);
    let insiders = [
        (
            "upstream",
            maybe(Shape::Text("where the gate forwards to; provider only")),
        ),
        ("gates", list(reported)),
    ];
    Shape::Object(always, insiders.into())
}

async fn why(
    Shared(web): Shared<Arc<Web>>,
    Reader(who): Reader,
    Path(path): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let state = web.present();
    let (cell, _) = find(&state, &who, &path)?;
    let holding = query::holding(&state, web.desk.now(), &cell.id);
    let holding = holding.ok_or_else(|| Problem::not_found("cell"))?;
    let mut told = serde_json::to_value(&holding).expect("a holding has only string keys");
    veil::cover(&state, &who, &mut told);
    Ok(Json(told))
}

fn why_shape() -> Shape {
    object([
        ("cell", Shape::Text("which")),
        ("stage", Shape::Text("where it stands")),
        (
            "stage_next",
            maybe(Shape::Text("the next stage; none when it is back")),
        ),
        ("tasks_open", list(Shape::Text("a step that is not done"))),
        (
            "needs_closed",
            list(Shape::Text("a cell it needs that is not open")),
        ),
        (
            "findings_missing",
            list(Shape::Text("a finding that policy demands")),
        ),
        ("signatures_missing", list(Shape::Any("role and how many"))),
        (
            "ready",
            maybe(Shape::Text(
                "its open release, when that is fully signed and waits for being carried out",
            )),
        ),
        (
            "agreed",
            maybe(Shape::Any("the window that was agreed and is not over")),
        ),
        (
            "word_missing",
            maybe(Shape::Text("what is missing of the tenant's word")),
        ),
        (
            "chain",
            list(Shape::Any(
                "a link of the plan's chain, told apart by `why`",
            )),
        ),
    ])
}
