//! Prints the planner's figures of `docs/benchmarks.md`, each beside its peer of the same run.
//!
//! In:    which benchmark, sizes and seeds; all when none is named.
//! Out:   Markdown tables on stdout, talk on stderr.
//! Never: a schedule that the validator has not checked; runs without an end in count and time.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod psplib;

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
    /// Shortest schedules: PSPLIB and generated instances, beside CP-SAT
    Psplib(psplib::Options),
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let folder = cli.psplib.as_deref();
    match cli.which {
        Some(Which::Psplib(options)) => psplib::run(folder, &options),
        None => psplib::run(folder, &psplib::Options::usual()),
    }
}
