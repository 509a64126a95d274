//! The report's charts, as SVG without a script.
//!
//! In:    facts of the drill. Out: markup, each chart with the same facts as a table or in words.
//! Never: a colour that says something no word or line form says.

use std::collections::BTreeMap;

use anlauf_model::{Forecast, Landscape, Minutes, Plan, TeamId, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{HitRate, Progress};
use maud::{Markup, html};

use crate::drill::summary::{Say, ServiceReturn, per_cent};

/// Width of the drawing area. User units, as everything below.
const WIDTH: f64 = 900.0;
/// Height of the drawing area of curves.
const HEIGHT: f64 = 220.0;

/// The picture of a curve: left of the drawing area `100 %` has room in a phone's larger letters,
/// below it the days are clear of the lowest of them.
const CURVE: &str = "-110 -24 1030 290";

/// Days between two points.
fn days(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).0 as f64 / 1440.0
}

/// Ticks of a day axis: at most a dozen.
fn ticks(last: f64) -> Vec<f64> {
    let step = (last / 12.0).ceil().max(1.0);
    (0..=12)
        .map(|n| f64::from(n) * step)
        .filter(|day| *day <= last)
        .collect()
}

fn day_axis(last: f64, y: f64, x: &dyn Fn(f64) -> f64, say: Say) -> Markup {
    html! {
        @for day in ticks(last) {
            text.tick x=(px(x(day))) y=(px(y)) text-anchor="middle" {
                @if day == 0.0 { (say.of("day", "Tag")) " 0" } @else { (day) }
            }
        }
    }
}

/// The drawing area of one bar, which is stretched to the room there is; words stand beside it.
fn flat(height: u32) -> String {
    format!("0 0 {WIDTH} {height}")
}

/// A mark from top to bottom of a bar.
fn mark(x: f64, height: u32) -> Markup {
    html! { line.rule x1=(px(x)) x2=(px(x)) y1="0" y2=(height) {} }
}

/// The days below bars, in the page's own type.
fn scale(last: f64, say: Say) -> Markup {
    html! {
        div.line.scale {
            span.name { (say.of("day", "Tag")) }
            span.days {
                @for day in ticks(last) {
                    span style=(format!("left:{:.1}%", day / last * 100.0)) { (day) }
                }
            }
        }
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// Both progress numbers over time.
pub fn progress(curve: &[(Timestamp, Progress)], say: Say) -> Markup {
    let (Some((first, _)), Some((end, _))) = (curve.first(), curve.last()) else {
        return html! {};
    };
    let last = days(*first, *end).max(1.0);
    let x = |day: f64| day / last * WIDTH;
    let y = |per_mille: u32| HEIGHT - f64::from(per_mille) / 1000.0 * HEIGHT;
    let line = |pick: fn(&Progress) -> u32| {
        let point = |(at, p): &(Timestamp, Progress)| {
            format!("{},{}", px(x(days(*first, *at))), px(y(pick(p))))
        };
        curve.iter().map(point).collect::<Vec<_>>().join(" ")
    };
    let label = say.of(
        "Course of both progress numbers",
        "Verlauf der beiden Fortschrittszahlen",
    );
    html! {
        figure {
            svg viewBox=(CURVE) role="img" aria-label=(label) {
                @for per_cent in [0u32, 25, 50, 75, 100] {
                    @let level = y(per_cent * 10);
                    line.rule x1="0" x2=(px(WIDTH)) y1=(px(level)) y2=(px(level)) {}
                    text.tick.side x="-8" y=(px(level + 4.0)) text-anchor="end" {
                        (per_cent) " %"
                    }
                }
                (day_axis(last, HEIGHT + 36.0, &x, say))
                polyline.systems points=(line(|p| p.systems_restored_per_mille)) {}
                polyline.services points=(line(|p| p.services_released_per_mille)) {}
            }
            figcaption {
                span.key.systems { "━ " (say.of("systems restored", "Systeme wiederhergestellt")) }
                " "
                span.key.services {
                    "┅ " (say.of("services released, weighted by people served",
                                 "Dienste freigegeben, nach Personen gewichtet"))
                }
            }
        }
    }
}

/// A bar per service from its first to its last return, above it what the first plan wanted.
pub fn services(rows: &[ServiceReturn], say: Say) -> Markup {
    let ends = rows
        .iter()
        .flat_map(|row| [Some(row.days), row.planned])
        .flatten();
    let last = ends.map(|days| days[2]).fold(1.0, f64::max);
    let x = |day: f64| day / last * WIDTH;
    let label = say.of("Return per service", "Rückkehr je Dienst");
    html! {
        figure {
            div.bars role="img" aria-label=(label) {
                @for row in rows {
                    div.line {
                        span.name { (row.name.get(say.0)) }
                        svg.flat viewBox=(flat(22)) preserveAspectRatio="none" {
                            @for day in ticks(last) { (mark(x(day), 22)) }
                            @if let Some(planned) = row.planned {
                                rect.planned x=(px(x(planned[0]))) y="2" height="3"
                                    width=(px((x(planned[2]) - x(planned[0])).max(3.0))) {}
                            }
                            rect.span x=(px(x(row.days[0]))) y="7" height="10"
                                width=(px((x(row.days[2]) - x(row.days[0])).max(3.0))) {}
                            rect.half x=(px(x(row.days[1]) - 2.0)) y="5" width="4" height="14" {}
                        }
                    }
                }
                (scale(last, say))
            }
            figcaption {
                (say.of("thick: from the first to the last cell as it happened, with the half \
                         marked; thin line above: what the first plan wanted",
                        "dick: von der ersten bis zur letzten Zelle, wie es kam, mit der Hälfte \
                         als Strich; dünn darüber: was der erste Plan wollte"))
            }
        }
    }
}

/// How many tasks each team has under way on each day of a plan.
pub fn load(plan: &Plan, landscape: &Landscape, began: Timestamp, say: Say) -> Markup {
    let mut load: BTreeMap<&TeamId, BTreeMap<i64, i64>> = BTreeMap::new();
    for row in &plan.rows {
        let Some(team) = &row.team else { continue };
        let (from, to) = ((row.start - began).0 / 1440, (row.end - began).0 / 1440);
        for day in from..=to {
            *load.entry(team).or_default().entry(day).or_default() += 1;
        }
    }
    let last = load
        .values()
        .filter_map(|days| days.keys().last())
        .max()
        .copied()
        .unwrap_or(1);
    let last = (last + 1) as f64;
    let x = |day: f64| day / last * WIDTH;
    let name = |team: &TeamId| {
        landscape
            .team(team)
            .map_or(team.as_str(), |team| team.name.get(say.0))
            .to_owned()
    };
    let label = say.of(
        "The first plan, team by team",
        "Der erste Plan, Team für Team",
    );
    html! {
        figure {
            div.bars role="img" aria-label=(label) {
                @for (team, days) in &load {
                    @let most = days.values().max().copied().unwrap_or(1).max(1);
                    div.line {
                        span.name { (name(team)) }
                        svg.flat viewBox=(flat(22)) preserveAspectRatio="none" {
                            line.rule x1="0" x2=(px(WIDTH)) y1="21.5" y2="21.5" {}
                            @for (day, count) in days {
                                @let tall = 19.0 * (*count as f64) / (most as f64);
                                rect.load x=(px(x(*day as f64))) y=(px(21.0 - tall))
                                    height=(px(tall)) width=(px(x(1.0))) {}
                            }
                        }
                    }
                }
                (scale(last, say))
            }
            figcaption {
                (say.of("height: tasks under way on that day, each team by its own fullest day",
                        "Höhe: Schritte in Arbeit am Tag, jedes Team nach seinem vollsten Tag"))
            }
        }
    }
}

/// What each forecast said of the end, against the end as it came; and how all dates held.
pub fn forecasts(state: &State, hits: HitRate, say: Say) -> Markup {
    let Some(incident) = &state.incident else {
        return html! {};
    };
    let end = state
        .cells
        .values()
        .filter_map(|cell| cell.restored_at)
        .max();
    let Some(end) = end.map(|end| days(incident.began, end)) else {
        return html! {};
    };
    let said: Vec<(f64, [f64; 3])> = state
        .forecasts
        .iter()
        .filter_map(|forecast| whole(forecast, incident.began))
        .collect();
    let tallest = said.iter().map(|(_, days)| days[2]).fold(end, f64::max) * 1.05;
    let last = said
        .iter()
        .map(|(day, _)| *day)
        .fold(end, f64::max)
        .max(1.0);
    let x = |day: f64| day / last * WIDTH;
    let y = |day: f64| HEIGHT - day / tallest * HEIGHT;
    let line = |pick: usize| {
        let points = said
            .iter()
            .map(|(day, days)| format!("{},{}", px(x(*day)), px(y(days[pick]))));
        points.collect::<Vec<_>>().join(" ")
    };
    let label = say.of("Forecasts of the end", "Vorhersagen des Endes");
    html! {
        figure {
            svg viewBox=(CURVE) role="img" aria-label=(label) {
                @for day in ticks(tallest) {
                    line.rule x1="0" x2=(px(WIDTH)) y1=(px(y(day))) y2=(px(y(day))) {}
                    text.tick.side x="-8" y=(px(y(day) + 4.0)) text-anchor="end" { (day) }
                }
                (day_axis(last, HEIGHT + 36.0, &x, say))
                line.end x1="0" x2=(px(WIDTH)) y1=(px(y(end))) y2=(px(y(end))) {}
                polyline.p95 points=(line(2)) {}
                polyline.p80 points=(line(1)) {}
                polyline.p50 points=(line(0)) {}
            }
            figcaption {
                (say.of("Day on which the last cell was expected back, as said on each day: lowest \
                         line 50 %, middle 80 %, highest 95 %. Thick: the day it was.",
                        "Tag, an dem die letzte Zelle zurückerwartet wurde, wie an jedem Tag \
                         gesagt: unterste Linie 50 %, mittlere 80 %, oberste 95 %. Dick: der Tag, \
                         an dem es war."))
            }
        }
        (held(hits, say))
    }
}

fn whole(forecast: &Forecast, began: Timestamp) -> Option<(f64, [f64; 3])> {
    let range = forecast.whole?;
    let said = [range.p50, range.p80, range.p95].map(|at| days(began, at));
    Some((days(began, forecast.made_at), said))
}

fn held(hits: HitRate, say: Say) -> Markup {
    let rows = [
        (50, hits.held_p50),
        (80, hits.held_p80),
        (95, hits.held_p95),
    ];
    html! {
        table.numbers {
            thead { tr {
                th { (say.of("dates said to hold with", "Termine, genannt mit")) }
                th { (say.of("held", "gehalten")) } th { (say.of("of", "von")) }
                th { (say.of("share", "Anteil")) }
            } }
            tbody { @for (said, held) in rows { tr {
                th scope="row" { (said) " %" } td { (held) } td { (hits.given) }
                td { (per_cent(held, hits.given)) " %" }
            } } }
        }
    }
}

/// Date and minute, with the zone.
pub fn when(at: Timestamp) -> String {
    let text = (at + Minutes(0)).to_string();
    let minute: String = text
        .chars()
        .take(16)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect();
    format!("{minute} UTC")
}
