//! The gate's own door for its operators, on loopback only.
//!
//! In:    `POST /close` with a signed close, `POST /certificates`, `POST /inflow`, `POST /beacon`
//!        and `POST /feed` for sites that are cut off; `GET /state`, `/inflow`, `/health` and
//!        `/metrics`.
//! Out:   the same effect as a close from the feed, answered after the cut; state as JSON.
//! Never: opens anything; takes a close that nobody signed.

mod metrics;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anlauf_model::feed::{FeedPage, GateReport};
use anlauf_model::limits::ENVELOPE_SIZE_MAX;
use anlauf_model::{CellId, GateId, Stage};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::feed::{self, Desk};
use crate::inflow::{FlowReport, Inflow};
use crate::keeper::{Closed, Order};
use crate::limits::{ACCEPT_PAUSE, FEED_SIZE_MAX, HEAD_WAIT_MAX};
use crate::shared::Shared;
use crate::tls::Certificates;

type Answer = Response<Full<Bytes>>;

/// Largest order how fast a cell fills. Bytes.
const FILL_SIZE_MAX: usize = 4_096;

/// What operators may see and ask.
#[derive(Clone)]
pub(crate) struct Operators {
    pub(crate) gate: GateId,
    pub(crate) desk: Desk,
    pub(crate) shared: Arc<Shared>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    /// Where other proxies ask: what they let pass is not ours to cut.
    pub(crate) asked: Vec<SocketAddr>,
}

/// Serves operators until told to stop.
pub(crate) async fn run(
    listener: TcpListener,
    operators: Operators,
    mut stop: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot take an operator in");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let operators = operators.clone();
        let service = service_fn(move |request| {
            let operators = operators.clone();
            async move { Ok::<_, Infallible>(answer(&operators, request).await) }
        });
        let served = Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WAIT_MAX)
            .serve_connection(TokioIo::new(stream), service);
        tasks.spawn(async move { drop(served.await) });
    }
}

async fn answer(operators: &Operators, request: Request<Incoming>) -> Answer {
    let shared = &*operators.shared;
    let route = (request.method().clone(), request.uri().path().to_owned());
    match (&route.0, route.1.as_str()) {
        (&Method::POST, "/close") => close(operators, request).await,
        (&Method::POST, "/certificates") => certificates(operators).await,
        (&Method::GET, "/inflow") => say(StatusCode::OK, &json!({ "cells": flows(shared) })),
        (&Method::POST, "/inflow") => fill(operators, request).await,
        (&Method::POST, "/beacon") => beacon(operators).await,
        (&Method::POST, "/feed") => carried(operators, request).await,
        (&Method::GET, "/state") => state(operators).await,
        (&Method::GET, "/health") => {
            let applied = shared.progress.borrow().applied;
            say(
                StatusCode::OK,
                &json!({ "status": "ok", "applied": applied }),
            )
        }
        (&Method::GET, "/metrics") => metrics(shared),
        _ => problem(StatusCode::NOT_FOUND, "there is no such page", &[]),
    }
}

async fn close(operators: &Operators, request: Request<Incoming>) -> Answer {
    let body = Limited::new(request.into_body(), ENVELOPE_SIZE_MAX)
        .collect()
        .await;
    let Ok(body) = body else {
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the envelope is too large or broke off",
            &[],
        );
    };
    let Ok(envelope) = String::from_utf8(body.to_bytes().to_vec()) else {
        return problem(StatusCode::BAD_REQUEST, "the envelope is not UTF-8", &[]);
    };
    match operators.desk.close(envelope).await {
        Some(Ok(closed)) => shut(operators, closed).await,
        Some(Err(reasons)) => problem(StatusCode::FORBIDDEN, "the close was refused", &reasons),
        None => problem(StatusCode::SERVICE_UNAVAILABLE, "the gate is stopping", &[]),
    }
}

/// What is shut, once filters of others had time to confirm it: what they do not is not told so.
async fn shut(operators: &Operators, closed: Closed) -> Answer {
    let drivers = &operators.shared.drivers;
    let Closed {
        mut cells,
        outlived: mut reasons,
    } = closed;
    let named: Vec<_> = cells.iter().map(|state| state.cell.clone()).collect();
    reasons.extend(drivers.confirm(&named).await);
    cells.retain(|state| !drivers.may_pass(&state.cell));
    let mut value = json!({ "closed": cells });
    let status = match reasons.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::CONFLICT,
    };
    if let Value::Object(fields) = &mut value {
        let names: Vec<_> = drivers.iter().map(|driver| &driver.name).collect();
        if !names.is_empty() {
            fields.insert("not_proven".to_owned(), json!(names));
        }
        if !reasons.is_empty() {
            let title = "not every cell that the close names is shut";
            fields.insert("title".to_owned(), json!(title));
            fields.insert("status".to_owned(), json!(status.as_u16()));
            fields.insert("reasons".to_owned(), json!(reasons));
        }
    }
    say(status, &value)
}

/// What each filter does that follows the cells.
fn driven(shared: &Shared) -> Vec<Value> {
    let (table, now) = (shared.table(), shared.now());
    let told = shared.drivers.iter().map(|driver| {
        let account = driver.account();
        let shut = table.cells().map(|cell| &cell.state);
        let shut = shut.filter(|state| state.stage(now) == Stage::Closed);
        let unclear: Vec<_> = shut.filter(|state| account.may_pass(&state.id)).collect();
        let unclear: Vec<_> = unclear.iter().map(|state| &state.id).collect();
        json!({
            "filter": driver.name,
            "guarded": account.guarded_count(),
            "trouble": account.trouble,
            "not_confirmed_shut": unclear,
        })
    });
    told.collect()
}

/// What an operator sets for one cell.
///
/// Every limit must be said, if only as `null`: what is left out by a slip would be no limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    cell: CellId,
    #[serde(deserialize_with = "Option::deserialize")]
    share_percent: Option<u8>,
    #[serde(deserialize_with = "Option::deserialize")]
    rate_per_minute: Option<u32>,
    #[serde(deserialize_with = "Option::deserialize")]
    concurrent_max: Option<u32>,
}

/// How every cell fills for which that was set.
fn flows(shared: &Shared) -> Vec<FlowReport> {
    let table = shared.table();
    let flows = table
        .cells()
        .filter_map(|cell| Some((cell, cell.state.flow()?)));
    let flows = flows.filter(|(_, flow)| flow.inflow().is_set());
    flows
        .map(|(cell, flow)| flow.report(&cell.spec.id))
        .collect()
}

/// Sets how fast a cell fills. It opens nothing: whom the stage keeps out stays out.
async fn fill(operators: &Operators, request: Request<Incoming>) -> Answer {
    let body = Limited::new(request.into_body(), FILL_SIZE_MAX)
        .collect()
        .await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let fill: Fill = match serde_json::from_slice(&body) {
        Ok(fill) => fill,
        Err(error) => {
            let title = "this does not say how fast a cell fills";
            return problem(StatusCode::BAD_REQUEST, title, &[error.to_string()]);
        }
    };
    let inflow = Inflow {
        share_percent: fill.share_percent,
        rate_per_minute: fill.rate_per_minute,
        concurrent_max: fill.concurrent_max,
    };
    if let Some(wrong) = inflow.wrong() {
        let title = "a cell cannot fill like this";
        return problem(StatusCode::BAD_REQUEST, title, &[wrong.to_owned()]);
    }
    let (reply, answer) = oneshot::channel();
    let order = Order::Fill(fill.cell, inflow, reply);
    let sent = operators.desk.orders.send(order).await;
    match (sent, answer.await) {
        (Ok(()), Ok(true)) => say(
            StatusCode::OK,
            &json!({ "cells": flows(&operators.shared) }),
        ),
        (Ok(()), Ok(false)) => problem(
            StatusCode::NOT_FOUND,
            "this gate's table has no such cell",
            &[],
        ),
        _ => problem(StatusCode::SERVICE_UNAVAILABLE, "the gate is stopping", &[]),
    }
}

/// A beacon for somebody to carry to where it can be answered.
async fn beacon(operators: &Operators) -> Answer {
    match operators.desk.carried().await {
        Ok((beacon, applied)) => {
            let gate = &operators.gate;
            let asked = json!({ "gate": gate, "beacon": beacon, "applied": applied });
            say(StatusCode::OK, &asked)
        }
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, &why, &[]),
    }
}

/// A page of the feed that somebody carried here: believed no more than one from the line.
async fn carried(operators: &Operators, request: Request<Incoming>) -> Answer {
    let body = Limited::new(request.into_body(), FEED_SIZE_MAX);
    let Ok(body) = body.collect().await else {
        let title = "the page is too large or broke off";
        return problem(StatusCode::PAYLOAD_TOO_LARGE, title, &[]);
    };
    let Ok(page) = serde_json::from_slice::<FeedPage>(&body.to_bytes()) else {
        return problem(StatusCode::BAD_REQUEST, "this is no page of the feed", &[]);
    };
    match feed::carried(&operators.desk, &operators.shared, page).await {
        Ok(count) => {
            let applied = operators.shared.progress.borrow().applied;
            let freshness = &*operators.shared.freshness();
            let value = json!({ "items": count, "applied": applied, "freshness": freshness });
            say(StatusCode::OK, &value)
        }
        Err(why) => problem(
            StatusCode::FORBIDDEN,
            "the page was not taken whole",
            &[why],
        ),
    }
}

/// Reads the certificates again. What cannot be read changes nothing.
async fn certificates(operators: &Operators) -> Answer {
    let Some(certificates) = operators.certificates.clone() else {
        return problem(
            StatusCode::NOT_FOUND,
            "this gate has no door under TLS",
            &[],
        );
    };
    match tokio::task::spawn_blocking(move || certificates.reload()).await {
        Ok(Ok(hosts)) => say(StatusCode::OK, &json!({ "hosts": hosts })),
        Ok(Err(error)) => {
            let title = "the certificates stay as they were";
            problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                title,
                &[error.to_string()],
            )
        }
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "the gate is stopping", &[]),
    }
}

async fn state(operators: &Operators) -> Answer {
    let (desk, shared) = (&operators.desk, &*operators.shared);
    let (reply, answer) = oneshot::channel();
    let asked = desk.orders.send(Order::Report(reply)).await;
    let Ok((report, _)) = (match asked {
        Ok(()) => answer.await.map_err(drop),
        Err(_) => Err(()),
    }) else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "the gate is stopping", &[]);
    };
    let (table, now) = (shared.table(), shared.now());
    let report: GateReport = GateReport {
        changed: table.cells().map(|cell| cell.state.report(now)).collect(),
        ..report
    };
    let loud = table.cells().filter_map(|cell| {
        let until = cell.state.glass_until(now)?;
        Some(json!({ "cell": cell.state.id, "until": until }))
    });
    let told = serde_json::to_value(&report).map(|mut value| {
        let named = |at: &SocketAddr| format!("forward authentication at {at}");
        let asked = operators.asked.iter().map(named);
        let followers = shared.drivers.iter().map(|driver| driver.name.clone());
        let not_proven: Vec<_> = asked.chain(followers).collect();
        let drivers = driven(shared);
        if let Value::Object(fields) = &mut value {
            if !not_proven.is_empty() {
                fields.insert("not_proven".to_owned(), json!(not_proven));
            }
            if !drivers.is_empty() {
                fields.insert("drivers".to_owned(), json!(drivers));
            }
            fields.insert("break_glass".to_owned(), loud.collect());
        }
        value
    });
    match told {
        Ok(value) => say(StatusCode::OK, &value),
        Err(_) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the state cannot be written",
            &[],
        ),
    }
}

fn metrics(shared: &Shared) -> Answer {
    let mut answer = Answer::new(Full::new(metrics::text(shared).into()));
    let kind = HeaderValue::from_static("text/plain; version=0.0.4");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn say(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Answer::new(Full::new(value.to_string().into()));
    *answer.status_mut() = status;
    let kind = match status.is_success() {
        true => HeaderValue::from_static("application/json"),
        false => HeaderValue::from_static("application/problem+json"),
    };
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn problem(status: StatusCode, title: &str, reasons: &[String]) -> Answer {
    say(
        status,
        &json!({ "title": title, "status": status.as_u16(), "reasons": reasons }),
    )
}
