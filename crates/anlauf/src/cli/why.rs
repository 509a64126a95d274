//! `anlauf why`: what holds a cell, nearest first, and what would move it earlier.
//!
//! In:    the control plane's answer. Out: lines, or JSON. Never: another tenant's cells.

use anlauf_model::{CellId, Language, Slot, Timestamp};
use serde_json::Value;

use super::Control;
use super::plan::lever;
use crate::exit::Done;
use crate::output::Output;
use crate::words;

/// Name what holds a cell, and what would move it earlier
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
    let client = args.control.client(output)?;
    let mut why: Value = client.get(&format!("/cells/{cell}/why"))?;
    // Only what stands in the plan in force can be moved in it.
    if why["chain"]
        .as_array()
        .is_some_and(|chain| !chain.is_empty())
    {
        let earlier: Value = client.get(&format!("/cells/{cell}/earlier"))?;
        why["levers"] = earlier["levers"].clone();
    }
    output.result(&why, || lines(&why, output).join("\n"))
}

fn lines(why: &Value, output: Output) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {}",
        output.text(&why["cell"]),
        words::value("stage", &why["stage"], output)
    )];
    let ready = why["ready"].as_str().map(|_| signed(why, output));
    if why["stage_next"].is_null() {
        let back = output.say("ist zurück, nichts hält sie", "is back, nothing holds it");
        lines.push(back.into());
        lines.extend(ready);
        return lines;
    }
    let next = output.say("nächste Stufe", "next stage");
    lines.push(format!(
        "{next}: {}",
        words::value("stage_next", &why["stage_next"], output)
    ));
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
    for (name, label) in held {
        let is_empty = why[name].is_null() || why[name] == Value::Array(Vec::new());
        if !is_empty {
            let told = words::value(name, &why[name], output).replace('\n', ", ");
            lines.push(format!("  {label}: {told}"));
        }
    }
    lines.extend(agreed(why, output));
    lines.extend(ready);
    lines.extend(chain(why, output));
    if !why["levers"].is_null() {
        lines.extend(lever::lines(why, output));
    }
    lines
}

/// A release that only waits for being carried out.
fn signed(why: &Value, output: Output) -> String {
    let words = output.say(
        "unterschrieben; auszuführen mit",
        "signed; to be carried out with",
    );
    let release = output.text(&why["ready"]);
    format!("  {words} `anlauf release carry-out {release}`")
}

/// The window that was agreed, and whether the plan keeps it.
fn agreed(why: &Value, output: Output) -> Option<String> {
    let slot: Slot = serde_json::from_value(why["agreed"].clone()).ok()?;
    let words = output.say("vereinbartes Fenster", "agreed window");
    let until = output.say("bis", "to");
    let mut line = format!("  {words}: {} {until} {}", slot.from, slot.to);
    let planned = serde_json::from_value::<Timestamp>(why["chain"][0]["end"].clone());
    if let Some(end) = planned.ok().filter(|end| *end > slot.to) {
        let late = output.say(
            "der Plan hält es nicht, er ist so weit erst",
            "the plan does not keep it, it is ready only at",
        );
        line.push_str(&format!("; {late} {end}"));
    }
    Some(line)
}

/// The plan's chain in words. It walks from cell to cell: each step is told with its cell.
fn chain(why: &Value, output: Output) -> Vec<String> {
    let mut whose = None;
    let mut lines = Vec::new();
    for link in why["chain"].as_array().into_iter().flatten() {
        lines.push(format!("  -> {}", sentence(link, whose, output)));
        if matches!(link["why"].as_str(), Some("needs" | "after")) {
            whose = Some(&link["cell"]);
        }
    }
    lines
}

/// One link of the plan's chain in words; `whose` names the cell it is about, if another.
fn sentence(link: &Value, whose: Option<&Value>, output: Output) -> String {
    let at = |name: &str| words::value(name, &link[name], output);
    let whose = whose.map(|cell| output.text(cell));
    let (until, cell) = (at("until"), at("cell"));
    let de = output.language == Language::De;
    let of = match (&whose, de) {
        (None, _) => String::new(),
        (Some(cell), true) => format!(" von {cell}"),
        (Some(cell), false) => format!(" of {cell}"),
    };
    match (link["why"].as_str().unwrap_or_default(), de) {
        ("needs", true) => format!("wartet auf {cell}, geplant {until}"),
        ("needs", false) => format!("waits for {cell}, planned {until}"),
        ("after", true) => format!("kommt der Reihe nach nach {cell}, geplant {until}"),
        ("after", false) => format!("comes after {cell} by order, planned {until}"),
        ("work", _) => {
            let work = match whose {
                None => output.say("eigene Arbeit", "own work"),
                Some(_) => output.say("Arbeit", "work"),
            };
            let to = output.say("bis", "to");
            let (task, start, end) = (at("task"), at("start"), at("end"));
            format!("{work}{of} ({task}): {start} {to} {end}")
        }
        ("team", true) => format!(
            "{}{of} könnte seit {} laufen, {} ist bis {until} beschäftigt mit {}",
            at("task"),
            at("since"),
            at("team"),
            at("behind")
        ),
        ("team", false) => format!(
            "{}{of} could have begun {}, {} is busy until {until} with {}",
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
        ("agreed", true) => format!("vereinbart{of} für {}", at("slot")),
        ("agreed", false) => format!("agreed{of} for {}", at("slot")),
        ("calendar", true) => format!("keine Arbeit oder Freigabe vor {until}"),
        ("calendar", false) => format!("no work or no release before {until}"),
        _ => output.text(link),
    }
}

#[cfg(test)]
mod tests;
