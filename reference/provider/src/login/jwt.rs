//! Compact signed tokens (RFC 7519), checked against a set of keys (RFC 7517).
//!
//! In:    a token, a key set. Out: its claims, if the signature is of a key of the set.
//! Never: a key or an algorithm that the token alone names: `none` and HMAC do not exist here.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// Longest token. Bytes.
const TOKEN_SIZE_MAX: usize = 8 * 1024;

/// Why a token is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsound {
    /// Not three parts of base64 with JSON in them.
    Malformed,
    /// No key of the set has its name and kind.
    UnknownKey,
    /// The signature is not of that key.
    Signature,
}

/// A token whose signature was not looked at.
pub struct Parsed<'a> {
    /// Name of the key.
    pub key_id: String,
    algorithm: String,
    claims: Value,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a> Parsed<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`Unsound::Malformed`].
    pub fn read(token: &'a str) -> Result<Self, Unsound> {
        let parts: Vec<&str> = token.split('.').collect();
        let [head, claims, signature] = parts.as_slice() else {
            return Err(Unsound::Malformed);
        };
        if token.len() > TOKEN_SIZE_MAX {
            return Err(Unsound::Malformed);
        }
        let bytes = |text: &str| {
            BASE64_URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| Unsound::Malformed)
        };
        let object = |text: &str| {
            let value: Value =
                serde_json::from_slice(&bytes(text)?).map_err(|_| Unsound::Malformed)?;
            value.is_object().then_some(value).ok_or(Unsound::Malformed)
        };
        let end = head.len() + 1 + claims.len();
        let head = object(head)?;
        let word = |name: &str| head[name].as_str().unwrap_or_default().to_owned();
        if !head["crit"].is_null() {
            return Err(Unsound::Malformed);
        }
        Ok(Self {
            key_id: word("kid"),
            algorithm: word("alg"),
            claims: object(claims)?,
            signed: token.get(..end).unwrap_or_default().as_bytes(),
            signature: bytes(signature)?,
        })
    }

    /// The claims, if a key of the set signed them.
    ///
    /// # Errors
    /// [`Unsound::UnknownKey`], [`Unsound::Signature`].
    pub fn claims(self, keys: &Value) -> Result<Value, Unsound> {
        let kind = match self.algorithm.as_str() {
            "ES256" => "EC",
            "RS256" => "RSA",
            _ => return Err(Unsound::UnknownKey),
        };
        let mut fitting = keys["keys"].as_array().into_iter().flatten().filter(|key| {
            key["kty"] == kind && key["kid"].as_str().unwrap_or_default() == self.key_id
        });
        let key = fitting.next().ok_or(Unsound::UnknownKey)?;
        let part = |name: &str| {
            let text = key[name].as_str().unwrap_or_default();
            BASE64_URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|_| Unsound::UnknownKey)
        };
        let good = if kind == "EC" {
            let point = [vec![4], part("x")?, part("y")?].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(self.signed, &self.signature)
        } else {
            RsaPublicKeyComponents {
                n: part("n")?,
                e: part("e")?,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, self.signed, &self.signature)
        };
        good.map_err(|_| Unsound::Signature)?;
        Ok(self.claims)
    }
}
