//! The people outside: clients that keep asking through the gates, and keep book of what they got.
//!
//! In:    hosts and paths of all cells, the addresses of the gates.
//! Out:   counts, and the one number that must stay 0: let through without a valid release.
//! Never: asks a gate or the control plane what is open; it knows only what outsiders are told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anlauf_model::{CellId, Landscape};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tokio::task::{JoinHandle, JoinSet};

use super::backend::SERVED;

/// How long a client rests between two questions; bounds the load.
const REST: Duration = Duration::from_millis(10);

/// How many questions of a sweep are under way at once.
const SWEEP_WIDTH: usize = 32;

/// What the clients got.
#[derive(Debug, Default)]
pub struct Book {
    /// Asked in all.
    pub asked: AtomicU64,
    /// Answered by a backend.
    pub answered: AtomicU64,
    /// Answered by a gate with an honest no.
    pub refused: AtomicU64,
    /// No answer: the connection was cut, or the backend failed.
    pub broken: AtomicU64,
    /// Answered by a backend although the cell was shut for the whole length of the question.
    pub leaked: AtomicU64,
}

/// One cell as the outside knows it.
pub struct Door {
    /// Host name.
    pub host: String,
    /// Path.
    pub path: String,
    cell: String,
    /// Odd while the cell is known to be shut at every gate; changes with every turn.
    turn: AtomicU64,
}

/// All doors.
pub struct Doors {
    doors: Vec<Door>,
    index: BTreeMap<CellId, usize>,
}

/// The people outside.
pub struct Traffic {
    /// What they got.
    pub book: Arc<Book>,
    /// What they know.
    pub doors: Arc<Doors>,
    gates: Arc<[SocketAddr]>,
    tasks: Vec<JoinHandle<()>>,
}

/// What one question to every cell through every gate brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Sweep {
    /// Questions.
    pub asked: u64,
    /// Answered by the cell's own backend.
    pub answered: u64,
    /// Answered by a gate with an honest no.
    pub refused: u64,
    /// Anything else.
    pub broken: u64,
}

/// What became of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Refused,
    Broken,
}

impl Doors {
    /// Every cell of the landscape; all shut: nothing was released yet. The real services among
    /// them are asked for their health: they have no page at their root.
    pub fn new(landscape: &Landscape, real: &BTreeSet<CellId>) -> Self {
        let mut doors = Vec::new();
        let mut index = BTreeMap::new();
        for (id, cell) in landscape.cells() {
            index.insert(id.clone(), doors.len());
            doors.push(Door {
                host: cell.host.clone(),
                path: match real.contains(id) {
                    true => format!("{}/health", cell.path),
                    false => cell.path.clone(),
                },
                cell: id.to_string(),
                turn: AtomicU64::new(1),
            });
        }
        Self { doors, index }
    }

    /// One cell's door.
    pub fn door(&self, cell: &CellId) -> Option<&Door> {
        self.doors.get(*self.index.get(cell)?)
    }

    /// How often a cell has turned: odd while it is known to be shut at every gate.
    pub fn turn_of(&self, cell: &CellId) -> Option<u64> {
        Some(self.door(cell)?.turn.load(Ordering::SeqCst))
    }

    /// From here on the cells are shut at every gate: an answer of a backend is a leak.
    ///
    /// Called only after every gate has acknowledged.
    pub fn shut<'a>(&self, cells: impl IntoIterator<Item = &'a CellId>) {
        self.turn(cells, 1);
    }

    /// From here on the cells may open: called before the release is even asked for.
    pub fn may_open<'a>(&self, cells: impl IntoIterator<Item = &'a CellId>) {
        self.turn(cells, 0);
    }

    fn turn<'a>(&self, cells: impl IntoIterator<Item = &'a CellId>, parity: u64) {
        for door in cells.into_iter().filter_map(|cell| self.door(cell)) {
            let turn = door.turn.load(Ordering::SeqCst);
            if turn % 2 != parity {
                door.turn.store(turn + 1, Ordering::SeqCst);
            }
        }
    }
}

impl Traffic {
    /// People who know every door and do not ask yet.
    pub fn new(landscape: &Landscape, gates: &[SocketAddr], real: &BTreeSet<CellId>) -> Self {
        Self {
            book: Arc::default(),
            doors: Arc::new(Doors::new(landscape, real)),
            gates: gates.into(),
            tasks: Vec::new(),
        }
    }

    /// Starts `count` clients that ask until they are stopped.
    pub fn start(&mut self, count: u64, seed: u64) {
        for client in 0..count {
            let chance = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(client));
            let (doors, book, gates) = (self.doors.clone(), self.book.clone(), self.gates.clone());
            self.tasks
                .push(tokio::spawn(ask(doors, book, gates, chance)));
        }
    }

    /// How often a backend has answered so far.
    pub fn answered(&self) -> u64 {
        self.book.answered.load(Ordering::SeqCst)
    }

    /// Stops asking.
    pub async fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
            // An aborted task says so.
            let _aborted = task.await;
        }
    }

    /// Asks for every cell once through every gate.
    pub async fn sweep(&self) -> Sweep {
        let web = web();
        let mut sweep = Sweep::default();
        let mut running: JoinSet<Outcome> = JoinSet::new();
        for index in 0..self.doors.doors.len() {
            for gate in self.gates.iter().copied() {
                if running.len() >= SWEEP_WIDTH {
                    sweep.count(running.join_next().await);
                }
                let (web, doors, book) = (web.clone(), self.doors.clone(), self.book.clone());
                running
                    .spawn(async move { question(&web, &doors.doors[index], gate, &book).await });
            }
        }
        while !running.is_empty() {
            sweep.count(running.join_next().await);
        }
        sweep
    }
}

impl Sweep {
    fn count(&mut self, outcome: Option<Result<Outcome, tokio::task::JoinError>>) {
        self.asked += 1;
        match outcome {
            Some(Ok(Outcome::Answered)) => self.answered += 1,
            Some(Ok(Outcome::Refused)) => self.refused += 1,
            _ => self.broken += 1,
        }
    }
}

/// The client both the traffic and the checks of the drill use.
pub type Web = Client<HttpConnector, Empty<Bytes>>;

/// A client with kept-alive connections.
pub fn web() -> Web {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn ask(
    doors: Arc<Doors>,
    book: Arc<Book>,
    gates: Arc<[SocketAddr]>,
    mut chance: Xoshiro256PlusPlus,
) {
    let web = web();
    if doors.doors.is_empty() || gates.is_empty() {
        return;
    }
    loop {
        let door = &doors.doors[chance.random_range(0..doors.doors.len())];
        let gate = gates[chance.random_range(0..gates.len())];
        question(&web, door, gate, &book).await;
        tokio::time::sleep(REST).await;
    }
}

async fn question(web: &Web, door: &Door, gate: SocketAddr, book: &Book) -> Outcome {
    let before = door.turn.load(Ordering::SeqCst);
    book.asked.fetch_add(1, Ordering::Relaxed);
    let answer = get(web, gate, door, None).await;
    let after = door.turn.load(Ordering::SeqCst);
    let (counter, outcome) = match answer {
        Some((_, Some(served))) => {
            let shut = before % 2 == 1 && before == after;
            // A backend that answers for another cell than was asked is a leak of its own kind.
            if shut || served != door.cell {
                book.leaked.fetch_add(1, Ordering::SeqCst);
            }
            (&book.answered, Outcome::Answered)
        }
        Some((StatusCode::SERVICE_UNAVAILABLE, None)) => (&book.refused, Outcome::Refused),
        _ => (&book.broken, Outcome::Broken),
    };
    counter.fetch_add(1, Ordering::Relaxed);
    outcome
}

/// One question; the status and which cell a backend served, or none when there was no answer.
pub async fn get(
    web: &Web,
    gate: SocketAddr,
    door: &Door,
    pass: Option<&str>,
) -> Option<(StatusCode, Option<String>)> {
    let mut request =
        Request::get(format!("http://{gate}{}", door.path)).header(HOST, door.host.as_str());
    if let Some(pass) = pass {
        request = request.header("anlauf-pass", pass);
    }
    let response = web.request(request.body(Empty::new()).ok()?).await.ok()?;
    let status = response.status();
    let served = response
        .headers()
        .get(SERVED)
        .map(|v| v.to_str().unwrap_or("?").to_owned());
    response.into_body().collect().await.ok()?;
    Some((status, served))
}
