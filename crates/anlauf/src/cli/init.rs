//! `anlauf init`: writes a commented example to start from.

use std::fs;
use std::path::PathBuf;

use anlauf_model::landscape::example::example;
use anyhow::Context;
use serde_json::json;

use crate::exit::{Done, Failure};
use crate::output::Output;

/// Write a commented example landscape into a new folder
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder that does not exist yet, or is empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the example.
///
/// # Errors
/// The folder is not empty, or cannot be written.
pub fn run(args: &Args, output: Output) -> Done {
    let folder = &args.folder;
    let shown = folder.display();
    if fs::read_dir(folder).is_ok_and(|mut listing| listing.next().is_some()) {
        let why = format!("`{shown}` is not empty; name a new folder, nothing was written");
        return Err(Failure::input(why));
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{shown}`"))?;
    let files = example();
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let names: Vec<&str> = files.keys().copied().collect();
    output.result(&json!({ "folder": folder, "files": names }), || {
        let next = output.say(
            "als Nächstes: die Dateien lesen und ändern, dann",
            "next: read and change the files, then",
        );
        format!(
            "{shown}: {}\n{next} `anlauf landscape lint {shown}`",
            names.join(", ")
        )
    })
}
