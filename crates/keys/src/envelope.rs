//! A DSSE envelope: payload bytes and signatures over their pre-authentication encoding.
//!
//! In:    JSON text from outside, at most `ENVELOPE_SIZE_MAX` bytes.
//! Out:   an [`Envelope`], or why not. Stable text again.
//! Never: judges a signature; accepts a field, a key or a form of base64 it does not know.
//! See:   DSSE protocol v1.0.2 (secure-systems-lab/dsse, `protocol.md`), docs/formats/statement.md.

use anlauf_model::Digest;
use anlauf_model::limits::{ENVELOPE_SIZE_MAX, SIGNATURE_COUNT_MAX};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::key::KeyId;
use crate::refusal::{Refusal, plain};
use crate::strict;

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

/// The JSON form, field by field in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureForm {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// An envelope nobody has signed yet.
    pub fn unsigned(payload: Vec<u8>) -> Self {
        Self {
            payload,
            signatures: Vec::new(),
        }
    }

    /// Parses the JSON form strictly.
    ///
    /// # Errors
    /// Too large, not JSON, a key twice, an unknown or missing field, another payload type, base64
    /// that is not the one standard form, a key id that is none, too many signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > ENVELOPE_SIZE_MAX {
            return Err(too_large(bytes.len()));
        }
        let form: Form = strict::parse(bytes).map_err(|why| {
            Refusal::one(
                "AN-TRU-002",
                format!("the envelope is malformed: {why}; send it again"),
            )
        })?;
        Self::from_form(&form)
    }

    /// The JSON form; the same envelope always yields the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and lists always serialise")
    }

    /// The name of what is signed: SHA-256 over the pre-authentication encoding.
    pub fn digest(&self) -> Digest {
        Digest::of(&pae(&self.payload))
    }

    fn from_form(form: &Form) -> Result<Self, Refusal> {
        if form.payload_type != PAYLOAD_TYPE {
            let got = plain(&form.payload_type, 80);
            let message = format!("payload type is `{got}`; this verifier reads `{PAYLOAD_TYPE}`");
            return Err(Refusal::one("AN-TRU-003", message));
        }
        if form.signatures.len() > SIGNATURE_COUNT_MAX {
            let count = form.signatures.len();
            let message =
                format!("{count} signatures, at most {SIGNATURE_COUNT_MAX} are read; send fewer");
            return Err(Refusal::one("AN-TRU-004", message));
        }
        let payload = decode(&form.payload, "payload")?;
        if payload.len() > ENVELOPE_SIZE_MAX {
            return Err(too_large(payload.len()));
        }
        let signature = |form: &SignatureForm| {
            let keyid: KeyId = form.keyid.parse().expect("any text is taken");
            if !keyid.is_wellformed() {
                let message = "a key id is not 32 hex digits; send the envelope as it was signed";
                return Err(Refusal::one("AN-TRU-002", message));
            }
            Ok(Signature {
                keyid,
                sig: decode(&form.sig, "signature")?,
            })
        };
        let signatures = form
            .signatures
            .iter()
            .map(signature)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            payload,
            signatures,
        })
    }
}

fn too_large(size: usize) -> Refusal {
    let message =
        format!("{size} bytes, an envelope holds at most {ENVELOPE_SIZE_MAX}; split the wave");
    Refusal::one("AN-TRU-001", message)
}

fn decode(text: &str, what: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| {
        let message = format!("the {what} is not standard base64 with padding; send it again");
        Refusal::one("AN-TRU-002", message)
    })
}

impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let signature = |one: &Signature| SignatureForm {
            keyid: one.keyid.to_string(),
            sig: STANDARD.encode(&one.sig),
        };
        let form = Form {
            payload: STANDARD.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: self.signatures.iter().map(signature).collect(),
        };
        form.serialize(s)
    }
}

impl<'de> Deserialize<'de> for Envelope {
    /// The same strict form inside a larger body. Equal keys are refused here too: the derived
    /// reader of a struct refuses a field that comes twice.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(d)?;
        Self::from_form(&form).map_err(serde::de::Error::custom)
    }
}

/// Pre-authentication encoding: `DSSEv1 <len(type)> <type> <len(payload)> <payload>`.
pub fn pae(payload: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "DSSEv1 {} {} {} ",
        PAYLOAD_TYPE.len(),
        PAYLOAD_TYPE,
        payload.len()
    )
    .into_bytes();
    out.extend_from_slice(payload);
    out
}
