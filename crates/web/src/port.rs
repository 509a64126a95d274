//! What the pages and the API need of the rest of the product.
//!
//! In:    commands, tokens. Out: what became of them, the state, the ledger, who asks.
//! Never: knows how entries are stored or where logins come from.

use std::borrow::Cow;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::RwLockReadGuard;

use anlauf_model::{Digest, Timestamp};
use anlauf_recovery::{Actor, Command, Entry, Refusal, State};
use tokio::sync::watch;

use crate::Web;

/// An answer that is on its way.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where commands are decided and remembered.
pub trait Desk: Send + Sync + 'static {
    /// Decides a command; answers when it is durable.
    fn submit(&self, command: Command) -> Later<'_, Result<Accepted, DeskError>>;
    /// The durable state. Hold it shortly and never over an await: the writer waits for it.
    fn state(&self) -> RwLockReadGuard<'_, State>;
    /// Number of the last durable entry, whenever it changes.
    fn watch(&self) -> watch::Receiver<u64>;
    /// The time by which commands are decided.
    fn now(&self) -> Timestamp;
    /// Entries from a number on (1 is the first), at most `limit`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, DeskError>;
    /// The ledger in figures.
    ///
    /// # Errors
    /// The ledger cannot be read.
    fn head(&self) -> Result<Head, DeskError>;
    /// Has the head signed and gives it with its note, once its witnesses were asked.
    fn checkpoint(&self) -> Later<'_, Result<Head, DeskError>>;
    /// One entry with all that proves it to lie in a ledger of `size` entries; none if it does not.
    ///
    /// # Errors
    /// The ledger cannot be read.
    fn proof(&self, seq: u64, size: u64) -> Result<Option<Proof>, DeskError>;
    /// What the witnesses of this ledger said last; none if it has none.
    fn witnesses(&self) -> Option<Witnesses> {
        None
    }
}

/// The durable state as this moment finds it: a release that has ended is not in force, although
/// no entry says so. What a page or an answer says of stages comes from here, as decisions do.
///
/// Hold it as shortly as the state itself.
pub(crate) struct Present<'a> {
    state: RwLockReadGuard<'a, State>,
    /// The state with the releases run out, if one has ended since the last entry.
    later: Option<Box<State>>,
}

impl Web {
    /// The durable state as this moment finds it.
    pub(crate) fn present(&self) -> Present<'_> {
        let (now, state) = (self.desk.now(), self.desk.state());
        let later = match state.as_of(now.max(state.at)) {
            Cow::Borrowed(_) => None,
            Cow::Owned(later) => Some(Box::new(later)),
        };
        Present { state, later }
    }
}

impl Deref for Present<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        self.later.as_deref().unwrap_or(&self.state)
    }
}

/// Who asks.
pub trait Logins: Send + Sync + 'static {
    /// Whom a token belongs to. Compared by digest, so that its time tells nothing.
    fn find(&self, token: &str) -> Option<Actor>;
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

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many commands wait; send it again in a moment.
    #[error("too many commands wait; send it again in a moment")]
    Busy,
    /// The control plane is going down; send it again with the same key when it is back.
    #[error("the control plane is stopping; send it again with the same key when it is back")]
    Stopped,
    /// The ledger cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Ledger(String),
}

/// The ledger in figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Entries, which is the number of the last one.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Digest,
    /// The newest signed checkpoint (C2SP tlog-checkpoint), if there is one.
    pub note: Option<String>,
    /// How much it takes on the disk. Bytes.
    pub bytes: u64,
}

/// Outsiders that cosign the ledger's checkpoints, and how far they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Witnesses {
    /// How many must cosign a checkpoint until it counts.
    pub quorum: usize,
    /// Entries of the newest checkpoint that counts; 0 before the first.
    pub size: u64,
    /// The newest checkpoint that counts with its cosignatures (C2SP tlog-cosignature).
    pub note: Option<String>,
    /// Entries of the checkpoint they were asked for last.
    pub asked: u64,
    /// How often they were asked since the start.
    pub rounds: u64,
    /// Why the last time nobody could be asked.
    pub failed: Option<String>,
    /// One by one, in the policy's order.
    pub each: Vec<Witness>,
}

/// One witness and what it said last.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Witness {
    /// Its name.
    pub name: String,
    /// Entries of the newest checkpoint it cosigned; 0 before the first.
    pub size: u64,
    /// When it did.
    pub at: Option<Timestamp>,
    /// Why it did not cosign the newest one it was asked for.
    pub trouble: Option<String>,
}

/// One entry and its way to the root.
#[derive(Clone, PartialEq, Debug)]
pub struct Proof {
    /// The entry.
    pub entry: Entry,
    /// Its bytes as they were hashed.
    pub body: String,
    /// Salt of its body, so that nobody can guess bodies from the tree.
    pub salt: [u8; 32],
    /// Its leaf hash.
    pub leaf: Digest,
    /// Entries of the tree the path leads to.
    pub size: u64,
    /// Sibling hashes from the leaf to the root (RFC 6962 §2.1.1).
    pub path: Vec<Digest>,
}
