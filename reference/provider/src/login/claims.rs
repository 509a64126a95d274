//! What tokens say, and when it holds.
//!
//! In:    claims whose signature is good. Out: a person, or which claim is wrong.
//! Never: skips issuer, audience, tenant or expiry.

use serde_json::Value;

use crate::kernel::ask::{Person, Role};

/// How long an access token holds. Seconds. Short: it cannot be taken back.
pub const ACCESS_SECONDS: i64 = 600;

/// How far clocks may differ. Seconds.
const SKEW_SECONDS: i64 = 5;

/// What a token must say.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Who signed.
    pub issuer: &'a str,
    /// Whom it is for.
    pub audience: &'a str,
    /// Of which insurer; a foreign login that knows none leaves the claim out.
    pub tenant: &'a str,
    /// What the relying party sent along, for ID tokens.
    pub nonce: Option<&'a str>,
    /// Seconds since 1970.
    pub now: i64,
}

/// Which claim is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wrong(pub &'static str);

impl Wanted<'_> {
    /// Holds claims against what is wanted.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check(&self, claims: &Value) -> Result<(), Wrong> {
        let says = |name: &str| claims[name].as_str();
        if says("iss") != Some(self.issuer) {
            return Err(Wrong("iss"));
        }
        let is_ours = match &claims["aud"] {
            Value::Array(all) => {
                let named = all.iter().any(|aud| aud.as_str() == Some(self.audience));
                named && (all.len() == 1 || says("azp") == Some(self.audience))
            }
            one => one.as_str() == Some(self.audience),
        };
        if !is_ours {
            return Err(Wrong("aud"));
        }
        if says("tenant").is_some_and(|tenant| tenant != self.tenant) {
            return Err(Wrong("tenant"));
        }
        match claims["exp"].as_i64() {
            Some(until) if self.now < until + SKEW_SECONDS => {}
            _ => return Err(Wrong("exp")),
        }
        match claims["iat"].as_i64() {
            Some(from) if from <= self.now + SKEW_SECONDS => {}
            _ => return Err(Wrong("iat")),
        }
        if let Some(nonce) = self.nonce
            && says("nonce") != Some(nonce)
        {
            return Err(Wrong("nonce"));
        }
        Ok(())
    }
}

/// The person of claims that hold.
///
/// # Errors
/// No subject, or a role that does not exist.
pub fn person(claims: &Value) -> Result<Person, Wrong> {
    let subject = claims["sub"].as_str().filter(|sub| !sub.is_empty());
    let role = match claims["role"].as_str() {
        Some(role) => Role::parse(role).ok_or(Wrong("role"))?,
        // A foreign login knows insured people only.
        None => Role::Insured,
    };
    let subject = subject.ok_or(Wrong("sub"))?.to_owned();
    Ok(Person { subject, role })
}
