//! A tenant's portal: its cells, its order, its dates, what waits for its word, its proofs.

use anlauf_model::{CellId, TenantId};
use anlauf_recovery::Order;
use anlauf_recovery::state::Answer;
use maud::{Markup, html};

use super::desk::history;
use super::event::Found;
use super::form::{Act, Fields};
use super::plan::course::hits;
use super::screen::{Miss, Screen};
use super::situation::event_line;
use super::visit::Visit;
use super::{event, part};
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::portal::{OwnCell, OwnSlot, PortalView};

/// Lines of a list to tick that stands open; a longer one is opened by hand.
const CHECK_SHOWN_MAX: usize = 6;

/// The portal.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let tenant = actor.tenant.as_ref().ok_or(Miss::NotFound)?;
    let events = event::own_lines(visit)?;
    page(visit, tenant, Some(&events)).ok_or(Miss::NotFound)
}

/// What a tenant sees, for the provider's people; nothing can be answered in its name.
pub(crate) fn seen_by(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let tenant: TenantId = visit.gap(0).ok_or(Miss::NotFound)?;
    page(visit, &tenant, None).ok_or(Miss::NotFound)
}

fn page(visit: &Visit<'_>, tenant: &TenantId, events: Option<&Found>) -> Option<Screen> {
    let (say, w) = (&visit.say, visit.say.w);
    let actor = visit.actor?;
    let view = PortalView::of(&visit.state(), visit.now(), tenant, actor)?;
    let own = events.is_some();
    let mut parts = vec![
        part("own-head", head(say, &view, own)),
        part("own-due", due(visit, &view)),
        part("own-cells", cells(say, &view, own)),
        part("own-notices", notices(say, &view)),
        part("own-sign", signatures(say, &view)),
        part("own-order", order(visit, &view)),
    ];
    if let Some(events) = events {
        parts.push(part("own-proofs", proofs(say, events)));
    }
    let main = html! {
        (parts[0].1) (parts[1].1) (parts[2].1)
        div.columns {
            div { (parts[3].1) (parts[4].1) }
            div { (parts[5].1) @if own { (parts[6].1) } }
        }
    };
    let here = if own { "/tenant" } else { "/console/grid" };
    let title = if own { w.nav_portal } else { &view.name };
    Some(Screen::new(title, here, main).with_parts(parts))
}

fn part(id: &str, content: Markup) -> (String, Markup) {
    (id.to_owned(), html! { section id=(id) { (content) } })
}

fn head(say: &Say, view: &PortalView, own: bool) -> Markup {
    let w = say.w;
    let (restored, released) = (u64::from(view.restored), u64::from(view.released));
    html! {
        p.kicker {
            @if own { (w.nav_portal) } @else { a href="/console/grid" { (w.nav_grid) } " · "
                (w.seen_by) }
        }
        h1 { (view.name) }
        div.two {
            div.measure.measure-restored {
                h2 { (w.restored_own) }
                p.big.number { (say.percent(restored)) }
                (part::bar("bar-restored", restored))
                p.hint { (w.restored_hint) }
            }
            div.measure.measure-released {
                h2 { (w.released_own) }
                p.big.number { (say.percent(released)) }
                (part::bar("bar-released", released))
                p.hint { (fill(w.released_own_hint, &[&say.number(view.insured)])) }
            }
        }
        div.strip { (part::stages(say, &view.stages, true)) }
    }
}

fn due(visit: &Visit<'_>, view: &PortalView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let open: Vec<_> = view
        .slots
        .iter()
        .filter(|slot| slot.answer == Answer::Open)
        .collect();
    html! {
        h2 { (w.due_own) " " span.count.number { (view.due_count()) } }
        @if view.due_count() == 0 && view.catch_up.is_empty() { (part::nothing(w.nothing_due)) }
        @let mine = view.sign.iter().filter(|release| release.is_mine).count();
        @if mine > 0 {
            p.sign-own {
                a href="#own-sign" {
                    @if mine == 1 { (w.sign_own_one) } @else { (fill(w.sign_own, &[&mine])) }
                }
            }
        }
        div.cards {
            @if !open.is_empty() { div.card { (slot_form(visit, &open)) } }
            @if !view.accept.is_empty() { div.card { (accept_form(visit, view)) } }
            @if !view.catch_up.is_empty() { div.card { (catch_up_form(visit, view)) } }
        }
        @let answered: Vec<_> = view.slots.iter().filter(|s| s.answer != Answer::Open).collect();
        @if !answered.is_empty() {
            details {
                summary { (w.slots_answered) }
                ul.plain { @for slot in answered { (slot_line(say, slot)) } }
            }
        }
    }
}

fn slot_line(say: &Say, slot: &OwnSlot) -> Markup {
    html! {
        li {
            b { (part::service(say, &slot.name)) } ": " (say.window(slot.slot.from, slot.slot.to))
            " · " (say.answer(slot.answer))
            @if !slot.reason.is_empty() { " · " q { (slot.reason) } }
        }
    }
}

fn slot_form(visit: &Visit<'_>, open: &[&OwnSlot]) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let may = visit.may("agree_slots");
    html! {
        h3 { (w.slots_own) }
        form.stack method="post" action="/tenant/slots" {
            ul.checks { @for slot in open {
                @let id = format!("slot-{}", slot.name.id.service());
                li {
                    @if may {
                        input type="checkbox" id=(id) name="cell" value=(slot.name.id);
                        label for=(id) {
                            b { (part::service(say, &slot.name)) } " "
                            span { (say.window(slot.slot.from, slot.slot.to)) }
                        }
                    } @else {
                        b { (part::service(say, &slot.name)) } " " (say.window(slot.slot.from,
                            slot.slot.to))
                    }
                }
            } }
            @if may {
                (part::reason(say, "slots", w.reason_slots))
                div.buttons {
                    button.primary type="submit" name="do" value="agree" { (w.agree_do) }
                    button type="submit" name="do" value="decline" { (w.decline_do) }
                }
            }
        }
    }
}

fn accept_form(visit: &Visit<'_>, view: &PortalView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let may = visit.may("accept_cells");
    html! {
        h3 { (w.accept_own) }
        p.hint { (w.accept_hint) }
        form.stack method="post" action="/tenant/accept" {
            ul.checks { @for name in &view.accept {
                @let id = format!("accept-{}", name.id.service());
                li {
                    @if may { input type="checkbox" id=(id) name="cell" value=(name.id); }
                    @if may { label for=(id) { b { (part::service(say, name)) } } }
                    @else { b { (part::service(say, name)) } }
                }
            } }
            @if may {
                (part::reason(say, "accept", w.reason_accept))
                div.buttons {
                    button.primary type="submit" name="do" value="pass" { (w.accept_pass) }
                    button type="submit" name="do" value="fail" { (w.accept_fail) }
                }
            }
        }
    }
}

fn catch_up_form(visit: &Visit<'_>, view: &PortalView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let may = visit.may("catch_up");
    html! {
        h3 { (w.catch_up_own) " " span.count.number { (view.catch_up.len()) } }
        p.hint { (w.catch_up_hint) }
        details open[view.catch_up.len() <= CHECK_SHOWN_MAX] {
        summary { (w.catch_up_list) }
        form.stack method="post" action="/tenant/catch-up" {
            ul.checks { @for (name, from, to) in &view.catch_up {
                @let id = format!("gap-{}", name.id.service());
                li {
                    @if may { input type="checkbox" id=(id) name="cell" value=(name.id); }
                    @let words = html! {
                        b { (part::service(say, name)) } " " span { (say.window(*from, *to)) }
                    };
                    @if may { label for=(id) { (words) } } @else { (words) }
                }
            } }
            @if may {
                (part::reason(say, "catch-up", w.reason_catch_up))
                button.primary type="submit" { (w.catch_up_do) }
            }
        }
        }
    }
}

fn cells(say: &Say, view: &PortalView, own: bool) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.own_cells) }
        div.scroll tabindex="0" role="region" aria-label=(w.own_cells) {
            table.list.stacked.own-cells {
            thead { tr {
                th scope="col" { (w.service) } th scope="col" { (w.stage_label) }
                th scope="col" { (w.expected) } th scope="col" { (w.slot) }
                th scope="col" { (w.waits_for) }
            } }
            tbody { @for cell in &view.cells { (cell_row(say, cell, own)) } }
        } }
        @if let Some(whole) = &view.whole {
            p { (words(say.language).whole_own) " " b { (say.range(whole)) } }
        }
        p.hint {
            (w.expected_hint)
            @if let Some(past) = view.hits { " " (hits(say, past)) }
        }
    }
}

fn cell_row(say: &Say, cell: &OwnCell, own: bool) -> Markup {
    let w = say.w;
    html! {
        tr {
            th scope="row" {
                @if own { (part::own_cell(say, &cell.name)) }
                @else { a href={ "/console/cells/" (cell.name.id) } { (part::service(say,
                    &cell.name)) } }
            }
            td { (part::stage(say, cell.stage)) }
            td.number data-label=(w.expected) {
                @match &cell.range {
                    Some(range) => {
                        @let (first, last) = (say.day(range.p50), say.day(range.p95));
                        span title=(say.range(range)) {
                            (first) @if first != last { span.quiet { " – " (last) } }
                        }
                    }
                    None if cell.is_back => { span.quiet { "–" } }
                    None => {
                        span.quiet {
                            (w.no_date_short)
                            @if let Some(wait) = &cell.wait { ": " (part::waiting(say, wait)) }
                        }
                    }
                }
            }
            td data-label=(w.slot) {
                @match &cell.slot {
                    Some((slot, answer)) => {
                        (say.window(slot.from, slot.to)) " " span.quiet { (say.answer(*answer)) }
                    }
                    None => { span.quiet { "–" } }
                }
            }
            @match &cell.held {
                Some(held) => {
                    td data-label=(w.waits_for) { (part::held(say, held, false)) }
                }
                None => { td {} }
            }
        }
    }
}

fn notices(say: &Say, view: &PortalView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.notices) }
        @if view.notices.is_empty() { (part::nothing(w.no_notices)) }
        @for notice in view.notices.iter().take(6) {
            @if let Some(last) = notice.notice.versions.last() {
                article.notice {
                    p.quiet {
                        (part::when(say, last.at))
                        @if notice.reader.is_some() { " · " b { (w.for_you) } }
                        @if notice.notice.versions.len() > 1 { " · " (w.revised) }
                    }
                    p.text { (say.text(&last.text)) }
                    p.quiet { (w.next_word) " " (part::when(say, last.next_word_at)) }
                    (history(say, notice))
                }
            }
        }
    }
}

fn signatures(say: &Say, view: &PortalView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.own_signatures) }
        @if view.sign.is_empty() { (part::nothing(w.no_signatures)) }
        @for release in &view.sign {
            (part::release(say, release))
            @if release.is_mine { (part::sign_command(say, release)) }
        }
    }
}

/// The order by numbers: works without a script, by keyboard and by voice.
fn order(visit: &Visit<'_>, view: &PortalView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let may = visit.may("state_wish");
    html! {
        h2 { (w.own_order) }
        p.hint { (w.own_order_hint) @if !view.has_wish { " " (w.no_wish) } }
        @if view.order.is_empty() { (part::nothing(w.all_back)) }
        @else if may {
            form.stack method="post" action="/tenant/wish" {
                ol.order { @for (index, name) in view.order.iter().enumerate() {
                    @let id = format!("rank-{}", name.id.service());
                    li {
                        input.rank type="number" id=(id) name=(id) value=(index + 1) min="1"
                            max=(view.order.len()) required inputmode="numeric";
                        label for=(id) { (part::service(say, name)) }
                    }
                } }
                (part::reason(say, "wish", w.reason_wish))
                div.buttons {
                    button type="submit" formaction="/tenant/try" formnovalidate {
                        (words(say.language).try_first) }
                    button.primary type="submit" { (w.wish_do) }
                }
            }
        } @else {
            ol.order { @for name in &view.order { li { (part::service(say, name)) } } }
        }
    }
}

fn proofs(say: &Say, events: &Found) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.own_proofs) }
        p.hint { (w.own_proofs_hint) }
        @if events.lines.is_empty() && !events.is_cut() { (part::nothing(w.no_events)) }
        ol.events {
            @for line in &events.lines { li { (event_line(say, line, "/tenant/events")) } }
        }
        @if events.is_cut() {
            p.hint { (fill(w.own_proofs_far, &[&say.number(event::OWN_LOOK_COUNT_MAX)])) }
        }
    }
}

/// A tenant's own order.
pub(crate) fn wish(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let tenant = own_tenant(visit)?;
    let order = ranked(visit, &tenant, fields)?;
    Ok(Act::order(Order::StateWish { tenant, order }, "/tenant"))
}

/// The order that the numbers of a form stand for.
pub(crate) fn ranked(
    visit: &Visit<'_>,
    tenant: &TenantId,
    fields: &Fields,
) -> Result<Vec<CellId>, Miss> {
    let mut ranked: Vec<(u32, usize, CellId)> = Vec::new();
    for (place, (key, value)) in fields.0.iter().enumerate() {
        let Some(service) = key.strip_prefix("rank-") else {
            continue;
        };
        let unclear = || Miss::Unclear(visit.say.w.unclear_order);
        let rank: u32 = value.trim().parse().map_err(|_| unclear())?;
        let cell = format!("{tenant}/{service}")
            .parse()
            .map_err(|_| unclear())?;
        ranked.push((rank, place, cell));
    }
    // Two cells with one number keep the order they stood in.
    ranked.sort();
    Ok(ranked.into_iter().map(|(_, _, cell)| cell).collect())
}

/// A tenant's word on windows.
pub(crate) fn answer(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let cells = chosen(visit, fields)?;
    let order = match fields.get("do") {
        Some("agree") => Order::AgreeSlots { cells },
        Some("decline") => Order::DeclineSlots { cells },
        _ => return Err(Miss::Unclear(visit.say.w.unclear_choice)),
    };
    Ok(Act::order(order, "/tenant"))
}

/// A tenant's word after its tests.
pub(crate) fn accept(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let cells = chosen(visit, fields)?;
    let passed = match fields.get("do") {
        Some("pass") => true,
        Some("fail") => false,
        _ => return Err(Miss::Unclear(visit.say.w.unclear_choice)),
    };
    Ok(Act::order(Order::AcceptCells { cells, passed }, "/tenant"))
}

/// What was refused in a gap is worked off.
pub(crate) fn catch_up(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let cells = chosen(visit, fields)?;
    Ok(Act::order(Order::CatchUp { cells }, "/tenant"))
}

/// The cells ticked. Another tenant's is as unknown as one that is nowhere.
fn chosen(visit: &Visit<'_>, fields: &Fields) -> Result<Vec<CellId>, Miss> {
    let tenant = own_tenant(visit)?;
    let cells: Vec<CellId> = fields.all("cell");
    if cells.iter().any(|cell| cell.owner() != tenant.as_str()) {
        return Err(Miss::NotFound);
    }
    if cells.is_empty() {
        return Err(Miss::Unclear(visit.say.w.unclear_none_chosen));
    }
    Ok(cells)
}

/// The tenant that comes.
pub(crate) fn own_tenant(visit: &Visit<'_>) -> Result<TenantId, Miss> {
    visit
        .actor
        .and_then(|actor| actor.tenant.clone())
        .ok_or(Miss::NotFound)
}
