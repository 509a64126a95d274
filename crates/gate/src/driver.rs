//! Has filters of others follow the cells: HAProxy by its runtime API, nftables by its sets.
//!
//! In:    how far cells are open. Out: the same at a filter; what it has confirmed, and what not.
//! Never: lets pass there what is not open in full here; takes a silent filter for a shut one;
//!        holds up a close of the gate's own.
//! See:   ADR 025, docs/guide/drivers.md.
//!
//! A driver looks, compares, and changes what differs, again and again. A cell is marked before it
//! is opened at a filter, and the mark goes only when the filter has confirmed that it is shut. So
//! whoever sees no mark after a close knows that it is shut there: a driver that was about to open
//! looks once more after it has set the mark.

mod haproxy;
mod nftables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anlauf_model::{CellId, Stage};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::config::Driven;
use crate::error::GateError;
use crate::feed::Desk;
use crate::keeper::Order;
use crate::limits::{DRIVER_CONFIRM_WAIT_MAX, DRIVER_LOOK_EVERY, DRIVER_ROUND_WAIT_MAX};
use crate::repeat::Repeat;
use crate::shared::Shared;
use haproxy::Haproxy;
use nftables::Nftables;

/// All of a gate's.
#[derive(Default)]
pub(crate) struct Drivers(Vec<Arc<Driver>>);

/// What is known of one filter.
pub(crate) struct Driver {
    /// `HAProxy at /run/haproxy/admin.sock`. No quote, no backslash.
    pub(crate) name: String,
    account: watch::Sender<Account>,
    wish: Notify,
}

/// What a filter does, as far as it is known.
pub(crate) struct Account {
    /// Cells it guards; none before it was heard.
    guarded: Option<BTreeSet<CellId>>,
    /// Those of them that it may let pass.
    open: BTreeSet<CellId>,
    /// Why it does not follow; none when it does.
    pub(crate) trouble: Option<String>,
}

/// The filter itself.
enum Target {
    Haproxy(Haproxy),
    Nftables(Nftables),
}

/// The task that has one filter follow.
pub(crate) struct Task {
    driver: Arc<Driver>,
    target: Target,
    repeat: Repeat,
}

// === impl Account ===

impl Account {
    fn unheard() -> Self {
        Self {
            guarded: None,
            open: BTreeSet::new(),
            trouble: Some("it was not heard yet".to_owned()),
        }
    }

    /// Whether the filter may let the cell pass. Until it is heard it may let everything pass.
    pub(crate) fn may_pass(&self, cell: &CellId) -> bool {
        let is_guarded = |guarded: &BTreeSet<CellId>| guarded.contains(cell);
        self.guarded.as_ref().is_none_or(is_guarded)
            && (self.guarded.is_none() || self.open.contains(cell))
    }

    /// How many cells it guards; none before it was heard.
    pub(crate) fn guarded_count(&self) -> Option<usize> {
        self.guarded.as_ref().map(BTreeSet::len)
    }

    /// Takes what the filter says. What it is told of first counts as open: somebody may be inside.
    fn heard(&mut self, there: &BTreeMap<CellId, bool>) {
        let is_first = self.guarded.is_none();
        let open = there.iter().filter(|(_, is_open)| is_first || **is_open);
        self.open.extend(open.map(|(cell, _)| cell.clone()));
        self.guarded = Some(there.keys().chain(&self.open).cloned().collect());
    }
}

// === impl Driver ===

impl Driver {
    /// What is known now.
    pub(crate) fn account(&self) -> watch::Ref<'_, Account> {
        self.account.borrow()
    }

    /// Waits for the filter to confirm that all these are shut; those of which it does not.
    async fn confirm(&self, cells: &[CellId]) -> Vec<String> {
        let mut account = self.account.subscribe();
        let is_shut = |account: &Account| !cells.iter().any(|cell| account.may_pass(cell));
        let waited = timeout(DRIVER_CONFIRM_WAIT_MAX, account.wait_for(is_shut)).await;
        if waited.is_ok_and(|known| known.is_ok()) {
            return Vec::new();
        }
        let account = self.account.borrow();
        let why = account.trouble.as_deref().unwrap_or("no word in time");
        let open = cells.iter().filter(|cell| account.may_pass(cell));
        open.map(|cell| {
            let name = &self.name;
            format!(
                "`{cell}` may still pass elsewhere: {name} does not confirm that it is shut: {why}"
            )
        })
        .collect()
    }
}

// === impl Drivers ===

impl Drivers {
    /// What is known of each filter, and what has it follow.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub(crate) fn new(driven: Vec<Driven>) -> Result<(Self, Vec<Task>), GateError> {
        let mut tasks = Vec::new();
        for one in driven {
            let (name, target) = match one {
                Driven::Haproxy { socket, map } => {
                    let name = format!("HAProxy at {}", socket.display());
                    (name, Target::Haproxy(Haproxy::new(socket, map)?))
                }
                Driven::Nftables {
                    table,
                    program,
                    cells,
                } => {
                    let name = format!("nftables table {table}");
                    let target = Nftables::new(table, program, cells)?;
                    (name, Target::Nftables(target))
                }
            };
            let driver = Arc::new(Driver {
                name: name.replace(['"', '\\', '\n'], "?"),
                account: watch::Sender::new(Account::unheard()),
                wish: Notify::new(),
            });
            tasks.push(Task {
                driver,
                target,
                repeat: Repeat::default(),
            });
        }
        let all = tasks.iter().map(|task| Arc::clone(&task.driver)).collect();
        Ok((Self(all), tasks))
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Driver> {
        self.0.iter().map(|driver| &**driver)
    }

    /// Has every driver look at once.
    pub(crate) fn wake(&self) {
        for driver in &self.0 {
            driver.wish.notify_one();
        }
    }

    /// Whether a filter may let a cell pass.
    pub(crate) fn may_pass(&self, cell: &CellId) -> bool {
        self.iter().any(|driver| driver.account().may_pass(cell))
    }

    /// Waits for every filter to confirm that these cells are shut; why some may not be.
    pub(crate) async fn confirm(&self, cells: &[CellId]) -> Vec<String> {
        self.wake();
        let mut unclear = Vec::new();
        for driver in &self.0 {
            unclear.extend(driver.confirm(cells).await);
        }
        unclear
    }
}

// === impl Task ===

impl Task {
    /// Has the filter follow until told to stop. It stays as it is then.
    pub(crate) async fn run(
        mut self,
        shared: Arc<Shared>,
        desk: Desk,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            let round = timeout(DRIVER_ROUND_WAIT_MAX, self.round(&shared, &desk));
            let done = tokio::select! {
                done = round => done,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            self.note(done.unwrap_or_else(|_| Err("it does not answer in time".to_owned())));
            tokio::select! {
                () = self.driver.wish.notified() => {}
                () = tokio::time::sleep(DRIVER_LOOK_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Looks, compares, changes what differs: shuts first.
    async fn round(&mut self, shared: &Shared, desk: &Desk) -> Result<(), String> {
        let account = &self.driver.account;
        let there = self.target.look().await?;
        let is_first = account.borrow().guarded.is_none();
        account.send_modify(|account| account.heard(&there));
        let mut shut: Vec<_> = account.borrow().open.iter().cloned().collect();
        shut.retain(|cell| !is_wanted(shared, cell));
        let mut unclear = BTreeMap::new();
        if !shut.is_empty() {
            unclear = self.target.shut(&shut, &there).await?;
            shut.retain(|cell| !unclear.contains_key(cell));
            account.send_modify(|account| account.open.retain(|cell| !shut.contains(cell)));
        }
        if is_first {
            let table = shared.table();
            let all = table.cells().map(|cell| cell.spec.id.clone());
            shut = all
                .filter(|cell| !account.borrow().may_pass(cell))
                .collect();
        }
        if !shut.is_empty() {
            // The control plane hears of a close only now. A gate that stops needs no word.
            let _ = desk.orders.send(Order::Confirmed(shut)).await;
        }
        let mut open: Vec<_> = there
            .iter()
            .filter(|(cell, is_open)| !**is_open && is_wanted(shared, cell))
            .map(|(cell, _)| cell.clone())
            .collect();
        account.send_modify(|account| account.open.extend(open.iter().cloned()));
        // INVARIANT: marked, then looked at again; what was shut meanwhile is shut in the next
        // round, which the close has asked for.
        open.retain(|cell| is_wanted(shared, cell));
        self.target.open(&open).await?;
        match unclear.into_iter().next() {
            Some((cell, why)) => Err(format!("`{cell}`: {why}")),
            None => Ok(()),
        }
    }

    fn note(&mut self, done: Result<(), String>) {
        let (trouble, driver) = (done.err(), &self.driver);
        match &trouble {
            Some(why) if self.repeat.is_news(why) => {
                tracing::error!(
                    driver = driver.name,
                    why,
                    "a filter does not follow the cells"
                );
            }
            Some(_) => {}
            None => {
                if self.repeat.over().is_some() {
                    tracing::info!(driver = driver.name, "a filter follows the cells again");
                }
            }
        }
        driver
            .account
            .send_modify(|account| account.trouble = trouble);
    }
}

/// A filter knows no stages: only what is open in full, and to everyone, passes there.
fn is_wanted(shared: &Shared, cell: &CellId) -> bool {
    let table = shared.table();
    let known = table.cell(cell);
    known.is_some_and(|cell| cell.state.present(shared.now()) == (Stage::Full, false))
}

// === impl Target ===

impl Target {
    /// The cells it guards, and whether each passes.
    async fn look(&mut self) -> Result<BTreeMap<CellId, bool>, String> {
        match self {
            Self::Haproxy(target) => target.look().await,
            Self::Nftables(target) => target.look().await,
        }
    }

    /// Shuts cells; returns when it is certain that nothing of them passes, with those of which it
    /// is not certain, and why.
    async fn shut(
        &mut self,
        cells: &[CellId],
        there: &BTreeMap<CellId, bool>,
    ) -> Result<BTreeMap<CellId, String>, String> {
        match self {
            Self::Haproxy(target) => target.shut(cells, there).await,
            Self::Nftables(target) => target.shut(cells).await,
        }
    }

    async fn open(&mut self, cells: &[CellId]) -> Result<(), String> {
        match self {
            Self::Haproxy(target) => target.open(cells).await,
            Self::Nftables(target) => target.open(cells).await,
        }
    }
}

#[cfg(test)]
mod tests;
