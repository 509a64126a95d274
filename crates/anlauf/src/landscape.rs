//! Reads a landscape's folder into a checked landscape, or says everything that is wrong.
//!
//! In:    a folder. Out: [`Landscape`] with its warnings, or every error with its place.
//! Never: gives a landscape that has an error.

use std::path::Path;

use anlauf_model::Landscape;
use anlauf_model::landscape::lint::{Problem, Severity, lint};
use anlauf_model::landscape::source;

use crate::exit::{Done, Failure};
use crate::files;

/// Reads, checks and derives.
///
/// # Errors
/// Files that cannot be read, errors in them, or problems of the whole; all at once.
pub fn load(folder: &Path, colour: bool) -> Done<(Landscape, Vec<Problem>)> {
    let declared = declared(folder, colour)?;
    let warnings = lint(&declared);
    let landscape = Landscape::new(declared).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        let shown = folder.display();
        Failure::input(format!(
            "the landscape in `{shown}` cannot be used\n{}",
            lines.join("\n")
        ))
    })?;
    let warnings = warnings
        .into_iter()
        .filter(|problem| problem.severity == Severity::Warning);
    Ok((landscape, warnings.collect()))
}

/// Reads what the files say, without looking at the whole.
///
/// # Errors
/// Files that cannot be read, or errors in them; all at once.
pub fn declared(folder: &Path, colour: bool) -> Done<anlauf_model::landscape::Declared> {
    let read = files::read_folder(folder).map_err(|error| Failure::from(error).as_input())?;
    source::read(&read).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(|error| error.render(colour)).collect();
        let shown = folder.display();
        Failure::input(format!(
            "cannot read the landscape in `{shown}`\n\n{}",
            texts.join("\n\n")
        ))
    })
}
