//! How a plan's rows are printed: one line per cell, everything as JSON, one line per task as CSV.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Format;
use crate::exit::Done;
use crate::output::{Output, table};

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
    if format == Format::Csv {
        return output.line(&csv(rows));
    }
    output.line(&cells(rows, ranges, output))?;
    let gap = head["gap_per_mille"].as_u64().unwrap_or_default();
    output.talk(&format!(
        "{} {}: {gap} ‰",
        output.text(&head["plan"]),
        output.say(
            "höchstens so weit vom bestmöglichen Plan",
            "at most so far from the best possible plan"
        )
    ));
    Ok(())
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
        format!(
            "  {}  {} -> {}",
            output.text(&one["cell"]),
            output.text(&one["from"]),
            output.text(&one["to"])
        )
    }));
    lines.join("\n")
}
