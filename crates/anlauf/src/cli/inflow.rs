//! `anlauf inflow`: how fast a cell that is fully open fills, at gates directly.
//!
//! In:    the gates' admin addresses, a cell and its limits, or nothing to look.
//! Out:   how every cell fills for which that is set, who is in and who waits.
//! Never: opens anything: a gate lets nobody in whom the released stage does not let in.
//! See:   docs/guide/inflow.md, ADR 022.

use anlauf_model::CellId;
use serde_json::{Value, json};

use crate::client::Client;
use crate::exit::{Done, Failure};
use crate::output::Output;

/// Show or set at gates how fast fully open cells fill
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which cell; without one every cell is shown for which something is set
    #[arg(value_name = "CELL")]
    cell: Option<CellId>,
    /// Admin address of a gate; once for each gate: limits hold for each gate alone
    #[arg(long, value_name = "URL", required = true)]
    gate: Vec<String>,
    /// Percent of the clients that are let in, always the same ones
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    #[arg(requires = "cell")]
    share: Option<u8>,
    /// Clients a minute that come in
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(requires = "cell")]
    rate: Option<u32>,
    /// Requests under way at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(requires = "cell")]
    concurrent: Option<u32>,
    /// Let everyone in whom the released stage lets in
    #[arg(long, requires = "cell", conflicts_with_all = ["share", "rate", "concurrent"])]
    off: bool,
}

/// Sets, if something is given, and shows.
///
/// # Errors
/// A gate does not answer or does not take it; the others before it have.
pub fn run(args: &Args, output: Output) -> Done {
    let is_set = args.share.is_some() || args.rate.is_some() || args.concurrent.is_some();
    if args.cell.is_some() && !is_set && !args.off {
        let why = "say how fast it fills with --share, --rate, --concurrent, or with --off that \
                   nothing limits it";
        return Err(Failure::usage(why));
    }
    let mut rows = Vec::new();
    for gate in &args.gate {
        let client = Client::at_gate(gate, output.language);
        let mut told: Value = match &args.cell {
            Some(cell) => client.post("/inflow", &order(args, cell))?,
            None => client.get("/inflow")?,
        };
        let Value::Array(cells) = told["cells"].take() else {
            continue;
        };
        for mut cell in cells {
            cell["gate"] = json!(gate);
            rows.push(cell);
        }
    }
    output.fields(
        &rows,
        &[
            (output.say("Gate", "gate"), "gate"),
            (output.say("Zelle", "cell"), "cell"),
            (output.say("Anteil %", "share %"), "share_percent"),
            (output.say("je Minute", "a minute"), "rate_per_minute"),
            (output.say("zugleich", "at once"), "concurrent_max"),
            (output.say("unterwegs", "under way"), "in_flight"),
            (output.say("warten", "wait"), "waiting"),
        ],
    )
}

/// All three limits: what is not given is not limited.
fn order(args: &Args, cell: &CellId) -> Value {
    json!({
        "cell": cell,
        "share_percent": args.share,
        "rate_per_minute": args.rate,
        "concurrent_max": args.concurrent,
    })
}
