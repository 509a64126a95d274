//! Judges releases and closings.

use anlauf_model::landscape::{CellKind, Class};
use anlauf_model::{CellId, Epoch, TenantId, Timestamp};

use crate::authority::Authority;
use crate::envelope::Envelope;
use crate::statement::{Close, Release};

/// What the verifier must know of a cell, from the signed gate table and its own records.
#[derive(Clone, PartialEq, Debug)]
pub struct CellFacts {
    /// Protection.
    pub class: Class,
    /// Kind.
    pub kind: CellKind,
    /// Whose, for tenant cells.
    pub tenant: Option<TenantId>,
    /// Highest epoch this cell was ever opened or closed at.
    pub epoch: Epoch,
}

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

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

/// A release whose quorum was verified. Private fields: only this crate makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedRelease {
    release: Release,
}

/// A close whose signature was verified.
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedClose {
    close: Close,
}

impl VerifiedRelease {
    /// The statement.
    pub fn release(&self) -> &Release {
        &self.release
    }
}

impl VerifiedClose {
    /// The statement.
    pub fn close(&self) -> &Close {
        &self.close
    }
}

impl Authority {
    /// Judges a release: all its cells pass, or none.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn check_release(
        &self,
        _envelope: &Envelope,
        _facts: &dyn Fn(&CellId) -> Option<CellFacts>,
        _now: Timestamp,
    ) -> Result<VerifiedRelease, Refusal> {
        unimplemented!()
    }

    /// Judges a close: one valid signature of anyone who may close this scope.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn check_close(
        &self,
        _envelope: &Envelope,
        _facts: &dyn Fn(&CellId) -> Option<CellFacts>,
        _now: Timestamp,
    ) -> Result<VerifiedClose, Refusal> {
        unimplemented!()
    }
}
