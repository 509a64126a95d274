//! The ledger for outsiders, as a tenant's auditor and a witness use it.
//!
//! Broken by hand, each found by at least one of these: the witness not comparing sizes; not
//! checking the consistency proof; a quorum of `2k > n` taken with a false witness; a cosignature
//! counted twice.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod cosignature;
mod fork;
mod proof;
mod tile;
mod witness;

use anlauf_keys::Signer;
use anlauf_model::Digest;
use anlauf_transparency::Checkpoint;
use anlauf_transparency::merkle::{Levels, consistency, leaf_hash, root_of};
use anlauf_transparency::witness::Request;

/// Name of the log.
pub const ORIGIN: &str = "anlauf/drill-test";

/// A key like no other seed's.
pub fn key(seed: u8) -> Signer {
    Signer::from_seed([seed; 32])
}

/// The log's own key.
pub fn log() -> Signer {
    key(1)
}

/// Leaf hashes of a ledger; from `turn` on those of another branch.
pub fn leaves(size: u64, turn: u64) -> Vec<Digest> {
    let leaf = |index: u64| {
        let branch = if index >= turn { "b" } else { "a" };
        leaf_hash(format!("{branch}{index}").as_bytes())
    };
    (0..size).map(leaf).collect()
}

/// The head of a ledger with these leaves.
pub fn checkpoint(leaves: &[Digest]) -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.into(),
        size: leaves.len() as u64,
        root: root_of(leaves),
    }
}

/// That head, signed by the log.
pub fn note(leaves: &[Digest]) -> String {
    checkpoint(leaves).sign(&log()).unwrap()
}

/// What an honest log sends.
pub fn request(leaves: &[Digest], old: u64) -> Request {
    let levels = Levels::of(leaves);
    let nodes = |level, index| levels.node(level, index);
    let size = leaves.len() as u64;
    let proof = match old {
        0 => Vec::new(),
        old => consistency(&nodes, old, size).unwrap_or_default(),
    };
    let note = note(leaves);
    Request { old, proof, note }
}
