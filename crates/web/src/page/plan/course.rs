//! The way so far and to come: burn-up with a fan, the two progress numbers, how dates held.

use anlauf_model::Timestamp;
use anlauf_recovery::query::HitRate;
use maud::{Markup, html};

use super::frame::{axis, filter, filters, section, tabs};
use crate::page::part;
use crate::page::screen::{Miss, Screen};
use crate::page::visit::Visit;
use crate::picture;
use crate::text::word::plan::words;
use crate::text::{Say, fill};
use crate::view::plan::course::Course;
use crate::view::plan::filter::Choices;

/// Where this page is.
const HERE: &str = "/console/plan/course";

/// Days of the table at most.
const DAY_SHOWN_MAX: usize = 60;

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let p = words(say.language);
    let filter = filter(visit);
    let (view, choices, is_begun) = {
        let state = visit.state();
        let choices = state.landscape.as_deref().map(Choices::of);
        let course = Course::of(&state, visit.now(), &filter);
        (
            course,
            choices.unwrap_or_default(),
            state.incident.is_some(),
        )
    };
    let content = match (is_begun, view.total) {
        (false, _) => part::nothing(w.no_incident),
        (true, 0) => part::nothing(p.filter_empty),
        _ => shown(say, &view),
    };
    let parts = vec![
        section("plan-course", content),
        section("plan-way", way(say, &view)),
        section(
            "plan-hits",
            html! { h2 { (w.hits_short) } p { (hits(say, view.hits)) } },
        ),
    ];
    let main = html! {
        h1 { (p.course_title) }
        (tabs(visit, HERE))
        @if is_begun { (filters(visit, HERE, &filter, (&choices, false))) }
        (parts[0].1)
        div.columns { (parts[1].1) (parts[2].1) }
    };
    Ok(Screen::new(p.course_title, "/console/plan", main)
        .with_parts(parts)
        .wide())
}

/// How published dates held, as one sentence.
pub(crate) fn hits(say: &Say, hits: HitRate) -> String {
    let p = words(say.language);
    if hits.given == 0 {
        return p.hits_none.to_owned();
    }
    let (given, held) = (hits.given.into(), hits.held_p80.into());
    fill(p.hits_sentence, &[&say.number(given), &say.number(held)])
}

fn shown(say: &Say, view: &Course) -> Markup {
    let p = words(say.language);
    let drawn = picture::Course {
        id: "course-picture".to_owned(),
        title: p.course_title.to_owned(),
        axis: axis(say, view.span),
        total: view.total,
        released: view.released.clone(),
        planned: view.planned.clone(),
        fan: view.fan.clone(),
    };
    html! {
        (picture::course(&drawn, say.language))
        @if view.fan[0].is_empty() {
            p.hint {
                @if view.is_all_back() { (p.course_all_back) } @else { (p.course_no_forecast) }
            }
        }
        (table(say, view))
    }
}

/// The same, day by day.
fn table(say: &Say, view: &Course) -> Markup {
    let p = words(say.language);
    let days = say.midnights(view.span.from, view.span.to, 400);
    let every = days.len().div_ceil(DAY_SHOWN_MAX).max(1);
    let days = days.into_iter().step_by(every).chain([view.span.to]);
    let row = |day: Timestamp| {
        let is_past = day <= say.now;
        let of = |line: &[(Timestamp, u32)], is_said: bool| {
            let is_said = is_said && !line.is_empty();
            is_said.then(|| Course::count(line, day))
        };
        [
            of(&view.released, is_past),
            of(&view.planned, !is_past),
            of(&view.fan[0], !is_past),
            of(&view.fan[1], !is_past),
            of(&view.fan[2], !is_past),
        ]
    };
    let names = [p.course_released, p.legend_wanted, "P50", "P80", "P95"];
    html! {
        details.as-table {
            summary { (p.as_table) }
            div.scroll tabindex="0" role="region" aria-label=(p.course_title) {
                table.list.stacked {
                    thead { tr {
                        th scope="col" { (p.course_day) }
                        @for name in names { th scope="col" { (name) } }
                    } }
                    tbody { @for day in days { tr {
                        th scope="row" { (part::when_short(say, day)) }
                        @for (count, name) in row(day).into_iter().zip(names) {
                            td.number data-label=(name) {
                                @if let Some(count) = count { (say.number(count.into())) }
                            }
                        }
                    } } }
                }
            }
        }
    }
}

fn way(say: &Say, view: &Course) -> Markup {
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
    let axis = picture::Axis {
        from: first.0,
        to: last.0,
        ..picture::Axis::default()
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
