//! Answers that run and connections that are kept alive while cells are shut: all must be cut.
//!
//! In:    gates, doors of open cells. Out: [`Cut`]: how many were cut, how many pieces came late.
//! Never: trusts a gate's own count: each piece carries the time at which its backend sent it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anlauf_model::CellId;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::backend::stamp;
use super::traffic::Doors;

/// How long a connection may take to end after every gate has acknowledged. The end travels over
/// loopback; a connection that is still there then was not cut.
const END_WAIT_MAX: Duration = Duration::from_secs(10);

/// What became of the running answers and kept connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Cut {
    /// Answers that ran when the close was ordered.
    pub running: u64,
    /// Of these, cut.
    pub running_cut: u64,
    /// Kept-alive connections that had carried the cell and were idle.
    pub kept: u64,
    /// Of these, cut.
    pub kept_cut: u64,
    /// Pieces that a backend sent after the last acknowledgement and that still came through.
    pub late: u64,
}

/// Connections under watch.
pub struct Probes {
    running: JoinSet<bool>,
    kept: JoinSet<()>,
    /// When the last gate acknowledged; pieces stamped later must not come.
    acknowledged: Arc<AtomicU64>,
    late: Arc<AtomicU64>,
    counts: Cut,
}

impl Probes {
    /// Opens two connections per cell and gate: one with an answer that runs, one that is idle.
    pub async fn open(doors: &Doors, cells: &[CellId], gates: &[SocketAddr]) -> Self {
        let mut probes = Self {
            running: JoinSet::new(),
            kept: JoinSet::new(),
            acknowledged: Arc::new(AtomicU64::new(u64::MAX)),
            late: Arc::default(),
            counts: Cut::default(),
        };
        for cell in cells {
            let Some(door) = doors.door(cell) else {
                continue;
            };
            for gate in gates {
                probes.run_answer(*gate, &door.host, &door.path).await;
                probes.keep_alive(*gate, &door.host, &door.path).await;
            }
        }
        probes
    }

    async fn run_answer(&mut self, gate: SocketAddr, host: &str, path: &str) {
        let Some(mut line) = Line::open(gate).await else {
            return;
        };
        let Some(mut body) = line.ask(host, &format!("{path}/slow")).await else {
            return;
        };
        // It runs when its first piece has come.
        if body.frame().await.is_none_or(|piece| piece.is_err()) {
            return;
        }
        self.counts.running += 1;
        let (acknowledged, late) = (self.acknowledged.clone(), self.late.clone());
        self.running.spawn(async move {
            while let Some(piece) = body.frame().await {
                let Ok(data) = piece.map(|piece| piece.into_data().unwrap_or_default()) else {
                    return true;
                };
                let text = String::from_utf8_lossy(&data).into_owned();
                let sent = text.lines().filter_map(|line| line.parse::<u64>().ok());
                let limit = acknowledged.load(Ordering::SeqCst);
                let count = sent.filter(|sent| *sent > limit).count();
                late.fetch_add(count as u64, Ordering::SeqCst);
            }
            drop(line);
            // Ended as if it were whole: nobody cut it.
            false
        });
    }

    async fn keep_alive(&mut self, gate: SocketAddr, host: &str, path: &str) {
        let Some(mut line) = Line::open(gate).await else {
            return;
        };
        let Some(body) = line.ask(host, path).await else {
            return;
        };
        if body.collect().await.is_err() {
            return;
        }
        self.counts.kept += 1;
        self.kept.spawn(async move {
            let Line { sender, ended } = line;
            // The end of the connection's task is the end of the connection.
            let _ended = ended.await;
            drop(sender);
        });
    }

    /// Every gate has acknowledged: from here on nothing may come.
    pub fn acknowledged(&self) {
        self.acknowledged.store(stamp(), Ordering::SeqCst);
    }

    /// Waits for the end of every connection, and counts.
    pub async fn end(mut self) -> Cut {
        let mut counts = self.counts;
        let wait = async {
            while let Some(done) = self.running.join_next().await {
                counts.running_cut += u64::from(done.unwrap_or(false));
            }
            while let Some(done) = self.kept.join_next().await {
                counts.kept_cut += u64::from(done.is_ok());
            }
        };
        // Whatever has not ended by then counts as not cut.
        let _all_ended = tokio::time::timeout(END_WAIT_MAX, wait).await;
        counts.late = self.late.load(Ordering::SeqCst);
        counts
    }
}

impl Cut {
    /// Whether everything was cut in time.
    pub fn is_clean(&self) -> bool {
        self.running == self.running_cut && self.kept == self.kept_cut && self.late == 0
    }
}

/// One HTTP/1.1 connection.
struct Line {
    sender: SendRequest<Empty<Bytes>>,
    ended: tokio::task::JoinHandle<()>,
}

impl Line {
    async fn open(gate: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(gate).await.ok()?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        // How it ends is seen by whoever waits for its answer.
        let ended = tokio::spawn(async move { drop(connection.await) });
        Some(Self { sender, ended })
    }

    async fn ask(&mut self, host: &str, path: &str) -> Option<Incoming> {
        let request = Request::get(path)
            .header(HOST, host)
            .body(Empty::new())
            .ok()?;
        let answer = self.sender.send_request(request).await.ok()?;
        answer.status().is_success().then(|| answer.into_body())
    }
}
