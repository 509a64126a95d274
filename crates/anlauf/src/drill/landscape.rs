//! Where a drill's landscape and story come from: a folder, or what is built into the binary.
//!
//! In:    a folder's path, or none. Out: [`Landscape`] and [`Story`], checked.
//! Never: starts with a landscape that has an error.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_model::Landscape;
use anyhow::{Context, Result};

use super::story::Story;
use crate::exit::{Done, Failure};
use crate::landscape;

/// The reference landscape, so that the binary alone is enough.
const EMBEDDED: [(&str, &str); 6] = [
    (
        "landscape.toml",
        include_str!("../../../../landscapes/krankenkassen/landscape.toml"),
    ),
    (
        "policy.toml",
        include_str!("../../../../landscapes/krankenkassen/policy.toml"),
    ),
    (
        "tenants.csv",
        include_str!("../../../../landscapes/krankenkassen/tenants.csv"),
    ),
    (
        "offers.csv",
        include_str!("../../../../landscapes/krankenkassen/offers.csv"),
    ),
    (
        "people.csv",
        include_str!("../../../../landscapes/krankenkassen/people.csv"),
    ),
    (
        "story.toml",
        include_str!("../../../../landscapes/krankenkassen/story.toml"),
    ),
];

/// Reads landscape and story.
///
/// # Errors
/// Every problem of the files, as people read it.
pub fn load(folder: Option<&Path>, colour: bool) -> Done<(Landscape, Story)> {
    let mut files = match folder {
        Some(folder) => landscape::files(folder)?,
        None => embedded(),
    };
    let Some(story) = files.remove("story.toml") else {
        let why = "there is no `story.toml` beside the landscape: a drill needs one";
        return Err(Failure::input(why.to_owned()));
    };
    let shown = folder.unwrap_or(Path::new("krankenkassen"));
    let looked =
        landscape::look(&files).map_err(|errors| landscape::unreadable(shown, &errors, colour))?;
    let Some(landscape) = looked.landscape else {
        return Err(landscape::unusable(shown, &looked.problems, colour));
    };
    let story = read(story, &landscape).map_err(|error| Failure::from(error).as_input())?;
    Ok((landscape, story))
}

fn read(story: Vec<u8>, landscape: &Landscape) -> Result<Story> {
    let story = String::from_utf8(story).context("`story.toml` is not UTF-8")?;
    Story::read(&story, landscape)
}

fn embedded() -> BTreeMap<String, Vec<u8>> {
    EMBEDDED
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}
