//! Keys and whose they are.

use std::fmt;
use std::str::FromStr;

use anlauf_model::{OrganisationId, PersonId, Role, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// Name of a key: first 16 bytes of SHA-256 over `scheme:public`, as 32 hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// How a signature of this key is made. The record says so, never the envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Raw Ed25519 over the pre-authentication encoding (RFC 8032), software key.
    Ed25519,
}

/// A public key, in hex; 32 bytes for Ed25519.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(pub String);

/// A key, whose it is and what it may do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Must equal the id computed from scheme and public key.
    pub id: KeyId,
    /// How it signs.
    pub scheme: Scheme,
    /// The key.
    pub public: PublicKey,
    /// Who holds it. Thresholds count persons, not keys.
    pub person: PersonId,
    /// Whom the person belongs to.
    pub organisation: OrganisationId,
    /// The one role this person acts in.
    pub role: Role,
    /// For role `tenant`: the only tenant whose cells it may sign for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid from here on.
    pub not_after: Timestamp,
}

/// Something that holds a secret key and signs. The shell gives it a seed; the core makes none.
pub struct Signer {
    pub(crate) key: ed25519_dalek::SigningKey,
}
