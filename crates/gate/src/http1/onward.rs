//! Writes heads anew: of requests to a backend, of answers to a client.
//!
//! In:    lines that were read, who asks for what. Out: bytes.
//! Never: passes a line on that belongs to one connection, or that only the gate may say.
//! See:   RFC 9110 §7.6.1 (hop by hop), RFC 7239 (`Forwarded`), RFC 9113 §8.2.3 (cookies).

use std::net::IpAddr;

use httparse::Header;
use hyper::Response;
use hyper::body::Bytes;

use super::head::{Framing, says};
use crate::inflow::{Carry, PLACE};
use crate::request::{HOP_BY_HOP, is_ours, is_own_cookie, node};

/// A request on its way to a backend.
pub(crate) struct Onward<'a> {
    pub(crate) method: &'a str,
    /// Path and query, untouched.
    pub(crate) target: &'a str,
    pub(crate) authority: &'a str,
    /// Whom trusted proxies have named before, the nearest last.
    pub(crate) before: &'a [IpAddr],
    /// Who is at the other end, and what the client speaks: `http` or `https`.
    pub(crate) from: &'a str,
    pub(crate) scheme: &'static str,
    pub(crate) cell: &'a str,
    pub(crate) framing: Framing,
    /// Whether the client takes trailers.
    pub(crate) trailers: bool,
    /// What the client wants to change to (RFC 9110 §7.8).
    pub(crate) upgrade: Option<&'a [u8]>,
}

/// An answer on its way to a client.
pub(crate) struct Back<'a> {
    pub(crate) framing: Framing,
    /// Whether the connection stays.
    pub(crate) keep: bool,
    pub(crate) upgrades: bool,
    /// What the client is to carry from here on.
    pub(crate) carry: Option<&'a Carry>,
}

/// Lines that the writer says itself, or never.
const OWN_WORDS: [&str; 3] = ["host", "content-length", "cookie"];

/// Whether the line ends here.
fn ends_here(lines: &[Header<'_>], named: bool, name: &str) -> bool {
    let is = |known: &&str| known.len() == name.len() && known.eq_ignore_ascii_case(name);
    HOP_BY_HOP.iter().any(is) || (named && says(lines, "connection", name))
}

/// Whether a `Connection` line names other lines.
fn names_others(lines: &[Header<'_>]) -> bool {
    let usual = |value: &[u8]| {
        [&b"keep-alive"[..], b"close"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word))
    };
    lines
        .iter()
        .any(|line| line.name.eq_ignore_ascii_case("connection") && !usual(line.value))
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        }
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    line(out, name, digits.get(at..).unwrap_or_default());
}

/// Writes the head of a request.
pub(crate) fn request(out: &mut Vec<u8>, lines: &[Header<'_>], onward: &Onward<'_>) {
    out.extend_from_slice(onward.method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(onward.target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    line(out, "host", onward.authority.as_bytes());
    let named = names_others(lines);
    for known in lines {
        let own = OWN_WORDS
            .iter()
            .any(|own| own.eq_ignore_ascii_case(known.name));
        if own || is_ours(known.name) || ends_here(lines, named, known.name) {
            continue;
        }
        line(out, known.name, known.value);
    }
    cookies(out, lines, named);
    introduce(out, onward);
    match onward.framing {
        Framing::Length(size) => number(out, "content-length", size),
        Framing::Chunked => line(out, "transfer-encoding", b"chunked"),
        Framing::Empty | Framing::Close => {}
    }
    if onward.trailers {
        line(out, "te", b"trailers");
    }
    match onward.upgrade {
        Some(to) => {
            line(out, "connection", b"upgrade");
            line(out, "upgrade", to);
        }
        None if onward.trailers => line(out, "connection", b"te"),
        None => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// All cookies in one line, without the gate's own.
fn cookies(out: &mut Vec<u8>, lines: &[Header<'_>], named: bool) {
    let values = lines
        .iter()
        .filter(|line| line.name.eq_ignore_ascii_case("cookie"))
        .map(|line| line.value);
    if named && says(lines, "connection", "cookie") {
        return;
    }
    let pairs = values
        .flat_map(|value| value.split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty() && !is_own_cookie(pair));
    let mut first = true;
    for pair in pairs {
        out.extend_from_slice(if first { b"cookie: " } else { b"; " });
        out.extend_from_slice(pair);
        first = false;
    }
    if !first {
        out.extend_from_slice(b"\r\n");
    }
}

/// Says who asks for what.
fn introduce(out: &mut Vec<u8>, onward: &Onward<'_>) {
    let mut say = |parts: &[&str]| {
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
    };
    let (from, scheme, host) = (onward.from, onward.scheme, onward.authority);
    say(&["x-forwarded-for: "]);
    for hop in onward.before {
        say(&[&hop.to_string(), ", "]);
    }
    say(&[from, "\r\nx-forwarded-proto: ", scheme]);
    say(&["\r\nx-forwarded-host: ", host, "\r\nforwarded: "]);
    for hop in onward.before {
        say(&["for=", &node(*hop), ", "]);
    }
    say(&["for="]);
    match from.contains(':') {
        true => say(&["\"[", from, "]\""]),
        false => say(&[from]),
    }
    say(&[";host=\"", host, "\";proto=", scheme]);
    say(&["\r\nx-anlauf-cell: ", onward.cell, "\r\n"]);
}

/// Writes the head of a backend's answer.
pub(crate) fn answer(
    out: &mut Vec<u8>,
    (status, reason): (u16, &str),
    lines: &[Header<'_>],
    back: &Back<'_>,
) {
    status_line(out, status, reason);
    let named = names_others(lines);
    for known in lines {
        let is_size = known.name.eq_ignore_ascii_case("content-length");
        // Without a body the size is only told (an answer to HEAD, a 304).
        if (is_size && back.framing != Framing::Empty) || ends_here(lines, named, known.name) {
            continue;
        }
        line(out, known.name, known.value);
    }
    match back.framing {
        Framing::Length(size) => number(out, "content-length", size),
        Framing::Chunked => line(out, "transfer-encoding", b"chunked"),
        Framing::Empty | Framing::Close => {}
    }
    if let Some(carry) = back.carry {
        line(out, "set-cookie", carry.cookie.as_bytes());
        line(out, PLACE, carry.value.as_bytes());
    }
    if back.upgrades {
        line(out, "connection", b"upgrade");
        let to = lines
            .iter()
            .find(|line| line.name.eq_ignore_ascii_case("upgrade"));
        line(out, "upgrade", to.map_or(b"".as_slice(), |line| line.value));
    } else if !back.keep {
        line(out, "connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
}

fn status_line(out: &mut Vec<u8>, status: u16, reason: &str) {
    out.extend_from_slice(b"HTTP/1.1 ");
    for power in [100, 10, 1] {
        out.push(b'0' + u8::try_from(status / power % 10).unwrap_or_default());
    }
    out.push(b' ');
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes an answer of the gate itself.
pub(crate) fn own(
    out: &mut Vec<u8>,
    answer: &Response<()>,
    body: &Bytes,
    is_head: bool,
    keep: bool,
) {
    let status = answer.status();
    status_line(
        out,
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
    );
    for (name, value) in answer.headers() {
        if name != "content-length" {
            line(out, name.as_str(), value.as_bytes());
        }
    }
    number(out, "content-length", body.len() as u64);
    if !keep {
        line(out, "connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    if !is_head {
        out.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests;
