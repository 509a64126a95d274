//! Roots, policies and tenants' lists of keys in words.
//!
//! In:    a statement. Out: its lines but the last.
//! Never: outside text that could look like a line of ours: names are ids, domains come cleaned.

use std::collections::BTreeSet;

use anlauf_keys::refusal::plain;
use anlauf_model::Language;
use anlauf_model::landscape::{FreshnessRule, PolicyRule, Stale};
use anlauf_trust::{Delegation, KeyRecord, Policy, Root};

pub(crate) fn root(root: &Root, language: Language) -> Vec<String> {
    let de = language == Language::De;
    let pick = |german: &'static str, english: &'static str| if de { german } else { english };
    let drill = if root.drill {
        pick(" · ÜBUNG", " · DRILL")
    } else {
        ""
    };
    let domain = plain(&root.domain, usize::MAX);
    let signs: BTreeSet<_> = root.root_keys.iter().collect();
    let mut lines = vec![
        format!(
            "{} {} · {} {domain}{drill}",
            pick("WURZELDOKUMENT Version", "ROOT version"),
            root.version,
            pick("Domäne", "domain")
        ),
        format!("{} {}", pick("Gilt bis", "Holds until"), root.expires),
        if de {
            format!(
                "Wurzel und Regeln ändern {} Personen aus {} Organisationen (mit * bezeichnet)",
                root.root_threshold, root.root_organisations_min
            )
        } else {
            format!(
                "Root and policies are changed by {} persons from {} organisations (marked *)",
                root.root_threshold, root.root_organisations_min
            )
        },
    ];
    lines.extend(root.keys.iter().map(|record| {
        let mark = if signs.contains(&record.id) { "*" } else { " " };
        format!(" {mark} {}", key_line(record))
    }));
    lines
}

pub(crate) fn list(list: &Delegation, language: Language) -> Vec<String> {
    let de = language == Language::De;
    let (version, tenant) = (list.version, &list.tenant);
    let (domain, threshold) = (plain(&list.domain, usize::MAX), list.threshold);
    let mut lines = match de {
        true => vec![
            format!("SCHLÜSSELLISTE Version {version} von {tenant} · Domäne {domain}"),
            format!("Für {tenant} unterschreibt von da an nur, wer hier steht."),
            format!("Die nächste Liste unterschreiben {threshold} von ihnen."),
        ],
        false => vec![
            format!("LIST OF KEYS version {version} of {tenant} · domain {domain}"),
            format!("From then on only those named here sign for {tenant}."),
            format!("The next list is signed by {threshold} of them."),
        ],
    };
    lines.extend(
        list.keys
            .iter()
            .map(|record| format!("   {}", key_line(record))),
    );
    lines
}

/// Whose, for a tenant's: that is what its people look for before they agree to it.
fn of_tenant(record: &KeyRecord) -> String {
    let tenant = record.tenant.as_ref();
    tenant.map_or_else(String::new, |tenant| format!(" {tenant}"))
}

fn key_line(record: &KeyRecord) -> String {
    format!(
        "{} · {}{} · {} · {} {} · {} – {}",
        record.person,
        record.role,
        of_tenant(record),
        record.organisation,
        record.scheme.word(),
        record.id,
        record.not_before,
        record.not_after
    )
}

pub(crate) fn policy(policy: &Policy, language: Language) -> Vec<String> {
    let de = language == Language::De;
    let pick = |german: &'static str, english: &'static str| if de { german } else { english };
    let mut lines = vec![
        format!(
            "{} {} · {} {}",
            pick("FREIGABEREGELN Version", "POLICY version"),
            policy.version,
            pick("Domäne", "domain"),
            plain(&policy.domain, usize::MAX)
        ),
        format!(
            "{} {}",
            pick("Für die Zelltabelle", "For the gate table"),
            policy.table
        ),
    ];
    lines.extend(policy.rules.iter().map(|rule| rule_line(rule, de)));
    lines.extend(policy.freshness.iter().map(|rule| freshness_line(rule, de)));
    lines
}

fn freshness_line(rule: &FreshnessRule, de: bool) -> String {
    let (class, minutes) = (rule.class, rule.minutes_max);
    match (de, rule.stale) {
        (true, Stale::Close) => format!(
            "  Klasse {class:?}: ohne frisches Wort an das Gate seit {minutes} Minuten geschlossen"
        ),
        (true, Stale::Hold) => format!(
            "  Klasse {class:?}: ohne frisches Wort an das Gate seit {minutes} Minuten Alarm, \
             bleibt offen"
        ),
        (false, Stale::Close) => {
            format!("  class {class:?}: shut at a gate without fresh word for {minutes} minutes")
        }
        (false, Stale::Hold) => format!(
            "  class {class:?}: alarm at a gate without fresh word for {minutes} minutes, \
             stays open"
        ),
    }
}

fn rule_line(rule: &PolicyRule, de: bool) -> String {
    let words = |list: Vec<String>, all: &str| match list.is_empty() {
        true => all.to_owned(),
        false => list.join(", "),
    };
    let all = if de { "alle" } else { "all" };
    let kinds = rule
        .kinds
        .iter()
        .map(|kind| format!("{kind:?}").to_lowercase());
    let stages = rule.stages.iter().map(|stage| stage.word().to_owned());
    let findings = rule.findings.iter().map(|kind| kind.word().to_owned());
    let signers = rule
        .signers
        .iter()
        .map(|signer| format!("{} × {}", signer.count, signer.role));
    let (class, kind, stage, needs, signed, from) = match de {
        true => (
            "Klasse",
            "Art",
            "Stufe",
            "verlangt",
            "unterschrieben von",
            "Organisationen",
        ),
        false => (
            "class",
            "kind",
            "stage",
            "demands",
            "signed by",
            "organisations",
        ),
    };
    format!(
        "  {class} {:?} · {kind} {} · {stage} {} · {needs}: {} · {signed} {} · {from} ≥ {}{}",
        rule.class,
        words(kinds.collect(), all),
        words(stages.collect(), all),
        words(findings.collect(), "–"),
        words(signers.collect(), "–"),
        rule.organisations_min,
        match (rule.origins_min, de) {
            (0, _) => String::new(),
            (count, true) => format!(" · Schlüsselarten ≥ {count}"),
            (count, false) => format!(" · key origins ≥ {count}"),
        }
    )
}
