//! Why a gate does not start.
//!
//! In:    what the world did. Out: [`GateError`], each with a code and a page under docs/errors/.
//! Never: a reason to open anything; a gate that cannot be sure of its state refuses to start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anlauf_model::Digest;

/// Why a gate does not start.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The address is taken or not ours.
    #[error("cannot listen on `{address}`; free the port or choose another (AN-GAT-001)")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The folder of the gate's state cannot be used.
    #[error(
        "cannot use the gate's state `{path}`; \
         check the folder, its rights and the disk (AN-GAT-002)"
    )]
    Disk {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A whole line of the journal does not fit, or does not verify any more.
    #[error(
        "journal `{path}` is damaged in line {line}: {why}; \
         move the folder away and let the gate read its feed from the beginning (AN-GAT-003)"
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// 1-based.
        line: usize,
        /// What does not fit.
        why: String,
    },
    /// The journal belongs to another gate or another root.
    #[error(
        "journal `{path}` belongs to another gate or root: it begins with `{found}`; \
         give each gate its own folder (AN-GAT-004)"
    )]
    Foreign {
        /// The journal.
        path: PathBuf,
        /// Its first line, cut.
        found: String,
    },
    /// The table that a signed policy names is not on disk as signed.
    #[error(
        "table `{digest}` is not in the gate's state as it was signed; \
         move the folder away and let the gate read its feed from the beginning (AN-GAT-005)"
    )]
    Table {
        /// Digest in the policy.
        digest: Digest,
    },
    /// The admin address can be reached from outside.
    #[error("admin address `{address}` is not a loopback address; use 127.0.0.1 (AN-GAT-006)")]
    Admin {
        /// Which.
        address: SocketAddr,
    },
    /// A value in the gate's settings cannot be used.
    #[error("cannot use `{value}` as {what}; {hint} (AN-GAT-007)")]
    Setting {
        /// What it should be.
        what: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        hint: &'static str,
    },
    /// A certificate cannot be used.
    #[error(
        "cannot use certificate `{path}`: {why}; put chain and key in one PEM file (AN-GAT-008)"
    )]
    Certificate {
        /// File or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What was set for the filling of cells cannot be read.
    #[error(
        "cannot use `{path}`: {why}; put it right, or remove it to let everyone in whom the \
         stages let in (AN-GAT-016)"
    )]
    Inflow {
        /// File.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Why a gate refused an item, beside the verifier's own reasons.
pub(crate) mod refusal {
    use anlauf_model::{CellId, Digest, Epoch, GateId};

    /// Nothing is believed before the pinned root.
    pub(crate) fn no_root() -> String {
        "the gate has not seen its pinned root yet; send the root documents first (AN-GAT-010)"
            .to_owned()
    }

    /// The table cannot be had as signed.
    pub(crate) fn table(why: &str) -> String {
        format!("the table named by the policy cannot be used: {why} (AN-GAT-011)")
    }

    /// The disk did not take it.
    pub(crate) fn disk(why: &str) -> String {
        format!("the gate's disk did not take the entry, the gate stops: {why} (AN-GAT-012)")
    }

    /// A cell that would open before what it leans on.
    pub(crate) fn need(cell: &CellId, need: &CellId) -> String {
        format!("`{cell}` needs `{need}`, which is shut at this gate; open it first (AN-GAT-014)")
    }

    /// A close that is too old for a cell it names.
    pub(crate) fn outlived(cell: &CellId, epoch: Epoch, seen: Epoch) -> String {
        format!(
            "`{cell}` stays open: it was released at epoch {}, above {} of the close; sign a close \
             for epoch {} (AN-GAT-015)",
            seen.0, epoch.0, seen.0
        )
    }

    /// An answer to another gate's beacon.
    pub(crate) fn beacon_foreign(gate: &GateId) -> String {
        format!("the answer is for the beacon of `{gate}`, not for this gate's (AN-GAT-020)")
    }

    /// An answer to nothing that was asked.
    pub(crate) fn beacon_unknown(beacon: &Digest) -> String {
        format!(
            "beacon `{}` is not open here: used, too old, or of a start before; ask with a new \
             one (AN-GAT-020)",
            beacon.short()
        )
    }

    /// More reasons than anyone reads.
    pub(crate) fn more(count: usize) -> String {
        format!("and {count} more reasons, see the gate's log")
    }

    /// An epoch that was seen before.
    pub(crate) fn epoch(cell: &CellId, epoch: Epoch, seen: Epoch) -> String {
        format!(
            "epoch {} of `{cell}` is not above {}, the highest seen; sign a new release \
             (AN-GAT-013)",
            epoch.0, seen.0
        )
    }
}
