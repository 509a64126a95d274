//! Every developer command: ci, test, tidy, sim, bench.
//!
//! In:    a command. Out: what it runs, step by step, and its exit code.
//! Never: a check that only lives in a workflow file or a shell script.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

mod ci;
mod tidy;
mod total;

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
    /// Plays the core under seeds: `--seed`, `--count`, `--steps`
    Sim {
        /// Handed to `anlauf-sim`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Prints figures of the binary as it is shipped (profile `dist`): all, or some of drill,
    /// contain, store, plan, gate, trust; or `planner` and its own
    Bench {
        /// Handed to `anlauf-bench`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Task::Ci => ci::ci(),
        Task::Test => ci::test(),
        Task::Tidy => tidy::tidy(),
        Task::Sim { arguments } => {
            built("anlauf-sim").and_then(|path| run(Command::new(path).args(arguments)))
        }
        Task::Bench { arguments } if arguments.first().is_some_and(|name| name == "planner") => {
            built_alone("anlauf-bench-planner")
                .and_then(|path| run(Command::new(path).args(&arguments[1..])))
        }
        Task::Bench { arguments } => bench(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the whole workspace, as always: another selection of crates would rebuild half of it
/// with other features. Gives the path of one binary.
fn built(name: &str) -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    Ok(target("release").join(name))
}

/// Builds the product and what measures it as people get it, optimised across crates: its peers
/// are installed that way too. Gives the path of what measures; the product lies beside it.
fn shipped() -> Result<PathBuf> {
    let packages = ["--package", "anlauf-bench", "--package", "anlauf"];
    run(cargo().args(["build", "--profile", "dist"]).args(packages))?;
    Ok(target("dist").join("anlauf-bench"))
}

/// Figures of the shipped binary; those of trust play the simulator, too.
fn bench(arguments: &[String]) -> Result<()> {
    let mut command = Command::new(shipped()?);
    let plays = |name: &String| name == "trust" || name == "all";
    if arguments.iter().any(plays) || arguments.iter().all(|name| name.starts_with('-')) {
        command.arg("--sim").arg(built_alone("anlauf-sim")?);
    }
    run(command.args(arguments))
}

/// Builds one package that shares little with the rest. Gives the path of its binary.
fn built_alone(name: &str) -> Result<PathBuf> {
    run(cargo().args(["build", "--release", "--package", name]))?;
    Ok(target("release").join(name))
}

/// Where the binaries of a profile are.
fn target(profile: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    PathBuf::from(target).join(profile)
}

/// The cargo that runs this.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a step, showing it first.
fn run(command: &mut Command) -> Result<()> {
    eprintln!("+ {}", words(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", words(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", words(command));
    }
    Ok(())
}

fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![
        program
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(
        command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned()),
    );
    words.join(" ")
}
