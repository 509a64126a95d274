//! The records of one insurer on disk: everything in them is sealed.
//!
//! In:    a person's number, resources. Out: the same, if nobody changed them.
//! Never: a resource in plain on disk; a damaged one passed over in silence.

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};
use serde_json::Value;

use super::seal::{Master, RecordKey, Unsound};
use crate::kernel::miss::Miss;
use crate::kernel::tenant::Tenant;

/// Name of the store in an insurer's folder.
pub const RECORDS_FILE: &str = "record.sqlite";

/// Tables of the records.
pub const RECORDS: &str = include_str!("shelf/record.sql");

/// Most resources in a record, old versions and marks of deleted ones too, the log aside.
pub const RESOURCE_COUNT_MAX: usize = 5_000;

/// States of a record, as the ePA's information service has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Can be used.
    Activated,
    /// Closed for now: 409 to everything.
    Suspended,
}

impl State {
    /// As on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Activated => "activated",
            State::Suspended => "suspended",
        }
    }

    /// From the disk; what is not understood is closed.
    pub fn parse(text: &str) -> Self {
        match text {
            "activated" => State::Activated,
            _ => State::Suspended,
        }
    }
}

/// A record that was found.
#[derive(Debug)]
pub struct Record {
    /// Its name in the store.
    pub name: String,
    /// Whether it can be used.
    pub state: State,
    pub(super) key: RecordKey,
}

/// A resource and its place in the order of arrival.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Grows.
    pub place: i64,
    /// The resource.
    pub resource: Value,
}

/// The records within one change: all of it or nothing.
pub struct Shelf<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    pub(super) master: &'a Master,
    pub(super) change: Transaction<'a>,
}

/// Works on an insurer's records; what is written is on disk when this returns.
///
/// # Errors
/// The store does not answer, or the work says no: then nothing was written.
pub fn with<T>(
    tenant: &Tenant,
    master: &Master,
    work: impl FnOnce(&Shelf<'_>) -> Result<T, Miss>,
) -> Result<T, Miss> {
    tenant.records.with(|connection| {
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let shelf = Shelf {
            tenant,
            master,
            change,
        };
        let done = work(&shelf);
        if done.is_ok() {
            shelf.change.commit()?;
        }
        Ok(done)
    })?
}

impl Shelf<'_> {
    /// A person's record.
    ///
    /// # Errors
    /// The store does not answer, or the record's key was changed.
    pub fn record(&self, kvnr: &str) -> Result<Option<Record>, Miss> {
        let name = self.master.record_name(&self.tenant.id, kvnr);
        let found: Option<(String, Vec<u8>)> = self
            .change
            .query_row(
                "SELECT state, key FROM record WHERE name = ?1",
                [&name],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((state, wrapped)) = found else {
            return Ok(None);
        };
        let key = self.master.unwrap_key(&self.key_place(&name), &wrapped);
        Ok(Some(Record {
            key: key.map_err(|Unsound| damaged())?,
            state: State::parse(&state),
            name,
        }))
    }

    /// Lays out an empty record.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn open_record(&self, kvnr: &str) -> Result<Record, Miss> {
        let name = self.master.record_name(&self.tenant.id, kvnr);
        let made = self.master.make(&self.key_place(&name));
        let (key, wrapped) = made.map_err(|Unsound| damaged())?;
        let state = State::Activated;
        self.change.execute(
            "INSERT INTO record VALUES (?1, ?2, ?3)",
            (&name, state.as_str(), wrapped),
        )?;
        Ok(Record { name, state, key })
    }

    /// Where the key of a record belongs.
    pub(super) fn key_place<'a>(&'a self, name: &'a str) -> [&'a str; 3] {
        [&self.tenant.id, name, "key"]
    }

    /// One resource of a record.
    ///
    /// # Errors
    /// The store does not answer, or the resource was changed.
    pub fn get(&self, record: &Record, kind: &str, id: &str) -> Result<Option<Value>, Miss> {
        let found: Option<Vec<u8>> = self
            .change
            .query_row(
                "SELECT sealed FROM resource WHERE record = ?1 AND kind = ?2 AND id = ?3",
                (&record.name, kind, id),
                |row| row.get(0),
            )
            .optional()?;
        found
            .map(|sealed| self.opened(record, (kind, id), &sealed))
            .transpose()
    }

    /// Who has a resource of a kind and id: a record's name.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn holder(&self, kind: &str, id: &str) -> Result<Option<String>, Miss> {
        let ask = "SELECT record FROM resource WHERE kind = ?1 AND id = ?2";
        let found = self.change.query_row(ask, (kind, id), |row| row.get(0));
        Ok(found.optional()?)
    }

    /// All resources of a kind in a record, the latest first.
    ///
    /// # Errors
    /// The store does not answer, or one of them was changed.
    pub fn all(&self, record: &Record, kind: &str) -> Result<Vec<Kept>, Miss> {
        let mut statement = self.change.prepare_cached(
            "SELECT place, id, sealed FROM resource WHERE record = ?1 AND kind = ?2
             ORDER BY place DESC",
        )?;
        let rows = statement.query_map((&record.name, kind), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
        let mut all = Vec::new();
        for row in rows {
            let (place, id, sealed): (i64, String, Vec<u8>) = row?;
            let resource = self.opened(record, (kind, &id), &sealed)?;
            all.push(Kept { place, resource });
        }
        Ok(all)
    }

    /// Keeps a resource.
    ///
    /// # Errors
    /// The store does not answer, or the record is full.
    pub fn put(&self, record: &Record, (kind, id): (&str, &str), it: &Value) -> Result<(), Miss> {
        let place = self.place(record, kind, id);
        let sealed = self
            .master
            .seal(&record.key, &place, it.to_string().as_bytes());
        self.change.execute(
            "INSERT INTO resource (record, kind, id, sealed) VALUES (?1, ?2, ?3, ?4)",
            (&record.name, kind, id, sealed.map_err(|Unsound| damaged())?),
        )?;
        Ok(())
    }

    /// Takes a resource out.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn remove(&self, record: &Record, kind: &str, id: &str) -> Result<(), Miss> {
        self.change.execute(
            "DELETE FROM resource WHERE record = ?1 AND kind = ?2 AND id = ?3",
            (&record.name, kind, id),
        )?;
        Ok(())
    }

    /// Whether nothing more goes in.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn is_full(&self, record: &Record) -> Result<bool, Miss> {
        let count: i64 = self.change.query_row(
            "SELECT count(*) FROM resource WHERE record = ?1 AND kind <> 'AuditEvent'",
            [&record.name],
            |row| row.get(0),
        )?;
        Ok(usize::try_from(count).is_ok_and(|count| count >= RESOURCE_COUNT_MAX))
    }

    /// Where a resource belongs.
    pub(super) fn place<'a>(
        &'a self,
        record: &'a Record,
        kind: &'a str,
        id: &'a str,
    ) -> [&'a str; 4] {
        [&self.tenant.id, &record.name, kind, id]
    }

    fn opened(
        &self,
        record: &Record,
        (kind, id): (&str, &str),
        sealed: &[u8],
    ) -> Result<Value, Miss> {
        let plain = record.key.open(&self.place(record, kind, id), sealed);
        let plain = plain.map_err(|Unsound| damaged())?;
        serde_json::from_slice(&plain).map_err(|_| damaged())
    }
}

/// Puts a person's record, or all of an insurer, into a state; how many there were.
///
/// # Errors
/// The store does not answer.
pub fn set_state(
    tenant: &Tenant,
    master: &Master,
    (kvnr, state): (Option<&str>, State),
) -> Result<usize, Miss> {
    with(tenant, master, |shelf| {
        let name = kvnr.map(|kvnr| master.record_name(&tenant.id, kvnr));
        Ok(shelf.change.execute(
            "UPDATE record SET state = ?1 WHERE ?2 IS NULL OR name = ?2",
            (state.as_str(), name),
        )?)
    })
}

/// What lies on disk is not what was put there.
pub(super) fn damaged() -> Miss {
    tracing::error!("a record or document on disk is not what was put there");
    Miss::new(
        503,
        "damaged",
        "Die gespeicherten Daten sind beschädigt und werden deshalb nicht ausgegeben.",
        "The stored data is damaged and is not given out for that reason.",
    )
}
