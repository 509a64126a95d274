//! Takes clients in at one port, whatever is spoken there.
//!
//! In:    a listening socket, what is done with a client. Out: one task per connection.
//! Never: more connections than the limit; waits for a slow client before taking the next.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::limits::{ACCEPT_PAUSE, CONNECTION_COUNT_MAX};

/// Takes clients in until told to stop; then waits for their connections to end, which are told
/// the same.
pub(crate) async fn run<F>(
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
    serve: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
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
                let _ = stream.set_nodelay(true);
                let served = serve(stream, peer);
                tasks.spawn(async move {
                    served.await;
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
