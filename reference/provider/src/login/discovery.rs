//! What a relying party has to know of the issuer (OpenID Connect Discovery 1.0).
//!
//! In:    nothing. Out: configuration, public keys, the person of a token.
//! Never: something that is not served here.

use serde_json::json;

use crate::kernel::ask::{Ask, Reply};
use crate::kernel::miss::Miss;

pub(super) fn configuration(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let issuer = ask.tenant.issuer();
    let at = |path: &str| format!("{issuer}/{path}");
    let value = json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "tenant", "role", "name"],
        "authorization_response_iss_parameter_supported": true,
    });
    Ok(Reply::json(200, &value).with("access-control-allow-origin", "*"))
}

pub(super) fn keys(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let value = json!({ "keys": [ask.tenant.key.public()] });
    Ok(Reply::json(200, &value).with("access-control-allow-origin", "*"))
}

pub(super) fn person(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let person = ask.person.as_ref().ok_or_else(Miss::login)?;
    let value = json!({
        "sub": person.subject,
        "role": person.role.as_str(),
        "tenant": ask.tenant.id,
        "name": super::authorize::name_of(ask.tenant, person)?,
    });
    Ok(Reply::json(200, &value))
}
