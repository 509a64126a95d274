//! One request from its head to its answer, whatever the protocol.
//!
//! In:    a request on a connection. Out: a backend's answer, or the gate's own words.
//! Never: reaches a backend without a permit from the judge.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anlauf_model::feed::GateCounts;
use anlauf_model::{Stage, Timestamp};
use hyper::header::{HeaderValue, SET_COOKIE};
use hyper::{Method, Request, Response};

use crate::access::{Entry, Verdict};
use crate::body::{Download, Upload};
use crate::forward::Failed;
use crate::inflow::{Carry, Comer, PLACE};
use crate::judge::{Asked, Denied, No, Permit, judge, shut};
use crate::page::{Why, Wishes};
use crate::proxy_protocol::TurnedAwayCounts;
use crate::request::{self, Asker, Fields, Line, Target};
use crate::shared::Shared;
use crate::table::{Cell, CellState, Found, is_below};
use crate::visit::{Conn, Visit};

/// Requests by outcome, since the start.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) passed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) cut: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) turned_away: TurnedAwayCounts,
}

/// A request that may pass.
pub(crate) struct Admitted<'a> {
    pub(crate) permit: Permit,
    pub(crate) target: Target<'a>,
    pub(crate) client: Asker,
    /// Says how it ended.
    pub(crate) entry: Entry,
}

impl Admitted<'_> {
    /// The same without its request.
    pub(crate) fn into_owned(self) -> Admitted<'static> {
        Admitted {
            permit: self.permit,
            target: self.target.into_owned(),
            client: self.client,
            entry: self.entry,
        }
    }
}

/// A request that does not pass.
pub(crate) enum Refused<'a> {
    /// With this answer.
    Said(Box<Response<Download>>),
    /// The judge's no, when it was said, and what about; still to be put in words.
    No((No, Timestamp), Arc<Cell>, Target<'a>),
}

impl Refused<'_> {
    /// The whole answer.
    pub(crate) fn say(self, shared: &Shared, fields: &impl Fields) -> Response<Download> {
        match self {
            Self::Said(answer) => *answer,
            Self::No((no, _), cell, target) => {
                let wishes = Wishes::of(fields);
                let why = Why::No(no, &cell.state);
                shared.speaker().say(why, &target.host, &wishes)
            }
        }
    }
}

const RESERVED: &str = "/.anlauf";

// === impl Counts ===

impl Counts {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer of a backend.
    pub(crate) fn note_passed(&self, cell: &CellState) {
        Self::add(&self.passed);
        Self::add(&cell.counts.passed);
    }

    /// A backend that did not answer.
    pub(crate) fn note_failed(&self, cell: &CellState) {
        Self::add(&self.failed);
        Self::add(&cell.counts.failed);
    }

    /// A no of the judge.
    pub(crate) fn note_refused(&self, cell: &CellState) {
        Self::add(&self.refused);
        Self::add(&cell.counts.refused);
    }

    /// A connection or stream that a close has cut.
    pub(crate) fn note_cut(&self, cell: &CellState) {
        Self::add(&self.cut);
        Self::add(&cell.counts.cut);
    }

    pub(crate) fn get(&self) -> GateCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        GateCounts {
            passed: get(&self.passed),
            refused: get(&self.refused),
            unknown: get(&self.unknown),
            cut: get(&self.cut),
            failed: get(&self.failed),
        }
    }
}

/// Finds the cell, registers, asks the judge. Does not wait for anything.
///
/// # Errors
/// What to answer instead, and what says how that ended.
pub(crate) fn admit<'a>(
    shared: &Shared,
    conn: &Arc<Conn>,
    line: &Line<'a, impl Fields>,
) -> Result<Admitted<'a>, (Refused<'a>, Entry)> {
    let mut entry = shared.entry(conn);
    entry.asks(line.method.as_str(), line.path);
    if shared.access.is_on() {
        entry.request(line.fields.text("x-request-id"));
    }
    match decide(shared, conn, line, &mut entry) {
        Ok(admitted) => Ok(Admitted { entry, ..admitted }),
        Err(refused) => {
            match &refused {
                Refused::No((no, _), ..) => entry.refused(*no),
                Refused::Said(answer) if answer.status().is_success() => {
                    entry.verdict(Verdict::Own);
                }
                Refused::Said(_) => entry.verdict(Verdict::Unknown),
            }
            Err((refused, entry))
        }
    }
}

fn decide<'a>(
    shared: &Shared,
    conn: &Arc<Conn>,
    line: &Line<'a, impl Fields>,
    entry: &mut Entry,
) -> Result<Admitted<'a>, Refused<'a>> {
    let say = |why: Why<'_>, host: &str| {
        let answer = shared.speaker().say(why, host, &Wishes::of(line.fields));
        Refused::Said(Box::new(answer))
    };
    let target = request::target(line).map_err(|wrong| {
        Counts::add(&shared.counts.unknown);
        say(Why::Wrong(wrong), "")
    })?;
    entry.host(&target.host);
    if conn.sni.as_ref().is_some_and(|name| *name != target.host) {
        // One host in the handshake, another in the request: which rules hold for it?
        Counts::add(&shared.counts.unknown);
        return Err(say(Why::NoHost, &target.host));
    }
    let table = shared.table();
    let found = table.find(&target.host, &target.paths);
    let reserved_path = target.paths.iter().find(|path| is_below(path, RESERVED));
    if let (Found::Cell(_) | Found::NoPath, Some(path)) = (&found, reserved_path) {
        return Err(Refused::Said(Box::new(reserved(path))));
    }
    let cell = match found {
        Found::Cell(cell) => cell,
        Found::NoPath => {
            Counts::add(&shared.counts.unknown);
            return Err(say(Why::NoPath, &target.host));
        }
        Found::NoHost => {
            Counts::add(&shared.counts.unknown);
            return Err(say(Why::NoHost, &target.host));
        }
    };
    let client = shared.testers.proxies.client(conn.peer, line.fields);
    let client = client.map_err(|wrong| {
        Counts::add(&shared.counts.unknown);
        say(Why::Wrong(wrong), &target.host)
    })?;
    let now = shared.now();
    entry.client(client.address);
    entry.cell(&cell.state, now);
    if cell.state.stage(now) == Stage::Closed {
        // Nothing can be under way for whom nothing is let through: no need to register.
        shared.counts.note_refused(&cell.state);
        let no = shut(&cell.state, now);
        return Err(Refused::No((no, now), Arc::clone(cell), target));
    }
    let asked = Asked {
        method: line.method,
        paths: &target.paths,
        client: client.address,
        pass: request::pass(line.fields),
        comer: Some(Comer {
            key: &shared.places,
            carried: request::place(line.fields),
            reloads: *line.method == Method::GET,
            is_tls: client.scheme.unwrap_or(conn.scheme()) == "https",
        }),
    };
    let visit = Visit::enter(cell, conn);
    match judge(visit, &asked, &shared.testers, now) {
        Ok(permit) => Ok(Admitted {
            permit,
            target,
            client,
            entry: Entry::default(),
        }),
        Err(denied) => {
            shared.counts.note_refused(&cell.state);
            entry.refused(denied.no);
            let wishes = Wishes::of(line.fields);
            Err(refused(shared, (denied, now), (cell, target), &wishes))
        }
    }
}

/// A no of the judge; one with something to carry is for this client only.
fn refused<'a>(
    shared: &Shared,
    (denied, now): (Denied, Timestamp),
    (cell, target): (&Arc<Cell>, Target<'a>),
    wishes: &Wishes<'_>,
) -> Refused<'a> {
    let no = denied.no;
    if denied.carry.is_none() {
        return Refused::No((no, now), Arc::clone(cell), target);
    }
    let why = Why::No(no, &cell.state);
    let mut answer = shared.speaker().say(why, &target.host, wishes);
    carry(&mut answer, denied.carry.as_deref());
    Refused::Said(Box::new(answer))
}

/// Forwards what was admitted.
pub(crate) async fn pass(
    shared: &Shared,
    admitted: Admitted<'static>,
    request: Request<Upload>,
) -> Response<Download> {
    let Admitted {
        permit,
        target,
        client,
        entry: _,
    } = admitted;
    let cell = Arc::clone(permit.cell());
    let own = permit.carry().cloned();
    let wishes = Wishes::of(request.headers()).into_owned();
    let mut answer = match shared
        .forwarder
        .forward(permit, (&target, &client), request)
        .await
    {
        Ok(answer) => {
            shared.counts.note_passed(&cell.state);
            answer
        }
        Err(failed) => {
            Counts::add(match failed {
                Failed::Spoiled => &shared.counts.unknown,
                Failed::Unreachable | Failed::Silent => &shared.counts.failed,
            });
            shared
                .speaker()
                .say(Why::Failed(failed, &cell.state), &target.host, &wishes)
        }
    };
    carry(&mut answer, own.as_ref());
    answer
}

/// Has the client carry something: browsers by cookie, programs by the line of its name.
pub(crate) fn carry(answer: &mut Response<Download>, carry: Option<&Carry>) {
    let Some(carry) = carry else { return };
    let headers = answer.headers_mut();
    if let Ok(cookie) = HeaderValue::from_str(&carry.cookie) {
        headers.append(SET_COOKIE, cookie);
    }
    if let Ok(value) = HeaderValue::from_str(&carry.value) {
        headers.insert(PLACE, value);
    }
}

/// What the gate itself answers under `/.anlauf` at every host it knows.
fn reserved(path: &str) -> Response<Download> {
    let is_health = path == "/.anlauf/health";
    let mut answer = Response::new(Download::own(if is_health {
        "ok\n"
    } else {
        "not found\n"
    }));
    if !is_health {
        *answer.status_mut() = hyper::StatusCode::NOT_FOUND;
    }
    let plain = hyper::header::HeaderValue::from_static("text/plain; charset=utf-8");
    answer
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, plain);
    let fresh = hyper::header::HeaderValue::from_static("no-store");
    answer
        .headers_mut()
        .insert(hyper::header::CACHE_CONTROL, fresh);
    answer
}
