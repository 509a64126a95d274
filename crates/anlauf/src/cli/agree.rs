//! `anlauf agree`, `anlauf decline`: the tenant's word on the windows it was offered.

use anlauf_model::CellId;
use anlauf_recovery::Order;
use serde_json::Value;

use super::{Change, Control, texts};
use crate::exit::{Code, Done, Failure};
use crate::output::Output;

/// Which windows.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tenant's own cells
    #[arg(value_name = "CELL", required_unless_present = "all")]
    cells: Vec<CellId>,
    /// Every window that waits for the tenant's word
    #[arg(long, conflicts_with = "cells")]
    all: bool,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Agrees.
///
/// # Errors
/// The control plane says no.
pub fn agree(args: &Args, output: Output) -> Done {
    let cells = cells(args, output)?;
    let order = Order::AgreeSlots { cells };
    args.change.send(&args.control, &order, output)
}

/// Declines.
///
/// # Errors
/// The control plane says no.
pub fn decline(args: &Args, output: Output) -> Done {
    let cells = cells(args, output)?;
    let order = Order::DeclineSlots { cells };
    args.change.send(&args.control, &order, output)
}

fn cells(args: &Args, output: Output) -> Done<Vec<CellId>> {
    if !args.all {
        return Ok(args.cells.clone());
    }
    let offers = args.control.client(output)?.all("/offers", "offers")?;
    let waits = |offer: &Value| offer["answer"] == "open";
    let waiting: Vec<Value> = offers.into_iter().filter(waits).collect();
    if waiting.is_empty() {
        return Err(Failure::new(Code::Login, "no window waits for a word"));
    }
    let parse = |text: &String| text.parse().map_err(|e| anyhow::Error::from(e).into());
    texts(&waiting, "cell").iter().map(parse).collect()
}
