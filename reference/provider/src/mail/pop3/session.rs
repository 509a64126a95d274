//! One conversation with a mail program.
//!
//! In:    commands. Out: `+OK` and `-ERR` with response codes; messages; deletions at `QUIT`.
//! Never: deletes in a conversation that broke off; a message that changed its number on the way.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Shared, Shelf, Taken};
use crate::mail::line::{Line, line};
use crate::mail::listen::told;
use crate::mail::maildir::{Item, Mailbox};
use crate::mail::{ERROR_COUNT_MAX, LOGIN_COUNT_MAX, MESSAGE_COUNT_MAX, SILENCE_SECONDS_MAX};

/// A conversation.
pub(super) struct Session<'a, S> {
    shared: &'a Arc<Shared>,
    stream: S,
    input: Vec<u8>,
    output: Vec<u8>,
    name: Option<String>,
    open: Option<Open>,
    error_count: usize,
    login_count: usize,
}

/// A mailbox as it was when its reader came: numbers stay what they are.
struct Open {
    mailbox: Mailbox,
    messages: Vec<(Item, bool)>,
    _taken: Taken,
}

/// Whether it goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Over,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    pub(super) fn new(shared: &'a Arc<Shared>, stream: S) -> Self {
        Self {
            shared,
            stream,
            input: Vec::new(),
            output: Vec::new(),
            name: None,
            open: None,
            error_count: 0,
            login_count: 0,
        }
    }

    /// Talks until one of both ends it.
    pub(super) async fn run(mut self) -> io::Result<()> {
        self.ok(&format!("{} POP3", self.shared.settings.name));
        loop {
            let next = match line(&mut self.input) {
                Line::Whole(line) => self.obey(&line).await?,
                Line::Unfinished => self.fill().await?,
                Line::Bad => {
                    self.no("", "no line of a command, or too long");
                    Next::Over
                }
            };
            let is_lost = self.error_count > ERROR_COUNT_MAX || self.login_count >= LOGIN_COUNT_MAX;
            if next == Next::Over || is_lost {
                break;
            }
        }
        self.flush().await?;
        self.stream.shutdown().await
    }

    fn ok(&mut self, words: &str) {
        self.output
            .extend_from_slice(format!("+OK {words}\r\n").as_bytes());
    }

    fn no(&mut self, code: &str, words: &str) {
        self.error_count += 1;
        let gap = if code.is_empty() { "" } else { " " };
        self.output
            .extend_from_slice(format!("-ERR {code}{gap}{words}\r\n").as_bytes());
    }

    fn lines(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.output.extend_from_slice(line.as_bytes());
            self.output.extend_from_slice(b"\r\n");
        }
        self.output.extend_from_slice(b".\r\n");
    }

    async fn flush(&mut self) -> io::Result<()> {
        let said = std::mem::take(&mut self.output);
        let wait = Duration::from_secs(SILENCE_SECONDS_MAX);
        tokio::time::timeout(wait, self.stream.write_all(&said)).await??;
        self.stream.flush().await
    }

    async fn fill(&mut self) -> io::Result<Next> {
        self.flush().await?;
        let mut stopped = self.shared.stopped.clone();
        let mut piece = [0; 2_048];
        let wait = Duration::from_secs(SILENCE_SECONDS_MAX);
        let count = tokio::select! {
            biased;
            () = told(&mut stopped) => return Ok(Next::Over),
            count = tokio::time::timeout(wait, self.stream.read(&mut piece)) => count,
        };
        let Ok(count) = count else {
            return Ok(Next::Over);
        };
        let count = count?;
        self.input.extend_from_slice(&piece[..count]);
        Ok(if count > 0 { Next::Go } else { Next::Over })
    }

    async fn obey(&mut self, line: &[u8]) -> io::Result<Next> {
        let text = String::from_utf8_lossy(line).into_owned();
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        match (verb.to_ascii_uppercase().as_str(), self.open.is_some()) {
            ("QUIT", _) => return self.quit().await,
            ("CAPA", _) => {
                self.ok("what there is");
                let all = ["USER", "TOP", "UIDL", "RESP-CODES", "PIPELINING"];
                self.lines(all.map(str::to_owned));
            }
            ("NOOP", true) => self.ok("here"),
            ("USER", false) => {
                self.name = Some(rest.trim().to_ascii_lowercase());
                self.ok("and the password");
            }
            ("PASS", false) => self.enter(rest).await,
            ("STAT", true) => self.stat(),
            ("LIST", true) => self.list(rest, |item| item.size.to_string()),
            ("UIDL", true) => self.list(rest, |item| item.name.clone()),
            ("RETR", true) => self.retrieve(rest, None).await?,
            ("TOP", true) => self.top(rest).await?,
            ("DELE", true) => self.delete(rest),
            ("RSET", true) => {
                for (_, is_gone) in self.open.iter_mut().flat_map(|open| &mut open.messages) {
                    *is_gone = false;
                }
                self.ok("nothing is deleted");
            }
            _ => self.no("", "not here, or not now"),
        }
        Ok(Next::Go)
    }

    async fn enter(&mut self, password: &str) {
        let Some(name) = self.name.take() else {
            return self.no("", "say USER first");
        };
        let (local, domain) = name.rsplit_once('@').unwrap_or((&name, ""));
        let shelf = self.shared.settings.shelves.get(domain).cloned();
        match opens(shelf.as_ref(), local, password).await {
            Ok(true) => {}
            Ok(false) => {
                self.login_count += 1;
                return self.no("[AUTH]", "name or password is wrong, or tried too often");
            }
            Err(error) => {
                tracing::error!(%error, "cannot look whose a mailbox is");
                return self.no("[SYS/TEMP]", "cannot look, come again");
            }
        }
        let Some(mailbox) = shelf.map(|shelf| Mailbox::new(shelf.folder.join(local))) else {
            return;
        };
        let Some(taken) = Taken::take(self.shared, mailbox.folder().to_owned()) else {
            return self.no("[IN-USE]", "another program has it open");
        };
        let listed = {
            let mailbox = mailbox.clone();
            tokio::task::spawn_blocking(move || mailbox.items()).await
        };
        match listed.map_err(io::Error::other).flatten() {
            Ok(mut items) => {
                items.truncate(MESSAGE_COUNT_MAX);
                self.ok(&format!("{} messages", items.len()));
                self.open = Some(Open {
                    mailbox,
                    messages: items.into_iter().map(|item| (item, false)).collect(),
                    _taken: taken,
                });
            }
            Err(error) => {
                tracing::error!(service = "mail", %error, "cannot read a mailbox");
                self.no("[SYS/TEMP]", "cannot read it, come again");
            }
        }
    }

    /// The messages that are not marked for deletion, with their numbers from 1 on.
    fn shown(&self) -> impl Iterator<Item = (usize, &Item)> {
        let messages = self.open.iter().flat_map(|open| &open.messages);
        let numbered = messages.enumerate().map(|(place, one)| (place + 1, one));
        numbered.filter_map(|(number, (item, is_gone))| (!is_gone).then_some((number, item)))
    }

    fn find(&self, number: &str) -> Option<(usize, &Item)> {
        let number: usize = number.trim().parse().ok()?;
        self.shown().find(|(own, _)| *own == number)
    }

    fn stat(&mut self) {
        let (count, size) = self.shown().fold((0, 0), |(count, size), (_, item)| {
            (count + 1, size + item.size)
        });
        self.ok(&format!("{count} {size}"));
    }

    fn list(&mut self, number: &str, what: impl Fn(&Item) -> String) {
        let word = |(number, item): (usize, &Item)| format!("{number} {}", what(item));
        if number.trim().is_empty() {
            let all: Vec<String> = self.shown().map(word).collect();
            self.ok("all of them");
            return self.lines(all);
        }
        match self.find(number).map(word) {
            Some(line) => self.ok(&line),
            None => self.no("", "no such message"),
        }
    }

    fn delete(&mut self, number: &str) {
        let Some((number, _)) = self.find(number) else {
            return self.no("", "no such message");
        };
        let mut messages = self.open.iter_mut().flat_map(|open| &mut open.messages);
        if let Some((_, is_gone)) = messages.nth(number - 1) {
            *is_gone = true;
        }
        self.ok("deleted when you QUIT");
    }

    async fn top(&mut self, rest: &str) -> io::Result<()> {
        let (number, count) = rest.trim().split_once(' ').unwrap_or((rest, "0"));
        match count.trim().parse() {
            Ok(count) => self.retrieve(number, Some(count)).await,
            Err(_) => {
                self.no("", "how many lines?");
                Ok(())
            }
        }
    }

    /// A message, or its head and so many lines.
    async fn retrieve(&mut self, number: &str, lines: Option<usize>) -> io::Result<()> {
        let Some((_, item)) = self.find(number) else {
            self.no("", "no such message");
            return Ok(());
        };
        // The file and what is made of it.
        let needed = (item.size.div_ceil(1024) + 1).saturating_mul(2);
        let path = item.path.clone();
        let needed = u32::try_from(needed).unwrap_or(u32::MAX);
        let Ok(_room) = Arc::clone(&self.shared.budget).try_acquire_many_owned(needed) else {
            self.no("[SYS/TEMP]", "no room for it now, come again");
            return Ok(());
        };
        match tokio::task::spawn_blocking(move || std::fs::read(path)).await? {
            Ok(bytes) => {
                self.ok("here it is");
                write_text(&mut self.output, &bytes, lines);
                self.flush().await
            }
            Err(error) => {
                tracing::error!(service = "mail", %error, "cannot read a message");
                self.no("[SYS/TEMP]", "cannot read it, come again");
                Ok(())
            }
        }
    }

    async fn quit(&mut self) -> io::Result<Next> {
        let Some(open) = self.open.take() else {
            self.ok("bye");
            return Ok(Next::Over);
        };
        let gone = open.messages.into_iter().filter(|(_, is_gone)| *is_gone);
        let gone: Vec<Item> = gone.map(|(item, _)| item).collect();
        let count = gone.len();
        let mailbox = open.mailbox;
        let done = tokio::task::spawn_blocking(move || mailbox.remove(&gone)).await?;
        match done {
            Ok(()) => {
                tracing::info!(
                    service = "mail",
                    deleted_count = count,
                    "a mailbox was read"
                );
                self.ok("bye");
            }
            Err(error) => {
                tracing::error!(service = "mail", %error, "cannot delete messages");
                self.no("[SYS/TEMP]", "not all of it is deleted");
            }
        }
        Ok(Next::Over)
    }
}

async fn opens(shelf: Option<&Shelf>, local: &str, password: &str) -> anyhow::Result<bool> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_+".contains(&b);
    let (Some(shelf), true) = (shelf, !local.is_empty() && local.bytes().all(legal)) else {
        return Ok(false);
    };
    let (opens, local, password) = (
        Arc::clone(&shelf.opens),
        local.to_owned(),
        password.to_owned(),
    );
    tokio::task::spawn_blocking(move || opens(&local, &password)).await?
}

/// A message as it goes over the line: lines end in CR LF, dots are doubled, a dot ends it.
fn write_text(output: &mut Vec<u8>, bytes: &[u8], lines: Option<usize>) {
    let mut body_count = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if lines
            .zip(body_count)
            .is_some_and(|(max, count)| count >= max)
        {
            break;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b".") {
            output.push(b'.');
        }
        output.extend_from_slice(line);
        output.extend_from_slice(b"\r\n");
        body_count = match body_count {
            Some(count) => Some(count + 1),
            None => line.is_empty().then_some(0),
        };
    }
    output.extend_from_slice(b".\r\n");
}
