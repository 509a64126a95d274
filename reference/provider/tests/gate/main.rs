//! The real gate before the real services: shut, released, shut and released again.
//!
//! In:    the programs `anlauf` (built beside this test) and `reference-provider`.
//! Out:   what people get: the service or an honest no, nothing of a shut cell, nothing lost.
//! Never: a wait by the clock: the gate is asked until it has followed, bounded in count.
//! See:   docs/guide/reference.md, which walks the same way.

mod house;
mod load;
mod pages;
