//! Findings, releases, break-glass and closings in words.
//!
//! In:    a statement. Out: lines of text, the last to read aloud.
//! Never: lets a text inside the statement look like a line of ours.

use anlauf_keys::refusal::plain;
use anlauf_model::{Digest, FindingKind, Language, Stage, Verdict};
use anlauf_trust::{Close, Finding, Release, ReleaseCell, Scope};

use crate::aloud;

/// The release as text of several lines.
pub fn release(release: &Release, language: Language) -> String {
    let de = language == Language::De;
    let pick = |german: &'static str, english: &'static str| if de { german } else { english };
    let stage = stage(release.stage, language);
    let count = release.cells.len();
    let mut lines = vec![
        format!(
            "{} · {} {}",
            match release.break_glass {
                true => pick("NOTÖFFNUNG OHNE FREIGABE", "BREAK-GLASS WITHOUT A RELEASE"),
                false => pick("FREIGABE", "RELEASE"),
            },
            domain(de),
            release.domain
        ),
        if de {
            format!(
                "Öffnet {count} {} auf Stufe: {stage}",
                if count == 1 { "Zelle" } else { "Zellen" }
            )
        } else {
            format!(
                "Opens {count} {} to stage: {stage}",
                if count == 1 { "cell" } else { "cells" }
            )
        },
    ];
    lines.extend(release.cells.iter().map(|bound| cell_line(bound, language)));
    lines.push(format!(
        "{} {} {} {}",
        pick("Gilt von", "Holds from"),
        release.not_before,
        pick("bis", "until"),
        release.not_after
    ));
    let plan = release
        .plan
        .as_ref()
        .map_or_else(|| pick("keiner", "none").into(), Digest::short);
    lines.push(format!(
        "{} {} · {} {plan} · {} {}",
        pick("Regelwerk", "Policy"),
        release.policy.short(),
        pick("Plan", "plan"),
        pick("Wurzeldokument ab Version", "root version from"),
        release.root_version_min
    ));
    lines.extend(closing_lines(
        &release.reason,
        release.to_payload(),
        language,
    ));
    lines.join("\n")
}

/// The finding as text of several lines.
pub fn finding(finding: &Finding, language: Language) -> String {
    let de = language == Language::De;
    let pick = |german: &'static str, english: &'static str| if de { german } else { english };
    let verdict = match finding.verdict {
        Verdict::Pass => pick("ohne Beanstandung", "clear"),
        Verdict::Fail => pick("NICHT in Ordnung", "NOT clear"),
    };
    let head = pick("BEFUND", "FINDING");
    let kind = kind_word(finding.kind, language);
    let mut lines = vec![
        format!("{head} · {} {}", domain(de), finding.domain),
        format!("{kind}: {verdict}"),
    ];
    match finding.cells.is_empty() {
        true => lines.push(pick("Für den ganzen Vorfall", "For the whole incident").into()),
        false => lines.extend(finding.cells.iter().map(|cell| format!("  {cell}"))),
    }
    lines.push(format!(
        "{} {} · {} {}",
        pick("Festgestellt", "Found at"),
        finding.at,
        pick("Beleg", "evidence"),
        finding.evidence
    ));
    lines.extend(closing_lines(&finding.note, finding.to_payload(), language));
    lines.join("\n")
}

/// The close as text of several lines.
pub fn close(close: &Close, language: Language) -> String {
    let de = language == Language::De;
    let head = if de { "SCHLIESSUNG" } else { "CLOSE" };
    let what = scope(&close.scope, de);
    let epoch = close.epoch.0;
    let mut lines = vec![format!("{head} · {} {}", domain(de), close.domain)];
    lines.push(if de {
        format!("Schließt {what}")
    } else {
        format!("Shuts {what}")
    });
    if let Scope::Cells(cells) = &close.scope {
        lines.extend(cells.iter().map(|cell| format!("  {cell}")));
    }
    lines.push(if de {
        format!(
            "Entwertet jede Freigabe bis Epoche {epoch}; beschlossen {}",
            close.at
        )
    } else {
        format!(
            "Burns every release up to epoch {epoch}; decided {}",
            close.at
        )
    });
    lines.extend(closing_lines(&close.reason, close.to_payload(), language));
    lines.join("\n")
}

fn domain(de: bool) -> &'static str {
    if de { "Domäne" } else { "domain" }
}

/// The last two lines of every statement: outside text, then what to compare.
fn closing_lines(reason: &str, payload: Vec<u8>, language: Language) -> [String; 2] {
    let reason = plain(reason, usize::MAX);
    let reason = match language {
        Language::De => format!("Grund: „{reason}“"),
        Language::En => format!("Reason: “{reason}”"),
    };
    [reason, aloud(payload, language)]
}

fn cell_line(bound: &ReleaseCell, language: Language) -> String {
    let evidence: Vec<_> = bound
        .evidence
        .iter()
        .map(|one| format!("{} {}", kind_word(one.kind, language), one.digest.short()))
        .collect();
    let (epoch, rests, none) = match language {
        Language::De => ("Epoche", "gestützt auf", "nichts"),
        Language::En => ("epoch", "rests on", "nothing"),
    };
    let evidence = if evidence.is_empty() {
        none.to_owned()
    } else {
        evidence.join(", ")
    };
    format!(
        "  {} · {epoch} {} · {rests}: {evidence}",
        bound.cell, bound.epoch.0
    )
}

fn scope(scope: &Scope, de: bool) -> String {
    match (scope, de) {
        (Scope::Everything, true) => "ALLE Zellen".into(),
        (Scope::Everything, false) => "ALL cells".into(),
        (Scope::Site(site), true) => format!("alle Zellen am Standort {site}"),
        (Scope::Site(site), false) => format!("all cells at site {site}"),
        (Scope::Tenant(tenant), true) => format!("alle Zellen des Mandanten {tenant}"),
        (Scope::Tenant(tenant), false) => format!("all cells of tenant {tenant}"),
        (Scope::Service(service), true) => format!("alle Zellen des Dienstes {service}"),
        (Scope::Service(service), false) => format!("all cells of service {service}"),
        (Scope::Cells(cells), true) => format!("{} einzelne Zelle(n):", cells.len()),
        (Scope::Cells(cells), false) => format!("{} single cell(s):", cells.len()),
    }
}

fn stage(stage: Stage, language: Language) -> &'static str {
    let (german, english) = match stage {
        Stage::Closed => ("geschlossen", "closed"),
        Stage::CleanRoom => ("Reinraum (nur Testnetz)", "clean room (test network only)"),
        Stage::Pilot => ("Pilot (nur benannte Tester)", "pilot (named testers only)"),
        Stage::Basic => ("Notbetrieb (eingeschränkt)", "basic (reduced function)"),
        Stage::Full => ("Vollbetrieb", "full operation"),
    };
    if language == Language::De {
        german
    } else {
        english
    }
}

fn kind_word(kind: FindingKind, language: Language) -> &'static str {
    let (german, english) = match kind {
        FindingKind::ForensicsVerdict => ("Forensik ohne Befund", "forensics verdict"),
        FindingKind::BackupClean => ("Sicherung unversehrt", "clean backup"),
        FindingKind::ScanClean => ("Suche ohne Treffer", "clean scan"),
        FindingKind::CredentialsRotated => ("Zugangsdaten gewechselt", "credentials rotated"),
        FindingKind::FunctionTested => ("Funktion geprüft", "function tested"),
        FindingKind::TenantAccepted => ("vom Mandanten abgenommen", "accepted by tenant"),
        FindingKind::EntryPathClosed => ("Einfallstor geschlossen", "entry path closed"),
        FindingKind::Commissioned => ("war in Betrieb", "was in operation"),
    };
    if language == Language::De {
        german
    } else {
        english
    }
}
