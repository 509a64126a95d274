//! Says of every request, connection and recipient how it ended: one line of JSON each.
//!
//! In:    what was understood of it, and how it ended. Out: lines in a file or on stdout.
//! Never: holds anything up (what does not fit in the queue is counted, and the log says how many
//!        are missing); writes a query, a header besides the request's id, or a mail address.
//! See:   docs/guide/gate.md, "Access log".
//!
//! An [`Entry`] is made when something begins and writes its line when it is dropped. One that was
//! not told its end was broken off: by a close if the cell has changed meanwhile, else by somebody
//! who left.

mod meter;
mod writer;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anlauf_model::{GateId, Stage, Timestamp};

use crate::config::{AccessLog, Clients};
use crate::error::GateError;
use crate::judge::No;
use crate::limits::{ACCESS_END_WAIT_MAX, ACCESS_LINE_COUNT_MAX};
use crate::table::CellState;

pub(crate) use meter::Meter;
use writer::{Order, Sink, Wishes, Writer};

/// Where lines go; nowhere unless the settings say so.
#[derive(Default)]
pub(crate) struct Access(Option<Arc<Desk>>);

/// The way to the writer.
struct Desk {
    queue: SyncSender<Order>,
    lost: Arc<AtomicU64>,
    clients: Clients,
    wishes: Arc<Wishes>,
    /// Nothing is ever sent: it breaks off when the writer has ended.
    ended: Mutex<Receiver<Infallible>>,
}

/// Something that has begun; its line is written when this is dropped. Nothing without a log.
#[derive(Default)]
pub(crate) struct Entry(Option<Box<Open>>);

struct Open {
    desk: Arc<Desk>,
    meter: Arc<Meter>,
    begun: Instant,
    cell: Option<(Arc<CellState>, (Stage, Timestamp))>,
    line: Line,
}

/// How it ended. The words are those of the metrics, where they count it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The cell's backend has answered, whatever it said.
    Passed,
    /// The judge said no.
    Refused,
    /// It belongs to no cell, or cannot be understood.
    Unknown,
    /// The backend did not answer.
    Failed,
    /// A close has cut it.
    Cut,
    /// Whoever asked has left, or the gate stops.
    Gone,
    /// The gate's own answer.
    Own,
    /// Dropped before anything of it was read.
    TurnedAway,
}

/// What a line says.
struct Line {
    at: Timestamp,
    protocol: &'static str,
    client: Option<IpAddr>,
    method: Option<Box<str>>,
    host: Option<Box<str>>,
    path: Option<Box<str>>,
    request: Option<Box<str>>,
    cell: Option<Box<str>>,
    stage: Option<Stage>,
    verdict: Option<Verdict>,
    reason: Option<&'static str>,
    status: u16,
    received: u64,
    sent: u64,
    micros: u64,
}

/// What is said of it at its beginning.
pub(crate) struct Beginning<'a> {
    pub(crate) protocol: &'static str,
    pub(crate) meter: &'a Arc<Meter>,
    pub(crate) client: IpAddr,
    pub(crate) now: Timestamp,
}

// === impl Access ===

impl Access {
    /// Opens the log and starts its writer.
    ///
    /// # Errors
    /// The file cannot be opened, or the thread not started.
    pub(crate) fn start(log: &AccessLog, gate: GateId) -> Result<Self, GateError> {
        let wrong = |_| GateError::Setting {
            what: "the access log",
            value: log
                .to
                .as_ref()
                .map_or("-".into(), |p| p.display().to_string()),
            hint: "name a file in a folder that the gate may write in",
        };
        let sink = Sink::open(log.to.clone()).map_err(wrong)?;
        let (queue, orders) = sync_channel(ACCESS_LINE_COUNT_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let wishes = Arc::new(Wishes::default());
        let writer = Writer::new(gate, sink, (Arc::clone(&lost), Arc::clone(&wishes)));
        let (ending, ended) = channel();
        let thread = std::thread::Builder::new().name("gate-access".to_owned());
        let write = move || {
            writer.run(&orders);
            drop(ending);
        };
        thread.spawn(write).map_err(wrong)?;
        Ok(Self(Some(Arc::new(Desk {
            queue,
            lost,
            clients: log.clients,
            wishes,
            ended: Mutex::new(ended),
        }))))
    }

    /// Whether there is a log.
    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Something begins.
    pub(crate) fn begin(&self, beginning: &Beginning<'_>) -> Entry {
        Entry(self.0.as_ref().map(|desk| {
            Box::new(Open {
                desk: Arc::clone(desk),
                meter: Arc::clone(beginning.meter),
                begun: Instant::now(),
                cell: None,
                line: Line {
                    at: beginning.now,
                    protocol: beginning.protocol,
                    client: desk.clients.shown(beginning.client),
                    method: None,
                    host: None,
                    path: None,
                    request: None,
                    cell: None,
                    stage: None,
                    verdict: None,
                    reason: None,
                    status: 0,
                    received: 0,
                    sent: 0,
                    micros: 0,
                },
            })
        }))
    }

    /// Opens the file anew, after the lines that wait already: it has been moved away. Past them if
    /// there is no room in the queue, for nobody waits for that.
    pub(crate) fn reopen(&self) {
        if let Some(desk) = &self.0
            && desk.queue.try_send(Order::Reopen).is_err()
        {
            desk.wishes.reopen.store(true, Ordering::SeqCst);
        }
    }

    /// Lines that did not fit in the queue or on the disk, since the start.
    pub(crate) fn lost(&self) -> u64 {
        let lost = self
            .0
            .as_ref()
            .map(|desk| desk.lost.load(Ordering::Relaxed));
        lost.unwrap_or_default()
    }

    /// Writes what is in the queue, and ends the writer. Waits for the disk, but not for ever.
    pub(crate) fn end(&self) {
        let Some(desk) = &self.0 else { return };
        desk.wishes.end.store(true, Ordering::SeqCst);
        let _ = desk.queue.try_send(Order::Look);
        let ended = desk.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(ACCESS_END_WAIT_MAX) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("the access log does not take its last lines");
        }
    }
}

// === impl Entry ===

impl Entry {
    /// What is asked: method, and path without its query.
    pub(crate) fn asks(&mut self, method: &str, path: &str) {
        if let Some(open) = &mut self.0 {
            open.line.method = Some(method.into());
            let path = path.split('?').next().unwrap_or_default();
            open.line.path = (!path.is_empty()).then(|| path.into());
        }
    }

    /// For which host.
    pub(crate) fn host(&mut self, host: &str) {
        if let Some(open) = &mut self.0 {
            open.line.host = Some(host.into());
        }
    }

    /// Who asks, if that is known better than by the connection.
    pub(crate) fn client(&mut self, client: Option<IpAddr>) {
        if let (Some(open), Some(client)) = (&mut self.0, client) {
            open.line.client = open.desk.clients.shown(client);
        }
    }

    /// The id under which the backend hears of it, as the client sent it.
    pub(crate) fn request(&mut self, id: Option<&str>) {
        if let (Some(open), Some(id)) = (&mut self.0, id) {
            open.line.request = Some(id.chars().take(REQUEST_ID_SIZE_MAX).collect());
        }
    }

    /// Which cell it is for, and how far that is open.
    pub(crate) fn cell(&mut self, cell: &Arc<CellState>, now: Timestamp) {
        if let Some(open) = &mut self.0 {
            open.line.cell = Some(cell.name.clone());
            open.line.stage = Some(cell.stage(now));
            open.cell = Some((Arc::clone(cell), cell.opened()));
        }
    }

    /// Why.
    pub(crate) fn because(&mut self, reason: &'static str) {
        if let Some(open) = &mut self.0 {
            open.line.reason = Some(reason);
        }
    }

    /// The judge's no.
    pub(crate) fn refused(&mut self, no: No) {
        self.because(match no {
            No::Closed => "closed",
            No::Unconfirmed => "unconfirmed",
            No::Testing => "testing",
            No::Reduced => "reduced",
            No::Outside(_) => "outside",
            No::Waits(..) => "line",
            No::Busy(_) => "busy",
        });
        self.verdict(Verdict::Refused);
    }

    /// How it ends, unless it was said before.
    pub(crate) fn verdict(&mut self, verdict: Verdict) {
        if let Some(open) = &mut self.0 {
            open.line.verdict.get_or_insert(verdict);
        }
    }

    /// What was answered.
    pub(crate) fn status(&mut self, status: u16) {
        if let Some(open) = &mut self.0 {
            open.line.status = status;
        }
    }

    /// Both.
    pub(crate) fn end(&mut self, verdict: Verdict, status: u16) {
        self.verdict(verdict);
        self.status(status);
    }

    /// How it ends if no close has ended it.
    pub(crate) fn end_uncut(&mut self, verdict: Verdict, status: u16) {
        self.status(status);
        if !self.0.as_ref().is_some_and(|open| open.is_cut()) {
            self.verdict(verdict);
        }
    }

    /// Bytes that no meter has seen.
    pub(crate) fn add(&mut self, received: u64, sent: u64) {
        if let Some(open) = &mut self.0 {
            open.line.received += received;
            open.line.sent += sent;
        }
    }

    /// Whether nothing is written of it.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Counts bodies that come and go on their own; none without a log.
    pub(crate) fn meter(&self) -> Option<Arc<Meter>> {
        self.0.as_ref().map(|open| Arc::clone(&open.meter))
    }
}

/// Longest id of a request that a line holds. Characters.
const REQUEST_ID_SIZE_MAX: usize = 64;

impl Open {
    /// Whether the cell was shut, narrowed or released anew since this began.
    fn is_cut(&self) -> bool {
        let changed = |(cell, was): &(Arc<CellState>, _)| cell.opened() != *was;
        self.cell.as_ref().is_some_and(changed)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some(open) = self.0.take() else { return };
        let is_cut = open.is_cut();
        let Open {
            desk,
            meter,
            begun,
            mut line,
            ..
        } = *open;
        let seen = meter.take();
        line.received += seen.received;
        line.sent += seen.sent;
        if line.status == 0 {
            line.status = seen.status;
        }
        let broken_off = if is_cut { Verdict::Cut } else { Verdict::Gone };
        line.verdict.get_or_insert(broken_off);
        line.micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        if desk.queue.try_send(Order::Line(Box::new(line))).is_err() {
            desk.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
