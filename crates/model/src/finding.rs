//! Pieces of evidence and their verdicts.
//!
//! In:    words. Out: [`FindingKind`], [`Verdict`].
//! See:   BSI IT-Grundschutz DER.2.1.A6, DER.2.3.A2–A7 (2022 edition): the standard set.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Role;

/// What a finding speaks about.
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
pub enum FindingKind {
    /// Forensics has examined the cell's systems for change (DER.2.1.A6, DER.2.3.A2).
    ForensicsVerdict,
    /// The restore point is proven unaffected and the rebuild rests on it (DER.2.1.A6).
    BackupClean,
    /// A sweep for indicators of compromise found nothing (DER.2.3.A5).
    ScanClean,
    /// All credentials were changed after isolation (DER.2.3.A4).
    CredentialsRotated,
    /// Functional tests passed (DER.2.1.A6).
    FunctionTested,
    /// The tenant's own people tested and accepted (DER.2.1.A6: users must take part).
    TenantAccepted,
    /// The entry path of the attack is closed; speaks for the whole incident (DER.2.3.A5).
    EntryPathClosed,
    /// The cell was in ordinary, accepted operation before any incident.
    Commissioned,
}

impl FindingKind {
    /// All kinds.
    pub const ALL: [FindingKind; 8] = [
        FindingKind::ForensicsVerdict,
        FindingKind::BackupClean,
        FindingKind::ScanClean,
        FindingKind::CredentialsRotated,
        FindingKind::FunctionTested,
        FindingKind::TenantAccepted,
        FindingKind::EntryPathClosed,
        FindingKind::Commissioned,
    ];

    /// Whether a role brings findings of this kind by itself. The tenant's own word comes with its
    /// acceptance, never as a finding.
    pub const fn is_brought_by(self, role: Role) -> bool {
        match self {
            FindingKind::TenantAccepted => false,
            FindingKind::EntryPathClosed => matches!(role, Role::Forensics | Role::Security),
            FindingKind::Commissioned => matches!(role, Role::Security),
            _ => matches!(role, Role::Security | Role::Forensics | Role::Automation),
        }
    }

    /// The word used in files, statements and the API.
    pub const fn word(self) -> &'static str {
        match self {
            FindingKind::ForensicsVerdict => "forensics_verdict",
            FindingKind::BackupClean => "backup_clean",
            FindingKind::ScanClean => "scan_clean",
            FindingKind::CredentialsRotated => "credentials_rotated",
            FindingKind::FunctionTested => "function_tested",
            FindingKind::TenantAccepted => "tenant_accepted",
            FindingKind::EntryPathClosed => "entry_path_closed",
            FindingKind::Commissioned => "commissioned",
        }
    }

    /// Whether it speaks for the whole incident instead of one cell.
    pub const fn is_incident_wide(self) -> bool {
        matches!(self, FindingKind::EntryPathClosed)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What a finding says.
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
pub enum Verdict {
    /// Clear.
    Pass,
    /// Not clear.
    Fail,
}
