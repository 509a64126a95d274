//! The ledger in the hand of its one writer.
//!
//! In:    entries in order. Out: the same entries on the disk, the head over them, checkpoints.
//! Never: two writers on one folder; a commit that is tried again; an entry changed or removed.
//! See:   docs/formats/ledger.md, ADR on SQLite.

use std::fs::File;
use std::path::{Path, PathBuf};

use anlauf_model::Digest;
use anlauf_recovery::{Entry, State};
use anlauf_trust::{Checkpoint, Frontier, PublicKey, Signer};
use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Cause, StoreError};
use crate::leaf::{self, Row};
use crate::reader::Reader;
#[cfg(test)]
use crate::tests::fault;
use crate::walk::{self, Walked};
use crate::{FILE_CHECKPOINT, FILE_LEDGER, schema, side, wal};

/// How long the ledger is, and what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Entries, which is the number of the last one.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
}

/// Which ledger to open.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// Data folder.
    pub folder: PathBuf,
    /// Domain it must belong to; none = whichever it is.
    pub domain: Option<String>,
    /// Name of the log in its checkpoints.
    pub origin: String,
    /// Key that signs the checkpoints.
    pub public: PublicKey,
}

/// An open ledger. The folder stays locked until it is dropped.
#[derive(Debug)]
pub struct Ledger {
    config: LedgerConfig,
    /// Reads back what was written, before it is signed. Dropped before the writing connection:
    /// that one, as the last, carries the write-ahead log over, so that one file is the ledger.
    reader: Reader,
    connection: Connection,
    frontier: Frontier,
    /// The tree and note of the newest checkpoint.
    signed: Option<(Frontier, String)>,
    #[cfg(test)]
    pub(crate) fault: Option<fault::Fault>,
    _lock: File,
}

impl Ledger {
    /// Opens the ledger, lays it out when the folder is empty, and proves all of it.
    ///
    /// Gives the state that its entries mean. Takes about ten microseconds per entry.
    ///
    /// # Errors
    /// Whatever keeps it from being the whole, unchanged ledger of this domain; nothing is
    /// changed then.
    pub fn open(config: LedgerConfig) -> Result<(Self, State), StoreError> {
        side::create_folder(&config.folder)?;
        let lock = side::lock(&config.folder)?;
        let side_note = side_checkpoint(&config)?;
        let file = config.folder.join(FILE_LEDGER);
        if let Some(Checkpoint {
            size: checkpoint @ 1..,
            ..
        }) = side_note
            && !file.exists()
        {
            // Before anything is laid out: a log of an empty ledger must not meet a restored one.
            return Err(StoreError::RolledBack {
                ledger: 0,
                checkpoint,
            });
        }
        check_log(&file)?;
        let connection = schema::open_writer(&file)?;
        side::sync_folder(&config.folder)
            .map_err(|source| side::file_error("flush", &config.folder, source))?;

        let mut state = State::default();
        let asked = side_note.as_ref().map(|checkpoint| checkpoint.size);
        let walked = walk::walk(&connection, asked, &mut |entry| state.apply(&entry))?;
        check_notes(&config, side_note.as_ref(), &walked)?;
        check_domain(&config, &connection, &state)?;
        schema::carry_over(&connection)?;
        let reader = Reader::open(&config.folder)?;
        let mut ledger = Self {
            config,
            reader,
            connection,
            frontier: walked.frontier,
            signed: walked.checkpoint,
            #[cfg(test)]
            fault: None,
            _lock: lock,
        };
        ledger.mend_side(asked)?;
        Ok((ledger, state))
    }

    /// Writes the entries in one transaction, and returns when the disk has them.
    ///
    /// # Errors
    /// Any failure. Whether the entries are in the ledger is unknown then, so the process must
    /// stop; the next start finds out.
    ///
    /// # Panics
    /// When the entries do not follow on the last one: a fault of the caller.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Head, StoreError> {
        let mut frontier = self.frontier.clone();
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            assert_eq!(entry.seq, frontier.size() + 1, "entries follow one another");
            let row = leaf::seal(entry).map_err(|error| StoreError::Append(error.into()))?;
            frontier.append(row.leaf);
            rows.push(row);
        }
        let head = Head {
            size: frontier.size(),
            root: frontier.root(),
        };
        if !rows.is_empty() {
            self.commit(&rows, head).map_err(StoreError::Append)?;
            self.frontier = frontier;
        }
        Ok(head)
    }

    /// Signs the head, after reading back from the disk everything since the last checkpoint.
    ///
    /// Gives the note: the one there is when nothing was appended since, none when the ledger is
    /// empty.
    ///
    /// # Errors
    /// The disk gives back something else than was written, or a write fails. The process must
    /// stop.
    pub fn checkpoint(&mut self, signer: &Signer) -> Result<Option<String>, StoreError> {
        let head = self.head();
        if let Some((frontier, note)) = &self.signed
            && frontier.size() == head.size
        {
            return Ok(Some(note.clone()));
        }
        if head.size == 0 {
            return Ok(None);
        }
        let mut back = self
            .signed
            .as_ref()
            .map(|(known, _)| known.clone())
            .unwrap_or_default();
        let first = back.size() + 1;
        self.reader
            .for_each_checked(first, head.size, &mut |_, leaf| back.append(leaf))?;
        if back != self.frontier {
            let why = "the disk gives back other entries than were written";
            return Err(StoreError::broken(first, why));
        }
        let note = self.sign(head, signer)?;
        self.keep(head, &note).map_err(StoreError::Append)?;
        self.signed = Some((back, note.clone()));
        Ok(Some(note))
    }

    /// Size and root.
    pub fn head(&self) -> Head {
        Head {
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// Entries from a number on, at most `limit`.
    ///
    /// # Errors
    /// Reading fails, or an entry does not match its leaf.
    pub fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.reader.entries(from, limit)
    }

    /// The entries of the command whose last entry is `seq`.
    ///
    /// # Errors
    /// Reading fails, or an entry does not match its leaf.
    pub(crate) fn command_until(&self, seq: u64) -> Result<Vec<Entry>, StoreError> {
        let mut entries: Vec<Entry> = Vec::new();
        for seq in (1..=seq).rev() {
            let Some(record) = self.reader.record(seq)? else {
                break;
            };
            if entries
                .last()
                .is_some_and(|later| later.key != record.entry.key)
            {
                break;
            }
            entries.push(record.entry);
        }
        entries.reverse();
        Ok(entries)
    }

    /// The state that all entries on the disk mean, from scratch.
    ///
    /// # Errors
    /// Reading fails, or an entry does not match its leaf.
    pub fn rebuild(&self) -> Result<State, StoreError> {
        let mut state = State::default();
        self.reader.for_each(&mut |entry| state.apply(&entry))?;
        Ok(state)
    }

    /// A connection of its own, for reading beside the writer.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.config.folder)
    }

    fn commit(&mut self, rows: &[Row], head: Head) -> Result<(), Cause> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO event (seq, at, scope, leaf, salt, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for row in rows {
                let (leaf, salt) = (&row.leaf.0[..], &row.salt[..]);
                insert.execute((row.seq, row.at, &row.scope, leaf, salt, &row.body))?;
            }
            let mut update =
                transaction.prepare_cached("UPDATE head SET size = ?1, root = ?2 WHERE one = 1")?;
            update.execute((size_column(head.size), &head.root.0[..]))?;
        }
        #[cfg(test)]
        fault::strike(&self.fault, fault::Point::Written)?;
        transaction.commit()?;
        #[cfg(test)]
        fault::strike(&self.fault, fault::Point::Committed)?;
        Ok(())
    }

    fn sign(&self, head: Head, signer: &Signer) -> Result<String, StoreError> {
        let origin = self.config.origin.clone();
        let checkpoint = Checkpoint {
            origin,
            size: head.size,
            root: head.root,
        };
        checkpoint
            .sign(signer)
            .map_err(|refusal| StoreError::CheckpointForeign {
                file: self.config.folder.join(FILE_CHECKPOINT),
                why: refusal.to_string(),
            })
    }

    fn keep(&mut self, head: Head, note: &str) -> Result<(), Cause> {
        self.connection.execute(
            "INSERT INTO checkpoint (size, root, note) VALUES (?1, ?2, ?3)",
            (size_column(head.size), &head.root.0[..], note),
        )?;
        Ok(side::write_note(&self.config.folder, note)?)
    }

    /// A stop between the two writes of a checkpoint leaves the side file one behind.
    fn mend_side(&mut self, side: Option<u64>) -> Result<(), StoreError> {
        match &self.signed {
            Some((frontier, note)) if side < Some(frontier.size()) => {
                side::write_note(&self.config.folder, note)
                    .map_err(|error| StoreError::Append(error.into()))
            }
            _ => Ok(()),
        }
    }
}

fn size_column(size: u64) -> i64 {
    i64::try_from(size).expect("a ledger ends long before 2^63 entries")
}

/// A write-ahead log that has rotted: SQLite would forget what stands behind the damage.
fn check_log(file: &Path) -> Result<(), StoreError> {
    let damaged = wal::damaged(file).map_err(|source| side::file_error("read", file, source))?;
    let Some(frame) = damaged else { return Ok(()) };
    let known = schema::open_reader(file).and_then(|connection| walk::head(&connection));
    let size = known.ok().flatten().map_or(0, |head| head.size);
    let why = format!("the write-ahead log is damaged at frame {frame}, and entries follow it");
    Err(StoreError::broken(size + 1, why))
}

/// The checkpoint in the side file, if there is one and the log key signed it.
fn side_checkpoint(config: &LedgerConfig) -> Result<Option<Checkpoint>, StoreError> {
    let Some(note) = side::read_note(&config.folder)? else {
        return Ok(None);
    };
    verify_note(config, &note).map(Some)
}

fn verify_note(config: &LedgerConfig, note: &str) -> Result<Checkpoint, StoreError> {
    Checkpoint::verify(note, &config.origin, &config.public).map_err(|refusal| {
        let file = config.folder.join(FILE_CHECKPOINT);
        StoreError::CheckpointForeign {
            file,
            why: refusal.to_string(),
        }
    })
}

fn check_notes(
    config: &LedgerConfig,
    side: Option<&Checkpoint>,
    walked: &Walked,
) -> Result<(), StoreError> {
    if let Some((_, note)) = &walked.checkpoint {
        verify_note(config, note)?;
    }
    walked.check_side(side)
}

/// The domain is that of the first root document; before there is one, that of the first opening
/// that named one.
fn check_domain(
    config: &LedgerConfig,
    connection: &Connection,
    state: &State,
) -> Result<(), StoreError> {
    let kept = schema::domain(connection)?;
    let signed = state
        .authority
        .as_ref()
        .map(|authority| authority.root().domain.clone());
    let asked = config.domain.as_ref().or(signed.as_ref());
    let Some(asked) = asked else { return Ok(()) };
    for found in [&kept, &signed].into_iter().flatten() {
        if found != asked {
            let (asked, found) = (asked.clone(), found.clone());
            return Err(StoreError::DomainForeign { asked, found });
        }
    }
    if kept.is_none() {
        connection
            .execute(
                "INSERT INTO meta (key, value) VALUES ('domain', ?1)",
                [asked],
            )
            .map_err(|error| StoreError::Append(error.into()))?;
    }
    Ok(())
}
