//! What a person may do.
//!
//! In:    words. Out: [`Role`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person, or an automation, acts as.
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
pub enum Role {
    /// Runs the recovery at the provider; plans, contains, announces.
    Operator,
    /// Information security of the provider; clears findings, signs releases.
    Security,
    /// Owns a service at the provider; signs releases of it.
    Owner,
    /// Named representative of a tenant; wishes, agrees, accepts, signs for its own cells only.
    Tenant,
    /// Outside forensics; adds findings, signs foundation and shared releases.
    Forensics,
    /// Reads everything, changes nothing.
    Auditor,
    /// The control plane or a collector itself; may sign closings and findings, never openings.
    Automation,
    /// A gate that reports and reads its feed.
    Gate,
    /// Anyone; sees the public status page only.
    Public,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 9] = [
        Role::Operator,
        Role::Security,
        Role::Owner,
        Role::Tenant,
        Role::Forensics,
        Role::Auditor,
        Role::Automation,
        Role::Gate,
        Role::Public,
    ];

    /// The word used in files, statements and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Security => "security",
            Role::Owner => "owner",
            Role::Tenant => "tenant",
            Role::Forensics => "forensics",
            Role::Auditor => "auditor",
            Role::Automation => "automation",
            Role::Gate => "gate",
            Role::Public => "public",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
