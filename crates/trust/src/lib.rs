//! The verifier: who may say what, and whether enough of them said it.
//!
//! In:    signed bytes, pinned root, facts about a cell, `now`.
//! Out:   [`Authority`], [`VerifiedRelease`], [`VerifiedClose`], Merkle proofs; or every reason why
//!        not.
//! Never: reads a clock, a disk or the network; acts on bytes it did not verify; has `unsafe` code.
//! See:   DSSE v1, in-toto Statement v1, RFC 6962 §2.1, C2SP signed-note and tlog-checkpoint.

pub mod refusal;
mod strict;

pub mod armor;
pub mod envelope;
pub mod key;
pub mod payload;
mod ssh;
pub mod statement;
pub mod words;

pub mod authority;
pub mod quorum;
pub mod verify;

pub mod checkpoint;
pub mod leaf;
pub mod merkle;

pub use authority::Authority;
pub use checkpoint::Checkpoint;
pub use envelope::{Envelope, Signature};
pub use key::{Flaw, KeyId, KeyRecord, Message, Origin, PublicKey, Scheme, Signer};
pub use leaf::Leaf;
pub use merkle::Frontier;
pub use quorum::Demand;
pub use refusal::{Reason, Refusal};
pub use statement::{Close, Policy, Release, ReleaseCell, Root, Scope, Statement};
pub use verify::{CellFacts, VerifiedClose, VerifiedRelease};
pub use words::fingerprint;
