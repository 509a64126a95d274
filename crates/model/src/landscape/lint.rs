//! Finds what is wrong with a landscape before it matters.

use serde::Serialize;

/// Something wrong, or worth a look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Code with a page under `docs/errors/`: `AN-LAN-003`.
    pub code: &'static str,
    /// Whether it stops the landscape from being used.
    pub severity: Severity,
    /// What is wrong and what to do, one line, lower case.
    pub message: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Cannot be used.
    Error,
    /// Can be used; someone should look.
    Warning,
}
