//! Tells other proxies whether a request of theirs may pass: forward authentication.
//!
//! In:    a sub-request of nginx, HAProxy, Traefik or Envoy about a request of a client.
//! Out:   200 with the judge's permit, or a no in the form that this proxy takes for one.
//! Never: says 2xx without a permit; believes anyone who is not a trusted proxy; cuts what the
//!        other proxy has let pass: it is not ours to cut.
//! See:   docs/guide/forward-auth.md.
//!
//! The permit is held until the answer is sent. A close in between ends the connection, which
//! every one of these proxies takes for a no.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::access::{Entry, Verdict};
use crate::body::Download;
use crate::intake::Port;
use crate::judge::Permit;
use crate::listener::{Worker, keep_time};
use crate::page::{Why, Wishes};
use crate::proxy_protocol::Peer;
use crate::request::{Fields, Line, Wrong, ascii};
use crate::serve::{Counts, admit, carry};
use crate::shared::Shared;
use crate::socket::Socket;
use crate::visit::Conn;
use crate::{http1, intake};

/// How a proxy asks, and what it takes for a no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// The page goes to the client as it is: HAProxy by Lua, Traefik.
    Page,
    /// 401 and 403 are a no, anything else is an error: nginx's `auth_request`.
    Status,
    /// The request's own line with a prefix; 5xx is an error that a wrong setting lets pass:
    /// Envoy's `ext_authz`.
    Prefix,
}

/// A sub-request as it came.
pub(crate) struct Question<'a, F> {
    pub(crate) method: &'a Method,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) fields: &'a F,
}

/// The answer, and the permit to hold until it is sent.
pub(crate) struct Word {
    pub(crate) answer: Response<Download>,
    pub(crate) permit: Option<Permit>,
    /// Says how it ended.
    pub(crate) entry: Entry,
}

/// Header lines without those that speak of the sub-request itself.
struct Original<'a, F>(&'a F);

/// Lines that speak of the sub-request itself.
const NOT_OF_ORIGINAL: [&str; 3] = ["host", "content-length", "transfer-encoding"];

impl<F: Fields> Fields for Original<'_, F> {
    fn each(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.each().filter(|(name, _)| {
            let is_own = |own: &&str| name.eq_ignore_ascii_case(own);
            !NOT_OF_ORIGINAL.iter().any(is_own)
        })
    }
}

/// Takes proxies in until told to stop.
pub(crate) async fn run(port: Port, worker: Arc<Worker>, stop: watch::Receiver<bool>) {
    let (own, stopped) = (Arc::clone(&worker), stop.clone());
    let proxies = intake::run(port, &worker.shared, stop, move |stream, peer| {
        serve(Arc::clone(&own), (stream, peer), stopped.clone())
    });
    tokio::select! {
        () = proxies => {}
        () = keep_time(&worker) => {}
    }
}

async fn serve(
    worker: Arc<Worker>,
    (stream, peer): (TcpStream, Peer),
    stop: watch::Receiver<bool>,
) {
    let slam = Arc::new(AtomicBool::new(false));
    let socket = Socket::new(stream, Arc::clone(&slam));
    let (conn, orders) = Conn::asking(peer, socket.meter());
    http1::serve(worker, (socket, slam), Vec::new(), (conn, orders), stop).await;
}

/// Answers one sub-request.
pub(crate) fn answer(
    shared: &Shared,
    conn: &Arc<Conn>,
    question: &Question<'_, impl Fields>,
) -> Word {
    let mut word = decide(shared, conn, question);
    if word.entry.is_none() {
        word.entry = shared.entry(conn);
        word.entry.verdict(Verdict::Unknown);
    }
    word.entry.status(word.answer.status().as_u16());
    word
}

fn decide(shared: &Shared, conn: &Arc<Conn>, question: &Question<'_, impl Fields>) -> Word {
    if !shared.testers.proxies.trusts(conn.peer.address) {
        Counts::add(&shared.counts.unknown);
        return plain(StatusCode::FORBIDDEN, "this address is no trusted proxy\n");
    }
    let Some((manner, rest)) = manner(question.target) else {
        Counts::add(&shared.counts.unknown);
        return plain(
            StatusCode::NOT_FOUND,
            "ask at /nginx, /haproxy, /traefik or /envoy\n",
        );
    };
    let fields = Original(question.fields);
    let asked = match manner {
        Manner::Prefix => own_line(question, rest),
        Manner::Page | Manner::Status => named(question.fields),
    };
    let Some((method, host, target)) = asked else {
        Counts::add(&shared.counts.unknown);
        let why = Why::Wrong(Wrong::Path);
        let wishes = Wishes::of(question.fields);
        return denied(manner, shared.speaker().say(why, "", &wishes));
    };
    let line = Line {
        method: &method,
        authority: Some(host),
        path: target.split('?').next().unwrap_or(target),
        is_http11: true,
        fields: &fields,
    };
    match admit(shared, conn, &line) {
        Ok(admitted) => {
            let cell = &admitted.permit.cell().state;
            shared.counts.note_passed(cell);
            let mut word = plain(StatusCode::OK, "");
            if let Ok(name) = HeaderValue::from_str(&cell.name) {
                word.answer.headers_mut().insert("x-anlauf-cell", name);
            }
            carry(&mut word.answer, admitted.permit.carry());
            word.permit = Some(admitted.permit);
            word.entry = admitted.entry;
            word.entry.verdict(Verdict::Passed);
            word
        }
        Err((refused, entry)) => Word {
            entry,
            ..denied(manner, refused.say(shared, question.fields))
        },
    }
}

/// Who asks, by the first part of the path, and what stands behind it.
fn manner(target: &str) -> Option<(Manner, &str)> {
    let path = target.split('?').next().unwrap_or(target);
    match path {
        "/haproxy" | "/traefik" => return Some((Manner::Page, "")),
        "/nginx" => return Some((Manner::Status, "")),
        _ => {}
    }
    let rest = target.strip_prefix("/envoy")?;
    rest.starts_with('/').then_some((Manner::Prefix, rest))
}

/// A request whose own line comes along behind the prefix.
fn own_line<'a>(
    question: &Question<'a, impl Fields>,
    rest: &'a str,
) -> Option<(Method, &'a str, &'a str)> {
    let host = one(question.fields, &["host"])?;
    Some((question.method.clone(), host, rest))
}

/// A request that header lines name.
fn named(fields: &impl Fields) -> Option<(Method, &str, &str)> {
    let method = one(fields, &["x-forwarded-method", "x-original-method"])?;
    let host = one(fields, &["x-forwarded-host"])?;
    let target = one(fields, &["x-forwarded-uri", "x-original-uri"])?;
    Some((Method::from_bytes(method.as_bytes()).ok()?, host, target))
}

/// The one value of lines that say the same; none if two of them differ.
fn one<'a>(fields: &'a impl Fields, names: &[&str]) -> Option<&'a str> {
    let mut found = None;
    for name in names {
        let mut lines = fields.all(name);
        let Some(value) = lines.next() else { continue };
        let value = ascii(value)?;
        if lines.next().is_some() || found.is_some_and(|known| known != value) {
            return None;
        }
        found = Some(value);
    }
    found
}

/// A no as this proxy takes it for one.
fn denied(manner: Manner, mut answer: Response<Download>) -> Word {
    let status = answer.status();
    let is_no = match manner {
        Manner::Page => !status.is_success() && !status.is_informational(),
        Manner::Status => false,
        Manner::Prefix => status.is_client_error(),
    };
    if !is_no {
        *answer.status_mut() = StatusCode::FORBIDDEN;
    }
    Word {
        answer,
        permit: None,
        entry: Entry::default(),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Word {
    let mut answer = Response::new(Download::own(text));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    let fresh = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(CACHE_CONTROL, fresh);
    Word {
        answer,
        permit: None,
        entry: Entry::default(),
    }
}
