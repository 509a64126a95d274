//! How the people of the drill reach the control plane: its own API, each with their own login.
//!
//! In:    a person, a reason, an order. Out: the ledger index, or the refusal as the API tells it.
//! Never: a short cut past the API for anything that changes something.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anlauf_model::PersonId;
use anlauf_recovery::Order;
use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The way to the control plane.
#[derive(Clone)]
pub struct Desk {
    base: String,
    web: Client<HttpConnector, Full<Bytes>>,
    /// Numbers the idempotency keys: the same drill uses the same keys.
    next: Arc<AtomicU64>,
}

/// One person with their login.
#[derive(Clone)]
pub struct Login {
    /// Who.
    pub person: PersonId,
    /// Bearer token.
    pub token: String,
}

/// The control plane's answer.
#[derive(Debug)]
pub enum Answer {
    /// Done and durable, up to this ledger index.
    Accepted(u64, Value),
    /// Not done, with the reasons in words.
    Refused(Vec<String>),
}

impl Desk {
    /// Talks to the control plane at this address.
    pub fn new(address: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            base: format!("http://{address}/api/v1"),
            web: Client::builder(TokioExecutor::new()).build(connector),
            next: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Sends an order as a person.
    ///
    /// # Errors
    /// When the control plane cannot be reached or answers outside its own form.
    pub async fn order(&self, who: &Login, reason: &str, order: Order) -> Result<Answer> {
        let order = serde_json::to_value(&order)?;
        self.post(
            who,
            "/commands",
            json!({ "reason": reason, "order": order }),
        )
        .await
    }

    /// Like [`Desk::order`], for orders the story relies on.
    ///
    /// # Errors
    /// Also when the order is refused.
    pub async fn must(&self, who: &Login, reason: &str, order: Order) -> Result<u64> {
        let verb = order.verb();
        match self.order(who, reason, order).await? {
            Answer::Accepted(seq, _) => Ok(seq),
            Answer::Refused(reasons) => Err(anyhow!(
                "`{}` may not `{verb}`: {}",
                who.person,
                reasons.join("; ")
            )),
        }
    }

    /// Posts a body with a fresh idempotency key to a path of the API.
    ///
    /// # Errors
    /// As [`Desk::order`].
    pub async fn post(&self, who: &Login, path: &str, mut body: Value) -> Result<Answer> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        body["key"] = json!(format!("drill-{number:06}"));
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", who.token))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(serde_json::to_vec(&body)?)))?;
        let response = self
            .web
            .request(request)
            .await
            .context("cannot reach the control plane")?;
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        answer(status, &bytes)
    }
}

fn answer(status: StatusCode, bytes: &[u8]) -> Result<Answer> {
    let value: Value = serde_json::from_slice(bytes)
        .with_context(|| format!("the control plane answered {status} without JSON"))?;
    if status.is_success() {
        let seq = value["seq"].as_u64().unwrap_or(0);
        return Ok(Answer::Accepted(seq, value));
    }
    if status.is_server_error() {
        return Err(anyhow!(
            "the control plane failed with {status}: {}",
            value["detail"]
        ));
    }
    let reasons = value["reasons"].as_array().into_iter().flatten();
    let mut reasons: Vec<String> = reasons
        .map(|r| {
            format!(
                "{} ({})",
                r["message"].as_str().unwrap_or("?"),
                r["code"].as_str().unwrap_or("?")
            )
        })
        .collect();
    if reasons.is_empty() {
        reasons.push(format!(
            "{status} {}",
            value["detail"].as_str().unwrap_or_default()
        ));
    }
    Ok(Answer::Refused(reasons))
}
