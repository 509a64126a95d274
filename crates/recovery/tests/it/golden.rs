//! Bytes that never change: what was written once can be read for ever.
//!
//! In:    `tests/golden/*.jsonl`, one value a line. Lines are only ever added; `UPDATE=1` adds
//!        them.

use std::fmt::Debug;
use std::path::PathBuf;

use anlauf_recovery::query::in_words;
use anlauf_recovery::{Command, Entry, State};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{cast, sample};

/// Holds samples against the lines of a file, and the file against itself.
fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, samples: &[T]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines: Vec<String> = written.lines().map(str::to_owned).collect();
    let known = lines.len();
    if std::env::var_os("UPDATE").is_some() {
        lines.extend(
            samples
                .iter()
                .skip(known)
                .map(|s| serde_json::to_string(s).unwrap()),
        );
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    assert_eq!(
        lines.len(),
        samples.len(),
        "{name}: every sample has its line"
    );
    for (sample, line) in samples.iter().zip(&lines) {
        assert_eq!(serde_json::to_string(sample).unwrap(), *line, "{name}");
        assert_eq!(serde_json::from_str::<T>(line).unwrap(), *sample, "{name}");
    }
}

fn commands() -> Vec<Command> {
    let command = |order| Command {
        key: "key-1".into(),
        actor: cast::actor("alder"),
        reason: "as agreed".into(),
        order,
    };
    sample::orders().into_iter().map(command).collect()
}

#[test]
fn every_event_has_a_sample() {
    for (index, event) in sample::events().iter().enumerate() {
        assert_eq!(sample::place(event), index);
    }
    assert_eq!(sample::events().len(), 34);
}

#[test]
fn entries_keep_their_bytes() {
    check::<Entry>("entry.jsonl", &sample::entries());
}

#[test]
fn commands_keep_their_bytes() {
    check::<Command>("command.jsonl", &commands());
}

#[test]
fn unknown_words_are_refused() {
    let line = serde_json::to_string(&sample::entries()[6]).unwrap();
    let other = line.replace("incident_ended", "incident_forgotten");
    assert_ne!(line, other);
    assert!(serde_json::from_str::<Entry>(&other).is_err());
    assert!(serde_json::from_str::<Entry>(&line.replace("\"operator\"", "\"god\"")).is_err());
}

/// A foreign or broken ledger must not bring the reader down: `apply` cannot fail.
#[test]
fn entries_that_fit_nothing_change_nothing_they_do_not_fit() {
    let mut state = State::default();
    for entry in sample::entries()
        .iter()
        .chain(sample::entries().iter().rev())
    {
        state.apply(entry);
    }
    assert!(state.cells.is_empty() && state.authority.is_none());
}

#[test]
fn every_event_has_words_in_both_languages() {
    use anlauf_model::Language::{De, En};
    let lines: Vec<_> = sample::events()
        .iter()
        .map(|e| format!("{} | {}", in_words(e, De), in_words(e, En)))
        .collect();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/words.txt");
    let real = lines.join("\n") + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &real).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), real);
}
