//! Reads the ledger beside its writer.
//!
//! In:    a folder. Out: entries, each checked against its leaf; the head; leaves for proofs.
//! Never: writes; sees half a transaction; shows an entry whose leaf does not match.

use std::path::{Path, PathBuf};

use anlauf_model::Digest;
use anlauf_recovery::Entry;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::{FILE_LEDGER, leaf, schema, walk};

/// A reading connection.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    file: PathBuf,
}

/// The ledger in figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerHead {
    /// Entries, which is the number of the last one.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// The newest checkpoint, if there is one.
    pub note: Option<String>,
    /// How much it takes on the disk, with its write-ahead log.
    pub bytes: u64,
}

/// One entry with all that is needed to prove it to an outsider.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// The entry.
    pub entry: Entry,
    /// Its bytes as they were hashed.
    pub body: String,
    /// The salt of its body.
    pub salt: [u8; 32],
    /// Its leaf hash.
    pub leaf: Digest,
}

impl Reader {
    /// Opens the ledger of a data folder for reading.
    ///
    /// # Errors
    /// There is none, or it is something else.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE_LEDGER);
        let connection = schema::open_reader(&file)?;
        Ok(Self { connection, file })
    }

    /// Entries from a number on (1 is the first), at most `limit`.
    ///
    /// # Errors
    /// Reading fails, or an entry does not match its leaf.
    pub fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let from = from.max(1);
        let to = from.saturating_add(limit as u64).saturating_sub(1);
        let mut entries = Vec::new();
        self.for_each_checked(from, to, &mut |entry, _| entries.push(entry))?;
        Ok(entries)
    }

    /// Every entry in order.
    ///
    /// # Errors
    /// Reading fails, or an entry does not match its leaf.
    pub fn for_each(&self, each: &mut dyn FnMut(Entry)) -> Result<(), StoreError> {
        self.for_each_checked(1, u64::MAX, &mut |entry, _| each(entry))
    }

    /// Size, root, newest checkpoint and size on the disk.
    ///
    /// # Errors
    /// Reading fails.
    pub fn head(&self) -> Result<LedgerHead, StoreError> {
        let head = walk::head(&self.connection)?
            .ok_or_else(|| StoreError::broken(1, "the head is missing"))?;
        let note = walk::checkpoint_last(&self.connection)?.map(|stored| stored.note);
        Ok(LedgerHead {
            size: head.size,
            root: head.root,
            note,
            bytes: bytes(&self.file),
        })
    }

    /// The domain the ledger belongs to; none before a root or an opening named one.
    ///
    /// # Errors
    /// Reading fails.
    pub fn domain(&self) -> Result<Option<String>, StoreError> {
        schema::domain(&self.connection)
    }

    /// Every leaf hash up to a size: what proofs are computed from.
    ///
    /// # Errors
    /// Reading fails, or the ledger is shorter.
    pub fn leaves(&self, size: u64) -> Result<Vec<Digest>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT leaf FROM event WHERE seq <= ?1 ORDER BY seq")
            .map_err(StoreError::Read)?;
        let rows = statement
            .query_map([bound(size)], |row| row.get::<_, [u8; 32]>(0))
            .map_err(StoreError::Read)?;
        let leaves: Vec<Digest> = rows
            .map(|row| row.map(Digest))
            .collect::<Result<_, _>>()
            .map_err(StoreError::Read)?;
        let count = leaves.len() as u64;
        if count == size {
            Ok(leaves)
        } else {
            Err(StoreError::broken(
                count + 1,
                format!("entry {} is missing", count + 1),
            ))
        }
    }

    /// One entry with its salt and leaf; none when the ledger is shorter.
    ///
    /// # Errors
    /// Reading fails, or the entry does not match its leaf.
    pub fn record(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        let sql = format!("SELECT {} FROM event WHERE seq = ?1", leaf::COLUMNS);
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .map_err(StoreError::Read)?;
        let mut rows = statement.query([bound(seq)]).map_err(StoreError::Read)?;
        let Some(row) = rows.next().map_err(StoreError::Read)? else {
            return Ok(None);
        };
        let (entry, leaf) = leaf::open(row, seq).map_err(|why| wrong(seq, why))?;
        let salt = row.get(4).map_err(StoreError::Read)?;
        let body = row.get(5).map_err(StoreError::Read)?;
        Ok(Some(Record {
            entry,
            body,
            salt,
            leaf,
        }))
    }

    /// Entries `first` to `last` with their leaves, as far as there are any.
    pub(crate) fn for_each_checked(
        &self,
        first: u64,
        last: u64,
        each: &mut dyn FnMut(Entry, Digest),
    ) -> Result<(), StoreError> {
        let sql = format!(
            "SELECT {} FROM event WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
            leaf::COLUMNS
        );
        let mut statement = self
            .connection
            .prepare_cached(&sql)
            .map_err(StoreError::Read)?;
        let mut rows = statement
            .query([bound(first), bound(last)])
            .map_err(StoreError::Read)?;
        let mut seq = first;
        while let Some(row) = rows.next().map_err(StoreError::Read)? {
            let (entry, leaf) = leaf::open(row, seq).map_err(|why| wrong(seq, why))?;
            each(entry, leaf);
            seq += 1;
        }
        Ok(())
    }
}

fn wrong(seq: u64, why: &str) -> StoreError {
    StoreError::broken(seq, format!("entry {seq}: {why}"))
}

fn bound(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Size of the file and its write-ahead log.
pub(crate) fn bytes(file: &Path) -> u64 {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
    size(file) + size(Path::new(&log))
}
