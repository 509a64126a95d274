//! Where things stand: two numbers apart, what is due, what happened, how the gates are.

use anlauf_model::Text;
use anlauf_recovery::Order;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::text::{Say, capital, fill};
use crate::view::event::EventLine;
use crate::view::inbox::{Due, DueKind};
use crate::view::situation::{GateShort, SiteView, SituationView};

/// Newest entries shown.
const EVENT_COUNT: u64 = 10;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let last = visit.state().seq;
    let from = last.saturating_sub(EVENT_COUNT - 1).max(1);
    let newest = visit.web.desk.entries(from, EVENT_COUNT as usize)?;
    let view = SituationView::of(&visit.state(), visit.now(), actor, &newest);
    if !view.has_landscape {
        return Ok(Screen::new(w.nav_situation, "/console", no_landscape(say)));
    }
    let parts = vec![
        part("situation-head", head(say, &view)),
        part("situation-progress", progress(say, &view)),
        part("situation-due", due_section(say, &view)),
        part("situation-forecast", forecast(say, &view)),
        part("situation-sites", sites(say, &view.sites)),
        part("situation-events", events(say, &view.events)),
        part("situation-gates", gates(say, &view.gates)),
    ];
    let at = |index: usize| &parts[index].1;
    let main = html! {
        (at(0)) (at(1))
        div.columns {
            div { (at(2)) (at(5)) }
            div { (at(3)) (at(4)) (at(6)) (frame_forms(visit, &view)) }
        }
    };
    Ok(Screen::new(w.nav_situation, "/console", main).with_parts(parts))
}

fn part(id: &str, content: Markup) -> (String, Markup) {
    (id.to_owned(), html! { section id=(id) { (content) } })
}

fn no_landscape(say: &Say) -> Markup {
    let w = say.w;
    html! {
        section.empty {
            h1 { (w.no_landscape) }
            p { (w.no_landscape_how) }
            pre.command { code {
                "anlauf landscape lint DIR\nanlauf serve --landscape DIR --data DIR" } }
        }
    }
}

fn head(say: &Say, view: &SituationView) -> Markup {
    let w = say.w;
    html! {
        @match &view.incident {
            None => {
                p.kicker { (w.no_incident) }
                h1 { (w.calm) }
            }
            Some(incident) => {
                p.kicker {
                    @match incident.ended {
                        Some(ended) => { (w.incident_ended) " " (part::when(say, ended)) }
                        None => {
                            (w.incident_since) " " (part::when(say, incident.began))
                            " · " (fill(w.day_number, &[&((say.now - incident.began).0 / 1440 +
                                1)]))
                        }
                    }
                }
                h1 { (say.text(&incident.title)) }
            }
        }
    }
}

fn progress(say: &Say, view: &SituationView) -> Markup {
    let w = say.w;
    let restored = u64::from(view.progress.systems_restored_per_mille);
    let released = u64::from(view.progress.services_released_per_mille);
    let total: u32 = view.stages.iter().sum();
    html! {
        h2.hidden { (w.progress) }
        div.two {
            div.measure.measure-restored {
                h3 { (w.restored) }
                p.big.number { (say.percent(restored)) }
                (part::bar("bar-restored", restored))
                p.hint { (w.restored_hint) }
            }
            div.measure.measure-released {
                h3 { (w.released) }
                p.big.number { (say.percent(released)) }
                (part::bar("bar-released", released))
                p.hint { (w.released_hint) }
            }
        }
        div.strip {
            h3 { (fill(w.cells_by_stage, &[&say.number(total.into())])) }
            (part::stages(say, &view.stages, true))
        }
    }
}

fn due_section(say: &Say, view: &SituationView) -> Markup {
    let w = say.w;
    html! {
        div.section-head {
            h2 { (w.due) }
            a href="/console/inbox" { (w.all_decisions) }
        }
        @if view.due.is_empty() {
            (part::nothing(w.nothing_due))
        } @else {
            ul.due { @for due in &view.due { li { (due_line(say, due)) } } }
        }
    }
}

/// One thing that waits, as a link.
pub(crate) fn due_line(say: &Say, due: &Due) -> Markup {
    let (one, many) = say.w.due_kind[due.kind as usize];
    let urgent = matches!(due.kind, DueKind::GateOpenTooFar | DueKind::WordLate);
    html! {
        a.due-line.urgent[urgent] href=(due.link) {
            b.due-count.number { (say.number(due.count as u64)) }
            span {
                (if due.count == 1 { one } else { many })
                @if let Some(cell) = &due.cell {
                    span.quiet {
                        " " (part::full_name(say, cell))
                        @if due.count > 1 { " …" }
                    }
                }
            }
        }
    }
}

fn forecast(say: &Say, view: &SituationView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.forecast_whole) }
        @match &view.whole {
            None => { (part::nothing(w.no_forecast)) }
            Some((range, made_at)) => {
                dl.range {
                    div { dt { "P50" } dd.number { (say.day(range.p50)) } }
                    div { dt { "P80" } dd.number { (say.day(range.p80)) } }
                    div { dt { "P95" } dd.number { (say.day(range.p95)) } }
                }
                p.hint { (w.forecast_hint) " " (w.made) " " (part::when(say, *made_at)) "." }
                @if view.hits.given > 0 {
                    p.hint {
                        (fill(w.hits, &[
                            &say.number(view.hits.given.into()),
                            &say.percent(share(view.hits.held_p50, view.hits.given)),
                            &say.percent(share(view.hits.held_p80, view.hits.given)),
                            &say.percent(share(view.hits.held_p95, view.hits.given)),
                        ]))
                    }
                }
            }
        }
    }
}

/// A part of a whole. Per mille.
pub(crate) fn share(part: u32, whole: u32) -> u64 {
    u64::from(part) * 1000 / u64::from(whole.max(1))
}

fn sites(say: &Say, sites: &[SiteView]) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.sites) }
        ul.sites {
            @for site in sites {
                li {
                    p {
                        a href={ "/console/grid?site=" (site.id) } { (say.text(&site.name)) }
                        @if site.is_restricted { " " span.tag.tag-alarm { (w.restricted) } }
                        @if let Some(until) = site.held_until {
                            " " span.tag { (w.held_until) " " (say.when_short(until)) }
                        }
                    }
                    (part::stages(say, &site.stages, false))
                }
            }
        }
    }
}

fn events(say: &Say, events: &[EventLine]) -> Markup {
    let w = say.w;
    html! {
        div.section-head {
            h2 { (w.newest) }
            a href="/console/events" { (w.all_events) }
        }
        @if events.is_empty() { (part::nothing(w.no_events)) }
        ol.events { @for event in events { li { (event_line(say, event, "/console/events")) } } }
    }
}

/// One entry as a line.
pub(crate) fn event_line(say: &Say, event: &EventLine, base: &str) -> Markup {
    event_link(say, event, base, false)
}

/// One entry with who asked and why.
pub(crate) fn event_line_long(say: &Say, event: &EventLine, base: &str) -> Markup {
    event_link(say, event, base, true)
}

fn event_link(say: &Say, event: &EventLine, base: &str, is_long: bool) -> Markup {
    html! {
        a.event.{ "event-" (event.kind.word()) } href={ (base) "/" (event.seq) } {
            span.event-when { (part::when_short(say, event.at)) }
            span.event-words {
                (capital(event.words(say.language)))
                @if is_long { span.event-why { (event.by) ": " (event.reason) } }
            }
            span.event-seq.number { (event.seq) }
        }
    }
}

fn gates(say: &Say, gates: &[GateShort]) -> Markup {
    let w = say.w;
    html! {
        div.section-head {
            h2 { (w.nav_gates) }
            a href="/console/gates" { (w.all_gates) }
        }
        @if gates.is_empty() { (part::nothing(w.no_gates)) }
        ul.gates-short {
            @for gate in gates {
                li {
                    b { (gate.id) } " " span.quiet { (say.ago(gate.at)) } " "
                    @if gate.open_too_far > 0 {
                        span.tag.tag-alarm { (fill(w.gate_too_far, &[&gate.open_too_far])) }
                    } @else if gate.behind > 0 {
                        span.tag { (fill(w.gate_behind, &[&gate.behind])) }
                    } @else {
                        span.tag.tag-good { (w.gate_even) }
                    }
                    " "
                    @if gate.refused > 0 { span.quiet { (fill(w.gate_refused, &[&gate.refused])) } }
                }
            }
        }
    }
}

fn frame_forms(visit: &Visit<'_>, view: &SituationView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let running = view
        .incident
        .as_ref()
        .is_some_and(|incident| incident.ended.is_none());
    html! {
        section.actions {
            @if !running && visit.may("declare_incident") {
                details.action {
                    summary { (w.declare) }
                    form.stack method="post" action="/console/incident/declare" {
                        (text_field("title-de", w.title_de)) (text_field("title-en", w.title_en))
                        (part::reason(say, "declare", w.reason_declare))
                        button.primary type="submit" { (w.declare) }
                    }
                }
            }
            @if visit.may("close") {
                p { a.button.danger href="/console/close" { (w.close_contain) } }
            }
            @if running && visit.may("end_incident") {
                details.action {
                    summary { (w.end_incident) }
                    form.stack method="post" action="/console/incident/end" {
                        p.hint { (w.end_hint) }
                        (part::reason(say, "end", w.reason_end))
                        button type="submit" { (w.end_incident) }
                    }
                }
            }
        }
    }
}

fn text_field(name: &str, label: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input type="text" id=(name) name=(name) required maxlength="200" autocomplete="off";
        }
    }
}

/// An attack is seen.
pub(crate) fn declare(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let unclear = Miss::Unclear(visit.say.w.unclear_title_missing);
    let (Some(de), Some(en)) = (fields.get("title-de"), fields.get("title-en")) else {
        return Err(unclear);
    };
    let title = Text {
        de: de.to_owned(),
        en: en.to_owned(),
    };
    Ok(Act::order(Order::DeclareIncident { title }, "/console"))
}

/// Recovery is over.
pub(crate) fn end(_: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    Ok(Act::order(Order::EndIncident, "/console"))
}
