//! Prints the planner's figures of `docs/benchmarks.md`, each beside its peer of the same run.
//!
//! In:    which benchmarks, sizes and seeds. Out: Markdown tables on stdout, talk on stderr.
//! Never: a schedule that the validator has not checked; runs without an end in count and time.

use anyhow::Result;
use clap::{Parser, Subcommand};

mod recovery;

/// Prints the planner's figures: all, or some of them.
#[derive(Parser)]
#[command(name = "anlauf-bench-planner")]
struct Cli {
    #[command(subcommand)]
    which: Which,
}

#[derive(Subcommand)]
enum Which {
    /// Recovery-like instances by size and seed
    Recovery(recovery::Arguments),
}

fn main() -> Result<()> {
    match Cli::parse().which {
        Which::Recovery(arguments) => recovery::run(&arguments),
    }
}
