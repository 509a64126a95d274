//! A conversation with a cell's mail server, one message long.
//!
//! In:    commands and text. Out: the server's answers.
//! Never: two commands under way; reads an answer that came before its question; says the ending
//!        dot by itself. Dropped before [`Server::part`] it is reset: half a message is no message.

use std::io;
use std::sync::Arc;

use smtp_proto::response::parser::ResponseReceiver;
use smtp_proto::{Error, Response};
use tokio::io::AsyncWriteExt;

use crate::upstream::{Backend, Pool, Upstream};

/// A conversation with a cell's mail server.
pub(crate) struct Server {
    upstream: Arc<Upstream>,
    backend: Option<Backend>,
    /// Whether `SIZE`, `8BITMIME`, `SMTPUTF8` are offered.
    pub(crate) takes_size: bool,
    pub(crate) takes_8bit: bool,
    pub(crate) takes_utf8: bool,
}

/// Something that takes time.
#[derive(Clone, Copy)]
pub(crate) enum Work<'a> {
    /// Connect and say hello by this name.
    Open(&'a Pool, &'a str),
    /// Say a line and hear the answer.
    Ask(&'a str),
    /// Hand text on.
    Send(&'a [u8]),
}

impl Server {
    /// One that is not connected yet.
    pub(crate) fn new(upstream: &Arc<Upstream>) -> Self {
        Self {
            upstream: Arc::clone(upstream),
            backend: None,
            takes_size: false,
            takes_8bit: false,
            takes_utf8: false,
        }
    }

    /// Whether it is that one.
    pub(crate) fn is_at(&self, upstream: &Arc<Upstream>) -> bool {
        Arc::ptr_eq(&self.upstream, upstream)
    }

    /// Whether it has said nothing unasked.
    pub(crate) fn is_quiet(&self) -> bool {
        let Some(backend) = &self.backend else {
            return false;
        };
        let read = backend.stream.try_read(&mut [0; 1]);
        let is_silent = matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        backend.buffer.is_empty() && is_silent
    }

    /// Does it; the answer, if one belongs to it.
    ///
    /// # Errors
    /// The server is not there, went away, or does not speak SMTP.
    pub(crate) async fn work(&mut self, work: Work<'_>) -> io::Result<Option<Response<String>>> {
        match work {
            Work::Open(pool, name) => self.open(pool, name).await.map(Some),
            Work::Ask(line) => self.ask(line).await.map(Some),
            Work::Send(bytes) => {
                let backend = self.backend.as_mut().ok_or(io::ErrorKind::NotConnected)?;
                backend.stream.write_all(bytes).await.map(|()| None)
            }
        }
    }

    async fn open(&mut self, pool: &Pool, name: &str) -> io::Result<Response<String>> {
        self.backend = Some(pool.connect(&self.upstream).await?);
        let greeting = self.answer().await?;
        if greeting.code != 220 {
            return Ok(greeting);
        }
        let hello = self.ask(&format!("EHLO {name}\r\n")).await?;
        for line in hello.message.lines().skip(1) {
            let word = line.split(' ').next().unwrap_or_default();
            self.takes_size |= word.eq_ignore_ascii_case("SIZE");
            self.takes_8bit |= word.eq_ignore_ascii_case("8BITMIME");
            self.takes_utf8 |= word.eq_ignore_ascii_case("SMTPUTF8");
        }
        if hello.code / 100 == 5 {
            return self.ask(&format!("HELO {name}\r\n")).await;
        }
        Ok(hello)
    }

    async fn ask(&mut self, line: &str) -> io::Result<Response<String>> {
        if !self.is_quiet() {
            // It would be taken for the answer to what comes next.
            return Err(io::ErrorKind::InvalidData.into());
        }
        let backend = self.backend.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        backend.stream.write_all(line.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> io::Result<Response<String>> {
        let backend = self.backend.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let mut receiver = ResponseReceiver::default();
        loop {
            let bytes = backend.buffer.get();
            let (size, mut rest) = (bytes.len(), bytes.iter());
            let read = receiver.parse(&mut rest);
            let left = rest.len();
            backend.buffer.eat(size - left);
            match read {
                Ok(response) if (200..600).contains(&response.code) => return Ok(response),
                Err(Error::NeedsMoreData { .. }) => {}
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
            if backend.buffer.fill(&mut backend.stream).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Says goodbye between two messages.
    pub(crate) fn part(mut self) {
        if let Some(mut backend) = self.backend.take() {
            let _ = backend.stream.try_write(b"QUIT\r\n");
            backend.rest();
        }
    }
}
