//! A plan that was printed before, and what moved since.
//!
//! In:    a file that `anlauf plan --json` wrote, the situation, the plan made of it.
//! Out:   every opening that moved, by how much, because of what.
//! Never: compares with a plan that was changed since it was printed.

use std::path::Path;

use anlauf_model::{Plan, PlanId, PlanRow, Timestamp};
use anlauf_planner::{Because, Cause, Moved, Situation, causes, diff};
use serde::Deserialize;
use serde_json::json;

use super::offline::head;
use super::{Args, Format};
use crate::exit::{Done, Failure};
use crate::output::{Output, table};

/// Most moves of a table; JSON and CSV hold all.
const MOVE_SHOWN_MAX: usize = 40;

/// A plan as it is printed.
#[derive(Deserialize)]
struct Printed {
    plan: PlanId,
    parent: Option<PlanId>,
    made_at: Timestamp,
    rows: Vec<PlanRow>,
    objective: u64,
    bound: u64,
}

impl From<Printed> for Plan {
    fn from(printed: Printed) -> Self {
        let Printed {
            plan: id,
            parent,
            made_at,
            rows,
            objective,
            bound,
        } = printed;
        Plan {
            id,
            parent,
            made_at,
            rows,
            objective,
            bound,
        }
    }
}

/// Reads a plan.
///
/// # Errors
/// It cannot be read, is no plan, or is not what was printed.
pub fn read(path: &Path) -> Done<Plan> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("cannot read the plan `{shown}`: {error}")))?;
    let printed: Printed = serde_json::from_str(&text).map_err(|error| {
        Failure::input(format!(
            "`{shown}` is no plan as `anlauf plan --json` prints it: {error}"
        ))
    })?;
    let plan = Plan::from(printed);
    if plan.clone().sealed().id != plan.id {
        return Err(Failure::input(format!(
            "the plan in `{shown}` was changed since it was printed; its id is not that of its rows"
        )));
    }
    Ok(plan)
}

/// Prints what moved from the one to the other.
///
/// # Errors
/// Stdout is gone, or the form has no place for moves.
pub fn run(
    args: &Args,
    situation: &Situation<'_>,
    (old, new): (&Plan, &Plan),
    output: Output,
) -> Done {
    let found = diff(situation.landscape, old, new, causes(old, situation));
    if output.json || args.format == Format::Json {
        let mut whole = head(args, situation, new);
        whole["rows"] = json!(new.rows);
        whole["difference"] = json!(found);
        let text = serde_json::to_string_pretty(&whole).map_err(anyhow::Error::from)?;
        return output.line(&text);
    }
    match args.format {
        Format::Csv => return output.line(&csv(&found.moved)),
        Format::Ical => {
            return Err(Failure::usage(
                "a calendar holds openings, not moves; leave out --diff",
            ));
        }
        Format::Table | Format::Json => {}
    }
    output.talk(&format!(
        "{}: {}  {}: {}  {}: {}  {}: {}  {}: {}",
        output.say("früher", "sooner"),
        found.sooner,
        output.say("später", "later"),
        found.later,
        output.say("gleich", "same"),
        found.same,
        output.say("neu", "added"),
        found.added,
        output.say("nicht mehr darin", "gone"),
        found.gone,
    ));
    for cause in &found.causes {
        output.talk(&format!("  {}", cause_words(cause, output)));
    }
    if found.moved.is_empty() {
        return output.line(output.say("nichts bewegt sich", "nothing moves"));
    }
    output.line(&moves(&found.moved, output))?;
    if found.moved.len() > MOVE_SHOWN_MAX {
        let left = found.moved.len() - MOVE_SHOWN_MAX;
        let more = output.say("weitere; alle mit --json", "more; all with --json");
        output.talk(&format!("{left} {more}"));
    }
    Ok(())
}

fn moves(moved: &[Moved], output: Output) -> String {
    let head = [
        output.say("Zelle", "cell"),
        output.say("bisher", "before"),
        output.say("jetzt", "after"),
        output.say("um", "by"),
        output.say("weil", "because"),
    ];
    let at = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
    let rows = moved.iter().take(MOVE_SHOWN_MAX).map(|one| {
        vec![
            one.cell.to_string(),
            at(one.from),
            at(one.to),
            one.by.map_or("-".to_owned(), |by| span(by.0)),
            because_words(&one.because, output),
        ]
    });
    table(&head, rows)
}

fn csv(moved: &[Moved]) -> String {
    let at = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.to_string());
    let line = |one: &Moved| {
        let by = one.by.map_or(String::new(), |by| by.0.to_string());
        // Ids and times hold neither comma nor quote.
        format!("{},{},{},{by}", one.cell, at(one.from), at(one.to))
    };
    let head = "cell,before,after,by_minutes".to_owned();
    let lines = std::iter::once(head).chain(moved.iter().map(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// A span with its sign: `+2 d 3 h`, `-45 min`.
pub fn span(minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let whole = minutes.unsigned_abs();
    let (days, hours, rest) = (whole / 1440, whole % 1440 / 60, whole % 60);
    match (days, hours) {
        (0, 0) => format!("{sign}{rest} min"),
        (0, _) => format!("{sign}{hours} h {rest} min"),
        _ => format!("{sign}{days} d {hours} h"),
    }
}

/// Why an opening moved, in words.
pub fn because_words(because: &Because, output: Output) -> String {
    let say = |german: &str, english: &str| output.say(german, english).to_owned();
    match because {
        Because::Work { task } => format!("{} ({})", say("eigene Arbeit", "own work"), task.word()),
        Because::Needs { cell } => format!("{} {cell}", say("braucht", "needs")),
        Because::After { cell } => format!("{} {cell}", say("kommt nach", "comes after")),
        Because::Team { team, behind, .. } => format!(
            "{} {team}, {} {behind}",
            say("Team", "team"),
            say("hinter", "behind")
        ),
        Because::Testers { behind } => format!(
            "{} {behind}",
            say("Tester des Mandanten, hinter", "tenant's testers, behind")
        ),
        Because::Agreed => say("vereinbartes Fenster", "agreed window"),
        Because::Hold { site } => format!("{} {site}", say("Sperre von", "hold of")),
        Because::Added => say("wieder zu tun", "to be done again"),
        Because::Gone => say("nichts mehr zu tun", "nothing left to do"),
        Because::Order => say("andere Reihenfolge", "another order"),
    }
}

fn cause_words(cause: &Cause, output: Output) -> String {
    let say = |german: &str, english: &str| output.say(german, english).to_owned();
    match cause {
        Cause::Again { cell, task } => {
            format!(
                "{cell}: {} {}",
                say("noch einmal ab", "again from"),
                task.word()
            )
        }
        Cause::Late { cell, task, by, .. } => {
            format!(
                "{cell} ({}): {} {}",
                task.word(),
                say("später um", "late by"),
                span(by.0)
            )
        }
        Cause::Early { cell, task, by } => {
            format!(
                "{cell} ({}): {} {}",
                task.word(),
                say("früher um", "early by"),
                span(by.0)
            )
        }
        other => match serde_json::to_value(other) {
            Ok(value) => output.text(&value),
            Err(_) => String::new(),
        },
    }
}

#[cfg(test)]
mod tests;
