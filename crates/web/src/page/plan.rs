//! The plan on a time axis: what opens when, what is frozen, who is busy, what a new plan changes.

use anlauf_model::{Digest, Timestamp};
use anlauf_recovery::Order;
use maud::{Markup, html};

use super::form::{Act, Fields};
use super::part;
use super::screen::{Miss, Screen};
use super::situation::share;
use super::visit::Visit;
use crate::text::{Say, fill};
use crate::view::inbox::PlanCard;
use crate::view::plan::{Axis, PlanDifference, PlanLine, PlanView, TeamLoad};

/// Labels of days on the axis at most.
const DAY_LABEL_MAX: usize = 12;
/// Where the last label begins at most, in thousandths of the axis, wide and on a telephone.
const LABEL_FROM_MAX: f64 = 920.0;
const LABEL_FROM_MAX_NARROW: f64 = 680.0;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let by_tenant = visit.asked("by") == Some("tenant");
    let view = PlanView::of(&visit.state(), visit.now(), by_tenant);
    let parts = vec![
        (
            "plan-head".to_owned(),
            html! { section id="plan-head" { (head(visit, &view)) } },
        ),
        (
            "plan-axis".to_owned(),
            html! { section id="plan-axis" { (axis(say, &view)) } },
        ),
        (
            "plan-way".to_owned(),
            html! { section id="plan-way" { (way(say, &view)) } },
        ),
        (
            "plan-past".to_owned(),
            html! { section id="plan-past" { (past(say, &view)) } },
        ),
    ];
    let main = html! {
        h1 { (w.nav_plan) }
        (parts[0].1)
        @if view.current.is_some() {
            nav.tabs aria-label=(w.rows_by) {
                a href="/console/plan" aria-current=[(!by_tenant).then_some("true")] {
                    (w.by_service) }
                a href="/console/plan?by=tenant" aria-current=[by_tenant.then_some("true")] {
                    (w.by_tenant) }
            }
        }
        (parts[1].1)
        @if visit.may("propose_plan") { div.two { (make_form(visit)) } }
        div.columns { (parts[2].1) (parts[3].1) }
    };
    Ok(Screen::new(w.nav_plan, "/console/plan", main)
        .with_parts(parts)
        .wide())
}

fn head(visit: &Visit<'_>, view: &PlanView) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        @match &view.current {
            None => { (part::nothing(w.no_plan)) }
            Some(plan) => {
                dl.facts {
                    div { dt { (w.plan_in_force) } dd { (part::digest(&plan.id)) } }
                    div { dt { (w.made) } dd { (part::when(say, plan.made_at)) } }
                    div { dt { (w.plan_gap) } dd.number {
                        (fill(w.plan_gap_words, &[&say.percent(plan.gap_per_mille)])) } }
                    div { dt { (w.cells_left) } dd.number { (say.number(plan.cell_count as u64)) } }
                    @if let Some(end) = plan.end {
                        div { dt { (w.plan_end) } dd { (part::when(say, end)) } }
                    }
                    @if let Some(range) = &view.whole {
                        div { dt { (w.forecast_whole) } dd { (say.range(range)) } }
                    }
                    @if view.hits.given > 0 {
                        div { dt { (w.hits_short) } dd.number {
                            (say.percent(share(view.hits.held_p80, view.hits.given))) } }
                    }
                }
            }
        }
        @for card in &view.proposed { (proposal(visit, card)) }
    }
}

fn make_form(visit: &Visit<'_>) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        details.action {
            summary { (w.plan_make) }
            form.stack method="post" action="/console/plan/make" {
                p.hint { (w.plan_make_hint) }
                (part::reason(say, "plan", w.reason_plan))
                button.primary type="submit" { (w.plan_make) }
            }
        }
        details.action {
            summary { (w.forecast_make) }
            form.stack method="post" action="/console/plan/forecast" {
                p.hint { (w.forecast_make_hint) }
                (part::reason(say, "forecast", w.reason_forecast))
                button.primary type="submit" { (w.forecast_make) }
            }
        }
    }
}

/// A proposed plan: what it changes, and the button that puts it in force.
pub(crate) fn proposal(visit: &Visit<'_>, card: &PlanCard) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    html! {
        article.card {
            header.card-head {
                h3 { (w.plan_proposed) " " (part::digest(&card.id)) }
                span.card-id { (w.made) " " (part::when(say, card.made_at)) }
            }
            p {
                (fill(w.plan_gap_words, &[&say.percent(card.gap_per_mille)])) " · "
                (say.count(card.row_count as u64, w.step, w.steps))
            }
            @if let Some(difference) = &card.difference { (moves(say, difference)) }
            @if visit.may("adopt_plan") {
                form.stack method="post" action="/console/plan/adopt" {
                    input type="hidden" name="plan" value=(card.id);
                    (part::reason(say, &card.id.short(), w.reason_adopt))
                    button.primary type="submit" { (w.plan_adopt) }
                }
            }
        }
    }
}

fn moves(say: &Say, difference: &PlanDifference) -> Markup {
    let w = say.w;
    html! {
        p { (fill(w.plan_moves, &[
            &say.number(difference.earlier as u64),
            &say.number(difference.later as u64),
            &say.number(difference.same as u64),
        ])) }
        @if !difference.moves.is_empty() {
            ul.plain {
                @for (name, from, to) in &difference.moves {
                    li { (part::full_name(say, name)) ": " (say.when(*from)) " → " b {
                        (say.when(*to)) } }
                }
            }
        }
    }
}

fn axis(say: &Say, view: &PlanView) -> Markup {
    let w = say.w;
    let marks = say.midnights(view.axis.from, view.axis.to, 400);
    let every = marks.len().div_ceil(DAY_LABEL_MAX).max(1);
    let marks: Vec<_> = marks.into_iter().step_by(every).collect();
    html! {
        @if view.current.is_some() {
            div.scroll tabindex="0" role="region" aria-label=(w.axis_caption) {
                table.axis {
                    caption.hidden { (w.axis_caption) }
                    thead { tr {
                        th scope="col" { (if view.by_tenant { w.tenant } else { w.service }) }
                        th.axis-days { (days(say, view.axis, &marks)) }
                        th.axis-count scope="col" { (w.back_of) }
                    } }
                    tbody { @for line in view.rows.iter().filter(|line| line.cell_count > 0) {
                        (row(say, view, line, &marks)) } }
                    @if !view.teams.is_empty() {
                        tbody.teams {
                            tr { th.axis-group colspan="3" scope="rowgroup" { (w.team_load) } }
                            @for team in &view.teams { (load(say, view.axis, team)) }
                        }
                    }
                }
            }
            (legend(say))
        }
    }
}

fn days(say: &Say, axis: Axis, marks: &[Timestamp]) -> Markup {
    html! {
        span.hidden { (say.day(axis.from)) " – " (say.day(axis.to)) }
        svg.days aria-hidden="true" focusable="false" {
            @for (index, mark) in marks.iter().enumerate().filter(|(_, mark)| fits(axis, **mark)) {
                text class=(label_class(axis, index, *mark)) x=(x(axis, *mark)) dx="3" y="14" {
                    (say.day(*mark)) }
            }
        }
    }
}

/// Whether a label that begins here ends before the axis does.
fn fits(axis: Axis, mark: Timestamp) -> bool {
    axis.at(mark) < LABEL_FROM_MAX
}

/// Which labels stay when the axis gets narrow: every second, then every fourth.
fn label_class(axis: Axis, index: usize, mark: Timestamp) -> &'static str {
    match index % 4 {
        0 if axis.at(mark) < LABEL_FROM_MAX_NARROW => "day every-4",
        0 | 2 => "day every-2",
        _ => "day",
    }
}

fn row(say: &Say, view: &PlanView, line: &PlanLine, marks: &[Timestamp]) -> Markup {
    let axis = view.axis;
    let name = part::said(say, &line.name);
    html! {
        tr {
            th scope="row" { a href=(line.link) { (name) } }
            td {
                svg.lane role="img" aria-label=(spoken(say, line)) {
                    @for band in &view.bands {
                        rect.band x=(x(axis, band.from)) width=(width(axis, band.from, band.to))
                            height="100%" { title { (say.text(&band.name)) } }
                    }
                    @for mark in marks {
                        line.day-line x1=(x(axis, *mark)) x2=(x(axis, *mark)) y1="0" y2="100%" {}
                    }
                    @if let Some((from, to)) = line.work {
                        rect.work x=(x(axis, from)) width=(width(axis, from, to)) y="8" height="8"
                            rx="2" {}
                    }
                    @if let Some(range) = &line.last {
                        rect.range-bar x=(x(axis, range.p50)) width=(width(axis, range.p50,
                            range.p95))
                            y="10.5" height="3" { title { (say.range(range)) } }
                    }
                    @for slot in &line.slots {
                        rect.slot x=(x(axis, slot.from)) width=(width(axis, slot.from, slot.to))
                            y="18" height="3" {}
                    }
                    @for at in distinct(axis, &line.planned) {
                        line.planned x1=(at) x2=(at) y1="6" y2="18" {}
                    }
                    @for at in distinct(axis, &line.opened) {
                        circle.opened cx=(at) cy="12" r="3" {}
                    }
                    line.now x1=(x(axis, say.now)) x2=(x(axis, say.now)) y1="0" y2="100%" {}
                }
            }
            td.axis-count.number { (line.done_count) " / " (line.cell_count) }
        }
    }
}

/// The row as one sentence.
fn spoken(say: &Say, line: &PlanLine) -> String {
    let w = say.w;
    let mut out = fill(w.axis_row, &[&line.done_count, &line.cell_count]);
    if let Some(last) = line.planned.iter().max() {
        out.push_str(&fill(w.axis_last, &[&say.when(*last)]));
    }
    if let Some(range) = &line.last {
        out.push(' ');
        out.push_str(&say.range(range));
    }
    out
}

fn x(axis: Axis, at: Timestamp) -> String {
    format!("{:.2}%", axis.at(at) / 10.0)
}

fn width(axis: Axis, from: Timestamp, to: Timestamp) -> String {
    format!("{:.2}%", (axis.at(to) - axis.at(from)).max(1.0) / 10.0)
}

/// Places on the axis, each once: eighty openings in one hour are one line to the eye.
fn distinct(axis: Axis, points: &[Timestamp]) -> Vec<String> {
    let mut places: Vec<i64> = points
        .iter()
        .map(|at| (axis.at(*at) * 2.0) as i64)
        .collect();
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .map(|place| format!("{:.2}%", place as f64 / 20.0))
        .collect()
}

fn load(say: &Say, axis: Axis, team: &TeamLoad) -> Markup {
    let w = say.w;
    let step = 100.0 / team.load.len().max(1) as f64;
    html! {
        tr {
            th scope="row" { (say.text(&team.name)) " "
                span.quiet { (say.count(team.lanes.into(), w.lane, w.lanes)) } }
            td {
                svg.load role="img"
                    aria-label=(fill(w.load_row, &[&say.number(team.busy_hours)])) {
                    @for (index, load) in team.load.iter().enumerate().filter(|(_, load)| **load >
                        0) {
                        rect class={ "load-" (level(*load)) }
                            x=(format!("{:.3}%", index as f64 * step))
                            width=(format!("{:.3}%", step + 0.05))
                            y=(percent_left(*load))
                                height=(part::percent(u64::from((*load).min(1000)))) {}
                    }
                    line.now x1=(x(axis, say.now)) x2=(x(axis, say.now)) y1="0" y2="100%" {}
                }
            }
            td.axis-count.number { (say.number(team.busy_hours)) " h" }
        }
    }
}

fn percent_left(load: u32) -> String {
    part::percent(1000 - u64::from(load.min(1000)))
}

/// How full: half, nearly, quite.
fn level(load: u32) -> &'static str {
    match load {
        0..600 => "low",
        600..950 => "high",
        _ => "full",
    }
}

fn legend(say: &Say) -> Markup {
    let w = say.w;
    let sample =
        |shape: Markup| html! { svg.sample aria-hidden="true" focusable="false" { (shape) } };
    html! {
        p.legend {
            span { (sample(html! { rect.work y="4" width="100%" height="8" rx="2" {} }))
                (w.legend_work) }
            span { (sample(html! { line.planned x1="50%" x2="50%" y1="2" y2="14" {} }))
                (w.legend_planned) }
            span { (sample(html! { circle.opened cx="50%" cy="8" r="3" {} })) (w.legend_opened) }
            span { (sample(html! { rect.range-bar y="6" width="100%" height="3" {} }))
                (w.legend_range) }
            span { (sample(html! { rect.slot y="7" width="100%" height="3" {} })) (w.legend_slot) }
            span { (sample(html! { rect.band width="100%" height="100%" {} })) (w.legend_band) }
            span { (sample(html! { line.now x1="50%" x2="50%" y1="0" y2="16" {} })) (w.legend_now) }
        }
    }
}

fn way(say: &Say, view: &PlanView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.way) }
        @if view.way.restored.len() < 2 { (part::nothing(w.no_incident)) }
        @else {
            (chart(say, w.restored, "way-restored", &view.way.restored))
            (chart(say, w.released, "way-released", &view.way.released))
        }
    }
}

fn chart(say: &Say, name: &str, class: &str, line: &[(Timestamp, u32)]) -> Markup {
    let (Some(first), Some(last)) = (line.first(), line.last()) else {
        return html! {};
    };
    let axis = Axis {
        from: first.0,
        to: last.0,
    };
    let mut points = String::new();
    let mut before = 0;
    for (at, share) in line {
        let x = axis.at(*at);
        points.push_str(&format!(
            "{x:.1},{} {x:.1},{} ",
            1000 - before,
            1000 - share
        ));
        before = *share;
    }
    html! {
        figure.way {
            figcaption { (name) " " b.number { (say.percent(u64::from(last.1))) } }
            svg.chart.(class) viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img"
                aria-label={ (name) ": " (say.percent(u64::from(last.1))) } {
                line.half x1="0" x2="1000" y1="500" y2="500" {}
                polygon points={ "0,1000 " (points) "1000,1000" } {}
                polyline points=(points) {}
            }
            p.chart-ends.number { span { (say.day(first.0)) } span { (say.day(last.0)) } }
        }
    }
}

fn past(say: &Say, view: &PlanView) -> Markup {
    let w = say.w;
    html! {
        h2 { (w.plans_past) }
        @if view.notes.is_empty() { (part::nothing(w.no_plan)) }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(w.plans_past) { table.list {
                thead { tr {
                    th scope="col" { (w.plan_word) } th scope="col" { (w.adopted) }
                    th scope="col" { (w.plan_gap) } th scope="col" { (w.reason) }
                } }
                tbody { @for note in view.notes.iter().take(40) { tr {
                    th scope="row" { (part::digest(&note.id)) }
                    td { (part::when_short(say, note.adopted_at)) }
                    td.number { (say.percent(note.gap_per_mille)) }
                    td { (note.reason) }
                } } }
            } }
        }
    }
}

/// Have a plan made and proposed.
pub(crate) fn make(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    if visit.may("propose_plan") {
        Ok(Act::Plan)
    } else {
        Err(Miss::NotFound)
    }
}

/// Have ranges made from the plan in force and published.
pub(crate) fn foretell(visit: &Visit<'_>, _: &Fields) -> Result<Act, Miss> {
    if visit.may("publish_forecast") {
        Ok(Act::Forecast)
    } else {
        Err(Miss::NotFound)
    }
}

/// A proposed plan comes into force.
pub(crate) fn adopt(visit: &Visit<'_>, fields: &Fields) -> Result<Act, Miss> {
    let unclear = Miss::Unclear(visit.say.w.unclear_choice);
    let plan: Digest = fields.parsed("plan").ok_or(unclear)?;
    Ok(Act::order(Order::AdoptPlan { plan }, "/console/plan"))
}
