//! One event in one sentence, in German and English.
//!
//! In:    an event. Out: a sentence. Never: a name of another tenant than the event's own.

use std::collections::BTreeSet;

use anlauf_model::id::Owner;
use anlauf_model::{CellId, Landscape, Language, SiteId, Stage, TaskKind, TenantId, Verdict};

use crate::command::TaskRef;
use crate::event::Event;

/// One event in one sentence, with ids where a name would need the landscape.
pub fn in_words(event: &Event, language: Language) -> String {
    in_words_named(event, None, language)
}

/// One event in one sentence, with the names that the landscape has.
pub fn in_words_named(event: &Event, landscape: Option<&Landscape>, language: Language) -> String {
    let names = Names {
        landscape,
        language,
    };
    match language {
        Language::De => german(event, names),
        Language::En => english(event, names),
    }
}

/// A cell as people call it: its service, number and owner. Its id where it is not listed.
pub fn cell_in_words(landscape: &Landscape, id: &CellId, language: Language) -> String {
    let Some((cell, service)) = landscape
        .cell(id)
        .and_then(|cell| Some((cell, landscape.service(&cell.service)?)))
    else {
        return id.to_string();
    };
    let name = service.name.get(language);
    let rest = id.service().strip_prefix(service.id.as_str());
    let number = rest.and_then(|rest| rest.strip_prefix('-'));
    let number = number
        .map(|number| format!(" {number}"))
        .unwrap_or_default();
    let owner = match &cell.owner {
        Owner::Tenant(tenant) => landscape.tenant(tenant).map(|tenant| tenant.name.as_str()),
        Owner::Site(site) => landscape.site(site).map(|site| site.name.get(language)),
        Owner::Foundation | Owner::Shared => None,
    };
    let owner = owner.map(|owner| format!(" · {owner}")).unwrap_or_default();
    format!("{name}{number}{owner}")
}

/// What things are called, as far as it is known.
#[derive(Clone, Copy)]
struct Names<'a> {
    landscape: Option<&'a Landscape>,
    language: Language,
}

impl Names<'_> {
    fn cell(self, id: &CellId) -> String {
        match self.landscape {
            Some(landscape) => cell_in_words(landscape, id, self.language),
            None => id.to_string(),
        }
    }

    fn site(self, id: &SiteId) -> String {
        let site = self.landscape.and_then(|landscape| landscape.site(id));
        site.map_or_else(
            || id.to_string(),
            |site| site.name.get(self.language).to_owned(),
        )
    }

    fn tenant(self, id: &TenantId) -> String {
        let tenant = self.landscape.and_then(|landscape| landscape.tenant(id));
        tenant.map_or_else(|| id.to_string(), |tenant| tenant.name.clone())
    }

    /// The first cells by name, the rest as a number.
    fn list<'c>(self, cells: impl IntoIterator<Item = &'c CellId>) -> String {
        const NAMED_MAX: usize = 3;
        let cells: Vec<_> = cells.into_iter().collect();
        let named: Vec<_> = cells
            .iter()
            .take(NAMED_MAX)
            .map(|id| self.cell(id))
            .collect();
        let named = named.join(", ");
        match (cells.len().saturating_sub(NAMED_MAX), self.language) {
            (0, _) => named,
            (more, Language::De) => format!("{named} und {more} weitere"),
            (more, Language::En) => format!("{named} and {more} more"),
        }
    }
}

/// The kinds of work in a list of tasks, each once.
fn kinds(tasks: &[TaskRef], word: fn(TaskKind) -> &'static str) -> String {
    let kinds: BTreeSet<_> = tasks.iter().map(|task| task.task).collect();
    kinds.into_iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `1 Zelle`, `2 Zellen`.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A step, in German, as the pages call it.
pub fn task_de(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Evidence => "Spuren sichern",
        TaskKind::Rebuild => "Wiederaufbau",
        TaskKind::Scan => "Suche nach Befall",
        TaskKind::Credentials => "Zugangsdaten tauschen",
        TaskKind::FunctionTest => "Funktionstest",
        TaskKind::Acceptance => "Abnahme",
        TaskKind::Return => "Rückführung",
        TaskKind::Decision => "Freigabeentscheidung",
    }
}

/// A step, in English, as the pages call it.
pub fn task_en(task: TaskKind) -> &'static str {
    match task {
        TaskKind::FunctionTest => "function test",
        other => other.word(),
    }
}

/// A stage, in German, as the pages call it.
pub fn stage_de(stage: Stage) -> &'static str {
    match stage {
        Stage::Closed => "geschlossen",
        Stage::CleanRoom => "Reinraum",
        Stage::Pilot => "Pilotbetrieb",
        Stage::Basic => "Basisbetrieb",
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
fn german(event: &Event, names: Names<'_>) -> String {
    let cells = |cells: &[CellId]| names.list(cells);
    match event {
        Event::LandscapeAdopted { landscape } => {
            format!("Systemlandschaft „{}“ übernommen", landscape.title.de)
        }
        Event::RootAdopted { version, .. } => format!("Wurzeldokument Version {version} gilt"),
        Event::PolicyAdopted { version, .. } => format!("Freigaberegeln Version {version} gelten"),
        Event::DelegationAdopted {
            tenant, version, ..
        } => format!(
            "Schlüsselliste Version {version} von {} gilt",
            names.tenant(tenant)
        ),
        Event::IncidentDeclared { title } => format!("Vorfall ausgerufen: {}", title.de),
        Event::IncidentNarrowed { sites } => {
            let sites: Vec<_> = sites.iter().map(|site| names.site(site)).collect();
            format!("Vorfall eingegrenzt auf {}", sites.join(", "))
        }
        Event::SiteHeld { site, until } => {
            format!("{} für die Forensik gesperrt bis {until}", names.site(site))
        }
        Event::IncidentEnded => "Vorfall beendet".into(),
        Event::CloseOrdered { .. } => "Schließung angeordnet".into(),
        Event::CellsClosed { cells: c, .. } => format!("Geschlossen: {}", cells(c)),
        Event::TasksStarted { tasks } => {
            format!(
                "Arbeit begonnen ({}): {}",
                kinds(tasks, task_de),
                names.list(tasks.iter().map(|t| &t.cell))
            )
        }
        Event::TasksFinished { tasks } => {
            format!(
                "Arbeit fertig ({}): {}",
                kinds(tasks, task_de),
                names.list(tasks.iter().map(|t| &t.cell))
            )
        }
        Event::TasksFailed { tasks } => {
            format!(
                "Arbeit muss wiederholt werden: {}",
                names.list(tasks.iter().map(|t| &t.cell))
            )
        }
        Event::FindingsAdded { findings } | Event::FindingsSigned { findings, .. } => {
            let failed = findings
                .iter()
                .filter(|f| f.verdict == Verdict::Fail)
                .count();
            let of = names.list(findings.iter().filter_map(|f| f.cell.as_ref()));
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
                "{} wünscht eine Reihenfolge für {}",
                names.tenant(tenant),
                count(order.len(), "Zelle", "Zellen")
            )
        }
        Event::SlotsOffered { slots } => {
            format!(
                "Termin angeboten: {}",
                names.list(slots.iter().map(|s| &s.cell))
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
        Event::ReleaseProposed {
            release,
            break_glass: true,
            ..
        } => format!("NOTÖFFNUNG {} zur Unterschrift", release.short()),
        Event::ReleaseProposed { release, .. } => {
            format!("Freigabe {} zur Unterschrift", release.short())
        }
        Event::SignatureAdded { release, .. } => {
            format!("Freigabe {} unterschrieben", release.short())
        }
        Event::ReleaseDropped { release, .. } => format!("Freigabe {} verworfen", release.short()),
        Event::CellsReleased {
            stage,
            cells: c,
            not_after,
            break_glass: true,
            ..
        } => {
            format!(
                "NOTÖFFNUNG ohne Freigabe bis {not_after} ({}): {}",
                stage_de(*stage),
                names.list(c.iter().map(|(cell, _)| cell))
            )
        }
        Event::CellsReleased {
            stage, cells: c, ..
        } => {
            format!(
                "Freigegeben ({}): {}",
                stage_de(*stage),
                names.list(c.iter().map(|(cell, _)| cell))
            )
        }
        Event::BreakGlassReviewed { release } => {
            format!("Notöffnung {} geprüft und abgeschlossen", release.short())
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
fn english(event: &Event, names: Names<'_>) -> String {
    let cells = |cells: &[CellId]| names.list(cells);
    match event {
        Event::LandscapeAdopted { landscape } => {
            format!("landscape “{}” adopted", landscape.title.en)
        }
        Event::RootAdopted { version, .. } => format!("root document version {version} in force"),
        Event::PolicyAdopted { version, .. } => format!("policy version {version} in force"),
        Event::DelegationAdopted {
            tenant, version, ..
        } => format!(
            "list of keys version {version} of {} in force",
            names.tenant(tenant)
        ),
        Event::IncidentDeclared { title } => format!("incident declared: {}", title.en),
        Event::IncidentNarrowed { sites } => {
            let sites: Vec<_> = sites.iter().map(|site| names.site(site)).collect();
            format!("incident narrowed to {}", sites.join(", "))
        }
        Event::SiteHeld { site, until } => {
            format!("{} held for forensics until {until}", names.site(site))
        }
        Event::IncidentEnded => "incident ended".into(),
        Event::CloseOrdered { .. } => "close ordered".into(),
        Event::CellsClosed { cells: c, .. } => format!("closed: {}", cells(c)),
        Event::TasksStarted { tasks } => {
            format!(
                "work begun ({}): {}",
                kinds(tasks, task_en),
                names.list(tasks.iter().map(|t| &t.cell))
            )
        }
        Event::TasksFinished { tasks } => {
            format!(
                "work done ({}): {}",
                kinds(tasks, task_en),
                names.list(tasks.iter().map(|t| &t.cell))
            )
        }
        Event::TasksFailed { tasks } => {
            format!(
                "work to be done again: {}",
                names.list(tasks.iter().map(|t| &t.cell))
            )
        }
        Event::FindingsAdded { findings } | Event::FindingsSigned { findings, .. } => {
            let failed = findings
                .iter()
                .filter(|f| f.verdict == Verdict::Fail)
                .count();
            let of = names.list(findings.iter().filter_map(|f| f.cell.as_ref()));
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
                "{} wishes an order for {}",
                names.tenant(tenant),
                count(order.len(), "cell", "cells")
            )
        }
        Event::SlotsOffered { slots } => {
            format!(
                "slot offered: {}",
                names.list(slots.iter().map(|s| &s.cell))
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
        Event::ReleaseProposed {
            release,
            break_glass: true,
            ..
        } => format!("BREAK-GLASS {} up for signature", release.short()),
        Event::ReleaseProposed { release, .. } => {
            format!("release {} up for signature", release.short())
        }
        Event::SignatureAdded { release, .. } => format!("release {} signed", release.short()),
        Event::ReleaseDropped { release, .. } => format!("release {} dropped", release.short()),
        Event::CellsReleased {
            stage,
            cells: c,
            not_after,
            break_glass: true,
            ..
        } => {
            format!(
                "BREAK-GLASS without a release until {not_after} ({}): {}",
                stage_en(*stage),
                names.list(c.iter().map(|(cell, _)| cell))
            )
        }
        Event::CellsReleased {
            stage, cells: c, ..
        } => {
            format!(
                "released ({}): {}",
                stage_en(*stage),
                names.list(c.iter().map(|(cell, _)| cell))
            )
        }
        Event::BreakGlassReviewed { release } => {
            format!("break-glass {} reviewed", release.short())
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
