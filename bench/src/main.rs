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
mod trust;

use figure::Table;

/// Prints figures: all, or some of drill, contain, store, plan, gate, trust.
#[derive(Parser)]
#[command(name = "anlauf-bench")]
struct Cli {
    /// Which
    #[arg(default_value = "all")]
    which: Vec<String>,
    /// The `anlauf` binary that drills are run with; default: beside this one
    #[arg(long)]
    anlauf: Option<PathBuf>,
    /// The `anlauf-sim` binary that is played; none: its figure is left out
    #[arg(long)]
    sim: Option<PathBuf>,
    /// Folder for ledgers and gate state: put it on the disk that is to be measured
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Gate: rounds of each kind; the middle one counts
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Gate: cells for memory and start; 0 leaves that out
    #[arg(long, default_value_t = 1_000_000)]
    cells: usize,
    /// What the gate's benchmark starts itself as
    #[arg(long, hide = true)]
    gate_child: Option<PathBuf>,
}

/// Every benchmark by its name. `contain` is a figure of the drill.
const NAMES: [&str; 6] = ["drill", "contain", "store", "plan", "gate", "trust"];

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Some(settings) = &cli.gate_child {
        return gate::child::run(settings);
    }
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
    let options = gate::Options {
        runs: cli.runs.max(1),
        cells: cli.cells,
    };
    println!("{}", figure::machine());
    if is_asked("plan") {
        plan::run()?.print();
    }
    if is_asked("store") {
        store::run(&scratch)?.print();
    }
    if is_asked("trust") {
        trust::run(&scratch, cli.sim.as_deref())?.print();
    }
    if is_asked("gate") {
        gate::run(&scratch, &options)?.iter().for_each(Table::print);
    }
    if is_asked("drill") || is_asked("contain") {
        drill::run(cli.anlauf, &scratch)?.print();
    }
    Ok(())
}
