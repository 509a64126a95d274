//! Reads a landscape's folder, no more of it than is allowed.
//!
//! In:    a folder. Out: file names with their bytes.
//! Never: follows it deeper, or reads a file too large.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anlauf_model::landscape::source;
use anlauf_model::limits::{LANDSCAPE_FILE_COUNT_MAX, LANDSCAPE_FILE_SIZE_MAX};
use anyhow::{Context, Result, bail};

/// Every `.toml` and `.csv` file of a folder, by name.
///
/// # Errors
/// The folder cannot be read, a file is larger than a landscape's may be, there are too many.
pub fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let shown = folder.display();
    let listing =
        fs::read_dir(folder).with_context(|| format!("cannot read landscape folder `{shown}`"))?;
    let mut files = BTreeMap::new();
    for entry in listing {
        let path = entry
            .with_context(|| format!("cannot list `{shown}`"))?
            .path();
        let kind = path.extension().and_then(|extension| extension.to_str());
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if !matches!(kind, Some("toml" | "csv")) {
            continue;
        }
        if let Some(what) = no_file(&path) {
            if is_of_landscape(name) {
                bail!(
                    "`{}` {what}; a landscape has a file of that name",
                    path.display()
                );
            }
            continue;
        }
        if files.len() == LANDSCAPE_FILE_COUNT_MAX {
            bail!("`{shown}` holds more than {LANDSCAPE_FILE_COUNT_MAX} landscape files");
        }
        files.insert(name.to_owned(), read_file(&path, name)?);
    }
    if files.is_empty() {
        bail!("`{shown}` holds no landscape; `anlauf init DIR` writes an example");
    }
    Ok(files)
}

/// What lies at a path, if it is no ordinary file: reading it may give nothing, or never end.
fn no_file(path: &Path) -> Option<&'static str> {
    match fs::metadata(path) {
        Ok(data) if data.is_file() => None,
        Ok(data) if data.is_dir() => Some("is a folder"),
        Ok(_) => Some("is a pipe or a device, no file"),
        Err(_) => Some("leads nowhere"),
    }
}

fn is_of_landscape(name: &str) -> bool {
    let names = [
        source::FILE_LANDSCAPE,
        source::FILE_POLICY,
        source::FILE_TENANTS,
        source::FILE_OFFERS,
        source::FILE_PEOPLE,
    ];
    names.contains(&name)
}

fn read_file(path: &Path, name: &str) -> Result<Vec<u8>> {
    let wrong = || format!("cannot read `{}`", path.display());
    let file = File::open(path).with_context(wrong)?;
    let size = file.metadata().with_context(wrong)?.len();
    if let Err(error) = source::check_size(name, size) {
        bail!("{}", error.render(false));
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read: never more than the limit and one byte that tells.
    file.take(LANDSCAPE_FILE_SIZE_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(wrong)?;
    if let Err(error) = source::check_size(name, bytes.len() as u64) {
        bail!("{}", error.render(false));
    }
    Ok(bytes)
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// The folder cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        File::open(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        })?
        .sync_all()?;
    }
    Ok(())
}
