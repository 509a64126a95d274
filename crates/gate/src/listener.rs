//! Takes clients in.
//!
//! In:    a listening socket. Out: one task per connection.
//! Never: more connections than the limit; waits for a slow client before taking the next.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::door::{Door, Protocol};
use crate::limits::{ACCEPT_PAUSE, CONNECTION_COUNT_MAX, HEAD_WAIT_MAX};
use crate::shared::Shared;
use crate::visit::Conn;
use crate::{http1, http2};

/// Takes clients in until told to stop; then ends their connections.
pub(crate) async fn run(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Over the limit the connection is dropped at once: no memory, no wait.
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    continue;
                };
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                tasks.spawn(async move {
                    serve(shared, stream, peer, stop).await;
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
    shared: Arc<Shared>,
    stream: TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let opened = tokio::select! {
        opened = tokio::time::timeout(HEAD_WAIT_MAX, Door::open(stream)) => opened,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    let Ok(Ok((door, protocol))) = opened else {
        return;
    };
    let (conn, orders) = Conn::new(peer.ip());
    match protocol {
        Protocol::Http1 => http1::serve(shared, door, conn, orders, stop).await,
        Protocol::Http2 => http2::serve(shared, door, conn, orders, stop).await,
    }
}
