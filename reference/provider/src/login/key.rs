//! The key by which an insurer's login signs its tokens: ECDSA on P-256 (ES256).
//!
//! In:    a file. Out: signatures, and the public half as a JWK. Never: the secret half in words.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// An insurer's signing key.
#[derive(Debug)]
pub struct Key {
    /// Names it in tokens: `bkk-eisvogel.3fA…`.
    pub id: String,
    pair: EcdsaKeyPair,
    chance: SystemRandom,
}

impl Key {
    /// Reads the key, or makes one for its owner only.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(path: &Path, tenant: &str, chance: &SystemRandom) -> Result<Self> {
        let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
        if !path.exists() {
            let made = EcdsaKeyPair::generate_pkcs8(kind, chance)
                .map_err(|_| anyhow!("the machine has no randomness"))?;
            write_private(path, made.as_ref())?;
        }
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let pair = EcdsaKeyPair::from_pkcs8(kind, &bytes, chance)
            .map_err(|_| anyhow!("`{}` is no key", path.display()))?;
        let mark = ring::digest::digest(&ring::digest::SHA256, pair.public_key().as_ref());
        let mark = BASE64_URL_SAFE_NO_PAD.encode(&mark.as_ref()[..9]);
        Ok(Self {
            id: format!("{tenant}.{mark}"),
            pair,
            chance: chance.clone(),
        })
    }

    /// A compact token over claims.
    pub fn sign(&self, kind: &str, claims: &Value) -> Option<String> {
        let head = json!({ "alg": "ES256", "typ": kind, "kid": self.id });
        let text = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(&head), text(claims));
        let signature = self.pair.sign(&self.chance, signed.as_bytes()).ok()?;
        Some(format!(
            "{signed}.{}",
            BASE64_URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    /// The public half (RFC 7517).
    pub fn public(&self) -> Value {
        // An uncompressed point: 4, x, y.
        let point = self.pair.public_key().as_ref();
        let part = |from: usize| BASE64_URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id,
            "x": part(1), "y": part(33),
        })
    }
}

/// Writes a new file that only its owner reads.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}
