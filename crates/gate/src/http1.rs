//! An HTTP/1 connection: heads read strictly, requests judged, exchanges run, all in one task.
//!
//! In:    a client's socket, orders to cut. Out: answers; the end of the connection.
//! Never: confirms a cut before both sockets are gone, the client's and that of a running exchange;
//!        sends a request twice that may have done something (only GET, HEAD and OPTIONS without
//!        a body are asked again, once, when a kept connection turns out to be closed).
//! See:   docs/adr/014-own-http1.md.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::body::Bytes;
use hyper::{Method, Response};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};

use crate::access::{Entry, Meter, Verdict};
use crate::body::Download;
use crate::forward::Failed;
use crate::judge::Permit;
use crate::limits::{
    GOODBYE_WAIT_MAX, HEAD_SIZE_MAX, HEAD_WAIT_MAX, LEFTOVER_SIZE_MAX, PATIENCE_LOOK_EVERY,
};
use crate::listener::Worker;
use crate::page::{Why, Wishes};
use crate::request::{Fields, Line, Wrong};
use crate::serve::{Admitted, Counts, Refused, admit, carry};
use crate::socket::Socket;
use crate::upstream::Backend;
use crate::visit::{Conn, Cut, Presence};
use crate::vouch::{self, Question};

mod buffer;
mod burst;
mod chunk;
mod exchange;
mod head;
mod onward;
mod pages;
mod patience;

pub(crate) use buffer::Buffer;
use burst::after_the_others;
use exchange::{Broke, Done, Sides, Terms, exchange};
use head::{Bad, Framing};
use onward::Onward;
use pages::Page;
pub(crate) use pages::Pages;
pub(crate) use patience::Looks;
use patience::within;

/// Serves the connection to its end.
pub(crate) async fn serve(
    worker: Arc<Worker>,
    (socket, slam): (Socket, Arc<AtomicBool>),
    first: Vec<u8>,
    (conn, mut orders): (Arc<Conn>, mpsc::UnboundedReceiver<Cut>),
    mut stop: watch::Receiver<bool>,
) {
    let presence = Presence::new(&conn);
    let visitor = Visitor {
        worker: Arc::clone(&worker),
        conn: Arc::clone(&conn),
        socket,
        buffer: Buffer::with(first),
        out: Vec::new(),
        request: Vec::new(),
        slam: Arc::clone(&slam),
    };
    let mut life = Box::pin(visitor.live());
    let mut look = tokio::time::interval(PATIENCE_LOOK_EVERY);
    let cut = loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(cut) if conn.has(&cut.cell) => {
                    slam.store(true, Ordering::SeqCst);
                    break Some(cut);
                }
                // The connection has moved on to another cell meanwhile.
                Some(cut) => drop(cut.done.send(())),
                None => break None,
            },
            () = &mut life => break None,
            _ = stop.wait_for(|stop| *stop) => break None,
            // Waking is enough: whoever waits looks at the time.
            _ = look.tick() => {}
        }
    };
    // Both sockets are gone before anyone is told so; orders still in the inbox are dropped last.
    drop(life);
    drop(presence);
    if let Some(cut) = cut {
        worker.shared.counts.note_cut(&cut.cell);
        let _ = cut.done.send(());
    }
    drop(orders);
}

/// A client on one connection.
struct Visitor {
    worker: Arc<Worker>,
    conn: Arc<Conn>,
    socket: Socket,
    buffer: Buffer,
    /// What waits to be sent to the client.
    out: Vec<u8>,
    /// The head of the request on its way to a backend.
    request: Vec<u8>,
    slam: Arc<AtomicBool>,
}

/// What to do with a request.
enum Next {
    /// Answer it without a backend: whether without a body, and whether the connection stays.
    Say(Box<Response<Download>>, (bool, bool), Entry),
    /// The same with an answer that is made already; the connection stays.
    Send(Bytes, Entry),
    /// Answer with a bare status, for what is no request at all.
    Refuse(u16),
    /// Tell a proxy that its request may pass, and hold the permit until that is sent.
    Vouch(Box<Response<Download>>, Permit, (bool, bool), Entry),
    /// Ask the backend.
    Pass((Permit, Entry), Terms, Wishes<'static>, String),
}

/// What came of asking.
enum Asked {
    /// An answer; whether the client's connection stays.
    Answered(bool),
    /// Another protocol with this backend.
    Upgraded(Backend),
}

impl Visitor {
    async fn live(mut self) {
        loop {
            // Bytes that came before the last answer was sent: the client did not wait for it.
            let is_hasty = !self.buffer.is_empty() || self.buffer.is_full();
            let Some(next) = self.next(is_hasty).await else {
                return;
            };
            let stays = match next {
                Next::Refuse(status) => {
                    let mut entry = self.worker.shared.entry(&self.conn);
                    entry.end(Verdict::Unknown, status);
                    Counts::add(&self.worker.shared.counts.unknown);
                    let mut answer = Response::new(Download::own(""));
                    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
                    let stays = self.say(answer, false, false).await;
                    drop(entry);
                    stays
                }
                Next::Send(answer, entry) => {
                    after_the_others().await;
                    let sent = self.socket.write_all(&answer).await;
                    let stays = sent.is_ok() && self.socket.flush().await.is_ok();
                    drop(entry);
                    stays
                }
                Next::Say(answer, (is_head, keep), entry) => {
                    let stays = self.say(*answer, is_head, keep).await;
                    drop(entry);
                    stays
                }
                Next::Vouch(answer, permit, (is_head, keep), entry) => {
                    let stays = self.say(*answer, is_head, keep).await;
                    self.conn.leave(&permit.cell().state);
                    drop(entry);
                    stays
                }
                Next::Pass((permit, entry), terms, wishes, host) => {
                    self.pass((permit, entry), &terms, (&wishes, &host)).await
                }
            };
            if !stays {
                return self.goodbye().await;
            }
            self.buffer.rest();
        }
    }

    /// Reads the next request and understands it; none when the client has gone or waits too long.
    async fn next(&mut self, is_hasty: bool) -> Option<Next> {
        let worker = Arc::clone(&self.worker);
        let until = worker.looks.after(HEAD_WAIT_MAX);
        let mut seen = 0;
        loop {
            // Blank lines before a request are old custom (RFC 9112 §2.2).
            while seen == 0 && self.buffer.get().starts_with(b"\r\n") {
                self.buffer.eat(2);
            }
            match head::end(self.buffer.get(), &mut seen) {
                Ok(Some(size)) if size <= HEAD_SIZE_MAX => {
                    return Some(self.judged(size, is_hasty));
                }
                Ok(None) if self.buffer.get().len() <= HEAD_SIZE_MAX => {}
                Ok(_) => return Some(Next::Refuse(431)),
                Err(_) => return Some(Next::Refuse(400)),
            }
            match within(until, self.buffer.fill(&mut self.socket)).await {
                Some(Ok(1..)) => {}
                _ => return None,
            }
        }
    }

    /// Takes the head out of the buffer and has it judged.
    fn judged(&mut self, size: usize, is_hasty: bool) -> Next {
        let mut room = head::room();
        let bytes = self.buffer.get().get(..size).unwrap_or_default();
        let next = match head::request(bytes, &mut room) {
            Err(Bad::Size) => Next::Refuse(431),
            Err(_) => Next::Refuse(400),
            Ok(request) => {
                let part = Part {
                    worker: &self.worker,
                    conn: &self.conn,
                    is_hasty,
                };
                part.judge(&request, &mut self.request)
            }
        };
        self.buffer.eat(size);
        next
    }

    /// Answers without a backend; whether the connection stays.
    async fn say(&mut self, answer: Response<Download>, is_head: bool, keep: bool) -> bool {
        let (head, body) = answer.into_parts();
        let body = match body {
            Download::Own(body) => body.unwrap_or_default(),
            Download::Backend { .. } => return false,
        };
        let head = Response::from_parts(head, ());
        onward::own(&mut self.out, &head, &body, is_head, keep);
        let sent = self.socket.write_all(&self.out).await;
        self.out.clear();
        sent.is_ok() && self.socket.flush().await.is_ok() && keep
    }

    /// Asks the backend and brings its answer; whether the connection stays.
    async fn pass(
        &mut self,
        (permit, mut entry): (Permit, Entry),
        terms: &Terms,
        page: (&Wishes<'_>, &str),
    ) -> bool {
        let counts = Arc::clone(&self.worker);
        let cell = Arc::clone(permit.cell());
        match self.asked(&permit, terms).await {
            Ok(Asked::Answered(keep)) => {
                counts.shared.counts.note_passed(&cell.state);
                entry.verdict(Verdict::Passed);
                keep
            }
            Ok(Asked::Upgraded(mut backend)) => {
                counts.shared.counts.note_passed(&cell.state);
                entry.status(101);
                self.tunnel(&mut backend).await;
                entry.verdict(Verdict::Passed);
                false
            }
            Err(Broke::Gone) => {
                counts.shared.counts.note_passed(&cell.state);
                entry.verdict(Verdict::Gone);
                // A part of an answer must not look like a whole one.
                self.slam.store(true, Ordering::SeqCst);
                false
            }
            Err(broke) => {
                counts.shared.counts.note_failed(&cell.state);
                let failed = match broke {
                    Broke::Silent => Failed::Silent,
                    Broke::Spoiled => Failed::Spoiled,
                    Broke::Unheard | Broke::Nonsense | Broke::Gone => Failed::Unreachable,
                };
                self.out.clear();
                let why = Why::Failed(failed, &cell.state);
                let mut answer = counts.shared.speaker().say(why, page.1, page.0);
                carry(&mut answer, terms.carry.as_deref());
                let verdict = match failed {
                    Failed::Spoiled => Verdict::Unknown,
                    Failed::Unreachable | Failed::Silent => Verdict::Failed,
                };
                entry.end(verdict, answer.status().as_u16());
                let keep = terms.keep && terms.framing == Framing::Empty;
                self.say(answer, terms.is_head, keep).await
            }
        }
    }

    /// One exchange, on a kept connection if there is one. The permit is held to its end.
    async fn asked(&mut self, permit: &Permit, terms: &Terms) -> Result<Asked, Broke> {
        let worker = Arc::clone(&self.worker);
        let upstream = permit.cell().upstream.as_ref();
        let upstream = upstream.filter(|upstream| !upstream.is_tcp);
        let upstream = upstream.ok_or(Broke::Unheard)?;
        let mut kept = worker.pool.take(upstream);
        loop {
            let mut backend = match kept.take() {
                Some(backend) => backend,
                None => {
                    let fresh = worker.pool.connect(upstream).await;
                    fresh.map_err(|_| Broke::Unheard)?
                }
            };
            let begun = self.begun();
            begun.status.store(0, Ordering::SeqCst);
            let sides = Sides {
                clock: &worker.looks,
                buffer: &mut self.buffer,
                out: &mut self.out,
                begun: &begun.status,
            };
            let done = exchange(&mut self.socket, sides, &mut backend, &self.request, terms).await;
            match done {
                Ok(Done::Answered { keep, reuse }) => {
                    if reuse {
                        backend.rest();
                    }
                    worker.pool.keep(upstream, backend, worker.looks.count());
                    return Ok(Asked::Answered(keep));
                }
                Ok(Done::Upgraded) => return Ok(Asked::Upgraded(backend)),
                Err(Broke::Unheard) if backend.is_kept && terms.is_safe => {}
                Err(_) if begun.status.load(Ordering::SeqCst) != 0 => return Err(Broke::Gone),
                Err(broke) => return Err(broke),
            }
        }
    }

    /// Where the status of an answer stands once it has begun.
    fn begun(&self) -> Arc<Meter> {
        self.conn.meter.clone().unwrap_or_default()
    }

    /// Carries whatever both say, until one ends it or a close cuts it.
    async fn tunnel(&mut self, backend: &mut Backend) {
        let early = self.buffer.get();
        if backend.stream.write_all(early).await.is_err() {
            return;
        }
        self.buffer.eat(usize::MAX / 2);
        let late = backend.buffer.get();
        if self.socket.write_all(late).await.is_err() || self.socket.flush().await.is_err() {
            return;
        }
        // An error is an end too.
        let _ = tokio::io::copy_bidirectional(&mut self.socket, &mut backend.stream).await;
        backend.rest();
    }

    /// Ends the connection so that the last answer arrives: an end with bytes unread would be a
    /// reset, which throws away what the client has not read yet.
    async fn goodbye(&mut self) {
        if self.slam.load(Ordering::SeqCst) {
            return;
        }
        let ended = tokio::time::timeout(GOODBYE_WAIT_MAX, self.socket.shutdown());
        if !matches!(ended.await, Ok(Ok(()))) {
            return;
        }
        let leftover = async {
            let mut size = 0;
            while size < LEFTOVER_SIZE_MAX {
                self.buffer.eat(usize::MAX / 2);
                match self.buffer.fill(&mut self.socket).await {
                    Ok(more @ 1..) => size += more,
                    _ => return,
                }
            }
        };
        let _ = tokio::time::timeout(GOODBYE_WAIT_MAX, leftover).await;
    }
}

/// What it takes to judge a request.
struct Part<'a> {
    worker: &'a Worker,
    conn: &'a Arc<Conn>,
    is_hasty: bool,
}

impl Part<'_> {
    fn judge(&self, request: &httparse::Request<'_, '_>, out: &mut Vec<u8>) -> Next {
        let lines: &[httparse::Header<'_>] = request.headers;
        let is_http11 = request.version == Some(1);
        let (Some(method), Some(target)) = (request.method, request.path) else {
            return Next::Refuse(400);
        };
        let framing = match head::request_framing(lines, is_http11) {
            Ok(framing) => framing,
            Err(_) => return self.wrong(Wrong::Length, lines),
        };
        let Ok(name) = Method::from_bytes(method.as_bytes()) else {
            return Next::Refuse(400);
        };
        let Some((authority, onward)) = split(target) else {
            return self.wrong(Wrong::Path, lines);
        };
        let line = Line {
            method: &name,
            authority,
            path: onward.split('?').next().unwrap_or(onward),
            is_http11,
            fields: &lines,
        };
        // A body that was not taken would be read as the next request.
        let is_bare = matches!(framing, Framing::Empty | Framing::Length(0));
        let keep = is_http11 && !head::says(lines, "connection", "close");
        let (is_head, stays) = (name == Method::HEAD, keep && is_bare);
        if self.conn.is_asking {
            let question = Question {
                method: &name,
                target: onward,
                fields: &lines,
            };
            return self.vouched(&question, (is_head, stays));
        }
        let admitted = match admit(&self.worker.shared, self.conn, &line) {
            Ok(admitted) => admitted,
            Err((Refused::No((no, now), cell, target), mut entry))
                if stays && !is_head && !no.is_personal() =>
            {
                let page = Page {
                    no,
                    cell: &cell.state,
                    host: &target.host,
                    wishes: &Wishes::of(&lines),
                    now,
                };
                let answer = self.worker.pages.get(&self.worker.shared, &page);
                entry.status(status(&answer));
                return Next::Send(answer, entry);
            }
            Err((refused, mut entry)) => {
                let answer = refused.say(&self.worker.shared, &lines);
                entry.status(answer.status().as_u16());
                return Next::Say(Box::new(answer), (is_head, stays), entry);
            }
        };
        let upgrade = upgrade(lines, is_http11 && framing == Framing::Empty);
        let safe = [Method::GET, Method::HEAD, Method::OPTIONS];
        let terms = Terms {
            is_head,
            is_http11,
            keep,
            framing,
            trailers: is_http11 && head::says(lines, "te", "trailers"),
            upgrade: upgrade.is_some(),
            is_safe: is_bare && safe.contains(&name),
            carry: admitted.permit.carry().cloned().map(Box::new),
        };
        self.onward(admitted, lines, (method, onward, upgrade), (terms, out))
    }

    /// Tells another proxy whether its request may pass.
    fn vouched(&self, question: &Question<'_, impl Fields>, manner: (bool, bool)) -> Next {
        let word = vouch::answer(&self.worker.shared, self.conn, question);
        let answer = Box::new(word.answer);
        match word.permit {
            Some(permit) => Next::Vouch(answer, permit, manner, word.entry),
            None => Next::Say(answer, manner, word.entry),
        }
    }

    /// Writes the head of an admitted request anew.
    fn onward(
        &self,
        admitted: Admitted<'_>,
        lines: &[httparse::Header<'_>],
        (method, onward, upgrade): (&str, &str, Option<&[u8]>),
        (terms, out): (Terms, &mut Vec<u8>),
    ) -> Next {
        let Admitted {
            permit,
            target,
            client,
            entry,
        } = admitted;
        // A client that sends its next request only after the whole answer has nothing of the
        // earlier cell under way. One that had it waiting (pipelining) stays in both registers.
        if !self.is_hasty {
            self.conn.leave_others(&permit.cell().state);
        }
        out.clear();
        let onward = Onward {
            method,
            target: onward,
            authority: &target.authority,
            before: &client.before,
            from: &self.conn.from,
            scheme: client.scheme.unwrap_or(self.conn.scheme()),
            cell: &permit.cell().state.name,
            framing: terms.framing,
            trailers: terms.trailers,
            upgrade,
        };
        onward::request(out, lines, &onward);
        let wishes = Wishes::of(&lines).into_owned();
        Next::Pass((permit, entry), terms, wishes, target.host.into_owned())
    }

    fn wrong(&self, wrong: Wrong, lines: &[httparse::Header<'_>]) -> Next {
        Counts::add(&self.worker.shared.counts.unknown);
        let wishes = Wishes::of(&lines);
        let answer = self
            .worker
            .shared
            .speaker()
            .say(Why::Wrong(wrong), "", &wishes);
        let mut entry = self.worker.shared.entry(self.conn);
        entry.end(Verdict::Unknown, answer.status().as_u16());
        Next::Say(Box::new(answer), (false, false), entry)
    }
}

/// The status in the first line of an answer.
fn status(answer: &[u8]) -> u16 {
    let text = answer
        .get(9..12)
        .and_then(|text| std::str::from_utf8(text).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Authority of the absolute form, and path with query; none for what is no target.
fn split(target: &str) -> Option<(Option<&str>, &str)> {
    let is_legal = |b: u8| b.is_ascii_graphic() && !matches!(b, b'#' | b'<' | b'>' | b'`');
    if !target.bytes().all(is_legal) {
        return None;
    }
    if target.starts_with('/') || !target.contains("://") {
        return Some((None, target));
    }
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, onward) = rest.split_at_checked(end)?;
    match onward.is_empty() {
        true => Some((Some(authority), "/")),
        false => Some((Some(authority), onward)),
    }
}

/// What the client wants to change to, if it says so as it must.
fn upgrade<'b>(lines: &[httparse::Header<'b>], may: bool) -> Option<&'b [u8]> {
    if !may || !head::says(lines, "connection", "upgrade") {
        return None;
    }
    let mut all = lines
        .iter()
        .filter(|line| line.name.eq_ignore_ascii_case("upgrade"));
    let first = all.next()?;
    // HTTP/2 in clear would be requests that nobody judges.
    let is_h2c = first.value.to_ascii_lowercase().starts_with(b"h2");
    (all.next().is_none() && !is_h2c).then_some(first.value)
}
