//! The recovery control plane and the gate for a provider of services to many tenants.
//!
//! In:    a command line. Out: its result on stdout, talk on stderr, an exit code.
//! Never: a question that defaults to yes; a result on stderr or talk on stdout.
//! See:   docs/guide/cli.md for verbs and exit codes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod control;
mod files;
mod logins;
mod server;

/// Bring the services of many tenants back after an attack: contain, clear, plan, agree, sign,
/// release, prove.
#[derive(Parser)]
#[command(name = "anlauf", version)]
struct Cli {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Say hello
    Hello,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Verb::Hello => Ok::<(), anyhow::Error>(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("anlauf: {error:#}");
            ExitCode::FAILURE
        }
    }
}
