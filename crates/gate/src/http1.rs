//! An HTTP/1 connection: served by hyper, slammed on a cut.
//!
//! In:    a door, orders to cut. Out: answers; the end of the connection.
//! Never: confirms a cut before the socket is gone.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{mpsc, watch};

use crate::body::{Download, Upload};
use crate::door::{Door, DoorState};
use crate::limits::{HEAD_SIZE_MAX, HEAD_WAIT_MAX, HEADER_COUNT_MAX};
use crate::serve::{Counts, admit, pass};
use crate::shared::Shared;
use crate::visit::{Conn, Cut, Presence};

/// Serves the connection to its end.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    door: Door,
    conn: Arc<Conn>,
    mut orders: mpsc::UnboundedReceiver<Cut>,
    mut stop: watch::Receiver<bool>,
) {
    let presence = Presence::new(&conn);
    let state = door.state();
    let answers = Arc::new(Answers {
        shared: Arc::clone(&shared),
        conn: Arc::clone(&conn),
        door: Arc::clone(&state),
        reads_last: AtomicU64::new(0),
    });
    let service = service_fn(move |request| {
        let answers = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(answers.answer(request).await) }
    });
    let http = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .max_buf_size(HEAD_SIZE_MAX)
        .max_headers(HEADER_COUNT_MAX)
        .serve_connection(TokioIo::new(door), service);
    let mut http = Box::pin(http);
    let cut = loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(cut) if conn.has(&cut.cell) => {
                    state.slam();
                    break Some(cut.done);
                }
                // The connection has moved on to another cell meanwhile.
                Some(cut) => drop(cut.done.send(())),
                None => break None,
            },
            _ = &mut http => break None,
            _ = stop.wait_for(|stop| *stop) => break None,
        }
    };
    // Both sockets are gone before anyone is told so, the client's and that of a running exchange
    // with a backend; orders still in the inbox are dropped last.
    drop(http);
    drop(presence);
    if let Some(done) = cut {
        Counts::add(&shared.counts.cut);
        let _ = done.send(());
    }
    drop(orders);
}

struct Answers {
    shared: Arc<Shared>,
    conn: Arc<Conn>,
    door: Arc<DoorState>,
    reads_last: AtomicU64,
}

impl Answers {
    async fn answer(&self, request: Request<Incoming>) -> Response<Download> {
        let (parts, body) = request.into_parts();
        let admitted = match admit(&self.shared, &self.conn, &parts) {
            Ok(admitted) => admitted,
            Err(answer) => return *answer,
        };
        // A client that sends its next request only after the whole answer has nothing of the
        // earlier cell under way. One that had it waiting (pipelining) stays in both registers.
        let reads = self.door.reads();
        let waited = self.reads_last.swap(reads, Ordering::SeqCst) == reads;
        if !waited && !self.door.is_blocked() {
            self.conn.leave_others(&admitted.permit.cell().state);
        }
        let request = Request::from_parts(parts, Upload::http1(body));
        pass(&self.shared, admitted, request).await
    }
}
