//! How requests are read: body, query, and who may use a route at all.
//!
//! In:    a request. Out: parsed parts, or a [`Problem`] that says where it is wrong.
//! Never: a rejection in another form than problem+json.

use std::sync::Arc;

use anlauf_model::Role;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Web;
use crate::problem::Problem;
use crate::who::Who;

/// A JSON body.
pub(crate) struct Told<T>(pub(crate) T);

/// The query of an address.
pub(crate) struct Asked<T>(pub(crate) T);

/// A person or automation: anyone but gates and the public.
pub(crate) struct Reader(pub(crate) Who);

/// A login that reads everything of all tenants.
pub(crate) struct Insider(pub(crate) Who);

/// A gate.
pub(crate) struct AtGate(pub(crate) Who);

impl<T: DeserializeOwned> FromRequest<Arc<Web>> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Problem> {
        if !is_json(&request) {
            let detail = "send the body as `Content-Type: application/json`";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "wrong content type", detail));
        }
        let bytes = Bytes::from_request(request, web).await.map_err(|no| {
            let size = anlauf_model::limits::REQUEST_BODY_SIZE_MAX;
            match no.status() {
                StatusCode::PAYLOAD_TOO_LARGE => {
                    let detail = format!("a body holds at most {size} bytes; split the order");
                    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large", detail)
                }
                _ => Problem::bad_request("the body broke off; send it again"),
            }
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Problem::bad_request(format!(
                "the body is wrong at line {line}, column {column}: {}",
                without_place(&error)
            ))
        })
    }
}

/// The message of a JSON error without its own way of telling the place.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/json")
}

impl<T: DeserializeOwned + 'static> FromRequestParts<Arc<Web>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, web).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(Problem::bad_request(format!(
                "the query is wrong: {}",
                std::error::Error::source(&error)
                    .map_or_else(|| error.body_text(), ToString::to_string)
            ))),
        }
    }
}

impl FromRequestParts<Arc<Web>> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        let who = <Who as FromRequestParts<_>>::from_request_parts(parts, web).await?;
        match who.0.role {
            Role::Gate | Role::Public => Err(Problem::forbidden(who.0.role)),
            _ => Ok(Self(who)),
        }
    }
}

impl FromRequestParts<Arc<Web>> for Insider {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        let who = <Who as FromRequestParts<_>>::from_request_parts(parts, web).await?;
        if who.sees_all() {
            Ok(Self(who))
        } else {
            Err(Problem::forbidden(who.0.role))
        }
    }
}

impl FromRequestParts<Arc<Web>> for AtGate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Problem> {
        let who = <Who as FromRequestParts<_>>::from_request_parts(parts, web).await?;
        match who.0.role {
            Role::Gate => Ok(Self(who)),
            role => Err(Problem::forbidden(role)),
        }
    }
}
