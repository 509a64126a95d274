//! `anlauf task`: work on cells begins, is done, or must be done again.

use anlauf_model::{CellId, TaskKind};
use anlauf_recovery::Order;
use anlauf_recovery::command::TaskRef;
use clap::Subcommand;

use super::{Change, Control, word};
use crate::exit::Done;
use crate::output::Output;

/// Say that work begins, is done, or must be done again
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Work begins
    Start(Box<Args>),
    /// Work is done; its finding is brought separately
    Finish(Box<Args>),
    /// Work must be done again
    Fail(Box<Args>),
}

/// Which work.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which step: evidence, rebuild, scan, credentials, function_test, acceptance, return or
    /// decision
    #[arg(value_name = "TASK", value_parser = word::<TaskKind>)]
    task: TaskKind,
    /// Of which cells
    #[arg(value_name = "CELL", required = true)]
    cells: Vec<CellId>,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Sends the order.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    let (Verb::Start(args) | Verb::Finish(args) | Verb::Fail(args)) = verb;
    let tasks = args.cells.iter().map(|cell| TaskRef {
        cell: cell.clone(),
        task: args.task,
    });
    let tasks: Vec<TaskRef> = tasks.collect();
    let order = match verb {
        Verb::Start(_) => Order::StartTasks { tasks },
        Verb::Finish(_) => Order::FinishTasks { tasks },
        Verb::Fail(_) => Order::FailTasks { tasks },
    };
    args.change.send(&args.control, &order, output)
}
