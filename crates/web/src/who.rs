//! Who asks: from a bearer token, or from the cookie that the login page sets.
//!
//! In:    request headers. Out: [`Who`], or a 401.
//! Never: takes a person, role or tenant from a request's body or address.

use std::sync::Arc;

use anlauf_model::{Language, Role, TenantId};
use anlauf_recovery::Actor;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT_LANGUAGE, AUTHORIZATION, COOKIE};
use axum::http::request::Parts;

use crate::Web;
use crate::problem::Problem;

/// Name of the cookie that holds a console login.
pub(crate) const COOKIE_LOGIN: &str = "anlauf-login";
/// Name of the cookie that holds a chosen language.
pub(crate) const COOKIE_LANGUAGE: &str = "anlauf-language";

/// A person or automation that is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Who(pub(crate) Actor);

/// The language of an answer: the cookie's choice, else `Accept-Language`, else German.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken(pub(crate) Language);

impl Who {
    /// The tenant whose eyes this login has; none = the provider's own people and auditors.
    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        match self.0.role {
            Role::Tenant => self.0.tenant.as_ref(),
            _ => None,
        }
    }

    /// Whether this login reads everything of all tenants.
    pub(crate) fn sees_all(&self) -> bool {
        !matches!(self.0.role, Role::Tenant | Role::Gate | Role::Public)
    }
}

impl FromRequestParts<Arc<Web>> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        found(parts, web).ok_or_else(Problem::login_missing)
    }
}

impl OptionalFromRequestParts<Arc<Web>> for Who {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        web: &Arc<Web>,
    ) -> Result<Option<Self>, Problem> {
        Ok(found(parts, web))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Spoken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let chosen = cookie(&parts.headers, COOKIE_LANGUAGE).and_then(|tag| match tag {
            "de" => Some(Language::De),
            "en" => Some(Language::En),
            _ => None,
        });
        let header = parts
            .headers
            .get(ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        Ok(Self(chosen.unwrap_or_else(|| {
            header.map_or(Language::De, Language::accept)
        })))
    }
}

fn found(parts: &Parts, web: &Web) -> Option<Who> {
    web.logins.find(&token(&parts.headers)?).map(Who)
}

/// The token that a request carries: as a bearer, or in the cookie of the login page.
pub(crate) fn token(headers: &HeaderMap) -> Option<String> {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = bearer.or_else(|| cookie(headers, COOKIE_LOGIN))?;
    Some(token.trim().to_owned())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let headers = headers.get_all(COOKIE).into_iter();
    headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
}
