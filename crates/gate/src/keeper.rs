//! The one task that changes what a gate believes and what is open.
//!
//! In:    feed items, direct closings, questions, the passing of time.
//! Out:   cells that open and shut, journal entries, reports.
//! Never: opens before the disk has it; confirms a close before nothing can pass and the disk has it.
//!
//! Opening: verify, write, then effect. Closing: verify, effect in memory, cut whoever is inside,
//! then write, then answer. Closings overtake: they burn by epoch, so taking one before an older
//! release ends in the same state, only sooner.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use anlauf_model::feed::{FeedItem, FeedKind, GateCellState, GateDecision, GateReport};
use anlauf_model::table::GateTable;
use anlauf_model::{CellId, Digest, GateId};
use tokio::sync::{mpsc, oneshot};

use crate::error::{GateError, refusal};
use crate::journal::{Entry, Journal, Signed};
use crate::limits::{DECISION_COUNT_MAX, EXPIRY_LOOK_EVERY, JOURNAL_REWRITE_COUNT_MIN};
use crate::mind::{Effect, Mind, Touched, Without};
use crate::shared::Shared;
use crate::table::CellState;
use crate::visit;

/// What can be asked of the keeper.
pub(crate) enum Order {
    /// Judge the next item of the feed.
    Item(FeedItem, Option<Box<GateTable>>, oneshot::Sender<Outcome>),
    /// An item that cannot be judged yet, and why.
    Blocked(u64, String),
    /// Tell everything that was not heard of yet.
    Report(oneshot::Sender<(GateReport, u64)>),
    /// The control plane has heard everything up to this mark.
    Heard(u64),
}

/// A close, from the feed before its turn or straight from a person.
pub(crate) struct Urgent {
    pub(crate) envelope: String,
    pub(crate) reply: oneshot::Sender<Result<Vec<GateCellState>, Vec<String>>>,
}

/// What became of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Judged; go on with the next.
    Done,
    /// A policy whose table must be fetched first.
    Table(Digest),
    /// The disk does not take it; try again later.
    Stuck,
}

/// The keeper's state. See the head of the file.
pub(crate) struct Keeper {
    id: GateId,
    shared: Arc<Shared>,
    mind: Mind,
    journal: Arc<Mutex<Journal>>,
    position: u64,
    /// Envelopes of closings that were taken before their turn.
    taken: BTreeSet<Digest>,
    mark: u64,
    changed: BTreeMap<CellId, u64>,
    decisions: VecDeque<(u64, GateDecision)>,
}

impl Keeper {
    /// Replays the journal: everything in it is verified again.
    ///
    /// # Errors
    /// A table that a policy names is not there as it was signed.
    pub(crate) fn start(
        id: GateId,
        shared: Arc<Shared>,
        mut mind: Mind,
        (mut journal, entries): (Journal, Vec<Entry>),
    ) -> Result<Self, GateError> {
        for entry in &entries {
            replay(&mut mind, &shared, &journal, entry)?;
        }
        let position = entries
            .iter()
            .map(|entry| entry.position)
            .max()
            .unwrap_or_default();
        if entries.len() > JOURNAL_REWRITE_COUNT_MIN {
            let gist = mind.gist(&entries, &shared);
            if gist.len() * 2 < entries.len()
                && let Err(error) = journal.rewrite(&gist)
            {
                tracing::warn!(%error, "cannot shorten the journal; going on with the long one");
            }
        }
        let changed = shared
            .table()
            .cells()
            .map(|cell| (cell.spec.id.clone(), 0))
            .collect();
        shared
            .progress
            .send_modify(|progress| progress.applied = position);
        Ok(Self {
            id,
            shared,
            mind,
            journal: Arc::new(Mutex::new(journal)),
            position,
            taken: BTreeSet::new(),
            mark: 0,
            changed,
            decisions: VecDeque::new(),
        })
    }

    /// Works until nobody can ask any more.
    pub(crate) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut urgent: mpsc::Receiver<Urgent>,
    ) {
        let mut look = tokio::time::interval(EXPIRY_LOOK_EVERY);
        loop {
            tokio::select! {
                biased;
                Some(close) = urgent.recv() => self.close_now(close).await,
                order = orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => return,
                },
                _ = look.tick() => self.expire().await,
            }
        }
    }

    async fn take(&mut self, order: Order) {
        match order {
            Order::Item(item, table, reply) => {
                let outcome = self.item(item, table.as_deref()).await;
                let _ = reply.send(outcome);
            }
            Order::Blocked(seq, why) => {
                let known = self.decisions.iter().any(|(_, one)| one.seq == seq);
                if !known {
                    self.decide(seq, Err(vec![refusal::table(&why)]));
                }
            }
            Order::Report(reply) => drop(reply.send((self.report(), self.mark))),
            Order::Heard(mark) => {
                self.changed.retain(|_, at| *at > mark);
                self.decisions.retain(|(at, _)| *at > mark);
            }
        }
    }

    async fn item(&mut self, item: FeedItem, table: Option<&GateTable>) -> Outcome {
        if item.seq <= self.position {
            return Outcome::Done;
        }
        if self.taken.remove(&Digest::of(item.envelope.as_bytes())) {
            return self.done(item.seq, Ok(()));
        }
        let now = self.shared.now();
        let signed = Signed {
            kind: item.kind,
            envelope: item.envelope,
        };
        let asked = (signed.kind, signed.envelope.as_str());
        match self.mind.judge(&self.shared.table(), asked, table, now) {
            Err(Without::Table(digest)) => Outcome::Table(digest),
            Err(Without::Reasons(reasons)) => self.done(item.seq, Err(reasons)),
            Ok(effect) => match self.put_in_force(effect, signed, item.seq, table).await {
                Ok(_) => self.done(item.seq, Ok(())),
                Err(why) => {
                    self.decide(item.seq, Err(vec![refusal::disk(&why)]));
                    Outcome::Stuck
                }
            },
        }
    }

    async fn close_now(&mut self, close: Urgent) {
        let now = self.shared.now();
        let key = Digest::of(close.envelope.as_bytes());
        let asked = (FeedKind::Close, close.envelope.as_str());
        let judged = self.mind.judge(&self.shared.table(), asked, None, now);
        let answer = match judged {
            Err(Without::Reasons(reasons)) => Err(reasons),
            Err(Without::Table(_)) => Err(Vec::new()),
            Ok(effect) => {
                let signed = Signed {
                    kind: FeedKind::Close,
                    envelope: close.envelope,
                };
                match self.put_in_force(effect, signed, self.position, None).await {
                    Ok(touched) => {
                        self.taken.insert(key);
                        let now = self.shared.now();
                        Ok(touched
                            .changed
                            .iter()
                            .map(|state| state.report(now))
                            .collect())
                    }
                    Err(why) => Err(vec![refusal::disk(&why)]),
                }
            }
        };
        let _ = close.reply.send(answer);
    }

    /// Closing: effect, cut, write. Everything else: write, effect, cut where less may pass.
    async fn put_in_force(
        &mut self,
        effect: Effect,
        signed: Signed,
        position: u64,
        table: Option<&GateTable>,
    ) -> Result<Touched, String> {
        let entry = Entry {
            position,
            at: self.shared.now(),
            signed: Some(signed),
            floor: None,
        };
        if matches!(effect, Effect::Close(_)) {
            let touched = self.mind.install(effect, &self.shared);
            visit::cut(&touched.narrowed).await;
            self.note(&touched.changed);
            self.write(entry, None).await?;
            return Ok(touched);
        }
        let table = match &effect {
            Effect::Policy(_, Some(_)) => table.map(GateTable::to_bytes),
            _ => None,
        };
        self.write(entry, table).await?;
        let touched = self.mind.install(effect, &self.shared);
        visit::cut(&touched.narrowed).await;
        self.note(&touched.changed);
        Ok(touched)
    }

    async fn write(&self, entry: Entry, table: Option<Vec<u8>>) -> Result<(), String> {
        let journal = Arc::clone(&self.journal);
        let write = move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bytes) = table {
                let kept = journal.keep_table(&Digest::of(&bytes), &bytes);
                kept.map_err(|error| error.to_string())?;
            }
            journal.append(&entry)
        };
        tokio::task::spawn_blocking(write)
            .await
            .map_err(|error| error.to_string())?
    }

    fn done(&mut self, seq: u64, verdict: Result<(), Vec<String>>) -> Outcome {
        self.position = seq;
        self.decide(seq, verdict);
        self.shared
            .progress
            .send_modify(|progress| progress.applied = seq);
        Outcome::Done
    }

    fn decide(&mut self, seq: u64, verdict: Result<(), Vec<String>>) {
        let reasons = verdict.err();
        if let Some(reasons) = &reasons {
            let reasons = reasons.join("; ");
            tracing::warn!(gate = %self.id, seq, reasons, "refused a feed item");
        }
        let accepted = reasons.is_none();
        let decision = GateDecision {
            seq,
            accepted,
            reasons: reasons.unwrap_or_default(),
        };
        self.mark += 1;
        self.decisions.push_back((self.mark, decision));
        if self.decisions.len() > DECISION_COUNT_MAX {
            self.decisions.pop_front();
        }
        self.shared.changed();
        self.shared.news.notify_one();
    }

    fn note(&mut self, changed: &[Arc<CellState>]) {
        self.mark += 1;
        for state in changed {
            self.changed.insert(state.id.clone(), self.mark);
        }
        self.shared.changed();
        self.shared.news.notify_one();
    }

    /// Shuts what has run out. The judge refuses it anyway; this ends what is still running.
    async fn expire(&mut self) {
        let now = self.shared.now();
        let is_over = |state: &CellState| {
            let (stage, _) = state.opened();
            stage != Default::default() && state.stage(now) == Default::default()
        };
        let table = self.shared.table();
        let over = table.cells().filter(|cell| is_over(&cell.state));
        let over: Vec<_> = over.map(|cell| Arc::clone(&cell.state)).collect();
        if over.is_empty() {
            return;
        }
        for state in &over {
            state.shut(state.epoch());
        }
        visit::cut(&over).await;
        self.note(&over);
    }

    fn report(&self) -> GateReport {
        let (table, now) = (self.shared.table(), self.shared.now());
        let changed = self.changed.keys().filter_map(|id| table.cell(id));
        GateReport {
            gate: self.id.clone(),
            applied: self.position,
            table: table.digest(),
            root_version: self.mind.root_version(),
            changed: changed.map(|cell| cell.state.report(now)).collect(),
            decisions: self
                .decisions
                .iter()
                .map(|(_, decision)| decision.clone())
                .collect(),
            counts: self.shared.counts.get(),
        }
    }
}

fn replay(
    mind: &mut Mind,
    shared: &Shared,
    journal: &Journal,
    entry: &Entry,
) -> Result<(), GateError> {
    shared.clock.raise(entry.at);
    if let Some(floor) = &entry.floor {
        mind.install_floor(floor, shared);
    }
    let Some(signed) = &entry.signed else {
        return Ok(());
    };
    // Judged as of the time it was accepted: a root that has run out since then must not take
    // its successors with it. Releases that have run out are the judge's, at every request.
    let asked = (signed.kind, signed.envelope.as_str());
    let mut judged = mind.judge(&shared.table(), asked, None, entry.at);
    if let Err(Without::Table(digest)) = judged {
        let table = journal.table(&digest)?;
        judged = mind.judge(&shared.table(), asked, Some(&table), entry.at);
    }
    match judged {
        Ok(effect) => drop(mind.install(effect, shared)),
        Err(without) => tracing::warn!(?without, "an entry of the journal does not verify"),
    }
    Ok(())
}
