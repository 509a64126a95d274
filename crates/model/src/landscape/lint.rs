//! Finds what is wrong with a landscape before it matters.
//!
//! In:    a [`Declared`] landscape, from files or from the ledger.
//! Out:   every [`Problem`] at once, errors first.
//! Never: changes anything; never stops at the first problem.
//! See:   docs/errors/, one page per code.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{Cell, Declared, derive};
use crate::id::CellId;

mod door;
mod emergency;
mod graph;
mod names;
mod offers;
mod quorum;
mod spot;
mod value;

pub use spot::{List, Spot};

/// Most problems of one severity that are told; more help nobody at once.
const PROBLEM_COUNT_MAX: usize = 200;

/// Most names in one message; the rest is counted.
const NAME_COUNT_MAX: usize = 5;

/// Most places of one problem that are shown.
const SPOT_COUNT_MAX: usize = 6;

/// Something wrong, or worth a look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Code with a page under `docs/errors/`: `AN-LAN-020`.
    pub code: &'static str,
    /// Whether it stops the landscape from being used.
    pub severity: Severity,
    /// What is wrong and what to do, one line, lower case.
    pub message: String,
    /// Which pieces it is about, the most important first. Empty for names that a file could not
    /// hold: files are refused for those, with the place, before anything is looked at as a whole.
    #[serde(skip)]
    pub spots: Vec<Spot>,
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

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)
    }
}

/// Everything worth saying about a landscape: errors first, then warnings.
pub fn lint(declared: &Declared) -> Vec<Problem> {
    check(declared).0
}

/// Every problem, and the cells unless an error stands in their way.
pub(super) fn check(declared: &Declared) -> (Vec<Problem>, Option<BTreeMap<CellId, Cell>>) {
    let mut problems = Problems::default();
    names::limits(declared, &mut problems);
    if problems.has_errors() {
        // Over a limit nothing else is looked at: it could take too long.
        return (problems.into_list(), None);
    }
    names::check(declared, &mut problems);
    value::check(declared, &mut problems);
    offers::check(declared, &mut problems);
    graph::cycles(declared, &mut problems);
    emergency::check(declared, &mut problems);
    if problems.has_errors() {
        return (problems.into_list(), None);
    }
    graph::times(declared, &mut problems);
    graph::single_points(declared, &mut problems);
    let cells = derive::cells(declared);
    door::check(declared, &cells, &mut problems);
    quorum::check(declared, &cells, &mut problems);
    (problems.into_list(), Some(cells))
}

/// Collects problems up to a number of each severity.
#[derive(Default)]
struct Problems {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    fn error(&mut self, code: &'static str, message: String, spots: impl AsRef<[Spot]>) {
        let severity = Severity::Error;
        push(&mut self.errors, (code, severity), message, spots.as_ref());
    }

    fn warn(&mut self, code: &'static str, message: String, spots: impl AsRef<[Spot]>) {
        let severity = Severity::Warning;
        push(
            &mut self.warnings,
            (code, severity),
            message,
            spots.as_ref(),
        );
    }

    fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    fn into_list(self) -> Vec<Problem> {
        self.errors.into_iter().chain(self.warnings).collect()
    }
}

fn push(
    list: &mut Vec<Problem>,
    (code, severity): (&'static str, Severity),
    message: String,
    spots: &[Spot],
) {
    if list.len() < PROBLEM_COUNT_MAX {
        list.push(Problem {
            code,
            severity,
            message,
            spots: spots.iter().copied().take(SPOT_COUNT_MAX).collect(),
        });
    }
}

/// Names for a sentence: `` `a`, `b` and 3 more ``.
fn named<T: fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match all.len().checked_sub(NAME_COUNT_MAX) {
        Some(more @ 1..) => format!("{} and {more} more", all[..NAME_COUNT_MAX].join(", ")),
        _ => all.join(", "),
    }
}

#[cfg(test)]
mod tests;
