//! Plays the core under seeds: `cargo xtask sim --seed 7` replays exactly.

use std::process::ExitCode;

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
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    for seed in cli.seed..cli.seed.saturating_add(cli.count) {
        match anlauf_sim::run(seed, cli.steps) {
            Ok(report) => println!("seed {seed}: {report}"),
            Err(violation) => {
                eprintln!("seed {seed}: {violation}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
