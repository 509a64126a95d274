//! What people read before they sign.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

mod words;
