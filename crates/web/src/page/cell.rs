//! One cell: its stage, what holds it in sentences, steps, findings, signatures, dates, gaps,
//! close.

use anlauf_model::{CellId, Minutes, Slot, TaskKind};
use anlauf_recovery::Order;
use anlauf_recovery::command::{SlotDraft, TaskRef, WaveDraft};
use anlauf_recovery::state::Answer;
use maud::{Markup, html};

use self::earlier::{earlier_form, try_form};
use super::form::{Act, Fields};
use super::screen::{Miss, Screen};
use super::visit::Visit;
use super::{close, part};
use crate::text::{Say, fill};
use crate::view::cell::{CellView, FindingLine, TaskLine};
use crate::view::close::CloseView;
use crate::view::release::ReleaseView;

pub(crate) mod earlier;

/// How long a release drawn up here holds. Days.
const RELEASE_DAYS: i64 = 30;

/// A cell in the console.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let id = id_of(visit)?;
    let (view, shuts) = {
        let state = visit.state();
        let view = CellView::of(&state, visit.now(), &id, actor).ok_or(Miss::NotFound)?;
        let word = format!("dependents/{id}");
        (view, CloseView::of(&state, visit.now(), &word))
    };
    let title = part::full_name(&visit.say, &view.name);
    let mut parts = facts(visit, &view, true);
    parts.push(section("cell-acts", acts(visit, &view)));
    let base = format!("/console/cells/{}", view.name.id);
    let main = html! {
        (parts[0].1)
        div.columns {
            div { (parts[1].1) (earlier_form(visit, &view, &base)) (parts[2].1) (parts[3].1) }
            div { (parts[5].1) (parts[8].1) (parts[4].1) (parts[6].1) (parts[7].1)
                (close_forms(visit, &view, shuts.as_ref())) }
        }
    };
    Ok(Screen::new(title, "/console/grid", main).with_parts(parts))
}

/// A tenant's own cell.
pub(crate) fn own(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let tenant = actor.tenant.as_ref().ok_or(Miss::NotFound)?;
    let service = visit.gaps.first().ok_or(Miss::NotFound)?;
    let id: CellId = format!("{tenant}/{service}")
        .parse()
        .map_err(|_| Miss::NotFound)?;
    let view = CellView::of(&visit.state(), visit.now(), &id, actor).ok_or(Miss::NotFound)?;
    let title = part::service(&visit.say, &view.name);
    let parts = facts(visit, &view, false);
    let base = format!("/tenant/cells/{}", view.name.id.service());
    let main = html! {
        (parts[0].1)
        div.columns {
            div {
                (parts[1].1) (earlier_form(visit, &view, &base)) (try_form(visit, &view))
                (parts[2].1) (parts[3].1)
            }
            div { (parts[5].1) (parts[4].1) (parts[6].1) (parts[7].1) (close_own(visit, &view)) }
        }
    };
    Ok(Screen::new(title, "/tenant", main).with_parts(parts))
}

pub(super) fn id_of(visit: &Visit<'_>) -> Result<CellId, Miss> {
    let (Some(owner), Some(service)) = (visit.gaps.first(), visit.gaps.get(1)) else {
        return Err(Miss::NotFound);
    };
    format!("{owner}/{service}")
        .parse()
        .map_err(|_| Miss::NotFound)
}

fn section(id: &str, content: Markup) -> (String, Markup) {
    (id.to_owned(), html! { section id=(id) { (content) } })
}

fn facts(visit: &Visit<'_>, view: &CellView, is_console: bool) -> Vec<(String, Markup)> {
    let say = &visit.say;
    vec![
        section("cell-head", head(say, view, is_console)),
        section("cell-why", why(say, view, is_console)),
        section("cell-tasks", tasks(visit, view, is_console)),
        section("cell-findings", findings(say, view, is_console)),
        section("cell-releases", releases(say, view)),
        section("cell-dates", dates(say, view)),
        section("cell-gaps", gaps(say, view)),
        section("cell-needs", needs(say, view, is_console)),
    ]
}

fn head(say: &Say, view: &CellView, is_console: bool) -> Markup {
    let w = say.w;
    html! {
        p.kicker {
            @if is_console { a href="/console/grid" { (w.nav_grid) } }
            @else { a href="/tenant" { (w.nav_portal) } }
            @if let Some(owner) = &view.name.owner { " · " (part::said(say, owner)) }
        }
        h1 { (part::service(say, &view.name)) " " (part::stage(say, view.stage)) }
        (ladder(say, view))
        dl.facts {
            div { dt { (w.cell) } dd { code { (view.name.id) } } }
            div { dt { (w.epoch) } dd.number { (view.epoch.0) } }
            div { dt { (w.site) } dd { (say.text(&view.site)) } }
            div { dt { (w.protection) } dd { (say.class(view.class)) } }
            div { dt { (w.people) } dd.number { (say.number(view.insured)) } }
            div { dt { (w.address) } dd { code { (view.address) } } }
            @if let Some(until) = view.not_after {
                div { dt { (w.holds_until) } dd { (part::when(say, until)) } }
            }
        }
    }
}

/// The stages of this cell as steps, the present one marked.
fn ladder(say: &Say, view: &CellView) -> Markup {
    html! {
        ol.ladder aria-label=(say.w.stage_label) {
            @for stage in
                std::iter::once(anlauf_model::Stage::Closed).chain(view.stages.iter().copied()) {
                li.reached[stage <= view.stage] aria-current=[(stage ==
                    view.stage).then_some("step")] {
                    (part::stage(say, stage))
                }
            }
        }
    }
}

fn why(say: &Say, view: &CellView, is_console: bool) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.why) }
        @match &view.hold {
            None => { (part::nothing(w.why_unknown)) }
            Some(hold) => {
                @match hold.stage_next {
                    None => { p { (w.why_back) } }
                    Some(next) => {
                        p { (fill(w.why_next, &[&say.stage(next)])) }
                        @if hold.reasons.is_empty() && hold.chain.is_empty() { p { (w.why_nothing)
                            } }
                        ol.why {
                            @for held in &hold.reasons { li { (part::held(say, held, is_console)) }
                                }
                        }
                        @if !hold.chain.is_empty() {
                            h3 { (w.why_plan) }
                            (part::chain(say, &hold.chain, is_console))
                        }
                    }
                }
            }
        }
    }
}

fn tasks(visit: &Visit<'_>, view: &CellView, is_console: bool) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        h2 { (w.tasks) }
        @if view.tasks.is_empty() { (part::nothing(w.no_tasks)) }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(w.tasks) {
            table.list.stacked {
                thead { tr {
                    th scope="col" { (w.task_word) } th scope="col" { (w.team) }
                    th scope="col" { (w.task_state) } th scope="col" { (w.planned) }
                    @if is_console { th scope="col" { span.hidden { (w.act) } } }
                } }
                tbody { @for line in &view.tasks { tr {
                    th scope="row" { (say.task(line.task)) }
                    td { (line.team.as_ref().map_or(w.tenant_people, |team| say.text(team))) }
                    td { (task_state(say, line)) }
                    td data-label=(w.planned) {
                        @match line.planned {
                            Some((from, to)) => { (say.window(from, to)) }
                            None => { span.quiet { "–" } }
                        }
                    }
                    @if is_console { td { (task_form(visit, view, line)) } }
                } } }
            }
            }
        }
    }
}

fn task_state(say: &Say, line: &TaskLine) -> Markup {
    let w = say.w;
    html! {
        @match line.state {
            None => { span.quiet { (w.task_waits) } }
            Some(state) => {
                @match state.finished {
                    Some(at) => { span.good { "✓ " (w.task_done) } " " (part::when_short(say, at)) }
                    None => { b { (w.task_runs) } " " (part::when_short(say, state.started)) }
                }
                @if state.failures > 0 {
                    " " span.quiet { (fill(w.task_again, &[&state.failures])) }
                }
            }
        }
    }
}

/// The next step's buttons, for who may do it.
fn task_form(visit: &Visit<'_>, view: &CellView, line: &TaskLine) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let running = line.state.is_some_and(|state| state.finished.is_none());
    let may = visit.may("start_tasks") && view.is_running && view.stage_next().is_some();
    let word = line.task.word();
    html! {
        @if may && line.is_next && (running || line.state.is_none()) {
            details.action.inline {
                summary { (if running { w.task_finish } else { w.task_start }) }
                form.stack method="post" action={ "/console/cells/" (view.name.id) "/task" } {
                    input type="hidden" name="task" value=(word);
                    (part::reason(say, word, w.reason_task))
                    @if running {
                        button.primary type="submit" name="do" value="finish" { (w.task_finish) }
                        button type="submit" name="do" value="fail" { (w.task_fail) }
                    } @else {
                        button.primary type="submit" name="do" value="start" { (w.task_start) }
                    }
                }
            }
        }
    }
}

fn findings(say: &Say, view: &CellView, is_console: bool) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.nav_evidence) }
        @if view.findings.is_empty() { (part::nothing(w.no_findings)) }
        @else {
            ul.findings { @for line in &view.findings { li { (finding(say, line, is_console)) } } }
        }
    }
}

fn finding(say: &Say, line: &FindingLine, is_console: bool) -> Markup {
    let w = say.w;
    let name = say.finding(line.kind);
    html! {
        @match (line.number, line.verdict) {
            (Some(number), Some(verdict)) => {
                @let pass = verdict == anlauf_model::Verdict::Pass;
                span.mark.good[pass].bad[!pass] aria-hidden="true" { (if pass { "✓" } else { "!" })
                    }
                span {
                    @if is_console { a href={ "/console/evidence/" (number) } { (name) } } @else {
                        (name) }
                    " · " (say.verdict(verdict))
                    span.quiet {
                        @if let Some(at) = line.at { " · " (part::when_short(say, at)) }
                        @if is_console { @if let Some(by) = &line.by { " · " (by) } }
                        @if line.carries { " · " (w.carries) }
                    }
                    @if is_console && !line.note.is_empty() { br; span.note { (line.note) } }
                }
            }
            _ => {
                span.mark.open aria-hidden="true" { "○" }
                span { (name) " · " span.quiet { (w.finding_missing) } }
            }
        }
    }
}

fn releases(say: &Say, view: &CellView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.releases) }
        @if view.releases.is_empty() { (part::nothing(w.no_release)) }
        @for release in &view.releases {
            (part::release(say, release))
            p.release-end { (release_end(say, release)) }
        }
    }
}

fn release_end(say: &Say, release: &ReleaseView) -> Markup {
    use anlauf_recovery::state::ReleaseEnd;
    let w = say.w;
    html! {
        @match &release.end {
            ReleaseEnd::Open if release.is_complete() => { (w.release_ready) }
            ReleaseEnd::Open => { (w.release_open) " " (part::sign_command(say, release)) }
            ReleaseEnd::Released(at) => { (w.release_done) " " (part::when(say, *at)) "." }
            ReleaseEnd::Dropped(at, why) => { (w.release_dropped) " " (part::when(say, *at)) ": "
                (why) }
        }
    }
}

fn dates(say: &Say, view: &CellView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.dates) }
        @if let Some(at) = view.restored_at {
            p { (w.back_since) " " (part::when(say, at)) "." }
        }
        @if view.stage_next().is_some() {
            @match &view.range {
                Some((range, made_at)) => {
                    p { (say.range(range)) }
                    p.hint { (w.made) " " (part::when(say, *made_at)) "." }
                }
                None => {
                    @match &view.wait {
                        Some(wait) => {
                            p.nothing { (w.no_date_short) ": " (part::waiting(say, wait)) "." }
                        }
                        None => { (part::nothing(w.no_date)) }
                    }
                }
            }
            @if let Some(planned) = view.planned {
                p { (w.planned_for) " " (part::when(say, planned)) "." }
            }
        }
        @if let Some(offer) = &view.offer {
            p {
                (w.slot) ": " b { (say.window(offer.slot.from, offer.slot.to)) } " · "
                (say.answer(offer.answer))
                @if !offer.reason.is_empty() && offer.answer != Answer::Open {
                    " · " q { (offer.reason) }
                }
            }
        }
    }
}

fn gaps(say: &Say, view: &CellView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.gaps) }
        @if view.gaps.is_empty() { (part::nothing(w.no_gaps)) }
        ul.plain {
            @for gap in view.gaps.iter().rev() {
                li {
                    (part::when(say, gap.from)) " – "
                    @match gap.to {
                        Some(to) => {
                            (part::when(say, to)) " (" (say.span((to - gap.from).0)) ")"
                            @match gap.caught_up {
                                Some(at) => { ", " (w.caught_up) " " (part::when(say, at)) }
                                None => { ", " b { (w.not_caught_up) } }
                            }
                        }
                        None => { b { (w.gap_open) } " (" (say.span((say.now - gap.from).0)) ")" }
                    }
                }
            }
        }
    }
}

fn needs(say: &Say, view: &CellView, is_console: bool) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.needs) }
        @if view.needs.is_empty() { (part::nothing(w.no_needs)) }
        ul.plain {
            @for (name, stage) in &view.needs {
                li {
                    @if is_console { (part::cell(say, name)) } @else { (part::full_name(say, name))
                        }
                    " " (part::stage(say, *stage))
                }
            }
        }
    }
}

/// What an operator can do with the cell.
fn acts(visit: &Visit<'_>, view: &CellView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let base = format!("/console/cells/{}", view.name.id);
    let tomorrow = say.now + Minutes::days(1);
    html! {
        @if let (Some(next), true) = (view.stage_next(), visit.may("propose_releases")) {
            details.action {
                summary { (fill(w.draw_up, &[&say.stage(next)])) }
                form.stack method="post" action={ (base) "/draw-up" } {
                    p.hint { (fill(w.draw_up_hint, &[&RELEASE_DAYS])) }
                    (part::reason(say, "draw-up", w.reason_draw_up))
                    button.primary type="submit" { (w.draw_up_do) }
                }
            }
        }
        @if view.stage_next().is_some() && view.is_running && visit.may("offer_slots") {
            details.action {
                summary { (w.offer_slot) }
                form.stack method="post" action={ (base) "/offer" } {
                    div.field {
                        label for="from" { (w.from) }
                        input type="datetime-local" id="from" name="from" required
                            value=(say.field(tomorrow));
                    }
                    div.field {
                        label for="to" { (w.to) }
                        input type="datetime-local" id="to" name="to" required
                            value=(say.field(tomorrow + Minutes::hours(8)));
                    }
                    (part::reason(say, "offer", w.reason_offer))
                    button.primary type="submit" { (w.offer_slot) }
                }
            }
        }
    }
}

fn close_forms(visit: &Visit<'_>, view: &CellView, shuts: Option<&CloseView>) -> Markup {
    let w = visit.say.w;
    html! {
        @if visit.may("close") {
            section.danger-zone {
                h2 { (w.close_this) }
                @if let Some(shuts) = shuts { (close::list(&visit.say, shuts)) }
                form.stack method="post" action="/console/close/order" {
                    (part::reason(&visit.say, "close", w.reason_close))
                    div.buttons {
                        button.danger type="submit" name="scope"
                            value={ "cell/" (view.name.id) } { (w.close_only) }
                        @if !view.dependents.is_empty() {
                            button.danger type="submit" name="scope"
                                value={ "dependents/" (view.name.id) } {
                                (fill(w.close_with, &[&visit.say.count(
                                    view.dependents.len() as u64 + 1, w.cell_word, w.cells_word)]))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn close_own(visit: &Visit<'_>, view: &CellView) -> Markup {
    let w = visit.say.w;
    html! {
        @if visit.may("close") {
            section.danger-zone {
                h2 { (w.close_this) }
                p.hint { (w.close_own_hint) }
                form.stack method="post" action="/tenant/close" {
                    input type="hidden" name="service" value=(view.name.id.service());
                    (part::reason(&visit.say, "close", w.reason_close))
                    button.danger type="submit" { (w.close_only) }
                }
            }
        }
    }
}

/// A step begins, ends or must be done again.
pub(crate) fn task(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let cell = id_of(visit)?;
    let word = fields.get("task").unwrap_or_default();
    let task = TaskKind::ALL
        .into_iter()
        .find(|task| task.word() == word)
        .ok_or(Miss::NotFound)?;
    let to = format!("/console/cells/{cell}");
    let tasks = vec![TaskRef { cell, task }];
    let order = match fields.get("do") {
        Some("start") => Order::StartTasks { tasks },
        Some("finish") => Order::FinishTasks { tasks },
        Some("fail") => Order::FailTasks { tasks },
        _ => return Err(Miss::Unclear(visit.say.w.unclear_choice)),
    };
    Ok(Act::order(order, to))
}

/// A release to the next stage is drawn up for signature.
pub(crate) fn draw_up(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    let actor = visit.actor.ok_or(Miss::NotFound)?;
    let cell = id_of(visit)?;
    let view = CellView::of(&visit.state(), visit.now(), &cell, actor).ok_or(Miss::NotFound)?;
    let stage = view
        .stage_next()
        .ok_or(Miss::Unclear(visit.say.w.why_back))?;
    let to = format!("/console/cells/{cell}");
    let waves = vec![WaveDraft {
        cells: vec![cell],
        stage,
    }];
    let not_after = visit.now() + Minutes::days(RELEASE_DAYS);
    Ok(Act::order(Order::ProposeReleases { waves, not_after }, to))
}

/// A window is offered.
pub(crate) fn offer(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let cell = id_of(visit)?;
    let at = |name: &str| fields.get(name).and_then(|text| visit.say.read_field(text));
    let (Some(from), Some(to)) = (at("from"), at("to")) else {
        return Err(Miss::Unclear(visit.say.w.unclear_time));
    };
    let back = format!("/console/cells/{cell}");
    let slots = vec![SlotDraft {
        cell,
        slot: Slot { from, to },
    }];
    Ok(Act::order(Order::OfferSlots { slots }, back))
}
