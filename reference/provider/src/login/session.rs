//! Logs people in on pages: to the issuer, back with a code, a session as a cookie.
//!
//! In:    `/lichtbild/login`, `/callback`, `/logout` of the clerk's desk.
//! Out:   303s and a cookie. Never: a way back to another host; the secret itself on disk.

use rusqlite::OptionalExtension;

use super::authorize::secret;
use super::party::{Party, PartyError};
use super::token::mark;
use crate::kernel::ask::{Ask, Reply, Role};
use crate::kernel::miss::Miss;

/// How long a session holds. Seconds.
const SESSION_SECONDS: i64 = 1_800;

/// How long a login may take. Seconds.
const VISIT_SECONDS: i64 = 900;

const VISIT: &str = "reference-visit";

/// The relying party of a service.
fn party(ask: &Ask<'_>) -> Result<Party, Miss> {
    let service = ask.path.split('/').nth(1).unwrap_or_default();
    let client = match service {
        "og" => "branch",
        "lichtbild" => "desk",
        _ => return Err(Miss::not_found()),
    };
    Ok(Party {
        issuer: ask.tenant.issuer(),
        client: client.to_owned(),
        redirect: format!("{}/{service}/callback", ask.tenant.origin),
        tenant: ask.tenant.id.clone(),
        back: ask.house.back.get().copied(),
    })
}

/// Sends a person to the issuer.
pub(crate) fn enter(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let party = party(ask)?;
    let endpoints = party.discover().map_err(miss)?;
    let (state, nonce, verifier) = (secret(ask)?, secret(ask)?, secret(ask)?);
    let service = ask.path.split('/').nth(1).unwrap_or_default();
    let own = format!("/{service}/");
    let wanted = ask.asked("to").unwrap_or(&own);
    let back = if wanted.starts_with(&own) && !wanted.contains(['\\', '\r', '\n']) {
        wanted.to_owned()
    } else {
        own
    };
    ask.tenant.store.with(|c| {
        c.execute("DELETE FROM visit WHERE until < ?1", [ask.now])?;
        c.execute(
            "INSERT INTO visit VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (
                mark(&state),
                &party.client,
                &nonce,
                &verifier,
                back,
                ask.now + VISIT_SECONDS,
            ),
        )
    })?;
    let to = party.address(&endpoints, &state, &nonce, &verifier);
    Ok(Reply::see(&to).with("set-cookie", cookie(ask, VISIT, &state, VISIT_SECONDS)))
}

/// Takes a person back.
pub(crate) fn callback(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let party = party(ask)?;
    let state = ask.asked("state").unwrap_or_default();
    if ask.cookie(VISIT) != Some(state) || state.is_empty() {
        return Err(lost());
    }
    let issuer = ask.asked("iss");
    if issuer.is_some_and(|issuer| issuer != party.issuer) {
        return Err(lost());
    }
    let found: Option<(String, String, String)> = ask.tenant.store.with(|c| {
        c.query_row(
            "DELETE FROM visit WHERE digest = ?1 AND client = ?2 AND until > ?3
             RETURNING nonce, verifier, back",
            (mark(state), &party.client, ask.now),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
    })?;
    let (nonce, verifier, back) = found.ok_or_else(lost)?;
    let code = ask.asked("code").ok_or_else(lost)?;
    let (person, _) = party
        .redeem(code, &verifier, &nonce, ask.now)
        .map_err(miss)?;
    let wanted = if party.client == "desk" {
        Role::Clerk
    } else {
        Role::Insured
    };
    if person.role != wanted || super::authorize::name_of(ask.tenant, &person)?.is_empty() {
        return Err(Miss::forbidden());
    }
    let secret = secret(ask)?;
    ask.tenant.store.with(|c| {
        c.execute("DELETE FROM session WHERE until < ?1", [ask.now])?;
        c.execute(
            "INSERT INTO session VALUES (?1, ?2, ?3, ?4)",
            (
                mark(&secret),
                &person.subject,
                person.role.as_str(),
                ask.now + SESSION_SECONDS,
            ),
        )
    })?;
    let value = format!("{}.{secret}", ask.tenant.id);
    Ok(Reply::see(&back)
        .with(
            "set-cookie",
            cookie(
                ask,
                crate::kernel::session_cookie(),
                &value,
                SESSION_SECONDS,
            ),
        )
        .with("set-cookie", cookie(ask, VISIT, "", 0)))
}

/// Ends a session.
pub(crate) fn leave(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let name = crate::kernel::session_cookie();
    if let Some((_, secret)) = ask.cookie(name).and_then(|cookie| cookie.split_once('.')) {
        ask.tenant
            .store
            .with(|c| c.execute("DELETE FROM session WHERE digest = ?1", [mark(secret)]))?;
    }
    let service = ask.path.split('/').nth(1).unwrap_or_default();
    Ok(Reply::see(&format!("/{service}/")).with("set-cookie", cookie(ask, name, "", 0)))
}

/// One service's cookie: a clerk's session is no session of the login.
fn cookie(ask: &Ask<'_>, name: &str, value: &str, seconds: i64) -> String {
    let service = ask.path.split('/').nth(1).unwrap_or_default();
    let secure = if ask.tenant.origin.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/{service}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

fn lost() -> Miss {
    Miss::bad(
        "login-lost",
        "Die Anmeldung hat zu lange gedauert oder wurde nicht hier begonnen. Bitte noch einmal.",
        "The login took too long or was not begun here. Please try again.",
    )
}

fn miss(error: PartyError) -> Miss {
    tracing::warn!(error = %error, "a login failed");
    match error {
        PartyError::Unreachable(_) => Miss::new(
            503,
            "login-unreachable",
            "Die Anmeldung ist gerade nicht erreichbar. Bitte versuchen Sie es später.",
            "The login cannot be reached at present. Please try again later.",
        ),
        PartyError::Refused(_) | PartyError::Unsound(_) => Miss::bad(
            "login-refused",
            "Die Anmeldung wurde nicht anerkannt. Bitte noch einmal.",
            "The login was not accepted. Please try again.",
        ),
    }
}
