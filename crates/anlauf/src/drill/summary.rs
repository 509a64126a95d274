//! What a drill says at its end: one set of facts for the table, the JSON and the HTML report.
//!
//! In:    the played scene, the audit. Out: [`Summary`].
//! Never: a figure that was not measured in this drill.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anlauf_model::{Language, Minutes, Text, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::{HitRate, hit_rate, task_de, task_en};
use serde_json::{Value, json};

use super::audit::Audit;
use super::play::Scene;
use super::tally::{Closing, Restriction, Tally, restrictions, without_names};
use super::traffic::Book;

pub mod real;

/// How many kinds of refusal the table names.
const REFUSALS_SHOWN: usize = 8;

/// Facts of one drill.
pub struct Summary {
    /// Rows of two columns, in groups.
    pub groups: Vec<Group>,
    /// Restriction time by class of tenant.
    pub restrictions: Vec<Restriction>,
    /// When the services came back, by service: first, half, last day.
    pub services: Vec<ServiceReturn>,
    /// How the forecasts held.
    pub hits: HitRate,
    /// What must hold and does not.
    pub violations: Vec<String>,
    facts: Value,
}

/// Rows of two columns with a title.
pub struct Group {
    /// Title.
    pub title: &'static str,
    /// Name and value.
    pub rows: Vec<(String, String)>,
}

/// When one service came back over all its cells. Days since the incident began.
pub struct ServiceReturn {
    /// English and German name.
    pub name: Text,
    /// How many cells.
    pub cells: usize,
    /// First, half of them, last.
    pub days: [f64; 3],
    /// The same as the first plan wanted it.
    pub planned: Option<[f64; 3]>,
}

/// Says a thing in the drill's language: English, German.
#[derive(Clone, Copy)]
pub struct Say(pub Language);

impl Say {
    /// One of the two.
    pub const fn of(self, english: &'static str, german: &'static str) -> &'static str {
        match self.0 {
            Language::En => english,
            Language::De => german,
        }
    }

    fn row(self, english: &'static str, german: &'static str, value: impl ToString) -> Row {
        (self.of(english, german).to_owned(), value.to_string())
    }

    fn group(self, english: &'static str, german: &'static str, rows: Vec<Row>) -> Group {
        Group {
            title: self.of(english, german),
            rows,
        }
    }

    fn days(self, span: Minutes) -> String {
        format!("{:.1} {}", span.0 as f64 / 1440.0, self.of("days", "Tage"))
    }
}

type Row = (String, String);

impl Summary {
    /// Draws the facts together.
    pub fn new(scene: &Scene, audit: &Audit, wall: Duration) -> Self {
        let state = scene.control.read();
        let (tally, book, say) = (&scene.tally, &scene.traffic.book, Say(scene.language));
        let leaked = count(&book.leaked);
        let hits = hit_rate(&state);
        let mut violations = super::tally::violations(&state, tally, leaked);
        violations.extend(audit.violations.iter().cloned());
        violations.extend(scene.real.iter().flat_map(|real| real.violations()));
        let mut groups = vec![
            say.group("closing", "Schließen", closing(tally, say)),
            say.group(
                "requests through the gates",
                "Anfragen durch die Gates",
                requests(tally, book, say),
            ),
            say.group("releases", "Freigaben", releases(&state, tally, say)),
            say.group(
                "refused, and why",
                "Abgelehnt, und warum",
                refusals(&state, tally, say),
            ),
            say.group(
                "agreements and plans",
                "Absprachen und Pläne",
                agreements(&state, tally, say),
            ),
            say.group(
                "forecast against what happened",
                "Vorhersage gegen Verlauf",
                forecast(hits, say),
            ),
            say.group("ledger", "Register", ledger(audit, say)),
            say.group(
                "drill",
                "Übung",
                vec![
                    say.row(
                        "time of the story",
                        "Zeit der Geschichte",
                        say.days(span(&state)),
                    ),
                    say.row(
                        "wall time",
                        "Wanduhr",
                        format!("{:.1} s", wall.as_secs_f64()),
                    ),
                ],
            ),
        ];
        // What people got stands right after what the gates did.
        let people = scene.real.iter().flat_map(|real| real::groups(real, say));
        groups.splice(2..2, people);
        let facts = facts(scene, &state, audit, wall, &violations);
        Self {
            groups,
            restrictions: restrictions(&state),
            services: services(&state, tally),
            hits,
            violations,
            facts,
        }
    }

    /// The table for the terminal.
    pub fn to_text(&self, language: Language) -> String {
        let say = Say(language);
        let mut lines = Vec::new();
        for group in &self.groups {
            lines.push(String::new());
            lines.push(group.title.to_uppercase());
            lines.extend(group.rows.iter().map(|(name, value)| aligned(name, value)));
        }
        let title = say.of(
            "restriction time by tenant class",
            "Einschränkung je Größenklasse",
        );
        lines.push(String::new());
        lines.push(title.to_uppercase());
        lines.push(aligned(
            "",
            say.of("half / 9 of 10 / last", "Hälfte / 9 von 10 / letzte"),
        ));
        for class in &self.restrictions {
            let days = |hours: i64| format!("{:.1}", hours as f64 / 24.0);
            let tenants = match class.tenants {
                1 => say.of("tenant", "Mandant"),
                _ => say.of("tenants", "Mandanten"),
            };
            let (half, most) = (days(class.median_hours), days(class.p90_hours));
            let last = days(class.max_hours);
            let unit = say.of("days", "Tage");
            lines.push(aligned(
                &format!("{} ({} {tenants})", class.size, class.tenants),
                &format!("{half} / {most} / {last} {unit}"),
            ));
        }
        lines.push(String::new());
        let verdict = match self.violations.is_empty() {
            true => say.of("every promise held", "jede Zusage gehalten"),
            false => say.of(
                "BROKEN PROMISES, see below",
                "VERLETZTE ZUSAGEN, siehe unten",
            ),
        };
        lines.push(verdict.to_owned());
        lines.join("\n")
    }

    /// The facts for programs.
    pub fn to_json(&self) -> &Value {
        &self.facts
    }
}

/// A name and its value in two columns.
fn aligned(name: &str, value: &str) -> String {
    /// Where the values begin; a longer name pushes its own.
    const COLUMN: usize = 62;
    let name: String = name.to_owned();
    let room = COLUMN.saturating_sub(name.chars().count()).max(1);
    format!("  {name}{}{value}", " ".repeat(room))
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

fn closing(tally: &Tally, say: Say) -> Vec<Row> {
    let words = |closing: &Option<Closing>| match closing {
        Some(c) => format!(
            "{} {}; {} {}, {} {}",
            c.cells,
            say.of("cells", "Zellen"),
            say.of("durable after", "dauerhaft nach"),
            millis(c.durable),
            say.of("every gate after", "jedes Gate nach"),
            millis(c.every_gate)
        ),
        None => say.of("none", "keine").to_owned(),
    };
    let cut = |closing: &Option<Closing>| {
        let cut = closing.map(|closing| closing.cut).unwrap_or_default();
        format!("{} / {} / {}", cut.running_cut, cut.kept_cut, cut.late)
    };
    vec![
        say.row("containment", "Eindämmung", words(&tally.contained)),
        say.row(
            "  running answers cut / kept connections cut / pieces after it",
            "  laufende Antworten / gehaltene Verbindungen getrennt / Stücke danach",
            cut(&tally.contained),
        ),
        say.row(
            "second attack",
            "zweiter Angriff",
            words(&tally.closed_again),
        ),
        say.row(
            "  running answers cut / kept connections cut / pieces after it",
            "  laufende Antworten / gehaltene Verbindungen getrennt / Stücke danach",
            cut(&tally.closed_again),
        ),
    ]
}

fn requests(tally: &Tally, book: &Book, say: Say) -> Vec<Row> {
    let of = |good: u64, all: u64| format!("{good} {} {all}", say.of("of", "von"));
    vec![
        say.row("asked", "gestellt", count(&book.asked)),
        say.row(
            "answered by a backend",
            "von einem Dienst beantwortet",
            count(&book.answered),
        ),
        say.row(
            "refused honestly by a gate",
            "vom Gate ehrlich abgelehnt",
            count(&book.refused),
        ),
        say.row(
            "cut, or in the middle of a change",
            "getrennt oder im Wechsel",
            count(&book.broken),
        ),
        say.row(
            "let through without a valid release",
            "ohne gültige Freigabe durchgelassen",
            count(&book.leaked),
        ),
        say.row(
            "every cell through every gate, before: answered",
            "jede Zelle durch jedes Gate, vorher: beantwortet",
            of(tally.normal.answered, tally.normal.asked),
        ),
        say.row(
            "every cell through every gate, contained: refused",
            "jede Zelle durch jedes Gate, eingedämmt: abgelehnt",
            of(tally.shut.refused, tally.shut.asked),
        ),
        say.row(
            "every cell through every gate, at the end: answered",
            "jede Zelle durch jedes Gate, am Ende: beantwortet",
            of(tally.back.answered, tally.back.asked),
        ),
        say.row(
            "testers let in by their pass",
            "Tester mit Ausweis eingelassen",
            of(tally.tests, tally.tests + tally.tests_failed),
        ),
    ]
}

fn releases(state: &State, tally: &Tally, say: Say) -> Vec<Row> {
    let recovery = state
        .releases
        .values()
        .filter(|case| case.release.plan.is_some())
        .count();
    vec![
        say.row(
            "signed statements carried out",
            "ausgeführte Freigaben",
            tally.released,
        ),
        say.row(
            "  drawn up in the recovery",
            "  im Wiederanlauf entworfen",
            recovery,
        ),
        say.row("signatures", "Unterschriften", tally.signatures),
        say.row(
            "tasks done / done again",
            "Schritte erledigt / wiederholt",
            format!("{} / {}", tally.tasks, tally.again),
        ),
        say.row(
            "acceptance tests failed",
            "Abnahmen nicht bestanden",
            tally.rejected,
        ),
    ]
}

fn refusals(state: &State, tally: &Tally, say: Say) -> Vec<Row> {
    let mut rows = Vec::new();
    for (gate, known) in &state.gates {
        let name = format!(
            "{} {gate}",
            say.of(
                "forged releases refused by",
                "gefälschte Freigaben, abgelehnt von"
            )
        );
        let of = say.of("of", "von");
        rows.push((
            name,
            format!("{} {of} {}", known.refused.len(), tally.forged),
        ));
    }
    let decisions = state.gates.values().flat_map(|gate| &gate.refused);
    let mut reasons: BTreeMap<&str, (String, u64)> = BTreeMap::new();
    for reason in decisions.flat_map(|(_, decision)| &decision.reasons) {
        let Some(code) = code_of(reason) else {
            continue;
        };
        let (_, count) = reasons
            .entry(code)
            .or_insert_with(|| (without_names(reason), 0));
        *count += 1;
    }
    rows.extend(
        reasons
            .into_values()
            .map(|(reason, count)| (format!("  {reason}"), count.to_string())),
    );
    let of = say.of("of", "von");
    rows.push(say.row(
        "orders too early, unsigned, or for another's cells",
        "Aufträge zu früh, ohne Unterschrift oder für fremde Zellen",
        format!(
            "{} {of} {}",
            tally.attempts - tally.attempts_accepted,
            tally.attempts
        ),
    ));
    let mut refused: Vec<_> = tally.refusals.iter().collect();
    refused.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (reason, count) in refused.into_iter().take(REFUSALS_SHOWN) {
        let name = format!(
            "{}: {reason}",
            say.of("by the control plane", "von der Leitstelle")
        );
        rows.push((name, count.to_string()));
    }
    rows
}

/// The code at the end of a reason: `… (AN-TRU-029)`.
fn code_of(reason: &str) -> Option<&str> {
    let (_, code) = reason.rsplit_once('(')?;
    code.strip_suffix(')')
        .filter(|code| code.starts_with("AN-"))
}

fn agreements(state: &State, tally: &Tally, say: Say) -> Vec<Row> {
    let gap = state.plans.first().map_or(0, |plan| plan.gap_per_mille);
    let missed: u64 = tally.slots_missed.values().sum();
    let mut rows = vec![say.row(
        "windows agreed / declined / missed",
        "Fenster vereinbart / abgelehnt / verpasst",
        format!(
            "{} / {} / {missed}",
            tally.slots_agreed, tally.slots_declined
        ),
    )];
    for (step, count) in &tally.slots_missed {
        let (still, step) = match say.0 {
            Language::En => ("missed, because still at work on", task_en(*step)),
            Language::De => ("verpasst, weil noch in Arbeit:", task_de(*step)),
        };
        rows.push((format!("  {still} {step}"), count.to_string()));
    }
    rows.extend([
        say.row("plans put in force", "Pläne in Kraft gesetzt", tally.plans),
        say.row(
            "first plan, from the best possible at most",
            "erster Plan, höchstens über dem Optimum",
            format!("{:.1} %", gap as f64 / 10.0),
        ),
    ]);
    rows
}

/// A share in whole per cent, to the nearest; but 100 only when all are meant, 0 when none is.
pub fn per_cent(part: u32, whole: u32) -> u64 {
    let (part, whole) = (u64::from(part), u64::from(whole.max(1)));
    let nearest = (part * 200 + whole) / (whole * 2);
    match part {
        0 => 0,
        part if part >= whole => 100,
        _ => nearest.clamp(1, 99),
    }
}

fn forecast(hits: HitRate, say: Say) -> Vec<Row> {
    let share = |held: u32| match hits.given {
        0 => say.of("none given", "keine genannt").to_owned(),
        given => {
            let of = say.of("of", "von");
            format!("{held} {of} {given} ({} %)", per_cent(held, given))
        }
    };
    vec![
        say.row(
            "dates given with 50 % that held",
            "mit 50 % genannte Termine, gehalten",
            share(hits.held_p50),
        ),
        say.row(
            "dates given with 80 % that held",
            "mit 80 % genannte Termine, gehalten",
            share(hits.held_p80),
        ),
        say.row(
            "dates given with 95 % that held",
            "mit 95 % genannte Termine, gehalten",
            share(hits.held_p95),
        ),
    ]
}

fn ledger(audit: &Audit, say: Say) -> Vec<Row> {
    vec![
        say.row("entries", "Einträge", audit.size),
        say.row(
            "on disk",
            "auf der Platte",
            format!("{:.1} MiB", audit.bytes as f64 / 1_048_576.0),
        ),
        say.row("root", "Wurzel", audit.root),
        say.row(
            "verified from the bodies in",
            "aus den Inhalten geprüft in",
            millis(audit.verified_in),
        ),
        say.row(
            "state rebuilt from it in",
            "Zustand daraus aufgebaut in",
            millis(audit.rebuilt_in),
        ),
        say.row(
            "releases whose quorum was verified again",
            "Freigaben, deren Quorum nachgeprüft ist",
            audit.releases,
        ),
        say.row(
            "cells that every gate has exactly as signed",
            "Zellen, die jedes Gate wie unterschrieben hat",
            audit.in_force,
        ),
    ]
}

/// The facts for programs: benchmarks, tests, other pages.
fn facts(
    scene: &Scene,
    state: &State,
    audit: &Audit,
    wall: Duration,
    violations: &[String],
) -> Value {
    let (tally, book) = (&scene.tally, &scene.traffic.book);
    let closing = |closing: &Option<Closing>| {
        closing.map(|c| {
            json!({
                "asked": c.asked,
                "cells": c.cells,
                "durable_ms": ms(c.durable),
                "every_gate_ms": ms(c.every_gate),
                "cut": c.cut,
            })
        })
    };
    json!({
        "domain": super::ceremony::domain(&scene.landscape),
        "seed": scene.story.seed,
        "cells": scene.landscape.cells().len(),
        "tenants": scene.landscape.declared().tenants.len(),
        "wall_ms": ms(wall),
        "story_minutes": span(state).0,
        "containment": closing(&tally.contained),
        "second_attack": closing(&tally.closed_again),
        "requests": {
            "asked": count(&book.asked),
            "answered": count(&book.answered),
            "refused": count(&book.refused),
            "broken": count(&book.broken),
            "without_release": count(&book.leaked),
            "before": tally.normal,
            "contained": tally.shut,
            "end": tally.back,
            "testers": tally.tests,
        },
        "releases": tally.released,
        "signatures": tally.signatures,
        "tasks": tally.tasks,
        "slots": {
            "agreed": tally.slots_agreed,
            "declined": tally.slots_declined,
            "missed": tally.slots_missed,
        },
        "acceptance_failed": tally.rejected,
        "plans": tally.plans,
        "forged": tally.forged,
        "attempts": { "made": tally.attempts, "accepted": tally.attempts_accepted },
        "refused_by_gate": state.gates.iter().map(|(gate, known)| {
            (gate.to_string(), known.refused.len())
        }).collect::<BTreeMap<_, _>>(),
        "refused_by_control": tally.refusals,
        "forecast": hit_rate(state),
        "restriction": restrictions(state),
        "ledger": {
            "entries": audit.size,
            "root": audit.root,
            "bytes": audit.bytes,
            "verified_ms": ms(audit.verified_in),
            "rebuilt_ms": ms(audit.rebuilt_in),
            "releases_verified": audit.releases,
            "cells_as_signed": audit.in_force,
        },
        "opened": opened(state),
        "services": scene.real.as_ref().map(real::facts),
        "violations": violations,
    })
}

/// Every cell with the minute of the story at which it was first open again.
fn opened(state: &State) -> BTreeMap<String, i64> {
    let Some(incident) = &state.incident else {
        return BTreeMap::new();
    };
    let first = |cell: &anlauf_recovery::state::CellState| {
        let gaps = cell.gaps.iter().filter(|gap| gap.from >= incident.began);
        gaps.filter_map(|gap| gap.to).next()
    };
    let cells = state.cells.iter();
    cells
        .filter_map(|(id, cell)| Some((id.to_string(), (first(cell)? - incident.began).0)))
        .collect()
}

/// When each service came back, and when the first plan wanted it back.
fn services(state: &State, tally: &Tally) -> Vec<ServiceReturn> {
    let (Some(landscape), Some(incident)) = (&state.landscape, &state.incident) else {
        return Vec::new();
    };
    let wanted = tally
        .first_plan
        .as_ref()
        .map(|plan| plan.releases())
        .unwrap_or_default();
    let services = landscape.declared().services.iter();
    let mut rows: Vec<ServiceReturn> = services
        .filter_map(|service| {
            let cells = landscape.cells_of_service(&service.id);
            let back = cells
                .iter()
                .filter_map(|id| state.cells.get(id)?.gaps.last()?.to);
            let planned = cells.iter().filter_map(|id| wanted.get(id).copied());
            Some(ServiceReturn {
                name: service.name.clone(),
                cells: cells.len(),
                days: quantiles(incident.began, back)?,
                planned: quantiles(incident.began, planned),
            })
        })
        .collect();
    rows.sort_by(|a, b| a.days[1].total_cmp(&b.days[1]));
    rows
}

/// First, half, last; in days since the incident began.
fn quantiles(began: Timestamp, times: impl Iterator<Item = Timestamp>) -> Option<[f64; 3]> {
    let mut days: Vec<f64> = times.map(|at| (at - began).0 as f64 / 1440.0).collect();
    days.sort_by(f64::total_cmp);
    Some([*days.first()?, days[days.len() / 2], *days.last()?])
}

fn span(state: &State) -> Minutes {
    let incident = state.incident.as_ref();
    incident.map_or(Minutes(0), |i| i.ended.unwrap_or(state.at) - i.began)
}

fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}

fn millis(span: Duration) -> String {
    format!("{:.1} ms", ms(span))
}
