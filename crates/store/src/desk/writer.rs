//! The thread behind the desk.
//!
//! In:    the queue. Out: entries on the disk, then the shown state, then the answers.
//! Never: goes on after a failed write.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use anlauf_model::limits::BATCH_EVENT_COUNT_MAX;
use anlauf_recovery::{Command, Entry, Refusal, State, decide};
use anlauf_trust::Signer;
use tokio::sync::{mpsc, oneshot};

use super::{Accepted, Running, Shared, SubmitError};
use crate::clock::Clock;
use crate::error::StoreError;
use crate::ledger::Ledger;

/// What the desk asks of its writer.
pub(super) enum Ask {
    /// Decide and write.
    Submit(Box<Command>, Answer),
    /// Sign the head.
    Checkpoint(oneshot::Sender<()>),
    /// Finish and end.
    Close,
}

type Answer = oneshot::Sender<Result<Accepted, SubmitError>>;

pub(super) struct Writer {
    pub(super) ledger: Ledger,
    /// The shown state and what this batch adds to it.
    pub(super) working: State,
    pub(super) signer: Signer,
    pub(super) queue: mpsc::UnboundedReceiver<Ask>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shared: Arc<Shared>,
    pub(super) waiting: Arc<AtomicUsize>,
}

/// Commands that are written together.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    decided: Vec<(Answer, Decided)>,
}

/// What a command came to.
enum Decided {
    /// Its entries, by their index in the batch.
    Fresh(std::ops::Range<usize>),
    /// Done before, up to this entry.
    Replayed(u64),
    /// Not done. The reasons may rest on entries of this very batch, so they wait for the disk too.
    Refused(Refusal),
}

/// What follows on a batch.
enum Then {
    Next,
    Sign(oneshot::Sender<()>),
    End,
}

/// Tells that the writer is gone, however it went.
struct Farewell(Arc<Shared>);

impl Writer {
    pub(super) fn run(mut self) {
        let farewell = Farewell(self.shared.clone());
        let end = loop {
            let Some(first) = self.queue.blocking_recv() else {
                break self.sign();
            };
            match self.turn(first) {
                Ok(true) => {}
                Ok(false) => break self.sign(),
                Err(error) => break Err(error),
            }
        };
        let end = match end {
            Ok(()) => Running::Closed,
            Err(error) => Running::Failed(Arc::new(error)),
        };
        // The lock goes before anybody hears that the desk has stopped; and the answers of
        // those who wait go with the queue, after it.
        let Self { ledger, queue, .. } = self;
        drop(ledger);
        farewell.0.running.send_replace(end);
        drop(queue);
    }

    /// One batch: whatever is queued, up to its limit. Gives whether to go on.
    fn turn(&mut self, first: Ask) -> Result<bool, StoreError> {
        let mut batch = Batch::default();
        let mut ask = Some(first);
        let then = loop {
            match ask {
                Some(Ask::Submit(command, answer)) => self.decide(&mut batch, &command, answer),
                Some(Ask::Checkpoint(answer)) => break Then::Sign(answer),
                Some(Ask::Close) => break Then::End,
                None => break Then::Next,
            }
            if batch.is_full() {
                break Then::Next;
            }
            ask = self.queue.try_recv().ok();
        };
        self.carry_out(batch)?;
        match then {
            Then::Next => Ok(true),
            Then::End => Ok(false),
            Then::Sign(answer) => {
                self.sign()?;
                let _nobody_waits = answer.send(());
                Ok(true)
            }
        }
    }

    fn decide(&mut self, batch: &mut Batch, command: &Command, answer: Answer) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        let entries = match decide(&self.working, self.clock.now(), command) {
            Ok(entries) => entries,
            Err(refusal) => {
                batch.decided.push((answer, Decided::Refused(refusal)));
                return;
            }
        };
        let known = self.working.keys.get(&command.key).map(|(seq, _)| *seq);
        let decided = match known {
            Some(seq) if entries.is_empty() => Decided::Replayed(seq),
            _ => {
                for entry in &entries {
                    self.working.apply(entry);
                }
                let first = batch.entries.len();
                batch.entries.extend(entries);
                Decided::Fresh(first..batch.entries.len())
            }
        };
        batch.decided.push((answer, decided));
    }

    /// Disk first, then the shown state, then the answers.
    fn carry_out(&mut self, batch: Batch) -> Result<(), StoreError> {
        if !batch.entries.is_empty() {
            let head = self.ledger.append(&batch.entries)?;
            let mut shown = self
                .shared
                .state
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            for entry in &batch.entries {
                shown.apply(entry);
            }
            drop(shown);
            self.shared.durable.send_replace(head.size);
        }
        for (answer, decided) in batch.decided {
            let answered = match decided {
                Decided::Fresh(range) => {
                    let entries = batch.entries[range].to_vec();
                    let seq = entries.last().map_or(self.working.seq, |entry| entry.seq);
                    Ok(Accepted {
                        seq,
                        replayed: false,
                        entries,
                    })
                }
                Decided::Replayed(seq) => {
                    let entries = self.ledger.command_until(seq)?;
                    Ok(Accepted {
                        seq,
                        replayed: true,
                        entries,
                    })
                }
                Decided::Refused(refusal) => Err(SubmitError::Refused(refusal)),
            };
            let _nobody_waits = answer.send(answered);
        }
        Ok(())
    }

    fn sign(&mut self) -> Result<(), StoreError> {
        self.ledger.checkpoint(&self.signer).map(drop)
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_EVENT_COUNT_MAX || self.decided.len() >= BATCH_EVENT_COUNT_MAX
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.running.send_if_modified(|running| {
            let fault = matches!(running, Running::Yes);
            if fault {
                *running = Running::Failed(Arc::new(StoreError::Fault));
            }
            fault
        });
    }
}
