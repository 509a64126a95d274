//! Takes clients in at one port, whatever is spoken there.
//!
//! In:    a listening socket, who announces its connections, what is done with a client.
//! Out:   one task per connection.
//! Never: more connections than the limit; waits for a slow client before taking the next.

use std::future::Future;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::limits::{ACCEPT_PAUSE, CONNECTION_COUNT_MAX};
use crate::proxy_protocol::{Heralds, Peer, TurnedAway};
use crate::shared::Shared;

/// A port that clients come in at.
pub(crate) struct Port {
    pub(crate) listener: TcpListener,
    pub(crate) heralds: Heralds,
}

/// Takes clients in until told to stop; then waits for their connections to end, which are told
/// the same.
pub(crate) async fn run<F>(
    port: Port,
    shared: &Arc<Shared>,
    mut stop: watch::Receiver<bool>,
    serve: impl Fn(TcpStream, Peer) -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let Port { listener, heralds } = port;
    let (heralds, serve) = (Arc::new(heralds), Arc::new(serve));
    let places = Arc::new(Semaphore::new(CONNECTION_COUNT_MAX));
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((mut stream, from)) => {
                // Over the limit the connection is dropped at once: no memory, no wait.
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    shared.turn_away(from.ip(), TurnedAway::Crowded);
                    continue;
                };
                let _ = stream.set_nodelay(true);
                let (heralds, serve) = (Arc::clone(&heralds), Arc::clone(&serve));
                let (shared, mut stop) = (Arc::clone(shared), stop.clone());
                tasks.spawn(async move {
                    let heard = tokio::select! {
                        heard = heralds.hear(&mut stream, from) => Some(heard),
                        _ = stop.wait_for(|stop| *stop) => None,
                    };
                    match heard {
                        Some(Ok(peer)) => serve(stream, peer).await,
                        Some(Err(why)) => shared.turn_away(from.ip(), why),
                        None => {}
                    }
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
