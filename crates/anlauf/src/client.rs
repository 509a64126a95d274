//! Talks with a running control plane: its JSON API, blocking.
//!
//! In:    an address, a token, paths and bodies. Out: JSON, or a [`Failure`] with its meaning.
//! Never: repeats a change by itself: the same `--key` sent again is harmless, a person decides.

use std::io::{BufRead, BufReader, Lines};
use std::time::Duration;

use anlauf_model::Language;
use anlauf_recovery::Order;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;

use crate::exit::{Code, Done, Failure, Reason};

/// Longest wait for a connection.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest wait for an answer. A plan of a large landscape takes a while.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(300);

/// Largest answer that is read. Bytes. A plan of a million tasks fits.
const ANSWER_SIZE_MAX: u64 = 512 * 1024 * 1024;

/// Items of one stretch of a long list.
const STRETCH: usize = 5_000;

/// Most stretches of one list; ten million items.
const STRETCH_COUNT_MAX: usize = 2_000;

/// A line to the control plane.
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
    language: Language,
}

/// A change with all it needs beside its order.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Idempotency key.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl Client {
    /// Talks to the control plane at this address, with or without a login.
    pub fn new(control: &str, token: Option<String>, language: Language) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_WAIT_MAX))
            .timeout_recv_response(Some(ANSWER_WAIT_MAX))
            .max_redirects(0)
            .build();
        Self {
            agent: config.new_agent(),
            base: format!("{}/api/v1", control.trim_end_matches('/')),
            token,
            language,
        }
    }

    /// Talks to a gate at its admin address, which needs no login.
    pub fn at_gate(gate: &str, language: Language) -> Self {
        let mut client = Self::new(gate, None, language);
        client.base = gate.trim_end_matches('/').to_owned();
        client
    }

    /// Asks for something.
    ///
    /// # Errors
    /// No answer, or a problem.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Done<T> {
        read(self.open(path)?)
    }

    /// Asks for a long list, stretch by stretch. `path` has a query already or none.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn all(&self, path: &str, name: &str) -> Done<Vec<Value>> {
        let mut found = Vec::new();
        let mut after = String::new();
        for _ in 0..STRETCH_COUNT_MAX {
            let mark = if path.contains('?') { '&' } else { '?' };
            let mut page: Value = self.get(&format!("{path}{mark}limit={STRETCH}{after}"))?;
            if let Value::Array(items) = page[name].take() {
                found.extend(items);
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(found),
            }
        }
        let why = format!("the list of {name} does not end; ask with filters");
        Err(Failure::new(Code::Failed, why))
    }

    /// Asks for text.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn text(&self, path: &str) -> Done<String> {
        let bytes = bytes(checked(self.open(path)?)?)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Lines of an answer that does not end.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub fn lines(&self, path: &str) -> Done<Lines<BufReader<ureq::BodyReader<'static>>>> {
        let response = checked(self.open(path)?)?;
        Ok(BufReader::new(response.into_body().into_reader()).lines())
    }

    fn open(&self, path: &str) -> Done<Response> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = request.header("Accept-Language", self.language.tag());
        let request = match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        };
        request.call().map_err(|error| self.unreachable(&error))
    }

    /// Sends a body.
    ///
    /// # Errors
    /// No answer, or a problem.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Done<T> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let request = match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        };
        let request = request.header("Content-Type", "application/json");
        let answer = request.send(body.to_string());
        read(answer.map_err(|error| self.unreachable(&error))?)
    }

    /// Sends an order.
    ///
    /// # Errors
    /// No answer, or a problem: most of all a refusal with its reasons.
    pub fn order(&self, ticket: &Ticket, order: &Order) -> Done<Value> {
        let order = serde_json::to_value(order).map_err(anyhow::Error::from)?;
        self.post("/commands", &ticket.body(json!({ "order": order })))
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let base = &self.base;
        let message = format!(
            "cannot reach the control plane at `{base}`: {error}; \
             check the address, or start it with `anlauf serve`"
        );
        Failure::new(Code::Unreachable, message)
    }
}

impl Ticket {
    /// A body with key and reason.
    pub fn body(&self, mut body: Value) -> Value {
        body["key"] = json!(self.key);
        body["reason"] = json!(self.reason);
        body
    }
}

type Response = ureq::http::Response<ureq::Body>;

fn read<T: DeserializeOwned>(response: Response) -> Done<T> {
    let bytes = bytes(checked(response)?)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!(
            "the control plane answered something else than expected: {error}; \
             use a client of the same version"
        );
        Failure::new(Code::Failed, message)
    })
}

/// The response if it is a success; else the problem it tells.
fn checked(response: Response) -> Done<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(problem(status.as_u16(), &bytes(response)?))
}

fn bytes(mut response: Response) -> Done<Vec<u8>> {
    let body = response.body_mut().with_config().limit(ANSWER_SIZE_MAX);
    body.read_to_vec().map_err(|error| {
        let message = format!("the answer of the control plane broke off: {error}");
        Failure::new(Code::Unreachable, message)
    })
}

fn problem(status: u16, bytes: &[u8]) -> Failure {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let detail = body["detail"].as_str().unwrap_or("no detail was given");
    let title = body["title"].as_str().unwrap_or("problem");
    let reasons = reasons(&body["reasons"]);
    let (code, message) = match status {
        409 if reasons.is_empty() => (Code::Refused, format!("{title}: {detail}")),
        409 => (Code::Refused, "refused; nothing was changed".to_owned()),
        401 => (Code::Login, format!("{title}: {detail}")),
        403 if !reasons.is_empty() => (Code::Refused, "refused; nothing was changed".to_owned()),
        403 | 404 => (Code::Login, format!("{title}: {detail}")),
        503 => (Code::Unreachable, format!("{title}: {detail}")),
        400 | 413 | 415 | 422 => (Code::Usage, format!("{title}: {detail}")),
        _ => (Code::Failed, format!("{title} ({status}): {detail}")),
    };
    Failure {
        reasons,
        ..Failure::new(code, message)
    }
}

/// Reasons as the control plane tells them, or a gate's, which are sentences with their code.
fn reasons(told: &Value) -> Vec<Reason> {
    let reason = |one: &Value| match one.as_str() {
        Some(sentence) => Some(Reason {
            code: String::new(),
            message: sentence.to_owned(),
            remedy: String::new(),
        }),
        None => serde_json::from_value(one.clone()).ok(),
    };
    let told = told.as_array().into_iter().flatten();
    told.filter_map(reason).collect()
}
