//! `anlauf gates`: wanted state against what each gate reports.

use serde_json::Value;

use super::Control;
use crate::exit::Done;
use crate::output::Output;

/// Show gates: wanted state against reported state
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    control: Control,
}

/// Shows gates.
///
/// # Errors
/// No answer.
pub fn run(args: &Args, output: Output) -> Done {
    let mut answer: Value = args.control.client(output)?.get("/gates")?;
    let gates = match answer["gates"].take() {
        Value::Array(gates) => gates,
        _ => Vec::new(),
    };
    output.fields(
        &gates,
        &[
            (output.say("Gate", "gate"), "gate"),
            (output.say("zuletzt gehört", "last heard"), "heard_at"),
            (output.say("angewendet", "applied"), "applied"),
            (output.say("zurück", "behind"), "behind"),
            (output.say("abweichend", "differing"), "differing"),
            (output.say("Anfragen", "requests"), "counts"),
        ],
    )
}
