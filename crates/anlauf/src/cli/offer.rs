//! `anlauf offer`: windows offered to tenants, and their word.

use anlauf_model::{CellId, Slot, Timestamp};
use anlauf_recovery::Order;
use anlauf_recovery::command::SlotDraft;
use clap::Subcommand;

use super::{Change, Control};
use crate::exit::Done;
use crate::output::Output;

/// Offer windows to tenants, or list them
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Offer one window for these cells
    Make {
        /// Which cells
        #[arg(value_name = "CELL", required = true)]
        cells: Vec<CellId>,
        /// First moment: `2026-04-24T18:00:00Z`
        #[arg(long, value_name = "TIME")]
        from: Timestamp,
        /// Last moment
        #[arg(long, value_name = "TIME")]
        to: Timestamp,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Windows with the tenants' word
    List {
        #[command(flatten)]
        control: Control,
    },
}

/// Offers or lists.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Make {
            cells,
            from,
            to,
            control,
            change,
        } => {
            let slot = Slot {
                from: *from,
                to: *to,
            };
            let slots = cells.iter().map(|cell| SlotDraft {
                cell: cell.clone(),
                slot,
            });
            let slots = slots.collect();
            change.send(control, &Order::OfferSlots { slots }, output)
        }
        Verb::List { control } => {
            let offers = control.client(output)?.all("/offers", "offers")?;
            let offers = crate::words::items(offers, output);
            output.fields(
                &offers,
                &[
                    (output.say("Zelle", "cell"), "cell"),
                    (output.say("von", "from"), "from"),
                    (output.say("bis", "to"), "to"),
                    (output.say("Antwort", "answer"), "answer"),
                    (output.say("warum", "why"), "reason"),
                ],
            )
        }
    }
}
