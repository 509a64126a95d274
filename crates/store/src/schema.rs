//! How the ledger lies in its SQLite file.
//!
//! In:    a path. Out: a connection whose file is a ledger of this layout.
//! Never: changes a file that is something else.
//! See:   <https://www.sqlite.org/wal.html>, <https://www.sqlite.org/pragma.html>.

use std::path::Path;

use anlauf_trust::merkle::root_empty;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior};

use crate::error::{Cause, StoreError};

/// Layout of the tables below. Kept in `user_version`.
pub(crate) const FORMAT: i64 = 1;

/// `ANLF`, kept in `application_id`: tells a ledger from any other SQLite file.
const APPLICATION_ID: i64 = 0x414E_4C46;

/// First SQLite without the WAL reset race, in which a checkpoint could lose a commit.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Every object of the file, in the order of creation. Anything more or less is not a ledger:
/// a trigger could rewrite entries behind our back.
const TABLES: [&str; 4] = [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, scope TEXT NOT NULL, \
     leaf BLOB NOT NULL, salt BLOB NOT NULL, body TEXT NOT NULL) STRICT",
    "CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, \
     root BLOB NOT NULL) STRICT",
    "CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, \
     note TEXT NOT NULL) STRICT",
];

/// Opens the ledger for its one writer; lays it out when the file is new.
pub(crate) fn open_writer(file: &Path) -> Result<Connection, StoreError> {
    check_version()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = connect(file, flags)?;
    if is_blank(&connection).map_err(|error| not_a_ledger(file, error))? {
        lay_out(&mut connection).map_err(|e| StoreError::Append(Cause::Sqlite(e)))?;
    }
    check_layout(file, &connection)?;
    prepare_writer(&connection).map_err(|e| StoreError::Append(Cause::Sqlite(e)))?;
    Ok(connection)
}

/// Opens an existing ledger for reading only.
pub(crate) fn open_reader(file: &Path) -> Result<Connection, StoreError> {
    check_version()?;
    let connection = connect(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check_layout(file, &connection)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(StoreError::Read)?;
    Ok(connection)
}

fn connect(file: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| not_a_ledger(file, error))?;
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(StoreError::Read)?;
    Ok(connection)
}

fn check_version() -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::SqliteOld(rusqlite::version()));
    }
    Ok(())
}

/// Whether nothing was ever written to the file.
fn is_blank(connection: &Connection) -> rusqlite::Result<bool> {
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let application: i64 = connection.pragma_query_one(None, "application_id")?;
    Ok(objects == 0 && application == 0)
}

fn lay_out(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in TABLES {
        transaction.execute(table, [])?;
    }
    let root = root_empty();
    transaction.execute(
        "INSERT INTO head (one, size, root) VALUES (1, 0, ?1)",
        [&root.0[..]],
    )?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

/// Settings of a connection, not of the file.
fn prepare_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit returns after the log is on the disk. macOS needs `fullfsync` for that.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    let mode: String = connection.pragma_query_one(None, "journal_mode")?;
    let flush: i64 = connection.pragma_query_one(None, "synchronous")?;
    if mode != "wal" || flush != 2 {
        return Err(rusqlite::Error::InvalidQuery);
    }
    Ok(())
}

/// Moves what a crash left in the write-ahead log into the file, and empties the log: what an
/// unfinished commit left behind must not be found again behind the next ones (see `wal.rs`).
pub(crate) fn carry_over(connection: &Connection) -> Result<(), StoreError> {
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .map_err(|error| StoreError::Append(Cause::Sqlite(error)))
}

/// The domain noted in the file, if one was.
pub(crate) fn domain(connection: &Connection) -> Result<Option<String>, StoreError> {
    connection
        .query_row("SELECT value FROM meta WHERE key = 'domain'", [], |row| {
            row.get(0)
        })
        .optional()
        .map_err(StoreError::Read)
}

fn check_layout(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    let read = |error| not_a_ledger(file, error);
    let application: i64 = connection
        .pragma_query_one(None, "application_id")
        .map_err(read)?;
    let foreign = |why: &str| StoreError::NotALedger {
        file: file.into(),
        why: why.into(),
    };
    if application != APPLICATION_ID {
        return Err(foreign("it is a database of another program"));
    }
    let format: i64 = connection
        .pragma_query_one(None, "user_version")
        .map_err(read)?;
    if format != FORMAT {
        return Err(StoreError::FormatUnknown(format));
    }
    let mut tables = connection
        .prepare("SELECT sql FROM sqlite_schema ORDER BY rowid")
        .map_err(StoreError::Read)?;
    let found: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(StoreError::Read)?;
    if found != TABLES {
        return Err(foreign("its tables are not those of a ledger"));
    }
    Ok(())
}

fn not_a_ledger(file: &Path, error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let why = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is not a database",
        Some(ErrorCode::DatabaseCorrupt) => "the database in it is damaged",
        Some(ErrorCode::CannotOpen) => "it cannot be opened",
        _ => return StoreError::Read(error),
    };
    StoreError::NotALedger {
        file: file.into(),
        why: why.into(),
    }
}
