//! `anlauf break-glass`: opens cells for hours on two words, tells what is open so, and takes the
//! account of it.

use std::collections::BTreeMap;

use anlauf_model::limits::BREAK_GLASS_MINUTES_MAX;
use anlauf_model::{CellId, Minutes, Stage};
use anlauf_recovery::Order;
use anlauf_recovery::command::WaveDraft;
use clap::Subcommand;
use serde_json::Value;

use super::release::{find, tell_fresh};
use super::{Change, Control, now, word};
use crate::exit::Done;
use crate::output::Output;

/// Open cells in an emergency: two persons of two organisations, four hours at most
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Draw a break-glass up for signature: one per owner; sign it with `anlauf sign`, carry it out
    /// with `anlauf release carry-out`
    Propose(Box<Propose>),
    /// List what is open so, and what nobody has given account of
    List {
        #[command(flatten)]
        control: Control,
    },
    /// Give account of one that is over: what it was for, what was done, what was looked at
    Review(Box<Review>),
}

/// Cells to open.
#[derive(Debug, clap::Args)]
pub struct Propose {
    /// Which cells; of several owners it becomes several statements
    #[arg(value_name = "CELL", required = true)]
    cells: Vec<CellId>,
    /// To which stage: clean_room, pilot, basic, full
    #[arg(long, value_parser = word::<Stage>)]
    stage: Stage,
    /// How long they stay open. Minutes from now, at most 240
    #[arg(long, value_name = "N", default_value_t = BREAK_GLASS_MINUTES_MAX)]
    minutes: u32,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// A break-glass to give account of.
#[derive(Debug, clap::Args)]
pub struct Review {
    /// Digest, or the beginning of it
    #[arg(value_name = "RELEASE")]
    release: String,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Draws up, lists, or takes the account.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Propose(propose) => draw_up(propose, output),
        Verb::List { control } => {
            let status: Value = control.client(output)?.get("/status")?;
            let loud = status["break_glass"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            output.fields(
                &loud,
                &[
                    (output.say("Notöffnung", "break-glass"), "release"),
                    (output.say("Zellen", "cells"), "cells"),
                    (output.say("bis", "until"), "until"),
                    (output.say("Grund", "reason"), "reason"),
                    (output.say("unterschrieben", "signed"), "signers"),
                    (output.say("Rechenschaft fehlt", "account missing"), "owed"),
                ],
            )
        }
        Verb::Review(review) => {
            let client = review.control.client(output)?;
            let release = find(&client, &review.release)?;
            let order = Order::ReviewBreakGlass { release };
            review.change.send(&review.control, &order, output)
        }
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
    let order = Order::BreakGlass {
        waves: waves.collect(),
        not_after: now() + Minutes(i64::from(propose.minutes)),
    };
    let ticket = propose.change.ticket()?;
    propose.change.send(&propose.control, &order, output)?;
    match propose.change.dry_run {
        true => Ok(()),
        false => tell_fresh(&propose.control, &ticket.reason, output),
    }
}
