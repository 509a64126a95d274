//! What is not HTTP: a TCP port of one cell, or TLS told apart by the name in its first message.
//!
//! In:    connections. Out: the same bytes at the cell's backend, both ways, while it is open.
//! Never: ends TLS or looks into it past the first message; lets a byte through without a permit;
//!        confirms a cut before both sockets are gone.
//!
//! Closed is a reset: mail programs, LDAP clients and SFTP take it for "not now" and come again.
//! See:   docs/formats/gate.md, "Beyond HTTP"; RFC 6066 §3 (server name).

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anlauf_model::CellId;
use hyper::Method;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use crate::access::{Entry, Verdict};
use crate::intake::{self, Port};
use crate::judge::{Asked, No, Permit, judge};
use crate::limits::{HEAD_WAIT_MAX, HELLO_SIZE_MAX};
use crate::listener::Worker;
use crate::proxy_protocol::Peer;
use crate::serve::Counts;
use crate::socket::Socket;
use crate::table::Cell;
use crate::visit::{Conn, Cut, Presence, Visit};

/// Whom a port is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// One cell.
    Cell(CellId),
    /// The cell that has the host for itself that the TLS client names.
    Named,
}

/// Takes clients in until told to stop; then ends their connections.
pub(crate) async fn run(
    port: Port,
    worker: Arc<Worker>,
    purpose: Purpose,
    stop: watch::Receiver<bool>,
) {
    let (own, stopped) = (Arc::clone(&worker), stop.clone());
    intake::run(port, &worker.shared, stop, move |stream, peer| {
        let (worker, purpose) = (Arc::clone(&own), purpose.clone());
        serve(worker, (stream, peer), purpose, stopped.clone())
    })
    .await;
}

async fn serve(
    worker: Arc<Worker>,
    (stream, peer): (TcpStream, Peer),
    purpose: Purpose,
    mut stop: watch::Receiver<bool>,
) {
    // Whatever ends it early ends it by a reset; a whole conversation takes this back.
    let slam = Arc::new(AtomicBool::new(true));
    let mut socket = Socket::new(stream, Arc::clone(&slam));
    let first = async {
        match &purpose {
            Purpose::Cell(id) => Some((worker.shared.table().cell(id).cloned(), Vec::new())),
            Purpose::Named => {
                let (name, bytes) = hello(&mut socket).await.ok()?;
                Some((worker.shared.table().sole(&name).cloned(), bytes))
            }
        }
    };
    let first = tokio::select! {
        first = tokio::time::timeout(HEAD_WAIT_MAX, first) => first,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    let protocol = match purpose {
        Purpose::Cell(_) => "tcp",
        Purpose::Named => "tls",
    };
    let meter = Some(socket.meter());
    let (conn, orders) = Conn::new(peer, None, (protocol, meter));
    let mut entry = worker.shared.entry(&conn);
    let Ok(Some((Some(cell), bytes))) = first else {
        entry.verdict(Verdict::Unknown);
        return Counts::add(&worker.shared.counts.unknown);
    };
    entry.host(&cell.spec.host);
    entry.cell(&cell.state, worker.shared.now());
    let presence = Presence::new(&conn);
    let permit = match admitted(&worker, &cell, &conn) {
        Ok(permit) => permit,
        Err(no) => {
            entry.refused(no);
            return worker.shared.counts.note_refused(&cell.state);
        }
    };
    let carried = carry(&worker, (permit, entry), (socket, slam), bytes);
    let (cut, orders) = until_cut(carried, (orders, stop)).await;
    drop(presence);
    if let Some(cut) = cut {
        worker.shared.counts.note_cut(&cell.state);
        let _ = cut.done.send(());
    }
    drop(orders);
}

/// Reads the first message of a TLS client; its server name, and every byte that was read.
async fn hello(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(1_024);
    let mut reader = Acceptor::default();
    loop {
        let before = bytes.len();
        if bytes.len() > HELLO_SIZE_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut fresh = bytes.get(before..).unwrap_or_default();
        while !fresh.is_empty() {
            reader.read_tls(&mut fresh)?;
        }
        match reader.accept() {
            Ok(Some(accepted)) => {
                let name = accepted.client_hello().server_name().map(str::to_owned);
                let name = name.ok_or(io::ErrorKind::InvalidData)?;
                return Ok((name.to_ascii_lowercase(), bytes));
            }
            Ok(None) => {}
            Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Stage `basic` passes when the table says so in as many words: `CONNECT /`.
fn admitted(worker: &Worker, cell: &Arc<Cell>, conn: &Arc<Conn>) -> Result<Permit, No> {
    let asked = Asked {
        method: &Method::CONNECT,
        paths: &["/".into()],
        client: worker.shared.testers.proxies.alone(conn.peer),
        pass: None,
        comer: None,
    };
    let visit = Visit::enter(cell, conn);
    judge(visit, &asked, &worker.shared.testers, worker.shared.now()).map_err(|denied| denied.no)
}

/// Runs until it ends or a close cuts it; then both sockets are gone when this returns. Orders that
/// are still in the inbox are the caller's to drop last.
async fn until_cut(
    carried: impl Future<Output = ()>,
    (mut orders, mut stop): (mpsc::UnboundedReceiver<Cut>, watch::Receiver<bool>),
) -> (Option<Cut>, mpsc::UnboundedReceiver<Cut>) {
    let cut = {
        let carried = pin!(carried);
        tokio::select! {
            biased;
            order = orders.recv() => order,
            () = carried => None,
            _ = stop.wait_for(|stop| *stop) => None,
        }
    };
    (cut, orders)
}

async fn carry(
    worker: &Worker,
    (permit, mut entry): (Permit, Entry),
    (mut socket, slam): (Socket, Arc<AtomicBool>),
    bytes: Vec<u8>,
) {
    let (counts, cell) = (&worker.shared.counts, &permit.cell().state);
    let Some(upstream) = permit.cell().upstream_tcp.as_ref() else {
        entry.verdict(Verdict::Failed);
        return counts.note_failed(cell);
    };
    let Ok(mut backend) = worker.pool.connect(upstream).await else {
        entry.verdict(Verdict::Failed);
        return counts.note_failed(cell);
    };
    counts.note_passed(cell);
    if backend.stream.write_all(&bytes).await.is_err() {
        return;
    }
    let carried = tokio::io::copy_bidirectional(&mut socket, &mut backend.stream).await;
    if carried.is_ok() {
        // Both have said their last: what is still on its way may arrive.
        entry.verdict(Verdict::Passed);
        backend.rest();
        slam.store(false, Ordering::SeqCst);
    }
}
