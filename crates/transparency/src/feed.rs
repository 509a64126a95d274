//! The sum of a feed: what its reader holds, in one digest.
//!
//! In:    items, in their order. Out: a digest.
//! Never: says who said so; fresh word is signed (`trust/src/fresh.rs`).
//! See:   docs/adr/020-fresh-word-for-a-beacon.md.

use anlauf_model::Digest;

/// The sum of a feed with one more item at its end: SHA-256 over the sum before, the item's number
/// (8 bytes, big-endian) and `envelope`, the SHA-256 of its envelope as it came.
///
/// The number of an item is nobody's word: without the sum whoever carries the feed could put
/// something else in the place of a close. An empty feed has the sum [`FEED_SUM_EMPTY`].
pub fn feed_sum(before: &Digest, seq: u64, envelope: &Digest) -> Digest {
    let mut bytes = before.0.to_vec();
    bytes.extend_from_slice(&seq.to_be_bytes());
    bytes.extend_from_slice(&envelope.0);
    Digest::of(&bytes)
}

/// The sum of an empty feed.
pub const FEED_SUM_EMPTY: Digest = Digest([0; 32]);
