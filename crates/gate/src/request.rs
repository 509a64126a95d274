//! Reads whom a request is for, strictly, and cleans its headers.
//!
//! In:    the head of a request as the HTTP parser gives it.
//! Out:   [`Target`] (host and canonical path), or a [`Wrong`]; headers fit to go on.
//! Never: guesses: two hosts that differ, a path that climbs, two body lengths are refused.
//! See:   RFC 9112 §3.2 (Host, absolute form), §6.1 (lengths); RFC 9110 §7.6.1 (hop by hop).

use std::borrow::Cow;
use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Version};

use anlauf_model::CellId;

use crate::inflow::PLACE;
use crate::visit::Conn;

mod asker;

pub(crate) use asker::{Asker, Proxies};

/// Whom a request is for.
pub(crate) struct Target<'a> {
    /// Lower case, without port.
    pub(crate) host: Cow<'a, str>,
    /// The host as it was asked for, with its port.
    pub(crate) authority: Cow<'a, str>,
    /// Every way in which servers read the path; the first is decoded once and without empty
    /// segments, and mostly it is the only one. Only to find the cell, never sent on.
    pub(crate) paths: Vec<Cow<'a, str>>,
}

impl Target<'_> {
    /// The same without its request.
    pub(crate) fn into_owned(self) -> Target<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Target {
            host: own(self.host),
            authority: own(self.authority),
            paths: self.paths.into_iter().map(own).collect(),
        }
    }
}

/// Why a request cannot be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// No host, two hosts, or not a host.
    Host,
    /// A path that is not one, or climbs.
    Path,
    /// Two ways to tell how long the body is.
    Length,
    /// A method that is not for a gateway.
    Method,
    /// A trusted proxy that names two clients.
    Client,
}

/// Header and cookie a tester's pass is sent in.
pub(crate) const PASS: &str = "anlauf-pass";

/// What belongs to one connection only.
pub(crate) const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers by which a backend learns of the client: only the gate may say them.
const OURS: [&str; 4] = ["forwarded", "x-real-ip", PASS, PLACE];
const OURS_PREFIX: [&str; 2] = ["x-forwarded-", "x-anlauf-"];

/// Header lines, whatever protocol brought them.
pub(crate) trait Fields {
    /// Each line: name, in any case, and value.
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])>;

    /// The values of one header.
    fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.each()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of one header, if it is text.
    fn text(&self, name: &str) -> Option<&str> {
        self.all(name).next().and_then(ascii)
    }
}

impl Fields for HeaderMap {
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).iter().map(HeaderValue::as_bytes)
    }
}

impl Fields for &[httparse::Header<'_>] {
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|line| (line.name, line.value))
    }
}

/// What a request says of its target, before anything of it is believed.
pub(crate) struct Line<'a, F> {
    /// Method.
    pub(crate) method: &'a Method,
    /// Authority of the absolute form, or of `:authority`.
    pub(crate) authority: Option<&'a str>,
    /// Path without the query.
    pub(crate) path: &'a str,
    /// Whether chunks are known to its version.
    pub(crate) is_http11: bool,
    /// Header lines.
    pub(crate) fields: &'a F,
}

impl<'a> Line<'a, HeaderMap> {
    /// Of a request as hyper and h2 give it.
    pub(crate) fn of(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            authority: parts.uri.authority().map(Authority::as_str),
            path: parts.uri.path(),
            is_http11: parts.version == Version::HTTP_11,
            fields: &parts.headers,
        }
    }
}

/// Visible ASCII, blanks and tabs.
pub(crate) fn ascii(value: &[u8]) -> Option<&str> {
    let plain = |b: &u8| (0x20..0x7f).contains(b) || *b == b'\t';
    match value.iter().all(plain) {
        true => std::str::from_utf8(value).ok(),
        false => None,
    }
}

/// Reads whom the request is for.
pub(crate) fn target<'a>(line: &Line<'a, impl Fields>) -> Result<Target<'a>, Wrong> {
    if *line.method == Method::CONNECT || *line.method == Method::TRACE {
        return Err(Wrong::Method);
    }
    let lengths = line.fields.all("content-length").count();
    let coded = line.fields.all("transfer-encoding").next().is_some();
    if lengths > 1 || (coded && (lengths > 0 || !line.is_http11)) {
        return Err(Wrong::Length);
    }
    let authority = authority(line)?;
    let host = host_name(authority)?;
    Ok(Target {
        host,
        authority: lower(authority),
        paths: readings(line.path)?,
    })
}

/// The absolute form decides (RFC 9112 §3.2.2), but a `Host` that says otherwise is refused.
fn authority<'a>(line: &Line<'a, impl Fields>) -> Result<&'a str, Wrong> {
    let mut hosts = line.fields.all("host");
    let host = hosts.next();
    let host = host
        .map(|value| ascii(value).ok_or(Wrong::Host))
        .transpose()?;
    if hosts.next().is_some() {
        return Err(Wrong::Host);
    }
    match (line.authority, host) {
        (Some(absolute), Some(host)) if host_name(absolute)? != host_name(host)? => {
            Err(Wrong::Host)
        }
        (Some(absolute), _) => Ok(absolute),
        (None, Some(host)) => Ok(host),
        (None, None) => Err(Wrong::Host),
    }
}

/// In lower case; almost always it is already.
fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// The name without port, in lower case.
fn host_name(text: &str) -> Result<Cow<'_, str>, Wrong> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (text, ""),
    };
    let name = lower(name.strip_suffix('.').unwrap_or(name));
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
    let is_port = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    if name.is_empty() || name.len() > 255 || !name.bytes().all(legal) || !is_port {
        return Err(Wrong::Host);
    }
    Ok(name)
}

/// Every way in which a server may read the path. A request whose readings belong to different
/// cells belongs to none: with a backend behind both, one would be the way into the other.
fn readings(path: &str) -> Result<Vec<Cow<'_, str>>, Wrong> {
    if !path.starts_with('/') {
        return Err(Wrong::Path);
    }
    let is_odd = |b: u8| matches!(b, b'%' | b';' | b'\\' | 0 | 0x80..);
    if !path.bytes().any(is_odd) && !path.contains("//") && !path.contains("/.") {
        // Nothing in it can be read in another way.
        let plain = path.strip_suffix('/').unwrap_or(path);
        let plain = if plain.is_empty() { "/" } else { plain };
        return Ok(vec![Cow::Borrowed(plain)]);
    }
    let decoded = decode(path)?;
    // Some servers decode twice; a percent sign that then makes no sense is only a percent sign.
    if climbs(&decoded) || decode(&decoded).is_ok_and(|twice| climbs(&twice)) {
        return Err(Wrong::Path);
    }
    let plain = joined(
        decoded
            .split(SEPARATORS)
            .filter(|segment| !segment.is_empty()),
    );
    let mut readings = vec![plain];
    let mut add = |reading: String| {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    };
    if decoded.contains(';') {
        let segments = decoded.split(SEPARATORS).map(without_parameters);
        add(joined(segments.filter(|segment| !segment.is_empty())));
    }
    let odd = |mark: &str| path.contains(mark);
    if odd("//") || odd("\\") || odd("%2f") || odd("%2F") || odd("%5c") || odd("%5C") {
        let literal = path
            .strip_suffix('/')
            .unwrap_or(path)
            .get(1..)
            .unwrap_or_default();
        // An encoded separator separates nothing here.
        let name = |segment| decode(segment).map(|name| name.replace(SEPARATORS, "\u{fffd}"));
        let segments = literal
            .split('/')
            .map(name)
            .collect::<Result<Vec<_>, _>>()?;
        add(joined(segments.iter().map(String::as_str)));
    }
    Ok(readings.into_iter().map(Cow::Owned).collect())
}

const SEPARATORS: [char; 2] = ['/', '\\'];

fn joined<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for segment in segments {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() {
        out.push('/');
    }
    out
}

/// `..;x` climbs too on servers that cut path parameters.
fn climbs(path: &str) -> bool {
    path.split(SEPARATORS)
        .any(|segment| matches!(without_parameters(segment), "." | ".."))
}

fn without_parameters(segment: &str) -> &str {
    segment.split(';').next().unwrap_or(segment)
}

fn decode(path: &str) -> Result<String, Wrong> {
    let mut bytes = path.bytes();
    let mut out = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'%' {
            hex(bytes.next(), bytes.next())?
        } else {
            byte
        };
        if byte == 0 {
            return Err(Wrong::Path);
        }
        out.push(byte);
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn hex(high: Option<u8>, low: Option<u8>) -> Result<u8, Wrong> {
    let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
    let (high, low) = (
        digit(high).ok_or(Wrong::Path)?,
        digit(low).ok_or(Wrong::Path)?,
    );
    u8::try_from(high * 16 + low).map_err(|_| Wrong::Path)
}

/// The tester's pass.
pub(crate) fn pass(fields: &impl Fields) -> Option<&str> {
    carried(fields, PASS)
}

/// The client's place in a cell that fills slowly.
pub(crate) fn place(fields: &impl Fields) -> Option<&str> {
    carried(fields, PLACE)
}

/// What the gate has told a client to carry: header before cookie.
fn carried<'a>(fields: &'a impl Fields, own: &str) -> Option<&'a str> {
    if let Some(value) = fields.all(own).next() {
        return ascii(value);
    }
    let cookies = fields.all("cookie").filter_map(ascii);
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == own).then_some(value)
    })
}

/// Whether a cookie is the gate's own: the tester's pass, the client's place.
pub(crate) fn is_own_cookie(pair: &[u8]) -> bool {
    [PASS, PLACE].iter().any(|own| {
        pair.strip_prefix(own.as_bytes())
            .is_some_and(|rest| rest.is_empty() || rest.trim_ascii_start().starts_with(b"="))
    })
}

/// Removes what belongs to one connection only (RFC 9110 §7.6.1).
pub(crate) fn clean_hops(headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers
        .get_all(header::CONNECTION)
        .iter()
        .cloned()
        .collect();
    for name in lines
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        if let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) {
            headers.remove(name);
        }
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes what clients may not say, and says who asks for what.
pub(crate) fn introduce(
    headers: &mut HeaderMap,
    (conn, client): (&Conn, &Asker),
    host: &str,
    cell: &CellId,
) {
    let scheme = client.scheme.unwrap_or(conn.scheme());
    let claimed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_ours(name.as_str()))
        .cloned()
        .collect();
    for name in claimed {
        headers.remove(name);
    }
    clean_cookies(headers);
    let mut say = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    let (mut standard, mut custom) = (String::new(), String::new());
    for hop in &client.before {
        standard.push_str(&format!("for={}, ", node(*hop)));
        custom.push_str(&format!("{hop}, "));
    }
    let node = node(conn.peer.address);
    standard.push_str(&format!("for={node};host=\"{host}\";proto={scheme}"));
    custom.push_str(&conn.from);
    say("forwarded", &standard);
    say("x-forwarded-for", &custom);
    say("x-forwarded-proto", scheme);
    say("x-forwarded-host", host);
    say("x-anlauf-cell", &cell.to_string());
    say("host", host);
}

/// An address as `Forwarded` wants it.
pub(crate) fn node(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    }
}

/// Whether only the gate may say this. Some servers read `x_forwarded_for` as `x-forwarded-for`.
pub(crate) fn is_ours(name: &str) -> bool {
    let plain = |b: u8| match b {
        b'_' => b'-',
        _ => b.to_ascii_lowercase(),
    };
    let begins = |own: &str| {
        name.len() >= own.len() && name.bytes().zip(own.bytes()).all(|(a, b)| plain(a) == b)
    };
    OURS.iter()
        .any(|own| name.len() == own.len() && begins(own))
        || OURS_PREFIX.iter().any(|own| begins(own))
}

/// Takes the gate's own out of the cookies; the rest stays, in one line (RFC 9113 §8.2.3).
fn clean_cookies(headers: &mut HeaderMap) {
    let lines: Vec<_> = headers.get_all(header::COOKIE).iter().cloned().collect();
    let has = |line: &HeaderValue, own: &str| {
        let mut windows = line.as_bytes().windows(own.len());
        windows.any(|w| w == own.as_bytes())
    };
    if !lines.iter().any(|line| has(line, PASS) || has(line, PLACE)) {
        return;
    }
    headers.remove(header::COOKIE);
    let pairs = lines
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|line| line.split(';'));
    let kept: Vec<_> = pairs
        .map(str::trim)
        .filter(|pair| !is_own_cookie(pair.as_bytes()))
        .collect();
    if let Ok(value) = HeaderValue::from_str(&kept.join("; "))
        && !kept.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
}

#[cfg(test)]
mod tests;
