//! The gate beside nginx and HAProxy, in the same run and pinned alike.
//!
//! In:    a folder, how often. Out: every figure beside its peers', as ratios of the same round.
//! Never: leaves the loopback; runs without an end in count and time; gives us what a peer lacks.
//!
//! The proxy has one core, clients and backend have the other, so that a proxy cannot borrow.
//! Rounds alternate between all of them, so that a busy moment hits all. The peers look cells up
//! by their whole key, without a regular expression; none writes an access log.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

use crate::figure::{Table, median, spread};

mod backend;
mod cells;
pub mod child;
mod close;
mod house;
mod load;
mod peer;
mod process;

use close::Subject;
use house::House;
use load::Ask;
use peer::{Kind, Peer};
use process::Child;

/// Cells of the ordinary measurements.
const CELLS: usize = 1_000;
/// Length of a round.
const ROUND: Duration = Duration::from_millis(1_000);
/// Bytes of an answer's body.
const ANSWER_SIZE: usize = 1_024;
/// Longest wait for the first answer of a proxy with all cells.
const START_WAIT_MAX: Duration = Duration::from_secs(120);

/// How much is measured.
pub struct Options {
    /// Rounds of each kind; the middle one counts.
    pub runs: usize,
    /// Cells of the measurement of memory and start; 0 leaves it out.
    pub cells: usize,
}

/// One proxy, or the backend without one.
struct Door<'a> {
    name: &'static str,
    address: SocketAddr,
    child: Option<&'a Child>,
}

struct Bench<'a> {
    clients: &'a Runtime,
    runs: usize,
    doors: Vec<Door<'a>>,
}

fn door_of(house: &House) -> SocketAddr {
    house.addresses.clients
}

/// Measures a gate and its peers.
///
/// # Errors
/// A peer is missing, a socket fails, or a proxy does not do what it should.
pub fn run(scratch: &Path, options: &Options) -> Result<Vec<Table>> {
    eprintln!("peers: {}", peer::install()?);
    process::pin_self()?;
    let clients = Builder::new_current_thread().enable_all().build()?;
    let serving = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let backend = backend::start(ANSWER_SIZE)?;
    let folder = tempfile::tempdir_in(scratch)?;
    let folder = folder.path();
    let house = House::start(&serving, folder, backend, CELLS)?;
    serving.block_on(house.open(cells::BUSY))?;
    serving.block_on(house.open(cells::OTHER))?;
    let peer = |kind| Peer::start(kind, folder, backend, CELLS);
    let nginx = peer(Kind::Nginx)?;
    let haproxy = peer(Kind::HaproxyMap)?;
    let shutting = peer(Kind::HaproxyShut)?;
    for one in [&nginx, &haproxy, &shutting] {
        let ask = asked(one.address, cells::BUSY, 200);
        load::first_answer(&ask, Instant::now(), START_WAIT_MAX)?;
    }

    let doors = vec![
        door("ours", door_of(&house), Some(&house.child)),
        door("nginx", nginx.address, Some(&nginx.child)),
        door("HAProxy", haproxy.address, Some(&haproxy.child)),
        door("direct", backend, None),
    ];
    let bench = Bench {
        clients: &clients,
        runs: options.runs,
        doors,
    };
    let mut table = Table::new("Gate, nginx and HAProxy on one core: 1 KiB, HTTP/1.1 kept alive");
    bench.throughput(&mut table, 64)?;
    bench.throughput(&mut table, 8)?;
    bench.paced(&mut table)?;

    serving.block_on(house.close(cells::BUSY))?;
    nginx.set(false)?;
    haproxy.set(false)?;
    bench.closed(&mut table)?;
    nginx.set(true)?;
    haproxy.set(true)?;

    let subjects = [
        ("ours", Subject::Ours(&house)),
        ("nginx: map, reload", Subject::Peer(&nginx)),
        ("HAProxy: set map", Subject::Peer(&haproxy)),
        (
            "HAProxy: backend per cell, shutdown",
            Subject::Peer(&shutting),
        ),
    ];
    let mut tables = vec![table];
    for saturated in [false, true] {
        tables.push(closes(&bench, &serving, &subjects, saturated)?);
    }
    if options.cells > 0 {
        drop((nginx, haproxy, shutting, house));
        tables.push(large(&serving, folder, backend, options)?);
    }
    Ok(tables)
}

fn asked(to: SocketAddr, cell: usize, status: u16) -> Ask {
    Ask::new(to, &cells::host(cell), &cells::path(cell), status)
}

fn door<'a>(name: &'static str, address: SocketAddr, child: Option<&'a Child>) -> Door<'a> {
    Door {
        name,
        address,
        child,
    }
}

/// The middle one of the ratios of each round.
fn ratio(ours: &[f64], peers: &[f64]) -> f64 {
    median(
        ours.iter()
            .zip(peers)
            .map(|(our, peer)| our / peer)
            .collect(),
    )
    .0
}

/// Our values beside each peer's, one row a peer. `values[door][round]`.
fn rows(table: &mut Table, what: &str, doors: &[Door<'_>], values: &[Vec<f64>], unit: &str) {
    let Some((ours, peers)) = values.split_first() else {
        return;
    };
    for (door, peer) in doors.iter().skip(1).zip(peers) {
        if peer.iter().all(|value| value.is_nan()) {
            continue;
        }
        let what = format!("{what} ({})", door.name);
        let share = ratio(ours, peer);
        table.beside(
            &what,
            spread(ours.clone(), unit),
            spread(peer.clone(), unit),
            share,
        );
    }
}

impl Bench<'_> {
    /// As fast as the answers come.
    fn throughput(&self, table: &mut Table, connections: usize) -> Result<()> {
        self.saturate(table, "open requests", connections, 200)
    }

    fn closed(&self, table: &mut Table) -> Result<()> {
        self.saturate(table, "closed answers", 64, 503)
    }

    fn saturate(&self, table: &mut Table, what: &str, count: usize, status: u16) -> Result<()> {
        let doors = &self.doors[..self.doors.len() - usize::from(status == 503)];
        let mut rates = vec![Vec::new(); doors.len()];
        let mut costs = vec![Vec::new(); doors.len()];
        for door in doors {
            // nginx takes a moment to put a change in force.
            let ask = asked(door.address, cells::BUSY, status);
            load::first_answer(&ask, Instant::now(), START_WAIT_MAX)?;
            load::closed_loop(self.clients, &ask, count, ROUND / 4)?;
        }
        for _ in 0..self.runs {
            for (index, door) in doors.iter().enumerate() {
                let ask = asked(door.address, cells::BUSY, status);
                let used = door.child.map(Child::used);
                let rate = load::closed_loop(self.clients, &ask, count, ROUND)?;
                rates[index].push(rate);
                costs[index].push(cost(door, used, rate * ROUND.as_secs_f64()));
            }
        }
        let name = format!("{what} per second, {count} connections");
        rows(table, &name, doors, &rates, "/s");
        let name = format!("{what}: the proxy's processor time each, {count} connections");
        rows(table, &name, doors, &costs, "µs");
        Ok(())
    }

    /// At 20,000 and at 5,000 requests per second.
    fn paced(&self, table: &mut Table) -> Result<()> {
        for (rate, connections) in [(20_000, 64), (5_000, 64)] {
            let mut costs = vec![Vec::new(); self.doors.len()];
            let mut waits = [0.5, 0.99].map(|q| (q, vec![Vec::new(); self.doors.len()]));
            let mut reached = vec![Vec::new(); self.doors.len()];
            for _ in 0..self.runs {
                for (index, door) in self.doors.iter().enumerate() {
                    let ask = asked(door.address, cells::BUSY, 200);
                    let used = door.child.map(Child::used);
                    let round = load::fixed_rate(&ask, connections, rate, ROUND)?;
                    costs[index].push(cost(door, used, round.waits.len() as f64));
                    reached[index].push(round.per_second);
                    for (q, values) in &mut waits {
                        values[index].push(load::quantile(&round.waits, *q));
                    }
                }
            }
            let name = format!("reached at {rate}/s asked for");
            rows(table, &name, &self.doors, &reached, "/s");
            let name = format!("the proxy's processor time per request at {rate}/s");
            rows(table, &name, &self.doors, &costs, "µs");
            for (q, values) in &waits {
                let name = format!("latency p{:.0} at {rate}/s", q * 100.0);
                rows(table, &name, &self.doors, values, "µs");
            }
        }
        Ok(())
    }
}

fn cost(door: &Door<'_>, used: Option<f64>, count: f64) -> f64 {
    match (door.child, used) {
        (Some(child), Some(used)) => (child.used() - used) * 1e6 / count,
        _ => f64::NAN,
    }
}

fn closes(
    bench: &Bench<'_>,
    serving: &Runtime,
    subjects: &[(&'static str, Subject<'_>)],
    saturated: bool,
) -> Result<Table> {
    let mut table = Table::new(if saturated {
        "Close of one cell, everyone asking as fast as the answers come"
    } else {
        "Close of one cell, clients pausing 5 ms"
    });
    for (name, subject) in subjects {
        let mut all = Vec::new();
        for _ in 0..bench.runs {
            let to = match subject {
                Subject::Ours(house) => {
                    serving.block_on(house.open(cells::BUSY))?;
                    door_of(house)
                }
                Subject::Peer(peer) => {
                    peer.set(true)?;
                    peer.address
                }
            };
            let ask = asked(to, cells::BUSY, 200);
            load::first_answer(&ask, Instant::now(), START_WAIT_MAX)?;
            if matches!(subject, Subject::Peer(_)) {
                // A reload ends old workers only after a while; they must not be counted.
                std::thread::sleep(Duration::from_millis(300));
            }
            all.push(close::run(bench.clients, subject, saturated)?);
        }
        let times =
            |value: fn(&close::Outcome) -> f64| spread(all.iter().map(value).collect(), "ms");
        table.figure(
            &format!("{name}: order to acknowledgement"),
            times(|o| o.ack_ms),
        );
        table.figure(
            &format!("{name}: order to the cell's last byte"),
            times(|o| o.last_ms),
        );
        let most = |value: fn(&close::Outcome) -> usize| all.iter().map(value).max().unwrap_or(0);
        let what = format!("{name}: requests served after it, bytes of running answers, uncut");
        let figures = format!(
            "{}, {}, {}",
            most(|o| o.requests),
            most(|o| o.bytes),
            most(|o| o.uncut)
        );
        table.figure(&what, figures);
        let what = format!("{name}: connections of the other cell that were cut");
        table.figure(&what, most(|o| o.others_cut));
    }
    Ok(table)
}

/// Memory and time to the first answer with all cells.
fn large(
    serving: &Runtime,
    folder: &Path,
    backend: SocketAddr,
    options: &Options,
) -> Result<Table> {
    let count = options.cells;
    let mut table = Table::new("All cells: memory, and start to the first answer");
    let (mut starts, mut sizes) = (vec![Vec::new(); 3], vec![Vec::new(); 3]);
    let mut house = House::start(serving, folder, backend, count)?;
    serving.block_on(house.open(cells::BUSY))?;
    for _ in 0..options.runs {
        let begun = Instant::now();
        house.restart()?;
        let ask = asked(door_of(&house), cells::BUSY, 200);
        starts[0].push(load::first_answer(&ask, begun, START_WAIT_MAX)?);
        sizes[0].push(house.child.memory_mib());
        for (index, kind) in [(1, Kind::Nginx), (2, Kind::HaproxyMap)] {
            let begun = Instant::now();
            let peer = Peer::start(kind, folder, backend, count)?;
            let ask = asked(peer.address, cells::BUSY, 200);
            starts[index].push(load::first_answer(&ask, begun, START_WAIT_MAX)?);
            sizes[index].push(peer.child.memory_mib());
        }
    }
    let doors = ["ours", "nginx", "HAProxy"].map(|name| door(name, backend, None));
    rows(
        &mut table,
        &format!("memory with {count} cells"),
        &doors,
        &sizes,
        "MiB",
    );
    let name = format!("start to the first answer with {count} cells");
    rows(&mut table, &name, &doors, &starts, "s");
    Ok(table)
}
