//! What is shown of one gate.
//!
//! In:    what it counted now and a while ago. Out: lines of text, a line, JSON.
//! Never: a clock, a terminal, the network.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::output::Output;

/// Numbers of one look, by family and labels: `anlauf_gate_cut_total`, `..{outcome="passed"}`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sample(BTreeMap<String, u64>);

/// What is shown of one gate.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    gate: String,
    /// Why it does not answer.
    pub trouble: Option<String>,
    stages: Vec<(&'static str, u64)>,
    workers: u64,
    /// Seconds since the control plane was heard; none if it never was.
    control_age: Option<u64>,
    applied: u64,
    inside: u64,
    /// Requests by outcome, and those that were cut: in all, and a second.
    requests: Vec<Count>,
    turned_away: Vec<Count>,
    /// Those with most requests first.
    cells: Vec<CellCounts>,
    log_lost: u64,
}

/// One number that only grows.
#[derive(Clone, PartialEq, Debug)]
struct Count {
    name: &'static str,
    total: u64,
    /// A second; none at the first look.
    rate: Option<f64>,
}

#[derive(Clone, PartialEq, Debug)]
struct CellCounts {
    cell: String,
    counts: Vec<Count>,
}

const STAGES: [&str; 5] = ["closed", "clean_room", "pilot", "basic", "full"];
const OUTCOMES: [&str; 4] = ["passed", "refused", "unknown", "failed"];
const CELL_OUTCOMES: [&str; 4] = ["passed", "refused", "failed", "cut"];
const REASONS: [&str; 3] = ["crowded", "stranger", "headless"];

// === impl Sample ===

impl Sample {
    /// Reads the text form of Prometheus as gates write it; what is no number is left out.
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.filter_map(|line| line.rsplit_once(' '));
        let pairs = pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Self(pairs.collect())
    }

    fn get(&self, family: &str) -> Option<u64> {
        self.0.get(&format!("anlauf_gate_{family}")).copied()
    }

    fn of(&self, family: &str, label: &str, value: &str) -> u64 {
        let name = format!("{family}{{{label}=\"{value}\"}}");
        self.get(&name).unwrap_or_default()
    }

    fn of_cell(&self, cell: &str, outcome: &str) -> u64 {
        let name = format!("cell_requests_total{{cell=\"{cell}\",outcome=\"{outcome}\"}}");
        self.get(&name).unwrap_or_default()
    }

    /// Cells that were asked for.
    fn cells(&self) -> Vec<&str> {
        let start = "anlauf_gate_cell_requests_total{cell=\"";
        let names = self.0.keys().filter_map(|name| name.strip_prefix(start));
        let mut cells: Vec<&str> = names
            .filter_map(|rest| Some(rest.split_once('"')?.0))
            .collect();
        cells.dedup();
        cells
    }
}

// === impl Picture ===

impl Picture {
    /// Of a gate that answers.
    pub fn new(
        gate: &str,
        before: Option<(Duration, &Sample)>,
        now: &Sample,
        cell_count_max: usize,
    ) -> Self {
        let count = |name: &'static str, get: &dyn Fn(&Sample) -> u64| Count {
            name,
            total: get(now),
            rate: before.map(|(time, before)| {
                // A gate that was started anew counts from the beginning.
                let grown = get(now).saturating_sub(get(before));
                grown as f64 / time.as_secs_f64().max(0.001)
            }),
        };
        let mut requests: Vec<Count> = OUTCOMES
            .map(|name| count(name, &|sample| sample.of("requests_total", "outcome", name)))
            .into();
        requests.push(count("cut", &|sample| {
            sample.get("cut_total").unwrap_or_default()
        }));
        let turned_away = REASONS.map(|name| {
            count(name, &|sample| {
                sample.of("turned_away_total", "reason", name)
            })
        });
        let cells = now.cells().into_iter().map(|cell| CellCounts {
            cell: cell.to_owned(),
            counts: CELL_OUTCOMES
                .map(|name| count(name, &|sample| sample.of_cell(cell, name)))
                .into(),
        });
        let mut cells: Vec<CellCounts> = cells.collect();
        // Busiest first; those that are equally busy stay in the order of their names.
        cells.sort_by(|a, b| b.weight().total_cmp(&a.weight()));
        cells.truncate(cell_count_max);
        Self {
            gate: gate.to_owned(),
            trouble: None,
            stages: STAGES
                .map(|stage| (stage, now.of("stage_cells", "stage", stage)))
                .into(),
            workers: now.get("workers").unwrap_or_default(),
            control_age: now.get("control_age_seconds"),
            applied: now.get("applied").unwrap_or_default(),
            inside: now.get("visitors").unwrap_or_default(),
            requests,
            turned_away: turned_away.into(),
            cells,
            log_lost: now.get("access_log_lost_total").unwrap_or_default(),
        }
    }

    /// Of a gate that does not.
    pub fn silent(gate: &str, trouble: String) -> Self {
        Self {
            trouble: Some(trouble),
            ..Self::new(gate, None, &Sample::default(), 0)
        }
    }

    /// The whole picture, no line wider than this.
    pub fn lines(&self, output: Output, width: usize) -> Vec<String> {
        let mut lines = self.all(output);
        for line in &mut lines {
            if let Some((end, _)) = line.char_indices().nth(width) {
                line.truncate(end);
            }
        }
        lines
    }

    fn all(&self, output: Output) -> Vec<String> {
        let gate = format!("{} {}", output.say("Gate", "gate"), self.gate);
        if let Some(trouble) = &self.trouble {
            let silent = output.say("antwortet nicht", "does not answer");
            return vec![format!("{gate}: {silent}: {trouble}")];
        }
        let stages = self
            .stages
            .iter()
            .map(|(stage, count)| format!("{stage} {count}"));
        let stages = stages.collect::<Vec<_>>().join(", ");
        let mut lines = vec![
            format!(
                "{gate}: {} {}, {}, {} {}, {} {}",
                output.say("Arbeiter", "workers"),
                self.workers,
                self.control(output),
                output.say("Eintrag", "feed item"),
                self.applied,
                output.say("drinnen", "inside"),
                self.inside,
            ),
            format!("{}: {stages}", output.say("Zellen", "cells")),
            format!(
                "{}: {}",
                output.say("Anfragen", "requests"),
                join(&self.requests)
            ),
            format!(
                "{}: {}",
                output.say("abgewiesen an der Tür", "turned away"),
                join(&self.turned_away)
            ),
        ];
        if self.log_lost > 0 {
            let words = output.say(
                "im Zugriffsprotokoll fehlen Zeilen",
                "lines missing in the access log",
            );
            lines.push(format!("{words}: {}", self.log_lost));
        }
        if !self.cells.is_empty() {
            lines.push(row(
                output.say("Zelle", "cell"),
                &CELL_OUTCOMES.map(str::to_owned),
            ));
        }
        for cell in &self.cells {
            let counts: Vec<String> = cell.counts.iter().map(Count::short).collect();
            lines.push(row(&cell.cell, &counts));
        }
        lines
    }

    /// All in one line, for whoever keeps it in a file.
    pub fn line(&self, output: Output) -> String {
        let mut lines = self.all(output);
        lines.truncate(4);
        lines.join("; ")
    }

    fn control(&self, output: Output) -> String {
        match (self.control_age, output.say("de", "en")) {
            (Some(age), "de") => format!("Leitstelle zuletzt gehört vor {age} s"),
            (Some(age), _) => format!("control plane heard {age} s ago"),
            (None, "de") => "Leitstelle nie gehört".to_owned(),
            (None, _) => "control plane never heard".to_owned(),
        }
    }
}

impl CellCounts {
    /// Requests a second, else in all.
    fn weight(&self) -> f64 {
        let weight = |count: &Count| count.rate.unwrap_or(count.total as f64);
        self.counts.iter().map(weight).sum()
    }
}

impl Count {
    /// A second if that is known, else in all.
    fn short(&self) -> String {
        match self.rate {
            Some(rate) => format!("{rate:.0}/s"),
            None => self.total.to_string(),
        }
    }

    fn json(&self) -> Value {
        json!({ "total": self.total, "per_second": self.rate })
    }
}

fn join(counts: &[Count]) -> String {
    let words = counts.iter().map(|count| match count.rate {
        Some(rate) => format!("{} {rate:.0}/s ({})", count.name, count.total),
        None => format!("{} {}", count.name, count.total),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn row(cell: &str, counts: &[String]) -> String {
    let counts: String = counts.iter().map(|count| format!("{count:>10}")).collect();
    format!("{cell:<36}{counts}")
}

impl From<&Picture> for Value {
    fn from(picture: &Picture) -> Self {
        let counts = |counts: &[Count]| -> Value {
            let pairs = counts
                .iter()
                .map(|count| (count.name.to_owned(), count.json()));
            Value::Object(pairs.collect())
        };
        let stages = picture.stages.iter();
        let stages = stages.map(|(stage, count)| ((*stage).to_owned(), Value::from(*count)));
        let cells = picture.cells.iter().map(|cell| {
            let mut value = counts(&cell.counts);
            value["cell"] = Value::from(cell.cell.as_str());
            value
        });
        json!({
            "gate": picture.gate,
            "trouble": picture.trouble,
            "workers": picture.workers,
            "control_age_seconds": picture.control_age,
            "applied": picture.applied,
            "inside": picture.inside,
            "cells_by_stage": Value::Object(stages.collect()),
            "requests": counts(&picture.requests),
            "turned_away": counts(&picture.turned_away),
            "access_log_lost": picture.log_lost,
            "cells": cells.collect::<Vec<Value>>(),
        })
    }
}

#[cfg(test)]
mod tests;
