//! The ledger under test: kept, broken, filled up, stopped in mid-write.

mod cast;
pub(crate) mod fault;

mod broken;
mod desk;
mod disk;
mod form;
mod proof;
mod random;
