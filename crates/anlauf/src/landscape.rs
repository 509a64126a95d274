//! Reads a landscape's folder into a checked landscape, or says everything that is wrong.
//!
//! In:    a folder. Out: [`Landscape`] with its warnings, or every error with its place.
//! Never: gives a landscape that has an error.

use std::path::Path;

use anlauf_model::Landscape;
use anlauf_model::landscape::Declared;
use anlauf_model::landscape::lint::{Problem, Severity, lint};
use anlauf_model::landscape::source::{self, SourceError};

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
fn declared(folder: &Path, colour: bool) -> Done<Declared> {
    read(folder)?.map_err(|errors| unreadable(folder, &errors, colour))
}

/// Reads what the files say, or every error with its place.
///
/// # Errors
/// Files that cannot be read at all.
pub fn read(folder: &Path) -> Done<Result<Declared, Vec<SourceError>>> {
    let files = files::read_folder(folder).map_err(|error| Failure::from(error).as_input())?;
    Ok(source::read(&files))
}

/// Errors in the files, as people read them.
pub fn unreadable(folder: &Path, errors: &[SourceError], colour: bool) -> Failure {
    let texts: Vec<String> = errors.iter().map(|error| error.render(colour)).collect();
    let shown = folder.display();
    Failure::input(format!(
        "cannot read the landscape in `{shown}`\n\n{}",
        texts.join("\n\n")
    ))
}
