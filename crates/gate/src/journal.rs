//! A gate's memory on disk: an append-only journal of what it accepted.
//!
//! In:    accepted entries. Out: the same after a restart; a named error if they are not the same.
//! Never: trusted: what is read back is verified again, signature by signature.
//! See:   docs/formats/gate.md, "State on disk".
//!
//! One entry is one line: SHA-256 over the sum of the line before and the entry's JSON, a blank,
//! the JSON. A last line without its end is what a power cut leaves and is cut off; it was never
//! acknowledged. A whole line that does not fit is damage, and the gate does not start: it may have
//! been a close.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anlauf_model::feed::{FeedKind, GateCellState};
use anlauf_model::table::GateTable;
use anlauf_model::{Digest, Epoch, GateId, Timestamp};
use anlauf_trust::Scope;
use serde::{Deserialize, Serialize};

use crate::error::GateError;

/// One accepted thing.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Feed items up to here are done with.
    pub(crate) position: u64,
    /// When it was accepted.
    pub(crate) at: Timestamp,
    /// Sum of the feed up to the position, where policy asks for fresh word and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sum: Option<Digest>,
    /// A signed envelope; none for a floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed: Option<Signed>,
    /// What a rewritten journal leaves out, as limits. It can shut and burn, never open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) floor: Option<Floor>,
}

/// A signed envelope as it came.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    pub(crate) kind: FeedKind,
    pub(crate) envelope: String,
}

/// What must not be forgotten of entries that were left out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floor {
    pub(crate) cells: Vec<GateCellState>,
    pub(crate) burned: Vec<(Scope, Epoch)>,
}

/// The open journal of one gate.
pub(crate) struct Journal {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    head: String,
    sum: Digest,
    _lock: File,
}

const JOURNAL: &str = "journal";
const LOCK: &str = "lock";
const WORDS: &str = "words.json";

// === impl Journal ===

impl Journal {
    /// Opens or makes the journal and reads every entry.
    ///
    /// # Errors
    /// The folder cannot be used, the journal is damaged, or is another gate's.
    pub(crate) fn open(
        dir: &Path,
        gate: &GateId,
        pin: &Digest,
    ) -> Result<(Self, Vec<Entry>), GateError> {
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |source| GateError::Disk { path, source }
        };
        let path = dir.join(JOURNAL);
        fs::create_dir_all(dir).map_err(disk(dir))?;
        let lock = File::create(dir.join(LOCK)).map_err(disk(dir))?;
        lock.try_lock().map_err(|error| disk(dir)(error.into()))?;
        let head = head(gate, pin);
        if !path.exists() {
            replace(dir, JOURNAL, head.as_bytes()).map_err(disk(&path))?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(disk(&path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(disk(&path))?;
        let read = read(&path, &head, &bytes)?;
        if read.size < bytes.len() {
            tracing::warn!(path = %path.display(), size = read.size, "cut off an unfinished entry");
            file.set_len(read.size as u64).map_err(disk(&path))?;
            file.sync_all().map_err(disk(&path))?;
        }
        file.seek(SeekFrom::End(0)).map_err(disk(&path))?;
        let dir = dir.to_owned();
        let journal = Self {
            dir,
            path,
            file,
            head,
            sum: read.sum,
            _lock: lock,
        };
        Ok((journal, read.entries))
    }

    /// Adds one entry; returns when it is on the disk.
    ///
    /// # Errors
    /// The disk did not take it. What the file ends with is not known then: the gate must stop.
    pub(crate) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let (sum, line) = line(&self.sum, entry)?;
        self.file.write_all(line.as_bytes())?;
        self.file.sync_data()?;
        self.sum = sum;
        Ok(())
    }

    /// Puts a shorter journal in the place of this one.
    ///
    /// # Errors
    /// The disk did not take it. Which of the two stands is not known then: the gate must stop.
    pub(crate) fn rewrite(&mut self, entries: &[Entry]) -> Result<(), GateError> {
        self.replace_with(entries)
            .map_err(|source| self.error(source))
    }

    /// What to say when an entry does not hold any more. The head is line 1.
    pub(crate) fn damaged(&self, index: usize, why: String) -> GateError {
        let path = self.path.clone();
        GateError::Damaged {
            path,
            line: index + 2,
            why,
        }
    }

    /// What to say when the disk fails.
    pub(crate) fn error(&self, source: io::Error) -> GateError {
        let path = self.path.clone();
        GateError::Disk { path, source }
    }

    fn replace_with(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut text = self.head.clone();
        let mut sum = Digest::of(self.head.as_bytes());
        for entry in entries {
            let (next, line) = line(&sum, entry)?;
            text.push_str(&line);
            sum = next;
        }
        replace(&self.dir, JOURNAL, text.as_bytes())?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.sum = sum;
        Ok(())
    }

    /// Keeps a table beside the journal; returns when it is on the disk.
    pub(crate) fn keep_table(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        replace(&self.dir, &table_name(digest), bytes)
    }

    /// A table kept before, exactly as it was signed.
    pub(crate) fn table(&self, digest: &Digest) -> Result<GateTable, GateError> {
        let bytes = fs::read(self.dir.join(table_name(digest))).unwrap_or_default();
        if Digest::of(&bytes) != *digest {
            return Err(GateError::Table { digest: *digest });
        }
        GateTable::from_bytes(&bytes).map_err(|_| GateError::Table { digest: *digest })
    }

    /// The folder that everything of the gate lies in.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the last words for the pages are kept. They are only words.
    pub(crate) fn words_path(&self) -> PathBuf {
        self.dir.join(WORDS)
    }
}

fn table_name(digest: &Digest) -> String {
    format!("table-{digest}.json")
}

/// Writes beside, flushes, renames, flushes the folder: the old or the new, never a half.
pub(crate) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = dir.join(format!("{name}.new"));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, dir.join(name))?;
    File::open(dir)?.sync_all()
}

/// The first line of a gate's journal.
pub(crate) fn head(gate: &GateId, pin: &Digest) -> String {
    format!("anlauf-gate-journal v1 gate={gate} pin={pin}\n")
}

/// One entry as a line, and the sum that the next one goes on from.
pub(crate) fn line(sum: &Digest, entry: &Entry) -> io::Result<(Digest, String)> {
    let json = serde_json::to_string(entry)?;
    let sum = next(sum, json.as_bytes());
    Ok((sum, format!("{sum} {json}\n")))
}

fn next(sum: &Digest, json: &[u8]) -> Digest {
    let mut bytes = sum.0.to_vec();
    bytes.extend_from_slice(json);
    Digest::of(&bytes)
}

/// What was read back.
pub(crate) struct Kept {
    pub(crate) entries: Vec<Entry>,
    pub(crate) sum: Digest,
    /// Bytes that hold whole entries.
    pub(crate) size: usize,
}

/// Reads a journal from its bytes; an unfinished last line is left out.
///
/// # Errors
/// It begins with another head, or a whole line does not fit.
pub(crate) fn read(path: &Path, head: &str, bytes: &[u8]) -> Result<Kept, GateError> {
    let Some(rest) = bytes.strip_prefix(head.as_bytes()) else {
        let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let found = String::from_utf8_lossy(line).chars().take(160).collect();
        return Err(GateError::Foreign {
            path: path.to_owned(),
            found,
        });
    };
    let sum = Digest::of(head.as_bytes());
    let mut read = Kept {
        entries: Vec::new(),
        sum,
        size: head.len(),
    };
    let lines = rest.split_inclusive(|b| *b == b'\n');
    for line in lines {
        match entry(&read.sum, line) {
            Ok((sum, entry)) => {
                read.entries.push(entry);
                read.sum = sum;
                read.size += line.len();
            }
            Err(_) if !line.ends_with(b"\n") => break,
            Err(why) => {
                let line = read.entries.len() + 2;
                return Err(GateError::Damaged {
                    path: path.to_owned(),
                    line,
                    why,
                });
            }
        }
    }
    Ok(read)
}

fn entry(sum: &Digest, line: &[u8]) -> Result<(Digest, Entry), String> {
    let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let text = text.strip_suffix('\n').ok_or("it has no end")?;
    let (claimed, json) = text.split_once(' ').ok_or("it has no sum")?;
    let sum = next(sum, json.as_bytes());
    if claimed != sum.to_string() {
        return Err("its sum differs".to_owned());
    }
    let entry = serde_json::from_str(json).map_err(|error| error.to_string())?;
    Ok((sum, entry))
}

#[cfg(test)]
mod tests;
