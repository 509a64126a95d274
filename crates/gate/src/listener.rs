//! Serves clients that speak HTTP.
//!
//! In:    a listening socket. Out: connections whose protocol is known.
//! Never: waits for a slow client before taking the next; lets one wait without an end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::door::{Door, Protocol, tell};
use crate::http1::{Looks, Pages};
use crate::intake::Port;
use crate::limits::{HEAD_WAIT_MAX, PATIENCE_LOOK_EVERY};
use crate::proxy_protocol::Peer;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::upstream::Pool;
use crate::visit::Conn;
use crate::{http1, http2, intake};

/// What the connections of one worker share.
///
/// A worker is a thread with a runtime of its own, so that a request and its backend's answer never
/// change threads; or it is the runtime the gate was started in.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pool: Pool,
    pub(crate) looks: Looks,
    pub(crate) pages: Pages,
}

impl Worker {
    /// A worker with nothing kept yet.
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            pool: Pool::default(),
            looks: Looks::default(),
            pages: Pages::default(),
        })
    }
}

/// Takes clients in until told to stop; then ends their connections. One listener of each worker
/// keeps its time.
pub(crate) async fn run(
    port: Port,
    worker: Arc<Worker>,
    (tls, keeps_time): (Option<TlsAcceptor>, bool),
    stop: watch::Receiver<bool>,
) {
    let (own, stopped) = (Arc::clone(&worker), stop.clone());
    let clients = intake::run(port, &worker.shared, stop, move |stream, peer| {
        serve(
            Arc::clone(&own),
            (stream, peer),
            tls.clone(),
            stopped.clone(),
        )
    });
    if keeps_time {
        tokio::select! {
            () = clients => {}
            () = keep_time(&worker) => {}
        }
    } else {
        clients.await;
    }
}

/// Counts the worker's looks at the time, without an end.
pub(crate) async fn keep_time(worker: &Worker) {
    let mut look = tokio::time::interval(PATIENCE_LOOK_EVERY);
    loop {
        look.tick().await;
        worker.looks.look();
        worker.pool.sweep(worker.looks.count());
    }
}

async fn serve(
    worker: Arc<Worker>,
    (stream, peer): (TcpStream, Peer),
    tls: Option<TlsAcceptor>,
    mut stop: watch::Receiver<bool>,
) {
    let slam = Arc::new(AtomicBool::new(false));
    let opened = async {
        let (mut socket, name) = take_in(stream, tls, &slam).await?;
        let (head, protocol) = tell(&mut socket).await?;
        io::Result::Ok((socket, name, head, protocol))
    };
    let opened = tokio::select! {
        opened = tokio::time::timeout(HEAD_WAIT_MAX, opened) => opened,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    let Ok(Ok((socket, name, head, protocol))) = opened else {
        return;
    };
    let (spoken, meter) = match protocol {
        Protocol::Http1 => ("http/1", Some(socket.meter())),
        // Many requests at once: each counts for itself.
        Protocol::Http2 => ("http/2", None),
    };
    let (conn, orders) = Conn::new(peer, name, (spoken, meter));
    match protocol {
        Protocol::Http1 => {
            http1::serve(worker, (socket, slam), head, (conn, orders), stop).await;
        }
        Protocol::Http2 => {
            let door = Door::new(socket, head, slam);
            http2::serve(Arc::clone(&worker.shared), door, conn, orders, stop).await;
        }
    }
}

/// The client's socket, under TLS after its handshake, and the host that was asked for in it.
async fn take_in(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    slam: &Arc<AtomicBool>,
) -> io::Result<(Socket, Option<String>)> {
    let Some(tls) = tls else {
        return Ok((Socket::new(stream, Arc::clone(slam)), None));
    };
    let stream = tls.accept(stream).await?;
    // Without a name there was no certificate, and without one no handshake.
    let name = stream.get_ref().1.server_name().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    Ok((Socket::tls(stream, Arc::clone(slam)), Some(name)))
}
