//! `anlauf accept`: the tenant's word after its own people tested.

use anlauf_model::CellId;
use anlauf_recovery::Order;

use super::{Change, Control};
use crate::exit::Done;
use crate::output::Output;

/// Say as a tenant that its people tested cells, and whether they accept
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The tenant's own cells
    #[arg(value_name = "CELL", required = true)]
    cells: Vec<CellId>,
    /// They do not accept
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Sends the word.
///
/// # Errors
/// The control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let order = Order::AcceptCells {
        cells: args.cells.clone(),
        passed: !args.failed,
    };
    args.change.send(&args.control, &order, output)
}
