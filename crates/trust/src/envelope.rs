//! A DSSE envelope: payload bytes and signatures over their pre-authentication encoding.
//!
//! See: DSSE protocol v1.0.2 (secure-systems-lab/dsse, `protocol.md`).

use anlauf_model::Digest;

use crate::key::KeyId;

/// Payload type of every statement (in-toto attestation framework, envelope layer).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Parsed envelope. The payload is the exact bytes that were signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The statement, as signed.
    pub payload: Vec<u8>,
    /// In the order they came; may hold duplicates and strangers: counting is `quorum`'s.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// Which key claims to have made it; only a hint to find the record.
    pub keyid: KeyId,
    /// Signature bytes; their form is set by the key record's scheme, never by the envelope.
    pub sig: Vec<u8>,
}

impl Envelope {
    /// An envelope nobody has signed yet.
    pub fn unsigned(payload: Vec<u8>) -> Self {
        Self { payload, signatures: Vec::new() }
    }

    /// The name of what is signed: SHA-256 over the pre-authentication encoding.
    pub fn digest(&self) -> Digest {
        Digest::of(&pae(&self.payload))
    }
}

/// Pre-authentication encoding: `DSSEv1 <len(type)> <type> <len(payload)> <payload>`.
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let mut out =
        format!("DSSEv1 {} {} {} ", PAYLOAD_TYPE.len(), PAYLOAD_TYPE, payload.len()).into_bytes();
    out.extend_from_slice(payload);
    out
}
