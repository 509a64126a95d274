//! Envelopes, keys and signatures: whether one signature is over these bytes.
//!
//! In:    bytes from outside, key records, a message.
//! Out:   [`Envelope`], [`KeyRecord`], whether a signature holds; a [`Refusal`] or [`Flaw`].
//! Never: says whether enough people signed: that is `anlauf-trust`; has `unsafe` code.
//! See:   DSSE v1, RFC 8032, OpenSSH PROTOCOL.sshsig and PROTOCOL.u2f, WebAuthn
//!        Level 2.

pub mod refusal;
pub mod strict;

pub mod envelope;
pub mod key;
mod point;
mod ssh;
pub mod webauthn;

pub mod armor;

pub use envelope::{Envelope, Signature};
pub use key::{Flaw, KeyId, KeyRecord, Message, Origin, PublicKey, Scheme, Signer};
pub use refusal::{Reason, Refusal};
