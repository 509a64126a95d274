//! Ports behind a proxy that says in front of each connection whom it is for (PROXY protocol).
//!
//! In:    an accepted socket, the networks that may speak so at its port.
//! Out:   `Peer`: who is at the other end, and whether that is the client.
//! Never: believes a header that came from elsewhere; lets a connection in without one where one
//!        is demanded; reads a byte of what follows it; waits for a header without an end.
//! See:   docs/guide/gate.md, "Testers, and proxies in front".

mod header;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::Network;
use crate::limits::PROXY_HEADER_WAIT_MAX;
use crate::serve::Counts;

pub use header::{BLOCK_SIZE_MAX, Bad, Header, LINE_SIZE_MAX, header};

/// The other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Peer {
    /// Its address; IPv4 in IPv6 clothes is IPv4.
    pub(crate) address: IpAddr,
    /// Whether that is somebody of its own, and not a proxy that did not say whom it is for.
    pub(crate) is_client: bool,
}

/// Why a connection is dropped before anything of it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TurnedAway {
    /// More at once than a port takes.
    Crowded,
    /// From elsewhere than the proxies of the port.
    Stranger,
    /// Without a header that can be read, or without one in time.
    Headless,
}

/// Connections that were dropped so, since the start.
#[derive(Default)]
pub(crate) struct TurnedAwayCounts([AtomicU64; 3]);

/// Who must announce the connections of a port: nobody, or proxies in these networks.
#[derive(Clone, Default)]
pub(crate) struct Heralds(Option<Vec<Network>>);

// === impl TurnedAway ===

impl TurnedAway {
    /// Each of them.
    pub(crate) const ALL: [Self; 3] = [Self::Crowded, Self::Stranger, Self::Headless];

    /// As metrics and lines of the log say it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crowded => "crowded",
            Self::Stranger => "stranger",
            Self::Headless => "headless",
        }
    }
}

impl TurnedAwayCounts {
    fn of(&self, why: TurnedAway) -> &AtomicU64 {
        let Self([crowded, stranger, headless]) = self;
        match why {
            TurnedAway::Crowded => crowded,
            TurnedAway::Stranger => stranger,
            TurnedAway::Headless => headless,
        }
    }

    pub(crate) fn add(&self, why: TurnedAway) {
        Counts::add(self.of(why));
    }

    pub(crate) fn get(&self, why: TurnedAway) -> u64 {
        self.of(why).load(Ordering::Relaxed)
    }
}

// === impl Peer ===

impl Peer {
    /// Somebody who stands for itself.
    pub(crate) fn new(address: IpAddr) -> Self {
        Self {
            address: address.to_canonical(),
            is_client: true,
        }
    }
}

// === impl Heralds ===

impl Heralds {
    /// Those that the settings name for the port; a port that is not named demands nothing.
    pub(crate) fn of(port: SocketAddr, settings: &[(SocketAddr, Network)]) -> Self {
        let own = settings.iter().filter(|(known, _)| *known == port);
        let own: Vec<Network> = own.map(|(_, network)| *network).collect();
        Self((!own.is_empty()).then_some(own))
    }

    /// Who a connection is for.
    ///
    /// # Errors
    /// Why it is to be dropped.
    pub(crate) async fn hear(
        &self,
        stream: &mut TcpStream,
        from: SocketAddr,
    ) -> Result<Peer, TurnedAway> {
        let peer = Peer::new(from.ip());
        let Some(networks) = &self.0 else {
            return Ok(peer);
        };
        if !networks.iter().any(|known| known.contains(peer.address)) {
            tracing::debug!(%from, "a connection that no named proxy has announced");
            return Err(TurnedAway::Stranger);
        }
        match timeout(PROXY_HEADER_WAIT_MAX, read(stream)).await {
            Ok(Ok(Header::Client { source, .. })) => Ok(Peer::new(source.ip())),
            // Everyone behind the proxy would be a tester where the proxy is one.
            Ok(Ok(Header::Nobody)) => Ok(Peer {
                is_client: false,
                ..peer
            }),
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(%from, "a proxy that does not say whom it is for");
                Err(TurnedAway::Headless)
            }
        }
    }
}

/// Takes the header, and not one byte more, from the socket.
async fn read(stream: &mut TcpStream) -> io::Result<Header> {
    // Not in the future itself: every connection of every port would carry it.
    let mut room = vec![0; BLOCK_SIZE_MAX];
    let mut bytes = Vec::new();
    loop {
        // Looked at first: what follows the header is not ours to take.
        let seen = stream.peek(&mut room).await?;
        let before = bytes.len();
        bytes.extend_from_slice(room.get(..seen).unwrap_or_default());
        let known = header(&bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let (found, size) = match known {
            Some((found, size)) => (Some(found), size),
            None => (None, bytes.len()),
        };
        bytes.truncate(size);
        let taken = bytes.get_mut(before..).unwrap_or_default();
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        stream.read_exact(taken).await?;
        if let Some(found) = found {
            return Ok(found);
        }
    }
}
