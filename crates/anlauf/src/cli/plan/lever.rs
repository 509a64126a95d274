//! What would move a cell earlier, and by how much, in words.
//!
//! In:    the control plane's levers. Out: lines, the strongest first.
//! Never: a lever that was not tried on the plan in force.

use serde_json::Value;

use super::earlier::span;
use crate::output::Output;

/// A heading and a line per lever.
pub fn lines(answer: &Value, output: Output) -> Vec<String> {
    let levers = answer["levers"].as_array().map(Vec::as_slice);
    let levers = levers.unwrap_or_default();
    if levers.is_empty() {
        let none = output.say(
            "nichts davon hilft: keine Bahn mehr, kein früher freier Standort, kein \
             zurückgegebenes Fenster",
            "nothing of that helps: no lane more, no site free earlier, no window given back",
        );
        return vec![none.to_owned()];
    }
    let head = output.say("früher brächten sie", "would bring it forward");
    let lines = levers.iter().map(|lever| line(lever, output));
    std::iter::once(format!("{head}:")).chain(lines).collect()
}

fn line(lever: &Value, output: Output) -> String {
    let at = |name: &str| output.text(&lever[name]);
    let change = match lever["change"].as_str().unwrap_or_default() {
        "lanes" => format!(
            "{} {} {} {} {}",
            output.say("Team", "team"),
            at("team"),
            output.say("mit", "with"),
            at("lanes"),
            output.say("Bahnen", "lanes")
        ),
        "free" => format!(
            "{} {} {}",
            at("site"),
            output.say("frei ab", "free from"),
            at("at")
        ),
        "give_back" => format!(
            "{} {}",
            output.say(
                "vereinbartes Fenster zurückgeben:",
                "give back the agreed window:"
            ),
            at("cell")
        ),
        _ => output.text(lever),
    };
    let by = lever["earlier"].as_i64().unwrap_or_default();
    let by = span(by);
    format!(
        "  {change}: {} {}, {} {}",
        by.trim_start_matches('+'),
        output.say("früher", "earlier"),
        output.say("öffnet", "opens"),
        at("opens")
    )
}

#[cfg(test)]
mod tests;
