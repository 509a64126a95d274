//! A close under load: how soon it is acknowledged, and what still comes afterwards.
//!
//! In:    a gate, 64 connections of two cells. Out: times, and bytes that came too late.
//! Never: counts what lay in a client's own socket at the acknowledgement as late.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, LocalSet};

use super::house::{House, hand_in};
use super::{Known, ROUNDS};
use crate::figure::{Table, millis, spread};

/// Connections on the cell that is closed: busy, with a running answer, idle.
const BUSY: usize = 16;
const STREAMING: usize = 8;
const IDLE: usize = 8;
/// Connections on the other cell.
const OTHER: usize = 32;
/// How long everyone asks before the order, and how long the others go on after it.
const WARM: Duration = Duration::from_millis(300);
/// Longest wait for cut connections to be seen as ended.
const END_MAX: Duration = Duration::from_secs(5);

/// One connection and what came on it.
struct Line {
    /// The same socket, to look into its queue without taking anything out.
    look: std::net::TcpStream,
    got: Rc<Cell<usize>>,
    task: JoinHandle<Result<()>>,
}

struct Outcome {
    ack: Duration,
    late: usize,
    others_cut: usize,
}

/// Measures closes.
///
/// # Errors
/// A socket fails, or a connection of the closed cell does not end.
pub fn run(clients: &Runtime, serving: &Runtime, house: &House) -> Result<Table> {
    let (mut acks, mut late, mut others_cut) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        serving.block_on(house.open(&house.busy))?;
        let outcome = LocalSet::new().block_on(clients, round(house))?;
        acks.push(millis(outcome.ack));
        late.push(outcome.late);
        others_cut += outcome.others_cut;
    }
    let mut table = Table::new("Close of one cell under load");
    let what = format!("{BUSY} busy, {STREAMING} streaming, {IDLE} idle, {OTHER} of another cell");
    table.figure(
        &format!("order to acknowledgement ({what})"),
        spread(acks, "ms"),
    );
    let most = late.iter().max().copied().unwrap_or(0);
    table.figure(
        &format!("bytes of the cell after the acknowledgement, most of {ROUNDS}"),
        most,
    );
    table.figure("connections of the other cell that were cut", others_cut);
    Ok(table)
}

async fn round(house: &House) -> Result<Outcome> {
    let mut own = Vec::new();
    for _ in 0..BUSY {
        own.push(line(house, &house.busy, "", true).await?);
    }
    for _ in 0..STREAMING {
        own.push(line(house, &house.busy, "?stream", false).await?);
    }
    for _ in 0..IDLE {
        own.push(line(house, &house.busy, "", false).await?);
    }
    let mut others = Vec::new();
    for _ in 0..OTHER {
        others.push(line(house, &house.other, "", true).await?);
    }
    let mut door = house.line().await?;
    let order = house.order(&house.busy);
    tokio::time::sleep(WARM).await;

    let begun = Instant::now();
    hand_in(&mut door, &order).await?;
    let ack = begun.elapsed();
    // All clients run on this thread, so nobody reads between these looks.
    let mut room = vec![0; 32 * 1024 * 1024];
    let before: usize = own
        .iter()
        .map(|line| line.got.get() + line.look.peek(&mut room).unwrap_or(0))
        .sum();
    for line in &mut own {
        let ended = tokio::time::timeout(END_MAX, &mut line.task).await;
        ensure!(ended.is_ok(), "a connection of the closed cell was not cut");
    }
    let after: usize = own.iter().map(|line| line.got.get()).sum();
    tokio::time::sleep(WARM).await;
    let others_cut = others.iter().filter(|line| line.task.is_finished()).count();
    for line in others {
        line.task.abort();
    }
    Ok(Outcome {
        ack,
        late: after.saturating_sub(before),
        others_cut,
    })
}

/// A connection that has had its first bytes; then it asks again for ever, or only reads.
async fn line(house: &House, cell: &Known, query: &str, again: bool) -> Result<Line> {
    let stream = std::net::TcpStream::connect(house.address())?;
    stream.set_nonblocking(true)?;
    let look = stream.try_clone()?;
    let mut stream = TcpStream::from_std(stream)?;
    let (host, path) = (&cell.host, &cell.path);
    let text = format!("GET {path}{query} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let mut room = vec![0; 65_536];
    stream.write_all(text.as_bytes()).await?;
    let size = stream.read(&mut room).await?;
    ensure!(
        room[..size].starts_with(b"HTTP/1.1 200 "),
        "the cell is not open"
    );
    let got = Rc::new(Cell::new(size));
    let count = Rc::clone(&got);
    let task = tokio::task::spawn_local(async move {
        loop {
            // Answers of 1 KiB mostly come whole; what does not only asks a little early.
            if again {
                stream.write_all(text.as_bytes()).await?;
            }
            match stream.read(&mut room).await? {
                0 => return Ok(()),
                size => count.set(count.get() + size),
            }
        }
    });
    Ok(Line { look, got, task })
}
