//! What a witness remembers: the newest checkpoint it cosigned, per log.
//!
//! In:    requests, one at a time. Out: cosignatures; a file per log that is on the disk first.
//! Never: two processes on one folder; an answer before the disk has what it answers.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anlauf_model::{Digest, Timestamp};
use anlauf_transparency::cosignature::cosign;
use anlauf_transparency::witness::{No, Request};
use anlauf_trust::{Checkpoint, PublicKey, Signer};
use anyhow::Context;

use crate::exit::{Done, Failure};

/// Largest file of a kept checkpoint. Bytes.
const NOTE_SIZE_MAX: u64 = 64 * 1024;

/// A witness with its memory.
pub struct State {
    folder: PathBuf,
    name: String,
    signer: Signer,
    logs: BTreeMap<String, PublicKey>,
    /// Held from looking to keeping, so that no two requests cross.
    known: Mutex<BTreeMap<String, Checkpoint>>,
    _lock: File,
}

impl State {
    /// Reads the memory, or begins one in an empty folder.
    ///
    /// # Errors
    /// Another process has it, or a kept checkpoint is none of a known log.
    pub fn open(
        folder: &Path,
        name: &str,
        signer: Signer,
        logs: BTreeMap<String, PublicKey>,
    ) -> Done<Self> {
        let shown = folder.display();
        fs::create_dir_all(folder).with_context(|| format!("cannot create `{shown}`"))?;
        let lock = File::create(folder.join("lock"))
            .with_context(|| format!("cannot write to `{shown}`"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = format!("`{shown}` belongs to a witness that is running; stop that one");
                return Err(Failure::input(why));
            }
            Err(TryLockError::Error(error)) => return Err(anyhow::Error::from(error).into()),
        }
        let mut known = BTreeMap::new();
        for (origin, key) in &logs {
            let file = folder.join(file_name(origin));
            let Ok(meta) = fs::metadata(&file) else {
                continue;
            };
            let why = |what: &str| {
                Failure::input(format!(
                    "`{}` is not what this witness cosigned of `{origin}`: {what}; a witness that \
                     forgot is none: make a new one with a new key",
                    file.display()
                ))
            };
            if meta.len() > NOTE_SIZE_MAX {
                return Err(why("it is too long"));
            }
            let note = fs::read_to_string(&file).map_err(|error| why(&error.to_string()))?;
            let head = Checkpoint::verify(&note, origin, key);
            known.insert(
                origin.clone(),
                head.map_err(|refusal| why(&refusal.to_string()))?,
            );
        }
        Ok(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            signer,
            logs,
            known: Mutex::new(known),
            _lock: lock,
        })
    }

    /// Judges a request, keeps its checkpoint, and gives the cosignature line.
    ///
    /// # Errors
    /// What to answer instead. When the disk fails, nothing is answered: the process must stop.
    pub fn answer(&self, text: &str, at: Timestamp) -> Result<String, Refused> {
        let request = Request::parse(text)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let last = |origin: &str| known.get(origin).map(|head| (head.size, head.root));
        let head = request.judge(&self.logs, &last)?;
        let seconds = u64::try_from(at.0 / 1_000).unwrap_or_default();
        let line = cosign(&head, &self.name, &self.signer, seconds)
            .map_err(|refusal| Refused::Disk(anyhow::anyhow!("{refusal}")))?;
        if known.get(&head.origin) != Some(&head) {
            let file = self.folder.join(file_name(&head.origin));
            keep(&file, &request.note)
                .map_err(|failure| Refused::Disk(anyhow::anyhow!(failure.to_text())))?;
            known.insert(head.origin.clone(), head);
        }
        Ok(line)
    }
}

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The request is refused.
    #[error("{0}")]
    No(#[from] No),
    /// The memory cannot be kept.
    #[error("the witness cannot keep what it cosigns, so it cosigns nothing: {0:#}")]
    Disk(anyhow::Error),
}

/// Origins hold slashes, files must not.
fn file_name(origin: &str) -> String {
    let Digest(digest) = Digest::of(origin.as_bytes());
    format!("{}.checkpoint", hex::encode(&digest[..16]))
}

/// Puts a text in place of a file, whole or not at all, and returns when the disk has it.
///
/// # Errors
/// The disk fails.
pub fn keep(file: &Path, text: &str) -> Done {
    let failed = || format!("cannot write `{}`", file.display());
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    let mut out = File::create(&fresh).with_context(failed)?;
    out.write_all(text.as_bytes()).with_context(failed)?;
    out.sync_all().with_context(failed)?;
    fs::rename(&fresh, file).with_context(failed)?;
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new("."))).with_context(failed)?;
    folder.sync_all().with_context(failed)?;
    Ok(())
}
