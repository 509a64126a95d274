//! `anlauf inbox`: what waits for this login.

use serde_json::Value;

use super::Control;
use crate::exit::Done;
use crate::output::Output;

/// Show what waits for you
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    control: Control,
}

/// Each list with its heading and what to do about it.
const LISTS: [(&str, &str, &str, &str); 8] = [
    (
        "sign",
        "Zu unterschreiben",
        "to sign",
        "anlauf sign --waiting --key FILE",
    ),
    (
        "slots",
        "Zu beantworten",
        "to answer",
        "anlauf agree CELL, anlauf decline CELL",
    ),
    (
        "acceptance",
        "Abzunehmen",
        "to accept",
        "anlauf accept CELL",
    ),
    (
        "catch_up",
        "Nachzuarbeiten",
        "to catch up",
        "anlauf catch-up CELL",
    ),
    (
        "findings",
        "Befunde ausstehend",
        "findings to bring",
        "anlauf finding add",
    ),
    (
        "plans",
        "Pläne zur Entscheidung",
        "plans for decision",
        "anlauf plan adopt PLAN",
    ),
    (
        "release",
        "Freizugeben",
        "to carry out",
        "anlauf release carry-out RELEASE",
    ),
    (
        "contradictions",
        "Widersprüche",
        "contradictions",
        "anlauf offer make CELL",
    ),
];

/// Shows what waits.
///
/// # Errors
/// No answer.
pub fn run(args: &Args, output: Output) -> Done {
    let inbox: Value = args.control.client(output)?.get("/inbox")?;
    output.result(&inbox, || {
        let mut lines = Vec::new();
        for (name, german, english, verb) in LISTS {
            let items = inbox[name]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            if items.is_empty() {
                continue;
            }
            let heading = output.say(german, english);
            lines.push(format!("{heading}: {}  ({verb})", items.len()));
            lines.extend(
                items
                    .iter()
                    .map(|item| format!("  {}", short(item, output))),
            );
        }
        if lines.is_empty() {
            lines.push(output.say("nichts wartet", "nothing waits").to_owned());
        }
        lines.join("\n")
    })
}

fn short(item: &Value, output: Output) -> String {
    let fields = [
        "release", "plan", "cell", "stage", "cells", "kind", "from", "to", "why",
    ];
    match item {
        Value::Object(known) => {
            let known = fields.iter().filter_map(|name| known.get(*name));
            let texts: Vec<String> = known.map(|value| output.text(value)).collect();
            texts.join("  ")
        }
        value => output.text(value),
    }
}
