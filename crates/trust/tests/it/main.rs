//! The verifier, driven as gate and control plane drive it.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod cast;

mod authority;
mod checkpoint;
mod close;
mod envelope;
mod golden;
mod key;
mod ledger;
mod merkle;
mod release;
mod statement;
mod words;
