//! The reference landscape, from the project's own folder.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_model::Landscape;
use anlauf_model::landscape::source;
use anyhow::{Context, Result, anyhow};

/// Reads `landscapes/krankenkassen` of the project.
///
/// # Errors
/// It is not there or cannot be read.
pub fn reference() -> Result<Landscape> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../landscapes/krankenkassen");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).context("cannot find the reference landscape")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "story.toml" {
            files.insert(name, std::fs::read(entry.path())?);
        }
    }
    let declared = source::read(&files).map_err(|errors| {
        anyhow!(
            "{}",
            errors.iter().map(|e| e.render(false)).collect::<String>()
        )
    })?;
    Landscape::new(declared).map_err(|problems| anyhow!("{} problems", problems.len()))
}
