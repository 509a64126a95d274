//! Statements as a person reads them before signing, in German and English.
//!
//! In:    a statement. Out: lines of text, and a fingerprint to compare by voice.
//! Never: lets a text inside the statement look like a line of ours.

use anlauf_model::{Digest, FindingKind, Language, Stage};

use crate::statement::{Close, Release, ReleaseCell, Scope};
use anlauf_keys::envelope::Envelope;
use anlauf_keys::refusal::plain;

/// Sixteen digits in groups of four, from an envelope's digest, to read out to one another.
///
/// 53 bits: two people on the telephone tell statements apart. Never used to decide.
pub fn fingerprint(digest: &Digest) -> String {
    let bytes = digest.0.first_chunk::<8>().expect("a digest has 32 bytes");
    let digits = format!(
        "{:016}",
        u64::from_be_bytes(*bytes) % 10_000_000_000_000_000
    );
    format!(
        "{} {} {} {}",
        &digits[..4],
        &digits[4..8],
        &digits[8..12],
        &digits[12..]
    )
}

impl Release {
    /// The release as text of several lines.
    pub fn in_words(&self, language: Language) -> String {
        let de = language == Language::De;
        let pick = |german: &'static str, english: &'static str| if de { german } else { english };
        let stage = stage(self.stage, language);
        let count = self.cells.len();
        let mut lines = vec![
            format!(
                "{} · {} {}",
                match self.break_glass {
                    true => pick("NOTÖFFNUNG OHNE FREIGABE", "BREAK-GLASS WITHOUT A RELEASE"),
                    false => pick("FREIGABE", "RELEASE"),
                },
                domain(de),
                self.domain
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
        lines.extend(self.cells.iter().map(|bound| cell_line(bound, language)));
        lines.push(format!(
            "{} {} {} {}",
            pick("Gilt von", "Holds from"),
            self.not_before,
            pick("bis", "until"),
            self.not_after
        ));
        let plan = self
            .plan
            .as_ref()
            .map_or_else(|| pick("keiner", "none").into(), Digest::short);
        lines.push(format!(
            "{} {} · {} {plan} · {} {}",
            pick("Regelwerk", "Policy"),
            self.policy.short(),
            pick("Plan", "plan"),
            pick("Wurzeldokument ab Version", "root version from"),
            self.root_version_min
        ));
        lines.extend(closing_lines(&self.reason, self.to_payload(), de));
        lines.join("\n")
    }
}

impl Close {
    /// The close as text of several lines.
    pub fn in_words(&self, language: Language) -> String {
        let de = language == Language::De;
        let head = if de { "SCHLIESSUNG" } else { "CLOSE" };
        let what = scope(&self.scope, de);
        let epoch = self.epoch.0;
        let mut lines = vec![format!("{head} · {} {}", domain(de), self.domain)];
        lines.push(if de {
            format!("Schließt {what}")
        } else {
            format!("Shuts {what}")
        });
        if let Scope::Cells(cells) = &self.scope {
            lines.extend(cells.iter().map(|cell| format!("  {cell}")));
        }
        lines.push(if de {
            format!(
                "Entwertet jede Freigabe bis Epoche {epoch}; beschlossen {}",
                self.at
            )
        } else {
            format!(
                "Burns every release up to epoch {epoch}; decided {}",
                self.at
            )
        });
        lines.extend(closing_lines(&self.reason, self.to_payload(), de));
        lines.join("\n")
    }
}

fn domain(de: bool) -> &'static str {
    if de { "Domäne" } else { "domain" }
}

/// The last two lines of every statement: outside text, then what to compare.
fn closing_lines(reason: &str, payload: Vec<u8>, de: bool) -> [String; 2] {
    let reason = plain(reason, usize::MAX);
    let digits = fingerprint(&Envelope::unsigned(payload).digest());
    if de {
        [
            format!("Grund: „{reason}“"),
            format!("Zum Vorlesen: {digits}"),
        ]
    } else {
        [
            format!("Reason: “{reason}”"),
            format!("To read aloud: {digits}"),
        ]
    }
}

fn cell_line(bound: &ReleaseCell, language: Language) -> String {
    let evidence: Vec<_> = bound
        .evidence
        .iter()
        .map(|one| format!("{} {}", finding(one.kind, language), one.digest.short()))
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

fn finding(kind: FindingKind, language: Language) -> &'static str {
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
