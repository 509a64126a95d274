//! The text of a message: behind `DATA`, or in chunks.
//!
//! In:    bytes of the client. Out: the same at the cell's server, its answer at the end.
//! Never: keeps a message (what was read is handed on before more is read); says the ending dot
//!        for a text that was cut, too large, or ambiguous.
//!
//! A text that nobody takes any more is read to its end and thrown away: its sender listens only
//! then.

use super::super::content::{Bad, Chunks, Content, Found};
use super::super::reply::Reply;
use super::super::server::Work;
use super::handover::{Delivery, Outcome, lost};
use super::{End, Session};

fn too_large() -> Reply {
    Reply::own(552, "5.3.4", "the message is too large")
}

fn wrong(bad: Bad) -> Reply {
    match bad {
        Bad::LineEnd => Reply::own(521, "5.5.2", "lines must end in CR LF and nothing else"),
        Bad::LineLength => Reply::own(521, "5.5.2", "a line of the message is too long"),
    }
}

impl Session<'_> {
    /// Takes a text up to its dot.
    pub(super) async fn data(&mut self) -> Result<Option<Reply>, End> {
        let Some(letter) = &self.letter else {
            return Ok(Some(Reply::own(503, "5.5.1", "say MAIL first")));
        };
        if letter.accepted == 0 {
            return Ok(Some(Reply::own(554, "5.5.1", "no recipient is accepted")));
        }
        if let Some(no) = self.ask_for_text().await? {
            self.forget();
            return Ok(Some(no));
        }
        self.say(&Reply::own(354, "", "end with a dot on a line of its own"));
        let (mut content, mut size) = (Content::default(), 0_u64);
        let reply = loop {
            let (count, found) = content.look(self.input.get());
            size = size.saturating_add(count as u64);
            if size > self.relay.size_max {
                self.break_off(too_large());
            }
            self.hand_on(count).await?;
            match found {
                Found::More => self.fill().await?,
                Found::End(count) => {
                    self.input.eat(count);
                    break self.commit().await?;
                }
                Found::Bad(bad) => {
                    let reply = wrong(bad);
                    self.break_off(reply.clone());
                    self.say(&reply);
                    return Err(End::Said);
                }
            }
            if size > self.relay.size_max.saturating_mul(2) {
                self.say(&too_large());
                return Err(End::Said);
            }
        };
        self.letter = None;
        self.delivery = Delivery::None;
        Ok(reply)
    }

    /// Asks the server whether it takes the text; an answer if not.
    async fn ask_for_text(&mut self) -> Result<Option<Reply>, End> {
        self.judge_again();
        match self.exchange(Work::Ask("DATA\r\n")).await? {
            Outcome::Done(Some(answer)) if answer.code == 354 => Ok(None),
            Outcome::Done(Some(answer)) if matches!(answer.code / 100, 4 | 5) => {
                let reply = Reply::theirs(&answer);
                Ok(Some(self.give_up(reply)))
            }
            Outcome::Done(_) => Ok(Some(self.give_up(lost()))),
            Outcome::Broken => Ok(Some(self.broken())),
        }
    }

    /// Hands so many bytes on; if nobody takes them any more they are thrown away.
    async fn hand_on(&mut self, count: usize) -> Result<(), End> {
        if count == 0 {
            return Ok(());
        }
        // The buffer is lent out, because an order may have to be heard meanwhile.
        let input = std::mem::take(&mut self.input);
        let handed = match input.get().get(..count) {
            Some(bytes) => self.forward(bytes).await,
            None => Ok(()),
        };
        self.input = input;
        self.input.eat(count);
        handed
    }

    /// Takes one chunk; behind the last one the message ends.
    pub(super) async fn chunk(&mut self, size: u64, is_last: bool) -> Result<Option<Reply>, End> {
        let (before, no) = self.chunk_begin().await?;
        let total = before.saturating_add(size);
        if total > self.relay.size_max.saturating_mul(2) {
            // It is not worth reading to its end.
            self.break_off(too_large());
            self.say(&too_large());
            return Err(End::Said);
        }
        if no.is_none() && total > self.relay.size_max {
            self.break_off(too_large());
        }
        self.chunk_read(size).await?;
        if no.is_some() {
            return Ok(no);
        }
        if let Some(letter) = self.letter.as_mut()
            && let Some((_, taken)) = letter.chunks.as_mut()
        {
            *taken = total;
        }
        if !is_last {
            return Ok(Some(match &self.delivery {
                Delivery::Open(_) => Reply::own(250, "2.0.0", "go on"),
                _ => self.broken(),
            }));
        }
        let reply = self.chunks_end().await?;
        self.letter = None;
        self.delivery = Delivery::None;
        Ok(reply)
    }

    /// Bytes of the message before this chunk, and an answer if there is no message.
    async fn chunk_begin(&mut self) -> Result<(u64, Option<Reply>), End> {
        let none = |words| (0, Some(Reply::own(503, "5.5.1", words)));
        match &self.letter {
            None => return Ok(none("say MAIL first")),
            Some(letter) if letter.accepted == 0 => return Ok(none("no recipient is accepted")),
            Some(letter) => {
                if let Some((_, taken)) = &letter.chunks {
                    return Ok((*taken, None));
                }
            }
        }
        if let Some(no) = self.ask_for_text().await? {
            self.delivery = Delivery::Broken(no);
        }
        if let Some(letter) = self.letter.as_mut() {
            letter.chunks = Some((Chunks::default(), 0));
        }
        Ok((0, None))
    }

    /// Reads a chunk to its end, whoever wants it.
    async fn chunk_read(&mut self, mut left: u64) -> Result<(), End> {
        while left > 0 {
            if self.input.is_empty() {
                self.fill().await?;
                continue;
            }
            let bytes = self.input.get();
            let count = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let mut out = Vec::with_capacity(count + 64);
            let chunks = self.letter.as_mut().and_then(|l| l.chunks.as_mut());
            let written = match (chunks, bytes.get(..count)) {
                (Some((chunks, _)), Some(bytes)) => chunks.write(bytes, &mut out),
                _ => Ok(()),
            };
            self.input.eat(count);
            left -= count as u64;
            self.chunk_forward(written, &out).await?;
        }
        Ok(())
    }

    /// Hands on what was written, if the delivery goes on.
    async fn chunk_forward(&mut self, written: Result<(), Bad>, out: &[u8]) -> Result<(), End> {
        match (&self.delivery, written) {
            (Delivery::Open(_), Ok(())) if !out.is_empty() => self.forward(out).await,
            (Delivery::Open(_), Err(bad)) => {
                // A chunk says where it ends: the conversation can go on.
                let words = match bad {
                    Bad::LineEnd => "lines must end in CR LF and nothing else",
                    Bad::LineLength => "a line of the message is too long",
                };
                self.break_off(Reply::own(550, "5.6.0", words));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn chunks_end(&mut self) -> Result<Option<Reply>, End> {
        let mut out = Vec::new();
        let chunks = self.letter.as_mut().and_then(|l| l.chunks.as_mut());
        let finished = match chunks {
            Some((chunks, _)) => chunks.finish(&mut out),
            None => Ok(()),
        };
        self.chunk_forward(finished, &out).await?;
        self.commit().await
    }
}
