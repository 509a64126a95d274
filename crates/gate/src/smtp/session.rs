//! One client from its greeting to its goodbye.
//!
//! In:    commands and text of the client, orders of closings, the gate's stop.
//! Out:   answers; at most one conversation with one cell's server at a time.
//! Never: waits for anything without hearing orders; a yes of its own at the end of a message.
//!
//! INVARIANT: while a permit is held the connection is registered at its cell. A close that comes
//! before the ending dot resets the server's side; one that comes behind it waits for the server's
//! answer, because the message may have been taken already and the sender must hear that.

mod handover;
mod text;

use std::future::Future;
use std::io;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::Relay;
use super::command::{Address, Command, Line, Sender, command, line};
use super::content::Chunks;
use super::reply::Reply;
use crate::access::{Entry, Verdict};
use crate::http1::Buffer;
use crate::limits::{
    COMMAND_WAIT_MAX, COMMAND_WRONG_COUNT_MAX, GOODBYE_WAIT_MAX, HEAD_WAIT_MAX, MAIL_WORD_WAIT_MAX,
    RECIPIENT_COUNT_MAX,
};
use crate::listener::Worker;
use crate::table::CellState;
use crate::visit::{Conn, Cut};

use handover::Delivery;

/// Both directions of a client, plain or under TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Where orders arrive.
pub(super) struct Inbox {
    orders: mpsc::UnboundedReceiver<Cut>,
    stop: watch::Receiver<bool>,
}

/// What woke a wait.
enum Woken<T> {
    Done(T),
    Cut(Cut),
    Stop,
    Late,
}

/// Why a conversation ends.
enum End {
    /// The client is gone, or does not speak.
    Gone,
    /// The gate stops.
    Stop,
    /// It took too long.
    Late,
    /// All is said.
    Said,
}

/// One client.
pub(super) struct Session<'a> {
    worker: &'a Worker,
    relay: &'a Relay,
    wire: Box<dyn Stream>,
    input: Buffer,
    output: Vec<u8>,
    inbox: Inbox,
    conn: Arc<Conn>,
    is_tls: bool,
    wrong_count: usize,
    hello: Option<(bool, String)>,
    letter: Option<Letter>,
    delivery: Delivery,
    /// A cell whose last answer may still be in `output`.
    left: Option<Arc<CellState>>,
}

/// A message that has begun.
struct Letter {
    sender: Sender,
    /// Recipients that were asked for, and those that the cell's server has accepted.
    asked: usize,
    accepted: usize,
    /// Chunks so far, and their bytes.
    chunks: Option<(Chunks, u64)>,
    /// What says how it ended for each recipient that was accepted.
    entries: Vec<Entry>,
    /// Bytes of its text so far.
    size: u64,
}

// === impl Inbox ===

impl Inbox {
    pub(super) fn new(orders: mpsc::UnboundedReceiver<Cut>, stop: watch::Receiver<bool>) -> Self {
        Self { orders, stop }
    }

    /// Waits for the work, an order, the stop or the time; the work goes on when asked again.
    async fn race<T>(
        &mut self,
        (until, hears_stop): (Instant, bool),
        work: Pin<&mut impl Future<Output = T>>,
    ) -> Woken<T> {
        tokio::select! {
            biased;
            Some(cut) = self.orders.recv() => Woken::Cut(cut),
            _ = self.stop.wait_for(|stop| *stop), if hears_stop => Woken::Stop,
            done = work => Woken::Done(done),
            () = sleep_until(until) => Woken::Late,
        }
    }
}

fn after(wait: Duration) -> Instant {
    Instant::now() + wait
}

// === impl Session ===

impl<'a> Session<'a> {
    pub(super) fn new(
        (worker, relay): (&'a Worker, &'a Relay),
        wire: Box<dyn Stream>,
        conn: Arc<Conn>,
        inbox: Inbox,
    ) -> Self {
        Self {
            worker,
            relay,
            wire,
            input: Buffer::default(),
            output: Vec::new(),
            inbox,
            conn,
            is_tls: false,
            wrong_count: 0,
            hello: None,
            letter: None,
            delivery: Delivery::None,
            left: None,
        }
    }

    /// Serves the client; its inbox is handed back when its sockets are gone.
    pub(super) async fn run(mut self) -> Inbox {
        let greeting = format!("{} ESMTP", self.relay.name);
        self.say(&Reply::own(220, "", &greeting));
        let end = loop {
            if let Err(end) = self.step().await {
                break end;
            }
        };
        self.delivery = Delivery::None;
        match end {
            End::Stop => self.say(&Reply::own(421, "4.3.2", "the gate is stopping")),
            End::Late => self.say(&Reply::own(421, "4.4.2", "that took too long")),
            End::Gone | End::Said => {}
        }
        if !matches!(end, End::Gone) {
            let (wire, output) = (&mut self.wire, &self.output);
            let goodbye = async {
                wire.write_all(output).await?;
                wire.shutdown().await
            };
            let _ = timeout(GOODBYE_WAIT_MAX, goodbye).await;
        }
        self.inbox
    }

    fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// One command.
    async fn step(&mut self) -> Result<(), End> {
        let asked = match line(self.input.get()) {
            Line::Unfinished => return self.fill().await,
            Line::Whole(line, size) => {
                let asked = command(line);
                self.input.eat(size);
                asked
            }
            Line::Ambiguous => {
                return self.refuse("5.5.2", "a line must end in CR LF and nothing else");
            }
            Line::TooLong => return self.refuse("5.5.2", "a line that is too long"),
        };
        let said = match asked {
            Ok(command) => self.obey(command).await?,
            Err(reply) => Some(reply),
        };
        let Some(reply) = said else {
            return Ok(());
        };
        self.say(&reply);
        // A recipient who is not there is no mistake of a program that talks.
        if matches!(reply.code, 500..=504) {
            self.wrong_count += 1;
        }
        if self.wrong_count > COMMAND_WRONG_COUNT_MAX {
            self.say(&Reply::own(421, "4.7.0", "too many errors"));
            return Err(End::Said);
        }
        Ok(())
    }

    /// Ends the conversation: what follows could be read in two ways.
    fn refuse(&mut self, enhanced: &str, words: &str) -> Result<(), End> {
        self.delivery = Delivery::None;
        self.say(&Reply::own(521, enhanced, words));
        Err(End::Said)
    }

    async fn obey(&mut self, command: Command) -> Result<Option<Reply>, End> {
        let in_chunks = self.letter.as_ref().is_some_and(|l| l.chunks.is_some());
        let said = match command {
            Command::Hello(is_extended, name) => {
                self.forget();
                let reply = self.greet(is_extended);
                self.hello = Some((is_extended, name));
                reply
            }
            Command::Noop => Reply::own(250, "2.0.0", "ok"),
            Command::Verify => Reply::own(252, "2.5.2", "send a message and see"),
            Command::Reset => {
                self.forget();
                Reply::own(250, "2.0.0", "forgotten")
            }
            Command::Quit => {
                self.forget();
                self.say(&Reply::own(221, "2.0.0", "goodbye"));
                return Err(End::Said);
            }
            Command::StartTls => return self.start_tls().await,
            Command::Chunk(size, is_last) => return self.chunk(size, is_last).await,
            _ if in_chunks => Reply::own(503, "5.5.1", "the message goes on with BDAT"),
            Command::Mail(sender) => self.begin(sender),
            Command::Recipient(address) => return self.recipient(&address).await.map(Some),
            Command::Data => return self.data().await,
        };
        Ok(Some(said))
    }

    fn greet(&self, is_extended: bool) -> Reply {
        if !is_extended {
            return Reply::own(250, "", &self.relay.name);
        }
        let mut offers: Vec<String> = [
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "ENHANCEDSTATUSCODES",
        ]
        .map(str::to_owned)
        .to_vec();
        offers.push(format!("SIZE {}", self.relay.size_max));
        if self.relay.tls.is_some() && !self.is_tls {
            offers.push("STARTTLS".to_owned());
        }
        Reply::hello(&self.relay.name, &offers)
    }

    fn begin(&mut self, sender: Sender) -> Reply {
        if self.hello.is_none() {
            return Reply::own(503, "5.5.1", "say EHLO first");
        }
        if self.letter.is_some() {
            return Reply::own(503, "5.5.1", "a message has begun already");
        }
        if sender.size > self.relay.size_max {
            return Reply::own(552, "5.3.4", "the message is too large");
        }
        self.letter = Some(Letter {
            sender,
            asked: 0,
            accepted: 0,
            chunks: None,
            entries: Vec::new(),
            size: 0,
        });
        Reply::own(250, "2.1.0", "ok")
    }

    async fn recipient(&mut self, address: &Address) -> Result<Reply, End> {
        let Some(letter) = self.letter.as_mut() else {
            return Ok(Reply::own(503, "5.5.1", "say MAIL first"));
        };
        if letter.asked >= RECIPIENT_COUNT_MAX {
            return Ok(Reply::own(452, "4.5.3", "too many recipients"));
        }
        if !address.path.is_ascii() && !letter.sender.is_utf8 {
            return Ok(Reply::own(
                553,
                "5.6.7",
                "an address beyond ASCII needs SMTPUTF8",
            ));
        }
        letter.asked += 1;
        let mut entry = self.worker.shared.entry(&self.conn);
        entry.asks("RCPT", "");
        entry.host(&address.domain);
        let reply = self.offer(address, &mut entry).await?;
        match self.letter.as_mut() {
            Some(letter) if reply.is_yes() => letter.entries.push(entry),
            // Whose no it was is known where it was said; the rest is the cell's server's.
            _ if reply.code == 451 => entry.end_uncut(Verdict::Failed, 451),
            _ => entry.end(Verdict::Passed, reply.code),
        }
        Ok(reply)
    }

    /// TLS from here on; what was said before is forgotten.
    async fn start_tls(&mut self) -> Result<Option<Reply>, End> {
        let tls = match &self.relay.tls {
            Some(tls) if !self.is_tls => tls.clone(),
            _ => return Ok(Some(Reply::own(502, "5.5.1", "not offered here"))),
        };
        if !self.input.is_empty() {
            // Whoever stands in between may have put it there (CVE-2011-0411).
            self.refuse("5.5.1", "nothing may follow STARTTLS before the handshake")?;
        }
        self.forget();
        self.say(&Reply::own(220, "2.0.0", "go ahead"));
        self.flush().await?;
        let wire = mem::replace(&mut self.wire, Box::new(tokio::io::empty()));
        let mut handshake = pin!(tls.accept(wire));
        let until = (after(HEAD_WAIT_MAX), true);
        let stream = loop {
            match self.inbox.race(until, handshake.as_mut()).await {
                Woken::Done(Ok(stream)) => break stream,
                Woken::Cut(cut) => drop(cut.done.send(())),
                Woken::Done(Err(_)) | Woken::Late => return Err(End::Gone),
                Woken::Stop => return Err(End::Gone),
            }
        };
        self.wire = Box::new(stream);
        self.input = Buffer::default();
        (self.is_tls, self.hello) = (true, None);
        Ok(None)
    }

    /// Forgets the message.
    fn forget(&mut self) {
        let in_text = self.letter.take().is_some_and(|l| l.chunks.is_some());
        if let Some(cell) = mem::take(&mut self.delivery).end(in_text) {
            self.leave(cell);
        }
    }

    /// Leaves a cell as soon as the client has heard what was said about it.
    fn leave(&mut self, cell: Arc<CellState>) {
        match self.output.is_empty() {
            true => self.conn.leave(&cell),
            false => {
                if let Some(before) = self.left.replace(Arc::clone(&cell))
                    && !Arc::ptr_eq(&before, &cell)
                {
                    self.conn.leave(&before);
                }
            }
        }
    }

    /// Says what is to be said, then reads once.
    async fn fill(&mut self) -> Result<(), End> {
        self.flush().await?;
        loop {
            let until = (after(COMMAND_WAIT_MAX), true);
            let woken = {
                let read = pin!(self.input.fill(&mut self.wire));
                self.inbox.race(until, read).await
            };
            match woken {
                Woken::Done(Ok(1..)) => return Ok(()),
                Woken::Done(_) => return Err(End::Gone),
                Woken::Cut(cut) => self.cut(cut).await,
                Woken::Stop => return Err(End::Stop),
                Woken::Late => return Err(End::Late),
            }
        }
    }

    async fn flush(&mut self) -> Result<(), End> {
        let mut cuts = Vec::new();
        let mut until = after(COMMAND_WAIT_MAX);
        loop {
            let write = pin!(write(&mut self.wire, &mut self.output));
            match self.inbox.race((until, true), write).await {
                Woken::Done(Ok(())) => break,
                Woken::Done(Err(_)) => return Err(End::Gone),
                Woken::Cut(cut) => {
                    self.delivery.cut(&cut.cell, &self.worker.shared.counts);
                    until = until.min(after(MAIL_WORD_WAIT_MAX));
                    cuts.push(cut);
                }
                Woken::Stop => return Err(End::Stop),
                // Who does not read for so long is gone.
                Woken::Late => return Err(End::Gone),
            }
        }
        if let Some(cell) = self.left.take()
            && !self.delivery.is_at(&cell)
        {
            self.conn.leave(&cell);
        }
        for cut in cuts {
            self.conn.leave(&cut.cell);
            let _ = cut.done.send(());
        }
        Ok(())
    }

    /// Does what a close asks for: nothing of the cell is under way when it is confirmed.
    async fn cut(&mut self, cut: Cut) {
        self.delivery.cut(&cut.cell, &self.worker.shared.counts);
        self.confirm(cut).await;
    }

    /// Confirms a close, after what the client has to hear about the cell.
    async fn confirm(&mut self, cut: Cut) {
        let (wire, output) = (&mut self.wire, &mut self.output);
        let _ = timeout(MAIL_WORD_WAIT_MAX, write(wire, output)).await;
        self.conn.leave(&cut.cell);
        let _ = cut.done.send(());
    }
}

/// Writes all; what was written is no longer there, also when this is given up in the middle.
async fn write(wire: &mut Box<dyn Stream>, output: &mut Vec<u8>) -> io::Result<()> {
    while !output.is_empty() {
        let size = wire.write(output).await?;
        if size == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        output.drain(..size.min(output.len()));
    }
    wire.flush().await
}
