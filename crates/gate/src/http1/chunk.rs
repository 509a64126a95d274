//! Reads chunked bodies strictly, and writes them anew.
//!
//! In:    bytes of a chunked body. Out: its data, its trailers.
//! Never: takes a bare line feed, a size with a sign or blanks, an extension of a client.
//! See:   RFC 9112 §7.1.

/// Most hexadecimal digits of a size: 60 bits.
const SIZE_DIGITS_MAX: u32 = 15;
/// Largest extension of a backend's chunk that is skipped. Bytes.
const EXTENSION_SIZE_MAX: usize = 256;
/// Largest trailers. Bytes.
const TRAILER_SIZE_MAX: usize = 8 * 1024;

/// How far a chunked body is.
pub(crate) struct Chunks {
    state: State,
    left: u64,
    digits: u32,
    skipped: usize,
    extensions: bool,
    /// The trailer lines, each with its end; without the blank line.
    trailers: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Extension,
    SizeEnd,
    Data,
    DataReturn,
    DataEnd,
    Trailer,
    Done,
}

/// What the front of the bytes is.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// So many bytes of framing, then so many of data.
    Data {
        /// Framing to skip.
        skip: usize,
        /// Data behind it.
        size: usize,
    },
    /// All is taken, more must come.
    More,
    /// The body ends after so many bytes.
    Done(usize),
}

/// Bytes that are no chunked body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadChunk;

impl Chunks {
    /// A body of a client: nothing besides sizes.
    pub(crate) fn strict() -> Self {
        Self {
            state: State::Size,
            left: 0,
            digits: 0,
            skipped: 0,
            extensions: false,
            trailers: Vec::new(),
        }
    }

    /// A body of a backend: extensions are skipped.
    pub(crate) fn lenient() -> Self {
        Self {
            extensions: true,
            ..Self::strict()
        }
    }

    /// Trailer lines, once done.
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Looks at the front; the caller takes what the step says ([`Step::More`]: everything).
    ///
    /// # Errors
    /// It is not a chunked body.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> Result<Step, BadChunk> {
        for (at, byte) in bytes.iter().enumerate() {
            match self.state {
                State::Data => {
                    let rest = (bytes.len() - at) as u64;
                    let size = rest.min(self.left);
                    self.left -= size;
                    if self.left == 0 {
                        self.state = State::DataReturn;
                    }
                    let size = usize::try_from(size).map_err(|_| BadChunk)?;
                    return Ok(Step::Data { skip: at, size });
                }
                State::Done => return Ok(Step::Done(at)),
                _ => self.frame(*byte)?,
            }
            if self.state == State::Done {
                return Ok(Step::Done(at + 1));
            }
        }
        Ok(Step::More)
    }

    fn frame(&mut self, byte: u8) -> Result<(), BadChunk> {
        self.state = match (self.state, byte) {
            (State::Size, b'\r') if self.digits > 0 => State::SizeEnd,
            (State::Size, b';' | b' ' | b'\t') if self.extensions && self.digits > 0 => {
                self.skipped = 0;
                State::Extension
            }
            (State::Size, digit) => {
                let value = char::from(digit).to_digit(16).ok_or(BadChunk)?;
                self.digits += 1;
                if self.digits > SIZE_DIGITS_MAX {
                    return Err(BadChunk);
                }
                self.left = self.left * 16 + u64::from(value);
                State::Size
            }
            (State::Extension, b'\r') => State::SizeEnd,
            (State::Extension, b'\n') => return Err(BadChunk),
            (State::Extension, _) => {
                self.skipped += 1;
                if self.skipped > EXTENSION_SIZE_MAX {
                    return Err(BadChunk);
                }
                State::Extension
            }
            (State::SizeEnd, b'\n') if self.left == 0 => State::Trailer,
            (State::SizeEnd, b'\n') => State::Data,
            (State::DataReturn, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => {
                self.digits = 0;
                State::Size
            }
            (State::Trailer, byte) => return self.trailer(byte),
            _ => return Err(BadChunk),
        };
        Ok(())
    }

    fn trailer(&mut self, byte: u8) -> Result<(), BadChunk> {
        self.trailers.push(byte);
        if self.trailers.len() > TRAILER_SIZE_MAX {
            return Err(BadChunk);
        }
        if byte == b'\n' {
            if !self.trailers.ends_with(b"\r\n") {
                return Err(BadChunk);
            }
            if self.trailers == b"\r\n" || self.trailers.ends_with(b"\r\n\r\n") {
                self.trailers.truncate(self.trailers.len() - 2);
                self.state = State::Done;
            }
        }
        Ok(())
    }
}

/// Fields that mean something before a body and must not come behind it (RFC 9110 §6.5.1).
const NOT_BEHIND: [&str; 14] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Trailer lines as they may go on.
///
/// # Errors
/// They are no header lines.
pub(crate) fn trailers_onward(lines: &[u8]) -> Result<Vec<u8>, BadChunk> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let text = [lines, b"\r\n"].concat();
    let mut room = [httparse::EMPTY_HEADER; 32];
    let read = httparse::parse_headers(&text, &mut room).map_err(|_| BadChunk)?;
    let httparse::Status::Complete((_, lines)) = read else {
        return Err(BadChunk);
    };
    let mut out = Vec::new();
    for line in lines {
        let name = line.name.replace('_', "-").to_ascii_lowercase();
        let ours = [
            "x-forwarded-",
            "x-anlauf-",
            "forwarded",
            "x-real-ip",
            "anlauf-pass",
        ];
        if NOT_BEHIND.contains(&name.as_str()) || ours.iter().any(|own| name.starts_with(own)) {
            continue;
        }
        out.extend_from_slice(line.name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(line.value);
        out.extend_from_slice(b"\r\n");
    }
    Ok(out)
}

/// Writes the size line of a chunk.
pub(crate) fn begin(out: &mut Vec<u8>, size: usize) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut shift = (usize::BITS - size.leading_zeros()).div_ceil(4).max(1) * 4;
    while shift > 0 {
        shift -= 4;
        if let Some(digit) = DIGITS.get((size >> shift) & 15) {
            out.push(*digit);
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests;
