//! Plans a landscape folder from nothing and prints what it costs: `plan DIR [STEPS [SAMPLES]]`.

use std::collections::BTreeMap;
use std::time::Instant;

use anlauf_model::landscape::source;
use anlauf_model::{Landscape, Timestamp};
use anlauf_planner::{Search, Situation, forecast, plan};

fn landscape(folder: &str) -> Option<Landscape> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).ok()? {
        let entry = entry.ok()?;
        files.insert(
            entry.file_name().into_string().ok()?,
            std::fs::read(entry.path()).ok()?,
        );
    }
    Landscape::new(source::read(&files).ok()?).ok()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .unwrap_or_else(|| "landscapes/krankenkassen".into());
    let mut number = |or: u32| {
        arguments
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(or)
    };
    let (steps, samples) = (number(20), number(60));
    let Some(landscape) = landscape(&folder) else {
        eprintln!("cannot read a landscape from `{folder}`");
        return;
    };
    let now: Timestamp = "2026-04-20T20:40:00Z".parse().unwrap_or_default();
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
    let begun = Instant::now();
    let plan = match plan(&situation, None, Search { seed: 1, steps }) {
        Ok(plan) => plan,
        Err(contradiction) => return eprintln!("{contradiction}"),
    };
    let planned = begun.elapsed();
    let begun = Instant::now();
    let ranges = forecast(&situation, &plan, samples, 1);
    println!("tasks {}, steps {steps}: {planned:?}", plan.rows.len());
    println!(
        "objective {}, bound {}, gap {} ‰",
        plan.objective,
        plan.bound,
        plan.gap_per_mille()
    );
    println!("last opening {:?}", plan.releases().values().max());
    println!(
        "{samples} samples: {:?}, whole {:?}",
        begun.elapsed(),
        ranges.whole
    );
}
