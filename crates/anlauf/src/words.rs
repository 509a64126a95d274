//! Words of the field that the API sends as they are stored, for people who read German.
//!
//! In:    a field's name and its value. Out: the label, and the value in the language.
//! Never: touches what programs read (`--json`), or an id that looks like a word.

use anlauf_model::{FindingKind, Language, Stage, TaskKind};
use anlauf_recovery::query::{stage_de, task_de};
use serde_json::Value;

use crate::output::Output;

/// A word of a field that holds words of the field; anything else stays as it is.
pub fn told(word: &str, field: &str, language: Language) -> String {
    let german = match language {
        Language::De => german(word, field),
        Language::En => None,
    };
    german.unwrap_or(word).to_owned()
}

fn german(word: &str, field: &str) -> Option<&'static str> {
    match field {
        "stage" | "stages" | "stage_last" | "stage_next" => {
            let stage = Stage::ALL.into_iter().find(|stage| stage.word() == word);
            stage.map(stage_de)
        }
        "task" | "tasks_open" => {
            let task = TaskKind::ALL.into_iter().find(|task| task.word() == word);
            task.map(task_de)
        }
        "kind" | "findings_missing" => cell_kind(word).or_else(|| finding(word)),
        "verdict" => VERDICTS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, de)| *de),
        "answer" => ANSWERS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, de)| *de),
        _ => None,
    }
}

const VERDICTS: [(&str, &str); 2] = [("pass", "ohne Beanstandung"), ("fail", "mit Beanstandung")];

const ANSWERS: [(&str, &str); 5] = [
    ("open", "offen"),
    ("agreed", "vereinbart"),
    ("declined", "abgelehnt"),
    ("missed", "verpasst"),
    ("kept", "eingehalten"),
];

fn cell_kind(word: &str) -> Option<&'static str> {
    Some(match word {
        "foundation" => "Fundament",
        "shared" => "gemeinsam",
        "switch" => "Schalter",
        "tenant" => "Mandant",
        "custom" => "Sonderverfahren",
        _ => return None,
    })
}

fn finding(word: &str) -> Option<&'static str> {
    let kind = FindingKind::ALL
        .into_iter()
        .find(|kind| kind.word() == word)?;
    Some(match kind {
        FindingKind::ForensicsVerdict => "Urteil der Forensik",
        FindingKind::BackupClean => "Sicherung unbefallen",
        FindingKind::ScanClean => "Suche ohne Fund",
        FindingKind::CredentialsRotated => "Zugangsdaten getauscht",
        FindingKind::FunctionTested => "Funktion geprüft",
        FindingKind::TenantAccepted => "Vom Mandanten abgenommen",
        FindingKind::EntryPathClosed => "Einfallsweg geschlossen",
        FindingKind::Commissioned => "Im Regelbetrieb abgenommen",
    })
}

/// Labels of fields in German.
const LABELS: [(&str, &str); 49] = [
    ("id", "Zelle"),
    ("cell", "Zelle"),
    ("service", "Dienst"),
    ("tenant", "Mandant"),
    ("site", "Standort"),
    ("kind", "Art"),
    ("class", "Klasse"),
    ("insured", "Menschen dahinter"),
    ("stage", "Stufe"),
    ("stages", "Stufen"),
    ("stage_last", "letzte Stufe"),
    ("epoch", "Epoche"),
    ("restored_at", "wieder da seit"),
    ("not_after", "Freigabe gilt bis"),
    ("tasks_open", "offene Schritte"),
    ("planned", "geplant"),
    ("expected", "erwartet"),
    ("offer", "Fenster"),
    ("answer", "Antwort"),
    ("from", "von"),
    ("to", "bis"),
    ("needs", "braucht"),
    ("after", "kommt nach"),
    ("needed_by", "wird gebraucht von"),
    ("host", "Rechnername"),
    ("path", "Pfad"),
    ("upstream", "Ziel des Gates"),
    ("release", "Freigabe"),
    ("tasks", "Schritte"),
    ("task", "Schritt"),
    ("team", "Team"),
    ("started", "begonnen"),
    ("finished", "fertig"),
    ("failures", "Wiederholungen"),
    ("findings", "Befunde"),
    ("number", "Nummer"),
    ("verdict", "Urteil"),
    ("gaps", "Lücken"),
    ("caught_up", "nachgearbeitet"),
    ("gates", "Gates"),
    ("gate", "Gate"),
    ("by", "von"),
    ("at", "wann"),
    ("note", "Bemerkung"),
    ("evidence", "Nachweis"),
    ("standing", "gilt"),
    ("reason", "Begründung"),
    ("order", "Reihenfolge"),
    ("rests", "darauf beruhen"),
];

/// What a field is called.
pub fn label(field: &str, output: Output) -> String {
    let known = LABELS.iter().find(|(known, _)| *known == field);
    match (output.language, known) {
        (Language::De, Some((_, german))) => (*german).to_owned(),
        _ => field.to_owned(),
    }
}

/// The items of a list with the words of the field in the language; for programs as they are.
pub fn items(mut items: Vec<Value>, output: Output) -> Vec<Value> {
    if output.json {
        return items;
    }
    for (field, value) in items.iter_mut().filter_map(Value::as_object_mut).flatten() {
        if let Some(word) = value.as_str() {
            *value = told(word, field, output.language).into();
        }
    }
    items
}

/// The value of a field in a cell of a table, with the words of the field in the language.
pub fn value(field: &str, value: &Value, output: Output) -> String {
    match value {
        Value::String(word) => {
            let told = told(word, field, output.language);
            if told == *word {
                output.text(value)
            } else {
                told
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let texts: Vec<String> = items
                .iter()
                .map(|item| self::value(field, item, output))
                .collect();
            let between = if items.iter().any(Value::is_object) {
                "\n"
            } else {
                " "
            };
            texts.join(between)
        }
        Value::Object(fields) if !fields.contains_key(output.language.tag()) => {
            let texts = fields.iter().map(|(name, inner)| {
                let text = self::value(name, inner, output);
                format!("{}={text}", label(name, output))
            });
            texts.collect::<Vec<_>>().join(" ")
        }
        other => output.text(other),
    }
}

#[cfg(test)]
mod tests;
