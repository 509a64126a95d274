//! A cell as the API tells it, in both languages.

use serde_json::json;

use super::*;
use crate::cli::cell::lines;

fn cell() -> Value {
    json!({
        "id": "pilot/scan",
        "service": "scan",
        "kind": "tenant",
        "stage": "full",
        "stages": ["pilot", "full"],
        "offer": { "from": "2026-04-20T01:00:00Z", "to": "2026-04-21T01:00:00Z",
            "answer": "kept" },
        "tasks": [{ "task": "function_test", "team": "scan", "failures": 0 }],
        "findings": [
            { "number": 7, "kind": "forensics_verdict", "verdict": "pass" },
            { "number": 8, "kind": "scan_clean", "verdict": "fail" },
        ],
        "gates": [{ "gate": "gate-1", "stage": "clean_room", "epoch": 3 }],
        "gaps": [{ "from": "2026-04-20T01:00:00Z", "to": null, "caught_up": false }],
        "upstream": null,
    })
}

fn shown(language: Language) -> String {
    let json = false;
    lines(&cell(), Output { json, language })
}

#[test]
fn a_cell_in_german() {
    insta::assert_snapshot!(shown(Language::De));
}

#[test]
fn a_cell_in_english() {
    insta::assert_snapshot!(shown(Language::En));
}

/// No stored word is left to a German reader.
#[test]
fn every_word_of_the_field_has_a_german_one() {
    let words = |field: &'static str, words: Vec<&'static str>| {
        words.into_iter().map(move |word| (field, word))
    };
    let all = words("stage", Stage::ALL.map(Stage::word).to_vec())
        .chain(words("task", TaskKind::ALL.map(TaskKind::word).to_vec()))
        .chain(words(
            "kind",
            FindingKind::ALL.map(FindingKind::word).to_vec(),
        ))
        .chain(words(
            "kind",
            vec!["foundation", "shared", "switch", "tenant", "custom"],
        ))
        .chain(words("verdict", vec!["pass", "fail"]))
        .chain(words(
            "answer",
            vec!["open", "agreed", "declined", "missed", "kept"],
        ));
    for (field, word) in all {
        assert_ne!(told(word, field, Language::De), word, "{field}");
        assert_eq!(told(word, field, Language::En), word, "{field}");
    }
}
