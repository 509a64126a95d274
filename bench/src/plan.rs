//! How long one order for all tenants takes, and how far it is from the best possible at most.

use std::collections::BTreeMap;
use std::time::Instant;

use anlauf_model::Timestamp;
use anlauf_planner::{Search, Situation, forecast, plan};
use anyhow::{Result, anyhow};

use crate::figure::{Table, millis, spread};
use crate::landscape;

/// How often each is measured.
const RUNS: usize = 5;
/// Simulations of one forecast.
const SAMPLES: u32 = 200;

/// Plans the reference landscape as on the evening of the attack.
///
/// # Errors
/// No landscape, or no plan.
pub fn run() -> Result<Table> {
    let landscape = landscape::reference()?;
    let now: Timestamp = "2026-04-20T20:40:00Z".parse()?;
    let situation = Situation {
        landscape: &landscape,
        now,
        began: now,
        progress: BTreeMap::new(),
        slots: BTreeMap::new(),
        wishes: BTreeMap::new(),
        holds: BTreeMap::new(),
        lanes: BTreeMap::new(),
    };
    let mut table = Table::new("Plan of the reference landscape (80 tenants, 1,790 cells)");
    for steps in [0, 20, 200] {
        let mut times = Vec::new();
        let mut made = None;
        for _ in 0..RUNS {
            let begun = Instant::now();
            made = Some(plan(&situation, None, Search { seed: 1, steps })?);
            times.push(millis(begun.elapsed()));
        }
        let made = made.ok_or_else(|| anyhow!("no plan"))?;
        let tasks = made.rows.len();
        let title = format!("{tasks} tasks, {steps} improvement steps: time");
        table.figure(&title, spread(times, "ms"));
        let ratio = made.objective as f64 / made.bound.max(1) as f64;
        table.beside(
            &format!("{steps} improvement steps: objective against the lower bound"),
            format!("{:.3e}", made.objective as f64),
            format!("{:.3e} (bound)", made.bound as f64),
            ratio,
        );
    }
    let made = plan(&situation, None, Search { seed: 1, steps: 20 })?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        let ranges = forecast(&situation, &made, SAMPLES, 1);
        times.push(millis(begun.elapsed()));
        if ranges.cells.is_empty() {
            return Err(anyhow!("the forecast is empty"));
        }
    }
    table.figure(
        &format!("forecast, {SAMPLES} simulations of the plan"),
        spread(times, "ms"),
    );
    Ok(table)
}
