//! How often dates hold in incidents that the forecast does not know, beside what others do.
//!
//! In:    landscapes of the repository, families of noise, how many worlds.
//! Out:   a table: coverage of P50, P80 and P95 and mean pinball loss, per forecaster.
//! Never: lets the forecast see how a world is made: what it gets is what a control plane has.
//! See:   docs/planner.md, "Forecast".

use std::path::PathBuf;

use anlauf_model::{CellId, Landscape, Range, Timestamp};
use anlauf_planner::{Outcome, Search, Simulation, forecast_to_tell, plan, repair};
use anyhow::{Context, Result};
use clap::Args;

use house::House;
use score::Score;
use truth::{Family, Truth};

mod house;
mod peer;
mod score;
mod truth;

/// Shares of the cells that are back when a forecast is told. Per cent.
const TOLD_AT: [usize; 5] = [10, 20, 35, 50, 70];

/// Those at which it is judged.
const JUDGED_AT: [usize; 2] = [20, 50];

/// Which worlds.
#[derive(Args)]
pub struct Arguments {
    /// Worlds per landscape and family
    #[arg(long, default_value_t = 40)]
    worlds: u64,
    /// Simulations of each forecast
    #[arg(long, default_value_t = 100)]
    samples: u32,
    /// Seed of the first world
    #[arg(long, default_value_t = 1_000)]
    seed: u64,
    /// Tenants of the large landscape that take part
    #[arg(long, default_value_t = 12)]
    tenants: usize,
    /// Folder with the landscapes
    #[arg(long, default_value = "landscapes")]
    landscapes: PathBuf,
    /// Leave the peers out: they take most of the time
    #[arg(long)]
    alone: bool,
    /// Print the scores that the recalibration begins with, from worlds of the known family
    #[arg(long)]
    scores: bool,
}

/// A range that was told, and who told it.
struct Told {
    share: usize,
    made_at: Timestamp,
    ranges: Vec<(CellId, Range)>,
}

/// Prints the table.
///
/// # Errors
/// A landscape cannot be read or planned.
pub fn run(arguments: &Arguments) -> Result<()> {
    let landscapes = [
        (
            "kommunen",
            house::landscape(&arguments.landscapes.join("kommunen"), usize::MAX)?,
        ),
        (
            "krankenkassen",
            house::landscape(
                &arguments.landscapes.join("krankenkassen"),
                arguments.tenants,
            )?,
        ),
    ];
    if arguments.scores {
        return scores(&landscapes, arguments);
    }
    println!("| landscape | family | back | forecaster | n | P50 / P80 / P95 held | pinball |");
    println!("|---|---|---|---|---|---|---|");
    for (name, landscape) in &landscapes {
        for family in [Family::Tails, Family::Regime] {
            let score = worlds(landscape, family, arguments)?;
            for line in score.lines(&JUDGED_AT) {
                println!("| {name} | {} | {line} |", family.name());
            }
        }
    }
    Ok(())
}

/// Plays the worlds of one family, on two threads.
fn worlds(landscape: &Landscape, family: Family, arguments: &Arguments) -> Result<Score> {
    let seeds: Vec<u64> = (arguments.seed..arguments.seed + arguments.worlds).collect();
    let half = seeds.len().div_ceil(2).max(1);
    let part = |seeds: &[u64]| -> Result<Score> {
        let mut score = Score::default();
        for seed in seeds {
            world(landscape, (family, *seed), arguments, &mut score)?;
        }
        Ok(score)
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = seeds
            .chunks(half)
            .map(|seeds| scope.spawn(|| part(seeds)))
            .collect();
        let mut whole = Score::default();
        for part in parts {
            let part = part.join().ok().context("a world broke off")?;
            whole.add(part?);
        }
        Ok(whole)
    })
}

/// Plays one world and judges what was told in it.
fn world(
    landscape: &Landscape,
    (family, seed): (Family, u64),
    arguments: &Arguments,
    score: &mut Score,
) -> Result<()> {
    let mut house = House::new(landscape, Truth::new(family, seed, landscape));
    let search = Search { seed, steps: 0 };
    let mut current = plan(&house.situation(), None, search)?;
    let (mut told, mut peers) = (Vec::new(), Vec::new());
    for share in TOLD_AT {
        house.follow(&current, share);
        current = repair(&house.situation(), &current)?.plan;
        let situation = house.situation();
        let outcomes = outcomes(&told, &house);
        let simulation = Simulation {
            samples: arguments.samples,
            seed,
            outcomes: &outcomes,
        };
        let forecast = forecast_to_tell(&situation, &current, &simulation);
        told.push(Told {
            share,
            made_at: house.now(),
            ranges: forecast.cells.into_iter().collect(),
        });
        if JUDGED_AT.contains(&share) && !arguments.scores && !arguments.alone {
            for (name, ranges) in peer::all(&house, &current, arguments.samples, seed) {
                let made_at = house.now();
                peers.push((
                    name,
                    Told {
                        share,
                        made_at,
                        ranges,
                    },
                ));
            }
        }
    }
    house.follow(&current, 100);
    for told in &told {
        score.judge("anlauf", told, &house);
    }
    for (name, told) in &peers {
        score.judge(name, told, &house);
    }
    Ok(())
}

/// Dates told before whose last day has come: one per cell, the one in the middle.
fn outcomes(told: &[Told], house: &House<'_>) -> Vec<Outcome> {
    let mut of_cell: std::collections::BTreeMap<&CellId, Vec<Outcome>> = Default::default();
    for told in told {
        for (cell, range) in &told.ranges {
            of_cell.entry(cell).or_default().push(Outcome {
                made_at: told.made_at,
                told: *range,
                came: house.opened(cell),
            });
        }
    }
    let middle = of_cell.into_values().map(|all| all[all.len() / 2]);
    middle
        .filter(|outcome| outcome.told.p95 <= house.now())
        .collect()
}

/// Scores at 5, 15 … 95 of 100 over worlds of the family that the model knows.
fn scores(landscapes: &[(&str, Landscape)], arguments: &Arguments) -> Result<()> {
    let mut all = Score::default();
    for (_, landscape) in landscapes {
        all.add(worlds(landscape, Family::Known, arguments)?);
    }
    for (level, name) in ["P50", "P80", "P95"].iter().enumerate() {
        let row: Vec<String> = all
            .scores(level)
            .iter()
            .map(|s| format!("{s:.3}"))
            .collect();
        println!("{name}: [{}]", row.join(", "));
    }
    for line in all.lines(&JUDGED_AT) {
        println!("| known | {line} |");
    }
    Ok(())
}
