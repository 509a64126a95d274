//! An HTTP/2 connection: streams of a closed cell are reset, the others go on.
//!
//! In:    a door, orders to cut. Out: answers; resets; the end of the connection.
//! Never: confirms a cut while a byte of the cell can still arrive at the client.
//!
//! A reset empties the stream's queue, but a frame may be on its way already. So after the resets
//! a PING follows on the same ordered connection: its answer proves that everything before it has
//! arrived. A client that does not answer in time loses the whole connection. A connection that
//! carries nothing else is slammed at once.
//! See:   RFC 9113 §5.4.2 (reset), §6.7 (PING), ADR on cutting.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::ops::ControlFlow;
use std::sync::Arc;

use anlauf_model::CellId;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use hyper::body::Bytes;
use hyper::{Method, Request};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::body::{Download, Upload};
use crate::door::{Door, DoorState};
use crate::limits::{
    CUT_CONFIRM_WAIT_MAX, HEAD_SIZE_MAX, HEAD_WAIT_MAX, STREAM_COUNT_MAX, STREAM_FINISHED_COUNT_MAX,
};
use crate::request::Line;
use crate::serve::{Counts, admit};
use crate::shared::Shared;
use crate::stream::{self, Finished};
use crate::table::CellState;
use crate::visit::{Conn, Cut, Presence};

/// Serves the connection to its end.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    door: Door,
    conn: Arc<Conn>,
    orders: mpsc::UnboundedReceiver<Cut>,
    mut stop: watch::Receiver<bool>,
) {
    let presence = Presence::new(&conn);
    let state = door.state();
    let handshake = Builder::new()
        .max_concurrent_streams(STREAM_COUNT_MAX)
        .max_header_list_size(u32::try_from(HEAD_SIZE_MAX).unwrap_or(u32::MAX))
        .handshake::<Door, Bytes>(door);
    let wire = tokio::select! {
        wire = tokio::time::timeout(HEAD_WAIT_MAX, handshake) => wire,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    let Ok(Ok(mut wire)) = wire else { return };
    let Some(pings) = wire.ping_pong() else {
        return;
    };
    let mut desk = Desk {
        shared,
        conn,
        door: state,
        orders,
        pings,
        tasks: JoinSet::new(),
        running: Vec::new(),
        finished: VecDeque::new(),
        forgotten: BTreeSet::new(),
        cuts: Vec::new(),
    };
    tokio::select! {
        () = desk.run(&mut wire) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    // Order matters: socket and streams first (each takes its backend's connection with it), then
    // the registers, then whoever waits for a cut.
    drop(wire);
    desk.tasks.shutdown().await;
    drop(presence);
    drop(desk);
}

/// A running stream.
struct Running {
    id: u32,
    cell: Arc<CellState>,
    /// Nothing is ever sent: dropping it tells the stream's task to reset.
    reset: Option<oneshot::Sender<Infallible>>,
}

/// A cut under way.
struct Cutting {
    cell: Arc<CellState>,
    step: Step,
    until: Instant,
    /// Dropping it tells the one who waits.
    _done: oneshot::Sender<()>,
}

#[derive(PartialEq, Eq)]
enum Step {
    /// Streams of the cell still have to end.
    Ending,
    /// The PING that proves it is on its way.
    Proving,
}

/// Everything the connection's one task holds.
struct Desk {
    shared: Arc<Shared>,
    conn: Arc<Conn>,
    door: Arc<DoorState>,
    orders: mpsc::UnboundedReceiver<Cut>,
    pings: PingPong,
    tasks: JoinSet<Finished>,
    running: Vec<Running>,
    /// Streams whose last frames may still be queued.
    finished: VecDeque<(Arc<CellState>, SendStream<Bytes>)>,
    /// Cells of finished streams that were let go of, or too many to remember.
    forgotten: BTreeSet<CellId>,
    cuts: Vec<Cutting>,
}

impl Desk {
    async fn run(&mut self, wire: &mut Connection<Door, Bytes>) {
        loop {
            let until = self.cuts.iter().map(|cut| cut.until).min();
            let idle = self.running.is_empty();
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(cut) => if self.cut(cut).is_break() { return },
                    None => return,
                },
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => match ended {
                    Ok(finished) => self.ended(finished),
                    // Not knowing what a stream has sent is reason enough to end all of them.
                    Err(_) => return self.slam(),
                },
                pong = poll_fn(|cx| self.pings.poll_pong(cx)), if self.is_proving() => {
                    if pong.is_err() { return }
                    self.proved();
                }
                next = wire.accept() => match next {
                    Some(Ok((request, respond))) => self.start(request, respond),
                    Some(Err(_)) | None => return,
                },
                () = sleep_until(until) => return self.slam(),
                () = tokio::time::sleep(HEAD_WAIT_MAX), if idle => {
                    // Nothing asked for a while: say goodbye; `accept` ends when it is said.
                    wire.graceful_shutdown();
                }
            }
            self.prove();
        }
    }

    fn start(&mut self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let (parts, body) = request.into_parts();
        let bare = parts.method == Method::HEAD;
        match admit(&self.shared, &self.conn, &Line::of(&parts)) {
            Err((refused, mut entry)) => {
                let answer = refused.say(&self.shared, &parts.headers);
                entry.status(answer.status().as_u16());
                if let (Download::Own(Some(text)), false) = (answer.body(), bare) {
                    entry.add(0, text.len() as u64);
                }
                stream::say(answer, &mut respond, bare);
            }
            Ok(mut admitted) => {
                let entry = mem::take(&mut admitted.entry);
                let cell = Arc::clone(&admitted.permit.cell().state);
                let (reset, resets) = oneshot::channel();
                let id = respond.stream_id().as_u32();
                let upload = Upload::http2(body, entry.meter());
                let admitted = admitted.into_owned();
                let request = Request::from_parts(parts, upload);
                let shared = Arc::clone(&self.shared);
                self.running.push(Running {
                    id,
                    cell,
                    reset: Some(reset),
                });
                self.tasks.spawn(stream::run(
                    shared,
                    (admitted, entry),
                    request,
                    (respond, resets),
                ));
            }
        }
    }

    fn ended(&mut self, finished: Finished) {
        let Some(at) = self.running.iter().position(|one| one.id == finished.id) else {
            return;
        };
        let cell = self.running.swap_remove(at).cell;
        if finished.is_let_go {
            self.forgotten.insert(cell.id.clone());
        }
        let Some(sent) = finished.sent else { return };
        self.finished.push_back((cell, sent));
        if self.finished.len() > STREAM_FINISHED_COUNT_MAX
            && let Some((cell, _)) = self.finished.pop_front()
        {
            self.forgotten.insert(cell.id.clone());
        }
    }

    /// Takes an order. A break ends the connection by a slam, which is the proof.
    fn cut(&mut self, order: Cut) -> ControlFlow<()> {
        let Cut { cell, done } = order;
        let until = Instant::now() + CUT_CONFIRM_WAIT_MAX;
        if !self.conn.has(&cell) {
            return ControlFlow::Continue(());
        }
        let others = self
            .running
            .iter()
            .any(|one| !Arc::ptr_eq(&one.cell, &cell));
        if !others || self.door.is_blocked() || self.forgotten.contains(&cell.id) {
            self.slam();
            self.cuts.push(Cutting {
                cell,
                step: Step::Ending,
                until,
                _done: done,
            });
            return ControlFlow::Break(());
        }
        for (_, sent) in self
            .finished
            .iter_mut()
            .filter(|(of, _)| Arc::ptr_eq(of, &cell))
        {
            sent.send_reset(Reason::CANCEL);
        }
        for one in self
            .running
            .iter_mut()
            .filter(|one| Arc::ptr_eq(&one.cell, &cell))
        {
            self.shared.counts.note_cut(&cell);
            one.reset = None;
        }
        self.cuts.push(Cutting {
            cell,
            step: Step::Ending,
            until,
            _done: done,
        });
        ControlFlow::Continue(())
    }

    fn slam(&mut self) {
        Counts::add(&self.shared.counts.cut);
        self.door.slam();
    }

    fn is_proving(&self) -> bool {
        self.cuts.iter().any(|cut| cut.step == Step::Proving)
    }

    /// Sends the PING for every cut whose streams have ended; one PING is out at a time.
    fn prove(&mut self) {
        if self.is_proving() {
            return;
        }
        let mut ready = false;
        for cut in &mut self.cuts {
            if !self
                .running
                .iter()
                .any(|one| Arc::ptr_eq(&one.cell, &cut.cell))
            {
                cut.step = Step::Proving;
                ready = true;
            }
        }
        if ready && self.pings.send_ping(Ping::opaque()).is_err() {
            // No PING, no proof: the wait runs out and the connection is slammed.
            tracing::debug!("cannot ask an HTTP/2 client for its word");
        }
    }

    fn proved(&mut self) {
        for cut in self.cuts.extract_if(.., |cut| cut.step == Step::Proving) {
            self.finished
                .retain(|(cell, _)| !Arc::ptr_eq(cell, &cut.cell));
            if !self
                .running
                .iter()
                .any(|one| Arc::ptr_eq(&one.cell, &cut.cell))
            {
                self.conn.leave(&cut.cell);
            }
        }
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
