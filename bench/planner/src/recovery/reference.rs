//! The product's own planner on the landscapes that are shipped: 80 tenants, 30 services.
//!
//! In:    a landscape folder, a seed. Out: a Markdown row.
//! Never: a plan that the validator of the planner's tests has not checked.
//!
//! Slots: every 33rd cell (3 %) gets half a day before to a day after where a plan without slots
//! opens it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anlauf_model::landscape::source;
use anlauf_model::{CellId, Landscape, Plan, Slot, Timestamp};
use anlauf_planner::{Search, Situation, plan};
use anyhow::{Context, Result, anyhow, ensure};

#[expect(clippy::unwrap_used, reason = "it is the tests' validator")]
#[path = "../../../../crates/planner/tests/it/checker.rs"]
mod checker;

/// One in so many cells has a slot.
const SLOT_EVERY: usize = 33;

/// Steps of improvement; 0 is the first plan. The product takes its steps from the configuration.
const STEPS: [u32; 3] = [0, 20, 300];

/// Begin of the incident.
const BEGAN: &str = "2026-04-20T20:40:00Z";

const HOUR: i64 = 3_600_000;

/// Head of the table.
pub fn head() -> String {
    let mut head = "| landscape | tasks | slots kept".to_string();
    for steps in STEPS {
        head += &format!(" | {steps} steps");
    }
    format!("{head} |\n|---|---|---|---|---|---|")
}

/// Plans a landscape.
pub fn line(folder: &Path, seed: u64) -> Result<String> {
    let landscape = read(folder)?;
    let began: Timestamp = BEGAN.parse().map_err(|_| anyhow!("`{BEGAN}` is no time"))?;
    let mut situation = Situation {
        landscape: &landscape,
        now: began,
        began,
        progress: BTreeMap::new(),
        slots: BTreeMap::new(),
        wishes: BTreeMap::new(),
        holds: BTreeMap::new(),
        lanes: BTreeMap::new(),
    };
    let (free, _) = planned(&situation, seed, 0)?;
    situation.slots = slots(&free);
    let mut line = String::new();
    for steps in STEPS {
        let (plan, took) = planned(&situation, seed, steps)?;
        let over = (plan.objective as f64 / plan.bound as f64 - 1.0) * 100.0;
        line += &format!(" | {over:.2} % in {:.0} ms", took.as_secs_f64() * 1e3);
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Ok(format!(
        "| {name} | {} | {}{line} |",
        free.rows.len(),
        situation.slots.len()
    ))
}

fn planned(situation: &Situation<'_>, seed: u64, steps: u32) -> Result<(Plan, Duration)> {
    let begun = Instant::now();
    let plan = plan(situation, None, Search { seed, steps })?;
    let took = begun.elapsed();
    let wrong = checker::violations(situation, &plan);
    ensure!(
        wrong.is_empty(),
        "the plan breaks {} rules: {}",
        wrong.len(),
        wrong[0]
    );
    Ok((plan, took))
}

/// A slot for every so manieth cell, around where the plan opens it.
fn slots(plan: &Plan) -> BTreeMap<CellId, Slot> {
    let mut opens: BTreeMap<CellId, Timestamp> = BTreeMap::new();
    for row in &plan.rows {
        let open = opens.entry(row.cell.clone()).or_insert(row.end);
        *open = (*open).max(row.end);
    }
    let around = |(cell, open): (CellId, Timestamp)| {
        let slot = Slot {
            from: Timestamp(open.0 - 12 * HOUR),
            to: Timestamp(open.0 + 24 * HOUR),
        };
        (cell, slot)
    };
    opens
        .into_iter()
        .skip(SLOT_EVERY / 2)
        .step_by(SLOT_EVERY)
        .map(around)
        .collect()
}

fn read(folder: &Path) -> Result<Landscape> {
    let mut files = BTreeMap::new();
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.insert(name, std::fs::read(&path)?);
    }
    let source = source::read(&files).map_err(|_| anyhow!("`{}` is broken", folder.display()))?;
    Landscape::new(source).map_err(|_| anyhow!("`{}` is no landscape", folder.display()))
}
