//! The desk: where commands come in, one after another, and are answered when they are durable.
//!
//! In:    commands from any thread or task. Out: [`Accepted`] once the disk has it, or the refusal.
//! Never: shows a state that is not on the disk; takes a command after a write has failed.
//!
//! One thread owns the ledger and a working state. It takes what is queued, decides each command on
//! the working state, appends all entries in one transaction, and only then carries them into the
//! state that readers see, and answers. So many waiting commands share one flush of the disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;

use anlauf_model::Timestamp;
use anlauf_recovery::{Command, Entry, Refusal, State};
use anlauf_trust::Signer;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::error::StoreError;
use crate::ledger::{Ledger, LedgerConfig};
use crate::reader::{LedgerHead, Reader, Record};

mod writer;

use writer::{Ask, Writer};

/// Most commands that wait at the desk; more are turned away.
///
/// At 512 a flush and 300 flushes a second on a slow disk, the last one waits a tenth of a second.
const QUEUE_COUNT_MAX: usize = 16_384;

/// Most reading connections kept open between reads.
const READER_COUNT_MAX: usize = 4;

/// What a desk needs.
pub struct DeskConfig {
    /// Data folder; created when missing.
    pub data_dir: PathBuf,
    /// Domain the ledger must belong to; none = whichever it is.
    pub domain: Option<String>,
    /// Where `now` comes from.
    pub clock: Arc<dyn Clock>,
    /// Key of the log: signs checkpoints.
    pub signer: Signer,
    /// Name of the log in its checkpoints: `anlauf/krankenkassen`.
    pub origin: String,
}

/// A handle to the one writer. Cloning is cheap; the writer ends with the last handle.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

/// A command that is done and durable.
#[derive(Clone, PartialEq, Debug)]
pub struct Accepted {
    /// Number of its last entry.
    pub seq: u64,
    /// Whether the key was used before for the same order: nothing was done this time.
    pub replayed: bool,
    /// Its entries; those of the first time when replayed.
    pub entries: Vec<Entry>,
}

/// A command that was not done.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubmitError {
    /// The rules say no.
    #[error(transparent)]
    Refused(Refusal),
    /// Too many commands wait.
    #[error("the desk has {QUEUE_COUNT_MAX} commands waiting; send it again in a moment")]
    Busy,
    /// The desk has stopped. Whether the command is in the ledger shows after the next start:
    /// the same key then gives the same answer.
    #[error("the desk has stopped; send it again with the same key when it is back")]
    Stopped,
}

struct Inner {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    data_dir: PathBuf,
    /// None only while the last handle is dropped.
    queue: Option<mpsc::UnboundedSender<Ask>>,
    waiting: Arc<AtomicUsize>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Mutex<Vec<Reader>>,
}

/// What the writer shares with everybody.
struct Shared {
    /// Only what is durable.
    state: RwLock<State>,
    durable: watch::Sender<u64>,
    running: watch::Sender<Running>,
}

/// How the writer is.
#[derive(Clone)]
enum Running {
    Yes,
    Closed,
    Failed(Arc<StoreError>),
}

impl Desk {
    /// Opens the ledger, proves it, rebuilds the state and starts the writer.
    ///
    /// # Errors
    /// Whatever [`Ledger::open`] refuses.
    pub fn open(config: DeskConfig) -> Result<Self, StoreError> {
        let DeskConfig {
            data_dir,
            domain,
            clock,
            signer,
            origin,
        } = config;
        let folder = data_dir.clone();
        let public = signer.public();
        let (ledger, state) = Ledger::open(LedgerConfig {
            folder,
            domain,
            origin,
            public,
        })?;
        Self::start(data_dir, clock, signer, (ledger, state))
    }

    pub(crate) fn start(
        data_dir: PathBuf,
        clock: Arc<dyn Clock>,
        signer: Signer,
        (ledger, working): (Ledger, State),
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            durable: watch::Sender::new(working.seq),
            state: RwLock::new(working.clone()),
            running: watch::Sender::new(Running::Yes),
        });
        let (sender, queue) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            ledger,
            working,
            signer,
            queue,
            clock: clock.clone(),
            shared: shared.clone(),
            waiting: waiting.clone(),
        };
        let handle = std::thread::Builder::new()
            .name("desk".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| StoreError::File {
                meant: "start the writer of",
                file: data_dir.clone(),
                source,
            })?;
        let inner = Inner {
            shared,
            clock,
            data_dir,
            queue: Some(sender),
            waiting,
            writer: Mutex::new(Some(handle)),
            readers: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Submits a command and waits until it is durable.
    ///
    /// Dropping the future does not take the command back.
    ///
    /// # Errors
    /// The refusal with every reason, or the desk is full or has stopped.
    pub async fn submit(&self, command: Command) -> Result<Accepted, SubmitError> {
        self.put(command)?
            .await
            .unwrap_or(Err(SubmitError::Stopped))
    }

    /// Submits a command and waits until it is durable. For threads outside of a runtime.
    ///
    /// # Errors
    /// As [`Desk::submit`].
    ///
    /// # Panics
    /// When called from a task: use [`Desk::submit`] there.
    pub fn submit_blocking(&self, command: Command) -> Result<Accepted, SubmitError> {
        self.put(command)?
            .blocking_recv()
            .unwrap_or(Err(SubmitError::Stopped))
    }

    /// The state as it is on the disk. Hold it shortly: the writer waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.inner
            .shared
            .state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of the last durable entry, whenever it changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.shared.durable.subscribe()
    }

    /// The time by the desk's clock.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Entries from a number on (1 is the first), at most `limit`.
    ///
    /// # Errors
    /// Reading fails, or an entry does not match its leaf.
    pub fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.with_reader(|reader| reader.entries(from, limit))
    }

    /// One entry with its salt and leaf, for a proof.
    ///
    /// # Errors
    /// As [`Desk::entries`].
    pub fn record(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        self.with_reader(|reader| reader.record(seq))
    }

    /// The ledger in figures.
    ///
    /// # Errors
    /// Reading fails.
    pub fn head(&self) -> Result<LedgerHead, StoreError> {
        self.with_reader(Reader::head)
    }

    /// Has the head signed, after everything since the last checkpoint was read back from the
    /// disk. Gives the head with the note; waits for the writer.
    ///
    /// # Errors
    /// The desk has stopped, or stops because the disk gave back something else.
    pub async fn checkpoint(&self) -> Result<LedgerHead, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Ask::Checkpoint(answer))
            .map_err(|_| StoreError::Stopped)?;
        answered.await.map_err(|_| StoreError::Stopped)?;
        self.head()
    }

    /// Like [`Desk::checkpoint`], for threads outside of a runtime.
    ///
    /// # Errors
    /// As [`Desk::checkpoint`].
    ///
    /// # Panics
    /// When called from a task.
    pub fn checkpoint_blocking(&self) -> Result<LedgerHead, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.send(Ask::Checkpoint(answer))
            .map_err(|_| StoreError::Stopped)?;
        answered.blocking_recv().map_err(|_| StoreError::Stopped)?;
        self.head()
    }

    /// Waits until the desk has stopped. Gives the error if it did not stop by [`Desk::close`]:
    /// the process must then end with it.
    pub async fn stopped(&self) -> Option<Arc<StoreError>> {
        let mut running = self.inner.shared.running.subscribe();
        let found = running
            .wait_for(|running| !matches!(running, Running::Yes))
            .await;
        match &*found.expect("this handle keeps the sender") {
            Running::Failed(error) => Some(error.clone()),
            Running::Yes | Running::Closed => None,
        }
    }

    /// Answers what is queued, signs the head, and lets go of the ledger. Other handles get
    /// [`SubmitError::Stopped`] from then on.
    pub fn close(self) {
        self.inner.let_readers_go();
        // A writer that has stopped before is gone already.
        let _gone = self.send(Ask::Close);
        self.inner.join();
    }

    /// Puts a command into the queue; the receiver gets its answer.
    pub(crate) fn put(
        &self,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Accepted, SubmitError>>, SubmitError> {
        if self.inner.waiting.fetch_add(1, Ordering::SeqCst) >= QUEUE_COUNT_MAX {
            self.inner.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(SubmitError::Busy);
        }
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Submit(Box::new(command), answer);
        self.send(ask).map_err(|_| SubmitError::Stopped)?;
        Ok(answered)
    }

    fn send(&self, ask: Ask) -> Result<(), mpsc::error::SendError<Ask>> {
        self.inner
            .queue
            .as_ref()
            .expect("taken only when no handle is left")
            .send(ask)
    }

    fn with_reader<T>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let pool = || {
            self.inner
                .readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let kept = pool().pop();
        let reader = match kept {
            Some(reader) => reader,
            None => Reader::open(&self.inner.data_dir)?,
        };
        let found = read(&reader)?;
        let mut pool = pool();
        if pool.len() < READER_COUNT_MAX {
            pool.push(reader);
        }
        Ok(found)
    }
}

impl Inner {
    /// Idle readers go before the writer is asked to end: whoever lets go of the file last moves
    /// the write-ahead log into it, and a reader cannot.
    fn let_readers_go(&self) {
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn join(&self) {
        let handle = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(handle) = handle {
            // A panic of the writer is told by `stopped`.
            let _panicked = handle.join();
        }
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.let_readers_go();
        self.queue = None;
        self.join();
    }
}

impl SubmitError {
    /// Code with a page under `docs/errors/`; none for a refusal, whose reasons have their own.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            SubmitError::Refused(_) => None,
            SubmitError::Busy => Some("AN-STO-014"),
            SubmitError::Stopped => Some("AN-STO-012"),
        }
    }
}
