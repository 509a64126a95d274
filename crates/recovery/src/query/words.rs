//! One event in one sentence, in German and English.
//!
//! In:    an event. Out: a sentence. Never: a name of another tenant than the event's own.

use std::collections::BTreeSet;

use anlauf_model::{CellId, Language, Stage, TaskKind, Verdict};

use crate::command::TaskRef;
use crate::event::Event;

/// One event in one sentence.
pub fn in_words(event: &Event, language: Language) -> String {
    match language {
        Language::De => german(event),
        Language::En => english(event),
    }
}

/// The first cells by name, the rest as a number.
fn list<'a>(cells: impl IntoIterator<Item = &'a CellId>, and_more: &str) -> String {
    const NAMED_MAX: usize = 3;
    let cells: Vec<_> = cells.into_iter().collect();
    let named: Vec<_> = cells
        .iter()
        .take(NAMED_MAX)
        .map(|cell| cell.to_string())
        .collect();
    match cells.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!(
            "{} {}",
            named.join(", "),
            and_more.replace("{}", &more.to_string())
        ),
    }
}

const MORE_DE: &str = "und {} weitere";
const MORE_EN: &str = "and {} more";

/// The kinds of work in a list of tasks, each once.
fn kinds(tasks: &[TaskRef], word: fn(TaskKind) -> &'static str) -> String {
    let kinds: BTreeSet<_> = tasks.iter().map(|task| task.task).collect();
    kinds.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `1 Zelle`, `2 Zellen`.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn task_de(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Evidence => "Beweissicherung",
        TaskKind::Rebuild => "Neuaufbau",
        TaskKind::Scan => "Suche nach Spuren",
        TaskKind::Credentials => "Wechsel der Zugangsdaten",
        TaskKind::FunctionTest => "Funktionstest",
        TaskKind::Acceptance => "Abnahme",
        TaskKind::Decision => "Freigabeentscheidung",
    }
}

fn task_en(task: TaskKind) -> &'static str {
    match task {
        TaskKind::FunctionTest => "function test",
        other => other.word(),
    }
}

fn stage_de(stage: Stage) -> &'static str {
    match stage {
        Stage::Closed => "geschlossen",
        Stage::CleanRoom => "Testnetz",
        Stage::Pilot => "Pilot",
        Stage::Basic => "Grundbetrieb",
        Stage::Full => "Vollbetrieb",
    }
}

fn stage_en(stage: Stage) -> &'static str {
    match stage {
        Stage::CleanRoom => "clean room",
        other => other.word(),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "a table: one line per event, nothing to follow"
)]
fn german(event: &Event) -> String {
    let cells = |cells: &[CellId]| list(cells, MORE_DE);
    match event {
        Event::LandscapeAdopted { landscape } => {
            format!("Systemlandschaft „{}“ übernommen", landscape.title.de)
        }
        Event::RootAdopted { version, .. } => format!("Wurzeldokument Version {version} gilt"),
        Event::PolicyAdopted { version, .. } => format!("Freigaberegeln Version {version} gelten"),
        Event::IncidentDeclared { title } => format!("Vorfall ausgerufen: {}", title.de),
        Event::IncidentNarrowed { sites } => {
            let sites: Vec<_> = sites.iter().map(ToString::to_string).collect();
            format!("Vorfall eingegrenzt auf {}", sites.join(", "))
        }
        Event::SiteHeld { site, until } => format!("{site} für die Forensik gesperrt bis {until}"),
        Event::IncidentEnded => "Vorfall beendet".into(),
        Event::CloseOrdered { .. } => "Schließung angeordnet".into(),
        Event::CellsClosed { cells: c, .. } => format!("Geschlossen: {}", cells(c)),
        Event::TasksStarted { tasks } => {
            format!(
                "Arbeit begonnen ({}): {}",
                kinds(tasks, task_de),
                list(tasks.iter().map(|t| &t.cell), MORE_DE)
            )
        }
        Event::TasksFinished { tasks } => {
            format!(
                "Arbeit fertig ({}): {}",
                kinds(tasks, task_de),
                list(tasks.iter().map(|t| &t.cell), MORE_DE)
            )
        }
        Event::TasksFailed { tasks } => {
            format!(
                "Arbeit muss wiederholt werden: {}",
                list(tasks.iter().map(|t| &t.cell), MORE_DE)
            )
        }
        Event::FindingsAdded { findings } => {
            let failed = findings
                .iter()
                .filter(|f| f.verdict == Verdict::Fail)
                .count();
            let of = list(findings.iter().filter_map(|f| f.cell.as_ref()), MORE_DE);
            let of = if of.is_empty() {
                "den ganzen Vorfall".into()
            } else {
                of
            };
            match failed {
                0 => format!(
                    "{} ohne Beanstandung für {of}",
                    count(findings.len(), "Befund", "Befunde")
                ),
                n => format!(
                    "{} für {of}, davon {n} mit Beanstandung",
                    count(findings.len(), "Befund", "Befunde")
                ),
            }
        }
        Event::FindingWithdrawn { finding } => format!("Befund {finding} zurückgezogen"),
        Event::PlanProposed { plan } => format!("Plan {} vorgeschlagen", plan.id.short()),
        Event::PlanAdopted { plan } => format!("Plan {} gilt", plan.short()),
        Event::ForecastPublished { forecast } => {
            format!(
                "Vorhersage für {} veröffentlicht",
                count(forecast.cells.len(), "Zelle", "Zellen")
            )
        }
        Event::WishStated { tenant, order } => {
            format!(
                "{tenant} wünscht eine Reihenfolge für {}",
                count(order.len(), "Zelle", "Zellen")
            )
        }
        Event::SlotsOffered { slots } => {
            format!(
                "Termin angeboten: {}",
                list(slots.iter().map(|s| &s.cell), MORE_DE)
            )
        }
        Event::SlotsAgreed { cells: c } => format!("Termin vereinbart: {}", cells(c)),
        Event::SlotsDeclined { cells: c } => format!("Termin abgelehnt: {}", cells(c)),
        Event::SlotsMissed { cells: c } => format!("Termin verpasst: {}", cells(c)),
        Event::CellsAccepted {
            cells: c,
            passed: true,
        } => format!("Abgenommen: {}", cells(c)),
        Event::CellsAccepted {
            cells: c,
            passed: false,
        } => {
            format!("Nicht abgenommen: {}", cells(c))
        }
        Event::ReleaseProposed { release, .. } => {
            format!("Freigabe {} zur Unterschrift", release.short())
        }
        Event::SignatureAdded { release, .. } => {
            format!("Freigabe {} unterschrieben", release.short())
        }
        Event::ReleaseDropped { release, .. } => format!("Freigabe {} verworfen", release.short()),
        Event::CellsReleased {
            stage, cells: c, ..
        } => {
            format!(
                "Freigegeben ({}): {}",
                stage_de(*stage),
                list(c.iter().map(|(cell, _)| cell), MORE_DE)
            )
        }
        Event::GapCaughtUp { cells: c } => format!("Rückstand aufgearbeitet: {}", cells(c)),
        Event::GateReported {
            gate,
            decisions,
            changed,
            ..
        } => {
            let refused = decisions.iter().filter(|d| !d.accepted).count();
            format!(
                "Gate {gate}: {} geändert, {refused} abgewiesen",
                count(changed.len(), "Zelle", "Zellen")
            )
        }
        Event::NoticePublished { notice, .. } => format!("Mitteilung {notice} veröffentlicht"),
        Event::NoticeRevised { notice, .. } => format!("Mitteilung {notice} berichtigt"),
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "a table: one line per event, nothing to follow"
)]
fn english(event: &Event) -> String {
    let cells = |cells: &[CellId]| list(cells, MORE_EN);
    match event {
        Event::LandscapeAdopted { landscape } => {
            format!("landscape “{}” adopted", landscape.title.en)
        }
        Event::RootAdopted { version, .. } => format!("root document version {version} in force"),
        Event::PolicyAdopted { version, .. } => format!("policy version {version} in force"),
        Event::IncidentDeclared { title } => format!("incident declared: {}", title.en),
        Event::IncidentNarrowed { sites } => {
            let sites: Vec<_> = sites.iter().map(ToString::to_string).collect();
            format!("incident narrowed to {}", sites.join(", "))
        }
        Event::SiteHeld { site, until } => format!("{site} held for forensics until {until}"),
        Event::IncidentEnded => "incident ended".into(),
        Event::CloseOrdered { .. } => "close ordered".into(),
        Event::CellsClosed { cells: c, .. } => format!("closed: {}", cells(c)),
        Event::TasksStarted { tasks } => {
            format!(
                "work begun ({}): {}",
                kinds(tasks, task_en),
                list(tasks.iter().map(|t| &t.cell), MORE_EN)
            )
        }
        Event::TasksFinished { tasks } => {
            format!(
                "work done ({}): {}",
                kinds(tasks, task_en),
                list(tasks.iter().map(|t| &t.cell), MORE_EN)
            )
        }
        Event::TasksFailed { tasks } => {
            format!(
                "work to be done again: {}",
                list(tasks.iter().map(|t| &t.cell), MORE_EN)
            )
        }
        Event::FindingsAdded { findings } => {
            let failed = findings
                .iter()
                .filter(|f| f.verdict == Verdict::Fail)
                .count();
            let of = list(findings.iter().filter_map(|f| f.cell.as_ref()), MORE_EN);
            let of = if of.is_empty() {
                "the whole incident".into()
            } else {
                of
            };
            match failed {
                0 => format!(
                    "{} for {of}",
                    count(findings.len(), "clear finding", "clear findings")
                ),
                n => format!(
                    "{} for {of}, {n} of them not clear",
                    count(findings.len(), "finding", "findings")
                ),
            }
        }
        Event::FindingWithdrawn { finding } => format!("finding {finding} withdrawn"),
        Event::PlanProposed { plan } => format!("plan {} proposed", plan.id.short()),
        Event::PlanAdopted { plan } => format!("plan {} in force", plan.short()),
        Event::ForecastPublished { forecast } => {
            format!(
                "forecast published for {}",
                count(forecast.cells.len(), "cell", "cells")
            )
        }
        Event::WishStated { tenant, order } => {
            format!(
                "{tenant} wishes an order for {}",
                count(order.len(), "cell", "cells")
            )
        }
        Event::SlotsOffered { slots } => {
            format!(
                "slot offered: {}",
                list(slots.iter().map(|s| &s.cell), MORE_EN)
            )
        }
        Event::SlotsAgreed { cells: c } => format!("slot agreed: {}", cells(c)),
        Event::SlotsDeclined { cells: c } => format!("slot declined: {}", cells(c)),
        Event::SlotsMissed { cells: c } => format!("slot missed: {}", cells(c)),
        Event::CellsAccepted {
            cells: c,
            passed: true,
        } => format!("accepted: {}", cells(c)),
        Event::CellsAccepted {
            cells: c,
            passed: false,
        } => format!("not accepted: {}", cells(c)),
        Event::ReleaseProposed { release, .. } => {
            format!("release {} up for signature", release.short())
        }
        Event::SignatureAdded { release, .. } => format!("release {} signed", release.short()),
        Event::ReleaseDropped { release, .. } => format!("release {} dropped", release.short()),
        Event::CellsReleased {
            stage, cells: c, ..
        } => {
            format!(
                "released ({}): {}",
                stage_en(*stage),
                list(c.iter().map(|(cell, _)| cell), MORE_EN)
            )
        }
        Event::GapCaughtUp { cells: c } => format!("backlog worked off: {}", cells(c)),
        Event::GateReported {
            gate,
            decisions,
            changed,
            ..
        } => {
            let refused = decisions.iter().filter(|d| !d.accepted).count();
            format!(
                "gate {gate}: {} changed, {refused} refused",
                count(changed.len(), "cell", "cells")
            )
        }
        Event::NoticePublished { notice, .. } => format!("notice {notice} published"),
        Event::NoticeRevised { notice, .. } => format!("notice {notice} revised"),
    }
}
