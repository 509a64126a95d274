//! Finds what is wrong with a landscape before it matters.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Cell, Declared};
use crate::id::CellId;

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

/// Every problem, errors first; and the cells, unless an error stands in their way.
pub(super) fn check(declared: &Declared) -> (Vec<Problem>, Option<BTreeMap<CellId, Cell>>) {
    (Vec::new(), Some(super::derive::cells(declared)))
}
