//! One gate beside a direct connection to the same backend, in the same run.
//!
//! In:    a folder for the gate's state. Out: throughput, latency, and a close under load.
//! Never: leaves the loopback; runs without an end in count and time.
//!
//! Gate, backend and clients share the machine, so all figures are lower bounds, and the ratio says
//! more than the number. Rounds of both kinds alternate, so that a busy moment hits both.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anlauf_model::Stage;
use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

use crate::figure::{Table, median, millis, spread};

mod backend;
mod close;
mod house;
mod load;

use house::House;
use load::Ask;

/// Connections of the closed loop: each sends its next request when it has the answer.
const CONNECTIONS: usize = 64;
/// Rounds of each kind; the middle one counts.
const ROUNDS: usize = 5;
/// Length of a round.
const ROUND: Duration = Duration::from_secs(2);
/// Requests per second at which latency is measured: far below what any part can do.
const RATE: u32 = 1_000;
/// Bytes of an answer's body.
const ANSWER_SIZE: usize = 1_024;

/// Measures a gate.
///
/// # Errors
/// A socket fails, or the gate does not do what it should.
pub fn run(scratch: &Path) -> Result<Vec<Table>> {
    // The clients have a thread of their own, so that they can look at all sockets at one moment.
    let clients = Builder::new_current_thread().enable_all().build()?;
    let serving = Builder::new_multi_thread().enable_all().build()?;
    let backend = serving.block_on(backend::start(ANSWER_SIZE))?;
    let folder = tempfile::tempdir_in(scratch)?;
    let house = serving.block_on(House::new(folder.path(), backend))?;
    serving.block_on(house.open(&house.busy))?;
    serving.block_on(house.open(&house.other))?;

    let mut table = Table::new("One gate: 1 KiB answers, HTTP/1.1 kept alive, loopback");
    throughput(&clients, &house, backend, &mut table)?;
    latency(&house, backend, &mut table)?;
    closed(&clients, &serving, &house, &mut table)?;
    let under_load = close::run(&clients, &serving, &house)?;
    serving.block_on(house.stop());
    Ok(vec![table, under_load])
}

fn throughput(
    clients: &Runtime,
    house: &House,
    backend: SocketAddr,
    table: &mut Table,
) -> Result<()> {
    let direct = Ask::new(backend, &house.busy.host, &house.busy.path, 200);
    let through = Ask::new(house.address(), &house.busy.host, &house.busy.path, 200);
    let (mut ours, mut peers) = (Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        peers.add(clients.block_on(load::closed_loop(&direct, CONNECTIONS, ROUND))?);
        ours.add(clients.block_on(load::closed_loop(&through, CONNECTIONS, ROUND))?);
    }
    let ratio = |our: &[f64], peer: &[f64]| {
        median(our.iter().zip(peer).map(|(our, peer)| our / peer).collect()).0
    };
    let what = format!("requests per second, {CONNECTIONS} connections (peer: direct)");
    let (our, peer) = (ours.rates, peers.rates);
    let share = ratio(&our, &peer);
    table.beside(&what, spread(our, "/s"), spread(peer, "/s"), share);
    let what = "processor time per request, clients and backend included (peer: direct)";
    let (our, peer) = (ours.costs, peers.costs);
    let share = ratio(&our, &peer);
    table.beside(what, spread(our, "µs"), spread(peer, "µs"), share);
    Ok(())
}

/// Figures of rounds of one kind.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    costs: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, round: load::Round) {
        self.rates.push(round.per_second);
        self.costs.push(round.cost_us);
    }
}

fn latency(house: &House, backend: SocketAddr, table: &mut Table) -> Result<()> {
    let direct = Ask::new(backend, &house.busy.host, &house.busy.path, 200);
    let through = Ask::new(house.address(), &house.busy.host, &house.busy.path, 200);
    let mut quantiles = [0.5, 0.99].map(|q| (q, Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        let peer = load::fixed_rate(&direct, RATE, ROUND)?;
        let our = load::fixed_rate(&through, RATE, ROUND)?;
        for (q, ours, peers) in &mut quantiles {
            ours.push(load::quantile(&our, *q));
            peers.push(load::quantile(&peer, *q));
        }
    }
    for (q, ours, peers) in quantiles {
        let ((our, ..), (peer, ..)) = (median(ours.clone()), median(peers.clone()));
        let name = format!("p{:.0}", q * 100.0);
        let what = format!("latency {name} at {RATE}/s (peer: direct)");
        table.beside(&what, spread(ours, "µs"), spread(peers, "µs"), our / peer);
        table.figure(
            &format!("added latency {name}"),
            format!("{:.0} µs", our - peer),
        );
    }
    Ok(())
}

fn closed(clients: &Runtime, serving: &Runtime, house: &House, table: &mut Table) -> Result<()> {
    serving.block_on(house.close(&house.busy))?;
    let shut = Ask::new(house.address(), &house.busy.host, &house.busy.path, 503);
    let mut answers = Rounds::default();
    for _ in 0..ROUNDS {
        answers.add(clients.block_on(load::closed_loop(&shut, CONNECTIONS, ROUND))?);
    }
    let what = format!("honest 503s per second, {CONNECTIONS} connections");
    table.figure(&what, spread(answers.rates, "/s"));
    let what = "processor time per honest 503, clients included";
    table.figure(what, spread(answers.costs, "µs"));
    let mut orders = Vec::new();
    for _ in 0..ROUNDS {
        serving.block_on(house.open(&house.busy))?;
        let begun = Instant::now();
        serving.block_on(house.close(&house.busy))?;
        orders.push(millis(begun.elapsed()));
    }
    table.figure(
        "close of an idle cell: order to acknowledgement",
        spread(orders, "ms"),
    );
    Ok(())
}

/// What both clients and the gate know of a cell.
struct Known {
    id: anlauf_model::CellId,
    host: String,
    path: String,
    epoch: std::sync::atomic::AtomicU64,
}

impl Known {
    fn stage(&self, gate: &anlauf_gate::Gate) -> Option<Stage> {
        gate.stage(&self.id).map(|(stage, _)| stage)
    }
}
