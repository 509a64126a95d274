//! The front of a mail port: connections side by side, no more than there is room for.
//!
//! In:    a listener, what to do with a connection. Out: one task per connection.
//! Never: ends before every conversation has.

use std::future::Future;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::CONVERSATION_COUNT_MAX;

/// Takes connections in until told to stop; says of each whether there is room for it.
pub(super) async fn listen_on<F>(
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
    talk: impl Fn(TcpStream, bool) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut talks = JoinSet::new();
    loop {
        let stream = tokio::select! {
            biased;
            () = told(&mut stopped) => break,
            Some(_) = talks.join_next() => continue,
            came = listener.accept() => match came {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // No more files, usually: others must end first.
                    tracing::warn!(%error, "cannot take a connection for mail");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let has_room = talks.len() < CONVERSATION_COUNT_MAX;
        talks.spawn(talk(stream, has_room));
    }
    drop(listener);
    while talks.join_next().await.is_some() {}
}

/// Waits until all conversations have to end.
pub(super) async fn told(stopped: &mut watch::Receiver<bool>) {
    let _told = stopped.wait_for(|stop| *stop).await;
}
