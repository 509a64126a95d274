//! Whether a password opens: the one place where it is tried, for pages and for mail programs.
//!
//! In:    an insurer, who says they are whom, a password, `now`. Out: [`Entry`].
//! Never: more tries of one name than are allowed; a quicker no for somebody who is not known.

use rusqlite::OptionalExtension;

use super::password;
use crate::kernel::ask::Role;
use crate::kernel::store::StoreError;
use crate::kernel::tenant::Tenant;

/// Wrong passwords of one name before it has to wait, and how long. Seconds.
const FAILURE_COUNT_MAX: i64 = 5;
const FAILURE_SECONDS: i64 = 900;

/// What a password came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// It is theirs.
    In,
    /// It is not, or nobody is called so.
    Wrong,
    /// It was not tried: too many were wrong.
    Wait,
}

/// Tries a password of a number or name, as it is written in the store.
///
/// # Errors
/// The store does not answer.
pub(crate) fn enter(
    tenant: &Tenant,
    (role, subject): (Role, &str),
    (secret, now): (&str, i64),
) -> Result<Entry, StoreError> {
    if failures(tenant, subject, now)? >= FAILURE_COUNT_MAX {
        return Ok(Entry::Wait);
    }
    let question = match role {
        Role::Insured => "SELECT password FROM insured WHERE kvnr = ?1",
        Role::Clerk => "SELECT password FROM clerk WHERE name = ?1",
    };
    let read = |c: &mut rusqlite::Connection| {
        c.query_row(question, [subject], |row| row.get(0))
            .optional()
    };
    let kept: Option<Vec<u8>> = tenant.store.with(read)?;
    let is_known = kept.is_some();
    // Somebody unknown takes as long as somebody known.
    let kept = kept.unwrap_or_else(|| vec![0; 48]);
    if password::fits(secret, &kept) && is_known {
        let forget = "DELETE FROM login_failure WHERE name = ?1";
        tenant.store.with(|c| c.execute(forget, [subject]))?;
        return Ok(Entry::In);
    }
    tenant.store.with(|c| {
        c.execute(
            "INSERT INTO login_failure VALUES (?1, 1, ?2)
             ON CONFLICT (name) DO UPDATE SET count = count + 1, since = ?2",
            (subject, now),
        )
    })?;
    Ok(Entry::Wrong)
}

fn failures(tenant: &Tenant, subject: &str, now: i64) -> Result<i64, StoreError> {
    let count: Option<i64> = tenant.store.with(|c| {
        c.query_row(
            "SELECT count FROM login_failure WHERE name = ?1 AND since > ?2",
            (subject, now - FAILURE_SECONDS),
            |row| row.get(0),
        )
        .optional()
    })?;
    Ok(count.unwrap_or(0))
}
