//! Logs people in on pages: to the issuer, back with a code, a session as a cookie.
//!
//! In:    `login`, `callback`, `logout` of a room with pages: `/og`, `/og/desk`, `/lichtbild`.
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

/// Where people of the branch send their card photo: its cell is the photo service's own.
///
/// The longest path comes first in what a browser sends (RFC 6265 §5.4), so that a clerk of the
/// photo desk can be an insured person in the same browser.
pub(crate) const UPLOAD: &str = "/lichtbild/upload";

/// The pages that a login belongs to: the path without its last word.
fn room<'a>(ask: &'a Ask<'_>) -> &'a str {
    ask.path.rsplit_once('/').map_or("", |(room, _)| room)
}

/// Where the cookie of a room's session goes.
fn cookie_paths(room: &str) -> Vec<&str> {
    match room {
        "/og" => vec![room, UPLOAD],
        _ => vec![room],
    }
}

/// The relying party of a room.
fn party(ask: &Ask<'_>) -> Result<Party, Miss> {
    let room = room(ask);
    let client = match room {
        "/og" => "branch",
        "/og/desk" => "branch-desk",
        "/lichtbild" => "desk",
        _ => return Err(Miss::not_found()),
    };
    Ok(Party {
        issuer: ask.tenant.issuer(),
        client: client.to_owned(),
        redirect: format!("{}{room}/callback", ask.tenant.origin),
        tenant: ask.tenant.id.clone(),
        back: ask.house.back.get().copied(),
    })
}

/// Sends a person to the issuer.
pub(crate) fn enter(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let party = party(ask)?;
    let endpoints = party.discover().map_err(miss)?;
    let (state, nonce, verifier) = (secret(ask)?, secret(ask)?, secret(ask)?);
    let own = format!("{}/", room(ask));
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
    Ok(Reply::see(&to).with(
        "set-cookie",
        cookie(ask, (VISIT, room(ask)), &state, VISIT_SECONDS),
    ))
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
    let wanted = match party.client.as_str() {
        "branch" => Role::Insured,
        _ => Role::Clerk,
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
    let gone = cookie(ask, (VISIT, room(ask)), "", 0);
    let reply = Reply::see(&back).with("set-cookie", gone);
    Ok(with_session(ask, reply, (&value, SESSION_SECONDS)))
}

/// Ends a session.
pub(crate) fn leave(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let name = crate::kernel::session_cookie();
    if let Some((_, secret)) = ask.cookie(name).and_then(|cookie| cookie.split_once('.')) {
        ask.tenant
            .store
            .with(|c| c.execute("DELETE FROM session WHERE digest = ?1", [mark(secret)]))?;
    }
    let reply = Reply::see(&format!("{}/", room(ask)));
    Ok(with_session(ask, reply, ("", 0)))
}

/// The session's cookie, everywhere it goes.
fn with_session(ask: &Ask<'_>, reply: Reply, (value, seconds): (&str, i64)) -> Reply {
    let name = crate::kernel::session_cookie();
    let paths = cookie_paths(room(ask)).into_iter();
    paths.fold(reply, |reply, path| {
        reply.with("set-cookie", cookie(ask, (name, path), value, seconds))
    })
}

/// One room's cookie: a clerk's session is no session of the login.
fn cookie(ask: &Ask<'_>, (name, path): (&str, &str), value: &str, seconds: i64) -> String {
    let secure = if ask.tenant.origin.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
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
