//! What can go wrong with a ledger on a disk.
//!
//! In:    failures of files, of SQLite, of the proof. Out: [`StoreError`] with its code.
//! Never: a refusal of a command; that is `anlauf_recovery::Refusal`.

use std::path::PathBuf;

/// The disk, the file or the proof failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A library with known faults.
    #[error(
        "cannot keep a ledger with SQLite `{0}`, which can lose data; \
         build with the bundled SQLite, 3.51.3 or later"
    )]
    SqliteOld(&'static str),
    /// Two writers would break the chain.
    #[error("the ledger in `{0}` is held by another process; stop that one first")]
    Locked(PathBuf),
    /// Some other file, or a ledger somebody else laid out.
    #[error("`{file}` is not a ledger: {why}; check the data folder, nothing was changed")]
    NotALedger {
        /// Which file.
        file: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// Written by a program with another idea of the layout.
    #[error(
        "the ledger has layout {0}, this program reads layout {known}; use the one that wrote it",
        known = crate::schema::FORMAT
    )]
    FormatUnknown(i64),
    /// A ledger of another provider, or of a drill.
    #[error(
        "the ledger belongs to domain `{found}`, not to `{asked}`; \
         give the data folder of `{asked}`"
    )]
    DomainForeign {
        /// What was asked for.
        asked: String,
        /// What the ledger says of itself.
        found: String,
    },
    /// Not what was once acknowledged.
    #[error(
        "the ledger cannot be trusted from entry {seq} on: {why}; \
         restore a copy whose checkpoint is not older, and keep this one as evidence"
    )]
    Broken {
        /// The first entry that is wrong.
        seq: u64,
        /// What is wrong with it.
        why: String,
    },
    /// An old copy was put in place of the ledger.
    #[error(
        "the ledger ends at entry {ledger}, its checkpoint speaks of {checkpoint} entries: \
         this is an old copy; restore the newer one, entries from {next} on are missing",
        next = .ledger + 1
    )]
    RolledBack {
        /// Last entry there is.
        ledger: u64,
        /// Entries the newest checkpoint was signed over.
        checkpoint: u64,
    },
    /// The side file is no checkpoint of this log.
    #[error(
        "`{file}` is not a checkpoint of this ledger: {why}; \
         give the log key and origin it was signed with, or restore the file"
    )]
    CheckpointForeign {
        /// Which file or row.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Asked whose signature it bears, and it bears none.
    #[error(
        "no signed head was found in `{0}`: nothing vouches that its entries are all of them; \
         put `checkpoint.txt` back from the last copy, or have the control plane sign by a start"
    )]
    Unsigned(PathBuf),
    /// A folder for outsiders is not what was written.
    #[error(
        "the export is damaged: `{file}`: {why}; fetch it again, and keep this one as evidence"
    )]
    ExportDamaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong, and with which entry.
        why: String,
    },
    /// Nothing more may be written by this process.
    #[error(
        "cannot write to the ledger; the process must stop, everything acknowledged is kept: \
         make room or replace the disk, then start again"
    )]
    Append(#[source] Cause),
    /// Reading failed.
    #[error("cannot read the ledger; check the disk, then start again")]
    Read(#[source] rusqlite::Error),
    /// A folder or a file beside the ledger.
    #[error("cannot {meant} `{file}`; check the rights and the disk")]
    File {
        /// What was meant to happen: `create`, `lock`.
        meant: &'static str,
        /// Which.
        file: PathBuf,
        /// Why it did not.
        source: std::io::Error,
    },
    /// The writer is gone.
    #[error("the desk has stopped and takes nothing more; start the process again")]
    Stopped,
    /// The writer met a fault of this program.
    #[error(
        "the desk met a fault of this program and stopped, everything acknowledged is kept; \
         start again and report it with the log"
    )]
    Fault,
}

/// What made a write fail.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The database.
    #[error("the database says no")]
    Sqlite(#[from] rusqlite::Error),
    /// A file.
    #[error("the file system says no")]
    File(#[from] std::io::Error),
    /// No random bytes for a salt.
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
}

impl StoreError {
    /// Code with a page under `docs/errors/`.
    pub const fn code(&self) -> &'static str {
        match self {
            StoreError::SqliteOld(_) => "AN-STO-001",
            StoreError::Locked(_) => "AN-STO-002",
            StoreError::NotALedger { .. } => "AN-STO-003",
            StoreError::FormatUnknown(_) => "AN-STO-004",
            StoreError::DomainForeign { .. } => "AN-STO-005",
            StoreError::Broken { .. } => "AN-STO-006",
            StoreError::RolledBack { .. } => "AN-STO-007",
            StoreError::CheckpointForeign { .. } => "AN-STO-008",
            StoreError::Append(_) => "AN-STO-009",
            StoreError::Read(_) => "AN-STO-010",
            StoreError::File { .. } => "AN-STO-011",
            StoreError::Stopped => "AN-STO-012",
            StoreError::Fault => "AN-STO-013",
            StoreError::Unsigned(_) => "AN-STO-015",
            StoreError::ExportDamaged { .. } => "AN-STO-016",
        }
    }

    pub(crate) fn broken(seq: u64, why: impl Into<String>) -> Self {
        Self::Broken {
            seq,
            why: why.into(),
        }
    }
}
