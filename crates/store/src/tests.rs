//! The ledger under test: kept, broken, filled up, stopped in mid-write.

mod cast;
pub(crate) mod fault;

mod desk;
