//! A sender of mail that keeps what was not taken and tries again.
//!
//! In:    messages for one recipient each, the server's address (the gate), whom it believes. Out:
//!        [`Round`]s: what was taken, what waits and why, what was refused for good.
//! Never: forgets a message that nobody has answered with 250 or 5xx; sends one again that was; a
//!        wait by the clock: whoever has the sender says when it tries; a message in plain, once it
//!        was told to use TLS.
//! See:   RFC 5321 §4.5.4.1, RFC 3207 (STARTTLS). It keeps its queue in memory; Postfix
//!        (`reference/mail`) on disk.
//!
//! A conversation that breaks behind the ending dot leaves open whether the message was taken. It
//! waits and goes again with the same bytes, and the server of [`super::server`] knows it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smtp_proto::response::parser::ResponseReceiver;
use smtp_proto::{Error, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// Most messages that a sender keeps.
const QUEUE_COUNT_MAX: usize = 100_000;

/// How long a server may say nothing. Seconds.
const ANSWER_SECONDS_MAX: u64 = 300;

/// Most times one round connects anew.
const CONNECT_COUNT_MAX: usize = 3;

/// One message for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Return path without angle brackets.
    pub from: String,
    /// Recipient without angle brackets.
    pub to: String,
    /// Head and text; every line ends in CR LF.
    pub text: Vec<u8>,
}

/// How far a message is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Not taken yet; what was said last, if it was tried.
    Waiting(Option<String>),
    /// Taken (250).
    Sent,
    /// Refused for good (5xx), with the server's words.
    Refused(String),
}

/// What a round brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Taken in this round.
    pub sent_count: usize,
    /// Still waiting: 421, 450 and the like, or no answer.
    pub waiting_count: usize,
    /// Refused for good in this round.
    pub refused_count: usize,
}

/// A sender with its queue.
pub struct Sender {
    server: SocketAddr,
    name: String,
    tls: Option<Tls>,
    queue: Vec<(Letter, State)>,
}

/// Whom a sender believes, and what the server must be called.
#[derive(Clone)]
struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// Why a conversation is over: what the connection or a 421 said.
struct Broken(String);

impl Sender {
    /// A sender to one server, with the name it says of itself.
    pub fn new(server: SocketAddr, name: &str) -> Self {
        Self {
            server,
            name: name.to_owned(),
            tls: None,
            queue: Vec::new(),
        }
    }

    /// The same, but over STARTTLS only, to a server that shows it is called so; none when that is
    /// no name.
    pub fn under_tls(self, config: Arc<ClientConfig>, name: &str) -> Option<Self> {
        let name = ServerName::try_from(name.to_owned()).ok()?;
        Some(Self {
            tls: Some(Tls { config, name }),
            ..self
        })
    }

    /// Keeps a message; its place in [`Sender::states`], none when the queue is full or the
    /// message cannot be sent as it is (line ends, characters in an address).
    pub fn put(&mut self, letter: Letter) -> Option<usize> {
        let is_address = |text: &str| {
            let is_odd = |c: char| c.is_control() || c.is_whitespace() || "<>".contains(c);
            text.is_ascii() && !text.contains(is_odd)
        };
        let fits = is_address(&letter.from) && is_address(&letter.to) && has_lines(&letter.text);
        if !fits || self.queue.len() >= QUEUE_COUNT_MAX {
            return None;
        }
        self.queue.push((letter, State::Waiting(None)));
        Some(self.queue.len() - 1)
    }

    /// Every message that was put in, in that order. Texts of those that are done are gone.
    pub fn states(&self) -> impl Iterator<Item = (&Letter, &State)> {
        self.queue.iter().map(|(letter, state)| (letter, state))
    }

    /// Tries every waiting message once.
    pub async fn round(&mut self) -> Round {
        let mut round = Round::default();
        let mut talk = None;
        let mut connect_count = 0;
        for (letter, state) in &mut self.queue {
            if !matches!(state, State::Waiting(_)) {
                continue;
            }
            if talk.is_none() && connect_count < CONNECT_COUNT_MAX {
                connect_count += 1;
                match Talk::begin(self.server, &self.name, self.tls.as_ref()).await {
                    Ok(fresh) => talk = Some(fresh),
                    Err(Broken(said)) => *state = State::Waiting(Some(said)),
                }
            }
            if let Some(open) = &mut talk {
                match open.hand_over(letter).await {
                    Ok(told) => *state = told,
                    Err(Broken(said)) => {
                        *state = State::Waiting(Some(said));
                        talk = None;
                    }
                }
            }
            match state {
                State::Waiting(_) => round.waiting_count += 1,
                State::Sent => round.sent_count += 1,
                State::Refused(_) => round.refused_count += 1,
            }
            if !matches!(state, State::Waiting(_)) {
                letter.text = Vec::new();
            }
        }
        if let Some(talk) = &mut talk {
            let _bye = talk.ask("QUIT\r\n").await;
        }
        round
    }
}

/// Whether every line ends in CR LF, the last one too.
fn has_lines(text: &[u8]) -> bool {
    let mut before = b'\n';
    for byte in text {
        let is_right = match (before, *byte) {
            (b'\r', b'\n') => true,
            (b'\r', _) | (_, b'\n') => false,
            _ => true,
        };
        if !is_right {
            return false;
        }
        before = *byte;
    }
    before == b'\n'
}

struct Talk {
    stream: Box<dyn Stream>,
    input: Vec<u8>,
}

/// What is talked over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Talk {
    async fn begin(server: SocketAddr, name: &str, tls: Option<&Tls>) -> Result<Self, Broken> {
        let stream = TcpStream::connect(server).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        let mut talk = Self {
            stream: Box::new(stream),
            input: Vec::new(),
        };
        let hello = talk.answer().await?;
        if hello.code != 220 {
            return Err(Broken(words(&hello)));
        }
        let hello = format!("EHLO {name}\r\n");
        let told = talk.must(&hello, 250).await?;
        let Some(tls) = tls else {
            return Ok(talk);
        };
        if !told.message.lines().any(|line| line.trim() == "STARTTLS") {
            return Err(Broken("it offers no TLS".to_owned()));
        }
        talk.must("STARTTLS\r\n", 220).await?;
        talk = talk.encrypt(tls).await?;
        talk.must(&hello, 250).await?;
        Ok(talk)
    }

    async fn encrypt(self, tls: &Tls) -> Result<Self, Broken> {
        // What came in plain behind the 220 would be read as if it had come encrypted.
        if !self.input.is_empty() {
            return Err(Broken("words in plain behind STARTTLS".to_owned()));
        }
        let connector = TlsConnector::from(Arc::clone(&tls.config));
        let connect = connector.connect(tls.name.clone(), self.stream);
        let wait = Duration::from_secs(ANSWER_SECONDS_MAX);
        let stream = tokio::time::timeout(wait, connect).await;
        let stream = stream.map_err(|_| broken(io::ErrorKind::TimedOut.into()))?;
        Ok(Self {
            stream: Box::new(stream.map_err(broken)?),
            input: Vec::new(),
        })
    }

    async fn must(&mut self, line: &str, wanted: u16) -> Result<Response<String>, Broken> {
        let told = self.ask(line).await?;
        match told.code == wanted {
            true => Ok(told),
            false => Err(Broken(words(&told))),
        }
    }

    /// One message: where it stands afterwards.
    async fn hand_over(&mut self, letter: &Letter) -> Result<State, Broken> {
        let lines = [
            format!(
                "MAIL FROM:<{}> BODY=8BITMIME SIZE={}\r\n",
                letter.from,
                letter.text.len()
            ),
            format!("RCPT TO:<{}>\r\n", letter.to),
            "DATA\r\n".to_owned(),
        ];
        for (line, wanted) in lines.iter().zip([250, 250, 354]) {
            let told = self.ask(line).await?;
            if told.code != wanted {
                let state = state(&told);
                self.ask("RSET\r\n").await?;
                return Ok(state);
            }
        }
        let mut text = Vec::with_capacity(letter.text.len() + 64);
        for line in letter.text.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                text.push(b'.');
            }
            text.extend_from_slice(line);
        }
        text.extend_from_slice(b".\r\n");
        self.stream.write_all(&text).await.map_err(broken)?;
        let told = self.answer().await?;
        Ok(match told.code {
            250 => State::Sent,
            _ => state(&told),
        })
    }

    async fn ask(&mut self, line: &str) -> Result<Response<String>, Broken> {
        let written = self.stream.write_all(line.as_bytes()).await;
        match (written, self.answer().await) {
            // A server that ended with a word is heard, also when it listens no more.
            (_, Ok(told)) => Ok(told),
            (Err(error), Err(_)) => Err(broken(error)),
            (Ok(()), Err(error)) => Err(error),
        }
    }

    /// One answer; 421 ends the conversation wherever it is said.
    async fn answer(&mut self) -> Result<Response<String>, Broken> {
        let mut reader = ResponseReceiver::default();
        let wait = Duration::from_secs(ANSWER_SECONDS_MAX);
        loop {
            let mut bytes = self.input.iter();
            let read = reader.parse(&mut bytes);
            let left = bytes.as_slice().to_vec();
            self.input = left;
            match read {
                Ok(told) if told.code == 421 => return Err(Broken(words(&told))),
                Ok(told) => return Ok(told),
                Err(Error::NeedsMoreData { .. }) => {}
                Err(_) => return Err(Broken("that is no SMTP".to_owned())),
            }
            let mut piece = [0; 4_096];
            let count = tokio::time::timeout(wait, self.stream.read(&mut piece)).await;
            match count.map_err(|_| broken(io::ErrorKind::TimedOut.into()))? {
                Ok(0) => return Err(broken(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => self.input.extend_from_slice(&piece[..count]),
                Err(error) => return Err(broken(error)),
            }
        }
    }
}

fn broken(error: io::Error) -> Broken {
    Broken(error.to_string())
}

fn words(told: &Response<String>) -> String {
    format!("{} {}", told.code, told.message.trim_end())
}

fn state(told: &Response<String>) -> State {
    match told.code / 100 {
        5 => State::Refused(words(told)),
        _ => State::Waiting(Some(words(told))),
    }
}
