//! The desk over nothing but memory: the same rules, the same leaves, no disk.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use anlauf_model::{Digest, Minutes, Timestamp};
use anlauf_recovery::{Command, Entry, State, decide};
use anlauf_trust::Checkpoint;
use anlauf_trust::leaf::salted;
use anlauf_trust::merkle::{Levels, inclusion, root_of};
use anlauf_web::port::Later;
use anlauf_web::{Accepted, Desk, DeskError, Head, Proof};
use tokio::sync::watch;

use crate::cast::signer;

/// A desk in memory. Its clock is set by the story and then goes on by itself.
pub struct MemoryDesk {
    state: RwLock<State>,
    entries: Mutex<Vec<Entry>>,
    durable: watch::Sender<u64>,
    clock: AtomicI64,
    since: Instant,
}

impl MemoryDesk {
    pub fn new(begin: Timestamp) -> Self {
        Self {
            state: RwLock::default(),
            entries: Mutex::default(),
            durable: watch::Sender::new(0),
            clock: AtomicI64::new(begin.0),
            since: Instant::now(),
        }
    }

    /// Lets time pass.
    pub fn pass(&self, span: Minutes) {
        self.clock.fetch_add(span.0 * 60_000, Ordering::SeqCst);
    }

    /// Does a command at once.
    pub fn done(&self, command: &Command) -> Result<Accepted, DeskError> {
        let mut entries = locked(&self.entries);
        let made = decide(&self.state(), self.now(), command)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for entry in &made {
            state.apply(entry);
        }
        entries.extend(made.iter().cloned());
        let seq = state.seq;
        drop(state);
        self.durable.send_replace(seq);
        Ok(Accepted {
            seq,
            replayed: made.is_empty(),
            entries: made,
        })
    }

    fn leaves(&self) -> Vec<Digest> {
        locked(&self.entries)
            .iter()
            .map(|entry| leaf(entry).1)
            .collect()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn salt(seq: u64) -> [u8; 32] {
    Digest::of(&seq.to_be_bytes()).0
}

fn leaf(entry: &Entry) -> (String, Digest) {
    let body = serde_json::to_string(entry).expect("entries have only string keys");
    let digest = salted(&salt(entry.seq), body.as_bytes());
    (body, digest)
}

impl Desk for MemoryDesk {
    fn submit(&self, command: Command) -> Later<'_, Result<Accepted, DeskError>> {
        Box::pin(async move { self.done(&command) })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(0);
        Timestamp(self.clock.load(Ordering::SeqCst) + passed)
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, DeskError> {
        let first = usize::try_from(from.saturating_sub(1)).unwrap_or(usize::MAX);
        Ok(locked(&self.entries)
            .iter()
            .skip(first)
            .take(limit)
            .cloned()
            .collect())
    }

    fn head(&self) -> Result<Head, DeskError> {
        let leaves = self.leaves();
        let (size, root) = (leaves.len() as u64, root_of(&leaves));
        let origin = "anlauf/preview".to_owned();
        let note = Checkpoint { origin, size, root }
            .sign(&signer("ledger"))
            .ok();
        Ok(Head {
            size,
            root,
            note,
            bytes: 48 * 1024 * 1024,
        })
    }

    fn checkpoint(&self) -> Later<'_, Result<Head, DeskError>> {
        Box::pin(async move { self.head() })
    }

    fn proof(&self, seq: u64, size: u64) -> Result<Option<Proof>, DeskError> {
        let leaves = self.leaves();
        if seq == 0 || seq > size || size > leaves.len() as u64 {
            return Ok(None);
        }
        let index = usize::try_from(seq - 1).expect("a short ledger");
        let entry = locked(&self.entries)[index].clone();
        let (body, leaf) = leaf(&entry);
        let levels = Levels::of(&leaves);
        let path = inclusion(&|level, index| levels.node(level, index), seq - 1, size);
        let salt = salt(seq);
        Ok(path.map(|path| Proof {
            entry,
            body,
            salt,
            leaf,
            size,
            path,
        }))
    }
}
