//! Who asks: the other end of the connection, or whom a trusted proxy says it asks for.
//!
//! In:    the connection's peer, header lines, the networks of trusted proxies.
//! Out:   [`Asker`], or that the proxy contradicts itself.
//! Never: believes a word about the client that an untrusted address may have written; takes a
//!        proxy for its client.
//! See:   RFC 7239 (`Forwarded`); `X-Forwarded-For` is custom.

use std::net::{IpAddr, SocketAddr};

use super::{Fields, Wrong, ascii};
use crate::config::Network;
use crate::proxy_protocol::Peer;

/// Networks whose word about their clients is taken.
#[derive(Default)]
pub(crate) struct Proxies(Vec<Network>);

/// Who asks.
pub(crate) struct Asker {
    /// Whom the judge looks at; none when a trusted proxy does not say for whom it asks.
    pub(crate) address: Option<IpAddr>,
    /// Whom the request came through before the peer, the nearest last.
    pub(crate) before: Vec<IpAddr>,
    /// What the client spoke, where a proxy has ended TLS for it.
    pub(crate) scheme: Option<&'static str>,
}

/// Addresses in the order of a header, the nearest last; none for what is no address.
type Hops = Vec<Option<IpAddr>>;

impl Proxies {
    /// These networks.
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether the address is a trusted proxy's.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who is behind a connection that carries no header lines.
    pub(crate) fn alone(&self, peer: Peer) -> Option<IpAddr> {
        let is_client = peer.is_client && !self.trusts(peer.address);
        is_client.then_some(peer.address)
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`Wrong::Client`]: a trusted proxy names one client in `Forwarded` and another in
    /// `X-Forwarded-For`, or two protocols.
    pub(crate) fn client(&self, peer: Peer, fields: &impl Fields) -> Result<Asker, Wrong> {
        let mut client = Asker {
            address: self.alone(peer),
            before: Vec::new(),
            scheme: None,
        };
        if !self.trusts(peer.address) {
            return Ok(client);
        }
        let elements = elements(fields);
        let standard: Hops = elements.iter().map(String::as_str).map(for_of).collect();
        let custom = custom(fields);
        let (hops, other) = match custom.is_empty() {
            true => (standard, Hops::new()),
            false => (custom, standard),
        };
        let found = self.walk(&hops);
        if !other.is_empty() && self.walk(&other) != found {
            return Err(Wrong::Client);
        }
        client.scheme = scheme(fields, elements.last())?;
        client.address = found;
        // What cannot be read is not handed on, nor what stands left of it.
        client.before = hops.iter().rev().map_while(|hop| *hop).collect();
        client.before.reverse();
        Ok(client)
    }

    /// The first from the right that is no proxy of ours; what stands left of it anyone may have
    /// written.
    fn walk(&self, hops: &[Option<IpAddr>]) -> Option<IpAddr> {
        let mut last = None;
        for hop in hops.iter().rev() {
            last = Some((*hop)?);
            if !last.is_some_and(|address| self.trusts(address)) {
                break;
            }
        }
        last
    }
}

/// An address as proxies write it: bare, in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    let found = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let found = found.or_else(|| text.parse::<SocketAddr>().ok().map(|at| at.ip()));
    found.map(|address| address.to_canonical())
}

fn custom(fields: &impl Fields) -> Hops {
    let lines = fields.all("x-forwarded-for");
    let mut hops = Hops::new();
    for line in lines {
        match ascii(line) {
            Some(line) => hops.extend(line.split(',').map(address)),
            None => hops.push(None),
        }
    }
    hops
}

/// The elements of all `Forwarded` lines.
fn elements(fields: &impl Fields) -> Vec<String> {
    let mut all = Vec::new();
    for line in fields.all("forwarded") {
        // An element that cannot be read is still there: it hides whoever stands behind it.
        let line = ascii(line).unwrap_or("?");
        all.extend(split(line, ',').into_iter().map(str::to_owned));
    }
    all
}

/// Splits where no quotes stand around the mark.
fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |c| {
        let is_end = c == mark && !quoted;
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && quoted && !escaped;
        is_end
    });
    parts.collect()
}

/// The value of one parameter of an element, without quotes; none if it is there twice.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let pairs = split(element, ';');
    let mut values = pairs.into_iter().filter_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then_some(value)
    });
    let value = values.next()?.trim();
    if values.next().is_some() {
        return None;
    }
    let bare = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    Some(bare.unwrap_or(value))
}

fn for_of(element: &str) -> Option<IpAddr> {
    parameter(element, "for").and_then(address)
}

/// What the client spoke, as the nearest proxy says; none when it says nothing that is known.
fn scheme(fields: &impl Fields, nearest: Option<&String>) -> Result<Option<&'static str>, Wrong> {
    let known = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
        "https" | "wss" => Some("https"),
        "http" | "ws" => Some("http"),
        _ => None,
    };
    let mut lines = fields.all("x-forwarded-proto");
    let custom = lines.next().and_then(ascii).and_then(known);
    if lines.next().is_some() {
        return Err(Wrong::Client);
    }
    let standard = nearest.and_then(|element| parameter(element, "proto"));
    let standard = standard.and_then(known);
    match (custom, standard) {
        (Some(custom), Some(standard)) if custom != standard => Err(Wrong::Client),
        (custom, standard) => Ok(custom.or(standard)),
    }
}

#[cfg(test)]
mod tests;
