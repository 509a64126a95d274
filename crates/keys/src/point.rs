//! Points of the two curves, and a token's word on its holder: the same for OpenSSH and passkeys.
//!
//! In:    a point's bytes, signed bytes, a raw signature, flags.
//! Out:   whether the signature holds; nothing, or the [`Flaw`].
//! Never: knows how a format wraps them; takes a point that is not on its curve.
//! See:   RFC 8032 §5.1.7, FIPS 186-5 §6.4.2, WebAuthn Level 2 §6.1.

use p256::ecdsa::signature::Verifier as _;

use crate::key::{Flaw, ed25519_key};

/// Flags a token reports (authenticator data): a person touched it.
pub(crate) const FLAG_PRESENT: u8 = 0x01;
/// The person proved to be its holder, by PIN or finger.
pub(crate) const FLAG_VERIFIED: u8 = 0x04;

/// A sound public key.
#[derive(Debug)]
pub(crate) enum Point {
    Ed25519(ed25519_dalek::VerifyingKey),
    P256(p256::ecdsa::VerifyingKey),
}

impl Point {
    /// A point of Ed25519 from its 32 bytes.
    pub(crate) fn ed25519(bytes: &[u8]) -> Option<Self> {
        Some(Self::Ed25519(ed25519_key(bytes.try_into().ok()?)?))
    }

    /// A point of P-256 from its 65 bytes, uncompressed.
    pub(crate) fn p256(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 65] = bytes.try_into().ok()?;
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()?;
        Some(Self::P256(key))
    }

    /// The curve point, uncompressed for P-256.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Point::Ed25519(key) => key.to_bytes().to_vec(),
            Point::P256(key) => key.to_sec1_bytes().to_vec(),
        }
    }

    /// Whether a raw signature is over the bytes; `numbers` reads the two of ECDSA as the format
    /// writes them.
    pub(crate) fn holds(
        &self,
        signed: &[u8],
        raw: &[u8],
        numbers: fn(&[u8]) -> Option<p256::ecdsa::Signature>,
    ) -> bool {
        match self {
            Point::Ed25519(key) => ed25519_dalek::Signature::from_slice(raw)
                .is_ok_and(|sig| key.verify_strict(signed, &sig).is_ok()),
            Point::P256(key) => numbers(raw).is_some_and(|sig| key.verify(signed, &sig).is_ok()),
        }
    }
}

/// Whether a token was touched, and asked its holder where the scheme demands it.
pub(crate) fn held(flags: u8, is_verifying: bool) -> Result<(), Flaw> {
    match is_verifying {
        _ if flags & FLAG_PRESENT == 0 => Err(Flaw::Untouched),
        true if flags & FLAG_VERIFIED == 0 => Err(Flaw::Unverified),
        _ => Ok(()),
    }
}
