//! The situation file: how far a recovery is, for planning without a control plane.
//!
//! In:    TOML or JSON, a landscape. Out: a [`Situation`], or everything that is wrong at once.
//! Never: takes a name that is not in the landscape; guesses a time.
//! See:   docs/guide/plan.md, "The situation file".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anlauf_model::limits::LANDSCAPE_FILE_SIZE_MAX;
use anlauf_model::{CellId, Landscape, SiteId, Slot, Stage, TaskKind, TeamId, TenantId, Timestamp};
use anlauf_planner::{CellProgress, Situation, TaskProgress};
use serde::Deserialize;

use crate::exit::{Done, Failure};

/// Most lanes of a team; more people than any provider has.
const LANES_MAX: u32 = 1_000;

/// What the file says. Everything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SituationFile {
    /// Nothing is planned before this. `--at` goes before it.
    now: Option<Timestamp>,
    /// When the incident began; `now` if not given.
    began: Option<Timestamp>,
    /// Per site: no work on its cells before this.
    holds: BTreeMap<SiteId, Timestamp>,
    /// Per team: lanes that differ from the landscape's.
    lanes: BTreeMap<TeamId, u32>,
    /// Per cell: the agreed window.
    slots: BTreeMap<CellId, Slot>,
    /// Per tenant: its own cells, most wanted first.
    wishes: BTreeMap<TenantId, Vec<CellId>>,
    /// Per cell: how far it is; a cell that is not named has not begun.
    progress: BTreeMap<CellId, Progress>,
}

/// How far a cell is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Progress {
    /// How far it is open.
    stage: Stage,
    /// Whether it is back for good.
    done: bool,
    /// Steps that were begun.
    tasks: BTreeMap<TaskKind, Step>,
}

/// A step that was begun.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    started: Timestamp,
    /// None while it runs.
    #[serde(default)]
    finished: Option<Timestamp>,
}

impl SituationFile {
    /// Reads a file; JSON if it is called `.json`, else TOML.
    ///
    /// # Errors
    /// It cannot be read, is too large, or does not say what a situation says.
    pub fn read(path: &Path) -> Done<Self> {
        let shown = path.display();
        let unread = |error: &dyn Display| {
            Failure::input(format!("cannot read the situation `{shown}`: {error}"))
        };
        let text = text(path).map_err(|error| unread(&error))?;
        let is_json = path.extension().is_some_and(|kind| kind == "json");
        if is_json {
            serde_json::from_str(&text).map_err(|error| unread(&error))
        } else {
            toml::from_str(&text).map_err(|error| unread(&error.to_string().trim_end()))
        }
    }

    /// The situation on a landscape; `at` is what the command line says of the time, `clock` what
    /// to take when nobody says anything.
    ///
    /// # Errors
    /// Every name and every time that cannot be.
    pub fn on<'a>(
        self,
        landscape: &'a Landscape,
        at: Option<Timestamp>,
        clock: Timestamp,
    ) -> Done<Situation<'a>> {
        let now = at.or(self.now).unwrap_or(clock);
        let began = self.began.unwrap_or(now);
        let problems = self.problems(landscape, now, began);
        if !problems.is_empty() {
            let text = format!(
                "the situation does not fit the landscape\n  {}",
                problems.join("\n  ")
            );
            return Err(Failure::input(text));
        }
        let progress = self.progress.into_iter();
        Ok(Situation {
            landscape,
            now,
            began,
            progress: progress.map(|(cell, known)| (cell, known.into())).collect(),
            slots: self.slots,
            wishes: self.wishes,
            holds: self.holds,
            lanes: self.lanes,
        })
    }

    fn problems(&self, landscape: &Landscape, now: Timestamp, began: Timestamp) -> Vec<String> {
        let mut problems = Vec::new();
        if began > now {
            problems.push(format!("`began` is {began}, after `now`, which is {now}"));
        }
        let declared = landscape.declared();
        let sites: BTreeSet<_> = declared.sites.iter().map(|one| &one.id).collect();
        let teams: BTreeSet<_> = declared.teams.iter().map(|one| &one.id).collect();
        let tenants: BTreeSet<_> = declared.tenants.iter().map(|one| &one.id).collect();
        let cells: BTreeSet<_> = landscape.cells().keys().collect();
        let wished = self.wishes.values().flatten();
        unknown(&mut problems, ("holds", "site"), self.holds.keys(), &sites);
        unknown(&mut problems, ("lanes", "team"), self.lanes.keys(), &teams);
        unknown(&mut problems, ("slots", "cell"), self.slots.keys(), &cells);
        unknown(
            &mut problems,
            ("wishes", "tenant"),
            self.wishes.keys(),
            &tenants,
        );
        unknown(&mut problems, ("wishes", "cell"), wished, &cells);
        unknown(
            &mut problems,
            ("progress", "cell"),
            self.progress.keys(),
            &cells,
        );
        problems.extend(self.impossible(now));
        for (cell, known) in &self.progress {
            let declared = landscape.cell(cell).map(|cell| &cell.tasks);
            problems.extend(known.impossible(cell, declared, now));
        }
        problems
    }

    /// What cannot be, whatever the landscape.
    fn impossible(&self, now: Timestamp) -> Vec<String> {
        let mut problems = Vec::new();
        for (team, lanes) in self.lanes.iter().filter(|(_, lanes)| **lanes > LANES_MAX) {
            problems.push(format!(
                "`lanes`: team `{team}` has {lanes}; at most {LANES_MAX}"
            ));
        }
        for (cell, slot) in &self.slots {
            let (from, to) = (slot.from, slot.to);
            if to < from {
                problems.push(format!(
                    "`slots`: `{cell}` ends at {to}, before it begins at {from}"
                ));
            } else if to < now {
                problems.push(format!("`slots`: `{cell}` was over at {to}; take it out"));
            }
        }
        for (tenant, order) in &self.wishes {
            let others = order.iter().filter(|cell| cell.owner() != tenant.as_str());
            problems.extend(
                others.map(|cell| format!("`wishes`: `{cell}` is not a cell of tenant `{tenant}`")),
            );
        }
        problems
    }
}

impl Progress {
    fn impossible(
        &self,
        cell: &CellId,
        declared: Option<&BTreeMap<TaskKind, anlauf_model::landscape::TaskNeed>>,
        now: Timestamp,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        for (task, step) in &self.tasks {
            let what = format!("`progress`: step `{}` of `{cell}`", task.word());
            if declared.is_some_and(|tasks| !tasks.contains_key(task)) {
                problems.push(format!("{what} is not one of its steps"));
            }
            let last = step.finished.unwrap_or(step.started);
            if last < step.started {
                problems.push(format!("{what} ends at {last}, before it began"));
            }
            if last > now {
                problems.push(format!("{what} is at {last}, after `now`, which is {now}"));
            }
        }
        problems
    }
}

impl From<Progress> for CellProgress {
    fn from(known: Progress) -> Self {
        let tasks = known.tasks.into_iter().map(|(task, step)| {
            let started = step.started;
            let progress = match step.finished {
                Some(finished) => TaskProgress::Done { started, finished },
                None => TaskProgress::Running { started },
            };
            (task, progress)
        });
        CellProgress {
            stage: known.stage,
            done: known.done,
            tasks: tasks.collect(),
        }
    }
}

/// Names that are in none of the landscape's lists, each with the nearest that is.
fn unknown<'i, T: Ord + Display + 'i>(
    problems: &mut Vec<String>,
    (field, kind): (&str, &str),
    given: impl Iterator<Item = &'i T>,
    known: &BTreeSet<&T>,
) {
    for id in given.filter(|id| !known.contains(id)) {
        let id = id.to_string();
        let near = known.iter().map(ToString::to_string);
        let near = near.min_by_key(|name| distance(name, &id));
        let near = near.filter(|name| distance(name, &id) <= id.len() / 3 + 1);
        let hint = near.map(|name| format!("; did you mean `{name}`?"));
        problems.push(format!(
            "`{field}`: no {kind} is called `{id}`{}",
            hint.unwrap_or_default()
        ));
    }
}

/// How many letters have to change (Levenshtein 1966), for names of tens of letters.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = index + 1;
        for place in 0..other.len() {
            let same = before + usize::from(other[place] != letter);
            before = row[place + 1];
            row[place + 1] = same.min(before + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

/// The text of a file, no more of it than a landscape's file may have.
fn text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = File::open(path)?;
    // One byte more than is allowed tells what is too large.
    file.take(LANDSCAPE_FILE_SIZE_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LANDSCAPE_FILE_SIZE_MAX {
        anyhow::bail!("it is larger than {LANDSCAPE_FILE_SIZE_MAX} bytes");
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
