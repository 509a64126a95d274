//! The report of a drill: one HTML file that opens in a browser, prints, and needs nothing else.
//!
//! In:    [`Summary`], tally, state. Out: HTML text. Never: a script, an outside address.

use anlauf_model::Language;
use anlauf_recovery::State;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::chart::when;
use super::real::Real;
use super::summary::{Say, ServiceReturn, Summary};
use super::tally::Tally;

mod chart;
mod people;

const STYLE: &str = include_str!("report.css");

/// What the report is about.
pub struct Told<'a> {
    /// The last state.
    pub state: &'a State,
    /// What was counted.
    pub tally: &'a Tally,
    /// What is said of it.
    pub summary: &'a Summary,
    /// The services that were real, if any.
    pub real: Option<&'a Real>,
}

/// Renders the report.
pub fn report(told: &Told<'_>, language: Language) -> String {
    let Told {
        state,
        tally,
        summary,
        real,
    } = *told;
    let say = Say(language);
    let incident = state.incident.as_ref();
    let title = incident.map_or("", |i| i.title.get(language));
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (say.of("Drill report", "Übungsbericht")) " – " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.drill { (say.of("DRILL – no real incident", "ÜBUNG – keine wirkliche Störung")) }
                main {
                    h1 { (title) }
                    @if let Some(incident) = incident {
                        p.lead {
                            (when(incident.began)) " – "
                            (incident.ended.map(when).unwrap_or_default())
                        }
                    }
                    (verdict(summary, real, say))
                    (people::people(state, real, say))
                    h2 { (say.of("Two progress numbers", "Zwei Fortschrittszahlen")) }
                    (chart::progress(&tally.curve, say))
                    h2 { (say.of("When each service came back", "Wann welcher Dienst wiederkam")) }
                    (chart::services(&summary.services, say))
                    (services(&summary.services, say))
                    (plan(state, tally, say))
                    h2 { (say.of("Forecast against what happened", "Vorhersage gegen Verlauf")) }
                    (chart::forecasts(state, summary.hits, say))
                    (restrictions(summary, say))
                    @for group in &summary.groups { (facts(group)) }
                    (plans(state, say))
                    (notices(state, say))
                }
            }
        }
    };
    markup.into_string()
}

fn verdict(summary: &Summary, real: Option<&Real>, say: Say) -> Markup {
    html! {
        @if summary.violations.is_empty() {
            p.verdict.held {
                "✓ "
                (say.of("Every promise held: nothing was let through without a valid release, the \
                         order is right, every gate stands as signed, the ledger proves it.",
                        "Alle Zusagen gehalten: nichts wurde ohne gültige Freigabe \
                         durchgelassen, die Reihenfolge stimmt, jedes Gate steht wie \
                         unterschrieben, das Register beweist es."))
                @if real.is_some() {
                    " "
                    (say.of("Nothing that was accepted from people is lost, and what was harmed is \
                             whole again.",
                            "Nichts, was von Leuten angenommen wurde, ist verloren, und was \
                             beschädigt wurde, ist wieder unversehrt."))
                }
            }
        } @else {
            div.verdict.broken {
                p { "✗ " (say.of("Broken promises:", "Verletzte Zusagen:")) }
                ul { @for violation in &summary.violations { li { (violation) } } }
            }
        }
    }
}

fn facts(group: &super::summary::Group) -> Markup {
    html! {
        section {
            h2 { (group.title) }
            table { tbody { @for (key, value) in &group.rows {
                tr { th scope="row" { (key) } td { (value) } }
            } } }
        }
    }
}

/// The first plan on its time axis.
fn plan(state: &State, tally: &Tally, say: Say) -> Markup {
    let began = state.incident.as_ref().map(|incident| incident.began);
    let parts = (&tally.first_plan, &state.landscape, began);
    html! {
        @if let (Some(plan), Some(landscape), Some(began)) = parts {
            h2 { (say.of("The first plan, team by team", "Der erste Plan, Team für Team")) }
            (chart::load(plan, landscape, began, say))
        }
    }
}

/// The chart of the services as a table.
fn services(rows: &[ServiceReturn], say: Say) -> Markup {
    html! {
        details {
            summary { (say.of("as a table", "als Tabelle")) }
            table.numbers {
                thead { tr {
                    th { (say.of("service", "Dienst")) } th { (say.of("cells", "Zellen")) }
                    th { (say.of("first, day", "erste, Tag")) } th { (say.of("half", "Hälfte")) }
                    th { (say.of("last", "letzte")) }
                    th { (say.of("last, as first planned", "letzte, im ersten Plan")) }
                } }
                tbody { @for row in rows { tr {
                    th scope="row" { (row.name.get(say.0)) }
                    td { (row.cells) }
                    @for day in row.days { td { (format!("{day:.1}")) } }
                    td { (row.planned.map(|days| format!("{:.1}", days[2])).unwrap_or_default()) }
                } } }
            }
        }
    }
}

fn restrictions(summary: &Summary, say: Say) -> Markup {
    let days = |hours: i64| format!("{:.1}", hours as f64 / 24.0);
    let most = summary
        .restrictions
        .iter()
        .map(|class| class.max_hours)
        .max()
        .unwrap_or(1)
        .max(1);
    let share = |hours: i64| format!("{:.1}", hours as f64 / most as f64 * 200.0);
    html! {
        section {
            h2 { (say.of("Restriction by tenant class (days per service)",
                         "Einschränkung je Größenklasse (Tage je Dienst)")) }
            table.numbers {
                thead { tr {
                    th { (say.of("class", "Klasse")) } th { (say.of("tenants", "Mandanten")) }
                    th { (say.of("half", "Hälfte")) } th { (say.of("9 of 10", "9 von 10")) }
                    th { (say.of("last", "letzte")) } th.bar {}
                } }
                tbody { @for class in &summary.restrictions { tr {
                    th scope="row" { (class.size) } td { (class.tenants) }
                    td { (days(class.median_hours)) } td { (days(class.p90_hours)) }
                    td { (days(class.max_hours)) }
                    td.bar {
                        svg viewBox="0 0 200 14" aria-hidden="true" {
                            rect.span x="0" y="3" height="8" width=(share(class.max_hours)) {}
                            rect.half x=(share(class.median_hours)) y="0" width="2" height="14" {}
                        }
                    }
                } } }
            }
        }
    }
}

fn plans(state: &State, say: Say) -> Markup {
    html! {
        section {
            h2 { (say.of("Plans", "Pläne")) }
            table {
                thead { tr {
                    th { (say.of("plan", "Plan")) } th { (say.of("in force from", "gilt ab")) }
                    th { (say.of("from the optimum at most", "höchstens über dem Optimum")) }
                    th { (say.of("why", "warum")) }
                } }
                tbody { @for plan in &state.plans { tr {
                    th scope="row" { (plan.id.short()) } td { (when(plan.adopted_at)) }
                    td { (format!("{:.1} %", plan.gap_per_mille as f64 / 10.0)) }
                    td.text { (plan.reason) }
                } } }
            }
        }
    }
}

fn notices(state: &State, say: Say) -> Markup {
    html! {
        section {
            h2 { (say.of("What the public was told", "Was die Öffentlichkeit hörte")) }
            @for notice in &state.notices {
                @for version in &notice.versions {
                    article {
                        h3 { (say.of("as of", "Stand")) " " (when(version.at)) }
                        p { (version.text.get(say.0)) }
                        p.small {
                            (say.of("next word", "nächste Mitteilung")) ": "
                            (when(version.next_word_at))
                        }
                    }
                }
            }
        }
    }
}
