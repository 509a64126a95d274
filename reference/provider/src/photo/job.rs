//! The way of a photo: waiting, approved or rejected, replaced; and the card order.
//!
//! In:    checked photos, a clerk's decision. Out: rows; a card order for each approval.
//! Never: two orders for one photo; a decision on a photo that is decided.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::check::{Photo, check};
use crate::kernel::ask::Ask;
use crate::kernel::clock::{age, rfc3339};
use crate::kernel::miss::Miss;

/// Youngest age with a photo on the card. Years. SGB V § 291a (5).
const AGE_MIN: i16 = 15;

/// Longest reason a clerk gives. Characters.
const REASON_LENGTH_MAX: usize = 500;

/// A photo without its image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Number.
    pub id: i64,
    /// Whose.
    pub kvnr: String,
    /// `waiting`, `approved`, `rejected`, `replaced`.
    pub state: String,
    /// Seconds since 1970.
    pub received_at: i64,
    /// Who sent it: `insured`, or a clerk's name.
    pub by: String,
    /// Seconds since 1970.
    pub decided_at: Option<i64>,
    /// A clerk's reason.
    pub reason: Option<String>,
    /// SHA-256 of the stored image, in hex.
    pub digest: String,
    /// Of the insured person.
    pub name: String,
}

const COLUMNS: &str = "p.id, p.kvnr, p.state, p.received_at, p.by, p.decided_at, p.reason, \
     p.digest, i.given || ' ' || i.family FROM photo p JOIN insured i ON i.kvnr = p.kvnr";

impl Job {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kvnr: row.get(1)?,
            state: row.get(2)?,
            received_at: row.get(3)?,
            by: row.get(4)?,
            decided_at: row.get(5)?,
            reason: row.get(6)?,
            digest: row.get(7)?,
            name: row.get(8)?,
        })
    }

    /// As the API shows it.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id, "kvnr": self.kvnr, "state": self.state, "by": self.by,
            "received_at": rfc3339(self.received_at), "decided_at": self.decided_at.map(rfc3339),
            "reason": self.reason, "sha256": self.digest,
        })
    }
}

/// Takes a photo in. The same image again is the same photo.
///
/// # Errors
/// Everything that speaks against the image or the person.
pub(crate) fn receive(ask: &Ask<'_>, kvnr: &str, by: &str, bytes: &[u8]) -> Result<Job, Miss> {
    check_person(ask, kvnr)?;
    let judged = ask.house.one_by_one(|| check(bytes));
    let photo = judged.map_err(|mut faults| {
        let status = match faults.first().map(|(code, _)| *code) {
            Some("photo-too-large") => 413,
            Some("photo-no-jpeg") => 415,
            _ => 422,
        };
        let (code, words) = faults.remove(0);
        Miss {
            more: faults,
            words,
            ..Miss::new(status, code, "", "")
        }
    })?;
    let mark = ring::digest::digest(&ring::digest::SHA256, &photo.jpeg);
    let id = ask
        .tenant
        .store
        .with(|c| insert(c, (kvnr, by), &photo, (&hex::encode(mark), ask.now)))?;
    job(ask, id)?.ok_or_else(Miss::not_found)
}

fn insert(
    c: &mut Connection,
    (kvnr, by): (&str, &str),
    photo: &Photo,
    (mark, now): (&str, i64),
) -> rusqlite::Result<i64> {
    let change = c.transaction()?;
    let known: Option<i64> = change
        .query_row(
            "SELECT id FROM photo
             WHERE kvnr = ?1 AND digest = ?2 AND state IN ('waiting', 'approved')",
            (kvnr, mark),
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    change.execute(
        "UPDATE photo SET state = 'replaced', decided_at = ?2
         WHERE kvnr = ?1 AND state = 'waiting'",
        (kvnr, now),
    )?;
    change.execute(
        "INSERT INTO photo (kvnr, state, received_at, by, jpeg, width, height, digest)
         VALUES (?1, 'waiting', ?2, ?3, ?4, ?5, ?6, ?7)",
        params![kvnr, now, by, photo.jpeg, photo.width, photo.height, mark],
    )?;
    let id = change.last_insert_rowid();
    change.commit()?;
    Ok(id)
}

fn check_person(ask: &Ask<'_>, kvnr: &str) -> Result<(), Miss> {
    let found: Option<(String, bool, Option<i64>)> = ask.tenant.store.with(|c| {
        c.query_row(
            "SELECT birth, no_photo, left_at FROM insured WHERE kvnr = ?1",
            [kvnr],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
    })?;
    let Some((birth, no_photo, None)) = found else {
        return Err(Miss::not_found());
    };
    if no_photo {
        return Err(Miss::new(
            409,
            "photo-not-needed",
            "Für Sie ist vermerkt, dass die Karte ohne Foto ausgestellt wird.",
            "It is noted for you that the card is issued without a photo.",
        ));
    }
    let is_old_enough = birth
        .parse()
        .is_ok_and(|birth| age(birth, ask.house.today()) >= AGE_MIN);
    if !is_old_enough {
        return Err(Miss::new(
            422,
            "photo-age",
            "Bis zum 15. Geburtstag ist auf der Karte kein Foto; Sie brauchen keines zu senden.",
            "Until the 15th birthday there is no photo on the card; you need not send one.",
        ));
    }
    Ok(())
}

/// One photo.
pub(crate) fn job(ask: &Ask<'_>, id: i64) -> Result<Option<Job>, Miss> {
    let question = format!("SELECT {COLUMNS} WHERE p.id = ?1");
    Ok(ask
        .tenant
        .store
        .with(|c| c.query_row(&question, [id], Job::read).optional())?)
}

/// All photos of a person, the latest first.
pub(crate) fn of_person(ask: &Ask<'_>, kvnr: &str) -> Result<Vec<Job>, Miss> {
    list(ask, "WHERE p.kvnr = ?1 ORDER BY p.id DESC LIMIT 50", kvnr)
}

/// All that wait, the oldest first.
pub(crate) fn waiting(ask: &Ask<'_>) -> Result<Vec<Job>, Miss> {
    list(ask, "WHERE p.state = ?1 ORDER BY p.id LIMIT 100", "waiting")
}

fn list(ask: &Ask<'_>, more: &str, value: &str) -> Result<Vec<Job>, Miss> {
    let question = format!("SELECT {COLUMNS} {more}");
    Ok(ask.tenant.store.with(|c| {
        let mut statement = c.prepare(&question)?;
        statement.query_map([value], Job::read)?.collect()
    })?)
}

/// The stored image.
pub(crate) fn image(ask: &Ask<'_>, id: i64) -> Result<Vec<u8>, Miss> {
    let found: Option<Vec<u8>> = ask.tenant.store.with(|c| {
        c.query_row("SELECT jpeg FROM photo WHERE id = ?1", [id], |row| {
            row.get(0)
        })
        .optional()
    })?;
    found
        .filter(|jpeg| !jpeg.is_empty())
        .ok_or_else(Miss::not_found)
}

/// A clerk's yes; the number of the card order.
pub(crate) fn approve(ask: &Ask<'_>, id: i64) -> Result<i64, Miss> {
    let clerk = ask.subject()?;
    let order = ask.tenant.store.with(|c| {
        let change = c.transaction()?;
        let decided: Option<(String, String)> = change
            .query_row(
                "UPDATE photo SET state = 'approved', decided_at = ?2, decided_by = ?3
                 WHERE id = ?1 AND state = 'waiting' RETURNING kvnr, digest",
                (id, ask.now, clerk),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((kvnr, mark)) = decided else {
            return Ok(None);
        };
        change.execute(
            "UPDATE photo SET state = 'replaced'
             WHERE kvnr = ?1 AND state = 'approved' AND id < ?2",
            (&kvnr, id),
        )?;
        change.execute(
            "INSERT INTO card_order (photo, kvnr, digest, ordered_at, ordered_by)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (id, kvnr, mark, ask.now, clerk),
        )?;
        let order = change.last_insert_rowid();
        change.commit()?;
        Ok(Some(order))
    })?;
    order.ok_or_else(|| decided_or_none(ask, id))
}

/// A clerk's no, with a reason the person reads.
pub(crate) fn reject(ask: &Ask<'_>, id: i64, reason: &str) -> Result<(), Miss> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX {
        return Err(Miss::new(
            422,
            "reason-missing",
            "Bitte geben Sie einen Grund an, den die versicherte Person versteht.",
            "Please give a reason that the insured person understands.",
        ));
    }
    let clerk = ask.subject()?;
    let count = ask.tenant.store.with(|c| {
        let change = c.transaction()?;
        let count = change.execute(
            "UPDATE photo SET state = 'rejected', decided_at = ?2, decided_by = ?3, reason = ?4
             WHERE id = ?1 AND state = 'waiting'",
            (id, ask.now, clerk, reason),
        )?;
        if count == 1 {
            change.execute(
                "INSERT INTO message (kvnr, from_insured, subject, body, at)
                 SELECT kvnr, 0, 'Ihr Foto für die Gesundheitskarte', ?2, ?3
                 FROM photo WHERE id = ?1",
                (id, reason, ask.now),
            )?;
        }
        change.commit()?;
        Ok(count)
    })?;
    match count {
        1 => Ok(()),
        _ => Err(decided_or_none(ask, id)),
    }
}

fn decided_or_none(ask: &Ask<'_>, id: i64) -> Miss {
    match job(ask, id) {
        Ok(Some(_)) => Miss::new(
            409,
            "photo-decided",
            "Über dieses Foto ist schon entschieden.",
            "This photo is decided already.",
        ),
        Ok(None) => Miss::not_found(),
        Err(miss) => miss,
    }
}

/// Card orders, the latest first: number, photo, KVNR, digest, when, by whom.
pub(crate) fn orders(ask: &Ask<'_>) -> Result<Vec<Value>, Miss> {
    Ok(ask.tenant.store.with(|c| {
        let mut statement = c.prepare(
            "SELECT id, photo, kvnr, digest, ordered_at, ordered_by FROM card_order
             ORDER BY id DESC LIMIT 200",
        )?;
        let read = |row: &Row<'_>| {
            Ok(json!({
                "id": row.get::<_, i64>(0)?, "photo": row.get::<_, i64>(1)?,
                "kvnr": row.get::<_, String>(2)?, "sha256": row.get::<_, String>(3)?,
                "ordered_at": rfc3339(row.get(4)?), "ordered_by": row.get::<_, String>(5)?,
            }))
        };
        statement.query_map([], read)?.collect()
    })?)
}
