//! The whole drill on the reference landscape, as fast as it goes, with the released binary.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::figure::{Table, spread};

/// How often it is played.
const RUNS: usize = 3;

/// Plays the drill and reads its own figures.
///
/// # Errors
/// The binary is missing, or a drill broke a promise.
pub fn run(anlauf: Option<PathBuf>, scratch: &Path) -> Result<Table> {
    let anlauf = match anlauf {
        Some(path) => path,
        None => std::env::current_exe()?.with_file_name("anlauf"),
    };
    let mut walls = Vec::new();
    let mut durable = Vec::new();
    let mut everywhere = Vec::new();
    let mut last = Value::Null;
    for run in 0..RUNS {
        let folder = tempfile::tempdir_in(scratch)?;
        let data = folder.path().join("drill");
        let begun = Instant::now();
        let out = Command::new(&anlauf)
            .args(["drill", "--speed", "max", "--quiet", "--json", "--data"])
            .arg(&data)
            .output()
            .with_context(|| format!("cannot run `{}`", anlauf.display()))?;
        if !out.status.success() {
            bail!(
                "drill {run} failed:\n{}",
                String::from_utf8_lossy(&out.stderr)
            );
        }
        walls.push(begun.elapsed().as_secs_f64());
        last = serde_json::from_slice(&out.stdout).context("the drill printed no JSON")?;
        durable.push(number(&last, &["containment", "durable_ms"])?);
        everywhere.push(number(&last, &["containment", "every_gate_ms"])?);
        eprintln!("drill {} of {RUNS} done", run + 1);
    }
    let mut table = Table::new("Drill on the reference landscape, `--speed max`");
    table.figure("wall time", spread(walls, "s"));
    table.figure(
        "containment of 1,790 cells: order to durable entry",
        spread(durable, "ms"),
    );
    let what = "containment of 1,790 cells: order to the last gate's acknowledgement";
    table.figure(what, spread(everywhere, "ms"));
    table.figure(
        "requests through the gates",
        text(&last, &["requests", "asked"]),
    );
    let what = "let through without a valid release";
    table.figure(what, text(&last, &["requests", "without_release"]));
    table.figure("ledger entries", text(&last, &["ledger", "entries"]));
    Ok(table)
}

fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, key| &value[*key])
}

fn number(value: &Value, path: &[&str]) -> Result<f64> {
    at(value, path)
        .as_f64()
        .with_context(|| format!("the drill's JSON has no {}", path.join(".")))
}

fn text(value: &Value, path: &[&str]) -> String {
    at(value, path).to_string()
}
