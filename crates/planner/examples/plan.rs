//! Plans a landscape folder from nothing and prints what it costs: `plan DIR [STEPS [SAMPLES]]`.

use std::collections::BTreeMap;
use std::time::Instant;

use anlauf_model::landscape::source;
use anlauf_model::{Landscape, Minutes, Plan, Stage, Timestamp};
use anlauf_planner::{Search, Situation, TaskProgress, forecast, order_changed, plan, repair};

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
    if steps > 0 {
        print_repairs(&situation, &plan);
    }
    print_openings(&landscape, &plan);
    println!(
        "{samples} samples: {:?}, whole {:?}",
        begun.elapsed(),
        ranges.whole
    );
}

/// What repairs make of the plan: untouched, after ten days as planned, after ten days with the
/// steps of the last one unfinished at one team in three.
fn print_repairs(situation: &Situation<'_>, plan: &Plan) {
    let later = situation.now + Minutes::days(10);
    let mut after = situation.clone();
    after.now = later;
    follow(&mut after, plan, |_| false);
    let mut late = situation.clone();
    late.now = later;
    let teams: Vec<_> = situation
        .landscape
        .declared()
        .teams
        .iter()
        .step_by(3)
        .collect();
    follow(&mut late, plan, |row| {
        row.end > later - Minutes::days(1)
            && teams.iter().any(|team| Some(&team.id) == row.team.as_ref())
    });
    for (name, situation) in [
        ("untouched", situation),
        ("as planned", &after),
        ("late", &late),
    ] {
        let begun = Instant::now();
        let Ok(repaired) = repair(situation, plan) else {
            println!("{name}: no repair");
            continue;
        };
        let took = begun.elapsed();
        let search = Search { seed: 1, steps: 20 };
        let anew =
            anlauf_planner::plan(situation, None, search).map_or(0, |plan| plan.gap_per_mille());
        println!(
            "repair, {name}: {took:?}, gap {} ‰ (anew {anew} ‰), {} left their place, {} broken",
            repaired.plan.gap_per_mille(),
            order_changed(plan, &repaired.plan).len(),
            repaired.broken.len(),
        );
    }
}

/// Work goes as the plan says until now, but for some rows.
fn follow(
    situation: &mut Situation<'_>,
    plan: &Plan,
    is_late: impl Fn(&anlauf_model::PlanRow) -> bool,
) {
    let now = situation.now;
    let mut last = BTreeMap::new();
    for row in &plan.rows {
        let last = last.entry(row.cell.clone()).or_insert((row.end, false));
        *last = (
            row.end.max(last.0),
            last.1 || (row.start < now && is_late(row)),
        );
    }
    for row in plan.rows.iter().filter(|row| row.start < now) {
        let how = match row.end <= now && !is_late(row) {
            true => TaskProgress::Done {
                started: row.start,
                finished: row.end,
            },
            false => TaskProgress::Running { started: row.start },
        };
        let progress = situation.progress.entry(row.cell.clone()).or_default();
        // Nothing goes on behind what is late.
        let runs = progress
            .tasks
            .values()
            .any(|task| matches!(task, TaskProgress::Running { .. }));
        if !runs {
            progress.tasks.insert(row.task, how);
        }
        if last
            .get(&row.cell)
            .is_some_and(|(end, is_late)| *end <= now && !is_late)
        {
            progress.stage = Stage::Full;
            progress.done = true;
        }
    }
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
