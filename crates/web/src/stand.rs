//! A control plane in memory for the tests: real rules, real keys, real routes.
//!
//! In:    the example landscape. Out: a [`Stand`] that is driven over HTTP, without a socket.
//! Never: an answer made up: what it says is what `recovery` decided.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::{Digest, Landscape, PersonId, Timestamp};
use anlauf_recovery::Actor;
use anlauf_trust::Signer;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;

use crate::{Logins, Web, router};

pub(crate) mod cast;
pub(crate) mod desk;
pub(crate) mod story;

pub(crate) use cast::Cast;
pub(crate) use desk::MemoryDesk;

/// When the tests begin: a Friday, 20:00 UTC.
pub(crate) const BEGIN: Timestamp = Timestamp(1_777_060_800_000);

/// Largest answer a test reads. Bytes.
const ANSWER_SIZE_MAX: usize = 64 * 1024 * 1024;

/// A control plane in memory, and everyone who may talk to it.
pub(crate) struct Stand {
    pub(crate) desk: Arc<MemoryDesk>,
    pub(crate) cast: Cast,
    pub(crate) landscape: Landscape,
    router: Router,
    next_key: std::sync::atomic::AtomicU64,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Tokens are the persons' ids; whoever has no person has no login.
struct Tokens(BTreeMap<String, Actor>);

impl Logins for Tokens {
    fn find(&self, token: &str) -> Option<Actor> {
        self.0.get(token).cloned()
    }
}

impl Stand {
    /// An empty ledger over the example landscape.
    pub(crate) fn new() -> Self {
        let files = anlauf_model::landscape::example::example();
        let files = files
            .into_iter()
            .map(|(name, text)| (name.to_owned(), text.into_bytes()));
        let declared = anlauf_model::landscape::source::read(&files.collect());
        let landscape = Landscape::new(declared.expect("the example reads")).expect("it is sound");
        let cast = Cast::new(&landscape);
        let desk = Arc::new(MemoryDesk::new(BEGIN));
        let logins = cast
            .actors()
            .map(|actor| (actor.person.to_string(), actor.clone()));
        let web = Web {
            desk: desk.clone(),
            logins: Arc::new(Tokens(logins.collect())),
            closer: cast.closer(),
            plan_steps: 0,
        };
        let next_key = std::sync::atomic::AtomicU64::new(1);
        Self {
            desk,
            cast,
            landscape,
            router: router(web),
            next_key,
        }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> axum::response::Response {
        let mut router = self.router.clone();
        Service::call(&mut router, request)
            .await
            .expect("a router cannot fail")
    }

    /// Sends a request and reads the answer to its end.
    pub(crate) async fn ask(
        &self,
        who: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"));
        if let Some(who) = who {
            request = request.header(AUTHORIZATION, format!("Bearer {who}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).expect("tests write legal requests");
        Answer::read(self.send(request).await).await
    }

    /// Reads as someone.
    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(Some(who), Method::GET, path, None).await
    }

    /// Reads as someone who may.
    pub(crate) async fn json(&self, who: &str, path: &str) -> Value {
        let answer = self.get(who, path).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "GET {path} as {who}: {}",
            answer.text
        );
        answer.json()
    }

    /// Changes something as someone, with a fresh key unless the body has one.
    pub(crate) async fn post(&self, who: &str, path: &str, mut body: Value) -> Answer {
        if body.get("key").is_none() {
            let number = self
                .next_key
                .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            body["key"] = json!(format!("key-{number}"));
        }
        self.ask(Some(who), Method::POST, path, Some(&body)).await
    }

    /// Sends an order that must be accepted.
    pub(crate) async fn must(&self, who: &str, order: Value) -> Value {
        let answer = self.order(who, order.clone()).await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{order} as {who}: {}",
            answer.text
        );
        answer.json()
    }

    /// Sends an order.
    pub(crate) async fn order(&self, who: &str, order: Value) -> Answer {
        self.post(
            who,
            "/commands",
            json!({ "reason": "as the story says", "order": order }),
        )
        .await
    }
}

impl Answer {
    async fn read(response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes: Bytes = to_bytes(body, ANSWER_SIZE_MAX)
            .await
            .expect("the body is whole");
        let text = String::from_utf8(bytes.to_vec()).expect("answers are text");
        Self {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    /// The answer as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("the answer is JSON")
    }

    /// Codes of the reasons of a problem.
    pub(crate) fn codes(&self) -> Vec<String> {
        let problem = self.json();
        let reasons = problem["reasons"]
            .as_array()
            .expect("a problem has reasons");
        let code = |reason: &Value| reason["code"].as_str().expect("a code").to_owned();
        reasons.iter().map(code).collect()
    }
}

/// A key that hangs on its name alone.
pub(crate) fn signer(name: &str) -> Signer {
    Signer::from_seed(Digest::of(format!("stand {name}").as_bytes()).0)
}

/// Parses an id that a test wrote.
pub(crate) fn person(id: &str) -> PersonId {
    id.parse().expect("tests write legal ids")
}
