//! Takes clients in.
//!
//! In:    a listening socket. Out: one task per connection.
//! Never: more connections than the limit; waits for a slow client before taking the next.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::door::{Door, Protocol, tell};
use crate::limits::{ACCEPT_PAUSE, CONNECTION_COUNT_MAX, HEAD_WAIT_MAX, UPSTREAM_IDLE_MAX};
use crate::shared::Shared;
use crate::socket::Socket;
use crate::upstream::Pool;
use crate::visit::Conn;
use crate::{http1, http2};

/// What the connections of one worker share. A worker is a thread with a runtime of its own, so that
/// a request and its backend's answer never change threads; or the runtime the gate was started in.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pool: Pool,
}

impl Worker {
    /// A worker with nothing kept yet.
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            pool: Pool::default(),
        })
    }
}

/// Takes clients in until told to stop; then ends their connections.
pub(crate) async fn run(
    listener: TcpListener,
    worker: Arc<Worker>,
    mut stop: watch::Receiver<bool>,
) {
    let mut sweep = tokio::time::interval(UPSTREAM_IDLE_MAX);
    let places = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            _ = sweep.tick() => {
                worker.pool.sweep();
                continue;
            }
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Over the limit the connection is dropped at once: no memory, no wait.
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    continue;
                };
                let (worker, stop) = (Arc::clone(&worker), stop.clone());
                tasks.spawn(async move {
                    serve(worker, stream, peer, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a client in");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn serve(
    worker: Arc<Worker>,
    mut stream: TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let told = tokio::select! {
        told = tokio::time::timeout(HEAD_WAIT_MAX, tell(&mut stream)) => told,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    let Ok(Ok((head, protocol))) = told else {
        return;
    };
    let slam = Arc::new(AtomicBool::new(false));
    let socket = Socket::new(stream, Arc::clone(&slam));
    let (conn, orders) = Conn::new(peer.ip());
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
