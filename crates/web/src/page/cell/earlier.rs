//! What would move a cell earlier, and by how much; for a tenant, whether a window could be kept.
//!
//! In:    a cell. Out: two forms, a page with the planner's answer.
//! Never: works anything out before it is asked for: each answer is several plans.

use std::sync::Arc;

use anlauf_model::{CellId, Minutes};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::id_of;
use crate::Web;
use crate::api::attempt::levers_for_page;
use crate::page::form::{Act, Fields};
use crate::page::plan::attempt::told;
use crate::page::screen::{Miss, Screen};
use crate::page::visit::Visit;
use crate::page::{answer, part, portal};
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::cell::CellView;
use crate::view::plan::attempt::{self, Earlier};
use crate::view::{CellName, cell_name};

/// Asks what would move the cell earlier; the answer takes a moment and is a page of its own.
pub(super) fn earlier_form(visit: &Visit<'_>, view: &CellView, base: &str) -> Markup {
    let p = words(visit.say.language);
    let has_chain = view
        .hold
        .as_ref()
        .is_some_and(|hold| !hold.chain.is_empty());
    html! {
        @if has_chain {
            form method="post" action={ (base) "/earlier" } {
                button type="submit" { (p.earlier_do) }
            }
        }
    }
}

/// A tenant tries a window before it asks for one.
pub(super) fn try_form(visit: &Visit<'_>, view: &CellView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let p = words(say.language);
    let at = view.planned.unwrap_or(say.now).max(say.now);
    let has_chain = view
        .hold
        .as_ref()
        .is_some_and(|hold| !hold.chain.is_empty());
    html! {
        @if has_chain && visit.may("state_wish") {
            details.action {
                summary { (p.ask_slot) }
                form.stack method="post" action="/tenant/try" {
                    input type="hidden" name="cell" value=(view.name.id);
                    div.fields {
                        div.field {
                            label for="try-begin" { (w.from) }
                            input type="datetime-local" id="try-begin" name="from" required
                                value=(say.field(at));
                        }
                        div.field {
                            label for="try-end" { (w.to) }
                            input type="datetime-local" id="try-end" name="to" required
                                value=(say.field(at + Minutes::hours(8)));
                        }
                    }
                    button.primary type="submit" { (p.try_do) }
                }
            }
        }
    }
}

/// What would move the cell earlier.
pub(crate) fn ask(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    let id = id_of(visit)?;
    known(visit, id).map(Act::Earlier)
}

/// The same of a tenant's own.
pub(crate) fn ask_own(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    let tenant = portal::own_tenant(visit)?;
    let service = visit.gaps.first().ok_or(Miss::NotFound)?;
    let id = format!("{tenant}/{service}").parse();
    known(visit, id.map_err(|_| Miss::NotFound)?).map(Act::Earlier)
}

fn known(visit: &Visit<'_>, id: CellId) -> Result<CellId, Miss> {
    let is_there = visit.state().cells.contains_key(&id);
    if is_there {
        Ok(id)
    } else {
        Err(Miss::NotFound)
    }
}

/// The answer as a page.
pub(crate) async fn answer(visit: &Visit<'_>, web: &Arc<Web>, id: CellId) -> Response {
    let Some(memory) = visit.memory else {
        return answer::missed(visit, &Miss::NotFound);
    };
    let levers = match levers_for_page(web, memory, id.clone()).await {
        Ok(levers) => levers,
        Err(problem) => return answer::problem(visit, &problem),
    };
    let tenant = visit.actor.and_then(|actor| actor.tenant.as_ref());
    let (name, found) = {
        let state = visit.state();
        let name = state.landscape.as_deref().map(|l| cell_name(l, &id));
        (name, attempt::earlier(&state, &levers, tenant))
    };
    let Some(name) = name else {
        return answer::missed(visit, &Miss::NotFound);
    };
    let screen = screen(&visit.say, &name, &found, tenant.is_none());
    answer::page(visit, StatusCode::OK, &screen)
}

fn screen(say: &Say, name: &CellName, found: &[Earlier], is_console: bool) -> Screen {
    let p = words(say.language);
    let (back, here) = if is_console {
        (format!("/console/cells/{}", name.id), "/console/grid")
    } else {
        (format!("/tenant/cells/{}", name.id.service()), "/tenant")
    };
    let line = |one: &Earlier| {
        let change = told(say, &one.change);
        fill(
            p.earlier_line,
            &[&change, &say.span(one.by), &say.when(one.opens)],
        )
    };
    let main = html! {
        p.kicker { a href=(back) { (part::full_name(say, name)) } }
        h1 { (p.earlier_title) }
        p.hint { (p.earlier_hint) }
        @if found.is_empty() { (part::nothing(p.earlier_none)) }
        @else { ol.why { @for one in found { li { (line(one)) } } } }
        p.hint { (p.try_unchanged) }
    };
    Screen::new(p.earlier_title, here, main).still()
}
