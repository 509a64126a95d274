//! The port's desk over nothing but memory: the same rules, the same leaves, no disk.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use anlauf_model::{Digest, Minutes, Timestamp};
use anlauf_recovery::event::Scope;
use anlauf_recovery::{Command, Entry, State, decide};
use anlauf_trust::leaf::salted;
use anlauf_trust::merkle::{Levels, inclusion, root_of};
use anlauf_trust::{Checkpoint, Leaf};
use tokio::sync::watch;

use super::signer;
use crate::port::Later;
use crate::{Accepted, Desk, DeskError, Head, Proof};

/// Name of the ledger in checkpoints.
pub(crate) const ORIGIN: &str = "anlauf/stand";

/// A desk in memory.
pub(crate) struct MemoryDesk {
    state: RwLock<State>,
    entries: Mutex<Vec<Entry>>,
    note: Mutex<Option<String>>,
    durable: watch::Sender<u64>,
    clock: AtomicI64,
    /// Commands that a racing writer overtakes: so many more get an entry slipped in before them.
    pub(crate) overtaken: AtomicU64,
    overtaker: Mutex<Option<Overtaker>>,
}

/// Makes the command that slips in before another one.
type Overtaker = Box<dyn FnMut(&State) -> Command + Send>;

impl MemoryDesk {
    pub(crate) fn new(begin: Timestamp) -> Self {
        Self {
            state: RwLock::default(),
            entries: Mutex::default(),
            note: Mutex::default(),
            durable: watch::Sender::new(0),
            clock: AtomicI64::new(begin.0),
            overtaken: AtomicU64::new(0),
            overtaker: Mutex::default(),
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, span: Minutes) {
        self.clock.fetch_add(span.0 * 60_000, Ordering::SeqCst);
    }

    /// Has the next `count` commands overtaken by one that is made from the state before them.
    pub(crate) fn overtake(
        &self,
        count: u64,
        make: impl FnMut(&State) -> Command + Send + 'static,
    ) {
        *locked(&self.overtaker) = Some(Box::new(make));
        self.overtaken.store(count, Ordering::SeqCst);
    }

    fn slip_in(&self) {
        let count = self.overtaken.load(Ordering::SeqCst);
        if count == 0 {
            return;
        }
        self.overtaken.store(count - 1, Ordering::SeqCst);
        let made = locked(&self.overtaker)
            .as_mut()
            .map(|make| make(&self.state()));
        let command = made.expect("an overtaker is set with its count");
        self.done(&command).expect("the overtaker is accepted");
    }

    fn done(&self, command: &Command) -> Result<Accepted, DeskError> {
        let mut entries = locked(&self.entries);
        let made = decide(&self.state(), self.now(), command)?;
        if made.is_empty() {
            let of_key = |entry: &&Entry| {
                entry.key == command.key && entry.actor.person == command.actor.person
            };
            let first: Vec<Entry> = entries.iter().filter(of_key).cloned().collect();
            let seq = first.last().map_or(self.state().seq, |entry| entry.seq);
            return Ok(Accepted {
                seq,
                replayed: true,
                entries: first,
            });
        }
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
            replayed: false,
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

/// Bytes and leaf hash of an entry.
fn leaf(entry: &Entry) -> (String, Digest) {
    let body = serde_json::to_string(entry).expect("entries have only string keys");
    let event = serde_json::to_value(&entry.event).expect("events have only string keys");
    let kind = event["event"]
        .as_str()
        .expect("an event has its name")
        .to_owned();
    let scope = match &entry.scope {
        Scope::Provider => "provider".to_owned(),
        Scope::Everyone => "everyone".to_owned(),
        Scope::Tenant(tenant) => format!("tenant/{tenant}"),
    };
    let digest = salted(&salt(entry.seq), body.as_bytes());
    let leaf = Leaf::new(entry.seq, entry.at, &kind, &scope, digest).expect("plain words");
    (body, leaf.hash())
}

impl Desk for MemoryDesk {
    fn submit(&self, command: Command) -> Later<'_, Result<Accepted, DeskError>> {
        Box::pin(async move {
            self.slip_in();
            self.done(&command)
        })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, DeskError> {
        let entries = locked(&self.entries);
        let later = entries.iter().filter(|entry| entry.seq >= from);
        Ok(later.take(limit).cloned().collect())
    }

    fn head(&self) -> Result<Head, DeskError> {
        let leaves = self.leaves();
        Ok(Head {
            size: leaves.len() as u64,
            root: root_of(&leaves),
            note: locked(&self.note).clone(),
            bytes: 0,
        })
    }

    fn checkpoint(&self) -> Later<'_, Result<Head, DeskError>> {
        Box::pin(async move {
            let head = self.head()?;
            let (origin, size, root) = (ORIGIN.to_owned(), head.size, head.root);
            let note = Checkpoint { origin, size, root }.sign(&signer("ledger"));
            let note = note.map_err(|refusal| DeskError::Ledger(refusal.to_string()))?;
            *locked(&self.note) = Some(note);
            self.head()
        })
    }

    fn proof(&self, seq: u64, size: u64) -> Result<Option<Proof>, DeskError> {
        let leaves = self.leaves();
        if seq == 0 || seq > size || size > leaves.len() as u64 {
            return Ok(None);
        }
        let index = usize::try_from(seq - 1).expect("a test's ledger is short");
        let entry = locked(&self.entries)[index].clone();
        let (body, leaf) = leaf(&entry);
        let levels = Levels::of(&leaves[..usize::try_from(size).expect("short")]);
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
