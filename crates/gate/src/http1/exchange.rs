//! One request with a backend: the body there, the answer back, both at once.
//!
//! In:    a client, a backend, what was understood of the request.
//! Out:   a finished exchange, or how it failed and whether the client has seen something of it.
//! Never: gathers a body; writes a head it did not make; lets a backend's spare bytes go on.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::buffer::Buffer;
use super::burst::after_the_others;
use super::chunk::{self, Chunks, Step, trailers_onward};
use super::head::{self, Framing, response_framing, says};
use super::onward::{self, Back};
use super::patience::{Looks, Until, within};
use crate::inflow::Carry;
use crate::limits::{HEAD_SIZE_MAX, UPSTREAM_HEAD_WAIT_MAX};
use crate::upstream::Backend;

/// Bodies are sent as soon as so much of them is there.
const PIECE_SIZE: usize = 16 * 1024;
/// Room for one read of a long body.
const LONG: usize = 64 * 1024;

/// What the exchange has to know of its request.
pub(crate) struct Terms {
    pub(crate) is_head: bool,
    pub(crate) is_http11: bool,
    /// Whether the connection to the client may stay.
    pub(crate) keep: bool,
    pub(crate) framing: Framing,
    pub(crate) trailers: bool,
    pub(crate) upgrade: bool,
    /// Whether asking twice does what asking once does.
    pub(crate) is_safe: bool,
    /// What the client is to carry from here on.
    pub(crate) carry: Option<Box<Carry>>,
}

/// A finished exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Done {
    /// The answer is sent; whether the client's connection stays, and the backend's.
    Answered { keep: bool, reuse: bool },
    /// Both have changed to another protocol.
    Upgraded,
}

/// A failed exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Broke {
    /// The backend broke off before anything of its answer came.
    Unheard,
    /// What it says cannot be understood.
    Nonsense,
    /// It said nothing in time.
    Silent,
    /// The request's body breaks off or cannot be understood.
    Spoiled,
    /// The client has gone, or has a part of the answer already.
    Gone,
}

/// The client's side: where its body comes from, and bytes for it that wait to be sent.
pub(crate) struct Sides<'a> {
    pub(crate) clock: &'a Looks,
    pub(crate) buffer: &'a mut Buffer,
    pub(crate) out: &'a mut Vec<u8>,
    /// Status of the backend's answer, set when its head is made; 0 before.
    pub(crate) begun: &'a AtomicU16,
}

/// Sends the request whose head lies in `request`, and brings the answer.
///
/// # Errors
/// See [`Broke`].
pub(crate) async fn exchange<S>(
    socket: &mut S,
    sides: Sides<'_>,
    backend: &mut Backend,
    request: &[u8],
    terms: &Terms,
) -> Result<Done, Broke>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    after_the_others().await;
    if backend.stream.write_all(request).await.is_err() {
        return Err(Broke::Unheard);
    }
    let Sides {
        clock,
        buffer,
        out,
        begun,
    } = sides;
    let down = Down {
        clock,
        out,
        begun,
        terms,
    };
    if matches!(terms.framing, Framing::Empty | Framing::Length(0)) {
        let Backend {
            stream,
            buffer: said,
            ..
        } = backend;
        return down.run(stream, said, socket, &AtomicBool::new(true)).await;
    }
    let (mut from, mut to) = tokio::io::split(socket);
    let Backend {
        stream,
        buffer: said,
        ..
    } = backend;
    let (mut answers, mut requests) = stream.split();
    let sent = AtomicBool::new(false);
    let mut up = pin!(upload(&mut from, buffer, &mut requests, terms.framing));
    let mut down = pin!(down.run(&mut answers, said, &mut to, &sent));
    let mut is_over = false;
    loop {
        tokio::select! {
            biased;
            up = &mut up, if !is_over => {
                is_over = true;
                match up {
                    Ok(()) => sent.store(true, Ordering::SeqCst),
                    Err(Up::Spoiled) if begun.load(Ordering::SeqCst) > 0 => {
                        return Err(Broke::Gone);
                    }
                    Err(Up::Spoiled) => return Err(Broke::Spoiled),
                    // It may have answered before it closed.
                    Err(Up::Backend) => {}
                }
            }
            down = &mut down => return down,
        }
    }
}

enum Up {
    Spoiled,
    Backend,
}

async fn upload(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Buffer,
    to: &mut (impl AsyncWrite + Unpin),
    framing: Framing,
) -> Result<(), Up> {
    match framing {
        Framing::Length(size) => upload_sized(from, buffer, to, size).await,
        Framing::Chunked => upload_chunks(from, buffer, to).await,
        Framing::Empty | Framing::Close => Ok(()),
    }
}

async fn more(from: &mut (impl AsyncRead + Unpin), buffer: &mut Buffer) -> Result<(), Up> {
    match buffer.fill(from).await {
        Ok(0) | Err(_) => Err(Up::Spoiled),
        Ok(_) => Ok(()),
    }
}

async fn upload_sized(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Buffer,
    to: &mut (impl AsyncWrite + Unpin),
    size: u64,
) -> Result<(), Up> {
    let mut left = size;
    if left > LONG as u64 {
        buffer.widen(LONG);
    }
    while left > 0 {
        if buffer.is_empty() {
            more(from, buffer).await?;
        }
        let piece = front(buffer.get(), left);
        to.write_all(piece).await.map_err(|_| Up::Backend)?;
        let size = piece.len();
        buffer.eat(size);
        left -= size as u64;
    }
    Ok(())
}

fn front(bytes: &[u8], left: u64) -> &[u8] {
    let size = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    bytes.get(..size).unwrap_or_default()
}

async fn upload_chunks(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut Buffer,
    to: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Up> {
    let mut chunks = Chunks::strict();
    let mut out = Vec::new();
    loop {
        let step = chunks.step(buffer.get()).map_err(|_| Up::Spoiled)?;
        let is_done = matches!(step, Step::Done(_));
        take(&step, buffer, &mut out);
        if is_done {
            let trailers = trailers_onward(chunks.trailers()).map_err(|_| Up::Spoiled)?;
            last(&mut out, &trailers);
        }
        // Ask for more only with empty hands: nobody waits behind the gate for what it has.
        if is_done || out.len() >= PIECE_SIZE || (buffer.is_empty() && !out.is_empty()) {
            to.write_all(&out).await.map_err(|_| Up::Backend)?;
            out.clear();
        }
        if is_done {
            return Ok(());
        }
        if buffer.is_empty() {
            more(from, buffer).await?;
        }
    }
}

/// Takes a step out of the buffer, its data as a chunk of our own.
fn take(step: &Step, buffer: &mut Buffer, out: &mut Vec<u8>) {
    match step {
        Step::Data { skip, size } => {
            let end = skip + size;
            chunk::begin(out, *size);
            out.extend_from_slice(buffer.get().get(*skip..end).unwrap_or_default());
            out.extend_from_slice(b"\r\n");
            buffer.eat(end);
        }
        Step::More => buffer.eat(usize::MAX / 2),
        Step::Done(size) => buffer.eat(*size),
    }
}

fn last(out: &mut Vec<u8>, trailers: &[u8]) {
    out.extend_from_slice(b"0\r\n");
    out.extend_from_slice(trailers);
    out.extend_from_slice(b"\r\n");
}

/// The way back.
struct Down<'a> {
    clock: &'a Looks,
    out: &'a mut Vec<u8>,
    begun: &'a AtomicU16,
    terms: &'a Terms,
}

/// What was understood of an answer's head.
struct Answer {
    status: u16,
    framing: Framing,
    keep: bool,
    reuse: bool,
    size: usize,
}

impl Down<'_> {
    async fn run(
        mut self,
        from: &mut (impl AsyncRead + Unpin),
        said: &mut Buffer,
        to: &mut (impl AsyncWrite + Unpin),
        sent: &AtomicBool,
    ) -> Result<Done, Broke> {
        let until = self.clock.after(UPSTREAM_HEAD_WAIT_MAX);
        let answer = loop {
            let size = self.head(from, said, until).await?;
            let is_sent = sent.load(Ordering::SeqCst);
            let answer = self.understand(said.get().get(..size).unwrap_or_default(), is_sent)?;
            said.eat(answer.size);
            if answer.status == 101 {
                self.flush(to).await?;
                return Ok(Done::Upgraded);
            }
            if answer.status >= 200 {
                break answer;
            }
            self.flush(to).await?;
        };
        self.begun.store(answer.status, Ordering::SeqCst);
        let is_whole = self.body(from, said, to, &answer).await?;
        after_the_others().await;
        self.flush(to).await?;
        let is_sent = sent.load(Ordering::SeqCst);
        Ok(Done::Answered {
            keep: answer.keep && is_sent && is_whole,
            reuse: answer.reuse && is_sent && is_whole,
        })
    }

    /// Reads until a head is whole; its size.
    async fn head(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        said: &mut Buffer,
        until: Until<'_>,
    ) -> Result<usize, Broke> {
        let mut seen = 0;
        loop {
            match head::end(said.get(), &mut seen) {
                Ok(Some(size)) => return Ok(size),
                Ok(None) if said.get().len() > HEAD_SIZE_MAX => return Err(Broke::Nonsense),
                Ok(None) => {}
                Err(_) => return Err(Broke::Nonsense),
            }
            match within(until, said.fill(from)).await {
                None => return Err(Broke::Silent),
                Some(Ok(1..)) => {}
                Some(Ok(0) | Err(_)) if said.is_empty() => return Err(Broke::Unheard),
                Some(_) => return Err(Broke::Nonsense),
            }
        }
    }

    /// Reads a head and writes the client's.
    fn understand(&mut self, bytes: &[u8], is_sent: bool) -> Result<Answer, Broke> {
        let mut room = head::room();
        let read = head::response(bytes, &mut room).map_err(|_| Broke::Nonsense)?;
        let (status, version) = (read.code.unwrap_or_default(), read.version);
        let lines = &*read.headers;
        let terms = self.terms;
        let framing = response_framing(status, terms.is_head, lines);
        let framing = framing.map_err(|_| Broke::Nonsense)?;
        let upgrades = status == 101;
        if status < 100 || (upgrades && !terms.upgrade) {
            return Err(Broke::Nonsense);
        }
        let is_kept = version == Some(1) && !says(lines, "connection", "close");
        let mut answer = Answer {
            status,
            framing,
            keep: terms.keep && is_sent,
            reuse: is_kept && framing != Framing::Close,
            size: bytes.len(),
        };
        if status < 200 && !upgrades && !terms.is_http11 {
            return Ok(answer);
        }
        // Without a length the client gets chunks, or the end of the connection.
        let back = match framing {
            Framing::Chunked | Framing::Close if terms.is_http11 => Framing::Chunked,
            Framing::Chunked | Framing::Close => Framing::Close,
            other => other,
        };
        answer.keep &= back != Framing::Close;
        let back = Back {
            framing: back,
            keep: answer.keep || status < 200,
            upgrades,
            carry: terms.carry.as_deref().filter(|_| status >= 200),
        };
        onward::answer(
            self.out,
            (status, read.reason.unwrap_or_default()),
            lines,
            &back,
        );
        Ok(answer)
    }

    async fn flush(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> Result<(), Broke> {
        let done = to.write_all(self.out).await;
        self.out.clear();
        done.map_err(|_| Broke::Gone)?;
        to.flush().await.map_err(|_| Broke::Gone)
    }

    /// Brings the body; whether it is whole.
    async fn body(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        said: &mut Buffer,
        to: &mut (impl AsyncWrite + Unpin),
        answer: &Answer,
    ) -> Result<bool, Broke> {
        match answer.framing {
            Framing::Empty => Ok(true),
            Framing::Length(size) => self.sized(from, said, to, size).await,
            Framing::Chunked => self.chunks(from, said, to).await,
            Framing::Close => self.endless(from, said, to).await,
        }
    }

    async fn sized(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        said: &mut Buffer,
        to: &mut (impl AsyncWrite + Unpin),
        size: u64,
    ) -> Result<bool, Broke> {
        let mut left = size;
        if left > LONG as u64 {
            said.widen(LONG);
        }
        loop {
            let piece = front(said.get(), left);
            let size = piece.len();
            if size <= PIECE_SIZE / 2 {
                self.out.extend_from_slice(piece);
            } else {
                self.flush(to).await?;
                to.write_all(piece).await.map_err(|_| Broke::Gone)?;
            }
            said.eat(size);
            left -= size as u64;
            if left == 0 {
                return Ok(true);
            }
            self.flush(to).await?;
            filled(said.fill(from).await)?;
        }
    }

    async fn chunks(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        said: &mut Buffer,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<bool, Broke> {
        let mut chunks = Chunks::lenient();
        loop {
            let step = chunks.step(said.get()).map_err(|_| Broke::Gone)?;
            let is_done = matches!(step, Step::Done(_));
            if self.terms.is_http11 {
                take(&step, said, self.out);
            } else {
                plain(&step, said, self.out);
            }
            if is_done {
                let trailers = trailers_onward(chunks.trailers()).map_err(|_| Broke::Gone)?;
                if self.terms.is_http11 {
                    let wanted = if self.terms.trailers { &*trailers } else { b"" };
                    last(self.out, wanted);
                }
                return Ok(true);
            }
            if said.is_empty() || self.out.len() >= PIECE_SIZE {
                self.flush(to).await?;
            }
            if said.is_empty() {
                filled(said.fill(from).await)?;
            }
        }
    }

    async fn endless(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        said: &mut Buffer,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<bool, Broke> {
        loop {
            let step = Step::Data {
                skip: 0,
                size: said.get().len(),
            };
            if said.is_empty() {
                self.flush(to).await?;
            } else if self.terms.is_http11 {
                take(&step, said, self.out);
            } else {
                plain(&step, said, self.out);
            }
            self.flush(to).await?;
            match said.fill(from).await {
                Ok(0) if self.terms.is_http11 => {
                    last(self.out, b"");
                    return Ok(true);
                }
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(_) => return Err(Broke::Gone),
            }
        }
    }
}

/// Takes a step out of the buffer, its data as it is.
fn plain(step: &Step, buffer: &mut Buffer, out: &mut Vec<u8>) {
    match step {
        Step::Data { skip, size } => {
            let end = skip + size;
            out.extend_from_slice(buffer.get().get(*skip..end).unwrap_or_default());
            buffer.eat(end);
        }
        Step::More => buffer.eat(usize::MAX / 2),
        Step::Done(size) => buffer.eat(*size),
    }
}

fn filled(read: io::Result<usize>) -> Result<(), Broke> {
    match read {
        Ok(1..) => Ok(()),
        Ok(0) | Err(_) => Err(Broke::Gone),
    }
}
