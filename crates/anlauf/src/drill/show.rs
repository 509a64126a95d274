//! What a person sees while a drill runs: two bars, never mixed, and what happens in words.
//!
//! In:    the control plane's state and new entries. Out: lines and bars on the terminal.
//! Never: one number for two things.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Arc;

use anlauf_model::{CellId, Landscape, Language, Stage, Timestamp};
use anlauf_recovery::query::{cell_in_words, in_words_named, progress};
use anlauf_recovery::{Entry, Event};
use anlauf_store::Desk as Control;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;

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
    /// Where the provider is: its pages show the same hours.
    zone: TimeZone,
    /// Where the names are from.
    landscape: Option<Arc<Landscape>>,
    seen: u64,
    quiet: bool,
    last_line: String,
    group: Group,
}

/// What happened to many owners at one time; told once.
#[derive(Default)]
struct Group {
    at: Timestamp,
    shut: usize,
    opened: BTreeMap<Stage, Vec<CellId>>,
}

impl Show {
    /// Bars when the terminal can show them; lines always, unless quiet.
    pub fn new(language: Language, quiet: bool, zone: &str) -> Self {
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
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            landscape: None,
            seen: 0,
            quiet,
            last_line: String::new(),
            group: Group::default(),
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
            self.services.set_prefix(self.minute(now));
        }
        if self.landscape.is_none() {
            self.landscape = control.read().landscape.clone();
        }
        while let Ok(entries) = control.entries(self.seen + 1, PAGE) {
            let Some(last) = entries.last().map(|entry| entry.seq) else {
                break;
            };
            self.tell(&entries);
            self.seen = last;
        }
        self.tell_group();
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

    /// What happened in words, in its order; the small steps of work are left to the console, and
    /// what happened to many owners at once is told once.
    fn tell(&mut self, entries: &[Entry]) {
        if self.quiet {
            return;
        }
        for entry in entries {
            if entry.at != self.group.at {
                self.tell_group();
                self.group.at = entry.at;
            }
            match &entry.event {
                Event::CellsReleased {
                    stage,
                    cells,
                    break_glass: false,
                    ..
                } => {
                    let ids = cells.iter().map(|(id, _)| id.clone());
                    self.group.opened.entry(*stage).or_default().extend(ids);
                }
                Event::CellsClosed { cells, .. } => self.group.shut += cells.len(),
                event if is_told(event) => {
                    self.tell_group();
                    let words = in_words_named(event, self.landscape.as_deref(), self.language);
                    self.say(entry.at, &words);
                }
                _ => {}
            }
        }
    }

    fn tell_group(&mut self) {
        let at = self.group.at;
        let Group { shut, opened, .. } = std::mem::replace(
            &mut self.group,
            Group {
                at,
                ..Group::default()
            },
        );
        if shut > 0 {
            self.say(at, &self.many("shut", "geschlossen", shut, &[]));
        }
        for (stage, cells) in opened {
            let (english, german) = match stage {
                Stage::Pilot => ("open to testers", "offen für Tester"),
                _ => ("open to everyone", "offen für alle"),
            };
            self.say(at, &self.many(english, german, cells.len(), &cells));
        }
    }

    /// A number of cells, the first few by name.
    fn many(&self, english: &str, german: &str, count: usize, cells: &[CellId]) -> String {
        let names: Vec<String> = cells
            .iter()
            .take(NAME_COUNT_MAX)
            .map(|id| match &self.landscape {
                Some(landscape) => cell_in_words(landscape, id, self.language),
                None => id.to_string(),
            })
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
        let text = format!("{}  {words}", self.minute(at));
        if text != self.last_line {
            self.line(&text);
            self.last_line = text;
        }
    }

    /// Date and minute of a point in time, where the provider is.
    fn minute(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_millisecond(at.0) {
            Ok(time) => {
                let local = self.zone.to_datetime(time);
                local.strftime("%Y-%m-%d %H:%M").to_string()
            }
            Err(_) => at.to_string(),
        }
    }

    /// Takes the bars away.
    pub fn done(&self) {
        self.systems.finish_and_clear();
        self.services.finish_and_clear();
    }
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
            | Event::FindingsSigned { .. }
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
