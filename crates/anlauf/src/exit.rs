//! Why a command was not done, and the exit code that says so.
//!
//! In:    what went wrong. Out: [`Failure`] with its [`Code`], its words and its JSON.
//! Never: one code for two meanings; a refusal without every reason and what would remove it.
//! See:   docs/guide/cli.md, "Exit codes".

use std::process::ExitCode;

use anlauf_store::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Result of every command.
pub type Done<T = ()> = Result<T, Failure>;

/// What an exit code means. The numbers are part of the interface and never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Code {
    /// The world failed: a disk, an address, a bug.
    Failed = 1,
    /// The command line cannot be understood, or lacks a reason.
    Usage = 2,
    /// The rules say no. Nothing was changed.
    Refused = 3,
    /// The control plane does not answer. Whether it was done shows by sending the same key again.
    Unreachable = 4,
    /// A ledger that cannot be trusted, belongs to somebody else, or can no longer be written.
    Ledger = 5,
    /// Files that cannot be used: a landscape, a key, an envelope.
    Input = 6,
    /// No login, or there is no such thing for this login.
    Login = 7,
    /// Nobody typed yes. Nothing was changed.
    Unconfirmed = 8,
    /// A step of the first start is missing.
    Missing = 9,
}

/// Every code with its meaning, for people.
pub const CODES: [(u8, &str); 10] = [
    (0, "done"),
    (1, "failed: a disk, an address, a fault of this program"),
    (
        2,
        "usage: the command line cannot be understood, or no --reason was given",
    ),
    (
        3,
        "refused by the rules; every reason is printed, nothing was changed",
    ),
    (
        4,
        "the control plane does not answer; send it again with the same --key",
    ),
    (
        5,
        "the ledger is broken, of another domain, held, or can no longer be written",
    ),
    (
        6,
        "bad input: a landscape, key, envelope or proof that cannot be used",
    ),
    (7, "no login, or there is no such thing for this login"),
    (8, "nobody typed yes; nothing was changed"),
    (9, "a step of the first start is missing; it is named"),
];

/// One reason of a refusal, as the API tells it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// Code with a page under `docs/errors/`.
    #[serde(default)]
    pub code: String,
    /// What is wrong.
    #[serde(default)]
    pub message: String,
    /// What would remove it.
    #[serde(default)]
    pub remedy: String,
}

/// A command that was not done.
#[derive(Debug)]
pub struct Failure {
    /// What it means.
    pub code: Code,
    /// In words, one or more lines, lower case.
    pub message: String,
    /// Of a refusal: every reason.
    pub reasons: Vec<Reason>,
    /// Nobody reads the result any longer: no failure to tell anybody of.
    pub unheard: bool,
}

impl Failure {
    /// A failure with a meaning and words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            reasons: Vec::new(),
            unheard: false,
        }
    }

    /// A result that could not be written.
    pub fn unwritten(error: std::io::Error) -> Self {
        let unheard = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            unheard,
            ..Self::from(error)
        }
    }

    /// Files that cannot be used.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Code::Input, message)
    }

    /// A step that is missing.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::new(Code::Missing, message)
    }

    /// The command line cannot be understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// A no with its reasons.
    pub fn refused(reasons: Vec<Reason>) -> Self {
        Self {
            code: Code::Refused,
            message: "refused; nothing was changed".to_owned(),
            reasons,
            unheard: false,
        }
    }

    /// The same failure, read as a fault of the given files.
    pub fn as_input(&self) -> Self {
        Self {
            code: Code::Input,
            message: self.message.clone(),
            reasons: self.reasons.clone(),
            unheard: self.unheard,
        }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code as u8)
    }

    /// As people read it on stderr.
    pub fn to_text(&self) -> String {
        let mut lines = vec![format!("anlauf: {}", self.message)];
        for reason in &self.reasons {
            lines.push(format!("  {} {}", reason.code, reason.message));
            if !reason.remedy.is_empty() {
                lines.push(format!("    -> {}", reason.remedy));
            }
        }
        lines.join("\n")
    }

    /// As programs read it on stderr: one line.
    pub fn to_json(&self) -> String {
        json!({
            "error": self.message,
            "exit": self.code as u8,
            "reasons": self.reasons,
        })
        .to_string()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(Code::Failed, format!("{error:#}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = error.code();
        let message = format!("{:#} ({code})", anyhow::Error::from(error));
        Self::new(Code::Ledger, message)
    }
}

impl From<anlauf_trust::Refusal> for Failure {
    fn from(refusal: anlauf_trust::Refusal) -> Self {
        anlauf_recovery::Refusal::from(refusal).into()
    }
}

impl From<anlauf_recovery::Refusal> for Failure {
    fn from(refusal: anlauf_recovery::Refusal) -> Self {
        let reasons = refusal.reasons.into_iter().map(|reason| Reason {
            code: reason.code.to_string(),
            message: reason.message,
            remedy: reason.remedy,
        });
        Self::refused(reasons.collect())
    }
}
