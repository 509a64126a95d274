//! The door: host to insurer, path to route, body up to the route's limit, handler, log line.
//!
//! In:    HTTP requests on one listener. Out: answers, one log line each.
//! Never: personal data in the log; a handler for a person the guard has not seen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::ask::{Ask, Reply, decode_form};
use super::guard;
use super::house::House;
use super::miss::{Language, Miss};
use super::route::{Proof, Route, SERVICES, Service};
use super::tenant::Tenant;

/// What is on every answer: nothing is kept by proxies, nothing is guessed or framed.
const ALWAYS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// A page loads from its own host only, and runs no script that stands in it.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A house that listens.
pub struct Door {
    /// Where.
    pub address: SocketAddr,
    /// Whose.
    pub house: Arc<House>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Door {
    /// Listens and serves.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn open(house: Arc<House>, listen: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}"))?;
        Self::on(house, listener)
    }

    /// Serves on a listener that is there already: its port may be part of the public address.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn on(house: Arc<House>, listener: TcpListener) -> Result<Self> {
        let address = listener.local_addr()?;
        house.back.get_or_init(|| address);
        let (stop, mut stopped) = watch::channel(false);
        let router = router(Arc::clone(&house));
        let task = tokio::spawn(async move {
            let end = async move {
                let _told = stopped.wait_for(|stop| *stop).await;
            };
            let served = axum::serve(listener, router).with_graceful_shutdown(end);
            if let Err(error) = served.await {
                tracing::error!(%error, "the listener failed");
            }
        });
        Ok(Self {
            address,
            house,
            stop,
            task,
        })
    }

    /// Stops listening and waits for what is under way.
    pub async fn close(self) {
        let _told = self.stop.send(true);
        let _ended = self.task.await;
    }
}

/// All services of a house: for who serves them on a listener of their own. Who does says in
/// [`House::back`] where it is.
pub fn router(house: Arc<House>) -> Router {
    Router::new().fallback(serve).with_state(house)
}

/// What was found for a request.
struct Found {
    service: &'static Service,
    route: &'static Route,
    gaps: Vec<String>,
}

async fn serve(State(house): State<Arc<House>>, request: Request) -> Response<Body> {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let found = find(&parts);
    let limit = match &found {
        Ok(found) => found.route.size_max,
        Err(_) => 0,
    };
    let body = read(body, limit).await;
    let work = move || answer(&house, &parts, found, body);
    let (reply, told) = tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a handler broke");
            (Reply::new(500, "text/plain", "broken\n"), Told::default())
        });
    tracing::info!(
        service = told.service,
        tenant = told.tenant,
        method = told.method,
        route = told.route,
        status = reply.status.as_u16(),
        wait_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    finish(reply)
}

/// Most bytes over a limit that are read and thrown away, so that the client hears the no.
const EXCESS_SIZE_MAX: usize = 16 * 1024 * 1024;

/// The body up to a limit. What is more is read on for a while: a client that is cut off while it
/// sends never sees the answer.
async fn read(mut body: Body, limit: usize) -> Result<Bytes, Miss> {
    let mut whole = Vec::new();
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| too_large())?;
        let Some(piece) = frame.data_ref() else {
            continue;
        };
        size = size.saturating_add(piece.len());
        if size <= limit {
            whole.extend_from_slice(piece);
        } else if size > limit.saturating_add(EXCESS_SIZE_MAX) {
            break;
        }
    }
    match size <= limit {
        true => Ok(whole.into()),
        false => Err(too_large()),
    }
}

/// What the log may know.
#[derive(Default)]
struct Told {
    service: &'static str,
    tenant: String,
    method: String,
    route: &'static str,
}

type Wanted = Result<Found, (&'static Service, Box<Miss>)>;

fn find(parts: &Parts) -> Wanted {
    let path = parts.uri.path();
    let first = path.split('/').nth(1).unwrap_or_default();
    let service = SERVICES.iter().find(|service| service.id == first);
    let Some(service) = service else {
        return Err((&SERVICES[1], Box::new(Miss::not_found())));
    };
    let mut is_path = false;
    for route in service.routes {
        let Some(gaps) = route.gaps(path) else {
            continue;
        };
        is_path = true;
        if route.method == parts.method.as_str() {
            return Ok(Found {
                service,
                route,
                gaps,
            });
        }
    }
    let miss = match is_path {
        true => Miss::new(
            405,
            "method",
            "Das geht an dieser Adresse nicht.",
            "This cannot be done at this address.",
        ),
        false => Miss::not_found(),
    };
    Err((service, Box::new(miss)))
}

fn answer(house: &House, parts: &Parts, found: Wanted, body: Result<Bytes, Miss>) -> (Reply, Told) {
    let mut told = Told {
        method: parts.method.to_string(),
        ..Told::default()
    };
    let (service, result) = match found {
        Ok(found) => (found.service, Ok((found.route, found.gaps))),
        Err((service, miss)) => (service, Err(*miss)),
    };
    told.service = service.id;
    let Some(tenant) = tenant(house, parts) else {
        let text = json!({ "type": "urn:reference-provider:no-such-host", "status": 421,
            "title": "no such host" });
        let reply = Reply::new(421, "application/problem+json", text.to_string());
        return (reply, told);
    };
    told.tenant = tenant.id.clone();
    let mut ask = Ask {
        house,
        tenant,
        person: None,
        language: language(parts),
        method: parts.method.as_str(),
        path: parts.uri.path(),
        gaps: Vec::new(),
        query: decode_form(parts.uri.query().unwrap_or_default().as_bytes()),
        headers: &parts.headers,
        body: Bytes::new(),
        now: house.settings.clock.seconds(),
    };
    let result = result.and_then(|(route, gaps)| {
        told.route = route.path;
        ask.gaps = gaps;
        guard::check(&mut ask, route)?;
        if !route.in_emergency && house.is_emergency(tenant, service.id)? {
            return Err(emergency());
        }
        ask.body = body?;
        (route.run)(&ask)
    });
    let is_page = result.is_err()
        && ask
            .header("accept")
            .is_some_and(|a| a.contains("text/html"));
    let reply = result.unwrap_or_else(|miss| match (&miss.to, is_page || is_page_path(&ask)) {
        (Some(to), true) => Reply::see(to),
        _ => (service.miss)(&ask, &miss),
    });
    (reply, told)
}

/// Whether the route asked is a page for people.
fn is_page_path(ask: &Ask<'_>) -> bool {
    let routes = SERVICES.iter().flat_map(|service| service.routes);
    let mut fitting = routes.filter(|route| route.gaps(ask.path).is_some());
    fitting.any(|route| route.proof == Proof::Cookie)
}

/// The first label of the host names the insurer.
fn tenant<'a>(house: &'a House, parts: &Parts) -> Option<&'a Tenant> {
    let host = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => parts.headers.get("host")?.to_str().ok()?,
    };
    house.tenant(&host.split(['.', ':']).next()?.to_ascii_lowercase())
}

fn language(parts: &Parts) -> Language {
    let text = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let cookie = text("cookie").unwrap_or_default();
    if cookie.contains("reference-language=en") {
        return Language::En;
    }
    if cookie.contains("reference-language=de") {
        return Language::De;
    }
    match text("accept-language") {
        Some(wish) if wish.trim_start().to_ascii_lowercase().starts_with("en") => Language::En,
        _ => Language::De,
    }
}

fn too_large() -> Miss {
    Miss::new(413, "too-large", "Das ist zu groß.", "This is too large.")
}

fn emergency() -> Miss {
    Miss::new(
        503,
        "emergency-operation",
        "Dieser Dienst läuft im Notbetrieb; das geht erst wieder im Normalbetrieb.",
        "This service is in emergency operation; this is possible again in normal operation.",
    )
}

fn finish(reply: Reply) -> Response<Body> {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    let mut say = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    };
    for (name, value) in ALWAYS {
        say(name, value);
    }
    say("content-security-policy", CONTENT_POLICY);
    if !reply
        .headers
        .iter()
        .any(|(name, _)| *name == "cache-control")
    {
        say("cache-control", "no-store");
    }
    if reply.status == 503 {
        say("retry-after", "300");
    }
    for (name, value) in &reply.headers {
        say(name, value);
    }
    response
}

/// `GET /<service>/health`: whether it runs, and how.
pub(crate) fn health(ask: &Ask<'_>) -> Result<Reply, Miss> {
    let service = ask.path.split('/').nth(1).unwrap_or_default();
    let emergency = ask.house.is_emergency(ask.tenant, service)?;
    let value = json!({
        "service": service,
        "tenant": ask.tenant.id,
        "status": "up",
        "operation": if emergency { "emergency" } else { "normal" },
    });
    Ok(Reply::json(200, &value))
}
