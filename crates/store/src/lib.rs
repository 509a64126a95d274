//! The ledger on disk and the one writer in front of it.
//!
//! In:    a folder, a clock, the log key, commands.
//! Out:   entries that survive a crash, the state they mean, signed checkpoints, [`VerifyReport`].
//! Never: answers before the disk has it; writes on after a failed write; opens a ledger it cannot
//!        prove to itself; judges a command (that is `anlauf_recovery::decide`).
//! See:   docs/errors/AN-STO-001.md and following.

mod error;

mod leaf;
mod schema;
mod side;
mod wal;
mod walk;

pub mod export;
mod ledger;
mod reader;
mod verify;

mod clock;
mod desk;

pub use clock::{Clock, SystemClock};
pub use desk::{Accepted, Desk, DeskConfig, SubmitError};
pub use error::{Cause, StoreError};
pub use ledger::{Head, Ledger, LedgerConfig};
pub use reader::{LedgerHead, Reader, Record};
pub use verify::{VerifyReport, verify, verify_signed};

/// Name of the ledger in the data folder.
pub const FILE_LEDGER: &str = "ledger.sqlite";
/// Name of the file that one process at a time holds locked.
pub const FILE_LOCK: &str = "ledger.lock";
/// Name of the newest checkpoint, kept outside of the ledger.
pub const FILE_CHECKPOINT: &str = "checkpoint.txt";

#[cfg(test)]
mod tests;
