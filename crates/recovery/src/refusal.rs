//! A no, with every reason and what would remove it.
//!
//! In:    checks. Out: [`Refusal`]. Never: empty.

use std::collections::BTreeSet;

use serde::Serialize;

/// Most reasons one refusal names; the rest is counted. Nobody reads 20,000 lines.
const REASON_COUNT_MAX: usize = 200;

/// The policy says no. Normal; shown kindly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, thiserror::Error)]
#[error("refused: {}", .reasons.iter().map(|r| r.message.as_str()).collect::<Vec<_>>().join("; "))]
pub struct Refusal {
    /// At least one.
    pub reasons: Vec<Reason>,
}

/// One reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Reason {
    /// Code with a page under `docs/errors/`: `AN-REC-004`.
    pub code: &'static str,
    /// What is wrong, one line, lower case.
    pub message: String,
    /// What would remove it, one line, lower case.
    pub remedy: String,
}

impl Refusal {
    /// A refusal with one reason.
    pub fn one(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            reasons: vec![Reason::new(code, message, remedy)],
        }
    }

    /// Ok when there is no reason, else the refusal with all of them, each said once.
    ///
    /// # Errors
    /// When `reasons` is not empty.
    pub fn unless_empty(reasons: Vec<Reason>) -> Result<(), Self> {
        if reasons.is_empty() {
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        let fresh = |reason: &Reason| seen.insert((reason.code, reason.message.clone()));
        let mut told: Vec<Reason> = reasons.into_iter().filter(fresh).collect();
        let untold = told.len().saturating_sub(REASON_COUNT_MAX);
        if untold > 0 {
            told.truncate(REASON_COUNT_MAX);
            let message = format!("and {untold} more reasons");
            told.push(Reason::new("AN-REC-007", message, "remove these first"));
        }
        Err(Self { reasons: told })
    }
}

impl Reason {
    /// A reason.
    pub fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl From<anlauf_trust::Refusal> for Refusal {
    fn from(refusal: anlauf_trust::Refusal) -> Self {
        let remedy = "correct the signed statement, or have it signed by whom the reason names";
        let reasons = refusal.reasons.into_iter();
        Self {
            reasons: reasons
                .map(|r| Reason::new(r.code, r.message, remedy))
                .collect(),
        }
    }
}
