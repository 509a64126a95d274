//! The text of a message behind `DATA`, line by line.
//!
//! In:    bytes of the client, in pieces. Out: the text with its dots undone, up to a size.
//! Never: takes anything but CR LF for a line end (a server that did would see a second message
//!        inside the first); keeps more than was allowed.
//! See:   RFC 5321 §4.5.2, §2.3.8.

use super::TEXT_LINE_SIZE_MAX;

/// How far a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// More must be read.
    More,
    /// The ending dot.
    End,
    /// A bare carriage return or line feed, or a line without end.
    Bad,
}

/// A text that is under way.
#[derive(Debug)]
pub(super) struct Text {
    /// What is kept; nothing once it is over the limit.
    pub bytes: Vec<u8>,
    /// All that was read. Bytes.
    pub size: usize,
    size_max: usize,
}

impl Text {
    /// A text of so many bytes at most.
    pub fn new(size_max: usize) -> Self {
        Self {
            bytes: Vec::new(),
            size: 0,
            size_max,
        }
    }

    /// Whether it is too large, or was given up.
    pub fn is_over(&self) -> bool {
        self.size > self.size_max
    }

    /// Keeps nothing of it any more.
    pub fn give_up(&mut self) {
        self.bytes = Vec::new();
        self.size_max = 0;
        self.size = self.size.max(1);
    }

    /// Takes all whole lines from the front of what was read.
    pub fn take(&mut self, input: &mut Vec<u8>) -> Found {
        let mut at = 0;
        let found = loop {
            let rest = &input[at..];
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
                break match rest.len() > TEXT_LINE_SIZE_MAX {
                    true => Found::Bad,
                    false => Found::More,
                };
            };
            match (rest[end], rest.get(end + 1)) {
                (b'\r', Some(b'\n')) => {}
                (b'\r', None) => break Found::More,
                _ => break Found::Bad,
            }
            at += end + 2;
            match &rest[..end] {
                b"." => break Found::End,
                [b'.', line @ ..] => self.add(line),
                line => self.add(line),
            }
        };
        input.drain(..at);
        found
    }

    fn add(&mut self, line: &[u8]) {
        self.size = self.size.saturating_add(line.len() + 2);
        match self.is_over() {
            true => self.bytes = Vec::new(),
            false => {
                self.bytes.extend_from_slice(line);
                self.bytes.extend_from_slice(b"\r\n");
            }
        }
    }
}

#[cfg(test)]
mod tests;
