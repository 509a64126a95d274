//! Writes lines of the access log, on a thread of its own.
//!
//! In:    a queue of lines. Out: JSON in a file or on stdout, as soon as the queue is empty.
//! Never: gives up: what the disk does not take is counted as lost, and said once.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Stdout, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};

use anlauf_model::{GateId, Stage};
use serde::Serialize;

use super::{Line, Verdict};

/// What the writer is told.
pub(super) enum Order {
    Line(Box<Line>),
    /// The file has been moved away.
    Reopen,
    /// There is a wish.
    Look,
}

/// What the writer is asked for past a full queue: nobody waits for room in it.
#[derive(Default)]
pub(super) struct Wishes {
    /// The file has been moved away.
    pub(super) reopen: AtomicBool,
    /// Nothing comes after what is in the queue.
    pub(super) end: AtomicBool,
}

/// Where lines go.
pub(super) enum Sink {
    File(PathBuf, BufWriter<File>),
    Stdout(BufWriter<Stdout>),
}

/// The thread's own.
pub(super) struct Writer {
    gate: GateId,
    sink: Sink,
    lost: Arc<AtomicU64>,
    wishes: Arc<Wishes>,
    /// Lost lines that the log tells of.
    told: u64,
    is_failing: bool,
}

/// A line as it stands in the log; what is not known is left out.
#[derive(Serialize)]
struct Written<'a> {
    time: String,
    gate: &'a GateId,
    protocol: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    received: u64,
    sent: u64,
    micros: u64,
}

/// In place of lines that are missing.
#[derive(Serialize)]
struct Missing<'a> {
    time: String,
    gate: &'a GateId,
    lost: u64,
}

// === impl Sink ===

impl Sink {
    /// A file, which others than its owner and group cannot read, or stdout.
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o640).open(&path)?;
        Ok(Self::File(path, BufWriter::with_capacity(SIZE, file)))
    }

    fn write(&mut self) -> &mut dyn Write {
        match self {
            Self::File(_, file) => file,
            Self::Stdout(out) => out,
        }
    }
}

/// Room for lines that wait to be written. Bytes.
const SIZE: usize = 64 * 1024;

// === impl Verdict ===

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::Gone => "gone",
            Self::Own => "own",
            Self::TurnedAway => "turned_away",
        }
    }
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        gate: GateId,
        sink: Sink,
        (lost, wishes): (Arc<AtomicU64>, Arc<Wishes>),
    ) -> Self {
        Self {
            gate,
            sink,
            lost,
            wishes,
            told: 0,
            is_failing: false,
        }
    }

    /// Writes until told to end.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let order = match orders.try_recv() {
                Err(TryRecvError::Empty) if self.wishes.end.load(Ordering::SeqCst) => None,
                Err(TryRecvError::Empty) => {
                    self.flush();
                    orders.recv().ok()
                }
                order => order.ok(),
            };
            if self.wishes.reopen.swap(false, Ordering::SeqCst) {
                self.reopen();
            }
            match order {
                Some(Order::Line(line)) => self.line(&line),
                Some(Order::Reopen) => self.reopen(),
                Some(Order::Look) => {}
                None => return self.flush(),
            }
        }
    }

    fn line(&mut self, line: &Line) {
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > self.told {
            let missing = Missing {
                time: line.at.to_string(),
                gate: &self.gate,
                lost: lost - self.told,
            };
            let text = serde_json::to_string(&missing);
            self.told = lost;
            self.write(text);
        }
        let text = serde_json::to_string(&line.written(&self.gate));
        self.write(text);
    }

    fn write(&mut self, text: serde_json::Result<String>) {
        let written = text.map_err(io::Error::from).and_then(|mut text| {
            text.push('\n');
            self.sink.write().write_all(text.as_bytes())
        });
        if written.is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.note(written);
    }

    fn flush(&mut self) {
        let flushed = self.sink.write().flush();
        self.note(flushed);
    }

    /// Says once that the disk does not take lines, and once that it does again.
    fn note(&mut self, done: io::Result<()>) {
        match (done, self.is_failing) {
            (Err(error), false) => tracing::error!(%error, "the access log cannot be written"),
            (Err(_), true) | (Ok(()), false) => return,
            (Ok(()), true) => tracing::info!("the access log is written again"),
        }
        self.is_failing = !self.is_failing;
    }

    fn reopen(&mut self) {
        self.flush();
        let Sink::File(path, _) = &self.sink else {
            return;
        };
        match Sink::open(Some(path.clone())) {
            Ok(sink) => self.sink = sink,
            Err(error) => tracing::error!(%error, "the access log cannot be opened anew"),
        }
    }
}

impl Line {
    fn written<'a>(&'a self, gate: &'a GateId) -> Written<'a> {
        Written {
            time: self.at.to_string(),
            gate,
            protocol: self.protocol,
            client: self.client,
            method: self.method.as_deref(),
            host: self.host.as_deref(),
            path: self.path.as_deref(),
            request: self.request.as_deref(),
            cell: self.cell.as_deref(),
            stage: self.stage,
            verdict: self.verdict.map_or("", Verdict::name),
            reason: self.reason,
            status: (self.status > 0).then_some(self.status),
            received: self.received,
            sent: self.sent,
            micros: self.micros,
        }
    }
}
