//! What a client is given to carry: its lot, its place in the line, when it came in.
//!
//! In:    the gate's key, a cell, what a client has sent.
//! Out:   a [`Place`] that this gate has written, or none; the cookie that carries it.
//! Never: believes a place of another cell, or one that was changed; says anything of a person.

use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};

use ring::hmac;

/// Header and cookie that a place is carried in.
pub(crate) const PLACE: &str = "anlauf-place";

/// Lots are drawn from so many: a hundredth of a percent each.
pub(crate) const LOT_COUNT: u16 = 10_000;

/// The key that places are sealed with.
pub(crate) struct Key(hmac::Key);

/// What a client carries for one cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// Below [`LOT_COUNT`]. Inside the share are the lowest.
    pub(crate) lot: u16,
    /// Which line the number is of.
    pub(crate) line: i64,
    /// 1-based; 0 is none.
    pub(crate) number: u64,
    /// When it came in. Milliseconds; 0 is not yet.
    pub(crate) inside_at: i64,
}

impl Key {
    /// Bytes as a key.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The lot of a client that carries none: by its address, so that asking again draws no other.
    ///
    /// An IPv6 client changes the lower half of its address as it likes. Of whom nothing is known
    /// gets the last lot.
    pub(crate) fn lot(&self, cell: &str, client: Option<IpAddr>) -> u16 {
        let Some(client) = client else {
            return LOT_COUNT - 1;
        };
        let known = match client.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !0 << 64)),
        };
        let tag = hmac::sign(&self.0, format!("lot\n{cell}\n{known}").as_bytes());
        let mut number: u64 = 0;
        for byte in tag.as_ref().iter().take(8) {
            number = (number << 8) | u64::from(*byte);
        }
        u16::try_from(number % u64::from(LOT_COUNT)).unwrap_or(LOT_COUNT - 1)
    }

    /// What the client carries.
    pub(crate) fn seal(&self, cell: &str, place: &Place) -> String {
        let mut text = format!(
            "1.{}.{}.{}.{}",
            place.lot, place.line, place.number, place.inside_at
        );
        let tag = hmac::sign(&self.0, signed(cell, &text).as_bytes());
        text.push('.');
        for byte in tag.as_ref() {
            // Writing into a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// What a client carries, if this key has sealed it for this cell.
    pub(crate) fn open(&self, cell: &str, text: &str) -> Option<Place> {
        // UNTRUSTED: from the client.
        let (said, tag) = text.rsplit_once('.')?;
        let tag = bytes(tag)?;
        hmac::verify(&self.0, signed(cell, said).as_bytes(), &tag).ok()?;
        let mut parts = said.strip_prefix("1.")?.split('.');
        let place = Place {
            lot: parts.next()?.parse().ok()?,
            line: parts.next()?.parse().ok()?,
            number: parts.next()?.parse().ok()?,
            inside_at: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(place)
    }
}

fn signed(cell: &str, said: &str) -> String {
    format!("place\n{cell}\n{said}")
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(value(*high)? * 16 + value(*low)?).ok(),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

/// The line that has a browser carry it, for this cell only.
pub(crate) fn cookie(value: &str, path: &str, is_tls: bool) -> String {
    // A path that a cookie cannot say is said as the whole host: the seal is the cell's anyway.
    let is_plain = path
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b";,".contains(&b));
    let path = match path.starts_with('/') && is_plain {
        true => path,
        false => "/",
    };
    let secure = if is_tls { "; Secure" } else { "" };
    format!("{PLACE}={value}; Path={path}; Max-Age=86400; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests;
