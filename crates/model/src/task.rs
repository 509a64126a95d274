//! The steps that bring a cell back, in their order.
//!
//! In:    words, hours. Out: [`TaskKind`], [`ThreePoint`].
//! See:   BSI IT-Grundschutz DER.2.1.A6 for the order of steps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::finding::FindingKind;
use crate::time::Minutes;

/// A step of the recovery of one cell. Ordered: a cell's tasks run one after another in this order.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Forensics secures and judges evidence.
    Evidence,
    /// Restore in isolation, or rebuild.
    Rebuild,
    /// Sweep for indicators of compromise.
    Scan,
    /// Rotate credentials.
    Credentials,
    /// Functional test by the provider.
    FunctionTest,
    /// Acceptance by the tenant's own people, in `pilot` where the service has that stage.
    Acceptance,
    /// What was done in emergency operation is taken over; only while that is open.
    Return,
    /// The governing body decides on the release.
    Decision,
}

impl TaskKind {
    /// All kinds, in order.
    pub const ALL: [TaskKind; 8] = [
        TaskKind::Evidence,
        TaskKind::Rebuild,
        TaskKind::Scan,
        TaskKind::Credentials,
        TaskKind::FunctionTest,
        TaskKind::Acceptance,
        TaskKind::Return,
        TaskKind::Decision,
    ];

    /// The word used in files and the API.
    pub const fn word(self) -> &'static str {
        match self {
            TaskKind::Evidence => "evidence",
            TaskKind::Rebuild => "rebuild",
            TaskKind::Scan => "scan",
            TaskKind::Credentials => "credentials",
            TaskKind::FunctionTest => "function_test",
            TaskKind::Acceptance => "acceptance",
            TaskKind::Return => "return",
            TaskKind::Decision => "decision",
        }
    }

    /// The finding that the finished task yields; return and decision yield none.
    pub const fn finding(self) -> Option<FindingKind> {
        match self {
            TaskKind::Evidence => Some(FindingKind::ForensicsVerdict),
            TaskKind::Rebuild => Some(FindingKind::BackupClean),
            TaskKind::Scan => Some(FindingKind::ScanClean),
            TaskKind::Credentials => Some(FindingKind::CredentialsRotated),
            TaskKind::FunctionTest => Some(FindingKind::FunctionTested),
            TaskKind::Acceptance => Some(FindingKind::TenantAccepted),
            TaskKind::Return | TaskKind::Decision => None,
        }
    }

    /// The task whose finding this is; none for findings that no task yields.
    pub fn yielding(kind: FindingKind) -> Option<TaskKind> {
        Self::ALL
            .into_iter()
            .find(|task| task.finding() == Some(kind))
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An estimate of work in three points. Minutes of work, optimistic ≤ likely ≤ pessimistic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ThreePoint {
    /// If all goes well.
    pub optimistic: Minutes,
    /// Most likely.
    pub likely: Minutes,
    /// If much goes wrong.
    pub pessimistic: Minutes,
}

impl ThreePoint {
    /// The mean of the beta-PERT distribution, (o + 4·l + p) / 6, at least one minute.
    pub fn mean(self) -> Minutes {
        let sum = self.optimistic.0 + 4 * self.likely.0 + self.pessimistic.0;
        Minutes((sum / 6).max(1))
    }

    /// Scales every point by `per_mille` / 1000, each at least one minute.
    pub fn scaled(self, per_mille: u32) -> Self {
        let scale = |m: Minutes| Minutes((m.0 * i64::from(per_mille) / 1000).max(1));
        Self {
            optimistic: scale(self.optimistic),
            likely: scale(self.likely),
            pessimistic: scale(self.pessimistic),
        }
    }
}
