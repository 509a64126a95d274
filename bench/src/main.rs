//! Prints the figures of `docs/benchmarks.md`, each beside its peer of the same run.
//!
//! In:    which benchmarks. Out: Markdown tables on stdout, talk on stderr.
//! Never: fails a test; leaves the loopback; runs without an end in count and time.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;

mod drill;
mod figure;
mod gate;
mod landscape;
mod plan;
mod store;

use figure::Table;

/// Prints figures: all, or some of drill, contain, store, plan, gate.
#[derive(Parser)]
#[command(name = "anlauf-bench")]
struct Cli {
    /// Which
    #[arg(default_value = "all")]
    which: Vec<String>,
    /// The `anlauf` binary that drills are run with; default: beside this one
    #[arg(long)]
    anlauf: Option<PathBuf>,
    /// Folder for ledgers and gate state: put it on the disk that is to be measured
    #[arg(long)]
    scratch: Option<PathBuf>,
}

/// Every benchmark by its name. `contain` is a figure of the drill.
const NAMES: [&str; 5] = ["drill", "contain", "store", "plan", "gate"];

fn main() -> Result<()> {
    let cli = Cli::parse();
    for name in &cli.which {
        if name != "all" && !NAMES.contains(&name.as_str()) {
            bail!(
                "there is no benchmark `{name}`; there are {} and all",
                NAMES.join(", ")
            );
        }
    }
    let scratch = match cli.scratch {
        Some(folder) => folder,
        None => std::env::current_dir()?.join("target"),
    };
    let is_asked = |name: &str| {
        cli.which
            .iter()
            .any(|which| which == name || which == "all")
    };
    println!("{}", figure::machine());
    if is_asked("plan") {
        plan::run()?.print();
    }
    if is_asked("store") {
        store::run(&scratch)?.print();
    }
    if is_asked("gate") {
        gate::run(&scratch)?.iter().for_each(Table::print);
    }
    if is_asked("drill") || is_asked("contain") {
        drill::run(cli.anlauf, &scratch)?.print();
    }
    Ok(())
}
