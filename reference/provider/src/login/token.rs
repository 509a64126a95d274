//! A code becomes tokens, once.
//!
//! In:    a code, its client, the secret behind its challenge. Out: ID token and access token.
//! Never: the same code twice, or for a client that did not ask for it.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use rusqlite::OptionalExtension;
use serde_json::json;

use super::claims::ACCESS_SECONDS;
use super::verify::audience;
use crate::kernel::ask::{Ask, Person, Reply, Role, field};
use crate::kernel::miss::Miss;

/// What is kept instead of a secret.
pub(super) fn mark(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

/// PKCE's S256 (RFC 7636 §4.2).
pub(super) fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

struct Code {
    client: String,
    redirect: String,
    challenge: String,
    nonce: String,
    person: Person,
}

pub(super) fn redeem(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let fields = ask.form()?;
    if field(&fields, "grant_type") != "authorization_code" {
        return Err(Miss::bad(
            "unsupported-grant-type",
            "Nur Codes werden eingelöst.",
            "only authorization_code is redeemed here",
        ));
    }
    let code = take(ask, field(&fields, "code"))?.ok_or_else(invalid)?;
    let verifier = field(&fields, "code_verifier");
    let fits = code.client == field(&fields, "client_id")
        && code.redirect == field(&fields, "redirect_uri")
        && (43..=128).contains(&verifier.len())
        && code.challenge == challenge(verifier);
    if !fits {
        return Err(invalid());
    }
    tokens(ask, &code)
}

/// A code is used up by the first who brings it, right or wrong.
fn take(ask: &Ask<'_>, secret: &str) -> Result<Option<Code>, Miss> {
    let mark = mark(secret);
    let found = ask.tenant.store.with(|c| {
        c.query_row(
            "UPDATE code SET used = 1 WHERE digest = ?1 AND used = 0 AND until > ?2
             RETURNING client, redirect, challenge, nonce, subject, role",
            (&mark, ask.now),
            |row| {
                let role: String = row.get(5)?;
                let role = Role::parse(&role).unwrap_or(Role::Insured);
                Ok(Code {
                    client: row.get(0)?,
                    redirect: row.get(1)?,
                    challenge: row.get(2)?,
                    nonce: row.get(3)?,
                    person: Person {
                        subject: row.get(4)?,
                        role,
                    },
                })
            },
        )
        .optional()
    })?;
    Ok(found)
}

fn tokens(ask: &Ask<'_>, code: &Code) -> Result<Reply, Miss> {
    let (issuer, until) = (ask.tenant.issuer(), ask.now + ACCESS_SECONDS);
    let name = super::authorize::name_of(ask.tenant, &code.person)?;
    let mut id = json!({
        "iss": issuer, "aud": code.client, "sub": code.person.subject, "iat": ask.now,
        "exp": until, "tenant": ask.tenant.id, "role": code.person.role.as_str(), "name": name,
    });
    if !code.nonce.is_empty() {
        id["nonce"] = json!(code.nonce);
    }
    let access = json!({
        "iss": issuer, "aud": audience(ask.tenant), "sub": code.person.subject, "iat": ask.now,
        "exp": until, "tenant": ask.tenant.id, "role": code.person.role.as_str(),
        "client_id": code.client,
    });
    let key = &ask.tenant.key;
    let (Some(id), Some(access)) = (key.sign("JWT", &id), key.sign("at+jwt", &access)) else {
        return Err(Miss::new(
            503,
            "temporarily-unavailable",
            "Bitte später.",
            "try again later",
        ));
    };
    let value = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": ACCESS_SECONDS,
        "id_token": id, "scope": "openid",
    });
    Ok(Reply::json(200, &value))
}

fn invalid() -> Miss {
    Miss::bad(
        "invalid-grant",
        "Dieser Code gilt nicht.",
        "the code does not hold, was used, or is for somebody else",
    )
}
