//! `anlauf status`: how far the recovery is; the two progress numbers, never mixed.

use anlauf_model::Stage;
use serde_json::Value;

use super::Control;
use crate::exit::Done;
use crate::output::Output;
use crate::words;

/// Show how far the recovery is
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What anyone may know, without a login
    #[arg(long)]
    public: bool,
    #[command(flatten)]
    control: Control,
}

/// Shows the status.
///
/// # Errors
/// No answer.
pub fn run(args: &Args, output: Output) -> Done {
    let client = args.control.client(output)?;
    if args.public {
        let status: Value = client.get("/public/status")?;
        return output.result(&status, || super::cell::lines(&status, output));
    }
    let status: Value = client.get("/status")?;
    output.result(&status, || lines(&status, output).join("\n"))
}

fn lines(status: &Value, output: Output) -> Vec<String> {
    let text = |value: &Value| output.text(value);
    let mut lines = Vec::new();
    if status["drill"] == true {
        lines.push(output.say("*** ÜBUNG ***", "*** DRILL ***").to_owned());
    }
    for one in status["break_glass"].as_array().into_iter().flatten() {
        let head = match one["owed"].as_bool() {
            Some(true) => output.say(
                "!!! NOTÖFFNUNG beendet, Rechenschaft fehlt",
                "!!! BREAK-GLASS over, its account is missing",
            ),
            _ => output.say(
                "!!! NOTÖFFNUNG ohne Freigabe bis",
                "!!! BREAK-GLASS without a release until",
            ),
        };
        let (until, cells) = (text(&one["until"]), text(&one["cells"]));
        lines.push(format!(
            "{head} {until}: {cells} · {}",
            text(&one["reason"])
        ));
    }
    let incident = match &status["incident"] {
        Value::Object(incident) => match &incident["ended"] {
            Value::Null => format!(
                "{} {} {}",
                text(&incident["title"]),
                output.say("seit", "since"),
                text(&incident["began"])
            ),
            ended => format!(
                "{} {} {}",
                text(&incident["title"]),
                output.say("beendet", "ended"),
                text(ended)
            ),
        },
        _ => output.say("kein Vorfall", "no incident").to_owned(),
    };
    lines.push(format!("{}: {incident}", output.say("Vorfall", "incident")));
    let progress = &status["progress"];
    lines.push(format!(
        "{}: {}",
        output.say("Systeme wiederhergestellt", "systems restored"),
        percent(&progress["systems_restored_per_mille"])
    ));
    lines.push(format!(
        "{}: {}",
        output.say("für Menschen freigegeben", "released to people"),
        percent(&progress["services_released_per_mille"])
    ));
    lines.push(format!(
        "{} {}: {}",
        text(&status["cells"]),
        output.say("Zellen", "cells"),
        stages(&status["stages"], output)
    ));
    lines.push(format!(
        "{}: {}",
        output.say("nächste Mitteilung", "next word"),
        text(&status["next_word_at"])
    ));
    lines.push(format!(
        "{} {} · {} {}",
        output.say("Eintrag", "entry"),
        text(&status["seq"]),
        output.say("Stand", "as of"),
        text(&status["as_of"])
    ));
    lines
}

/// Stages that cells are at, from shut to open.
fn stages(counts: &Value, output: Output) -> String {
    let counted = Stage::ALL.into_iter().filter_map(|stage| {
        let count = counts[stage.word()].as_u64().filter(|count| *count > 0)?;
        let stage = words::told(stage.word(), "stage", output.language);
        Some(format!("{count} {stage}"))
    });
    counted.collect::<Vec<_>>().join(", ")
}

fn percent(per_mille: &Value) -> String {
    let value = per_mille.as_u64().unwrap_or_default();
    format!("{}.{} %", value / 10, value % 10)
}
