//! Where a drill's landscape and story come from: a folder, or what is built into the binary.
//!
//! In:    a folder's path, or none. Out: [`Landscape`] and [`Story`], checked.
//! Never: starts with a landscape that has an error.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_model::Landscape;
use anlauf_model::landscape::source;
use anyhow::{Context, Result, bail};

use super::story::Story;

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
pub fn load(folder: Option<&Path>) -> Result<(Landscape, Story)> {
    let mut files = match folder {
        Some(folder) => crate::files::read_folder(folder)?,
        None => embedded(),
    };
    let Some(story) = files.remove("story.toml") else {
        bail!("there is no `story.toml` beside the landscape: a drill needs one");
    };
    let declared = source::read(&files).map_err(|errors| {
        let texts: Vec<_> = errors.iter().map(|e| e.render(false)).collect();
        anyhow::anyhow!("cannot read the landscape\n\n{}", texts.join("\n"))
    })?;
    let landscape = Landscape::new(declared).map_err(|problems| {
        let lines: Vec<_> = problems
            .iter()
            .map(|p| format!("{} ({})", p.message, p.code))
            .collect();
        anyhow::anyhow!("the landscape cannot be used:\n{}", lines.join("\n"))
    })?;
    let story = String::from_utf8(story).context("`story.toml` is not UTF-8")?;
    let story = Story::read(&story, &landscape)?;
    Ok((landscape, story))
}

fn embedded() -> BTreeMap<String, Vec<u8>> {
    EMBEDDED
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect()
}
