//! The gates: what each should do and says it does, differences first; refused items with reasons.

use anlauf_model::feed::Standing;
use maud::{Markup, html};

use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::text::{Say, fill};
use crate::view::fresh::FreshView;
use crate::view::gate::{Difference, GateView, GatesView, RefusedItem};

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let view = GatesView::of(&visit.state(), visit.now(), visit.memory);
    let parts: Vec<_> = view
        .gates
        .iter()
        .map(|gate| (format!("gate-{}", gate.id), one(say, gate, view.feed_last)))
        .collect();
    let main = html! {
        div.section-head {
            h1 { (w.nav_gates) }
            @if visit.may("close") { a.button.danger href="/console/close" { (w.close_contain) } }
        }
        p.lead { (w.gates_lead) }
        @if view.gates.is_empty() {
            (part::nothing(w.no_gates))
            pre.command { code { "anlauf gate --control URL --state DIR --listen ADDRESS" } }
        }
        @for (_, gate) in &parts { (gate) }
    };
    Ok(Screen::new(w.nav_gates, "/console/gates", main).with_parts(parts))
}

fn one(say: &Say, gate: &GateView, feed_last: u64) -> Markup {
    let w = say.w;
    let far = gate
        .differences
        .iter()
        .filter(|d| d.is_open_too_far())
        .count();
    let heard = gate.heard_at.unwrap_or(gate.at);
    html! {
        section.gate.gate-alarm[far > 0] id={ "gate-" (gate.id) } {
            div.section-head {
                h2 { (gate.id) }
                @if far > 0 { span.tag.tag-alarm { (fill(w.gate_too_far, &[&far])) } }
                @else if !gate.differences.is_empty() {
                    span.tag { (fill(w.gate_behind,
                        &[&(gate.differences.len() + gate.differences_more)])) }
                }
                @else { span.tag.tag-good { (w.gate_even) } }
            }
            dl.facts {
                div { dt { (w.heard) } dd title=(say.when_full(heard)) { (say.ago(heard)) } }
                div { dt { (w.applied) } dd.number {
                    (say.number(gate.applied)) " / " (say.number(feed_last))
                    @if gate.waiting > 0 { " · " (fill(w.items_waiting, &[&gate.waiting])) }
                } }
                @if let Some(counts) = &gate.counts {
                    div { dt { (w.requests) } dd.number {
                        (fill(w.request_counts, &[&say.number(counts.passed),
                            &say.number(counts.refused), &say.number(counts.cut)])) } }
                }
            }
            @if !gate.freshness.is_empty() {
                p { @for one in &gate.freshness { (fresh(say, *one)) " " } }
            }
            (part::stages(say, &gate.stages, true))
            @if !gate.differences.is_empty() { (differences(say, gate)) }
            @if !gate.refused.is_empty() { (refused(say, &gate.refused)) }
        }
    }
}

/// How a class stands there, as far as fresh word goes.
fn fresh(say: &Say, one: FreshView) -> Markup {
    let w = say.w;
    let meaning = match one.standing {
        Standing::Unproven => w.fresh_unproven,
        Standing::Fresh => w.fresh_fresh,
        Standing::Held => w.fresh_held,
        Standing::Stale => w.fresh_stale,
    };
    let class = format!("{:?}", one.class);
    html! {
        span.tag.tag-alarm[one.is_alarm()] {
            (fill(w.fresh_class, &[&class, &meaning]))
            @if let Some(minutes) = one.age_minutes { " · " (say.span(minutes)) }
        }
    }
}

fn differences(say: &Say, gate: &GateView) -> Markup {
    let w = say.w;
    html! {
        h3 { (w.differences) }
        div.scroll tabindex="0" role="region" aria-label=(w.differences) { table.list {
            thead { tr {
                th scope="col" { (w.cell) } th scope="col" { (w.wanted) } th scope="col" {
                    (w.reported) }
            } }
            tbody { @for difference in &gate.differences { (difference_row(say, difference)) } }
        } }
        @if gate.differences_more > 0 {
            p.more { (fill(w.and_more, &[&say.number(gate.differences_more as u64)])) }
        }
    }
}

fn difference_row(say: &Say, difference: &Difference) -> Markup {
    let epoch = |epoch: anlauf_model::Epoch| fill(say.w.at_epoch, &[&epoch.0]);
    html! {
        tr.alarm-row[difference.is_open_too_far()] {
            th scope="row" {
                @match &difference.name {
                    Some(name) => { (part::cell(say, name)) }
                    None => { code { (difference.cell) } }
                }
            }
            td { (part::stage(say, difference.wanted.0)) " "
                span.quiet.number { (epoch(difference.wanted.1)) } }
            td { (part::stage(say, difference.reported.0)) " "
                span.quiet.number { (epoch(difference.reported.1)) } }
        }
    }
}

fn refused(say: &Say, items: &[RefusedItem]) -> Markup {
    let w = say.w;
    html! {
        details open[items.len() <= 5] {
            summary { (fill(w.refused_items, &[&items.len()])) }
            div.scroll tabindex="0" role="region"
                aria-label=(fill(w.refused_items, &[&items.len()])) { table.list {
                thead { tr {
                    th scope="col" { (w.at) } th scope="col" { (w.item) } th scope="col" {
                        (w.reasons) }
                } }
                tbody { @for item in items { tr {
                    td { (part::when_short(say, item.at)) }
                    td.number { a href={ "/console/events/" (item.seq) } { (say.number(item.seq)) }
                        }
                    td lang="en" { ul.plain {
                        @for reason in &item.reasons { li { (part::ticked(reason)) } }
                    } }
                } } }
            } }
        }
    }
}
