//! Every developer command: ci, test, tidy, sim, bench.
//!
//! In:    a command. Out: what it runs, step by step, and its exit code.
//! Never: a check that only lives in a workflow file or a shell script.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

mod ci;
mod tidy;

/// Developer commands of Anlauf.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that decides: formatting, lints, tidy, licences, docs, drills, tests
    Ci,
    /// All tests, with the test runner's own summary at the end
    Test,
    /// Checks of our own: layers, sizes, error pages, links
    Tidy,
    /// Plays the core under one seed
    Sim {
        /// Seed; the same seed plays the same world
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many seeds from there on
        #[arg(long, default_value_t = 1)]
        count: u64,
        /// Steps per seed
        #[arg(long, default_value_t = 2_000)]
        steps: u32,
    },
    /// Prints figures, in release mode: all, or one of drill, contain, store, plan, gate
    Bench {
        /// Which
        #[arg(default_value = "all")]
        which: String,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Task::Ci => ci::ci(),
        Task::Test => ci::test(),
        Task::Tidy => tidy::tidy(),
        Task::Sim { seed, count, steps } => sim(seed, count, steps),
        Task::Bench { which } => bench(&which),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn sim(seed: u64, count: u64, steps: u32) -> Result<()> {
    for seed in seed..seed.saturating_add(count) {
        match anlauf_sim::run(seed, steps) {
            Ok(report) => println!("seed {seed}: {report}"),
            Err(violation) => bail!("seed {seed}: {violation}"),
        }
    }
    Ok(())
}

fn bench(which: &str) -> Result<()> {
    run(cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    run(cargo().args(["run", "--release", "--quiet", "--package", "xtask", "--bin", "bench", "--", which]))
}

/// The cargo that runs this.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a step, showing it first.
fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {}", words(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", words(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", words(command));
    }
    Ok(())
}

fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}
