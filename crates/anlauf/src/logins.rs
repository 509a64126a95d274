//! Who may log in: tokens by their digest, in memory and, for `serve`, in a file.
//!
//! In:    `logins.json` in the data folder. Out: [`anlauf_web::Logins`].
//! Never: keeps a token itself; a stolen file logs nobody in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use anlauf_model::Digest;
use anlauf_recovery::Actor;
use anyhow::{Context, Result};

/// Name of the file in the data folder.
pub const FILE_LOGINS: &str = "logins.json";

/// Random bytes of a token; 32 cannot be guessed.
const TOKEN_SIZE: usize = 32;

/// Everyone who may log in.
#[derive(Debug, Default)]
pub struct Book {
    file: Option<PathBuf>,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    actors: BTreeMap<Digest, Actor>,
    /// When the file was last written, as far as it was read.
    read_at: Option<SystemTime>,
}

impl Book {
    /// Reads the book of a data folder; a missing file is an empty book.
    ///
    /// # Errors
    /// The file cannot be read or is not a book.
    pub fn open(folder: &Path) -> Result<Self> {
        let book = Self {
            file: Some(folder.join(FILE_LOGINS)),
            known: RwLock::default(),
        };
        book.reread()?;
        Ok(book)
    }

    /// Gives an actor a fresh token; it is shown once and kept as a digest only.
    ///
    /// # Errors
    /// No randomness, or the file cannot be written.
    pub fn add(&self, actor: Actor) -> Result<String> {
        let mut bytes = [0u8; TOKEN_SIZE];
        getrandom::fill(&mut bytes).context("cannot get random bytes from the system")?;
        let token = hex::encode(bytes);
        // Another process may have written since: what it gave or took must stay so.
        self.reread()?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.actors.insert(Digest::of(token.as_bytes()), actor);
        self.write(&mut known)?;
        Ok(token)
    }

    /// Takes every token of a person away; gives how many there were.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn remove(&self, person: &anlauf_model::PersonId) -> Result<usize> {
        self.reread()?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let before = known.actors.len();
        known.actors.retain(|_, actor| actor.person != *person);
        let gone = before - known.actors.len();
        self.write(&mut known)?;
        Ok(gone)
    }

    /// Everyone who may log in, by person; a person with two tokens is there twice.
    pub fn actors(&self) -> Vec<Actor> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut actors: Vec<Actor> = known.actors.values().cloned().collect();
        actors.sort_by(|a, b| a.person.cmp(&b.person));
        actors
    }

    /// Takes over what another process wrote since.
    fn reread(&self) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let Ok(written) = std::fs::metadata(file).and_then(|meta| meta.modified()) else {
            return Ok(());
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.read_at == Some(written) {
            return Ok(());
        }
        let bytes = std::fs::read(file)
            .with_context(|| format!("cannot read logins `{}`", file.display()))?;
        known.actors = serde_json::from_slice(&bytes)
            .with_context(|| format!("`{}` is not a book of logins", file.display()))?;
        known.read_at = Some(written);
        Ok(())
    }

    fn write(&self, known: &mut Known) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let failed = || format!("cannot write logins `{}`", file.display());
        let bytes = serde_json::to_vec_pretty(&known.actors).with_context(failed)?;
        crate::files::write_secret(file, &bytes).with_context(failed)?;
        known.read_at = std::fs::metadata(file)
            .and_then(|meta| meta.modified())
            .ok();
        Ok(())
    }
}

impl anlauf_web::Logins for Book {
    fn find(&self, token: &str) -> Option<Actor> {
        let digest = Digest::of(token.as_bytes());
        let look = || {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.actors.get(&digest).cloned()
        };
        // A changed file also takes logins away: look at it first.
        if let Err(error) = self.reread() {
            tracing::error!(%error, "cannot read the logins again; nobody is let in");
            return None;
        }
        look()
    }
}
