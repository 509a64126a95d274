//! `anlauf incident`: the frame of a recovery.

use anlauf_model::{SiteId, Text, Timestamp};
use anlauf_recovery::Order;
use clap::Subcommand;

use super::{Change, Control};
use crate::exit::Done;
use crate::output::Output;

/// Declare, narrow, hold or end an incident
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// An attack is seen
    Declare {
        /// Name in German
        #[arg(long, value_name = "TEXT")]
        de: String,
        /// Name in English
        #[arg(long, value_name = "TEXT")]
        en: String,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Only these sites stay restricted
    Narrow {
        /// Restricted sites
        #[arg(value_name = "SITE", required = true)]
        sites: Vec<SiteId>,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Hold a site for forensics: no work on it before a time
    Hold {
        /// Which site
        #[arg(value_name = "SITE")]
        site: SiteId,
        /// Until when
        #[arg(long, value_name = "TIME")]
        until: Timestamp,
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
    /// Recovery is over
    End {
        #[command(flatten)]
        control: Control,
        #[command(flatten)]
        change: Change,
    },
}

/// Sends the order.
///
/// # Errors
/// The control plane says no.
pub fn run(verb: &Verb, output: Output) -> Done {
    match verb {
        Verb::Declare {
            de,
            en,
            control,
            change,
        } => {
            let title = Text {
                de: de.clone(),
                en: en.clone(),
            };
            change.send(control, &Order::DeclareIncident { title }, output)
        }
        Verb::Narrow {
            sites,
            control,
            change,
        } => {
            let sites = sites.clone();
            change.send(control, &Order::NarrowIncident { sites }, output)
        }
        Verb::Hold {
            site,
            until,
            control,
            change,
        } => {
            let (site, until) = (site.clone(), *until);
            change.send(control, &Order::HoldSite { site, until }, output)
        }
        Verb::End { control, change } => change.send(control, &Order::EndIncident, output),
    }
}
