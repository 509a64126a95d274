//! Brings the ledger's desk to the pages and the API, in their words.
//!
//! In:    [`anlauf_store::Desk`]. Out: [`anlauf_web::Desk`]. Never: decides or remembers anything.

use std::path::PathBuf;
use std::sync::{Arc, RwLockReadGuard};

use anlauf_model::Timestamp;
use anlauf_recovery::{Command, Entry, State};
use anlauf_store::{LedgerHead, Reader, StoreError, SubmitError};
use anlauf_trust::merkle::{Levels, inclusion};
use anlauf_web::port::Later;
use anlauf_web::{Accepted, Desk, DeskError, Head, Proof, Witnesses};
use tokio::sync::{Notify, watch};

/// The desk of the control plane.
#[derive(Clone)]
pub struct Control {
    desk: anlauf_store::Desk,
    data_dir: PathBuf,
    witnesses: Option<Watched>,
}

/// The witnesses of the ledger.
#[derive(Clone)]
pub struct Watched {
    /// What they said.
    pub told: watch::Receiver<Witnesses>,
    /// Rung whenever a checkpoint was signed: they are asked then.
    pub bell: Arc<Notify>,
}

impl Watched {
    /// Has the witnesses asked and waits until each has answered about `size` entries or not.
    async fn ask(&self, size: u64) {
        let mut told = self.told.clone();
        let before = told.borrow().rounds;
        self.bell.notify_one();
        let done =
            |all: &Witnesses| all.rounds > before && (all.asked >= size || all.failed.is_some());
        // Nobody asks any longer when the program stops.
        let _stopping = told.wait_for(done).await;
    }
}

impl Control {
    /// Wraps an open desk; `data_dir` is the folder it was opened in.
    pub fn new(desk: anlauf_store::Desk, data_dir: PathBuf) -> Self {
        Self {
            desk,
            data_dir,
            witnesses: None,
        }
    }

    /// The same, with what its witnesses say.
    pub fn witnessed(self, witnesses: Option<Watched>) -> Self {
        Self { witnesses, ..self }
    }
}

impl Desk for Control {
    fn submit(&self, command: Command) -> Later<'_, Result<Accepted, DeskError>> {
        Box::pin(async move {
            match self.desk.submit(command).await {
                Ok(done) => Ok(Accepted {
                    seq: done.seq,
                    replayed: done.replayed,
                    entries: done.entries,
                }),
                Err(SubmitError::Refused(refusal)) => Err(DeskError::Refused(refusal)),
                Err(SubmitError::Busy) => Err(DeskError::Busy),
                Err(SubmitError::Stopped) => Err(DeskError::Stopped),
            }
        })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.desk.read()
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.desk.watch()
    }

    fn now(&self) -> Timestamp {
        self.desk.now()
    }

    fn entries(&self, from: u64, limit: usize) -> Result<Vec<Entry>, DeskError> {
        self.desk.entries(from, limit).map_err(unread)
    }

    fn head(&self) -> Result<Head, DeskError> {
        self.desk.head().map(head).map_err(unread)
    }

    fn checkpoint(&self) -> Later<'_, Result<Head, DeskError>> {
        Box::pin(async move {
            let signed = self.desk.checkpoint().await.map(head).map_err(unread)?;
            if let Some(witnesses) = &self.witnesses {
                witnesses.ask(signed.size).await;
            }
            Ok(signed)
        })
    }

    fn proof(&self, seq: u64, size: u64) -> Result<Option<Proof>, DeskError> {
        if seq == 0 || seq > size {
            return Ok(None);
        }
        let reader = Reader::open(&self.data_dir).map_err(unread)?;
        if size > reader.head().map_err(unread)?.size {
            return Ok(None);
        }
        let Some(record) = reader.record(seq).map_err(unread)? else {
            return Ok(None);
        };
        let levels = Levels::of(&reader.leaves(size).map_err(unread)?);
        let path = inclusion(&|level, index| levels.node(level, index), seq - 1, size);
        Ok(path.map(|path| Proof {
            entry: record.entry,
            body: record.body,
            salt: record.salt,
            leaf: record.leaf,
            size,
            path,
        }))
    }

    fn witnesses(&self) -> Option<Witnesses> {
        self.witnesses.as_ref().map(|all| all.told.borrow().clone())
    }
}

fn head(head: LedgerHead) -> Head {
    Head {
        size: head.size,
        root: head.root,
        note: head.note,
        bytes: head.bytes,
    }
}

fn unread(error: StoreError) -> DeskError {
    DeskError::Ledger(format!("{:#}", anyhow::Error::from(error)))
}
