//! The ledger on a disk that loses, tears, fails and rots.
//!
//! In:    stories of a ledger on a recorded disk, seeds; `CRASH_POINTS` for how many power cuts.
//! Out:   nothing, or the first promise that a disk broke.
//! Never: a ledger that is not the product's own, through its public door.
//! See:   docs/guide/simulator.md, "The disk"; docs/adr/015-crash-layer-as-a-shim.md.
//!
//! What holds: after a power cut the ledger opens, is one that the writer has had (root for root,
//! never half a batch), and has everything that was acknowledged. After bits have turned it is
//! refused with a code, or is whole. That these tests can fail: `a_disk_that_lies_is_found_out`,
//! and by hand: `synchronous` NORMAL (six of eight fail), the log not looked at before SQLite reads
//! it (one turned bit in eight shortened the ledger without a word).

mod damage;
mod failure;
mod power;
mod story;

/// How many points of a kind to play: `share` of the number in `CRASH_POINTS`, which is small by
/// default, so that the tests of every day stay short.
fn point_count(share: f64) -> usize {
    let all = std::env::var("CRASH_POINTS").ok();
    let all: f64 = all.and_then(|text| text.parse().ok()).unwrap_or(6_000.0);
    (all * share) as usize
}
