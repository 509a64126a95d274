//! Bytes of a file as text, with the encoding checked and named when it is wrong.
//!
//! In:    bytes. Out: [`Source`], or one error that says which encoding it probably is.

use std::ops::Range;

use super::check_size;
use super::error::{Errors, SourceError};

/// One file as text.
pub(super) struct Source<'a> {
    /// File name.
    pub(super) name: &'static str,
    /// Its text.
    pub(super) text: &'a str,
}

impl<'a> Source<'a> {
    /// Checks size and encoding.
    pub(super) fn open(name: &'static str, bytes: &'a [u8], errors: &mut Errors) -> Option<Self> {
        if let Err(error) = check_size(name, bytes.len() as u64) {
            errors.push(error);
            return None;
        }
        if let Some(encoding) = encoding_marked(bytes) {
            let message = format!("the file is encoded as {encoding}, expected plain UTF-8");
            errors.push(SourceError::of_file(
                "AN-LAN-004",
                name,
                message,
                "save it as UTF-8 without byte order mark",
            ));
            return None;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Self { name, text }),
            Err(error) => {
                errors.push(not_utf8(name, bytes, error.valid_up_to()));
                None
            }
        }
    }

    /// Line and column, both from 1, and the bytes of the line without its end.
    pub(super) fn line_at(&self, at: usize) -> (usize, usize, Range<usize>) {
        let bytes = self.text.as_bytes();
        // A place behind the last line end (a key missing at the end of a file) is shown on the
        // last line that has text.
        let end = self.text.trim_end().len();
        let at = at.min(if at >= self.text.len() {
            end
        } else {
            self.text.len()
        });
        let start = bytes[..at]
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(0, |n| n + 1);
        let stop = bytes[at..]
            .iter()
            .position(|b| *b == b'\n')
            .map_or(bytes.len(), |n| at + n);
        let stop = if stop > start && bytes[stop - 1] == b'\r' {
            stop - 1
        } else {
            stop
        };
        let line = bytes[..start].iter().filter(|b| **b == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&bytes[start..at]).chars().count() + 1;
        (line, column, start..stop.max(start))
    }
}

/// Encodings that show themselves in the first bytes.
fn encoding_marked(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] => Some("UTF-16 (little endian)"),
        [0xfe, 0xff, ..] => Some("UTF-16 (big endian)"),
        [0xef, 0xbb, 0xbf, ..] => Some("UTF-8 with a byte order mark"),
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => Some("UTF-16 (little endian)"),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => Some("UTF-16 (big endian)"),
        _ => None,
    }
}

fn not_utf8(name: &'static str, bytes: &[u8], at: usize) -> SourceError {
    let before = &bytes[..at];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |n| n + 1);
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    let byte = bytes.get(at).copied().unwrap_or(0);
    let guess = match byte {
        0xe4 | 0xf6 | 0xfc | 0xdf | 0xc4 | 0xd6 | 0xdc | 0x80..=0x9f => {
            ", probably Windows-1252 (Latin-1)"
        }
        _ => "",
    };
    let message = format!(
        "the file is not UTF-8{guess}: byte {byte:#04x} at line {line}, column {column} is no \
         character"
    );
    let mut error = SourceError::of_file(
        "AN-LAN-004",
        name,
        message,
        "save it as UTF-8 without byte order mark",
    );
    (error.line, error.column) = (line, column);
    error
}
