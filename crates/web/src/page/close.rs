//! Closing: choose what, see exactly which cells, say why, shut.

use anlauf_model::CellId;
use anlauf_trust::Scope;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::text::{Say, fill};
use crate::view::close::{CloseView, Wanted};

/// Names listed of what would shut; the count is always whole.
const NAME_COUNT_MAX: usize = 2_000;

/// The page: what to close, and what that means.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    if !visit.may("close") {
        return Err(Miss::NotFound);
    }
    let view = match visit.asked("scope") {
        Some(word) => {
            let found = CloseView::of(&visit.state(), visit.now(), word);
            Some(found.ok_or(Miss::NotFound)?)
        }
        None => None,
    };
    let main = html! {
        h1 { (w.close_contain) }
        p.lead { (w.close_lead) }
        (choice(visit))
        @if let Some(view) = &view {
            section.danger-zone {
                h2 { (title(say, view)) }
                (list(say, view))
                form.stack method="post" action="/console/close/order" {
                    input type="hidden" name="scope" value=(view.word);
                    (part::reason(say, "close", w.reason_close))
                    button.danger type="submit" {
                        (fill(w.close_now,
                            &[&say.count(view.open.len() as u64, w.cell_word, w.cells_word)]))
                    }
                }
            }
        }
    };
    Ok(Screen::new(w.close_contain, "/console/gates", main))
}

fn title(say: &Say, view: &CloseView) -> String {
    let w = say.w;
    let about = view
        .about
        .as_ref()
        .map_or("", |about| part::said(say, about));
    let sentence = match view.wanted {
        Wanted::Everything => w.scope_everything,
        Wanted::Site(_) => w.scope_site,
        Wanted::Tenant(_) => w.scope_tenant,
        Wanted::Service(_) => w.scope_service,
        Wanted::Cell(_) => w.scope_cell,
        Wanted::Dependents(_) => w.scope_dependents,
        Wanted::Finding(_) => w.scope_finding,
    };
    fill(sentence, &[&about])
}

fn choice(visit: &Visit<'_>) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let asked = visit.asked("scope").unwrap_or_default();
    let state = visit.state();
    let Some(landscape) = state.landscape.clone() else {
        return part::nothing(w.no_landscape);
    };
    drop(state);
    let declared = landscape.declared();
    let option = |word: String, name: &str| {
        html! { option value=(word) selected[word == asked] { (name) } }
    };
    html! {
        form.filters method="get" action="/console/close" {
            div.field {
                label for="scope" { (w.close_what) }
                select id="scope" name="scope" required {
                    option value="" { (w.choose) }
                    (option("everything".into(), w.everything))
                    optgroup label=(w.sites) { @for site in &declared.sites {
                        (option(format!("site/{}", site.id), say.text(&site.name))) } }
                    optgroup label=(w.services) { @for service in &declared.services {
                        (option(format!("service/{}", service.id), say.text(&service.name))) } }
                    optgroup label=(w.tenants) { @for tenant in &declared.tenants {
                        (option(format!("tenant/{}", tenant.id), &tenant.name)) } }
                }
            }
            button type="submit" { (w.close_show) }
        }
    }
}

/// Exactly what would shut.
pub(crate) fn list(say: &Say, view: &CloseView) -> Markup {
    let w = say.w;
    html! {
        p {
            b {
                @match view.open.len() as u64 {
                    0 => { (w.close_none) }
                    count => { (fill(w.close_count,
                        &[&say.count(count, w.open_cell, w.open_cells)])) }
                }
            } " "
            @if view.insured > 0 { (fill(w.close_people, &[&say.number(view.insured)])) " " }
            @match view.shut_count as u64 {
                0 => {}
                1 => { (w.close_shut_one) }
                count => { (fill(w.close_shut, &[&say.number(count)])) }
            }
        }
        @if !view.open.is_empty() {
            details.list-box open[view.open.len() <= 12] {
                summary { (w.close_list) }
                ul.cells.columns-list {
                    @for (name, stage) in view.open.iter().take(NAME_COUNT_MAX) {
                        li { (part::full_name(say, name)) " " (part::stage(say, *stage)) }
                    }
                }
            }
        }
        @if !view.left_behind.is_empty() {
            p.alarm {
                (fill(w.close_left, &[&say.number(view.left_behind.len() as u64)])) " "
                (view.left_behind.iter().take(5).map(|name| part::full_name(say, name))
                    .collect::<Vec<_>>().join(", "))
                @if view.left_behind.len() > 5 { " …" }
            }
        }
    }
}

/// The close is signed by the control plane's own key and carried out.
pub(crate) fn order(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let unclear = Miss::Unclear(visit.say.w.unclear_choice);
    let wanted = fields.get("scope").and_then(Wanted::parse).ok_or(unclear)?;
    let to = match &wanted {
        Wanted::Cell(cell) | Wanted::Dependents(cell) => format!("/console/cells/{cell}"),
        Wanted::Finding(number) => format!("/console/evidence/{number}"),
        _ => "/console/gates".to_owned(),
    };
    let scope = wanted.scope(&visit.state());
    Ok(Act::Close(scope, to))
}

/// A tenant shuts a cell of its own.
pub(crate) fn order_own(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let tenant = visit
        .actor
        .and_then(|actor| actor.tenant.as_ref())
        .ok_or(Miss::NotFound)?;
    let service = fields.get("service").unwrap_or_default();
    let cell: CellId = format!("{tenant}/{service}")
        .parse()
        .map_err(|_| Miss::NotFound)?;
    if !visit.state().cells.contains_key(&cell) {
        return Err(Miss::NotFound);
    }
    let to = format!("/tenant/cells/{}", cell.service());
    Ok(Act::Close(Scope::Cells(vec![cell]), to))
}
