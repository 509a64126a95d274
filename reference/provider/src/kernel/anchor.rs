//! Which insurers were ever laid out, written down apart from their data.
//!
//! In:    the file of the master key; a folder of data is lost without it. Out: known names.
//! Never: lies in the data it speaks of; forgets a name.
//!
//! The same seed makes the same people and documents. If a lost insurer was filled anew in silence,
//! nobody would see that it was lost, and a check of its records could take them for the old ones.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Names of insurers, a line each.
#[derive(Debug)]
pub struct Anchor {
    path: PathBuf,
    known: BTreeSet<String>,
}

impl Anchor {
    /// Reads the file beside the master key: `DIR.key.filled`.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn open(key: &Path) -> Result<Self> {
        let mut name = key.as_os_str().to_owned();
        name.push(".filled");
        let path = PathBuf::from(name);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read `{}`", path.display()))?,
        };
        let known = text.lines().map(str::to_owned).collect();
        Ok(Self { path, known })
    }

    /// Whether an insurer had data once.
    pub fn knows(&self, tenant: &str) -> bool {
        self.known.contains(tenant)
    }

    /// Writes down that an insurer has data.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn add(&mut self, tenant: &str) -> Result<()> {
        if self.knows(tenant) {
            return Ok(());
        }
        let write = || -> std::io::Result<File> {
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)?;
            file.write_all(format!("{tenant}\n").as_bytes())?;
            file.sync_all()?;
            Ok(file)
        };
        write().with_context(|| format!("cannot write `{}`", self.path.display()))?;
        self.known.insert(tenant.to_owned());
        Ok(())
    }
}
