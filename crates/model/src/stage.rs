//! How far a cell is open.
//!
//! In:    words. Out: [`Stage`], ordered from shut to open.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a cell is open. Ordered: a later variant lets more people through.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing passes.
    #[default]
    Closed,
    /// Only the provider's test network.
    CleanRoom,
    /// Only named testers of the tenant.
    Pilot,
    /// Everyone, with reduced function.
    Basic,
    /// Everyone, everything.
    Full,
}

impl Stage {
    /// All stages, from shut to open.
    pub const ALL: [Stage; 5] = [
        Stage::Closed,
        Stage::CleanRoom,
        Stage::Pilot,
        Stage::Basic,
        Stage::Full,
    ];

    /// The word used in files, statements and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Closed => "closed",
            Stage::CleanRoom => "clean_room",
            Stage::Pilot => "pilot",
            Stage::Basic => "basic",
            Stage::Full => "full",
        }
    }

    /// Whether insured people in general get an answer from the service.
    pub const fn is_public(self) -> bool {
        matches!(self, Stage::Basic | Stage::Full)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
