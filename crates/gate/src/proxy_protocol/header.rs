//! The line or block in front of a connection that says whom a proxy speaks for.
//!
//! In:    the first bytes of a connection. Out: [`Header`] and its size, or why it is none.
//! Never: reads past the header's end; takes one header in two ways; keeps anything of a field it
//!        does not know.
//! See:   HAProxy, `doc/proxy-protocol.txt`, §2.1 (version 1), §2.2 (version 2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Whom a proxy speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// For a client.
    Client {
        /// Where the client's connection comes from.
        source: SocketAddr,
        /// Where it arrived.
        target: SocketAddr,
    },
    /// For itself (`LOCAL`), or for nobody it can name (`UNKNOWN`, no address, a local socket).
    Nobody,
}

/// Why bytes are no header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// Neither version begins like this.
    Start,
    /// It is longer than a header may be.
    Size,
    /// A field that is not written as the protocol says.
    Field,
}

/// Longest line of version 1 with its end. Bytes; §2.1.
pub const LINE_SIZE_MAX: usize = 107;

/// Largest block of version 2. Bytes.
///
/// The protocol knows no limit below 64 KiB. Addresses and the fields that load balancers add lie
/// below 300; HAProxy can add a client certificate, which rarely passes 2 KiB.
pub const BLOCK_SIZE_MAX: usize = 4_096;

const LINE_START: &[u8] = b"PROXY ";
const BLOCK_START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Start, version and command, family, length.
const BLOCK_HEAD_SIZE: usize = 16;

/// Reads a header at the start of the bytes; none while its end is not there yet.
///
/// # Errors
/// It cannot become a header whatever follows.
pub fn header(bytes: &[u8]) -> Result<Option<(Header, usize)>, Bad> {
    if begins(bytes, LINE_START) {
        return line(bytes);
    }
    if begins(bytes, BLOCK_START) {
        return block(bytes);
    }
    Err(Bad::Start)
}

/// Whether the bytes begin so, or may when more of them come.
fn begins(bytes: &[u8], start: &[u8]) -> bool {
    let size = bytes.len().min(start.len());
    bytes.get(..size) == start.get(..size)
}

// === version 1 ===

fn line(bytes: &[u8]) -> Result<Option<(Header, usize)>, Bad> {
    let seen = bytes.get(..bytes.len().min(LINE_SIZE_MAX));
    let seen = seen.unwrap_or_default();
    let Some(end) = seen.iter().position(|byte| *byte == b'\n') else {
        return match bytes.len() < LINE_SIZE_MAX {
            true => Ok(None),
            false => Err(Bad::Size),
        };
    };
    let text = seen.get(..end).and_then(|line| line.strip_suffix(b"\r"));
    let text = text.and_then(|line| std::str::from_utf8(line).ok());
    let fields = text.and_then(|line| line.strip_prefix("PROXY "));
    let header = named(fields.ok_or(Bad::Field)?).ok_or(Bad::Field)?;
    Ok(Some((header, end + 1)))
}

/// What stands behind `PROXY `.
fn named(fields: &str) -> Option<Header> {
    // What follows `UNKNOWN` is to be ignored, whatever it is.
    if fields == "UNKNOWN" || fields.starts_with("UNKNOWN ") {
        return Some(Header::Nobody);
    }
    let mut fields = fields.split(' ');
    let is_v6 = match fields.next()? {
        "TCP4" => false,
        "TCP6" => true,
        _ => return None,
    };
    let (source, target) = (fields.next()?, fields.next()?);
    let (from, to) = (fields.next()?, fields.next()?);
    if fields.next().is_some() {
        return None;
    }
    Some(Header::Client {
        source: SocketAddr::new(address(source, is_v6)?, port(from)?),
        target: SocketAddr::new(address(target, is_v6)?, port(to)?),
    })
}

fn address(text: &str, is_v6: bool) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    (address.is_ipv6() == is_v6).then_some(address)
}

/// Decimal, without a sign and without leading zeros.
fn port(text: &str) -> Option<u16> {
    let is_plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_plain)
}

// === version 2 ===

fn block(bytes: &[u8]) -> Result<Option<(Header, usize)>, Bad> {
    let Some(head) = bytes.first_chunk::<BLOCK_HEAD_SIZE>() else {
        return Ok(None);
    };
    let [.., kind, family, high, low] = *head;
    let size = BLOCK_HEAD_SIZE + usize::from(u16::from_be_bytes([high, low]));
    if size > BLOCK_SIZE_MAX {
        return Err(Bad::Size);
    }
    let is_local = match kind {
        0x20 => true,
        0x21 => false,
        _ => return Err(Bad::Field),
    };
    let Some(rest) = bytes.get(BLOCK_HEAD_SIZE..size) else {
        return Ok(None);
    };
    // Whatever a proxy says when it speaks for itself is to be thrown away, the family too.
    let header = match is_local {
        true => Header::Nobody,
        false => spoken(family, rest).ok_or(Bad::Field)?,
    };
    Ok(Some((header, size)))
}

/// What stands behind the head of a block: addresses, then fields, which are passed over.
fn spoken(family: u8, rest: &[u8]) -> Option<Header> {
    let (header, fields) = match family {
        0x00 => return Some(Header::Nobody),
        0x11 => {
            let (source, rest) = rest.split_first_chunk::<4>()?;
            let (target, rest) = rest.split_first_chunk::<4>()?;
            client(Ipv4Addr::from(*source), Ipv4Addr::from(*target), rest)?
        }
        0x21 => {
            let (source, rest) = rest.split_first_chunk::<16>()?;
            let (target, rest) = rest.split_first_chunk::<16>()?;
            client(Ipv6Addr::from(*source), Ipv6Addr::from(*target), rest)?
        }
        // Local sockets: two paths of 108 bytes.
        0x31 => (Header::Nobody, rest.get(216..)?),
        _ => return None,
    };
    are_fields(fields).then_some(header)
}

fn client(
    source: impl Into<IpAddr>,
    target: impl Into<IpAddr>,
    rest: &[u8],
) -> Option<(Header, &[u8])> {
    let (ports, rest) = rest.split_first_chunk::<4>()?;
    let [from_high, from_low, to_high, to_low] = *ports;
    let from = u16::from_be_bytes([from_high, from_low]);
    let to = u16::from_be_bytes([to_high, to_low]);
    let header = Header::Client {
        source: SocketAddr::new(source.into(), from),
        target: SocketAddr::new(target.into(), to),
    };
    Some((header, rest))
}

/// Whether these are fields to the last byte: kind, length, so many bytes.
fn are_fields(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let [_, high, low, behind @ ..] = rest else {
            return false;
        };
        let size = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(behind) = behind.get(size..) else {
            return false;
        };
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests;
