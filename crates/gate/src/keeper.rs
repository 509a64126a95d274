//! The one task that changes what a gate believes and what is open.
//!
//! In:    feed items, direct closings, questions, the passing of time.
//! Out:   cells that open and shut, journal entries, reports; a disk error, which ends the gate.
//! Never: opens before the disk has it; confirms a close before nothing can pass and the disk has
//!        it.
//!
//! Opening: verify, write, then effect. Closing: verify, effect in memory, cut whoever is inside,
//! then write, then answer. Closings overtake: they burn by epoch, so taking one before an older
//! release ends in the same state, only sooner.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anlauf_model::feed::{FeedItem, FeedKind, GateCellState, GateDecision, GateReport, Standing};
use anlauf_model::landscape::Class;
use anlauf_model::table::GateTable;
use anlauf_model::{CellId, Digest, GateId, Stage, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::error::{GateError, refusal};
use crate::inflow::Inflow;
use crate::inflow::keep::{self, Inflows};
use crate::journal::{Entry, Floor, Journal, Signed};
use crate::limits::{
    DECISION_COUNT_MAX, EXPIRY_LOOK_EVERY, JOURNAL_REWRITE_COUNT_MIN, REASON_COUNT_MAX,
    REPORT_ITEM_COUNT_MAX,
};
use crate::mind::{Effect, Mind, Step, Touched, Without, needs_shut, steps};
use crate::repeat::Repeat;
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
    /// The feed is shorter than what was taken from it: take it from the beginning.
    Rewind,
    /// Set how fast a cell fills; whether the table knows the cell.
    Fill(CellId, Inflow, oneshot::Sender<bool>),
    /// Give the beacon to ask with, if fresh word is wanted.
    Beacon(oneshot::Sender<Option<Digest>>),
    /// Give a beacon that somebody carries to where it can be answered, and how far the feed was
    /// read.
    Carried(oneshot::Sender<io::Result<(Digest, u64)>>),
    /// Filters of others have confirmed that these cells are shut there.
    Confirmed(Vec<CellId>),
    /// An answer to a beacon.
    Fresh(String, oneshot::Sender<Result<(), Vec<String>>>),
}

/// A close, from the feed before its turn or straight from a person.
pub(crate) struct Urgent {
    pub(crate) envelope: String,
    pub(crate) reply: oneshot::Sender<Result<Closed, Vec<String>>>,
}

/// What a close did.
pub(crate) struct Closed {
    /// Cells that are shut now.
    pub(crate) cells: Vec<GateCellState>,
    /// Why cells that it names stay open; usually none.
    pub(crate) outlived: Vec<String>,
}

/// What became of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Judged; go on with the next.
    Done,
    /// A policy whose table must be fetched first.
    Table(Digest),
}

/// The keeper's state. See the head of the file.
pub(crate) struct Keeper {
    id: GateId,
    shared: Arc<Shared>,
    mind: Mind,
    journal: Arc<Mutex<Journal>>,
    position: u64,
    /// Closings that were accepted, before their turn or in it: once more changes nothing.
    taken: BTreeSet<Digest>,
    mark: u64,
    changed: BTreeMap<CellId, u64>,
    decisions: VecDeque<(u64, GateDecision)>,
    /// Why items are refused: said once, for a feed may hold thousands of the same.
    refused: Repeat,
    /// How fast cells fill, as operators have set it.
    inflows: Inflows,
    /// How classes stand that ask for fresh word, as it was told last.
    standing: Vec<(Class, Standing)>,
}

impl Keeper {
    /// Replays the journal: everything in it is verified again.
    ///
    /// # Errors
    /// An entry does not verify again, a table that a policy names is not there as it was signed,
    /// the disk fails.
    pub(crate) fn start(
        id: GateId,
        shared: Arc<Shared>,
        (mut mind, inflows): (Mind, Inflows),
        (mut journal, entries): (Journal, Vec<Entry>),
    ) -> Result<Self, GateError> {
        for (index, entry) in entries.iter().enumerate() {
            replay(&mut mind, &shared, &|digest| journal.table(digest), entry)?
                .map_err(|why| journal.damaged(index, why))?;
        }
        // The last one, not the highest: a feed that began anew goes on from there.
        let position = entries.last().map_or(0, |entry| entry.position);
        let sum = entries.last().and_then(|entry| entry.sum);
        mind.fresh.resume(position, sum);
        let signed = entries.iter().filter_map(|entry| entry.signed.as_ref());
        let taken = signed
            .filter(|signed| signed.kind == FeedKind::Close)
            .map(|signed| Digest::of(signed.envelope.as_bytes()))
            .collect();
        if entries.len() > JOURNAL_REWRITE_COUNT_MIN {
            let gist = mind.gist(&entries, &shared);
            if gist.len() * 2 < entries.len() {
                journal.rewrite(&gist)?;
            }
        }
        shared
            .progress
            .send_modify(|progress| progress.applied = position);
        let mut keeper = Self {
            id,
            mind,
            journal: Arc::new(Mutex::new(journal)),
            position,
            taken,
            mark: 0,
            changed: BTreeMap::new(),
            decisions: VecDeque::new(),
            refused: Repeat::default(),
            inflows,
            standing: Vec::new(),
            shared,
        };
        keeper.fill_all();
        let table = keeper.shared.table();
        let all: Vec<_> = table.cells().map(|cell| Arc::clone(&cell.state)).collect();
        keeper.note(&all);
        let account = keeper.mind.fresh.account(keeper.shared.ran());
        keeper.shared.set_freshness(account);
        Ok(keeper)
    }

    /// Works until nobody can ask any more.
    ///
    /// # Errors
    /// The disk failed. Nothing that was acknowledged is lost, and nothing more can be: the gate
    /// must stop.
    pub(crate) async fn run(
        mut self,
        mut orders: mpsc::Receiver<Order>,
        mut urgent: mpsc::Receiver<Urgent>,
    ) -> Result<(), GateError> {
        let mut look = tokio::time::interval(EXPIRY_LOOK_EVERY);
        loop {
            let worked = tokio::select! {
                biased;
                Some(close) = urgent.recv() => self.close_now(close).await,
                order = orders.recv() => match order {
                    Some(order) => self.take(order).await,
                    None => return Ok(()),
                },
                _ = look.tick() => match self.expire().await {
                    Ok(()) => self.settle().await,
                    failed => failed,
                },
            };
            worked.map_err(|source| self.journal().error(source))?;
        }
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Item(item, table, reply) => {
                let outcome = self.item(item, table.as_deref()).await?;
                let _ = reply.send(outcome);
            }
            Order::Blocked(seq, why) => {
                let known = self.decisions.iter().any(|(_, one)| one.seq == seq);
                if !known {
                    self.decide(seq, Err(vec![refusal::table(&why)]));
                }
            }
            Order::Rewind => {
                tracing::warn!(gate = %self.id, position = self.position, "the feed began anew");
                self.rewind();
            }
            Order::Beacon(reply) => {
                let beacon = match random() {
                    Ok(random) => self.mind.fresh.wanted(random, self.shared.ran()),
                    Err(error) => {
                        tracing::error!(%error, "no random bytes for a beacon");
                        None
                    }
                };
                let _ = reply.send(beacon);
            }
            Order::Carried(reply) => {
                let ran = self.shared.ran();
                let beacon = random().map(|random| self.mind.fresh.carried(random, ran));
                let _ = reply.send(beacon.map(|beacon| (beacon, self.position)));
            }
            Order::Fresh(envelope, reply) => {
                let heard = self.mind.hear(&envelope, self.shared.now());
                if heard.is_ok() && self.mind.fresh.is_astray(self.position) {
                    let position = self.position;
                    tracing::warn!(gate = %self.id, position, "the feed is not the one signed");
                    self.rewind();
                }
                self.settle().await?;
                let _ = reply.send(heard);
            }
            Order::Fill(cell, inflow, reply) => {
                let known = self.fill(cell, inflow).await?;
                let _ = reply.send(known);
            }
            Order::Confirmed(cells) => {
                let table = self.shared.table();
                let known = cells.iter().filter_map(|cell| table.cell(cell));
                let known: Vec<_> = known.map(|cell| Arc::clone(&cell.state)).collect();
                self.note(&known);
            }
            Order::Report(reply) => drop(reply.send(self.report())),
            Order::Heard(mark) => {
                self.changed.retain(|_, at| *at > mark);
                self.decisions.retain(|(at, _)| *at > mark);
                if !self.changed.is_empty() || !self.decisions.is_empty() {
                    self.shared.news.notify_one();
                }
            }
        }
        Ok(())
    }

    async fn item(&mut self, item: FeedItem, table: Option<&GateTable>) -> io::Result<Outcome> {
        if item.seq <= self.position {
            return Ok(Outcome::Done);
        }
        let key = Digest::of(item.envelope.as_bytes());
        if self.taken.contains(&key) {
            return self.done((item.seq, key), Ok(())).await;
        }
        let now = self.shared.now();
        let asked = (item.kind, item.envelope.as_str());
        let effect = match self.mind.judge(&self.shared.table(), asked, table, now) {
            Err(Without::Table(digest)) => return Ok(Outcome::Table(digest)),
            Err(Without::Reasons(reasons)) => {
                return self.done((item.seq, key), Err(reasons)).await;
            }
            Ok(effect) => effect,
        };
        let reasons = needs_shut(&self.shared.table(), &effect, now);
        if !reasons.is_empty() {
            return self.done((item.seq, key), Err(reasons)).await;
        }
        let sum = self.mind.fresh.sum_with(item.seq, &key);
        let entry = self.entry((item.seq, sum), now, Some((item.kind, item.envelope)));
        let is_close = matches!(effect, Effect::Close(_));
        self.put_in_force(effect, entry, table).await?;
        if is_close {
            self.taken.insert(key);
        }
        self.done((item.seq, key), Ok(())).await
    }

    async fn close_now(&mut self, close: Urgent) -> io::Result<()> {
        let now = self.shared.now();
        let key = Digest::of(close.envelope.as_bytes());
        let asked = (FeedKind::Close, close.envelope.as_str());
        let effect = match self.mind.judge(&self.shared.table(), asked, None, now) {
            Ok(effect) => effect,
            Err(without) => {
                let reasons = match without {
                    Without::Reasons(reasons) => reasons,
                    Without::Table(_) => Vec::new(),
                };
                let why = reasons.join("; ");
                if self.refused.is_news(&why) {
                    let gate = self.id.as_str();
                    tracing::warn!(gate, reasons = why, "refused a close ahead of its turn");
                }
                let _ = close.reply.send(Err(reasons));
                return Ok(());
            }
        };
        let signed = (FeedKind::Close, close.envelope);
        let entry = self.entry((self.position, self.mind.fresh.sum()), now, Some(signed));
        match self.put_in_force(effect, entry, None).await {
            Ok(touched) => {
                self.taken.insert(key);
                let now = self.shared.now();
                let cells = touched
                    .changed
                    .iter()
                    .map(|state| state.report(now))
                    .collect();
                let _ = close.reply.send(Ok(Closed {
                    cells,
                    outlived: touched.outlived,
                }));
                Ok(())
            }
            Err(error) => {
                let _ = close
                    .reply
                    .send(Err(vec![refusal::disk(&error.to_string())]));
                Err(error)
            }
        }
    }

    /// In the order that [`steps`] gives.
    async fn put_in_force(
        &mut self,
        effect: Effect,
        entry: Entry,
        table: Option<&GateTable>,
    ) -> io::Result<Touched> {
        let table = match &effect {
            Effect::Policy(_, Some(_)) => table.map(GateTable::to_bytes),
            _ => None,
        };
        let order = steps(&effect);
        let (mut effect, mut entry) = (Some(effect), Some((entry, table)));
        let mut touched = Touched::default();
        for step in order {
            match step {
                Step::Install => {
                    if let Some(effect) = effect.take() {
                        let is_policy = matches!(effect, Effect::Policy(..));
                        touched = self.mind.install(effect, &self.shared);
                        if is_policy {
                            self.fill_all();
                        }
                    }
                }
                Step::Cut => {
                    self.cut(&touched.narrowed).await;
                    self.note(&touched.changed);
                }
                Step::Write => {
                    if let Some((entry, table)) = entry.take() {
                        self.write(entry, table).await?;
                    }
                }
            }
        }
        Ok(touched)
    }

    /// Sets how fast a cell fills, once the disk has it.
    async fn fill(&mut self, cell: CellId, inflow: Inflow) -> io::Result<bool> {
        if self.shared.table().cell(&cell).is_none() {
            return Ok(false);
        }
        match inflow.is_set() {
            true => self.inflows.insert(cell.clone(), inflow),
            false => self.inflows.remove(&cell),
        };
        let (dir, inflows) = (self.journal().dir().to_owned(), self.inflows.clone());
        let written = tokio::task::spawn_blocking(move || keep::write(&dir, &inflows)).await;
        written.map_err(io::Error::other)??;
        tracing::info!(gate = %self.id, %cell, ?inflow, "set how fast a cell fills");
        if let Some(cell) = self.shared.table().cell(&cell) {
            cell.state.fill(inflow, self.shared.now());
        }
        self.shared.changed();
        Ok(true)
    }

    /// Has every cell of the table fill as it was set.
    fn fill_all(&self) {
        let (table, now) = (self.shared.table(), self.shared.now());
        for (id, inflow) in &self.inflows {
            if let Some(cell) = table.cell(id) {
                cell.state.fill(*inflow, now);
            }
        }
    }

    async fn write(&self, entry: Entry, table: Option<Vec<u8>>) -> io::Result<()> {
        let journal = Arc::clone(&self.journal);
        let write = move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bytes) = table {
                journal.keep_table(&Digest::of(&bytes), &bytes)?;
            }
            journal.append(&entry)
        };
        tokio::task::spawn_blocking(write)
            .await
            .map_err(io::Error::other)?
    }

    async fn done(
        &mut self,
        (seq, envelope): (u64, Digest),
        verdict: Result<(), Vec<String>>,
    ) -> io::Result<Outcome> {
        self.position = seq;
        self.mind.fresh.read(seq, &envelope);
        self.settle().await?;
        self.decide(seq, verdict);
        self.shared
            .progress
            .send_modify(|progress| progress.applied = seq);
        Ok(Outcome::Done)
    }

    /// The feed is taken from the beginning; what was accepted changes nothing again.
    fn rewind(&mut self) {
        self.mind.fresh.rewind(self.position);
        self.position = 0;
        self.shared
            .progress
            .send_modify(|progress| progress.applied = 0);
    }

    /// Shuts what lacks fresh word, cuts whoever is inside, and opens again what has it.
    async fn settle(&mut self) -> io::Result<()> {
        let touched = self.mind.settle(&self.shared);
        if !touched.changed.is_empty() {
            self.cut(&touched.narrowed).await;
            self.note(&touched.changed);
        }
        if !self.mind.fresh.is_asked() && self.standing.is_empty() {
            return Ok(());
        }
        let account = self.mind.fresh.account(self.shared.ran());
        let standing: Vec<_> = account
            .iter()
            .map(|one| (one.class, one.standing))
            .collect();
        self.shared.set_freshness(account);
        if self.standing != standing {
            for (class, standing) in &standing {
                let word = standing.word();
                match standing {
                    Standing::Fresh => tracing::info!(gate = %self.id, ?class, "has fresh word"),
                    _ => tracing::warn!(gate = %self.id, ?class, word, "lacks fresh word"),
                }
            }
            self.standing = standing;
            self.shared.news.notify_one();
        }
        Ok(())
    }

    fn decide(&mut self, seq: u64, verdict: Result<(), Vec<String>>) {
        let reasons = verdict.err();
        if let Some(reasons) = &reasons {
            let reasons = reasons.join("; ");
            if self.refused.is_news(&reasons) {
                tracing::warn!(gate = %self.id, seq, reasons, "refused a feed item");
            } else {
                tracing::debug!(gate = %self.id, seq, reasons, "refused a feed item again");
            }
        } else if let Some(past) = self.refused.over() {
            let (reasons, again) = (past.cause, past.again);
            tracing::info!(gate = %self.id, seq, reasons, again, "accepts feed items again");
        }
        let accepted = reasons.is_none();
        let mut reasons = reasons.unwrap_or_default();
        if reasons.len() > REASON_COUNT_MAX {
            let more = refusal::more(reasons.len() - REASON_COUNT_MAX);
            reasons.truncate(REASON_COUNT_MAX);
            reasons.push(more);
        }
        let decision = GateDecision {
            seq,
            accepted,
            reasons,
        };
        self.mark += 1;
        self.decisions.push_back((self.mark, decision));
        if self.decisions.len() > DECISION_COUNT_MAX {
            self.decisions.pop_front();
        }
        self.shared.changed();
        self.shared.news.notify_one();
    }

    /// Throws everybody out here, and has filters of others do the same; does not wait for those.
    async fn cut(&self, cells: &[Arc<CellState>]) {
        self.shared.drivers.wake();
        visit::cut(cells).await;
    }

    fn note(&mut self, changed: &[Arc<CellState>]) {
        for state in changed {
            self.mark += 1;
            self.changed.insert(state.id.clone(), self.mark);
        }
        self.shared.drivers.wake();
        self.shared.changed();
        self.shared.news.notify_one();
    }

    /// Shuts what has run out. The judge refuses it anyway; this ends what is still running, and
    /// writes it down: a clock that is set back before a restart must not open it again.
    async fn expire(&mut self) -> io::Result<()> {
        let now = self.shared.now();
        let table = self.shared.table();
        let over = table.cells().filter(|cell| cell.state.is_over(now));
        let over: Vec<_> = over.map(|cell| Arc::clone(&cell.state)).collect();
        if over.is_empty() {
            return Ok(());
        }
        for state in &over {
            state.shut(state.epoch());
        }
        self.cut(&over).await;
        self.note(&over);
        let cells = over.iter().map(|state| state.kept(now)).collect();
        let mut entry = self.entry((self.position, self.mind.fresh.sum()), now, None);
        entry.floor = Some(Floor {
            cells,
            burned: Vec::new(),
        });
        self.write(entry, None).await
    }

    /// What was not heard of yet, oldest first, and up to which mark it is told.
    fn report(&self) -> (GateReport, u64) {
        let decided = self.decisions.iter().map(|(mark, _)| mark);
        let mut marks: Vec<u64> = self.changed.values().chain(decided).copied().collect();
        marks.sort_unstable();
        let last = marks.get(REPORT_ITEM_COUNT_MAX.saturating_sub(1)).copied();
        let mark = last.unwrap_or(self.mark);

        let (table, now) = (self.shared.table(), self.shared.now());
        let changed = self.changed.iter().filter(|(_, at)| **at <= mark);
        let changed = changed.filter_map(|(id, _)| table.cell(id));
        // What a filter may still let pass is not told to be shut; it is noted anew when it is.
        let may_pass = |cell: &CellState| self.shared.drivers.may_pass(&cell.id);
        let changed =
            changed.filter(|cell| cell.state.stage(now) != Stage::Closed || !may_pass(&cell.state));
        let decisions = self.decisions.iter().filter(|(at, _)| *at <= mark);
        let report = GateReport {
            gate: self.id.clone(),
            applied: self.position,
            table: table.digest(),
            root_version: self.mind.root_version(),
            changed: changed.map(|cell| cell.state.report(now)).collect(),
            decisions: decisions.map(|(_, decision)| decision.clone()).collect(),
            counts: self.shared.counts.get(),
            freshness: self.shared.freshness().to_vec(),
        };
        (report, mark)
    }

    /// A line for the journal. It tells what the feed held only where somebody asks for it.
    fn entry(
        &self,
        (position, sum): (u64, Option<Digest>),
        at: Timestamp,
        signed: Option<(FeedKind, String)>,
    ) -> Entry {
        Entry {
            position,
            at,
            sum: sum.filter(|_| self.mind.fresh.is_asked()),
            signed: signed.map(|(kind, envelope)| Signed { kind, envelope }),
            floor: None,
        }
    }
}

/// 32 bytes that nobody can know before.
fn random() -> io::Result<Digest> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(Digest(bytes))
}

/// One entry once more. The inner error tells why it does not verify.
pub(crate) fn replay(
    mind: &mut Mind,
    shared: &Shared,
    kept: &dyn Fn(&Digest) -> Result<GateTable, GateError>,
    entry: &Entry,
) -> Result<Result<(), String>, GateError> {
    shared.clock.raise(entry.at);
    if let Some(floor) = &entry.floor {
        mind.install_floor(floor, shared);
    }
    let Some(signed) = &entry.signed else {
        return Ok(Ok(()));
    };
    // Judged as of the time it was accepted: a root that has run out since then must not take
    // its successors with it. Releases that have run out are the judge's, at every request.
    let asked = (signed.kind, signed.envelope.as_str());
    let mut judged = mind.judge(&shared.table(), asked, None, entry.at);
    if let Err(Without::Table(digest)) = judged {
        let table = kept(&digest)?;
        judged = mind.judge(&shared.table(), asked, Some(&table), entry.at);
    }
    Ok(match judged {
        Ok(effect) => {
            mind.install(effect, shared);
            Ok(())
        }
        Err(Without::Reasons(reasons)) => Err(reasons.join("; ")),
        Err(Without::Table(digest)) => Err(format!("it names table `{}`", digest.short())),
    })
}
