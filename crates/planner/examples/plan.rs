//! Plans a landscape folder from nothing and prints what it costs: `plan DIR [STEPS [SAMPLES]]`.

use std::collections::BTreeMap;
use std::time::Instant;

use anlauf_model::landscape::source;
use anlauf_model::{Landscape, Plan, Timestamp};
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
    print_openings(&landscape, &plan);
    println!(
        "{samples} samples: {:?}, whole {:?}",
        begun.elapsed(),
        ranges.whole
    );
}

/// First, middle and last opening of each service at each site, by the last.
fn print_openings(landscape: &Landscape, plan: &Plan) {
    let mut by_service: BTreeMap<_, Vec<Timestamp>> = BTreeMap::new();
    for (cell, at) in plan.releases() {
        let Some(cell) = landscape.cell(cell) else {
            continue;
        };
        let owner = if cell.tenant().is_some() {
            cell.site.as_str()
        } else {
            cell.id.owner()
        };
        by_service
            .entry((cell.service.as_str(), owner))
            .or_default()
            .push(at);
    }
    let mut lines: Vec<_> = by_service.into_iter().collect();
    lines.sort_by_key(|(_, at)| at.iter().max().copied());
    for ((service, owner), mut at) in lines {
        at.sort();
        println!(
            "{owner:>10}/{service:<12} {} {} {}",
            at[0],
            at[at.len() / 2],
            at[at.len() - 1]
        );
    }
}
