//! One insurer's data on disk: a SQLite file, opened when it is needed.
//!
//! In:    a path, a schema. Out: [`Store`]: work on the one connection, in turn.
//! Never: one file for two insurers; a write that is acknowledged before it is on disk.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

/// How long another process (a backup) may hold the file.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// Why the store does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says so.
    #[error("the database cannot be used: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The disk says so.
    #[error("the disk cannot be used: {0}")]
    Disk(#[from] std::io::Error),
}

/// One SQLite file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    schema: &'static str,
    open: Mutex<Option<Connection>>,
}

impl Store {
    /// Opens nothing yet.
    pub fn new(path: PathBuf, schema: &'static str) -> Self {
        Self {
            path,
            schema,
            open: Mutex::new(None),
        }
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Works on the data; nobody else does meanwhile.
    ///
    /// # Errors
    /// The file cannot be opened, or the work itself fails.
    pub fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match open.take() {
            Some(connection) => open.insert(connection),
            None => open.insert(self.connect()?),
        };
        Ok(work(connection)?)
    }

    /// Gives the file free: after a restore, what is read is what lies there.
    pub fn let_go(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let connection = Connection::open(&self.path)?;
        connection.busy_timeout(BUSY_WAIT_MAX)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.execute_batch(self.schema)?;
        Ok(connection)
    }
}

/// Tables of the house.
pub const HOUSE: &str = include_str!("store/house.sql");
