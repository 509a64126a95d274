//! The decisions that wait: what to sign, to release, to adopt, to settle.

use anlauf_model::Digest;
use anlauf_recovery::Order;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::screen::{Miss, Screen};
use super::visit::Visit;
use super::{part, plan};
use crate::text::{Say, fill};
use crate::view::glass::glass_lines;
use crate::view::inbox::{InboxView, Listed, SlotLine};
use crate::view::release::ReleaseView;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let w = visit.say.w;
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let view = InboxView::of(&visit.state(), visit.now(), actor);
    let parts = vec![
        part("inbox-glass", glass(visit)),
        part("inbox-sign", sign(&visit.say, &view)),
        part("inbox-ready", ready(visit, &view.ready)),
        part("inbox-plans", plans(visit, &view)),
        part("inbox-slots", slots(&visit.say, &view)),
        part("inbox-accept", accept(&visit.say, &view)),
        part("inbox-findings", findings(&visit.say, &view)),
        part("inbox-others", others(&visit.say, &view)),
        part("inbox-none", none(&visit.say, &view)),
    ];
    let main = html! {
        h1 { (w.nav_inbox) }
        @for (_, part) in &parts { (part) }
    };
    Ok(Screen::new(w.nav_inbox, "/console/inbox", main).with_parts(parts))
}

fn part(id: &str, content: Markup) -> (String, Markup) {
    (id.to_owned(), html! { section id=(id) { (content) } })
}

fn heading(say: &Say, words: &str, count: usize) -> Markup {
    html! { h2 { (words) " " span.count.number { (say.number(count as u64)) } } }
}

fn none(say: &Say, view: &InboxView) -> Markup {
    html! { @if view.is_empty() { (part::nothing(say.w.nothing_due)) } }
}

/// What was open on two words and is over: an operator answers for it.
fn glass(visit: &Visit<'_>) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let lines = glass_lines(&visit.state(), visit.actor);
    let owed: Vec<_> = lines.iter().filter(|line| line.is_owed).collect();
    html! {
        @if !owed.is_empty() {
            (heading(say, w.inbox_glass, owed.len()))
            p.hint { (w.inbox_glass_hint) }
            div.cards { @for line in owed {
                article.card {
                    (part::cells(say, &line.cells, line.cells_more))
                    p.quiet {
                        (fill(w.glass_over, &[&say.when(line.until)])) " " q { (line.reason) }
                    }
                    @if visit.may("review_break_glass") {
                        form.stack method="post" action="/console/inbox/review" {
                            input type="hidden" name="release" value=(line.release);
                            (part::reason(say, &format!("glass-{}", line.release.short()),
                                w.reason_review))
                            button.primary type="submit" { (w.glass_review) }
                        }
                    }
                }
            } }
        }
    }
}

/// The account of a break-glass.
pub(crate) fn review(_: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let release: Digest = fields.parsed("release").ok_or(Miss::NotFound)?;
    let order = Order::ReviewBreakGlass { release };
    Ok(Act::order(order, "/console/inbox"))
}

fn sign(say: &Say, view: &InboxView) -> Markup {
    html! {
        @if !view.sign.is_empty() {
            (heading(say, say.w.inbox_sign, view.sign.count()))
            div.cards { @for release in &view.sign.items {
                div { (part::release(say, release)) (part::sign_command(say, release)) }
            } }
            (part::more(say, &view.sign))
        }
    }
}

fn ready(visit: &Visit<'_>, ready: &Listed<ReleaseView>) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        @if !ready.is_empty() {
            (heading(say, w.inbox_ready, ready.count()))
            @if visit.may("release") {
                form.stack method="post" action="/console/inbox/release" {
                    div.cards { @for release in &ready.items {
                        div {
                            p.check {
                                input type="checkbox" name="release" value=(release.id)
                                    id={ "take-" (release.id.short()) };
                                label for={ "take-" (release.id.short()) } {
                                    (fill(w.release_this, &[&release.fingerprint])) }
                            }
                            (part::release(say, release))
                        }
                    } }
                    (part::reason(say, "release", w.reason_release))
                    button.primary type="submit" { (w.release_do) }
                }
            } @else {
                div.cards { @for release in &ready.items { (part::release(say, release)) } }
            }
            (part::more(say, ready))
        }
    }
}

fn plans(visit: &Visit<'_>, view: &InboxView) -> Markup {
    html! {
        @if !view.plans.is_empty() {
            (heading(&visit.say, visit.say.w.inbox_plans, view.plans.len()))
            @for card in &view.plans { (plan::proposal(visit, card)) }
        }
    }
}

fn slots(say: &Say, view: &InboxView) -> Markup {
    let w = say.w;
    html! {
        @if !view.contradictions.is_empty() {
            (heading(say, w.inbox_torn, view.contradictions.count()))
            p.hint { (w.inbox_torn_hint) }
            ul.plain { @for torn in &view.contradictions.items {
                li {
                    (part::cell(say, &torn.name)) ": " (w.agreed) " "
                    (say.window(torn.slot.from, torn.slot.to)) ", " (w.held_planned) " "
                    b { (say.when(torn.planned)) }
                }
            } }
            (part::more(say, &view.contradictions))
        }
        @if !view.slots_again.is_empty() {
            (heading(say, w.inbox_again, view.slots_again.count()))
            (slot_table(say, &view.slots_again))
        }
        @if !view.slots_open.is_empty() {
            (heading(say, w.inbox_slots, view.slots_open.count()))
            (slot_table(say, &view.slots_open))
        }
    }
}

fn slot_table(say: &Say, slots: &Listed<SlotLine>) -> Markup {
    let w = say.w;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(w.slot) { table.list {
            thead { tr {
                th scope="col" { (w.cell) } th scope="col" { (w.slot) }
                th scope="col" { (w.answer_label) } th scope="col" { (w.reason) }
            } }
            tbody { @for line in &slots.items { tr {
                th scope="row" { (part::cell(say, &line.name)) }
                td { (say.window(line.slot.from, line.slot.to)) }
                td { (say.answer(line.answer)) }
                td { (line.reason) }
            } } }
        } }
        (part::more(say, slots))
    }
}

fn accept(say: &Say, view: &InboxView) -> Markup {
    html! {
        @if !view.accept.is_empty() {
            (heading(say, say.w.inbox_accept, view.accept.count()))
            p.hint { (say.w.inbox_accept_hint) }
            ul.cells.columns-list { @for name in &view.accept.items { li { (part::cell(say, name))
                } } }
            (part::more(say, &view.accept))
        }
    }
}

fn findings(say: &Say, view: &InboxView) -> Markup {
    let w = say.w;
    html! {
        @if !view.findings.is_empty() {
            (heading(say, w.inbox_findings, view.findings.count()))
            p.hint { (w.inbox_findings_hint) }
            div.scroll tabindex="0" role="region" aria-label=(w.inbox_findings) { table.list {
                thead { tr {
                    th scope="col" { (w.cell) } th scope="col" { (w.finding_word) }
                    th scope="col" { (w.step_done) }
                } }
                tbody { @for line in &view.findings.items { tr {
                    th scope="row" { (part::cell(say, &line.name)) }
                    td { (say.finding(line.kind)) }
                    td { (part::when_short(say, line.since)) }
                } } }
            } }
            (part::more(say, &view.findings))
        }
    }
}

fn others(say: &Say, view: &InboxView) -> Markup {
    html! {
        @if !view.others_sign.is_empty() {
            (heading(say, say.w.inbox_others, view.others_sign.count()))
            div.cards { @for release in &view.others_sign.items { (part::release(say, release)) } }
            (part::more(say, &view.others_sign))
        }
    }
}

/// Fully signed releases go to the gates.
pub(crate) fn release(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let releases: Vec<Digest> = fields.all("release");
    if releases.is_empty() {
        return Err(Miss::Unclear(visit.say.w.unclear_none_chosen));
    }
    Ok(Act::order(Order::Release { releases }, "/console/inbox"))
}
