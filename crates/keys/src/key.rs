//! Keys and whose they are.
//!
//! In:    key records of a root document; a seed, for who signs in software.
//! Out:   [`KeyId`], whether one signature holds, signatures.
//! Never: takes the scheme of a signature from the envelope; makes a seed.
//! See:   RFC 8032 (Ed25519), `ssh` (what OpenSSH makes), `webauthn` (passkeys),
//!        docs/formats/statement.md.

use std::fmt;
use std::str::FromStr;

use anlauf_model::{Digest, OrganisationId, PersonId, Role, TenantId, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, Signature, pae};
use crate::refusal::Reason;
use crate::{ssh, webauthn};

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
    /// `ssh-ed25519` by OpenSSH, from a file or an agent.
    SshEd25519,
    /// `ecdsa-sha2-nistp256` by OpenSSH, from a file or an agent.
    SshEcdsaP256,
    /// `sk-ssh-ed25519` on a FIDO2 token that saw a touch and proved its holder.
    SshSkEd25519,
    /// `sk-ecdsa-sha2-nistp256` on a FIDO2 token that saw a touch and proved its holder.
    SshSkEcdsaP256,
    /// `sk-ssh-ed25519` on a token that can only tell a touch.
    SshSkEd25519Touch,
    /// `sk-ecdsa-sha2-nistp256` on a token that can only tell a touch.
    SshSkEcdsaP256Touch,
    /// A passkey over P-256 that saw a touch and proved its holder, asked by a pinned page.
    WebauthnEs256,
    /// A passkey over Ed25519, the same.
    WebauthnEd25519,
    /// A passkey over P-256 that can only tell a touch.
    WebauthnEs256Touch,
    /// A passkey over Ed25519 that can only tell a touch.
    WebauthnEd25519Touch,
}

/// What a person signs with: an attacker who owns one origin whole must not reach a quorum alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A bare key in a file of ours: automation, rehearsals.
    Software,
    /// OpenSSH with a key in a file or an agent.
    Ssh,
    /// OpenSSH with a key that never leaves its FIDO2 token.
    Token,
    /// A passkey in a browser, whose holder sees what a page shows.
    Web,
}

/// Why a signature is not taken for a key's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Malformed, of another key, over other bytes or for another namespace.
    Foreign,
    /// It holds, but the token reports that nobody touched it.
    Untouched,
    /// It holds, but the token did not make sure who touched it.
    Unverified,
}

/// What is signed: an envelope's pre-authentication encoding, and what it is signed for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// `release.v1@drill-north`: kind of statement and domain; signatures of OpenSSH are bound to
    /// it, so that one made elsewhere for something else means nothing here.
    pub namespace: String,
}

/// A public key: 32 bytes in hex for Ed25519, for OpenSSH's the base64 of its blob, for a passkey
/// its point in hex, its relying party and its origins.
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
    key: SigningKey,
}

// === impl Message ===

impl Message {
    /// What is signed under an envelope of a type in a domain.
    pub fn of(envelope: &Envelope, predicate_type: &str, domain: &str) -> Self {
        Self {
            bytes: pae(&envelope.payload),
            namespace: namespace(predicate_type, domain),
        }
    }
}

/// What signatures of OpenSSH are bound to beside the bytes: `release.v1@drill-north` for a release
/// (`ssh-keygen -Y sign -n`). From the type and domain of a statement.
pub fn namespace(predicate_type: &str, domain: &str) -> String {
    let kind = predicate_type
        .strip_prefix("urn:anlauf:")
        .unwrap_or(predicate_type);
    format!("{}@{domain}", kind.replace(':', "."))
}

// === impl KeyId ===

impl KeyId {
    /// The name of a key.
    pub fn of(scheme: Scheme, public: &PublicKey) -> Self {
        let digest = Digest::of(format!("{}:{}", scheme.word(), public.0).as_bytes());
        Self(hex::encode(&digest.0[..16]))
    }

    /// Whether the text is 32 lower-case hex digits.
    pub(crate) fn is_wellformed(&self) -> bool {
        self.0.len() == 32
            && self
                .0
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }
}

// === impl Scheme ===

impl Scheme {
    /// The word used in files and in key ids.
    pub const fn word(self) -> &'static str {
        match self {
            Scheme::Ed25519 => "ed25519",
            Scheme::SshEd25519 => "ssh-ed25519",
            Scheme::SshEcdsaP256 => "ssh-ecdsa-p256",
            Scheme::SshSkEd25519 => "ssh-sk-ed25519",
            Scheme::SshSkEcdsaP256 => "ssh-sk-ecdsa-p256",
            Scheme::SshSkEd25519Touch => "ssh-sk-ed25519-touch",
            Scheme::SshSkEcdsaP256Touch => "ssh-sk-ecdsa-p256-touch",
            Scheme::WebauthnEs256 => "webauthn-es256",
            Scheme::WebauthnEd25519 => "webauthn-ed25519",
            Scheme::WebauthnEs256Touch => "webauthn-es256-touch",
            Scheme::WebauthnEd25519Touch => "webauthn-ed25519-touch",
        }
    }

    /// What signs with it.
    pub const fn origin(self) -> Origin {
        match self {
            Scheme::Ed25519 => Origin::Software,
            Scheme::SshEd25519 | Scheme::SshEcdsaP256 => Origin::Ssh,
            Scheme::SshSkEd25519
            | Scheme::SshSkEcdsaP256
            | Scheme::SshSkEd25519Touch
            | Scheme::SshSkEcdsaP256Touch => Origin::Token,
            Scheme::WebauthnEs256
            | Scheme::WebauthnEd25519
            | Scheme::WebauthnEs256Touch
            | Scheme::WebauthnEd25519Touch => Origin::Web,
        }
    }

    /// Whether its token must have proved who touched it.
    pub const fn is_verifying(self) -> bool {
        matches!(
            self,
            Scheme::SshSkEd25519
                | Scheme::SshSkEcdsaP256
                | Scheme::WebauthnEs256
                | Scheme::WebauthnEd25519
        )
    }

    /// Whether the signature was made over the message with the key. Anything malformed is a no.
    ///
    /// Ed25519 in the strict reading: no small-order keys or nonce points, so that one signature
    /// cannot hold under two keys or for two messages.
    ///
    /// # Errors
    /// It was not, or a token's flags say that no person stood behind it.
    pub fn verify(self, public: &PublicKey, message: &Message, sig: &[u8]) -> Result<(), Flaw> {
        if self == Scheme::Ed25519 {
            let holds = public.verify_raw(&message.bytes, sig);
            return if holds { Ok(()) } else { Err(Flaw::Foreign) };
        }
        if self.origin() == Origin::Web {
            return webauthn::verify(self, &public.0, &message.bytes, sig);
        }
        let blob = public.blob().ok_or(Flaw::Foreign)?;
        ssh::verify(self, &blob, &message.namespace, &message.bytes, sig)
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// The 32 bytes of an Ed25519 key; none when the text is not 64 lower-case hex digits of a
    /// sound curve point.
    pub fn bytes(&self) -> Option<[u8; 32]> {
        self.raw().map(|key| key.to_bytes())
    }

    /// The curve point, whatever form and scheme the key is written in; none when it is not sound.
    /// One point is one secret: no two persons may have it.
    pub fn point(&self, scheme: Scheme) -> Option<Vec<u8>> {
        match scheme {
            Scheme::Ed25519 => self.bytes().map(|bytes| bytes.to_vec()),
            _ if scheme.origin() == Origin::Web => {
                Some(webauthn::passkey(scheme, &self.0)?.point.bytes())
            }
            _ => Some(ssh::key(scheme, &self.blob()?)?.point.bytes()),
        }
    }

    /// Whether a raw Ed25519 signature (RFC 8032) over the bytes is this key's.
    pub fn verify_raw(&self, bytes: &[u8], sig: &[u8]) -> bool {
        match (self.raw(), ed25519_dalek::Signature::from_slice(sig)) {
            (Some(key), Ok(sig)) => key.verify_strict(bytes, &sig).is_ok(),
            _ => false,
        }
    }

    /// An OpenSSH key by its blob; whether it is sound, [`PublicKey::point`] says.
    pub fn of_blob(blob: &[u8]) -> Self {
        Self(STANDARD.encode(blob))
    }

    /// The blob of an OpenSSH key.
    pub fn blob(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.0).ok()
    }

    fn raw(&self) -> Option<VerifyingKey> {
        let Digest(bytes) = self.0.parse().ok()?;
        ed25519_key(&bytes)
    }
}

/// A sound Ed25519 key: a point in its one form, not of small order.
pub(crate) fn ed25519_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_bytes(bytes).ok()?;
    (is_reduced(bytes) && !key.is_weak()).then_some(key)
}

/// Whether the point is written in its one form: y below 2^255 - 19, little endian, the highest
/// bit being the sign of x. The library reads the others too, so that one key had two names.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let high = bytes[31] & 0x7f == 0x7f && bytes[1..31].iter().all(|byte| *byte == 0xff);
    !(high && bytes[0] >= 0xed)
}

// === impl KeyRecord ===

impl KeyRecord {
    /// Whether the record may stand in a root document: every reason why not.
    pub fn check(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut wrong = |why: &str| {
            let message = format!("key record of `{}` is unsound: {why}", self.person);
            reasons.push(Reason::new("AN-TRU-015", message));
        };
        if self.public.point(self.scheme).is_none() {
            wrong("the public key is not a sound key of its scheme");
        }
        if self.id != KeyId::of(self.scheme, &self.public) {
            wrong("the id is not the one computed from scheme and public key");
        }
        if self.not_before >= self.not_after {
            wrong("it ends before it begins");
        }
        if (self.role == Role::Tenant) != self.tenant.is_some() {
            wrong("role `tenant` names its tenant, other roles name none");
        }
        reasons
    }

    /// Whether the key is valid at a point in time.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.not_after
    }

    /// Whether the signature over the message is this key's.
    ///
    /// # Errors
    /// It is not, or nobody stood behind it.
    pub fn verify(&self, message: &Message, sig: &[u8]) -> Result<(), Flaw> {
        self.scheme.verify(&self.public, message, sig)
    }
}

// === impl Signer ===

impl Signer {
    /// The key that grows from 32 secret bytes. Whoever calls sees to it that they are random.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self {
            key: SigningKey::from_bytes(&seed),
        }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(hex::encode(self.key.verifying_key().as_bytes()))
    }

    /// The name of the key.
    pub fn keyid(&self) -> KeyId {
        KeyId::of(Scheme::Ed25519, &self.public())
    }

    /// The signature over an envelope's payload; the same payload always yields the same bytes.
    pub fn signature(&self, envelope: &Envelope) -> Signature {
        Signature {
            keyid: self.keyid(),
            sig: self.sign_raw(&pae(&envelope.payload)),
        }
    }

    /// Adds the signature to the envelope, unless it is there.
    pub fn sign(&self, envelope: &mut Envelope) {
        let signature = self.signature(envelope);
        if !envelope.signatures.contains(&signature) {
            envelope.signatures.push(signature);
        }
    }

    /// The 32 public bytes.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// Signs bytes whose beginning tells their kind (`DSSEv1 …`, or a checkpoint's origin line).
    pub fn sign_raw(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).to_bytes().to_vec()
    }
}

impl fmt::Debug for Signer {
    /// Only the public name: a secret key never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.keyid())
    }
}
