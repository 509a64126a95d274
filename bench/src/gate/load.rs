//! Clients: as fast as the answers come, or at a fixed rate.
//!
//! In:    a request, a count of connections, a time. Out: answers per second, waits.
//! Never: counts an answer that is not the expected one; hides a wait behind another (the clock of
//!        a request at a fixed rate runs from when it was due).

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

/// Most requests of one round and connection, so that it ends on any machine.
const REQUESTS_MAX: u64 = 1_000_000;
/// Longest wait for one answer.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);

/// One request, said again and again.
#[derive(Clone)]
pub struct Ask {
    pub to: SocketAddr,
    pub text: Arc<str>,
    want: String,
}

impl Ask {
    /// The request and the status that every answer must have.
    pub fn new(to: SocketAddr, host: &str, path: &str, status: u16) -> Self {
        let text = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/plain\r\n\r\n");
        Self {
            to,
            text: text.into(),
            want: format!("HTTP/1.1 {status} "),
        }
    }

    /// How many bytes of the buffer are one whole answer; none if it is not whole yet.
    ///
    /// `known` is where the head of the last answer ended, and its size: mostly it is the same.
    fn whole(&self, bytes: &[u8], known: &mut (usize, usize)) -> Result<Option<usize>> {
        let (end, size) = *known;
        let same = bytes.len() == size
            && bytes.get(end..end + 4) == Some(b"\r\n\r\n")
            && bytes.starts_with(self.want.as_bytes());
        if same {
            return Ok(Some(size));
        }
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..end])?;
        ensure!(head.starts_with(&self.want), "unexpected answer: {head}");
        let size = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.parse::<usize>().ok())?
        });
        let size = end + 4 + size.context("an answer has no length")?;
        *known = (end, size);
        Ok((bytes.len() >= size).then_some(size))
    }
}

/// Answers per second, asking as fast as the answers come, on so many connections.
///
/// # Errors
/// A connection breaks or an answer is not the expected one.
pub fn closed_loop(
    clients: &Runtime,
    ask: &Ask,
    connections: usize,
    round: Duration,
) -> Result<f64> {
    LocalSet::new().block_on(clients, async {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..connections)
            .map(|_| tokio::task::spawn_local(one(ask.clone(), begun + round)))
            .collect();
        let mut count = 0;
        for task in tasks {
            count += task.await??;
        }
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    })
}

async fn one(ask: Ask, until: Instant) -> Result<u64> {
    let mut stream = TcpStream::connect(ask.to).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8_192);
    let (mut count, mut known) = (0, (0, 0));
    while Instant::now() < until && count < REQUESTS_MAX {
        stream.write_all(ask.text.as_bytes()).await?;
        let size = loop {
            if let Some(size) = ask.whole(&buffer, &mut known)? {
                break size;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                bail!("the connection ended");
            }
        };
        buffer.drain(..size);
        count += 1;
    }
    Ok(count)
}

/// What a round at a fixed rate came to.
pub struct Paced {
    /// Microseconds from the moment each request was due to its whole answer, in order of size.
    pub waits: Vec<f64>,
    /// Answers per second.
    pub per_second: f64,
}

/// Asks at a fixed rate, shared by so many connections with a thread each.
///
/// # Errors
/// A connection breaks or an answer is not the expected one.
pub fn fixed_rate(ask: &Ask, connections: u32, rate: u32, round: Duration) -> Result<Paced> {
    // Sleep to the microsecond; threads inherit it. Without it every wait is 50 µs longer.
    let _ = std::fs::write("/proc/thread-self/timerslack_ns", "1");
    let begun = Instant::now() + Duration::from_millis(20);
    let paced = |number: u32| {
        let ask = ask.clone();
        std::thread::spawn(move || -> Result<Vec<f64>> {
            let mut stream = std::net::TcpStream::connect(ask.to)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_WAIT_MAX))?;
            let (mut taken, mut known) = (Vec::new(), (0, 0));
            let mut turn = number;
            loop {
                let due = begun + Duration::from_secs(1) * turn / rate;
                if due > begun + round {
                    return Ok(taken);
                }
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                once(&ask, &mut stream, &mut known)?;
                taken.push(due.elapsed().as_secs_f64() * 1e6);
                turn += connections;
            }
        })
    };
    let threads: Vec<_> = (0..connections).map(paced).collect();
    let mut waits = Vec::new();
    for thread in threads {
        let Ok(taken) = thread.join() else {
            bail!("a client broke")
        };
        waits.extend(taken?);
    }
    let per_second = waits.len() as f64 / begun.elapsed().as_secs_f64();
    waits.sort_by(f64::total_cmp);
    Ok(Paced { waits, per_second })
}

fn once(ask: &Ask, stream: &mut std::net::TcpStream, known: &mut (usize, usize)) -> Result<()> {
    stream.write_all(ask.text.as_bytes())?;
    let mut buffer = [0; 8_192];
    let mut filled = 0;
    while ask.whole(&buffer[..filled], known)?.is_none() {
        let size = stream.read(&mut buffer[filled..])?;
        ensure!(size > 0, "the connection ended");
        filled += size;
    }
    Ok(())
}

/// The value that so large a share of the sorted values does not exceed.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get((last as f64 * share).round() as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Seconds until the first expected answer, asking again and again.
///
/// # Errors
/// There is none in time.
pub fn first_answer(ask: &Ask, begun: Instant, wait_max: Duration) -> Result<f64> {
    loop {
        let answered = std::net::TcpStream::connect(ask.to)
            .map_err(anyhow::Error::from)
            .and_then(|mut stream| {
                stream.set_read_timeout(Some(ANSWER_WAIT_MAX))?;
                once(ask, &mut stream, &mut (0, 0))
            });
        match answered {
            Ok(()) => return Ok(begun.elapsed().as_secs_f64()),
            Err(error) if begun.elapsed() > wait_max => {
                return Err(error.context("no answer in time"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
