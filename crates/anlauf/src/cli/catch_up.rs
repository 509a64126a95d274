//! `anlauf catch-up`: what was refused while a cell was shut has been worked off.

use anlauf_model::CellId;
use anlauf_recovery::Order;

use super::{Change, Control};
use crate::exit::Done;
use crate::output::Output;

/// Say that what was refused in the gap has been sent again and worked off
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which cells
    #[arg(value_name = "CELL", required = true)]
    cells: Vec<CellId>,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Says it.
///
/// # Errors
/// The control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let cells = args.cells.clone();
    args.change
        .send(&args.control, &Order::CatchUp { cells }, output)
}
