//! What would be if: the operator tries people, sites and services; a tenant its order and windows.
//!
//! In:    a form with changes. Out: which openings move, with ranges, before anything is asked for.
//! Never: changes anything; tells a tenant of another.

use std::sync::Arc;

use anlauf_model::landscape::CellKind;
use anlauf_model::{CellId, Range, TenantId, Timestamp};
use anlauf_planner::Change;
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::frame::{axis, tabs};
use crate::Web;
use crate::api::attempt::try_for_page;
use crate::page::form::{Act, Fields};
use crate::page::screen::{Miss, Screen};
use crate::page::visit::Visit;
use crate::page::{answer, part, portal};
use crate::picture;
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::plan::Span;
use crate::view::plan::attempt::{Attempt, Moved, Told};
use crate::view::{CellName, Text2, cell_name};
use crate::who::Who;

/// Where this page is.
const HERE: &str = "/console/plan/try";

/// What can be tried.
#[derive(Default)]
struct Choices {
    teams: Vec<(String, Text2, u32)>,
    sites: Vec<(String, Text2)>,
    /// Services that are not standard and not back.
    custom: Vec<CellName>,
}

/// The form.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let p = words(visit.say.language);
    let choices = choices(visit);
    let has_plan = visit.state().plan.is_some();
    let main = html! {
        h1 { (p.try_title) }
        (tabs(visit, HERE))
        @if !has_plan { (part::nothing(visit.say.w.no_plan)) }
        @else if visit.may("propose_plan") { (form(visit, &choices)) }
        @else { (part::nothing(p.try_not_you)) }
    };
    Ok(Screen::new(p.try_title, "/console/plan", main).still())
}

fn choices(visit: &Visit<'_>) -> Choices {
    let state = visit.state();
    let Some(landscape) = state.landscape.as_deref() else {
        return Choices::default();
    };
    let declared = landscape.declared();
    let is_left = |id: &CellId| state.cells.get(id).is_some_and(|c| c.restored_at.is_none());
    let custom = landscape.cells().iter();
    let custom = custom.filter(|(id, cell)| cell.kind == CellKind::Custom && is_left(id));
    let teams = declared.teams.iter();
    let sites = declared.sites.iter();
    Choices {
        teams: teams
            .map(|one| (one.id.to_string(), Text2::from(&one.name), one.lanes))
            .collect(),
        sites: sites
            .map(|one| (one.id.to_string(), Text2::from(&one.name)))
            .collect(),
        custom: custom.map(|(id, _)| cell_name(landscape, id)).collect(),
    }
}

fn form(visit: &Visit<'_>, choices: &Choices) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let p = words(say.language);
    let none = html! { option value="" { (p.try_as_is) } };
    html! {
        p.hint { (p.try_hint) }
        form.stack method="post" action=(HERE) {
            fieldset.fields {
                legend { (p.try_people) }
                div.field {
                    label for="try-team" { (w.team) }
                    select id="try-team" name="team" {
                        (none)
                        @for (id, name, lanes) in &choices.teams {
                            option value=(id) {
                                (part::said(say, name)) " ("
                                (say.count((*lanes).into(), w.lane, w.lanes)) ")"
                            }
                        }
                    }
                }
                div.field {
                    label for="try-lanes" { (p.lanes_word) }
                    input type="number" id="try-lanes" name="lanes" min="0" max="1000"
                        inputmode="numeric";
                }
            }
            fieldset.fields {
                legend { (p.try_site) }
                div.field {
                    label for="try-site" { (w.site) }
                    select id="try-site" name="site" {
                        (none)
                        @for (id, name) in &choices.sites {
                            option value=(id) { (part::said(say, name)) }
                        }
                    }
                }
                div.field {
                    label for="try-free" { (p.try_from) }
                    input type="datetime-local" id="try-free" name="free"
                        value=(say.field(say.now));
                }
            }
            @if !choices.custom.is_empty() {
                div.field {
                    label for="try-drop" { (p.try_drop) }
                    select id="try-drop" name="drop" {
                        (none)
                        @for name in &choices.custom {
                            option value=(name.id) { (part::full_name(say, name)) }
                        }
                    }
                }
            }
            button.primary type="submit" { (p.try_do) }
        }
    }
}

/// What the operator tries.
pub(crate) fn attempt(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    if !visit.may("propose_plan") {
        return Err(Miss::NotFound);
    }
    let p = words(visit.say.language);
    let unclear = || Miss::Unclear(p.try_unclear);
    let mut changes = Vec::new();
    if fields.get("team").is_some() {
        changes.push(Change::Lanes {
            team: fields.parsed("team").ok_or_else(unclear)?,
            lanes: fields.parsed("lanes").ok_or_else(unclear)?,
        });
    }
    if fields.get("site").is_some() {
        changes.push(Change::Free {
            site: fields.parsed("site").ok_or_else(unclear)?,
            at: time(visit, fields, "free").ok_or_else(unclear)?,
        });
    }
    if fields.get("drop").is_some() {
        changes.push(Change::Drop {
            cell: fields.parsed("drop").ok_or_else(unclear)?,
        });
    }
    if changes.is_empty() {
        return Err(unclear());
    }
    Ok(Act::Try(changes))
}

/// What a tenant tries: its own order, or a window for one of its own.
pub(crate) fn attempt_own(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let tenant = portal::own_tenant(visit)?;
    if !visit.may("state_wish") {
        return Err(Miss::NotFound);
    }
    let unclear = || Miss::Unclear(words(visit.say.language).try_unclear);
    let change = match fields.get("cell") {
        Some(_) => {
            let cell: CellId = fields.parsed("cell").ok_or_else(unclear)?;
            if cell.owner() != tenant.as_str() {
                return Err(Miss::NotFound);
            }
            let ends = [time(visit, fields, "from"), time(visit, fields, "to")];
            let [Some(from), Some(to)] = ends else {
                return Err(unclear());
            };
            Change::Slot { cell, from, to }
        }
        None => Change::Order {
            order: portal::ranked(visit, &tenant, fields)?,
            tenant,
        },
    };
    Ok(Act::Try(vec![change]))
}

fn time(visit: &Visit<'_>, fields: &Fields, name: &str) -> Option<Timestamp> {
    visit.say.read_field(fields.get(name)?)
}

/// The answer as a page.
pub(crate) async fn answer(visit: &Visit<'_>, web: &Arc<Web>, changes: Vec<Change>) -> Response {
    let (Some(memory), Some(actor)) = (visit.memory, visit.actor) else {
        return answer::missed(visit, &Miss::NotFound);
    };
    let tenant = actor.tenant.as_ref();
    match try_for_page(web, memory, &Who(actor.clone()), changes.clone()).await {
        Ok(tried) => {
            let view = Attempt::of(&visit.state(), &tried, &changes, tenant);
            let screen = shown(visit, &view, (&changes, tenant));
            answer::page(visit, StatusCode::OK, &screen)
        }
        Err(problem) => answer::problem(visit, &problem),
    }
}

fn shown(
    visit: &Visit<'_>,
    view: &Attempt,
    (changes, tenant): (&[Change], Option<&TenantId>),
) -> Screen {
    let say = &visit.say;
    let p = words(say.language);
    let (here, back) = match tenant {
        Some(_) => ("/tenant", "/tenant"),
        None => ("/console/plan", HERE),
    };
    let counts = [view.earlier, view.later].map(|count| say.number(count as u64));
    let main = html! {
        p.kicker { a href=(back) { (p.try_back) } }
        h1 { (p.try_answer) }
        ul.plain { @for one in &view.changes { li { (told(say, one)) } } }
        p.lead { (fill(p.try_counts, &[&counts[0], &counts[1]])) }
        @if let Some((before, after)) = &view.whole {
            p { (p.try_whole_before) " " (say.range(before)) }
            p { b { (p.try_whole_after) " " (say.range(after)) } }
        }
        @if !view.broken.is_empty() {
            div.card.alarm-row {
                p { b { (p.try_broken) } }
                (part::cells(say, &view.broken, 0))
            }
        }
        @if view.breaks_others { p { b { (p.try_breaks_others) } } }
        @if view.cells.is_empty() { (part::nothing(p.try_nothing)) }
        @else { (picture::change(&drawn(say, view), say.language)) (table(say, view)) }
        (next(visit, changes))
        p.hint { (p.try_unchanged) }
    };
    Screen::new(p.try_answer, here, main).still()
}

/// A change in words.
pub(crate) fn told(say: &Say, change: &Told) -> String {
    let p = words(say.language);
    match change {
        Told::Order(tenant) => fill(p.told_order, &[&part::said(say, tenant)]),
        Told::Slot(name, from, to) => {
            let name = part::full_name(say, name);
            fill(p.told_slot, &[&name, &say.window(*from, *to)])
        }
        Told::GiveBack(name) => fill(p.told_give_back, &[&part::full_name(say, name)]),
        Told::Lanes(team, lanes) => {
            let lanes = say.count((*lanes).into(), say.w.lane, say.w.lanes);
            fill(p.told_lanes, &[&say.text(team), &lanes])
        }
        Told::Free(site, at) => fill(p.told_free, &[&say.text(site), &say.when(*at)]),
        Told::Drop(name) => fill(p.told_drop, &[&part::full_name(say, name)]),
    }
}

fn drawn(say: &Say, view: &Attempt) -> picture::Change {
    let ends = view.cells.iter().flat_map(|one| one.planned);
    let ends: Vec<Timestamp> = ends.flatten().collect();
    let half = anlauf_model::Minutes::hours(12);
    let span = Span {
        from: ends.iter().min().copied().unwrap_or(say.now) - half,
        to: ends.iter().max().copied().unwrap_or(say.now) + half,
    };
    let moves = view.cells.iter().map(|one| picture::Move {
        name: part::full_name(say, &one.name),
        note: by(say, one),
        from: one.planned[0],
        to: one.planned[1],
    });
    picture::Change {
        id: "try-picture".to_owned(),
        title: words(say.language).try_answer.to_owned(),
        axis: axis(say, span),
        moves: moves.collect(),
    }
}

fn by(say: &Say, one: &Moved) -> String {
    let p = words(say.language);
    match (one.by, one.planned) {
        (Some(0), _) => p.change_unmoved.to_owned(),
        (Some(by), _) if by < 0 => fill(p.change_earlier, &[&say.span(-by)]),
        (Some(by), _) => fill(p.change_later, &[&say.span(by)]),
        (None, [None, _]) => p.change_added.to_owned(),
        (None, _) => p.change_gone.to_owned(),
    }
}

fn table(say: &Say, view: &Attempt) -> Markup {
    let (w, p) = (say.w, words(say.language));
    let at = |at: Option<Timestamp>| {
        html! { @if let Some(at) = at { (part::when_short(say, at)) } }
    };
    let range = |range: Option<Range>| {
        html! { @if let Some(range) = &range {
            span title=(say.range(range)) { (say.day(range.p50)) " – " (say.day(range.p95)) }
        } }
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(p.try_answer) {
            table.list.stacked {
                thead { tr {
                    th scope="col" { (w.cell) }
                    th scope="col" { (p.change_by) }
                    th scope="col" { (p.try_planned_before) }
                    th scope="col" { (p.try_planned_after) }
                    th scope="col" { (p.try_range_before) } th scope="col" { (p.try_range_after) }
                } }
                tbody { @for one in &view.cells { tr {
                    th scope="row" { (part::full_name(say, &one.name)) }
                    td data-label=(p.change_by) { (by(say, one)) }
                    td data-label=(p.try_planned_before) { (at(one.planned[0])) }
                    td data-label=(p.try_planned_after) { (at(one.planned[1])) }
                    td data-label=(p.try_range_before) { (range(one.range[0])) }
                    td data-label=(p.try_range_after) { (range(one.range[1])) }
                } } }
            }
        }
    }
}

/// What can be done with the answer: a tenant's order can be sent as its wish.
fn next(visit: &Visit<'_>, changes: &[Change]) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let p = words(say.language);
    html! {
        @match (changes, visit.actor.and_then(|actor| actor.tenant.as_ref())) {
            ([Change::Order { order, .. }], Some(_)) => {
                form.stack method="post" action="/tenant/wish" {
                    @for (index, cell) in order.iter().enumerate() {
                        input type="hidden" name={ "rank-" (cell.service()) } value=(index + 1);
                    }
                    (part::reason(say, "wish", w.reason_wish))
                    button.primary type="submit" { (w.wish_do) }
                }
            }
            ([Change::Slot { .. }], Some(_)) => { p { (p.try_slot_next) } }
            _ => {}
        }
    }
}
