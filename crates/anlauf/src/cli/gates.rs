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
    let mut gates = match answer["gates"].take() {
        Value::Array(gates) => gates,
        _ => Vec::new(),
    };
    if !output.json {
        gates
            .iter_mut()
            .for_each(|gate| gate["freshness"] = fresh(&gate["freshness"]));
    }
    output.fields(
        &gates,
        &[
            (output.say("Gate", "gate"), "gate"),
            (output.say("zuletzt gehört", "last heard"), "heard_at"),
            (output.say("angewendet", "applied"), "applied"),
            (output.say("zurück", "behind"), "behind"),
            (output.say("abweichend", "differing"), "differing"),
            (output.say("frisch", "fresh"), "freshness"),
            (output.say("Anfragen", "requests"), "counts"),
        ],
    )
}

/// Classes in one field: `A fresh 3 min, C held 90 min`.
fn fresh(classes: &Value) -> Value {
    let one = |class: &Value| {
        let (name, standing) = (class["class"].as_str()?, class["standing"].as_str()?);
        Some(match class["age_minutes"].as_i64() {
            Some(minutes) => format!("{name} {standing} {minutes} min"),
            None => format!("{name} {standing}"),
        })
    };
    let classes = classes.as_array().into_iter().flatten();
    classes
        .filter_map(one)
        .collect::<Vec<_>>()
        .join(", ")
        .into()
}
