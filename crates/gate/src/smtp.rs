//! Mail: a relay that decides per recipient, and has no queue of its own.
//!
//! In:    SMTP clients. Out: messages at the server of the one cell that they are for.
//! Never: says yes to a message that the cell's server has not taken; relays for strangers; sends
//!        the ending dot while the cell is shut; confirms a close while a message may still pass.
//!
//! Closed is a 450: the sender's queue keeps the message and comes again.
//! See:   docs/guide/mail.md; RFC 5321.

mod command;
mod content;
mod reply;
mod server;
mod session;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anlauf_model::CellId;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::config::Mail;
use crate::error::GateError;
use crate::intake::{self, Port};
use crate::limits::{MAIL_CLIENT_COUNT_MAX, MAIL_CLIENT_COUNT_OF_ADDRESS_MAX};
use crate::listener::Worker;
use crate::proxy_protocol::Peer;
use crate::upstream::Upstream;
use crate::visit::{Conn, Presence};

pub use command::{Address, Command, Line, Sender, command, line};
pub use content::{Bad, Chunks, Content, Found};
pub use reply::Reply;

use session::{Inbox, Session};

/// What the connections of a gate's mail ports share.
pub(crate) struct Relay {
    name: String,
    size_max: u64,
    domains: BTreeMap<String, Place>,
    tls: Option<TlsAcceptor>,
    clients: Mutex<HashMap<IpAddr, usize>>,
}

/// Where the mail of a domain goes.
struct Place {
    cell: CellId,
    upstream: Arc<Upstream>,
}

/// A client that is counted as long as it is here.
struct Client<'a>(&'a Relay, IpAddr);

impl Relay {
    /// Reads the settings.
    ///
    /// # Errors
    /// A server is not written `tcp://host:port`, or the relay's name is none.
    pub(crate) fn new(mail: &Mail, tls: Option<TlsAcceptor>) -> Result<Self, GateError> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if mail.name.is_empty() || !mail.name.bytes().all(is_name) {
            return Err(GateError::Setting {
                what: "the mail relay's name",
                value: mail.name.clone(),
                hint: "write it like `mx.stadt.example`",
            });
        }
        let mut known: HashMap<&str, Arc<Upstream>> = HashMap::new();
        let mut domains = BTreeMap::new();
        for (domain, to) in &mail.domains {
            let upstream = match known.get(to.server.as_str()) {
                Some(upstream) => Arc::clone(upstream),
                None => {
                    let read = Upstream::parse(&to.server).filter(|upstream| upstream.is_tcp);
                    Arc::new(read.ok_or_else(|| GateError::Setting {
                        what: "a mail server",
                        value: to.server.clone(),
                        hint: "write it like `tcp://10.1.0.20:25`",
                    })?)
                }
            };
            known.insert(&to.server, Arc::clone(&upstream));
            let cell = to.cell.clone();
            domains.insert(domain.to_lowercase(), Place { cell, upstream });
        }
        Ok(Self {
            name: mail.name.clone(),
            size_max: mail.size_max,
            domains,
            tls,
            clients: Mutex::default(),
        })
    }

    /// Counts a client in; none if there are too many.
    fn admit(&self, peer: IpAddr) -> Option<Client<'_>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = clients.values().sum();
        let own = clients.get(&peer).copied().unwrap_or(0);
        if all >= MAIL_CLIENT_COUNT_MAX || own >= MAIL_CLIENT_COUNT_OF_ADDRESS_MAX {
            return None;
        }
        clients.insert(peer, own + 1);
        Some(Client(self, peer))
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        let clients = self.0.clients.lock();
        let mut clients = clients.unwrap_or_else(PoisonError::into_inner);
        let left = clients.get(&self.1).copied().unwrap_or(0).saturating_sub(1);
        match left {
            0 => clients.remove(&self.1),
            left => clients.insert(self.1, left),
        };
    }
}

/// Takes clients in until told to stop; then ends their connections.
pub(crate) async fn run(
    port: Port,
    worker: Arc<Worker>,
    relay: Arc<Relay>,
    stop: watch::Receiver<bool>,
) {
    let (own, stopped) = (Arc::clone(&worker), stop.clone());
    intake::run(port, &worker.shared, stop, move |stream, peer| {
        let (worker, relay) = (Arc::clone(&own), Arc::clone(&relay));
        serve(worker, relay, (stream, peer), stopped.clone())
    })
    .await;
}

async fn serve(
    worker: Arc<Worker>,
    relay: Arc<Relay>,
    (mut stream, peer): (TcpStream, Peer),
    stop: watch::Receiver<bool>,
) {
    let Some(client) = relay.admit(peer.address) else {
        let full = b"421 4.3.2 too many connections; come again later\r\n";
        // A fresh socket has room for it; whoever is one too many is not waited for.
        let _ = stream.try_write(full);
        let _ = stream.shutdown().await;
        return;
    };
    let (conn, orders) = Conn::new(peer, None, ("smtp", None));
    let presence = Presence::new(&conn);
    let inbox = Inbox::new(orders, stop);
    let session = Session::new((&worker, &relay), Box::new(stream), conn, inbox);
    // Orders that are still in the inbox are dropped last: then nothing is left to cut.
    let inbox = session.run().await;
    drop(presence);
    drop(inbox);
    drop(client);
}
