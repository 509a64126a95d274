//! The people outside: clients that keep asking through the gates, and keep book of what they got.
//!
//! In:    hosts and paths of all cells, the addresses of the gates.
//! Out:   counts, and the one number that must stay 0: let through without a valid release.
//! Never: asks a gate or the control plane what is open; it knows only what it was told from outside.

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
use tokio::task::JoinHandle;

use super::backend::SERVED;

/// How long a client rests between two questions; bounds the load.
const REST: Duration = Duration::from_millis(4);

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
struct Door {
    host: String,
    path: String,
    cell: String,
    /// Odd while the cell is known to be shut at every gate; changes with every turn.
    turn: AtomicU64,
}

/// All doors.
pub struct Doors {
    doors: Vec<Door>,
    index: std::collections::BTreeMap<CellId, usize>,
}

/// Running clients.
pub struct Traffic {
    /// What they got.
    pub book: Arc<Book>,
    /// What they know.
    pub doors: Arc<Doors>,
    tasks: Vec<JoinHandle<()>>,
}

impl Doors {
    /// Every cell of the landscape; none known to be shut.
    pub fn new(landscape: &Landscape) -> Self {
        let mut doors = Vec::new();
        let mut index = std::collections::BTreeMap::new();
        for (id, cell) in landscape.cells() {
            index.insert(id.clone(), doors.len());
            doors.push(Door {
                host: cell.host.clone(),
                path: cell.path.clone(),
                cell: id.to_string(),
                turn: AtomicU64::new(0),
            });
        }
        Self { doors, index }
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
        for cell in cells {
            let Some(door) = self.index.get(cell).and_then(|i| self.doors.get(*i)) else { continue };
            let turn = door.turn.load(Ordering::SeqCst);
            if turn % 2 != parity {
                door.turn.store(turn + 1, Ordering::SeqCst);
            }
        }
    }
}

impl Traffic {
    /// Starts `count` clients that ask until they are stopped.
    pub fn start(landscape: &Landscape, gates: &[SocketAddr], count: u64, seed: u64) -> Self {
        let book = Arc::new(Book::default());
        let doors = Arc::new(Doors::new(landscape));
        let gates: Arc<[SocketAddr]> = gates.into();
        let tasks = (0..count).map(|client| {
            let chance = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(client));
            tokio::spawn(ask(doors.clone(), book.clone(), gates.clone(), chance))
        });
        Self { tasks: tasks.collect(), book: book.clone(), doors: doors.clone() }
    }

    /// Stops asking.
    pub async fn stop(self) {
        for task in self.tasks {
            task.abort();
            let _ = task.await;
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

async fn question(web: &Web, door: &Door, gate: SocketAddr, book: &Book) {
    let before = door.turn.load(Ordering::SeqCst);
    book.asked.fetch_add(1, Ordering::Relaxed);
    let answer = get(web, gate, &door.host, &door.path).await;
    let after = door.turn.load(Ordering::SeqCst);
    match answer {
        Some((StatusCode::OK, Some(served))) if served == door.cell => {
            book.answered.fetch_add(1, Ordering::Relaxed);
            if before % 2 == 1 && before == after {
                book.leaked.fetch_add(1, Ordering::SeqCst);
            }
        }
        // A backend that answers for another cell than was asked is a leak of its own kind.
        Some((_, Some(_))) => {
            book.leaked.fetch_add(1, Ordering::SeqCst);
        }
        Some((status, None)) if status != StatusCode::BAD_GATEWAY => {
            book.refused.fetch_add(1, Ordering::Relaxed);
        }
        _ => {
            book.broken.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One question; the status and which cell a backend served, or none when there was no answer.
pub async fn get(
    web: &Web,
    gate: SocketAddr,
    host: &str,
    path: &str,
) -> Option<(StatusCode, Option<String>)> {
    let request = Request::get(format!("http://{gate}{path}"))
        .header(HOST, host)
        .body(Empty::new())
        .ok()?;
    let response = web.request(request).await.ok()?;
    let status = response.status();
    let served = response.headers().get(SERVED).map(|v| v.to_str().unwrap_or("?").to_owned());
    response.into_body().collect().await.ok()?;
    Some((status, served))
}
