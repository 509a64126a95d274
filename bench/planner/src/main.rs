//! Prints the planner's figures of `docs/benchmarks.md`, each beside its peer of the same run.
//!
//! In:    which benchmark, sizes and seeds; all when none is named.
//! Out:   Markdown tables on stdout, talk on stderr.
//! Never: a schedule that the validator has not checked; runs without an end in count and time.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Parser, Subcommand};

mod forecast;
mod psplib;
mod recovery;

/// Prints the planner's figures: all, or some of them.
#[derive(Parser)]
#[command(name = "anlauf-bench-planner")]
struct Cli {
    #[command(subcommand)]
    which: Option<Which>,
    /// Folder with sets of instances in Patterson format and tables of best known values
    #[arg(long, global = true)]
    psplib: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Which {
    /// Dates against what came, in incidents that the forecast does not know
    Forecast(forecast::Arguments),
    /// Shortest schedules: PSPLIB and generated instances, beside CP-SAT
    Psplib(psplib::Options),
    /// Recovery-like instances by size and seed
    Recovery(recovery::Arguments),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let folder = cli.psplib.as_deref();
    if let Some(which) = cli.which {
        return run(which, folder);
    }
    psplib::run(folder, &psplib::Options::usual())?;
    for name in ["forecast", "recovery"] {
        let usual = Cli::parse_from(["anlauf-bench-planner", name]);
        usual.which.map_or(Ok(()), |which| run(which, folder))?;
    }
    Ok(())
}

fn run(which: Which, folder: Option<&Path>) -> Result<()> {
    match which {
        Which::Forecast(arguments) => forecast::run(&arguments),
        Which::Recovery(arguments) => recovery::run(&arguments),
        Which::Psplib(options) => psplib::run(folder, &options),
    }
}
