//! Clients: as fast as the answers come, or at a fixed rate.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Most requests of one round, so that it ends on any machine.
const REQUESTS_MAX: u64 = 2_000_000;
/// Clients that share a fixed rate.
const PACED: u32 = 8;

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
    fn whole(&self, bytes: &[u8]) -> Result<Option<usize>> {
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
        Ok((bytes.len() >= size).then_some(size))
    }
}

/// What one round of the closed loop came to.
pub struct Round {
    /// Answers per second.
    pub per_second: f64,
    /// Processor time of this whole process per answer: it does not grow when others take the
    /// processor away, as the time on the wall does.
    pub cost_us: f64,
}

/// Asks as fast as the answers come, on so many connections.
///
/// # Errors
/// A connection breaks or an answer is not the expected one.
pub async fn closed_loop(ask: &Ask, connections: usize, round: Duration) -> Result<Round> {
    let used = used()?;
    let count = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..connections {
        let (ask, count) = (ask.clone(), Arc::clone(&count));
        tasks.spawn(async move { one(&ask, &count, begun + round).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let count = count.load(Ordering::Relaxed) as f64;
    Ok(Round {
        per_second: count / begun.elapsed().as_secs_f64(),
        cost_us: (self::used()? - used) * 1e6 / count,
    })
}

/// Processor time of this process so far. Seconds, in steps of a hundredth (Linux, `proc(5)`).
fn used() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat
        .rsplit_once(')')
        .context("cannot read /proc/self/stat")?;
    // Fields 14 and 15, counted from the state, which is field 3.
    let ticks = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

async fn one(ask: &Ask, count: &AtomicU64, until: Instant) -> Result<()> {
    let mut stream = TcpStream::connect(ask.to).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8_192);
    while Instant::now() < until && count.load(Ordering::Relaxed) < REQUESTS_MAX {
        stream.write_all(ask.text.as_bytes()).await?;
        let size = loop {
            if let Some(size) = ask.whole(&buffer)? {
                break size;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                bail!("the connection ended");
            }
        };
        buffer.drain(..size);
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Microseconds from the moment each request was due to its whole answer, in order of size.
///
/// Counted from the due time, so that a slow answer is not hidden by the ones it held up.
///
/// # Errors
/// A connection breaks or an answer is not the expected one.
pub fn fixed_rate(ask: &Ask, rate: u32, round: Duration) -> Result<Vec<f64>> {
    let begun = Instant::now();
    let paced = |number: u32| {
        let ask = ask.clone();
        std::thread::spawn(move || -> Result<Vec<f64>> {
            let mut stream = std::net::TcpStream::connect(ask.to)?;
            stream.set_nodelay(true)?;
            let mut taken = Vec::new();
            let mut turn = number;
            loop {
                let due = begun + Duration::from_secs(1) * turn / rate;
                if due > begun + round {
                    return Ok(taken);
                }
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                once(&ask, &mut stream)?;
                taken.push(due.elapsed().as_secs_f64() * 1e6);
                turn += PACED;
            }
        })
    };
    let threads: Vec<_> = (0..PACED).map(paced).collect();
    let mut all = Vec::new();
    for thread in threads {
        let Ok(taken) = thread.join() else {
            bail!("a client broke")
        };
        all.extend(taken?);
    }
    all.sort_by(f64::total_cmp);
    Ok(all)
}

fn once(ask: &Ask, stream: &mut std::net::TcpStream) -> Result<()> {
    stream.write_all(ask.text.as_bytes())?;
    let mut buffer = [0; 8_192];
    let mut filled = 0;
    while ask.whole(&buffer[..filled])?.is_none() {
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
