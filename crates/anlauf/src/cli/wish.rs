//! `anlauf wish`: a tenant's own order of its cells.

use anlauf_model::{CellId, TenantId};
use anlauf_recovery::Order;
use clap::Subcommand;
use serde_json::Value;

use super::{Change, Control};
use crate::exit::Done;
use crate::output::Output;

/// State a tenant's own order of its cells, or show what tenants want
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// State the order, most wanted first
    State {
        /// Whose
        #[arg(value_name = "TENANT")]
        tenant: TenantId,
        /// Its cells, most wanted first
        #[arg(value_name = "CELL", required = true)]
        cells: Vec<CellId>,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Show wishes
    List {
        #[command(flatten)]
        control: Control,
    },
}

/// States or shows.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::State {
            tenant,
            cells,
            control,
            change,
        } => {
            let order = Order::StateWish {
                tenant: tenant.clone(),
                order: cells.clone(),
            };
            change.send(control, &order, output)
        }
        Verb::List { control } => {
            let answer: Value = control.client(output)?.get("/wishes")?;
            output.result(&answer["wishes"], || {
                super::cell::lines(&answer["wishes"], output)
            })
        }
    }
}
