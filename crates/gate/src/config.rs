//! What a gate is told at its start.
//!
//! In:    values from flags or a drill. Out: [`GateConfig`], [`Upstreams`], [`Network`].
//! Never: anything that could open a cell: that is only in signed releases.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anlauf_model::{CellId, Digest, GateId, SiteId, TenantId};

use crate::clock::Clock;

/// Everything a gate is told at its start.
#[derive(Clone)]
pub struct GateConfig {
    /// Who it is.
    pub id: GateId,
    /// Where the control plane is: `http://127.0.0.1:8440`.
    pub control: String,
    /// What the gate says to the control plane to be let in. Never logged.
    pub token: String,
    /// Folder for the journal and tables; made if missing. One gate per folder.
    pub state_dir: PathBuf,
    /// Where clients come in. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Where closings are taken directly, and state and metrics are shown. Loopback only.
    pub admin: Option<SocketAddr>,
    /// Digest of the first root envelope: the one thing a gate believes unproven.
    pub pin: Digest,
    /// Where open cells are served from.
    pub upstreams: Upstreams,
    /// Who passes a cell in stage `clean_room` (and later stages): the provider's test network.
    pub clean_room: Vec<Network>,
    /// Who passes a cell in stage `pilot`.
    pub pilot: Pilot,
    /// IANA time zone of the times on the pages: `Europe/Berlin`.
    pub time_zone: String,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How clients are served.
    pub serving: Serving,
}

/// How clients are served. Nothing of it opens anything.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Threads that serve, each with a runtime and backend connections of its own; they share the
    /// ports. 0 serves in the runtime that the gate is started in.
    pub workers: usize,
    /// Where clients come in over TLS, and the folder of certificates: `stadt.example.pem` holds
    /// chain and key of that host, `_.example.pem` of every host one label below.
    pub tls: Option<Tls>,
    /// Ports for what is not HTTP, each of one cell, whose backend is `tcp://host:port`: the one of
    /// [`Upstreams::tcp`], else the cell's own.
    pub tcp: Vec<(SocketAddr, CellId)>,
    /// Ports where TLS is passed through to the cell that has the client's host for itself.
    pub named: Vec<SocketAddr>,
    /// The mail relay.
    pub mail: Option<Mail>,
    /// Proxies in front of the gate: they are believed for whom they ask.
    pub proxies: Vec<Network>,
    /// Where other proxies ask whether a request of theirs may pass; only trusted ones.
    pub asked: Vec<SocketAddr>,
    /// Ports of the above whose connections only proxies in these networks announce (PROXY
    /// protocol): no connection comes in there without.
    pub heralds: Vec<(SocketAddr, Network)>,
    /// Where it is said of each request how it ended; nowhere if none.
    pub access: Option<AccessLog>,
    /// Filters of others that are kept as the cells are.
    pub driven: Vec<Driven>,
}

/// A filter that somebody else runs. What passes there no certificate proves.
#[derive(Clone, Debug)]
pub enum Driven {
    /// An HAProxy that looks into a map, and has a backend for each cell.
    Haproxy {
        /// Its admin socket.
        socket: PathBuf,
        /// The map as its settings name it: cell, space, `open` or `closed`.
        map: String,
    },
    /// Rules that look into two sets.
    Nftables {
        /// A table of the family inet with the sets `open4` and `open6`.
        table: String,
        /// `nft`, or what runs it elsewhere.
        program: PathBuf,
        /// Where cells are served.
        cells: Vec<(CellId, SocketAddr)>,
    },
}

/// A log of requests.
#[derive(Clone, Debug)]
pub struct AccessLog {
    /// A file; stdout if none.
    pub to: Option<PathBuf>,
    /// How much of clients' addresses it says.
    pub clients: Clients,
}

/// How much of a client's address is written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Clients {
    /// All of it.
    Whole,
    /// The network: 24 bits of IPv4, 48 of IPv6; the rest is zero.
    #[default]
    Short,
    /// Nothing.
    None,
}

/// A relay for mail, which decides per recipient. Nothing of it opens anything.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Where SMTP clients come in. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// What it calls itself; under TLS also the host whose certificate it shows.
    pub name: String,
    /// Largest message. Bytes.
    pub size_max: u64,
    /// Where the mail of each domain goes; any other domain is nobody's.
    pub domains: BTreeMap<String, MailPlace>,
}

/// Where the mail of one domain goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailPlace {
    /// The cell that must be open for it.
    pub cell: CellId,
    /// The cell's mail server: `tcp://10.1.0.20:25`.
    pub server: String,
}

/// Doors under TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Where clients come in. Port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Folder of `HOST.pem`.
    pub certificates: PathBuf,
}

/// Named testers. Not signed: a pass opens nothing that is not released to `pilot` already.
#[derive(Clone, Debug, Default)]
pub struct Pilot {
    /// Address ranges, for every cell.
    pub networks: Vec<Network>,
    /// Per tenant, SHA-256 of each pass that its testers send as header or cookie `anlauf-pass`.
    pub passes: BTreeMap<TenantId, Vec<Digest>>,
}

/// Where open cells are served from: cell before site before the signed table before default.
#[derive(Clone, Debug, Default)]
pub struct Upstreams {
    /// For cells nothing else speaks of: `http://127.0.0.1:9001`.
    pub default: Option<String>,
    /// For every cell of a site.
    pub sites: BTreeMap<SiteId, String>,
    /// For one cell.
    pub cells: BTreeMap<CellId, String>,
    /// For what is not HTTP of a cell that is served over HTTP too: `tcp://10.1.0.20:995`.
    pub tcp: BTreeMap<CellId, String>,
}

/// A range of addresses: `10.20.0.0/16`, `fd00::/8`, `127.0.0.1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Text that is not a range of addresses.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a range of addresses; write it like `10.20.0.0/16`")]
pub struct NetworkError(String);

// === impl Clients ===

impl Clients {
    /// What is written of an address.
    pub(crate) fn shown(self, address: IpAddr) -> Option<IpAddr> {
        match (self, address.to_canonical()) {
            (Self::None, _) => None,
            (Self::Whole, address) => Some(address),
            (Self::Short, IpAddr::V4(v4)) => {
                Some(Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8).into())
            }
            (Self::Short, IpAddr::V6(v6)) => {
                Some(Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into())
            }
        }
    }
}

// === impl Network ===

impl Network {
    /// Whether the address lies in the range. An IPv4 address in IPv6 clothes counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (range, address) = (number(self.address), number(address.to_canonical()));
        let shift = |(_, size): (u128, u8)| u32::from(size.saturating_sub(self.bits));
        range.1 == address.1
            && range.0.checked_shr(shift(range)) == address.0.checked_shr(shift(address))
    }
}

fn number(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.chars().take(80).collect());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address = address
            .parse::<IpAddr>()
            .map_err(|_| wrong())?
            .to_canonical();
        let size = number(address).1;
        let bits = bits.unwrap_or(size);
        if bits > size {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

// === impl Upstreams ===

impl Upstreams {
    /// Where one cell is served from.
    pub fn find<'a>(
        &'a self,
        cell: &CellId,
        site: &SiteId,
        table: Option<&'a str>,
    ) -> Option<&'a str> {
        let local = self.cells.get(cell).or_else(|| self.sites.get(site));
        local
            .map(String::as_str)
            .or(table)
            .or(self.default.as_deref())
    }
}
