//! `anlauf why`: what holds a cell, nearest first.

use anlauf_model::{CellId, Language};
use serde_json::Value;

use super::Control;
use crate::exit::Done;
use crate::output::Output;

/// Name what holds a cell
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which: `bkk-amsel/epa`
    #[arg(value_name = "CELL")]
    cell: CellId,
    #[command(flatten)]
    control: Control,
}

/// Names it.
///
/// # Errors
/// No answer, or there is no such cell for this login.
pub fn run(args: &Args, output: Output) -> Done {
    let cell = &args.cell;
    let why: Value = args
        .control
        .client(output)?
        .get(&format!("/cells/{cell}/why"))?;
    output.result(&why, || lines(&why, output).join("\n"))
}

fn lines(why: &Value, output: Output) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}",
        output.text(&why["cell"]),
        output.text(&why["stage"])
    )];
    if why["stage_next"].is_null() {
        lines.push(
            output
                .say("ist zurück, nichts hält sie", "is back, nothing holds it")
                .into(),
        );
        return lines;
    }
    let next = output.say("nächste Stufe", "next stage");
    lines.push(format!("{next}: {}", output.text(&why["stage_next"])));
    let held = [
        ("needs_closed", output.say("braucht zuerst", "needs first")),
        ("tasks_open", output.say("Schritte offen", "steps not done")),
        (
            "findings_missing",
            output.say("Befunde fehlen", "findings missing"),
        ),
        (
            "signatures_missing",
            output.say("Unterschriften fehlen", "signatures missing"),
        ),
        (
            "word_missing",
            output.say("Wort des Mandanten fehlt", "tenant's word missing"),
        ),
    ];
    for (name, words) in held {
        let is_empty = why[name].is_null() || why[name] == Value::Array(Vec::new());
        if !is_empty {
            lines.push(format!("  {words}: {}", output.text(&why[name])));
        }
    }
    let chain = why["chain"].as_array().into_iter().flatten();
    lines.extend(chain.map(|link| format!("  -> {}", sentence(link, output))));
    lines
}

/// One link of the plan's chain in words.
fn sentence(link: &Value, output: Output) -> String {
    let at = |name: &str| output.text(&link[name]);
    let (until, cell) = (at("until"), at("cell"));
    let de = output.language == Language::De;
    match (link["why"].as_str().unwrap_or_default(), de) {
        ("needs", true) => format!("wartet auf {cell}, geplant {until}"),
        ("needs", false) => format!("waits for {cell}, planned {until}"),
        ("after", true) => format!("kommt der Reihe nach nach {cell}, geplant {until}"),
        ("after", false) => format!("comes after {cell} by order, planned {until}"),
        ("work", true) => format!(
            "eigene Arbeit ({}): {} bis {}",
            at("task"),
            at("start"),
            at("end")
        ),
        ("work", false) => format!(
            "own work ({}): {} to {}",
            at("task"),
            at("start"),
            at("end")
        ),
        ("team", true) => format!(
            "{} könnte seit {} laufen, {} ist bis {until} beschäftigt mit {}",
            at("task"),
            at("since"),
            at("team"),
            at("behind")
        ),
        ("team", false) => format!(
            "{} could have begun {}, {} is busy until {until} with {}",
            at("task"),
            at("since"),
            at("team"),
            at("behind")
        ),
        ("acceptance", true) => format!("die Tester des Mandanten sind bis {until} beschäftigt"),
        ("acceptance", false) => format!("the tenant's testers are busy until {until}"),
        ("hold", true) => format!(
            "Standort {} ist für die Forensik gesperrt bis {until}",
            at("site")
        ),
        ("hold", false) => format!("site {} is held for forensics until {until}", at("site")),
        ("agreed", true) => format!("vereinbart für {}", at("slot")),
        ("agreed", false) => format!("agreed for {}", at("slot")),
        ("calendar", true) => format!("keine Arbeit oder Freigabe vor {until}"),
        ("calendar", false) => format!("no work or no release before {until}"),
        _ => output.text(link),
    }
}
