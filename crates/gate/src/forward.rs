//! Hands a permitted request to its backend and brings the answer.
//!
//! In:    a [`Permit`] by value, the request, whom it was for.
//! Out:   the backend's answer with its body still running, or [`Failed`].
//! Never: forwards without a permit; sends a request twice that a backend may have seen; changes
//!        protocols (an upgraded connection would pass bytes that nobody judges).

use hyper::body::Body;
use hyper::header::HeaderMap;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::backdoor::{Connector, Line};
use crate::body::{Download, Spoiled, Upload};
use crate::judge::Permit;
use crate::limits::{UPSTREAM_CONNECT_WAIT_MAX, UPSTREAM_HEAD_WAIT_MAX, UPSTREAM_IDLE_MAX};
use crate::request::{Asker, Target, clean_hops, introduce};

/// The only part of the gate that holds connections to backends.
pub(crate) struct Forwarder {
    client: Client<Connector, Upload>,
}

/// Why a backend's answer did not come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failed {
    /// Nobody said where the cell is served from, or it does not answer.
    Unreachable,
    /// It took the request and said nothing in time.
    Silent,
    /// The client's body broke off or is framed wrongly: nobody's fault but the client's.
    Spoiled,
}

impl Forwarder {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(UPSTREAM_CONNECT_WAIT_MAX));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(UPSTREAM_IDLE_MAX)
            .pool_timer(TokioTimer::new())
            .build(Connector(connector));
        Self { client }
    }

    /// Forwards. The permit stays with the answer's body to its last byte.
    pub(crate) async fn forward(
        &self,
        permit: Permit,
        (target, client): (&Target<'_>, &Asker),
        request: Request<Upload>,
    ) -> Result<Response<Download>, Failed> {
        let cell = permit.cell();
        let uri = cell
            .upstream
            .as_ref()
            .filter(|at| !at.is_tcp)
            .and_then(|at| joined(&at.uri, request.uri()));
        let Some(uri) = uri else {
            return Err(Failed::Unreachable);
        };
        let (mut parts, body) = request.into_parts();
        let trailers = wants_trailers(&parts.headers);
        clean_hops(&mut parts.headers);
        introduce(
            &mut parts.headers,
            (permit.conn(), client),
            &target.authority,
            &cell.state.id,
        );
        if trailers {
            parts
                .headers
                .insert("te", hyper::header::HeaderValue::from_static("trailers"));
        }
        parts.uri = uri;
        parts.version = Version::HTTP_11;
        let mut request = Request::from_parts(parts, body);
        let mut line = Line::new(&mut request);
        let answer = self.client.request(request);
        let answer = match tokio::time::timeout(UPSTREAM_HEAD_WAIT_MAX, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if Spoiled::is_behind(&error) => return Err(Failed::Spoiled),
            Ok(Err(error)) => {
                tracing::debug!(cell = %cell.state.id, %error, "backend failed");
                return Err(Failed::Unreachable);
            }
            Err(_) => return Err(Failed::Silent),
        };
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failed::Unreachable);
        }
        let (mut parts, body) = answer.into_parts();
        if body.is_end_stream() {
            line.answered();
        }
        clean_hops(&mut parts.headers);
        parts.version = Version::HTTP_11;
        Ok(Response::from_parts(
            parts,
            Download::Backend {
                body,
                line,
                _permit: permit,
            },
        ))
    }
}

fn wants_trailers(headers: &HeaderMap) -> bool {
    let lines = headers
        .get_all("te")
        .iter()
        .filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|code| code.trim() == "trailers")
}

/// Scheme and host of the backend with path and query of the request, untouched.
fn joined(upstream: &Uri, asked: &Uri) -> Option<Uri> {
    let mut parts = upstream.clone().into_parts();
    parts.path_and_query = asked
        .path_and_query()
        .cloned()
        .or_else(|| Some(PathAndQuery::from_static("/")));
    Uri::from_parts(parts).ok()
}
