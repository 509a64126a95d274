//! What would be if: more lanes, a site free earlier, a service dropped, another order, a window.
//!
//! In:    changes as words, a situation, a plan. Out: every cell that moves, with its ranges.
//! Never: changes anything.

use std::fmt::Display;
use std::str::FromStr;

use anlauf_model::{CellId, Plan, Range, Timestamp};
use anlauf_planner::{Change, Effect, NoAnswer, Simulation, Situation, whatif};
use serde_json::json;

use super::earlier::span;
use super::offline::no_plan;
use super::{Args, Format};
use crate::exit::{Done, Failure};
use crate::output::{Output, table};

/// Most cells of a table; JSON and CSV hold all.
const EFFECT_SHOWN_MAX: usize = 40;

/// How a change is written.
const FORMS: &str = "lanes:TEAM=NUMBER, free:SITE=TIME, drop:CELL, order:TENANT=CELL,CELL, \
                     slot:CELL=FROM/TO, give-back:CELL";

/// The same for whoever asks for help.
pub const HELP: &str = "Show what would move if this were otherwise; can be given several times: \
                        lanes:TEAM=NUMBER, free:SITE=TIME, drop:CELL, order:TENANT=CELL,CELL, \
                        slot:CELL=FROM/TO, give-back:CELL";

/// Reads a change.
///
/// # Errors
/// What is wrong with it, in words.
pub fn change(text: &str) -> Result<Change, String> {
    let unclear = || format!("`{text}` is no change; say one of {FORMS}");
    let (what, rest) = text.split_once(':').ok_or_else(unclear)?;
    let pair = || rest.split_once('=').ok_or_else(unclear);
    Ok(match what {
        "lanes" => {
            let (team, lanes) = pair()?;
            Change::Lanes {
                team: parsed(team)?,
                lanes: parsed(lanes)?,
            }
        }
        "free" => {
            let (site, at) = pair()?;
            Change::Free {
                site: parsed(site)?,
                at: parsed(at)?,
            }
        }
        "drop" => Change::Drop {
            cell: parsed(rest)?,
        },
        "give-back" => Change::GiveBack {
            cell: parsed(rest)?,
        },
        "order" => {
            let (tenant, cells) = pair()?;
            let cells = cells.split(',').map(parsed::<CellId>);
            Change::Order {
                tenant: parsed(tenant)?,
                order: cells.collect::<Result<_, _>>()?,
            }
        }
        "slot" => {
            let (cell, window) = pair()?;
            let (from, to) = window.split_once('/').ok_or_else(unclear)?;
            Change::Slot {
                cell: parsed(cell)?,
                from: parsed(from)?,
                to: parsed(to)?,
            }
        }
        _ => return Err(unclear()),
    })
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: T::Err| format!("`{text}`: {error}"))
}

/// Tries the changes and prints what moves.
///
/// # Errors
/// A change that is not possible, no plan, or stdout is gone.
pub fn run(args: &Args, situation: &Situation<'_>, made: &Plan, output: Output) -> Done {
    let simulation = Simulation {
        samples: args.samples,
        seed: args.seed,
        outcomes: &[],
    };
    let tried = whatif(situation, made, &args.what_if, &simulation).map_err(no_answer)?;
    let effects = tried.effects();
    let (before, after) = (&tried.before.plan, &tried.after.plan);
    if output.json || args.format == Format::Json {
        let whole = json!({
            "before": { "plan": before.id, "objective": before.objective,
                "broken": tried.before.broken, "whole": tried.ranges_before.whole },
            "after": { "plan": after.id, "objective": after.objective,
                "broken": tried.after.broken, "whole": tried.ranges_after.whole },
            "effects": effects,
        });
        let text = serde_json::to_string_pretty(&whole).map_err(anyhow::Error::from)?;
        return output.line(&text);
    }
    match args.format {
        Format::Csv => return output.line(&csv(&effects)),
        Format::Ical => {
            return Err(Failure::usage(
                "a calendar holds openings of a plan, not what would be; leave out --what-if",
            ));
        }
        Format::Table | Format::Json => {}
    }
    for cell in &tried.after.broken {
        let words = output.say(
            "das vereinbarte Fenster hält dann nicht",
            "its agreed window would not hold",
        );
        output.talk(&format!("{cell}: {words}"));
    }
    let moved = |is: fn(i64) -> bool| {
        let by = effects.iter().filter_map(|effect| effect.by);
        by.filter(|by| is(by.0)).count()
    };
    output.talk(&format!(
        "{}: {}  {}: {}",
        output.say("früher", "sooner"),
        moved(|by| by < 0),
        output.say("später", "later"),
        moved(|by| by > 0),
    ));
    if effects.is_empty() {
        return output.line(output.say("nichts bewegt sich", "nothing moves"));
    }
    output.line(&rows(&effects, output))
}

fn rows(effects: &[Effect], output: Output) -> String {
    let head = [
        output.say("Zelle", "cell"),
        output.say("bisher", "before"),
        output.say("dann", "then"),
        output.say("um", "by"),
        output.say("P80 bisher", "P80 before"),
        output.say("P80 dann", "P80 then"),
    ];
    let at = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
    let end = |range: Option<Range>| at(range.map(|range| range.p80));
    let rows = effects.iter().take(EFFECT_SHOWN_MAX).map(|effect| {
        vec![
            effect.cell.to_string(),
            at(effect.planned_before),
            at(effect.planned_after),
            effect.by.map_or("-".to_owned(), |by| span(by.0)),
            end(effect.before),
            end(effect.after),
        ]
    });
    table(&head, rows)
}

fn csv(effects: &[Effect]) -> String {
    let at = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.to_string());
    let line = |effect: &Effect| {
        let ends = [effect.before, effect.after].map(|range| at(range.map(|range| range.p80)));
        let by = effect.by.map_or(String::new(), |by| by.0.to_string());
        let (before, after) = (at(effect.planned_before), at(effect.planned_after));
        format!("{},{before},{after},{by},{}", effect.cell, ends.join(","))
    };
    let head = "cell,before,after,by_minutes,p80_before,p80_after".to_owned();
    let lines = std::iter::once(head).chain(effects.iter().map(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn no_answer(why: NoAnswer) -> Failure {
    match why {
        NoAnswer::Impossible(words) => Failure::usage(words),
        NoAnswer::Contradiction(contradiction) => no_plan(contradiction),
    }
}

#[cfg(test)]
mod tests;
