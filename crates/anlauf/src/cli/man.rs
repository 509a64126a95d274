//! `anlauf man`: writes a manual page per verb.

use std::path::PathBuf;

use anyhow::Context;
use clap::Command;
use serde_json::json;

use crate::exit::Done;
use crate::output::Output;

/// Write manual pages into a folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder; made if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the pages.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &Args, command: Command, output: Output) -> Done {
    let folder = &args.folder;
    let shown = folder.display();
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{shown}`"))?;
    clap_mangen::generate_to(command, folder)
        .with_context(|| format!("cannot write manual pages to `{shown}`"))?;
    let count = std::fs::read_dir(folder)?.count();
    output.result(&json!({ "folder": folder, "pages": count }), || {
        format!("{shown}: {count} {}", output.say("Seiten", "pages"))
    })
}
