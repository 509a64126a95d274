//! The ledger under test: kept, broken, filled up, stopped in mid-write.
//!
//! Broken by hand, each found by at least one of these: state shown before the append; a refusal
//! answered before its batch; going on after a failed write; leaf, head, stored checkpoint, side
//! file, note's signature, tables not checked; nothing read back before signing; no lock;
//! `synchronous` off (by the failing flush); one flush per command; an empty file laid out beside
//! a checkpoint.

mod cast;
pub(crate) mod fault;

mod broken;
mod desk;
mod disk;
mod export;
mod form;
mod proof;
mod random;
