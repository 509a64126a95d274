//! `anlauf close`: shuts single cells at once, with what cannot work without them.

use anlauf_model::CellId;
use anlauf_trust::Scope;
use serde_json::{Value, json};

use super::{Change, Control, tell};
use crate::exit::Done;
use crate::output::Output;

/// Shut cells at once
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which cells
    #[arg(value_name = "CELL", required = true)]
    cells: Vec<CellId>,
    /// Also what cannot work without them
    #[arg(long)]
    with_dependents: bool,
    #[command(flatten)]
    control: Control,
    #[command(flatten)]
    change: Change,
    /// Do not ask for a typed yes
    #[arg(long)]
    yes: bool,
}

/// Shows what is shut, asks, and shuts.
///
/// # Errors
/// Nobody typed yes, or the control plane says no.
pub fn run(args: &Args, output: Output) -> Done {
    let client = args.control.client(output)?;
    args.change.ticket()?;
    for cell in &args.cells {
        let whole: Value = client.get(&format!("/cells/{cell}"))?;
        let stage = output.text(&whole["stage"]);
        let needed = output.text(&whole["needed_by"]);
        let needs = output.say("wird gebraucht von", "needed by");
        output.talk(&format!("{cell}  {stage}  {needs}: {needed}"));
    }
    let question = match args.with_dependents {
        true => output.say(
            "diese Zellen und alle, die ohne sie nicht arbeiten können, sofort schließen?",
            "shut these cells and all that cannot work without them, at once?",
        ),
        false => output.say(
            "diese Zellen sofort schließen?",
            "shut these cells at once?",
        ),
    };
    output.confirm(args.yes || args.change.dry_run, question)?;
    let scope = Scope::Cells(args.cells.clone());
    shut(args, &scope, output)
}

fn shut(args: &Args, scope: &Scope, output: Output) -> Done {
    let body = json!({ "scope": scope, "with_dependents": args.with_dependents });
    let client = args.control.client(output)?;
    match args.change.post(&client, "/close", body, output)? {
        Some((ticket, answer)) => tell(&answer, &ticket, output),
        None => Ok(()),
    }
}
