//! One gate from start to stop.
//!
//! In:    a [`GateConfig`]. Out: a running [`Gate`], or why it does not start.
//! Never: listens before its own state has been verified again.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anlauf_model::feed::GateCounts;
use anlauf_model::{CellId, Epoch, Stage};
use jiff::tz::TimeZone;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::access::Access;
use crate::admin::Operators;
use crate::clock::Floor;
use crate::config::{GateConfig, Mail, Network, Serving};
use crate::driver::Drivers;
use crate::error::GateError;
use crate::feed::{self, Control, Desk};
use crate::inflow::{Key, keep};
use crate::intake::Port;
use crate::journal::Journal;
use crate::judge::Testers;
use crate::keeper::{Keeper, Order, Urgent};
use crate::listener::Worker;
use crate::mind::Mind;
use crate::passthrough::Purpose;
use crate::proxy_protocol::Heralds;
use crate::request::Proxies;
use crate::shared::{Progress, Shared};
use crate::tls::Certificates;
use crate::{admin, listener, passthrough, smtp, vouch};

/// Orders that may wait for the keeper. A few: whoever asks waits for the answer anyway.
const ORDER_COUNT_MAX: usize = 64;

/// Connections that may wait to be accepted. The kernel's own limit is mostly 4,096.
const BACKLOG: u32 = 4_096;

/// A running gate. Several may run in one process, each with its own folder and addresses.
pub struct Gate {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    passing: Vec<SocketAddr>,
    mail: Vec<SocketAddr>,
    asked: Vec<SocketAddr>,
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
        let opened = Journal::open(&config.state_dir, &config.id, &config.pin)?;
        let (places, inflows) = keep::open(opened.0.dir())?;
        let (drivers, driving) = Drivers::new(config.serving.driven.clone())?;
        let shared = shared(&config, (places, drivers))?;
        let words_path = opened.0.words_path();
        shared.set_words(feed::words_kept(&words_path));
        let mind = Mind::new(config.id.clone(), config.pin, config.upstreams);
        let id = config.id.clone();
        let keeper = Keeper::start(config.id, Arc::clone(&shared), (mind, inflows), opened)?;

        let (stop, stopped) = watch::channel(false);
        let (orders, order_inbox) = mpsc::channel(ORDER_COUNT_MAX);
        let (urgent, urgent_inbox) = mpsc::channel(ORDER_COUNT_MAX);
        let desk = Desk { orders, urgent };
        let certificates = match &config.serving.tls {
            Some(tls) => Some(Certificates::read(&tls.certificates)?),
            None => None,
        };
        let mut tasks = JoinSet::new();
        heralds_check(&config.listen, &config.serving)?;
        let mut serving = config.serving;
        let entry = Entry {
            shared: Arc::clone(&shared),
            own_threads: serving.workers > 0,
            heralds: std::mem::take(&mut serving.heralds),
            stopped: stopped.clone(),
        };
        let mail = match serving.mail.take() {
            Some(mail) => entry.open_mail(&mut tasks, &mail, certificates.as_ref())?,
            None => Vec::new(),
        };
        let asked = entry.open_asked(&mut tasks, &serving.asked)?;
        let doors = (config.listen, serving, certificates.as_ref());
        let (addresses, passing) = entry.open(&mut tasks, doors)?;
        let operators = Operators {
            gate: id,
            desk: desk.clone(),
            shared: Arc::clone(&shared),
            certificates,
            asked: asked.clone(),
        };
        let admin = match config.admin {
            Some(address) => Some(entry.open_admin(&mut tasks, address, operators)?),
            None => None,
        };
        let inboxes = (order_inbox, urgent_inbox);
        let failure = keep_on(&mut tasks, keeper, inboxes, stop.clone());
        for one in driving {
            tasks.spawn(one.run(Arc::clone(&shared), desk.clone(), stopped.clone()));
        }
        let (own, line) = (Arc::clone(&shared), control.clone());
        tasks.spawn(feed::report(line, desk.clone(), own, stopped.clone()));
        let own = Arc::clone(&shared);
        tasks.spawn(feed::listen(control, desk, own, words_path, stopped));
        Ok(Self {
            shared,
            addresses,
            passing,
            mail,
            asked,
            admin,
            stop,
            tasks,
            failure: Some(failure),
        })
    }

    /// Where clients come in, in the order of the settings; those under TLS come last.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.clone()
    }

    /// Where clients come in whose bytes are passed through: ports of cells, then those by name.
    pub fn passing(&self) -> Vec<SocketAddr> {
        self.passing.clone()
    }

    /// Where SMTP clients come in.
    pub fn mail(&self) -> Vec<SocketAddr> {
        self.mail.clone()
    }

    /// Where other proxies ask whether a request of theirs may pass.
    pub fn asked(&self) -> Vec<SocketAddr> {
        self.asked.clone()
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

    /// Opens the access log's file anew: it has been moved away. Does not wait for it.
    pub fn reopen_access_log(&self) {
        self.shared.access.reopen();
    }

    /// Ends every connection and task, writes the rest of the access log, gives the folder free.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        let shared = Arc::clone(&self.shared);
        let _ = tokio::task::spawn_blocking(move || shared.access.end()).await;
    }
}

/// Has the keeper work; if its disk fails, everything stops, and why is told.
fn keep_on(
    tasks: &mut JoinSet<()>,
    keeper: Keeper,
    (orders, urgent): (mpsc::Receiver<Order>, mpsc::Receiver<Urgent>),
    halt: watch::Sender<bool>,
) -> oneshot::Receiver<GateError> {
    let (fail, failure) = oneshot::channel();
    tasks.spawn(async move {
        if let Err(error) = keeper.run(orders, urgent).await {
            tracing::error!(%error, "the gate stops");
            let _ = halt.send(true);
            let _ = fail.send(error);
        }
    });
    failure
}

/// What the connections of a gate will share.
fn shared(
    config: &GateConfig,
    (places, drivers): (Key, Drivers),
) -> Result<Arc<Shared>, GateError> {
    let zone = zone(&config.time_zone)?;
    let testers = Testers {
        clean_room: config.clean_room.clone(),
        pilot: config.pilot.clone(),
        proxies: Proxies::new(config.serving.proxies.clone()),
    };
    let access = match &config.serving.access {
        Some(log) => Access::start(log, config.id.clone())?,
        None => Access::default(),
    };
    let clock = Floor::new(Arc::clone(&config.clock));
    Ok(Arc::new(Shared::new(
        testers,
        clock,
        zone,
        (places, access, drivers),
    )))
}

fn zone(name: &str) -> Result<TimeZone, GateError> {
    TimeZone::get(name).map_err(|_| GateError::Setting {
        what: "time zone",
        value: name.to_owned(),
        hint: "write it like `Europe/Berlin`",
    })
}

/// Whether every port that demands a header is one of the gate's.
fn heralds_check(listen: &[SocketAddr], serving: &Serving) -> Result<(), GateError> {
    let under_tls = serving.tls.iter().flat_map(|tls| &tls.listen);
    let of_cells = serving.tcp.iter().map(|(address, _)| address);
    let of_mail = serving.mail.iter().flat_map(|mail| &mail.listen);
    let known: Vec<&SocketAddr> = listen
        .iter()
        .chain(under_tls)
        .chain(of_cells)
        .chain(&serving.named)
        .chain(of_mail)
        .collect();
    let foreign = serving.heralds.iter().find(|(at, _)| !known.contains(&at));
    foreign.map_or(Ok(()), |(address, _)| {
        Err(GateError::Setting {
            what: "a port of the PROXY protocol",
            value: address.to_string(),
            hint: "write the address as it is given to the port itself",
        })
    })
}

/// Listens; with `shared` others may listen on the same port, and the kernel spreads the clients.
fn bind(address: SocketAddr, shared: bool) -> Result<TcpListener, GateError> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(shared)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| GateError::Listen { address, source })
}

/// Opens every door of a gate.
struct Entry {
    shared: Arc<Shared>,
    own_threads: bool,
    /// Ports, and who must announce their connections.
    heralds: Vec<(SocketAddr, Network)>,
    stopped: watch::Receiver<bool>,
}

/// What doors there are.
type Doors<'a> = (Vec<SocketAddr>, Serving, Option<&'a Arc<Certificates>>);

impl Entry {
    /// Where clients come in: whose requests are judged, and whose bytes are passed through.
    fn open(
        &self,
        tasks: &mut JoinSet<()>,
        (listen, serving, certificates): Doors<'_>,
    ) -> Result<(Vec<SocketAddr>, Vec<SocketAddr>), GateError> {
        let workers: Vec<_> = (0..serving.workers.max(1))
            .map(|_| Worker::new(Arc::clone(&self.shared)))
            .collect();
        self.shared.workers.store(workers.len(), Ordering::Relaxed);
        let acceptor = certificates.map(Certificates::acceptor).transpose()?;
        let under_tls = serving.tls.into_iter().flat_map(|tls| tls.listen);
        let doors = listen.into_iter().map(|address| (address, None));
        let doors = doors.chain(under_tls.map(|address| (address, acceptor.clone())));
        let mut addresses = Vec::new();
        for (index, (asked, tls)) in doors.enumerate() {
            let mut address = asked;
            let wrong = |source| GateError::Listen {
                address: asked,
                source,
            };
            for worker in &workers {
                let listener = bind(address, workers.len() > 1)?;
                // Port 0 has become a port, which the next worker shares.
                address = listener.local_addr().map_err(wrong)?;
                let door = (Arc::clone(worker), (tls.clone(), index == 0));
                self.serve(tasks, self.port(asked, listener), door)
                    .map_err(wrong)?;
            }
            addresses.push(address);
        }
        let cells = serving.tcp.into_iter();
        let cells = cells.map(|(address, cell)| (address, Purpose::Cell(cell)));
        let named = serving.named.into_iter();
        let mut passing = Vec::new();
        for (address, purpose) in cells.chain(named.map(|address| (address, Purpose::Named))) {
            let wrong = |source| GateError::Listen { address, source };
            let listener = bind(address, false)?;
            passing.push(listener.local_addr().map_err(wrong)?);
            let worker = Worker::new(Arc::clone(&self.shared));
            let (port, stopped) = (self.port(address, listener), self.stopped.clone());
            tasks.spawn(passthrough::run(port, worker, purpose, stopped));
        }
        Ok((addresses, passing))
    }

    /// Where other proxies ask.
    fn open_asked(
        &self,
        tasks: &mut JoinSet<()>,
        listen: &[SocketAddr],
    ) -> Result<Vec<SocketAddr>, GateError> {
        let mut addresses = Vec::new();
        for address in listen.iter().copied() {
            let wrong = |source| GateError::Listen { address, source };
            let listener = bind(address, false)?;
            addresses.push(listener.local_addr().map_err(wrong)?);
            let worker = Worker::new(Arc::clone(&self.shared));
            let (port, stopped) = (self.port(address, listener), self.stopped.clone());
            tasks.spawn(vouch::run(port, worker, stopped));
        }
        Ok(addresses)
    }

    /// Where SMTP clients come in. Certificates are for whoever says `STARTTLS`.
    fn open_mail(
        &self,
        tasks: &mut JoinSet<()>,
        mail: &Mail,
        certificates: Option<&Arc<Certificates>>,
    ) -> Result<Vec<SocketAddr>, GateError> {
        let tls = certificates.map(|known| known.acceptor_of(&mail.name));
        let relay = Arc::new(smtp::Relay::new(mail, tls.transpose()?)?);
        let mut addresses = Vec::new();
        for address in mail.listen.iter().copied() {
            let wrong = |source| GateError::Listen { address, source };
            let listener = bind(address, false)?;
            addresses.push(listener.local_addr().map_err(wrong)?);
            let worker = Worker::new(Arc::clone(&self.shared));
            let (relay, stopped) = (Arc::clone(&relay), self.stopped.clone());
            let port = self.port(address, listener);
            tasks.spawn(smtp::run(port, worker, relay, stopped));
        }
        Ok(addresses)
    }

    /// A listener with who announces its connections, by the address that was asked for.
    fn port(&self, asked: SocketAddr, listener: TcpListener) -> Port {
        let heralds = Heralds::of(asked, &self.heralds);
        Port { listener, heralds }
    }

    /// Where operators come in.
    fn open_admin(
        &self,
        tasks: &mut JoinSet<()>,
        address: SocketAddr,
        operators: Operators,
    ) -> Result<SocketAddr, GateError> {
        if !address.ip().is_loopback() {
            return Err(GateError::Admin { address });
        }
        let listener = bind(address, false)?;
        let taken = listener.local_addr();
        tasks.spawn(admin::run(listener, operators, self.stopped.clone()));
        taken.map_err(|source| GateError::Listen { address, source })
    }

    /// Serves on a thread of its own, or in the present runtime.
    fn serve(
        &self,
        tasks: &mut JoinSet<()>,
        port: Port,
        (worker, door): (Arc<Worker>, (Option<TlsAcceptor>, bool)),
    ) -> io::Result<()> {
        let stopped = self.stopped.clone();
        if !self.own_threads {
            tasks.spawn(listener::run(port, worker, door, stopped));
            return Ok(());
        }
        let Port { listener, heralds } = port;
        let listener = listener.into_std()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (ended, end) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("gate-worker".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => {
                            let port = Port { listener, heralds };
                            listener::run(port, worker, door, stopped).await;
                        }
                        Err(error) => tracing::error!(%error, "a worker cannot listen"),
                    }
                });
                drop(runtime);
                drop(ended);
            })?;
        // Dropped means ended, whatever way.
        tasks.spawn(async move { drop(end.await) });
        Ok(())
    }
}
