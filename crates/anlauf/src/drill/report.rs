//! The report of a drill: one HTML file that opens in a browser, prints, and needs nothing else.
//!
//! In:    [`Summary`], tally, state. Out: HTML text. Never: a script, an outside address.

use anlauf_model::Language;
use anlauf_recovery::State;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::summary::{ServiceReturn, Summary};
use super::tally::Tally;

const STYLE: &str = include_str!("report.css");

/// Renders the report.
pub fn report(state: &State, tally: &Tally, summary: &Summary, language: Language) -> String {
    let de = language == Language::De;
    let say = |german: &'static str, english: &'static str| if de { german } else { english };
    let incident = state.incident.as_ref();
    let title = incident.map_or("", |i| i.title.get(language));
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (say("Übungsbericht", "Drill report")) " – " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.drill { (say("ÜBUNG – keine wirkliche Störung", "DRILL – no real incident")) }
                main {
                    h1 { (title) }
                    @if let Some(incident) = incident {
                        p.lead {
                            (incident.began) " – "
                            (incident.ended.map(|at| at.to_string()).unwrap_or_default())
                        }
                    }
                    (verdict(summary, &say))
                    h2 { (say("Zwei Fortschrittszahlen", "Two progress numbers")) }
                    (curve(tally, &say))
                    h2 { (say("Wann welcher Dienst wiederkam", "When each service came back")) }
                    (services(&summary.services, language, &say))
                    @for group in &summary.groups {
                        section {
                            h2 { (group.title) }
                            table { tbody { @for (key, value) in &group.rows {
                                tr { th scope="row" { (key) } td { (value) } }
                            } } }
                        }
                    }
                    (restrictions(summary, &say))
                    (plans(state, &say))
                    (notices(state, language, &say))
                }
            }
        }
    };
    markup.into_string()
}

type Say<'a> = &'a dyn Fn(&'static str, &'static str) -> &'static str;

fn verdict(summary: &Summary, say: Say<'_>) -> Markup {
    html! {
        @if summary.violations.is_empty() {
            p.verdict.held {
                "✓ "
                (say("Alle Zusagen gehalten: nichts wurde ohne gültige Freigabe durchgelassen, \
                      die Reihenfolge stimmt, jedes Gate steht wie gewollt.",
                     "Every promise held: nothing was let through without a valid release, the \
                      order is right, every gate stands as wanted."))
            }
        } @else {
            div.verdict.broken {
                p { "✗ " (say("Verletzte Zusagen:", "Broken promises:")) }
                ul { @for violation in &summary.violations { li { (violation) } } }
            }
        }
    }
}

/// Both numbers over time.
fn curve(tally: &Tally, say: Say<'_>) -> Markup {
    const WIDTH: f64 = 900.0;
    const HEIGHT: f64 = 220.0;
    let (Some((first, _)), Some((last, _))) = (tally.curve.first(), tally.curve.last()) else {
        return html! {};
    };
    let span = ((*last - *first).0 as f64).max(1.0);
    let x = |at: &anlauf_model::Timestamp| (*at - *first).0 as f64 / span * WIDTH;
    let y = |per_mille: u32| HEIGHT - f64::from(per_mille) / 1000.0 * HEIGHT;
    let line = |pick: fn(&anlauf_recovery::query::Progress) -> u32| {
        let points = tally
            .curve
            .iter()
            .map(|(at, p)| format!("{:.1},{:.1}", x(at), y(pick(p))));
        points.collect::<Vec<_>>().join(" ")
    };
    let days = (span / 1440.0).ceil() as i64;
    html! {
        figure {
            svg viewBox="-40 -10 960 270" role="img"
                aria-label=(say("Verlauf der beiden Fortschrittszahlen", "Course of both progress numbers")) {
                @for per_cent in [0u32, 25, 50, 75, 100] {
                    line.rule x1="0" x2="900" y1=(y(per_cent * 10)) y2=(y(per_cent * 10)) {}
                    text.tick x="-6" y=(y(per_cent * 10) + 4.0) text-anchor="end" { (per_cent) " %" }
                }
                @for day in (0..=days).step_by((days / 10).max(1) as usize) {
                    text.tick x=(day as f64 * 1440.0 / span * WIDTH) y="240" text-anchor="middle" {
                        (say("Tag", "day")) " " (day)
                    }
                }
                polyline.systems points=(line(|p| p.systems_restored_per_mille)) {}
                polyline.services points=(line(|p| p.services_released_per_mille)) {}
            }
            figcaption {
                span.key.systems { "━ " (say("Systeme wiederhergestellt", "systems restored")) }
                " "
                span.key.services { "┅ " (say("Dienste freigegeben, nach Versicherten gewichtet",
                    "services released, weighted by insured people")) }
            }
        }
    }
}

/// A bar per service from its first to its last return, with half of them marked; also as a table.
fn services(rows: &[ServiceReturn], language: Language, say: Say<'_>) -> Markup {
    let last = rows.iter().map(|row| row.days[2]).fold(1.0, f64::max);
    let x = |day: f64| 260.0 + day / last * 620.0;
    let height = rows.len() * 22 + 30;
    html! {
        figure {
            svg viewBox=(format!("0 0 900 {height}")) role="img"
                aria-label=(say("Rückkehr je Dienst", "Return per service")) {
                @for (index, row) in rows.iter().enumerate() {
                    @let y = index * 22 + 16;
                    text.name x="250" y=(y + 4) text-anchor="end" { (row.name.get(language)) }
                    rect.span x=(x(row.days[0])) y=(y as f64 - 5.0)
                        width=((x(row.days[2]) - x(row.days[0])).max(2.0)) height="10" rx="3" {}
                    rect.half x=(x(row.days[1]) - 1.5) y=(y as f64 - 8.0) width="3" height="16" {}
                }
            }
        }
        details {
            summary { (say("als Tabelle", "as a table")) }
            table {
                thead { tr {
                    th { (say("Dienst", "service")) } th { (say("Zellen", "cells")) }
                    th { (say("erste, Tag", "first, day")) } th { (say("Hälfte", "half")) }
                    th { (say("letzte", "last")) }
                } }
                tbody { @for row in rows { tr {
                    th scope="row" { (row.name.get(language)) }
                    td { (row.cells) }
                    @for day in row.days { td { (format!("{day:.1}")) } }
                } } }
            }
        }
    }
}

fn restrictions(summary: &Summary, say: Say<'_>) -> Markup {
    let days = |hours: i64| format!("{:.1}", hours as f64 / 24.0);
    html! {
        section {
            h2 { (say("Einschränkung je Größenklasse (Tage je Dienst)",
                      "Restriction by tenant class (days per service)")) }
            table {
                thead { tr {
                    th { (say("Klasse", "class")) } th { (say("Mandanten", "tenants")) }
                    th { (say("Hälfte", "half")) } th { (say("9 von 10", "9 of 10")) }
                    th { (say("letzte", "last")) }
                } }
                tbody { @for class in &summary.restrictions { tr {
                    th scope="row" { (class.size) } td { (class.tenants) }
                    td { (days(class.median_hours)) } td { (days(class.p90_hours)) }
                    td { (days(class.max_hours)) }
                } } }
            }
        }
    }
}

fn plans(state: &State, say: Say<'_>) -> Markup {
    html! {
        section {
            h2 { (say("Pläne", "Plans")) }
            table {
                thead { tr {
                    th { (say("Plan", "plan")) } th { (say("gilt ab", "in force from")) }
                    th { (say("höchstens über dem Optimum", "from the optimum at most")) }
                    th { (say("warum", "why")) }
                } }
                tbody { @for plan in &state.plans { tr {
                    th scope="row" { (plan.id.short()) } td { (plan.adopted_at) }
                    td { (format!("{:.1} %", plan.gap_per_mille as f64 / 10.0)) }
                    td.text { (plan.reason) }
                } } }
            }
        }
    }
}

fn notices(state: &State, language: Language, say: Say<'_>) -> Markup {
    html! {
        section {
            h2 { (say("Was die Öffentlichkeit hörte", "What the public was told")) }
            @for notice in &state.notices {
                @for version in &notice.versions {
                    article {
                        h3 { (say("Stand", "as of")) " " (version.at) }
                        p { (version.text.get(language)) }
                        p.small { (say("Nächste Nachricht", "next word")) ": " (version.next_word_at) }
                    }
                }
            }
        }
    }
}
