//! Reads a landscape's folder into a checked landscape, or says everything that is wrong.
//!
//! In:    a folder. Out: [`Landscape`] with its warnings, or every error with its place.
//! Never: gives a landscape that has an error.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_model::Landscape;
use anlauf_model::landscape::lint::{Severity, lint};
use anlauf_model::landscape::source::{self, Located, SourceError};

use crate::exit::{Done, Failure};
use crate::files;

/// Everything the files of a landscape say, looked at as a whole.
pub struct Looked {
    /// Every problem of the whole, errors first, each with its place.
    pub problems: Vec<Located>,
    /// The landscape, unless a problem is an error.
    pub landscape: Option<Landscape>,
}

/// Reads, checks and derives.
///
/// # Errors
/// Files that cannot be read, errors in them, or problems of the whole; all at once.
pub fn load(folder: &Path, colour: bool) -> Done<(Landscape, Vec<Located>)> {
    let files = files(folder)?;
    let looked = look(&files).map_err(|errors| unreadable(folder, &errors, colour))?;
    match looked.landscape {
        Some(landscape) => Ok((landscape, looked.problems)),
        None => Err(unusable(folder, &looked.problems, colour)),
    }
}

/// The files of a landscape's folder.
///
/// # Errors
/// The folder cannot be read, or holds no landscape.
pub fn files(folder: &Path) -> Done<BTreeMap<String, Vec<u8>>> {
    files::read_folder(folder).map_err(|error| Failure::from(error).as_input())
}

/// Looks at files as a whole, or says every error with its place.
///
/// # Errors
/// Every error in the files.
pub fn look(files: &BTreeMap<String, Vec<u8>>) -> Result<Looked, Vec<SourceError>> {
    let (declared, places) = source::read_placed(files)?;
    let problems = places.locate(lint(&declared));
    Ok(Looked {
        problems,
        landscape: Landscape::new(declared).ok(),
    })
}

/// Errors in the files, as people read them.
pub fn unreadable(folder: &Path, errors: &[SourceError], colour: bool) -> Failure {
    let texts = errors.iter().map(|error| error.render(colour));
    let shown = folder.display();
    told(format!("cannot read the landscape in `{shown}`"), texts)
}

/// Errors of the whole, as people read them.
pub fn unusable(folder: &Path, problems: &[Located], colour: bool) -> Failure {
    let errors = problems
        .iter()
        .filter(|located| located.problem.severity == Severity::Error);
    let shown = folder.display();
    let texts = errors.map(|located| located.render(colour));
    told(format!("the landscape in `{shown}` cannot be used"), texts)
}

fn told(what: String, texts: impl Iterator<Item = String>) -> Failure {
    let texts: Vec<String> = texts.collect();
    Failure::input(format!("{what}\n\n{}", texts.join("\n\n")))
}
