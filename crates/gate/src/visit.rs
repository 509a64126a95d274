//! Who is inside which cell, so that a close can throw them out.
//!
//! In:    connections that ask for a cell, closings.
//! Out:   [`Visit`] (the proof of being registered that the judge demands), [`cut`].
//! Never: judges; writes to a socket (each connection's own task does that).
//!
//! INVARIANT: a connection is registered *before* the judge loads the cell's state, and a close
//! stores the state *before* it looks at the register. The register's lock orders the two: either
//! the close sees the connection, or the judge sees the close.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::access::Meter;
use crate::proxy_protocol::Peer;
use crate::table::{Cell, CellState};

/// One client connection.
pub(crate) struct Conn {
    /// Unique in the process.
    pub(crate) id: u64,
    /// The other end.
    pub(crate) peer: Peer,
    /// The same in words, for backends.
    pub(crate) from: Box<str>,
    /// The host that was asked for in the TLS handshake; none without TLS.
    pub(crate) sni: Option<String>,
    /// Whether it is a proxy that only asks about requests of its own clients.
    pub(crate) is_asking: bool,
    /// What is spoken on it, for the access log.
    pub(crate) protocol: &'static str,
    /// Counts its bytes, where one request at a time is on it.
    pub(crate) meter: Option<Arc<Meter>>,
    orders: mpsc::UnboundedSender<Cut>,
    touched: Mutex<Vec<Arc<CellState>>>,
}

/// An order to a connection: nothing of this cell may leave any more.
pub(crate) struct Cut {
    /// Which.
    pub(crate) cell: Arc<CellState>,
    /// Answered, or dropped, when that is certain.
    pub(crate) done: oneshot::Sender<()>,
}

/// Keeps a connection in the registers as long as it lives.
pub(crate) struct Presence(Arc<Conn>);

/// A connection that is registered at a cell and may ask the judge.
pub(crate) struct Visit {
    cell: Arc<Cell>,
    conn: Arc<Conn>,
    /// Whether the connection was not registered before.
    is_first: bool,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

// === impl Conn ===

impl Conn {
    /// A connection, and where its orders arrive.
    pub(crate) fn new(
        peer: Peer,
        sni: Option<String>,
        (protocol, meter): (&'static str, Option<Arc<Meter>>),
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Cut>) {
        let (conn, inbox) = Self::made(peer, sni, (protocol, meter));
        (Arc::new(conn), inbox)
    }

    /// A proxy that asks about requests, and where its orders arrive.
    pub(crate) fn asking(
        peer: Peer,
        meter: Arc<Meter>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Cut>) {
        let (mut conn, inbox) = Self::made(peer, None, ("ask", Some(meter)));
        conn.is_asking = true;
        (Arc::new(conn), inbox)
    }

    fn made(
        peer: Peer,
        sni: Option<String>,
        (protocol, meter): (&'static str, Option<Arc<Meter>>),
    ) -> (Self, mpsc::UnboundedReceiver<Cut>) {
        let (orders, inbox) = mpsc::unbounded_channel();
        let conn = Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            peer,
            from: peer.address.to_string().into(),
            sni,
            is_asking: false,
            protocol,
            meter,
            orders,
            touched: Mutex::new(Vec::new()),
        };
        (conn, inbox)
    }

    /// What it came over.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.sni {
            Some(_) => "https",
            None => "http",
        }
    }

    fn touched(&self) -> MutexGuard<'_, Vec<Arc<CellState>>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether something of the cell may still be under way on this connection.
    pub(crate) fn has(&self, cell: &Arc<CellState>) -> bool {
        self.touched().iter().any(|state| Arc::ptr_eq(state, cell))
    }

    /// Leaves every cell but this one: what went out for the others has arrived.
    pub(crate) fn leave_others(&self, cell: &Arc<CellState>) {
        self.touched().retain(|state| {
            let stays = Arc::ptr_eq(state, cell);
            if !stays {
                state.visitors().remove(&self.id);
            }
            stays
        });
    }

    /// Leaves one cell: nothing of it is under way any more.
    pub(crate) fn leave(&self, cell: &Arc<CellState>) {
        cell.visitors().remove(&self.id);
        self.touched().retain(|state| !Arc::ptr_eq(state, cell));
    }
}

// === impl Presence ===

impl Presence {
    pub(crate) fn new(conn: &Arc<Conn>) -> Self {
        Self(Arc::clone(conn))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        for cell in self.0.touched().drain(..) {
            cell.visitors().remove(&self.0.id);
        }
    }
}

// === impl Visit ===

impl Visit {
    /// Registers the connection at the cell. One that is registered already stays so: the register
    /// is left only by a connection that has nothing of the cell under way.
    pub(crate) fn enter(cell: &Arc<Cell>, conn: &Arc<Conn>) -> Self {
        let state = &cell.state;
        let mut touched = conn.touched();
        let is_first = !touched.iter().any(|known| Arc::ptr_eq(known, state));
        if is_first {
            state.visitors().insert(conn.id, Arc::clone(conn));
            touched.push(Arc::clone(state));
        }
        drop(touched);
        Self {
            cell: Arc::clone(cell),
            conn: Arc::clone(conn),
            is_first,
        }
    }

    /// The cell.
    pub(crate) fn cell(&self) -> &Arc<Cell> {
        &self.cell
    }

    /// The connection.
    pub(crate) fn conn(&self) -> &Arc<Conn> {
        &self.conn
    }

    /// Takes the registration back after a no, unless an earlier visit made it.
    pub(crate) fn withdraw(self) {
        if self.is_first {
            self.conn.leave(&self.cell.state);
        }
    }
}

/// Throws everyone out of the cells; returns when nothing of them can be sent any more.
///
/// The cells' state must have been stored before.
pub(crate) async fn cut(cells: &[Arc<CellState>]) {
    let mut waits = Vec::new();
    for cell in cells {
        let inside: Vec<_> = cell.visitors().values().cloned().collect();
        for conn in inside {
            let (done, wait) = oneshot::channel();
            // A connection that cannot be told has ended: its inbox is dropped after its socket.
            if conn
                .orders
                .send(Cut {
                    cell: Arc::clone(cell),
                    done,
                })
                .is_ok()
            {
                waits.push(wait);
            }
        }
    }
    for wait in waits {
        // An error means that the connection ended meanwhile, which is as good.
        let _ = wait.await;
    }
}
