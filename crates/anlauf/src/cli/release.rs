//! `anlauf release`: draws releases up for signature, lists them, and carries them out.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Digest, Minutes, Stage};
use anlauf_recovery::Order;
use anlauf_recovery::command::WaveDraft;
use clap::Subcommand;
use serde_json::Value;

use super::{Change, Control, by_digest, now, texts, word};
use crate::client::Client;
use crate::exit::{Code, Done, Failure};
use crate::output::Output;

/// Draw up, list, show or carry out releases
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Draw releases up for signature: one per owner
    Propose(Box<Propose>),
    /// List releases
    List {
        /// Also those that ended
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        control: Control,
    },
    /// One release in words, with who is missing
    Show {
        /// Digest, or the beginning of it
        #[arg(value_name = "RELEASE")]
        release: String,
        #[command(flatten)]
        control: Control,
    },
    /// Carry out fully signed releases: hand them to the gates
    CarryOut(Box<CarryOut>),
}

/// Releases to draw up.
#[derive(Debug, clap::Args)]
pub struct Propose {
    /// Which cells; of several owners it becomes several releases
    #[arg(value_name = "CELL", required = true)]
    cells: Vec<CellId>,
    /// To which stage: clean_room, pilot, basic, full
    #[arg(long, value_parser = word::<Stage>)]
    stage: Stage,
    /// How long they hold. Days, at most 90
    #[arg(long, value_name = "N", default_value_t = 30)]
    days: i64,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Releases to carry out.
#[derive(Debug, clap::Args)]
pub struct CarryOut {
    /// Digests, or the beginnings of them
    #[arg(value_name = "RELEASE", required_unless_present = "ready")]
    releases: Vec<String>,
    /// Every release that nobody's signature is missing under
    #[arg(long, conflicts_with = "releases")]
    ready: bool,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Draws up, lists, shows or carries out.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Propose(propose) => draw_up(propose, output),
        Verb::List { all, control } => {
            let open = if *all { "" } else { "open=true" };
            let path = format!("/releases?{open}");
            let mut releases = control.client(output)?.all(&path, "releases")?;
            if !output.json {
                releases.iter_mut().for_each(shorten);
            }
            let releases = crate::words::items(releases, output);
            output.fields(
                &releases,
                &[
                    (output.say("Freigabe", "release"), "release"),
                    (output.say("Stufe", "stage"), "stage"),
                    (output.say("Zellen", "cells"), "cells"),
                    (output.say("unterschrieben", "signed"), "signed"),
                    (output.say("fehlt", "missing"), "missing"),
                    (output.say("Stand", "state"), "end"),
                ],
            )
        }
        Verb::Show { release, control } => {
            let client = control.client(output)?;
            let digest = find(&client, release)?;
            let whole: Value = client.get(&format!("/releases/{digest}"))?;
            output.result(&whole, || shown(&whole, output))
        }
        Verb::CarryOut(carry) => carry_out(carry, output),
    }
}

fn draw_up(propose: &Propose, output: Output) -> Done {
    let mut owners: BTreeMap<&str, Vec<CellId>> = BTreeMap::new();
    for cell in &propose.cells {
        owners.entry(cell.owner()).or_default().push(cell.clone());
    }
    let waves = owners.into_values().map(|cells| WaveDraft {
        cells,
        stage: propose.stage,
    });
    let order = Order::ProposeReleases {
        waves: waves.collect(),
        not_after: now() + Minutes::days(propose.days),
    };
    let ticket = propose.change.ticket()?;
    propose.change.send(&propose.control, &order, output)?;
    match propose.change.dry_run {
        true => Ok(()),
        false => tell_fresh(&propose.control, &ticket.reason, output),
    }
}

/// What was drawn up for this reason, each with who is missing.
///
/// # Errors
/// No answer, or stdout is gone.
pub fn tell_fresh(control: &Control, reason: &str, output: Output) -> Done {
    if output.json {
        return Ok(());
    }
    let open = control
        .client(output)?
        .all("/releases?open=true", "releases")?;
    for release in open.iter().filter(|one| one["reason"] == reason) {
        let missing = output.text(&named(&release["missing"]));
        output.line(&format!(
            "{}  {}: {missing}",
            output.text(&release["release"]),
            output.say("fehlt", "missing")
        ))?;
    }
    Ok(())
}

fn shown(whole: &Value, output: Output) -> String {
    let text = whole["words"][output.language.tag()].as_str();
    let mut lines = vec![text.unwrap_or_default().to_owned()];
    for (name, words) in [
        ("signed", output.say("unterschrieben", "signed")),
        ("missing", output.say("fehlt", "missing")),
        (
            "refused",
            output.say("die Tore würden ablehnen", "the gates would refuse"),
        ),
        ("end", output.say("Stand", "state")),
        ("ended_why", output.say("warum", "why")),
    ] {
        lines.push(format!("{words}: {}", output.text(&named(&whole[name]))));
    }
    lines.join("\n")
}

/// Who signed and who is missing, by name, for a table.
fn shorten(release: &mut Value) {
    for name in ["signed", "missing"] {
        release[name] = named(&release[name]);
    }
}

/// Persons by name, roles with how many; anything else as it is.
fn named(list: &Value) -> Value {
    let Value::Array(items) = list else {
        return list.clone();
    };
    let name = |item: &Value| match (item["person"].as_str(), item["role"].as_str()) {
        (Some(person), _) => Value::from(person),
        (_, Some(role)) => Value::from(format!("{role}:{}", item["count"])),
        _ => item.clone(),
    };
    Value::Array(items.iter().map(name).collect())
}

/// A release named by its digest or the beginning of it.
///
/// # Errors
/// None begins so, or several do.
pub fn find(client: &Client, begin: &str) -> Done<Digest> {
    if let Ok(digest) = begin.parse() {
        return Ok(digest);
    }
    let known = client.all("/releases", "releases")?;
    by_digest(begin, "release", texts(&known, "release").into_iter())
}

fn carry_out(carry: &CarryOut, output: Output) -> Done {
    let client = carry.control.client(output)?;
    let releases: Vec<Digest> = match carry.ready {
        true => {
            let inbox: Value = client.get("/inbox")?;
            let ready = inbox["release"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let digests = texts(ready, "release");
            let digests = digests
                .iter()
                .map(|text| text.parse().map_err(anyhow::Error::from));
            digests.collect::<Result<_, _>>()?
        }
        false => {
            let found = carry.releases.iter().map(|begin| find(&client, begin));
            found.collect::<Done<_>>()?
        }
    };
    if releases.is_empty() {
        return Err(Failure::new(
            Code::Login,
            "no release is ready to be carried out",
        ));
    }
    carry
        .change
        .send(&carry.control, &Order::Release { releases }, output)
}
