//! `anlauf events`: what happened, in words; on request as it happens.

use serde_json::Value;

use super::Control;
use crate::client::Client;
use crate::exit::{Code, Done, Failure};
use crate::output::{Output, plain};

/// Show what happened
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First entry shown [default: the last 50]
    #[arg(long, value_name = "NUMBER")]
    from: Option<u64>,
    /// How many entries are shown at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Go on as it happens, until interrupted
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    control: Control,
}

/// Shows entries.
///
/// # Errors
/// No answer.
pub fn run(args: &Args, output: Output) -> Done {
    let client = args.control.client(output)?;
    let from = match args.from {
        Some(from) => from.max(1),
        None => {
            let status: Value = client.get("/status")?;
            let head = status["seq"].as_u64().unwrap_or_default();
            (head + 1).saturating_sub(args.limit).max(1)
        }
    };
    if args.follow {
        return follow(&client, from, output);
    }
    let mut entries = Vec::new();
    let mut next = Some(from);
    while let (Some(from), true) = (next, (entries.len() as u64) < args.limit) {
        let left = (args.limit - entries.len() as u64).min(1_000);
        let page: Value = client.get(&format!("/entries?from={from}&limit={left}"))?;
        entries.extend(page["entries"].as_array().into_iter().flatten().cloned());
        next = page["next"].as_u64();
    }
    output.fields(
        &entries,
        &[
            (output.say("Nr", "no"), "seq"),
            (output.say("wann", "when"), "at"),
            (output.say("was", "what"), "words"),
            (output.say("warum", "why"), "reason"),
        ],
    )
}

/// Prints events as they come: one line each, as JSON with `--json`.
fn follow(client: &Client, from: u64, output: Output) -> Done {
    for line in client.lines(&format!("/events?from={}", from - 1))? {
        let line = line.map_err(|error| {
            let why = format!("the stream of events broke off: {error}");
            Failure::new(Code::Unreachable, why)
        })?;
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        if output.json {
            output.line(data)?;
            continue;
        }
        let event: Value = serde_json::from_str(data).map_err(anyhow::Error::from)?;
        let text = |name: &str| plain(event[name].as_str().unwrap_or_default());
        output.line(&format!(
            "{:>6}  {}  {}",
            event["seq"],
            text("at"),
            text("words")
        ))?;
    }
    Err(Failure::new(
        Code::Unreachable,
        "the stream of events ended",
    ))
}
