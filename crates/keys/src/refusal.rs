//! A no, with every reason and its code.
//!
//! In:    checks. Out: [`Refusal`], [`Reason`].
//! Never: empty; never outside text that could forge a line.

use std::fmt;

/// A no, with every reason at once.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("refused: {}", .reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Refusal {
    /// At least one.
    pub reasons: Vec<Reason>,
}

/// One reason, with its code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    /// Code with a page under `docs/errors/`: `AN-TRU-004`.
    pub code: &'static str,
    /// What is wrong, one line, lower case, outside input in backticks.
    pub message: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl Refusal {
    /// A refusal with one reason.
    pub fn one(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            reasons: vec![Reason::new(code, message)],
        }
    }

    /// Ok when there is no reason, else the refusal with all of them.
    pub fn unless_empty(reasons: Vec<Reason>) -> Result<(), Self> {
        if reasons.is_empty() {
            Ok(())
        } else {
            Err(Self { reasons })
        }
    }

    /// Whether one of the reasons has this code.
    pub fn has(&self, code: &str) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self {
            reasons: vec![reason],
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// Outside text as one line of at most `size_max` characters: nothing in it can move the cursor,
/// turn the direction of writing or end the line.
pub fn plain(text: &str, size_max: usize) -> String {
    let turns = |c: char| {
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{61c}' | '\u{feff}')
    };
    let safe = |c: char| match c {
        '\n' | '\t' | '\r' => ' ',
        c if c.is_control() || turns(c) => '\u{fffd}',
        c => c,
    };
    text.chars().take(size_max).map(safe).collect()
}
