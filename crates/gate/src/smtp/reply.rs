//! Answers: the gate's own, and those of a cell's server on their way to the client.
//!
//! In:    code, enhanced code, words. Out: lines.
//! Never: a line end or control character out of somebody else's words; an answer without an
//!        enhanced code where one is announced.
//! See:   RFC 5321 §4.2; RFC 2034, RFC 3463 (enhanced codes).

use smtp_proto::Response;

/// Most words of one line. Bytes: RFC 5321 §4.5.3.1.5 allows 512 with code and line end.
const WORDS_SIZE_MAX: usize = 480;

/// Most lines of an answer that are handed on.
const LINE_COUNT_MAX: usize = 20;

/// An answer to a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// As RFC 5321 has it.
    pub code: u16,
    enhanced: String,
    lines: Vec<String>,
}

impl Reply {
    /// The gate's own; `enhanced` is empty where none belongs (greetings, `354`).
    pub fn own(code: u16, enhanced: &str, words: &str) -> Self {
        Self {
            code,
            enhanced: enhanced.to_owned(),
            lines: vec![clean(words)],
        }
    }

    /// The answer to `EHLO`.
    pub fn hello(name: &str, offers: &[String]) -> Self {
        let first = std::iter::once(name.to_owned());
        Self {
            code: 250,
            enhanced: String::new(),
            lines: first.chain(offers.iter().cloned()).collect(),
        }
    }

    /// What the cell's server said.
    pub fn theirs(response: &Response<String>) -> Self {
        let class = response.code / 100;
        let [first, second, third] = response.esc;
        // A code of another class would say two things at once.
        let enhanced = match u16::from(first) == class {
            true => format!("{first}.{second}.{third}"),
            false => format!("{class}.0.0"),
        };
        let lines = response.message.lines().take(LINE_COUNT_MAX).map(clean);
        Self {
            code: response.code,
            enhanced,
            lines: lines.collect(),
        }
    }

    /// Whether the sender may take it for done.
    pub fn is_yes(&self) -> bool {
        self.code / 100 == 2
    }

    /// As it goes over the line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let blank = [String::new()];
        let lines = match self.lines.as_slice() {
            [] => &blank[..],
            lines => lines,
        };
        for (index, words) in lines.iter().enumerate() {
            let mark = if index + 1 == lines.len() { ' ' } else { '-' };
            let gap = if self.enhanced.is_empty() { "" } else { " " };
            let text = format!("{}{mark}{}{gap}{words}\r\n", self.code, self.enhanced);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn clean(words: &str) -> String {
    let mut clean: String = words.chars().filter(|c| !c.is_control()).collect();
    let mut size = clean.len().min(WORDS_SIZE_MAX);
    while !clean.is_char_boundary(size) {
        size -= 1;
    }
    clean.truncate(size);
    clean
}
