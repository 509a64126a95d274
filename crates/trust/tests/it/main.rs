//! The verifier, driven as gate and control plane drive it.
//!
//! Broken by hand, each found by at least one of these: an equal epoch taken; expiry ignored; keys
//! counted instead of persons; another tenant's representative counted; a foreign domain taken;
//! another spelling of a statement taken; the old root's threshold not asked for; a key that is
//! not reduced taken.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod cast;

mod authority;
mod break_glass;
mod checkpoint;
mod close;
mod delegation;
mod envelope;
mod finding;
mod fresh;
mod golden;
mod key;
mod ledger;
mod merkle;
mod passkey;
mod release;
mod ssh;
mod statement;
mod token;
