//! `anlauf completions`: a script that completes verbs and flags in a shell.

use clap::Command;
use clap_complete::Shell;

use crate::exit::{Done, Failure};

/// Print a completion script
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// Stdout is gone.
pub fn run(args: &Args, command: &mut Command) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "anlauf", &mut script);
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(&script).and_then(|()| stdout.flush());
    written.map_err(Failure::unwritten)
}
