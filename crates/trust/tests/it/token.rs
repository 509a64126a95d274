//! A FIDO2 token in software: makes the signatures that `ssh-keygen -Y sign` would ask one for.
//!
//! It writes the blobs of OpenSSH's `PROTOCOL.sshsig` and `PROTOCOL.u2f` by itself and shares no
//! code with what is tested.

use anlauf_trust::{KeyId, Message, PublicKey, Scheme, Signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha256, Sha512};

pub const PRESENT: u8 = 1;
pub const VERIFIED: u8 = 4;

enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

pub struct Token {
    pub scheme: Scheme,
    secret: Secret,
    pub application: &'static str,
    /// What it claims about who held it.
    pub flags: u8,
    /// Writes numbers with a zero too many.
    pub padded: bool,
}

pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
    out.extend(bytes);
}

fn strings(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        string(&mut out, part);
    }
    out
}

/// A positive number of RFC 4251: no leading zeros, one zero where the highest bit is set.
fn number(digits: &[u8]) -> Vec<u8> {
    let rest = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
    let pad = usize::from(rest.first().is_some_and(|digit| digit & 0x80 != 0));
    [&[0u8; 1][..pad], rest].concat()
}

impl Token {
    pub fn new(scheme: Scheme, seed: u8) -> Self {
        let is_p256 = matches!(
            scheme,
            Scheme::SshEcdsaP256 | Scheme::SshSkEcdsaP256 | Scheme::SshSkEcdsaP256Touch
        );
        let secret = match is_p256 {
            true => Secret::P256(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap()),
            false => Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[seed; 32])),
        };
        Self {
            scheme,
            secret,
            application: "ssh:",
            flags: PRESENT | VERIFIED,
            padded: false,
        }
    }

    fn is_token(&self) -> bool {
        !matches!(self.scheme, Scheme::SshEd25519 | Scheme::SshEcdsaP256)
    }

    fn kind(&self) -> &'static str {
        match (&self.secret, self.is_token()) {
            (Secret::Ed25519(_), false) => "ssh-ed25519",
            (Secret::P256(_), false) => "ecdsa-sha2-nistp256",
            (Secret::Ed25519(_), true) => "sk-ssh-ed25519@openssh.com",
            (Secret::P256(_), true) => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    pub fn blob(&self) -> Vec<u8> {
        let mut out = strings(&[self.kind().as_bytes()]);
        match &self.secret {
            Secret::Ed25519(key) => string(&mut out, key.verifying_key().as_bytes()),
            Secret::P256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                out.extend(strings(&[b"nistp256", point.as_bytes()]));
            }
        }
        if self.is_token() {
            string(&mut out, self.application.as_bytes());
        }
        out
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(STANDARD.encode(self.blob()))
    }

    pub fn keyid(&self) -> KeyId {
        KeyId::of(self.scheme, &self.public())
    }

    fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ed25519(key) => key.sign(bytes).to_bytes().to_vec(),
            Secret::P256(key) => {
                let sig: p256::ecdsa::Signature = key.sign(bytes);
                let (r, s) = sig.split_bytes();
                let pad = if self.padded { vec![0] } else { Vec::new() };
                let padded = |digits: &[u8]| [&pad[..], &number(digits)].concat();
                strings(&[&padded(&r), &padded(&s)])
            }
        }
    }

    /// The whole binary signature.
    pub fn sign(&self, message: &Message) -> Vec<u8> {
        let hash = Sha512::digest(&message.bytes);
        let namespace = message.namespace.as_bytes();
        let signed = [
            b"SSHSIG".to_vec(),
            strings(&[namespace, b"", b"sha512", &hash]),
        ]
        .concat();
        let mut inner = strings(&[self.kind().as_bytes()]);
        if self.is_token() {
            let counter = 7u32.to_be_bytes();
            let asked = [
                &Sha256::digest(self.application)[..],
                &[self.flags],
                &counter,
                &Sha256::digest(&signed),
            ]
            .concat();
            string(&mut inner, &self.raw(&asked));
            inner.push(self.flags);
            inner.extend(counter);
        } else {
            string(&mut inner, &self.raw(&signed));
        }
        let head = [&b"SSHSIG"[..], &1u32.to_be_bytes()].concat();
        let rest = strings(&[&self.blob(), namespace, b"", b"sha512", &inner]);
        [head, rest].concat()
    }

    pub fn signature(&self, message: &Message) -> Signature {
        Signature {
            keyid: self.keyid(),
            sig: self.sign(message),
        }
    }
}
