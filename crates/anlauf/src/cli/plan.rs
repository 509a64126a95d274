//! `anlauf plan`: one order for all tenants: made, shown, compared, put in force.
//!
//! In:    a running control plane; or, with `--landscape`, files alone.
//! Out:   tables, JSON, CSV, iCalendar. Never: a single date where a range is meant.
//! See:   docs/guide/plan.md.

use std::path::PathBuf;

use anlauf_model::{CellId, Timestamp};
use anlauf_recovery::Order;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Change, Control, by_digest, texts};
use crate::client::Client;
use crate::exit::{Code, Done, Failure};
use crate::output::{Output, table};

mod earlier;
mod ical;
pub(super) mod lever;
mod offline;
mod rows;
mod situation;
mod whatif;

/// Most improvement steps; the reference landscape takes some hours for so many.
const STEPS_MAX: i64 = 1_000_000;

/// Most simulations; P95 is steady long before.
const SAMPLES_MAX: i64 = 10_000;

/// Make, show, compare and adopt plans; without a verb: plan a landscape's files, offline
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Plan the whole landscape in this folder, as if everything had just been shut
    #[arg(long, value_name = "DIR")]
    landscape: Option<PathBuf>,
    /// How far the recovery is: a TOML or JSON file [default: nothing has begun]
    #[arg(long, value_name = "FILE", requires = "landscape")]
    situation: Option<PathBuf>,
    /// When to plan from [default: what the situation says, else now]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Improvement steps
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(0..=STEPS_MAX))]
    steps: u32,
    /// Seed of every choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Simulations for the ranges; 0 makes none
    #[arg(long, value_name = "N", default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(0..=SAMPLES_MAX))]
    samples: u32,
    /// Show what moved since this plan, which was printed with --json
    #[arg(long, value_name = "OLD.json", requires = "landscape")]
    diff: Option<PathBuf>,
    /// Show what would move if this were otherwise; can be given several times
    #[arg(long, value_name = "CHANGE", requires = "landscape", conflicts_with = "diff",
        value_parser = whatif::change, long_help = whatif::HELP)]
    what_if: Vec<anlauf_planner::Change>,
    /// Form of the result; --json is the same as json
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Which form a plan is printed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// One line per cell.
    #[default]
    Table,
    /// Everything.
    Json,
    /// One line per task.
    Csv,
    /// A calendar of openings and agreed windows (iCalendar, RFC 5545).
    Ical,
}

/// What is done with plans.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Have a plan made and kept for decision
    Propose {
        /// Improvement steps [default: the control plane's]
        #[arg(long, value_name = "N")]
        steps: Option<u32>,
        /// Seed of every choice
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Show the plan in force
    Show {
        /// Form of the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        control: Control,
    },
    /// Plans that were adopted, and those for decision
    List {
        #[command(flatten)]
        control: Control,
    },
    /// Put a proposed plan in force
    Adopt {
        /// Its id, or the beginning of it; not needed if one plan waits
        #[arg(value_name = "PLAN")]
        plan: Option<String>,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Make ranges from the plan in force and put them on record
    Forecast {
        /// Simulations
        #[arg(long, value_name = "N")]
        samples: Option<u32>,
        /// Seed of every chance
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// What would move a cell earlier, and by how much
    Earlier {
        /// Which: `bkk-amsel/epa`
        #[arg(value_name = "CELL")]
        cell: CellId,
        #[command(flatten)]
        control: Control,
    },
    /// What changes between two plans
    Diff {
        /// Later plan, or the beginning of its id
        #[arg(value_name = "TO")]
        to: String,
        /// Earlier plan [default: the one in force]
        #[arg(long, value_name = "PLAN")]
        from: Option<String>,
        #[command(flatten)]
        control: Control,
    },
}

/// Plans.
///
/// # Errors
/// The files cannot be used, or the control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    match (&args.verb, &args.landscape) {
        (Some(verb), _) => run_verb(verb, output),
        (None, Some(folder)) => offline::run(args, folder, output),
        (None, None) => Err(Failure::usage(
            "give --landscape DIR to plan files, or a verb: propose, show, list, adopt, \
             forecast, diff",
        )),
    }
}

fn run_verb(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Propose {
            steps,
            seed,
            control,
            change,
        } => {
            let body = given([("steps", json!(steps)), ("seed", json!(seed))]);
            let client = control.client(output)?;
            show_made(
                change.post(&client, "/plan/proposals", body, output)?,
                output,
            )
        }
        Verb::Forecast {
            samples,
            seed,
            control,
            change,
        } => {
            let body = given([("samples", json!(samples)), ("seed", json!(seed))]);
            let client = control.client(output)?;
            show_made(change.post(&client, "/forecast", body, output)?, output)
        }
        Verb::Show { format, control } => {
            let client = control.client(output)?;
            let head: Value = client.get("/plan?limit=1")?;
            let rows = client.all("/plan", "rows")?;
            let cells = client.all("/cells", "cells")?;
            rows::show(&head, &rows, &rows::ranges(&cells), (*format, output))
        }
        Verb::List { control } => list(control, output),
        Verb::Adopt {
            plan,
            control,
            change,
        } => {
            let plan = proposed(&control.client(output)?, plan.as_deref())?;
            change.send(control, &Order::AdoptPlan { plan }, output)
        }
        Verb::Earlier { cell, control } => {
            let client = control.client(output)?;
            let answer: Value = client.get(&format!("/cells/{cell}/earlier"))?;
            output.result(&answer, || lever::lines(&answer, output).join("\n"))
        }
        Verb::Diff { to, from, control } => {
            let client = control.client(output)?;
            let to = known(&client, to)?;
            let from = from.as_ref().map(|from| known(&client, from)).transpose()?;
            let from = from.map(|from| format!("from={from}&")).unwrap_or_default();
            let diff: Value = client.get(&format!("/plans/diff?{from}to={to}"))?;
            output.result(&diff, || rows::difference(&diff["difference"], output))
        }
    }
}

/// The fields that were given.
fn given<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let given = fields.into_iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn show_made(made: Option<(crate::client::Ticket, Value)>, output: Output) -> Done {
    let Some((ticket, mut answer)) = made else {
        return Ok(());
    };
    answer["key"] = json!(ticket.key);
    output.result(&answer, || {
        let mut short = answer.clone();
        let fields = short.as_object_mut();
        let difference = fields.and_then(|fields| fields.remove("difference"));
        let difference = difference.unwrap_or_default();
        let mut text = super::cell::lines(&short, output);
        if !difference.is_null() {
            text = format!("{text}\n{}", rows::difference(&difference, output));
        }
        text
    })
}

fn list(control: &Control, output: Output) -> Done {
    let plans: Value = control.client(output)?.get("/plans")?;
    output.result(&plans, || {
        let rows = ["adopted", "proposed"].into_iter().flat_map(|name| {
            let items = plans[name].as_array().into_iter().flatten();
            items.map(move |plan| {
                let word = match name {
                    "adopted" => output.say("in Kraft gesetzt", "adopted"),
                    _ => output.say("zur Entscheidung", "for decision"),
                };
                let at = [&plan["adopted_at"], &plan["made_at"]];
                let at = at.into_iter().find(|at| !at.is_null());
                vec![
                    output.text(&plan["plan"]),
                    word.to_owned(),
                    output.text(at.unwrap_or(&Value::Null)),
                    format!("{} ‰", plan["gap_per_mille"]),
                ]
            })
        });
        let head = [
            output.say("Plan", "plan"),
            output.say("Stand", "standing"),
            output.say("Zeit", "time"),
            output.say("Abstand zum Besten höchstens", "from the best at most"),
        ];
        table(&head, rows)
    })
}

/// A plan for decision: the named one, or the only one.
fn proposed(client: &Client, begin: Option<&str>) -> Done<anlauf_model::PlanId> {
    if let Some(begin) = begin {
        return known(client, begin);
    }
    let plans: Value = client.get("/plans")?;
    let waiting = plans["proposed"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    match &texts(waiting, "plan")[..] {
        [one] => Ok(one.parse().map_err(anyhow::Error::from)?),
        [] => Err(Failure::new(
            Code::Refused,
            "no plan waits for decision; have one made with `anlauf plan propose`",
        )),
        _ => Err(Failure::usage("several plans wait for decision; name one")),
    }
}

fn known(client: &Client, begin: &str) -> Done<anlauf_model::PlanId> {
    if let Ok(digest) = begin.parse() {
        return Ok(digest);
    }
    let plans: Value = client.get("/plans")?;
    let all = ["adopted", "proposed"].into_iter().flat_map(|name| {
        let items = plans[name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        texts(items, "plan")
    });
    by_digest(begin, "plan", all)
}
