//! A disk that loses, tears and fails, under a real SQLite: for tests only.
//!
//! In:    what SQLite writes, cuts, flushes and deletes in one folder, and which of it shall fail.
//! Out:   a [`Tape`] of all that; a [`Disk`] that plays it and says what could be found after a
//!        power cut at any point of it.
//! Never: part of the product: no crate but tests leans on it.
//! See:   docs/adr/015-crash-layer-as-a-shim.md, <https://www.sqlite.org/vfs.html>.
//!
//! The model of a disk: what was flushed stays. Of what was not, each sector of 512 bytes is there
//! or not, whatever order it was written in. A file that was made or deleted may be there or not
//! until it is flushed. A failed flush leaves the same lottery, and the next flush does not mend it
//! (that is what Linux does, <https://lwn.net/Articles/752063/>).

mod disk;
mod shim;
mod tape;

pub use disk::{Disk, Image, SECTOR_SIZE};
pub use shim::install;
pub use tape::{Event, Fault, Tape};

/// Chance out of a seed.
pub type Chance = rand_xoshiro::Xoshiro256PlusPlus;

#[cfg(test)]
mod tests;
