//! A close under load: how soon it is acknowledged, and what still comes afterwards.
//!
//! In:    a proxy, 64 connections of two cells. Out: times; requests and bytes that came too late.
//! Never: counts what lay in a client's own socket at the acknowledgement as late.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::{JoinHandle, LocalSet};

use super::house::{House, hand_in};
use super::peer::Peer;
use super::{cells, door_of};

/// Connections on the cell that is closed: busy, with a running answer, idle.
const BUSY: usize = 16;
const STREAMING: usize = 8;
const IDLE: usize = 8;
/// Connections on the other cell.
const OTHER: usize = 32;
/// How long everyone asks before the order.
const WARM: Duration = Duration::from_millis(300);
/// How long is watched after the acknowledgement.
const WATCHED: Duration = Duration::from_millis(1_000);
/// Pause between a busy client's requests, when the proxy is not meant to be saturated.
const THINK: Duration = Duration::from_millis(5);

/// Who is told to close.
pub enum Subject<'a> {
    Ours(&'a House),
    Peer(&'a Peer),
}

/// What came on one connection.
#[derive(Default)]
struct Got {
    bytes: usize,
    /// Answers that began with 200.
    passed: usize,
    last: Option<Instant>,
    ended: bool,
}

struct Line {
    /// The same socket, to look into its queue without taking anything out.
    look: std::net::TcpStream,
    got: Rc<RefCell<Got>>,
    task: JoinHandle<Result<()>>,
}

/// What one close came to.
#[derive(Default)]
pub struct Outcome {
    /// Order to acknowledgement. Milliseconds.
    pub ack_ms: f64,
    /// Order to the last byte of the cell that is not the proxy's own. Milliseconds.
    pub last_ms: f64,
    /// Bytes of running answers, and requests answered with 200, after the acknowledgement.
    pub bytes: usize,
    pub requests: usize,
    /// Of the running answers, those that were never cut.
    pub uncut: usize,
    /// Connections of the other cell that were cut.
    pub others_cut: usize,
}

/// Closes the busy cell once. It is open before and closed afterwards.
///
/// # Errors
/// A socket fails, or the proxy refuses.
pub fn run(clients: &Runtime, subject: &Subject<'_>, saturated: bool) -> Result<Outcome> {
    LocalSet::new().block_on(clients, round(subject, saturated))
}

async fn round(subject: &Subject<'_>, saturated: bool) -> Result<Outcome> {
    let think = if saturated { Duration::ZERO } else { THINK };
    let mut own = Vec::new();
    for _ in 0..BUSY {
        own.push(line(subject, cells::BUSY, "", Some(think)).await?);
    }
    for _ in 0..STREAMING {
        own.push(line(subject, cells::BUSY, "?stream", None).await?);
    }
    for _ in 0..IDLE {
        own.push(line(subject, cells::BUSY, "", None).await?);
    }
    let mut others = Vec::new();
    for _ in 0..OTHER {
        others.push(line(subject, cells::OTHER, "", Some(think)).await?);
    }
    tokio::time::sleep(WARM).await;

    let (begun, ack) = order(subject).await?;
    // All clients run on this thread, so nobody reads between these looks.
    let mut room = vec![0; 4 * 1024 * 1024];
    let mut before = Vec::new();
    for line in &own {
        let got = line.got.borrow();
        let waiting = line.look.peek(&mut room).unwrap_or(0);
        before.push((got.bytes + waiting, got.passed + passes(&room[..waiting])));
    }
    tokio::time::sleep(WATCHED).await;
    let mut outcome = Outcome {
        ack_ms: ack.as_secs_f64() * 1e3,
        ..Outcome::default()
    };
    for (index, (line, (bytes, passed))) in own.iter().zip(before).enumerate() {
        let got = line.got.borrow();
        let streams = (BUSY..BUSY + STREAMING).contains(&index);
        if streams {
            outcome.bytes += got.bytes.saturating_sub(bytes);
            outcome.uncut += usize::from(!got.ended);
        }
        outcome.requests += got.passed.saturating_sub(passed);
        let last = got.last.map_or(0.0, |at| {
            at.saturating_duration_since(begun).as_secs_f64() * 1e3
        });
        outcome.last_ms = outcome.last_ms.max(last);
    }
    outcome.others_cut = others.iter().filter(|line| line.got.borrow().ended).count();
    for line in own.into_iter().chain(others) {
        line.task.abort();
    }
    Ok(outcome)
}

/// Gives the order; when it was given, and how long the acknowledgement took.
async fn order(subject: &Subject<'_>) -> Result<(Instant, Duration)> {
    match subject {
        Subject::Ours(house) => {
            let order = house.order(cells::BUSY)?;
            let mut door = house.line().await?;
            let begun = Instant::now();
            hand_in(&mut door, &order).await?;
            Ok((begun, begun.elapsed()))
        }
        Subject::Peer(peer) => {
            let begun = Instant::now();
            peer.set(false)?;
            Ok((begun, begun.elapsed()))
        }
    }
}

fn passes(bytes: &[u8]) -> usize {
    let begin = b"HTTP/1.1 200";
    bytes.windows(begin.len()).filter(|w| w == begin).count()
}

/// A connection that has had its first bytes; then it asks again for ever, or only reads.
async fn line(
    subject: &Subject<'_>,
    cell: usize,
    query: &str,
    again: Option<Duration>,
) -> Result<Line> {
    let to = match subject {
        Subject::Ours(house) => door_of(house),
        Subject::Peer(peer) => peer.address,
    };
    let stream = std::net::TcpStream::connect(to)?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let look = stream.try_clone()?;
    let mut stream = TcpStream::from_std(stream)?;
    let (host, path) = (cells::host(cell), cells::path(cell));
    let text = format!("GET {path}{query} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let mut room = vec![0; 65_536];
    stream.write_all(text.as_bytes()).await?;
    let size = stream.read(&mut room).await?;
    let is_open = room[..size].starts_with(b"HTTP/1.1 200 ");
    ensure!(is_open, "the cell is not open");
    let got = Rc::new(RefCell::new(Got {
        bytes: size,
        passed: 1,
        ..Got::default()
    }));
    let count = Rc::clone(&got);
    let task = tokio::task::spawn_local(async move {
        let ended = read(&mut stream, &text, again, &count).await;
        count.borrow_mut().ended = true;
        ended
    });
    Ok(Line { look, got, task })
}

async fn read(
    stream: &mut TcpStream,
    text: &str,
    again: Option<Duration>,
    got: &RefCell<Got>,
) -> Result<()> {
    let mut room = vec![0; 65_536];
    loop {
        // Answers of 1 KiB mostly come whole; what does not only asks a little early.
        if let Some(think) = again {
            if !think.is_zero() {
                tokio::time::sleep(think).await;
            }
            stream.write_all(text.as_bytes()).await?;
        }
        let size = stream.read(&mut room).await?;
        if size == 0 {
            return Ok(());
        }
        let bytes = &room[..size];
        let mut got = got.borrow_mut();
        got.bytes += size;
        got.passed += passes(bytes);
        // The proxy's own words are not the cell's.
        if !bytes.starts_with(b"HTTP/1.1 503") {
            got.last = Some(Instant::now());
        }
    }
}
