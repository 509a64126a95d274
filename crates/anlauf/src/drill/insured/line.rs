//! One person's connection to the services, and how an answer reads.
//!
//! In:    requests by host and path. Out: [`Reply`], or none when the connection broke.
//! Never: follows a redirect by itself; waits for ever.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderMap, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::book::Outcome;
use crate::drill::backend::SERVED;

/// Longest wait for an answer. Whoever is not answered by then goes home.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(30);

/// A client that sends bodies.
pub(super) type Web = Client<HttpConnector, Full<Bytes>>;

/// Where a person asks.
pub(super) struct Line {
    pub(super) web: Web,
    pub(super) to: SocketAddr,
    pub(super) host: String,
}

/// A question.
pub(super) struct Question<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A client with kept-alive connections.
pub(super) fn web() -> Web {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

impl<'a> Question<'a> {
    /// Asks for something.
    pub(super) fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Sends something.
    pub(super) fn post(path: &'a str, media: &str, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            path,
            headers: vec![("content-type", media.to_owned())],
            body: body.into(),
        }
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As somebody who is logged in.
    pub(super) fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }
}

impl Line {
    /// One question and its answer.
    pub(super) async fn ask(&self, question: Question<'_>) -> Option<Reply> {
        let mut request = Request::builder()
            .method(question.method)
            .uri(format!("http://{}{}", self.to, question.path))
            .header(HOST, &self.host);
        for (name, value) in question.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(question.body)).ok()?;
        let answer = async {
            let response = self.web.request(request).await.ok()?;
            let (parts, body) = response.into_parts();
            Some(Reply {
                status: parts.status,
                headers: parts.headers,
                body: body.collect().await.ok()?.to_bytes(),
            })
        };
        tokio::time::timeout(ANSWER_WAIT_MAX, answer).await.ok()?
    }
}

impl Reply {
    /// The cell whose service answered; none when a gate did.
    pub(super) fn served(&self) -> Option<&str> {
        self.header(SERVED)
    }

    /// What it means to a person.
    pub(super) fn outcome(&self) -> Outcome {
        let later = self.headers.contains_key(RETRY_AFTER);
        match (self.served(), self.status.as_u16()) {
            (Some(_), 200..=399) => Outcome::Served,
            (_, 409 | 503) if later => Outcome::Told,
            _ => Outcome::Failed,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A value of a query in the address it sends on to, decoded as far as tokens need.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.header("location")?.split_once('?')?;
        let pairs = reference_provider::kernel::ask::decode_form(query.as_bytes());
        let mut found = pairs.into_iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value)
    }

    /// Every cookie it sets, as a browser sends them back.
    pub(super) fn cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        let lines = lines.filter_map(|line| line.to_str().ok());
        let pairs = lines.filter_map(|line| line.split(';').next());
        pairs.map(str::to_owned).collect()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
