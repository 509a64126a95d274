//! One conversation: commands in, replies out, messages into mailboxes.
//!
//! In:    bytes of a client. Out: replies (RFC 5321, RFC 2034 codes), delivered messages.
//! Never: a reply to a text before every recipient's mailbox has it on disk; an address in the
//!        log; commands that came in plain behind STARTTLS (RFC 3207 §4.2).

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use smtp_proto::{
    Error, MAIL_BODY_7BIT, MAIL_BODY_8BITMIME, MAIL_SMTPUTF8, MailFrom, RcptTo, Request,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use super::line::{Line, line};
use super::listen::told;
use super::maildir::{Delivered, Mailbox};
use super::server::{Has, Shared};
use super::text::{Found, Text};
use super::{ERROR_COUNT_MAX, RECIPIENT_COUNT_MAX, SILENCE_SECONDS_MAX};
use crate::kernel::clock;

/// How a conversation ended.
pub(super) enum Talk<S> {
    /// Over.
    Over,
    /// The client wants TLS on this.
    Tls(S),
}

/// A conversation.
pub(super) struct Session<'a, S> {
    shared: &'a Shared,
    stream: Option<S>,
    is_tls: bool,
    input: Vec<u8>,
    output: String,
    hello: Option<Hello>,
    letter: Option<Letter>,
    error_count: usize,
}

struct Hello {
    name: String,
    is_extended: bool,
}

/// A message that has begun.
struct Letter {
    from: String,
    is_utf8: bool,
    recipients: Vec<Recipient>,
}

#[derive(Clone)]
struct Recipient {
    address: String,
    mailbox: Mailbox,
}

/// What follows a command.
enum Next {
    Go,
    Over,
    Tls,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    pub(super) fn new(shared: &'a Shared, stream: S, is_tls: bool) -> Self {
        Self {
            shared,
            stream: Some(stream),
            is_tls,
            input: Vec::new(),
            output: String::new(),
            hello: None,
            letter: None,
            error_count: 0,
        }
    }

    /// Talks until one of both ends it.
    pub(super) async fn run(&mut self) -> io::Result<Talk<S>> {
        if !self.is_tls {
            self.say(220, "", &format!("{} ESMTP", self.shared.settings.name));
        }
        loop {
            let next = match line(&mut self.input) {
                Line::Whole(line) => self.obey(&line).await?,
                Line::Unfinished => match self.fill().await? {
                    true => Next::Go,
                    false => Next::Over,
                },
                Line::Bad => {
                    self.say(500, "5.5.2", "no line of a command, or too long");
                    Next::Over
                }
            };
            match next {
                Next::Go if self.error_count > ERROR_COUNT_MAX => {
                    self.say(421, "4.7.0", "too many errors");
                    break;
                }
                Next::Go => {}
                Next::Over => break,
                Next::Tls => {
                    self.flush().await?;
                    return Ok(self.stream.take().map_or(Talk::Over, Talk::Tls));
                }
            }
        }
        self.flush().await?;
        if let Some(stream) = &mut self.stream {
            stream.shutdown().await?;
        }
        Ok(Talk::Over)
    }

    fn say(&mut self, code: u16, enhanced: &str, words: &str) {
        if code >= 500 {
            self.error_count += 1;
        }
        let gap = if enhanced.is_empty() { "" } else { " " };
        self.output
            .push_str(&format!("{code} {enhanced}{gap}{words}\r\n"));
    }

    async fn flush(&mut self) -> io::Result<()> {
        let said = std::mem::take(&mut self.output);
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        let wait = Duration::from_secs(SILENCE_SECONDS_MAX);
        tokio::time::timeout(wait, stream.write_all(said.as_bytes())).await??;
        stream.flush().await
    }

    /// Reads more, after everything was said; false when there will be no more.
    async fn fill(&mut self) -> io::Result<bool> {
        self.flush().await?;
        let mut stopped = self.shared.stopped.clone();
        let Some(stream) = &mut self.stream else {
            return Ok(false);
        };
        let mut piece = [0; 16 * 1024];
        let wait = Duration::from_secs(SILENCE_SECONDS_MAX);
        let count = tokio::select! {
            biased;
            () = told(&mut stopped) => None,
            count = tokio::time::timeout(wait, stream.read(&mut piece)) => count.ok(),
        };
        let Some(count) = count.transpose()? else {
            self.say(421, "4.3.2", "this ends here, come again");
            return Ok(false);
        };
        self.input.extend_from_slice(&piece[..count]);
        Ok(count > 0)
    }

    async fn obey(&mut self, line: &[u8]) -> io::Result<Next> {
        let whole = [line, b"\r\n"].concat();
        let is_plain = std::str::from_utf8(line).is_ok_and(|l| !l.chars().any(char::is_control));
        let request = match Request::parse(&mut whole.iter()) {
            Ok(request) if is_plain => request,
            Ok(_) => {
                self.say(500, "5.5.2", "control characters in a command");
                return Ok(Next::Go);
            }
            Err(error) => {
                self.wrong(&error);
                return Ok(Next::Go);
            }
        };
        match request {
            Request::Ehlo { host } => self.greet(&host, true),
            Request::Helo { host } => self.greet(&host, false),
            Request::Mail { from } => self.begin(&from),
            Request::Rcpt { to } => self.add(&to).await,
            Request::Data => return self.text().await,
            Request::Rset => {
                self.letter = None;
                self.say(250, "2.0.0", "forgotten");
            }
            Request::Noop { .. } => self.say(250, "2.0.0", "here"),
            Request::Vrfy { .. } => self.say(252, "2.5.0", "send, and see"),
            Request::StartTls if self.can_encrypt() => {
                if !self.input.is_empty() {
                    self.say(501, "5.5.1", "nothing may follow STARTTLS in plain");
                    return Ok(Next::Over);
                }
                self.say(220, "2.0.0", "go ahead");
                return Ok(Next::Tls);
            }
            Request::Quit => {
                self.say(221, "2.0.0", "bye");
                return Ok(Next::Over);
            }
            _ => self.say(502, "5.5.1", "not offered here"),
        }
        Ok(Next::Go)
    }

    fn can_encrypt(&self) -> bool {
        self.shared.settings.tls.is_some() && !self.is_tls
    }

    fn wrong(&mut self, error: &Error) {
        match error {
            Error::InvalidSenderAddress => self.say(553, "5.1.7", "that is no sender address"),
            Error::InvalidRecipientAddress => {
                self.say(553, "5.1.3", "that is no recipient address");
            }
            Error::UnsupportedParameter { .. } => self.unknown_parameter(),
            Error::InvalidParameter { .. } | Error::SyntaxError { .. } => {
                self.say(501, "5.5.4", "cannot read the argument");
            }
            _ => self.say(500, "5.5.1", "unknown command"),
        }
    }

    fn unknown_parameter(&mut self) {
        self.say(555, "5.5.4", "a parameter that is not offered here");
    }

    fn greet(&mut self, host: &str, is_extended: bool) {
        let legal = |c: &char| c.is_ascii_alphanumeric() || "-._:[]".contains(*c);
        self.letter = None;
        self.hello = Some(Hello {
            name: host.chars().filter(legal).take(255).collect(),
            is_extended,
        });
        let settings = &self.shared.settings;
        if !is_extended {
            self.say(250, "", &settings.name);
            return;
        }
        let size = format!("SIZE {}", settings.size_max);
        let mut offers = vec!["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];
        if self.can_encrypt() {
            offers.push("STARTTLS");
        }
        self.output.push_str(&format!("250-{}\r\n", settings.name));
        for offer in offers {
            self.output.push_str(&format!("250-{offer}\r\n"));
        }
        self.say(250, "", &size);
    }

    fn begin(&mut self, from: &MailFrom<Cow<'_, str>>) {
        if self.hello.is_none() {
            return self.say(503, "5.5.1", "say EHLO first");
        }
        if self.letter.is_some() {
            return self.say(503, "5.5.1", "one message at a time");
        }
        let known = MailFrom {
            address: from.address.clone(),
            flags: from.flags & (MAIL_BODY_7BIT | MAIL_BODY_8BITMIME | MAIL_SMTPUTF8),
            size: from.size,
            ..MailFrom::default()
        };
        if known != *from {
            return self.unknown_parameter();
        }
        let is_utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        if !is_utf8 && !from.address.is_ascii() {
            return self.say(553, "5.6.7", "an address beyond ASCII needs SMTPUTF8");
        }
        if from.size > self.shared.settings.size_max {
            return self.say(552, "5.3.4", "the message is too large");
        }
        self.letter = Some(Letter {
            from: from.address.to_string(),
            is_utf8,
            recipients: Vec::new(),
        });
        self.say(250, "2.1.0", "who is it for");
    }

    async fn add(&mut self, to: &RcptTo<Cow<'_, str>>) {
        let known = RcptTo {
            address: to.address.clone(),
            ..RcptTo::default()
        };
        let count = match &self.letter {
            None => return self.say(503, "5.5.1", "say MAIL first"),
            Some(_) if known != *to => return self.unknown_parameter(),
            Some(letter) => letter.recipients.len(),
        };
        if count >= RECIPIENT_COUNT_MAX {
            return self.say(
                452,
                "4.5.3",
                "too many recipients, send it again to the rest",
            );
        }
        let address = to.address.to_ascii_lowercase();
        let (local, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
        let Some(domain) = self.shared.settings.domains.get(domain) else {
            return self.say(550, "5.7.1", "no relay: that domain does not live here");
        };
        let mailbox = Mailbox::new(domain.folder.join(local));
        match has(&domain.has, local).await {
            Ok(true) => {}
            Ok(false) => return self.say(550, "5.1.1", "no such mailbox here"),
            Err(error) => {
                tracing::error!(%error, "cannot look for a mailbox");
                return self.say(451, "4.3.0", "cannot look, come again");
            }
        }
        if let Some(letter) = &mut self.letter
            && letter.recipients.iter().all(|one| one.mailbox != mailbox)
        {
            letter.recipients.push(Recipient { address, mailbox });
        }
        self.say(250, "2.1.5", "yes");
    }

    async fn text(&mut self) -> io::Result<Next> {
        match &self.letter {
            None => self.say(503, "5.5.1", "say MAIL first"),
            Some(letter) if letter.recipients.is_empty() => {
                self.say(554, "5.5.1", "no recipient is accepted");
            }
            Some(_) => return self.text_read().await,
        }
        Ok(Next::Go)
    }

    async fn text_read(&mut self) -> io::Result<Next> {
        self.say(354, "", "end with a dot on a line of its own");
        let size_max = self.shared.settings.size_max;
        let mut text = Text::new(size_max);
        let mut room: Option<OwnedSemaphorePermit> = None;
        let mut has_room = true;
        loop {
            let found = text.take(&mut self.input);
            has_room = has_room && grow(self.shared, &text, &mut room);
            if !has_room {
                text.give_up();
            }
            match found {
                Found::End => break,
                Found::Bad => {
                    self.say(521, "5.5.2", "lines must end in CR LF and nothing else");
                    return Ok(Next::Over);
                }
                Found::More if text.size > size_max.saturating_mul(2) => {
                    self.say(552, "5.3.4", "the message is too large");
                    return Ok(Next::Over);
                }
                Found::More => {}
            }
            if !self.fill().await? {
                return Ok(Next::Over);
            }
        }
        match self.letter.take() {
            _ if !has_room => self.say(452, "4.3.1", "no room for it now, come again"),
            _ if text.is_over() => self.say(552, "5.3.4", "the message is too large"),
            Some(letter) => self.deliver(letter, text).await,
            None => self.say(503, "5.5.1", "say MAIL first"),
        }
        Ok(Next::Go)
    }

    async fn deliver(&mut self, letter: Letter, text: Text) {
        let (count, size) = (letter.recipients.len(), text.bytes.len());
        let trace = self.trace(&letter);
        let work = move || -> io::Result<usize> {
            let mut again_count = 0;
            for one in &letter.recipients {
                let trace = trace.replace("{to}", &one.address);
                let told = one.mailbox.deliver(&trace, &text.bytes)?;
                again_count += usize::from(told == Delivered::Before);
            }
            Ok(again_count)
        };
        // On a thread of its own: once it has begun it is finished, whatever the client does.
        let done = tokio::task::spawn_blocking(work).await;
        match done.map_err(io::Error::other).flatten() {
            Ok(again_count) => {
                tracing::info!(service = "mail", count, again_count, size, "took a message");
                self.say(250, "2.6.0", "it lies in the mailbox");
            }
            Err(error) => {
                tracing::error!(service = "mail", %error, "cannot keep a message");
                self.say(451, "4.3.0", "cannot keep it, come again");
            }
        }
    }

    /// Return path, recipient, and by which way it came, a line each; `{to}` is left open.
    fn trace(&self, letter: &Letter) -> String {
        let settings = &self.shared.settings;
        let hello = self.hello.as_ref();
        let protocol = match (letter.is_utf8, hello.is_some_and(|h| h.is_extended)) {
            (true, _) => "UTF8SMTP",
            (false, true) => "ESMTP",
            (false, false) => "SMTP",
        };
        let secure = if self.is_tls { "S" } else { "" };
        let from = hello.map_or("", |hello| &hello.name);
        let date = clock::rfc2822(settings.clock.seconds());
        format!(
            "Return-Path: <{}>\r\nDelivered-To: {{to}}\r\n\
             Received: from {from} by {} with {protocol}{secure}; {date}\r\n",
            letter.from, settings.name
        )
    }
}

async fn has(has: &Has, local: &str) -> anyhow::Result<bool> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.+".contains(&b);
    if local.is_empty() || local.len() > 64 || local.starts_with('.') || !local.bytes().all(legal) {
        return Ok(false);
    }
    let (has, local) = (Arc::clone(has), local.to_owned());
    tokio::task::spawn_blocking(move || has(&local)).await?
}

/// Takes as much of the memory of all texts as this one has come to need.
fn grow(shared: &Shared, text: &Text, room: &mut Option<OwnedSemaphorePermit>) -> bool {
    let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let needed = text.bytes.len().div_ceil(1024).saturating_sub(held);
    if needed == 0 {
        return true;
    }
    let count = u32::try_from(needed).unwrap_or(u32::MAX);
    let Ok(more) = Arc::clone(&shared.budget).try_acquire_many_owned(count) else {
        return false;
    };
    match room {
        Some(room) => room.merge(more),
        None => *room = Some(more),
    }
    true
}
