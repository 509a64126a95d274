//! Which cell a message is for, and its way to that cell's server up to the last dot.
//!
//! In:    recipients, text, closings. Out: the server's answers.
//! Never: a second cell in one message (its recipients are told to come again: two servers could
//!        disagree at the end, and one answer cannot say both); a dot without a permit.

use std::mem;
use std::pin::pin;
use std::sync::Arc;

use hyper::Method;
use smtp_proto::Response;

use super::super::command::Address;
use super::super::reply::Reply;
use super::super::server::{Server, Work};
use super::{End, Letter, Session, Woken, after};
use crate::access::{Entry, Verdict};
use crate::judge::{Asked, No, Permit, judge};
use crate::limits::{MAIL_ANSWER_WAIT_MAX, MAIL_TAKE_CUT_WAIT_MAX, MAIL_TAKE_WAIT_MAX};
use crate::serve::Counts;
use crate::table::{Cell, CellState};
use crate::upstream::Upstream;
use crate::visit::{Cut, Visit};

/// How a message goes on.
#[derive(Default)]
pub(super) enum Delivery {
    /// Nobody has asked for a cell yet.
    #[default]
    None,
    /// To this server.
    Open(Box<Handover>),
    /// Not at all; the sender is told to come again, or why not.
    Broken(Reply),
}

/// A conversation with a cell's server, and the proof that it may be.
pub(super) struct Handover {
    permit: Permit,
    server: Server,
}

/// What the text of a message can go on with.
pub(super) enum Outcome {
    /// The server's answer, if one was asked for.
    Done(Option<Response<String>>),
    /// Nothing; the delivery is broken.
    Broken,
}

fn shut() -> Reply {
    let words = "the mailboxes of this domain are shut for now; please send again later";
    Reply::own(450, "4.3.2", words)
}

pub(super) fn lost() -> Reply {
    Reply::own(451, "4.4.2", "the mail server broke off; please send again")
}

// === impl Delivery ===

impl Delivery {
    /// Resets the server's side if it is of the cell.
    pub(super) fn cut(&mut self, cell: &Arc<CellState>, counts: &Counts) {
        if self.is_at(cell) {
            counts.note_cut(cell);
            // Dropped, its connection is reset.
            *self = Self::Broken(shut());
        }
    }

    /// Whether it is of the cell.
    pub(super) fn is_at(&self, cell: &Arc<CellState>) -> bool {
        matches!(self, Self::Open(held) if Arc::ptr_eq(held.state(), cell))
    }

    /// Ends it; which cell it was of. In the middle of a text the server is reset.
    pub(super) fn end(self, in_text: bool) -> Option<Arc<CellState>> {
        let Self::Open(held) = self else {
            return None;
        };
        let cell = Arc::clone(held.state());
        if !in_text {
            held.server.part();
        }
        Some(cell)
    }
}

impl Handover {
    fn state(&self) -> &Arc<CellState> {
        &self.permit.cell().state
    }
}

impl Letter {
    /// Says of every recipient how the message ended.
    fn end(&mut self, verdict: Verdict, reply: &Reply) {
        for mut entry in self.entries.drain(..) {
            entry.add(self.size, 0);
            entry.end(verdict, reply.code);
        }
    }
}

// === impl Session ===

impl Session<'_> {
    /// Asks the cell of a recipient, which is open, for this recipient.
    pub(super) async fn offer(
        &mut self,
        address: &Address,
        entry: &mut Entry,
    ) -> Result<Reply, End> {
        let counts = &self.worker.shared.counts;
        let Some(place) = self.relay.domains.get(&address.domain) else {
            Counts::add(&counts.unknown);
            entry.verdict(Verdict::Unknown);
            return Ok(Reply::own(550, "5.7.1", "no mail for this domain here"));
        };
        let table = self.worker.shared.table();
        let Some(cell) = table.cell(&place.cell) else {
            Counts::add(&counts.unknown);
            entry.verdict(Verdict::Unknown);
            return Ok(shut());
        };
        entry.cell(&cell.state, self.worker.shared.now());
        let permit = match self.judged(cell) {
            Ok(permit) => permit,
            Err(no) => {
                counts.note_refused(&cell.state);
                entry.refused(no);
                self.judged_no(cell);
                return Ok(shut());
            }
        };
        let accepted = self.letter.as_ref().map_or(0, |letter| letter.accepted);
        match &self.delivery {
            Delivery::Open(held)
                if !held.server.is_at(&place.upstream)
                    || !Arc::ptr_eq(held.state(), &cell.state) =>
            {
                let other = Arc::clone(&cell.state);
                if !self.delivery.is_at(&other) {
                    self.conn.leave(&other);
                }
                entry.verdict(Verdict::Refused);
                entry.because("another_server");
                let words = "one mail server at a time; please send to this one again";
                return Ok(Reply::own(452, "4.5.3", words));
            }
            Delivery::Broken(reply) if accepted > 0 => {
                let reply = reply.clone();
                self.conn.leave(&cell.state);
                return Ok(reply);
            }
            Delivery::Open(_) => {}
            Delivery::None | Delivery::Broken(_) => {
                if let Some(no) = self.open(permit, &place.upstream).await? {
                    return Ok(no);
                }
            }
        }
        self.ask_recipient(&address.path).await
    }

    /// Asks the judge; the connection is registered at the cell from here on, if it says yes.
    fn judged(&self, cell: &Arc<Cell>) -> Result<Permit, No> {
        let shared = &self.worker.shared;
        let asked = Asked {
            method: &Method::CONNECT,
            paths: &["/".into()],
            client: shared.testers.proxies.alone(self.conn.peer),
            pass: None,
            comer: None,
        };
        let visit = Visit::enter(cell, &self.conn);
        judge(visit, &asked, &shared.testers, shared.now()).map_err(|denied| denied.no)
    }

    /// A cell that was open when the message began is shut: nothing of it goes on.
    fn judged_no(&mut self, cell: &Arc<Cell>) {
        if self.delivery.is_at(&cell.state) {
            self.delivery = Delivery::Broken(shut());
            self.leave(Arc::clone(&cell.state));
        }
    }

    /// Opens the conversation up to the sender; an answer if that fails.
    async fn open(
        &mut self,
        permit: Permit,
        upstream: &Arc<Upstream>,
    ) -> Result<Option<Reply>, End> {
        let (worker, relay) = (self.worker, self.relay);
        let server = Server::new(upstream);
        self.delivery = Delivery::Open(Box::new(Handover { permit, server }));
        let open = Work::Open(&worker.pool, &relay.name);
        match self.exchange(open).await? {
            Outcome::Done(Some(answer)) if answer.code / 100 == 2 => {}
            Outcome::Done(_) => {
                // Whatever it says: a server that is not ready is no reason to bounce a message.
                let words = "the mail server is not ready; please send again";
                return Ok(Some(self.give_up(Reply::own(451, "4.4.1", words))));
            }
            Outcome::Broken => return Ok(Some(self.broken())),
        }
        let Some(line) = self.sender_line() else {
            let words = "the mail server does not take 8-bit or UTF-8 messages";
            return Ok(Some(self.give_up(Reply::own(550, "5.6.3", words))));
        };
        match self.exchange(Work::Ask(&line)).await? {
            Outcome::Done(Some(answer)) if answer.code / 100 == 2 => Ok(None),
            Outcome::Done(Some(answer)) => {
                let reply = Reply::theirs(&answer);
                Ok(Some(self.give_up(reply)))
            }
            _ => Ok(Some(self.broken())),
        }
    }

    /// `MAIL` as the server understands it; none if it cannot take such a message.
    fn sender_line(&self) -> Option<String> {
        let (Delivery::Open(held), Some(letter)) = (&self.delivery, &self.letter) else {
            return None;
        };
        let (server, sender) = (&held.server, &letter.sender);
        if sender.is_8bit && !server.takes_8bit || sender.is_utf8 && !server.takes_utf8 {
            return None;
        }
        let mut line = format!("MAIL FROM:<{}>", sender.path);
        if server.takes_size && sender.size > 0 {
            line.push_str(&format!(" SIZE={}", sender.size));
        }
        if sender.is_8bit {
            line.push_str(" BODY=8BITMIME");
        }
        if sender.is_utf8 {
            line.push_str(" SMTPUTF8");
        }
        line.push_str("\r\n");
        Some(line)
    }

    async fn ask_recipient(&mut self, path: &str) -> Result<Reply, End> {
        let line = format!("RCPT TO:<{path}>\r\n");
        let Outcome::Done(Some(answer)) = self.exchange(Work::Ask(&line)).await? else {
            return Ok(self.broken());
        };
        let reply = Reply::theirs(&answer);
        let Some(letter) = self.letter.as_mut() else {
            return Ok(reply);
        };
        if reply.is_yes() {
            letter.accepted += 1;
        } else if letter.accepted == 0 {
            return Ok(self.give_up(reply));
        }
        Ok(reply)
    }

    /// Ends the conversation with the server between two commands.
    pub(super) fn give_up(&mut self, reply: Reply) -> Reply {
        if let Some(cell) = mem::take(&mut self.delivery).end(false) {
            self.leave(cell);
        }
        reply
    }

    /// What is said about a delivery that broke.
    pub(super) fn broken(&mut self) -> Reply {
        let reply = match &self.delivery {
            Delivery::Broken(reply) => reply.clone(),
            _ => lost(),
        };
        if self
            .letter
            .as_ref()
            .is_none_or(|letter| letter.accepted == 0)
        {
            self.delivery = Delivery::None;
        }
        reply
    }

    /// Works with the server, if there is one; a close of its cell resets it.
    pub(super) async fn exchange(&mut self, work: Work<'_>) -> Result<Outcome, End> {
        let mut held = match mem::take(&mut self.delivery) {
            Delivery::Open(held) => held,
            other => {
                self.delivery = other;
                return Ok(Outcome::Broken);
            }
        };
        let state = Arc::clone(held.state());
        let until = (after(MAIL_ANSWER_WAIT_MAX), true);
        let ended = {
            let mut working = pin!(held.server.work(work));
            loop {
                match self.inbox.race(until, working.as_mut()).await {
                    Woken::Cut(cut) if !Arc::ptr_eq(&cut.cell, &state) => self.confirm(cut).await,
                    ended => break ended,
                }
            }
        };
        let reply = match ended {
            Woken::Done(Ok(Some(answer))) if ![2, 3, 4, 5].contains(&(answer.code / 100)) => lost(),
            Woken::Done(Ok(Some(answer))) if answer.code == 421 => lost(),
            Woken::Done(Ok(answer)) => {
                self.delivery = Delivery::Open(held);
                return Ok(Outcome::Done(answer));
            }
            Woken::Cut(cut) => {
                self.delivery = Delivery::Open(held);
                self.cut(cut).await;
                return Ok(Outcome::Broken);
            }
            Woken::Stop => return Err(End::Stop),
            Woken::Done(Err(_)) | Woken::Late => lost(),
        };
        drop(held);
        self.worker.shared.counts.note_failed(&state);
        self.delivery = Delivery::Broken(reply);
        self.leave(state);
        Ok(Outcome::Broken)
    }

    /// Hands text on.
    pub(super) async fn forward(&mut self, bytes: &[u8]) -> Result<(), End> {
        if let Some(letter) = self.letter.as_mut() {
            letter.size += bytes.len() as u64;
        }
        self.exchange(Work::Send(bytes)).await.map(drop)
    }

    /// Gives the text up; the server is reset.
    pub(super) fn break_off(&mut self, reply: Reply) {
        if let Some(cell) = mem::take(&mut self.delivery).end(true) {
            self.leave(cell);
        }
        self.delivery = Delivery::Broken(reply);
    }

    /// Asks the judge again, whose yes may have been long ago.
    pub(super) fn judge_again(&mut self) {
        let Delivery::Open(held) = &self.delivery else {
            return;
        };
        let cell = Arc::clone(held.permit.cell());
        if self.judged(&cell).is_err() {
            self.worker.shared.counts.note_refused(&cell.state);
            self.judged_no(&cell);
        }
    }

    /// Says of every recipient how the message ended, unless a close has ended it.
    fn tell(&mut self, verdict: Verdict, reply: &Reply) {
        for mut entry in self.letter.iter_mut().flat_map(|l| l.entries.drain(..)) {
            entry.end_uncut(verdict, reply.code);
        }
    }

    /// Says the ending dot and hands the server's answer back, the only yes to a message there is;
    /// none if a close came meanwhile: then the client has been told before the close is confirmed.
    pub(super) async fn commit(&mut self) -> Result<Option<Reply>, End> {
        self.judge_again();
        let mut held = match mem::take(&mut self.delivery) {
            Delivery::Open(held) => held,
            Delivery::Broken(reply) => {
                self.tell(Verdict::Failed, &reply);
                return Ok(Some(reply));
            }
            Delivery::None => return Ok(Some(lost())),
        };
        let state = Arc::clone(held.state());
        let (mut cuts, mut until) = (Vec::<Cut>::new(), (after(MAIL_TAKE_WAIT_MAX), true));
        let ended = {
            let mut working = pin!(held.server.work(Work::Ask(".\r\n")));
            loop {
                let rush = after(MAIL_TAKE_CUT_WAIT_MAX);
                match self.inbox.race(until, working.as_mut()).await {
                    // The message may be taken already: its sender has to hear that.
                    Woken::Cut(cut) if Arc::ptr_eq(&cut.cell, &state) => {
                        until.0 = until.0.min(rush);
                        cuts.push(cut);
                    }
                    Woken::Cut(cut) => self.confirm(cut).await,
                    Woken::Stop => until = (until.0.min(rush), false),
                    Woken::Done(ended) => break ended.ok().flatten(),
                    Woken::Late => break None,
                }
            }
        };
        let counts = &self.worker.shared.counts;
        let reply = match &ended {
            Some(answer) if matches!(answer.code / 100, 2 | 4 | 5) => Reply::theirs(answer),
            _ => {
                tracing::warn!(cell = %state.id, "a mail server took a message in silence, or not");
                lost()
            }
        };
        match (ended.is_some(), reply.is_yes()) {
            (_, true) => counts.note_passed(&state),
            (_, false) => counts.note_failed(&state),
        }
        let verdict = match ended.is_some() {
            true => Verdict::Passed,
            false => Verdict::Failed,
        };
        if let Some(letter) = self.letter.as_mut() {
            // A server that has answered has answered, whatever was closed meanwhile.
            letter.end(verdict, &reply);
        }
        match ended.is_some() {
            true => held.server.part(),
            false => drop(held),
        }
        self.leave(state);
        if cuts.is_empty() {
            return Ok(Some(reply));
        }
        self.say(&reply);
        for cut in cuts {
            self.confirm(cut).await;
        }
        Ok(None)
    }
}
