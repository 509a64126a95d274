//! How a plan's rows are printed: one line per cell, everything as JSON, one line
//! per task as CSV, one event per opening as iCalendar.

use std::collections::BTreeMap;

use anlauf_model::Timestamp;
use serde_json::{Map, Value, json};

use super::Format;
use super::earlier::because_words;
use super::ical::{Calendar, Opening};
use crate::exit::Done;
use crate::output::{Output, table};

/// Most cells named that miss their day of the month.
const LATE_SHOWN_MAX: usize = 10;

/// The ranges of cells, by id.
pub fn ranges(cells: &[Value]) -> Value {
    let known = cells.iter().filter(|cell| !cell["expected"].is_null());
    let known = known.filter_map(|cell| {
        let id = cell["id"].as_str()?;
        Some((id.to_owned(), cell["expected"].clone()))
    });
    Value::Object(known.collect::<Map<_, _>>())
}

/// Prints a plan.
///
/// # Errors
/// Stdout is gone.
pub fn show(
    head: &Value,
    rows: &[Value],
    ranges: &Value,
    (format, output): (Format, Output),
) -> Done {
    if output.json || format == Format::Json {
        let mut whole = head.clone();
        whole["rows"] = json!(rows);
        whole["ranges"] = ranges.clone();
        let text = serde_json::to_string_pretty(&whole).map_err(anyhow::Error::from)?;
        return output.line(&text);
    }
    match format {
        Format::Csv => return output.line(&csv(rows)),
        Format::Ical => return output.raw(&calendar(head, rows, ranges, output)),
        Format::Table | Format::Json => {}
    }
    output.line(&cells(rows, ranges, output))?;
    output.talk(&bound(head, output));
    if let Some(late) = late(head, output) {
        output.talk(&late);
    }
    Ok(())
}

/// How good the plan is, and how it came about.
fn bound(head: &Value, output: Output) -> String {
    let gap = head["gap_per_mille"].as_u64().unwrap_or_default();
    let point = output.say(",", ".");
    let mut text = format!(
        "{} {}: {} {}{point}{} % {}",
        output.say("Plan", "plan"),
        output.text(&head["plan"]),
        output.say("höchstens", "at most"),
        gap / 10,
        gap % 10,
        output.say("vom bestmöglichen entfernt", "from the best possible"),
    );
    if let (Some(seed), Some(steps)) = (head["seed"].as_u64(), head["steps"].as_u64()) {
        let of = output.say("Schritte", "steps");
        text.push_str(&format!(" (seed {seed}, {steps} {of})"));
    }
    text
}

/// Which cells open after the day of the month that is set for them, if any do.
fn late(head: &Value, output: Output) -> Option<String> {
    let cells = head["deadlines_missed"].as_array()?;
    let named: Vec<String> = cells
        .iter()
        .take(LATE_SHOWN_MAX)
        .map(|cell| output.text(cell))
        .collect();
    let words = output.say(
        "nach ihrem Stichtag öffnen",
        "open after their day of the month",
    );
    let more = match cells.len().saturating_sub(LATE_SHOWN_MAX) {
        0 => String::new(),
        more => format!(" {} {more}", output.say("und weitere:", "and more:")),
    };
    (!named.is_empty()).then(|| format!("{words}: {}{more}", named.join(", ")))
}

/// The openings as a calendar, by their ids: the control plane's answer holds no names.
fn calendar(head: &Value, rows: &[Value], ranges: &Value, output: Output) -> String {
    let parsed = |value: &Value| serde_json::from_value::<Timestamp>(value.clone()).ok();
    let mut ends: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for row in rows {
        if let (Some(cell), Some(end)) = (row["cell"].as_str(), parsed(&row["end"])) {
            let last = ends.entry(cell).or_insert(end);
            *last = end.max(*last);
        }
    }
    let opening = |(cell, at): (&str, Timestamp)| Opening {
        cell: cell.to_owned(),
        name: cell.to_owned(),
        place: String::new(),
        at,
        slot: None,
        range: serde_json::from_value(ranges[cell].clone()).ok(),
    };
    let openings: Vec<Opening> = ends.into_iter().map(opening).collect();
    let calendar = Calendar {
        landscape: "plan",
        title: output.say("Öffnungen im Plan", "Planned openings"),
        made_at: parsed(&head["made_at"]).unwrap_or_default(),
        language: output.language,
    };
    calendar.text(&openings)
}

fn csv(rows: &[Value]) -> String {
    let line = |row: &Value| {
        let fields = ["cell", "task", "team", "start", "end"];
        // Ids, words and times hold neither comma nor quote.
        let texts = fields.map(|name| row[name].as_str().unwrap_or_default());
        texts.join(",")
    };
    let lines = rows.iter().map(line);
    let head = "cell,task,team,start,end".to_owned();
    std::iter::once(head)
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// One line per cell, in the order of release.
fn cells(rows: &[Value], ranges: &Value, output: Output) -> String {
    let mut spans: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let span = spans
            .entry(text("cell"))
            .or_insert((text("start"), text("end")));
        *span = (span.0.min(text("start")), span.1.max(text("end")));
    }
    let mut lines: Vec<_> = spans.into_iter().collect();
    lines.sort_by_key(|(cell, (_, end))| (*end, *cell));
    table(
        &[
            output.say("Zelle", "cell"),
            output.say("Beginn", "begins"),
            output.say("Freigabe", "release"),
            "P50",
            "P80",
            "P95",
        ],
        lines.into_iter().map(|(cell, (start, end))| {
            let range = |name: &str| output.text(&ranges[cell][name]);
            vec![
                cell.to_owned(),
                start.to_owned(),
                end.to_owned(),
                range("p50"),
                range("p80"),
                range("p95"),
            ]
        }),
    )
}

/// What changes between two plans, in words.
pub fn difference(difference: &Value, output: Output) -> String {
    let mut lines = vec![format!(
        "{}: {}  {}: {}  {}: {}",
        output.say("früher", "sooner"),
        difference["sooner"],
        output.say("später", "later"),
        difference["later"],
        output.say("gleich", "same"),
        difference["same"]
    )];
    let moves = difference["moves"].as_array().into_iter().flatten();
    lines.extend(moves.map(|one| {
        let because = serde_json::from_value(one.clone());
        let because = because.map_or(String::new(), |because| {
            format!("  ({})", because_words(&because, output))
        });
        format!(
            "  {}  {} -> {}{because}",
            output.text(&one["cell"]),
            output.text(&one["from"]),
            output.text(&one["to"])
        )
    }));
    lines.join("\n")
}
