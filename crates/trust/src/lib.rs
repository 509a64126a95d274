//! The verifier: who may say what, and whether enough of them said it.
//!
//! In:    signed bytes, pinned root, facts about a cell, `now`.
//! Out:   [`Authority`], what was [`Verified`]; or every reason why not.
//! Never: reads a clock, a disk or the network; acts on bytes it did not verify; has `unsafe` code.
//! See:   in-toto Statement v1, TUF §5.3; `anlauf-keys` (one signature), `anlauf-transparency`
//!        (the ledger): their words are handed on here.

pub mod payload;
pub mod statement;

pub mod authority;
pub mod delegation;
pub mod fresh;
pub mod quorum;
pub mod verify;

pub use anlauf_keys::{armor, envelope, key, refusal, webauthn};
pub use anlauf_transparency::{checkpoint, leaf, merkle};

pub use anlauf_keys::{Envelope, Flaw, KeyId, KeyRecord, Message, Origin, PublicKey, Reason};
pub use anlauf_keys::{Refusal, Scheme, Signature, Signer};
pub use anlauf_transparency::feed::{FEED_SUM_EMPTY, feed_sum};
pub use anlauf_transparency::{Checkpoint, Frontier, Leaf};

pub use authority::Authority;
pub use fresh::Freshness;
pub use quorum::Demand;
pub use statement::{
    Close, Delegation, Finding, Policy, Release, ReleaseCell, Root, Scope, Statement,
};
pub use verify::{CellFacts, Verified};
