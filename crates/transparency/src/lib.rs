//! The ledger for outsiders: what it takes to believe a log without believing its owner.
//!
//! In:    leaves, hashes, notes and proofs as bytes; keys the reader was told before.
//! Out:   roots, proofs, checkpoints, cosignatures; or why not.
//! Never: reads a clock, a disk or the network; believes a name or key that the bytes bring along.
//! See:   RFC 6962 §2.1, C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature,
//!        tlog-proof, tlog-witness; docs/formats/ledger.md.

pub mod feed;
pub mod leaf;
pub mod merkle;

pub mod checkpoint;
pub mod cosignature;
pub mod proof;
pub mod tile;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use leaf::Leaf;
pub use merkle::Frontier;
