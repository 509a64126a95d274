//! A mail program: reads a mailbox by POP3 and leaves it as it is.
//!
//! In:    the server's address (the gate), its name, whom to believe; a name and a password.
//! Out:   every message, or how it was sent away.
//! Never: a password before the server has shown who it is; reads without end.
//! See:   RFC 1939; RFC 8314 (TLS from the first byte).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long a server may say nothing. Seconds.
const ANSWER_SECONDS_MAX: u64 = 30;

/// Largest answer that is read. Bytes.
const ANSWER_SIZE_MAX: usize = 64 * 1024 * 1024;

/// Where a mailbox is read, and whom to believe.
#[derive(Clone)]
pub struct Reader {
    server: SocketAddr,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

/// A message as it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// Its name in this mailbox for ever (`UIDL`).
    pub name: String,
    /// All of it; lines end in CR LF.
    pub bytes: Vec<u8>,
}

/// Why nothing was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The door is shut: the connection ended before the server had said anything.
    Shut,
    /// The server said no, in these words.
    No(String),
    /// It broke off on the way.
    Broken(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Reader {
    /// Reads at a server that shows that it is called so; none when that is no name.
    pub fn new(server: SocketAddr, name: &str, tls: Arc<ClientConfig>) -> Option<Self> {
        let name = ServerName::try_from(name.to_owned()).ok()?;
        Some(Self { server, name, tls })
    }

    /// Every message of a mailbox; none is deleted.
    ///
    /// # Errors
    /// The door is shut, the server says no, or it breaks off.
    pub async fn read(&self, user: &str, password: &str) -> Result<Vec<Received>, Stop> {
        let wait = Duration::from_secs(ANSWER_SECONDS_MAX);
        let mut talk = match tokio::time::timeout(wait, self.connect()).await {
            Ok(Ok(talk)) => talk,
            // Shut is a reset, with whatever a TLS client makes of it.
            Ok(Err(_)) => return Err(Stop::Shut),
            Err(_) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        };
        talk.ask(&format!("USER {user}")).await?;
        talk.ask(&format!("PASS {password}")).await?;
        talk.ask("UIDL").await?;
        let list = String::from_utf8_lossy(&talk.text().await?).into_owned();
        let mut all = Vec::new();
        for line in list.lines() {
            let (number, name) = line.split_once(' ').unwrap_or((line, ""));
            talk.ask(&format!("RETR {number}")).await?;
            all.push(Received {
                name: name.to_owned(),
                bytes: talk.text().await?,
            });
        }
        talk.ask("QUIT").await?;
        Ok(all)
    }

    async fn connect(&self) -> io::Result<Talk> {
        let stream = TcpStream::connect(self.server).await?;
        stream.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(self.name.clone(), stream).await?;
        let mut talk = Talk(BufReader::new(stream));
        match talk.line().await? {
            line if line.starts_with(b"+OK") => Ok(talk),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

struct Talk(BufReader<TlsStream<TcpStream>>);

impl Talk {
    async fn ask(&mut self, line: &str) -> Result<(), Stop> {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await?;
        self.0.flush().await?;
        let told = self.line().await?;
        match told.starts_with(b"+OK") {
            true => Ok(()),
            false => Err(Stop::No(String::from_utf8_lossy(&told).trim().to_owned())),
        }
    }

    /// Lines up to a dot, with its dots undone.
    async fn text(&mut self) -> Result<Vec<u8>, Stop> {
        let mut text = Vec::new();
        loop {
            let line = self.line().await?;
            match line.as_slice() {
                b".\r\n" => return Ok(text),
                [b'.', rest @ ..] => text.extend_from_slice(rest),
                line => text.extend_from_slice(line),
            }
            if text.len() > ANSWER_SIZE_MAX {
                return Err(Stop::Broken("more than anybody reads".to_owned()));
            }
        }
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        use tokio::io::AsyncReadExt;
        let mut line = Vec::new();
        let wait = Duration::from_secs(ANSWER_SECONDS_MAX);
        let mut bounded = (&mut self.0).take(ANSWER_SIZE_MAX as u64);
        let read = tokio::time::timeout(wait, bounded.read_until(b'\n', &mut line)).await;
        read.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        match line.ends_with(b"\n") {
            true => Ok(line),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
