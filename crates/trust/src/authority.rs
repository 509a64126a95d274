//! The verified chain of roots and policies: what a gate pins and keeps.

use anlauf_model::{Digest, Timestamp};

use crate::envelope::Envelope;
use crate::statement::{Policy, Root};
use crate::verify::Refusal;

/// The current root and policy, both verified.
#[derive(Clone, PartialEq, Debug)]
pub struct Authority {
    pub(crate) root: Root,
    pub(crate) policy: Option<(Digest, Policy)>,
}

impl Authority {
    /// Starts from a pinned first root: its envelope must have exactly this digest and satisfy itself.
    ///
    /// # Errors
    /// Another digest, a bad quorum, an expired or malformed root.
    pub fn pinned(_root: &Envelope, _pin: &Digest, _now: Timestamp) -> Result<Self, Refusal> {
        unimplemented!()
    }

    /// Goes on to the next root: version +1, same domain, thresholds of both.
    ///
    /// # Errors
    /// Anything else; `self` is unchanged then.
    pub fn advance_root(&mut self, _root: &Envelope, _now: Timestamp) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// Adopts the next policy: version +1 (or the first), signed by the root's threshold.
    ///
    /// # Errors
    /// Anything else; `self` is unchanged then.
    pub fn adopt_policy(&mut self, _policy: &Envelope, _now: Timestamp) -> Result<(), Refusal> {
        unimplemented!()
    }

    /// The current root.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The current policy and its digest, if one was adopted.
    pub fn policy(&self) -> Option<(&Digest, &Policy)> {
        self.policy.as_ref().map(|(digest, policy)| (digest, policy))
    }
}
