//! Goes through the whole ledger and proves it to itself.
//!
//! In:    a connection, a size whose root somebody wants.
//! Out:   every entry, checked, and [`Walked`].
//! Never: passes an entry on before its leaf was recomputed from its body.

use anlauf_model::Digest;
use anlauf_recovery::Entry;
use anlauf_trust::{Checkpoint, Frontier};
use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;
use crate::leaf;
use crate::ledger::Head;

mod ahead;

/// What the walk found at its end.
pub(crate) struct Walked {
    /// The tree over every entry.
    pub(crate) frontier: Frontier,
    /// The tree at the newest checkpoint, and its note.
    pub(crate) checkpoint: Option<(Frontier, String)>,
    /// How many checkpoints were held against the entries.
    pub(crate) checkpoint_count: u64,
    /// The root at the size that was asked for, if the ledger is that long.
    pub(crate) root_asked: Option<Digest>,
}

/// A stored checkpoint.
pub(crate) struct Stored {
    pub(crate) head: Head,
    pub(crate) note: String,
}

/// Walks all entries in order, in one reading transaction.
pub(crate) fn walk(
    connection: &Connection,
    size_asked: Option<u64>,
    each: &mut dyn FnMut(Entry),
) -> Result<Walked, StoreError> {
    let transaction = connection
        .unchecked_transaction()
        .map_err(StoreError::Read)?;
    let mut walker = Walker::new(&transaction, size_asked)?;
    walker.meet_checkpoints()?;
    let sql = format!("SELECT {} FROM event ORDER BY seq", leaf::COLUMNS);
    let mut statement = transaction.prepare(&sql).map_err(StoreError::Read)?;
    let mut rows = statement.query([]).map_err(StoreError::Read)?;
    let mut seq = 0;
    let mut read = || {
        seq += 1;
        match rows.next() {
            Err(error) => Err(damaged(error, seq)),
            Ok(None) => Ok(None),
            Ok(Some(row)) => leaf::read(row).map(Some).map_err(|why| wrong(seq, why)),
        }
    };
    ahead::opened(&mut read, &mut |seq, opened| {
        let (entry, leaf) = opened.map_err(|why| wrong(seq, why))?;
        walker.append(leaf)?;
        each(entry);
        Ok(())
    })?;
    walker.finish(&transaction)
}

impl Walked {
    /// Holds the tree against the checkpoint that was kept outside of the ledger; its size was
    /// asked for.
    pub(crate) fn check_side(&self, side: Option<&Checkpoint>) -> Result<(), StoreError> {
        let Some(side) = side else { return Ok(()) };
        let ledger = self.frontier.size();
        match self.root_asked {
            None => Err(StoreError::RolledBack {
                ledger,
                checkpoint: side.size,
            }),
            Some(root) if root != side.root => {
                let vouched = self
                    .checkpoint
                    .as_ref()
                    .map_or(0, |(frontier, _)| frontier.size());
                let first = if vouched < side.size { vouched + 1 } else { 1 };
                let why = format!(
                    "the first {} entries are not those that were signed",
                    side.size
                );
                Err(StoreError::broken(first, why))
            }
            Some(_) => Ok(()),
        }
    }
}

struct Walker {
    walked: Walked,
    size_asked: Option<u64>,
    checkpoints: std::iter::Peekable<std::vec::IntoIter<Stored>>,
}

impl Walker {
    fn new(connection: &Connection, size_asked: Option<u64>) -> Result<Self, StoreError> {
        let walked = Walked {
            frontier: Frontier::default(),
            checkpoint: None,
            checkpoint_count: 0,
            root_asked: None,
        };
        let checkpoints = checkpoints(connection)?.into_iter().peekable();
        Ok(Self {
            walked,
            size_asked,
            checkpoints,
        })
    }

    fn frontier(&self) -> &Frontier {
        &self.walked.frontier
    }

    fn append(&mut self, leaf: Digest) -> Result<(), StoreError> {
        self.walked.frontier.append(leaf);
        self.meet_checkpoints()
    }

    /// Holds the tree against what is known of this size.
    fn meet_checkpoints(&mut self) -> Result<(), StoreError> {
        let size = self.frontier().size();
        if self.size_asked == Some(size) {
            self.walked.root_asked = Some(self.frontier().root());
        }
        let Some(stored) = self.checkpoints.next_if(|next| next.head.size <= size) else {
            return Ok(());
        };
        if stored.head.size != size
            || stored.head.root != self.frontier().root()
            || !speaks_of(&stored.note, stored.head)
        {
            let why = format!("the tree of {size} entries is not the one in its checkpoint");
            return Err(StoreError::broken(self.seq_doubtful(), why));
        }
        self.walked.checkpoint = Some((self.frontier().clone(), stored.note));
        self.walked.checkpoint_count += 1;
        Ok(())
    }

    /// The first entry that no checkpoint vouches for.
    fn seq_doubtful(&self) -> u64 {
        self.walked
            .checkpoint
            .as_ref()
            .map_or(0, |(frontier, _)| frontier.size())
            + 1
    }

    fn finish(mut self, connection: &Connection) -> Result<Walked, StoreError> {
        let size = self.frontier().size();
        let next = size + 1;
        if let Some(stored) = self.checkpoints.next() {
            let why = format!(
                "entry {next} is missing, a checkpoint speaks of {} entries",
                stored.head.size
            );
            return Err(StoreError::broken(next, why));
        }
        let Some(head) = head(connection)? else {
            return Err(StoreError::broken(next, "the head is missing"));
        };
        if head.size > size {
            let why = format!("entry {next} is missing, the head speaks of {}", head.size);
            return Err(StoreError::broken(next, why));
        }
        if head.size < size {
            let first = head.size + 1;
            let why = format!("the head ends at entry {}, entries follow it", head.size);
            return Err(StoreError::broken(first, why));
        }
        if head.root != self.frontier().root() {
            let why = "the tree is not the one in the head";
            return Err(StoreError::broken(self.seq_doubtful(), why));
        }
        Ok(self.walked)
    }
}

/// Whether the text of a note is about this head, whoever signed it.
fn speaks_of(note: &str, head: Head) -> bool {
    let origin = note.lines().next().unwrap_or_default().to_owned();
    let body = Checkpoint {
        origin,
        size: head.size,
        root: head.root,
    }
    .body();
    note.strip_prefix(body.as_str())
        .is_some_and(|rest| rest.starts_with('\n'))
}

/// The stored head; none when its row is gone or is no head.
pub(crate) fn head(connection: &Connection) -> Result<Option<Head>, StoreError> {
    connection
        .query_row("SELECT size, root FROM head", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map(|found| found.and_then(|(size, root)| head_of(size, root)))
        .map_err(StoreError::Read)
}

/// The newest stored checkpoint.
pub(crate) fn checkpoint_last(connection: &Connection) -> Result<Option<Stored>, StoreError> {
    let mut found = stored(
        connection,
        "SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1",
    )?;
    Ok(found.pop())
}

fn checkpoints(connection: &Connection) -> Result<Vec<Stored>, StoreError> {
    stored(
        connection,
        "SELECT size, root, note FROM checkpoint ORDER BY size",
    )
}

fn stored(connection: &Connection, sql: &str) -> Result<Vec<Stored>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(StoreError::Read)?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .map_err(StoreError::Read)?;
    let mut list = Vec::new();
    for row in rows {
        let (size, root, note): (i64, Vec<u8>, String) = row.map_err(StoreError::Read)?;
        let Some(head) = head_of(size, root) else {
            return Err(StoreError::broken(1, "a checkpoint cannot be read"));
        };
        list.push(Stored { head, note });
    }
    Ok(list)
}

fn head_of(size: i64, root: Vec<u8>) -> Option<Head> {
    Some(Head {
        size: u64::try_from(size).ok()?,
        root: Digest(root.try_into().ok()?),
    })
}

fn wrong(seq: u64, why: &str) -> StoreError {
    StoreError::broken(seq, format!("entry {seq}: {why}"))
}

/// A damaged page shows only when its rows are read.
fn damaged(error: rusqlite::Error, seq: u64) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            StoreError::broken(seq, format!("entry {seq}: the database is damaged there"))
        }
        _ => StoreError::Read(error),
    }
}
