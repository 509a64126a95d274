//! What a person sees while a drill runs: two bars, never mixed, and what happens in words.
//!
//! In:    the control plane's state and new entries. Out: lines and bars on the terminal.
//! Never: one number for two things.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use anlauf_model::{CellId, Language, Stage, Timestamp};
use anlauf_recovery::query::{in_words, progress};
use anlauf_recovery::{Entry, Event};
use anlauf_store::Desk as Control;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Most cells of one line that are named.
const NAME_COUNT_MAX: usize = 3;

/// Entries looked at in one go.
const PAGE: usize = 2_000;

/// Bars and lines.
pub struct Show {
    bars: MultiProgress,
    systems: ProgressBar,
    services: ProgressBar,
    language: Language,
    seen: u64,
    quiet: bool,
    last_line: String,
}

impl Show {
    /// Bars when the terminal can show them; lines always, unless quiet.
    pub fn new(language: Language, quiet: bool) -> Self {
        let bars = MultiProgress::new();
        if quiet || !std::io::stderr().is_terminal() {
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        let (systems, services) = match language {
            Language::De => (
                "Systeme wiederhergestellt",
                "Dienste freigegeben (nach Personen)",
            ),
            Language::En => ("systems restored", "services released (by people served)"),
        };
        let bar = |title: &'static str| {
            let bar = bars.add(ProgressBar::new(1000));
            let form = "{msg:<42} [{bar:40}] {percent:>3} %  {prefix}";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style.progress_chars("█▌ "));
            }
            bar.with_message(title)
        };
        let (systems, services) = (bar(systems), bar(services));
        Self {
            bars,
            systems,
            services,
            language,
            seen: 0,
            quiet,
            last_line: String::new(),
        }
    }

    /// Shows what is new.
    pub fn update(&mut self, control: &Control, now: Timestamp) {
        if !self.bars.is_hidden() {
            let progress = progress(&control.read());
            self.systems
                .set_position(u64::from(progress.systems_restored_per_mille));
            self.services
                .set_position(u64::from(progress.services_released_per_mille));
            self.services.set_prefix(minute(now));
        }
        while let Ok(entries) = control.entries(self.seen + 1, PAGE) {
            let Some(last) = entries.last().map(|entry| entry.seq) else {
                break;
            };
            self.tell(&entries);
            self.seen = last;
        }
    }

    /// A line of its own, above the bars.
    pub fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        // Where bars are hidden they print nothing.
        if self.bars.is_hidden() || self.bars.println(text).is_err() {
            eprintln!("{text}");
        }
    }

    /// What happened in words; the small steps of work are left to the console, and what happened
    /// to many owners at once is told once.
    fn tell(&mut self, entries: &[Entry]) {
        if self.quiet {
            return;
        }
        let mut opened: BTreeMap<(Timestamp, Stage), Vec<&CellId>> = BTreeMap::new();
        let mut shut: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for entry in entries {
            match &entry.event {
                Event::CellsReleased { stage, cells, .. } => {
                    let ids = cells.iter().map(|(id, _)| id);
                    opened.entry((entry.at, *stage)).or_default().extend(ids);
                }
                Event::CellsClosed { cells, .. } => {
                    *shut.entry(entry.at).or_default() += cells.len();
                }
                event if is_told(event) => self.say(entry.at, &in_words(event, self.language)),
                _ => {}
            }
        }
        for (at, count) in shut {
            self.say(at, &self.many("shut", "geschlossen", count, &[]));
        }
        for ((at, stage), cells) in opened {
            let (english, german) = match stage {
                Stage::Pilot => ("open to testers", "offen für Tester"),
                _ => ("open to everyone", "offen für alle"),
            };
            self.say(at, &self.many(english, german, cells.len(), &cells));
        }
    }

    /// A number of cells, the first few by name.
    fn many(&self, english: &str, german: &str, count: usize, cells: &[&CellId]) -> String {
        let names: Vec<String> = cells
            .iter()
            .take(NAME_COUNT_MAX)
            .map(ToString::to_string)
            .collect();
        let more = if names.len() < cells.len() {
            ", …"
        } else {
            ""
        };
        let (word, unit) = match (self.language, count) {
            (Language::De, 1) => (german, "Zelle"),
            (Language::De, _) => (german, "Zellen"),
            (Language::En, 1) => (english, "cell"),
            (Language::En, _) => (english, "cells"),
        };
        match names.is_empty() {
            true => format!("{word}: {count} {unit}"),
            false => format!("{word}: {count} {unit} ({}{more})", names.join(", ")),
        }
    }

    fn say(&mut self, at: Timestamp, words: &str) {
        let text = format!("{}  {words}", minute(at));
        if text != self.last_line {
            self.line(&text);
            self.last_line = text;
        }
    }

    /// Takes the bars away.
    pub fn done(&self) {
        self.systems.finish_and_clear();
        self.services.finish_and_clear();
    }
}

/// Date and minute of a point in time.
fn minute(at: Timestamp) -> String {
    at.to_string()
        .chars()
        .take(16)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect()
}

/// Events that people follow while they watch.
fn is_told(event: &Event) -> bool {
    !matches!(
        event,
        Event::TasksStarted { .. }
            | Event::PlanProposed { .. }
            | Event::TasksFinished { .. }
            | Event::TasksFailed { .. }
            | Event::FindingsAdded { .. }
            | Event::SignatureAdded { .. }
            | Event::ReleaseProposed { .. }
            | Event::SlotsOffered { .. }
            | Event::SlotsAgreed { .. }
            | Event::CellsAccepted { .. }
            | Event::GateReported { .. }
            | Event::CloseOrdered { .. }
            | Event::GapCaughtUp { .. }
    )
}
