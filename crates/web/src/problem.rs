//! Errors as the API tells them: problem+json (RFC 9457), every reason with what would remove it.
//!
//! In:    refusals, errors of the desk, faults of a request. Out: a [`Problem`] response.
//! Never: tells a tenant that a thing of another tenant exists: that is a 404 like any other.

use anlauf_recovery::Refusal;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::port::DeskError;

/// A request that was not done.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
    pub(crate) reasons: Vec<ProblemReason>,
    /// A member beside the standard ones (RFC 9457 §3.2).
    pub(crate) extension: Option<(&'static str, Value)>,
}

/// One reason, with its code and what would remove it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProblemReason {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) remedy: String,
}

impl Problem {
    /// A problem without reasons of its own.
    pub(crate) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            reasons: Vec::new(),
            extension: None,
        }
    }

    /// The same with a member beside the standard ones.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.extension = Some((name, value));
        self
    }

    /// There is no such thing, or it is not for this login.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not found",
            format!("there is no {what} for this login"),
        )
    }

    /// Nobody is logged in.
    pub(crate) fn login_missing() -> Self {
        let detail = "send `Authorization: Bearer TOKEN`; an operator gives out tokens with \
                      `anlauf login add`";
        Self::new(StatusCode::UNAUTHORIZED, "login missing", detail)
    }

    /// The role of this login has no business here.
    pub(crate) fn forbidden(role: anlauf_model::Role) -> Self {
        let detail = format!("role `{role}` has no access to this; ask an operator");
        Self::new(StatusCode::FORBIDDEN, "not for this role", detail)
    }

    /// The request cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad request", detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let reasons: Vec<_> = refusal
            .reasons
            .iter()
            .map(|reason| ProblemReason {
                code: reason.code.to_string(),
                message: reason.message.clone(),
                remedy: reason.remedy.to_string(),
            })
            .collect();
        let detail = reasons
            .iter()
            .map(|r| r.message.as_str())
            .collect::<Vec<_>>()
            .join("; ");
        Self {
            status: StatusCode::CONFLICT,
            title: "refused",
            detail,
            reasons,
            extension: None,
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refusal) => refusal.into(),
            DeskError::Busy => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", error.to_string())
            }
            DeskError::Stopped => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                error.to_string(),
            ),
            DeskError::Ledger(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ledger",
                error.to_string(),
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "reasons": self.reasons,
        });
        if let Some((name, value)) = self.extension {
            body[name] = value;
        }
        let mut response = (self.status, body.to_string()).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"anlauf\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}
