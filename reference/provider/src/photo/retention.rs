//! When a photo has to go.
//!
//! In:    what is stored, the time. Out: what was deleted. Never: deletes a photo that waits.
//! See:   SGB V § 291a (6): ten years at most, three months after the end of the insurance.

use serde::Serialize;

use crate::kernel::miss::Miss;
use crate::kernel::tenant::Tenant;

const DAY: i64 = 86_400;

/// Longest time of an approved photo. Seconds: ten years.
const KEPT_SECONDS_MAX: i64 = 3_652 * DAY;

/// After the end of the insurance. Seconds: three months, counted short.
const AFTER_LEAVING_SECONDS_MAX: i64 = 89 * DAY;

/// A rejected or replaced photo: time to ask back, then it has no purpose. Our assumption.
const DECIDED_SECONDS_MAX: i64 = 30 * DAY;

/// What was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Retired {
    /// Approved ten years ago.
    pub old: usize,
    /// Of people who left.
    pub left: usize,
    /// Rejected or replaced.
    pub decided: usize,
}

/// Deletes images that have to go; the row stays as proof, without the image.
///
/// # Errors
/// The store does not answer.
pub fn retire(tenant: &Tenant, now: i64) -> Result<Retired, Miss> {
    const CLEAR: &str = "UPDATE photo SET jpeg = x'', state = 'deleted' WHERE jpeg <> x'' AND ";
    let run = |more: &str, before: i64| {
        tenant
            .store
            .with(|c| c.execute(&format!("{CLEAR}{more}"), [before]))
    };
    Ok(Retired {
        left: run(
            "kvnr IN (SELECT kvnr FROM insured WHERE left_at < ?1)",
            now - AFTER_LEAVING_SECONDS_MAX,
        )?,
        old: run(
            "state = 'approved' AND decided_at < ?1",
            now - KEPT_SECONDS_MAX,
        )?,
        decided: run(
            "state IN ('rejected', 'replaced') AND decided_at < ?1",
            now - DECIDED_SECONDS_MAX,
        )?,
    })
}
