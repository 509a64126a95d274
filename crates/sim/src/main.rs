//! Plays the core under seeds: `cargo xtask sim --seed 7` replays exactly.

use std::process::ExitCode;
use std::time::Duration;

use anlauf_sim::report::Events;
use anlauf_sim::{Mutant, play};
use clap::Parser;

/// Plays the core under seeds; the same seed plays the same world.
#[derive(Parser)]
#[command(name = "anlauf-sim")]
struct Cli {
    /// First seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds from there on
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Steps per seed
    #[arg(long, default_value_t = 2_000)]
    steps: u32,
    /// Go on until so many events have happened, whatever `count` says
    #[arg(long)]
    events: Option<u64>,
    /// Only the sum at the end
    #[arg(long)]
    quiet: bool,
    /// Make this mistake (a name of docs/mutants.md, such as GateBelieves)
    #[arg(long)]
    mutant: Option<String>,
    /// Make every mistake, one after another, until its checker finds it, within `count` seeds
    #[arg(long)]
    mutants: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let all_well = if cli.mutants {
        mutants(&cli)
    } else {
        seeds(&cli)
    };
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn seeds(cli: &Cli) -> bool {
    let mutant = match cli.mutant.as_deref().map(Mutant::named) {
        Some(None) => {
            eprintln!("no mutant has this name; docs/mutants.md lists them");
            return false;
        }
        found => found.flatten(),
    };
    let mut sum = Events::default();
    let start = cpu_time();
    let mut seed = cli.seed;
    loop {
        match play(seed, cli.steps, mutant) {
            Ok(report) => {
                sum.add(&report.events);
                if !cli.quiet {
                    println!("seed {seed}: {report}");
                }
            }
            Err(violation) => {
                eprintln!("seed {seed}: {violation}");
                return false;
            }
        }
        seed += 1;
        let is_over = match cli.events {
            Some(events) => sum.count() >= events,
            None => seed >= cli.seed.saturating_add(cli.count),
        };
        if is_over {
            break;
        }
    }
    let seconds = cpu_time().saturating_sub(start).as_secs_f64().max(1e-9);
    println!("{} seeds, 0 violations, {sum}", seed - cli.seed);
    println!(
        "{:.0} events per CPU-second, {:.0} without requests ({seconds:.2} CPU-seconds)",
        sum.count() as f64 / seconds,
        sum.without_requests() as f64 / seconds
    );
    true
}

/// The list of docs/mutants.md.
fn mutants(cli: &Cli) -> bool {
    let start = cpu_time();
    let mut alive = 0;
    for mutant in Mutant::ALL {
        let first = cli.seed.max(mutant.seed());
        let mut seeds = first..first.saturating_add(cli.count);
        let found = seeds.find_map(|seed| {
            let violation = play(seed, cli.steps, Some(mutant)).err()?;
            (violation.checker == mutant.checker()).then_some((seed, violation))
        });
        let line = match found {
            Some((seed, violation)) => format!("killed | seed {seed}, {violation}"),
            None => "ALIVE |".to_owned(),
        };
        alive += usize::from(!line.starts_with("killed"));
        println!("{mutant:?} | {line}");
    }
    let seconds = cpu_time().saturating_sub(start).as_secs_f64();
    let killed = Mutant::ALL.len() - alive;
    println!(
        "{killed} of {} killed, {seconds:.1} CPU-seconds",
        Mutant::ALL.len()
    );
    alive == 0
}

/// What this thread has used of a processor, as Linux counts it; elsewhere the time of day.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").ok();
    let nanoseconds = stat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(
        || {
            let now = std::time::SystemTime::now();
            now.duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default()
        },
        Duration::from_nanos,
    )
}
