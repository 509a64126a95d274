//! One gate from start to stop.
//!
//! In:    a [`GateConfig`]. Out: a running [`Gate`], or why it does not start.
//! Never: listens before its own state has been verified again.

use std::net::SocketAddr;
use std::sync::Arc;

use anlauf_model::feed::GateCounts;
use anlauf_model::{CellId, Epoch, Stage};
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::clock::Floor;
use crate::config::GateConfig;
use crate::error::GateError;
use crate::feed::{self, Control, Desk};
use crate::journal::Journal;
use crate::judge::Testers;
use crate::keeper::Keeper;
use crate::mind::Mind;
use crate::shared::{Progress, Shared};
use crate::{admin, listener};

/// Orders that may wait for the keeper. A few: whoever asks waits for the answer anyway.
const ORDER_COUNT_MAX: usize = 64;

/// A running gate. Several may run in one process, each with its own folder and addresses.
pub struct Gate {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    failure: Option<oneshot::Receiver<GateError>>,
}

impl Gate {
    /// Verifies the state on disk, listens, and begins to ask the control plane.
    ///
    /// # Errors
    /// Settings that cannot be used, a damaged or foreign state, an address that is taken.
    pub async fn start(config: GateConfig) -> Result<Gate, GateError> {
        let control = Control::new(&config.control, &config.token)?;
        let zone = TimeZone::get(&config.time_zone).map_err(|_| GateError::Setting {
            what: "time zone",
            value: config.time_zone.clone(),
            hint: "write it like `Europe/Berlin`",
        })?;
        let testers = Testers {
            clean_room: config.clean_room,
            pilot: config.pilot,
        };
        let shared = Arc::new(Shared::new(testers, Floor::new(config.clock), zone));
        let opened = Journal::open(&config.state_dir, &config.id, &config.pin)?;
        let words_path = opened.0.words_path();
        shared.set_words(feed::words_kept(&words_path));
        let mind = Mind::new(config.pin, config.upstreams);
        let keeper = Keeper::start(config.id, Arc::clone(&shared), mind, opened)?;

        let (stop, stopped) = watch::channel(false);
        let (orders, order_inbox) = mpsc::channel(ORDER_COUNT_MAX);
        let (urgent, urgent_inbox) = mpsc::channel(ORDER_COUNT_MAX);
        let desk = Desk { orders, urgent };
        let mut tasks = JoinSet::new();
        let mut addresses = Vec::new();
        for address in config.listen {
            let (socket, address) = bind(address).await?;
            addresses.push(address);
            tasks.spawn(listener::run(socket, Arc::clone(&shared), stopped.clone()));
        }
        let mut admin = None;
        if let Some(address) = config.admin {
            if !address.ip().is_loopback() {
                return Err(GateError::Admin { address });
            }
            let (socket, address) = bind(address).await?;
            admin = Some(address);
            let (desk, shared) = (desk.clone(), Arc::clone(&shared));
            tasks.spawn(admin::run(socket, desk, shared, stopped.clone()));
        }
        let (fail, failure) = oneshot::channel();
        let halt = stop.clone();
        tasks.spawn(async move {
            if let Err(error) = keeper.run(order_inbox, urgent_inbox).await {
                tracing::error!(%error, "the gate stops");
                let _ = halt.send(true);
                let _ = fail.send(error);
            }
        });
        let reporter = (
            control.clone(),
            desk.clone(),
            Arc::clone(&shared),
            stopped.clone(),
        );
        tasks.spawn(feed::report(reporter.0, reporter.1, reporter.2, reporter.3));
        tasks.spawn(feed::listen(
            control,
            desk,
            Arc::clone(&shared),
            words_path,
            stopped,
        ));
        Ok(Self {
            shared,
            addresses,
            admin,
            stop,
            tasks,
            failure: Some(failure),
        })
    }

    /// Where clients come in, in the order of the settings.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.clone()
    }

    /// Where operators come in.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Requests since the start.
    pub fn counts(&self) -> GateCounts {
        self.shared.counts.get()
    }

    /// How far a cell is open, and the highest epoch seen; none if the gate does not know it.
    pub fn stage(&self, cell: &CellId) -> Option<(Stage, Epoch)> {
        let table = self.shared.table();
        let state = &table.cell(cell)?.state;
        Some((state.stage(self.shared.now()), state.epoch()))
    }

    /// Last feed item that was judged and, if accepted, is in force and on disk.
    pub fn applied(&self) -> u64 {
        self.shared.progress.borrow().applied
    }

    /// Follows how far the gate is; changes after everything that takes effect.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.shared.progress.subscribe()
    }

    /// Waits until the gate has stopped by itself, because its disk failed: all its connections are
    /// ended, nothing passes. Whoever runs it ends the process with this error.
    pub async fn failed(&mut self) -> GateError {
        let failed = match &mut self.failure {
            Some(failure) => failure.await.ok(),
            None => None,
        };
        self.failure = None;
        match failed {
            Some(error) => {
                while self.tasks.join_next().await.is_some() {}
                error
            }
            None => std::future::pending().await,
        }
    }

    /// Ends every connection and task, and gives the folder free.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), GateError> {
    let wrong = |source| GateError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}
