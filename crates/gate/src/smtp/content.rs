//! The text of a message on its way through, piece by piece.
//!
//! In:    bytes behind `DATA` or of a `BDAT`.
//! Out:   which of them may go on, or how they go on behind a `DATA`; where the message ends.
//! Never: keeps more than one line end; takes anything but CR LF for one (a server that did would
//!        see a second message inside the first); lets the ending dot itself through.
//! See:   RFC 5321 §4.5.2 (dots), §2.3.8 (line ends); RFC 3030 (chunks).

use memchr::memchr2;

use crate::limits::TEXT_LINE_SIZE_MAX;

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// A bare carriage return or line feed.
    LineEnd,
    /// A line beyond every limit.
    LineLength,
}

/// How far a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// More must be read.
    More,
    /// The ending dot stands behind what may go on; so many bytes belong to it.
    End(usize),
    /// Nothing of it may go on.
    Bad(Bad),
}

/// A message behind `DATA`: its bytes may go on as they are.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Bytes of the line that has begun.
    line_size: usize,
}

/// A message in chunks: it goes on with its dots doubled.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    line_size: usize,
    /// Whether the last byte was a carriage return, which is kept back.
    is_returned: bool,
}

// === impl Content ===

impl Content {
    /// How many bytes from the front may go on, and what stands behind them.
    pub fn look(&mut self, bytes: &[u8]) -> (usize, Found) {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if self.line_size == 0 && rest.first() == Some(&b'.') {
                match (rest.get(1), rest.get(2)) {
                    (Some(b'\r'), Some(b'\n')) => return (at, Found::End(3)),
                    (None, _) | (Some(b'\r'), None) => return (at, Found::More),
                    _ => {}
                }
            }
            let Some(end) = memchr2(b'\r', b'\n', rest) else {
                self.line_size += rest.len();
                return match self.line_size > TEXT_LINE_SIZE_MAX {
                    true => (at, Found::Bad(Bad::LineLength)),
                    false => (bytes.len(), Found::More),
                };
            };
            if self.line_size + end > TEXT_LINE_SIZE_MAX {
                return (at, Found::Bad(Bad::LineLength));
            }
            match (rest.get(end), rest.get(end + 1)) {
                (Some(b'\r'), Some(b'\n')) => {
                    at += end + 2;
                    self.line_size = 0;
                }
                (Some(b'\r'), None) => {
                    self.line_size += end;
                    return (at + end, Found::More);
                }
                _ => return (at, Found::Bad(Bad::LineEnd)),
            }
        }
    }
}

// === impl Chunks ===

impl Chunks {
    /// Writes what goes on of the bytes.
    ///
    /// # Errors
    /// Nothing of the message may go on.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
        while let Some(first) = bytes.first() {
            if self.is_returned {
                if *first != b'\n' {
                    return Err(Bad::LineEnd);
                }
                out.extend_from_slice(b"\r\n");
                bytes = bytes.get(1..).unwrap_or_default();
                (self.line_size, self.is_returned) = (0, false);
                continue;
            }
            let end = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
            let (text, rest) = bytes.split_at(end);
            if self.line_size == 0 && text.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(text);
            self.line_size += end;
            if self.line_size > TEXT_LINE_SIZE_MAX {
                return Err(Bad::LineLength);
            }
            bytes = match rest.split_first() {
                None => rest,
                Some((b'\r', rest)) => {
                    self.is_returned = true;
                    rest
                }
                Some(_) => return Err(Bad::LineEnd),
            };
        }
        Ok(())
    }

    /// Ends the last line, if the client did not.
    ///
    /// # Errors
    /// It ends in half a line end.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Bad> {
        if self.is_returned {
            return Err(Bad::LineEnd);
        }
        if self.line_size > 0 {
            out.extend_from_slice(b"\r\n");
            self.line_size = 0;
        }
        Ok(())
    }
}
