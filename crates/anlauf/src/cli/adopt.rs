//! `anlauf adopt`: puts a signed root, policy or tenant's list of keys in force, or a close that a
//! gate took directly.

use std::path::PathBuf;

use anlauf_recovery::Order;
use anlauf_trust::Statement;

use super::sign::file::read;
use super::{Change, Control};
use crate::exit::{Done, Failure};
use crate::output::Output;

/// Put a signed root, policy or list of keys in force, or a close that a gate took directly
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The signed document
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Hands the document over.
///
/// # Errors
/// It is something else, or the control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let envelope = read(&args.file)?;
    let order = match Statement::parse(&envelope.payload)? {
        Statement::Root(_) => Order::AdoptRoot { envelope },
        Statement::Policy(_) => Order::AdoptPolicy { envelope },
        Statement::Delegation(_) => Order::AdoptDelegation { envelope },
        Statement::Close(_) => Order::Close { envelope },
        Statement::Finding(_) => {
            let shown = args.file.display();
            return Err(Failure::input(format!(
                "`{shown}` is a finding; it is brought by `anlauf finding bring`"
            )));
        }
        Statement::Release(_) => {
            let shown = args.file.display();
            return Err(Failure::input(format!(
                "`{shown}` is a release; it opens by `anlauf release carry-out`"
            )));
        }
    };
    args.change.send(&args.control, &order, output)
}
