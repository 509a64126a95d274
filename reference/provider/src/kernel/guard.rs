//! Who asks, and whether the route is theirs.
//!
//! In:    the route's guard, the request's token or cookie. Out: a person, or a miss.
//! Never: tells a stranger more than that there is nothing: another insurer's token is 404.

use ring::digest::{SHA256, digest};
use rusqlite::OptionalExtension;

use super::ask::{Ask, Person, Role};
use super::house::House;
use super::miss::Miss;
use super::route::{Guard, Proof, Route};
use super::tenant::Tenant;
use crate::login::verify;

/// Cookie of a person's session on pages: `bkk-eisvogel.<random>`.
pub(crate) const SESSION: &str = "reference-session";

/// Looks at the token or cookie as the route wants it.
pub(crate) fn check(ask: &mut Ask<'_>, route: &Route) -> Result<(), Miss> {
    let shown = match route.proof {
        Proof::Token => by_token(ask)?,
        Proof::Cookie => by_cookie(ask)?,
    };
    if route.proof == Proof::Cookie && route.method != "GET" {
        check_origin(ask)?;
    }
    let fits = match (route.guard, &shown) {
        (Guard::Public, _) => true,
        (_, None) => return Err(login(ask, route)),
        (Guard::Either, Some(_)) => true,
        (Guard::Insured, Some(person)) => person.role == Role::Insured,
        (Guard::Clerk, Some(person)) => person.role == Role::Clerk,
    };
    if !fits {
        // On a page the person may be somebody else in the same browser: they can log in as such.
        let is_page = route.proof == Proof::Cookie && route.method == "GET";
        return Err(match is_page {
            true => login(ask, route),
            false => Miss::forbidden(),
        });
    }
    ask.person = shown;
    Ok(())
}

/// A page leads to the login and back; an API says 401.
fn login(ask: &Ask<'_>, route: &Route) -> Miss {
    let mut miss = Miss::login();
    if route.proof == Proof::Cookie && route.method == "GET" {
        let service = ask.path.split('/').nth(1).unwrap_or_default();
        let (room, to) = match (service, route.guard) {
            ("og", Guard::Clerk) => ("og/desk", ask.path),
            ("lichtbild", Guard::Insured) => ("og", "/og/photo"),
            (service, _) => (service, ask.path),
        };
        miss.to = Some(format!("/{room}/login?to={}", super::ask::encode(to)));
    }
    miss
}

fn by_token(ask: &Ask<'_>) -> Result<Option<Person>, Miss> {
    let Some(line) = ask.header("authorization") else {
        return Ok(None);
    };
    let Some(token) = line.strip_prefix("Bearer ") else {
        return Err(Miss::login());
    };
    verify::access(ask.house, ask.tenant, token.trim(), ask.now).map(Some)
}

fn by_cookie(ask: &Ask<'_>) -> Result<Option<Person>, Miss> {
    let Some(cookie) = ask.cookie(SESSION) else {
        return Ok(None);
    };
    let Some((tenant, secret)) = cookie.split_once('.') else {
        return Ok(None);
    };
    if tenant != ask.tenant.id {
        return foreign(ask.house, tenant, secret, ask.now);
    }
    session(ask.tenant, secret, ask.now)
}

/// A session that is good at another insurer finds nothing here.
fn foreign(house: &House, tenant: &str, secret: &str, now: i64) -> Result<Option<Person>, Miss> {
    let Some(other) = house.tenant(tenant) else {
        return Ok(None);
    };
    match session(other, secret, now)? {
        Some(_) => Err(Miss::not_found()),
        None => Ok(None),
    }
}

fn session(tenant: &Tenant, secret: &str, now: i64) -> Result<Option<Person>, Miss> {
    let mark = digest(&SHA256, secret.as_bytes());
    let found: Option<(String, String)> = tenant.store.with(|c| {
        c.query_row(
            "SELECT subject, role FROM session WHERE digest = ?1 AND until > ?2",
            (mark.as_ref(), now),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
    })?;
    Ok(found.and_then(|(subject, role)| {
        let role = Role::parse(&role)?;
        Some(Person { subject, role })
    }))
}

/// A form must come from a page of the same host: browsers say where it comes from.
fn check_origin(ask: &Ask<'_>) -> Result<(), Miss> {
    let host = ask.header("host").unwrap_or_default();
    let is_own = match (ask.header("origin"), ask.header("sec-fetch-site")) {
        (Some(origin), _) => origin
            .split_once("://")
            .is_some_and(|(_, from)| from == host),
        (None, Some(site)) => site == "same-origin",
        (None, None) => true,
    };
    match is_own {
        true => Ok(()),
        false => Err(Miss::forbidden()),
    }
}
