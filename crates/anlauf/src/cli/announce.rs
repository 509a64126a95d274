//! `anlauf announce`: tells people, in both languages, and when they hear more.

use anlauf_model::{TenantId, Text, Timestamp};
use anlauf_recovery::Order;

use super::{Change, Control};
use crate::exit::Done;
use crate::output::Output;

/// Tell the public or one tenant
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The text in German
    #[arg(long, value_name = "TEXT")]
    de: String,
    /// The text in English
    #[arg(long, value_name = "TEXT")]
    en: String,
    /// When people hear more: `2026-04-24T16:00:00Z`
    #[arg(long, value_name = "TIME")]
    next_word: Timestamp,
    /// Only this tenant reads it
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Correct this notice; the earlier text stays visible
    #[arg(long, value_name = "NUMBER", conflicts_with = "tenant")]
    revise: Option<u64>,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
}

/// Tells.
///
/// # Errors
/// The control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let text = Text {
        de: args.de.clone(),
        en: args.en.clone(),
    };
    let next_word_at = args.next_word;
    let order = match args.revise {
        Some(notice) => Order::ReviseNotice {
            notice,
            text,
            next_word_at,
        },
        None => Order::PublishNotice {
            text,
            next_word_at,
            tenant: args.tenant.clone(),
        },
    };
    args.change.send(&args.control, &order, output)
}
