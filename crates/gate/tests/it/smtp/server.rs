//! A mail server that keeps what it has taken, and can be told to be slow, strict or broken.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// What a server does out of the ordinary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mood {
    /// Nothing: it takes everything.
    Calm,
    /// It knows the recipients whose names begin with `known`.
    Picky,
    /// It says nothing to a whole message until it is let go on.
    Silent,
    /// It takes the text and then says no for now.
    Full,
    /// It hangs up in place of the last answer.
    Gone,
    /// It knows no extension.
    Old,
}

/// A message that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The line `MAIL`.
    pub from: String,
    /// The lines `RCPT`.
    pub to: Vec<String>,
    /// The text without its ending dot, dots still doubled.
    pub text: String,
}

pub struct MailServer {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    mood: Mutex<Mood>,
    taken: Mutex<Vec<Taken>>,
    /// Bytes of texts that have arrived, whole or not; and whole texts, taken or not.
    arrived: watch::Sender<(usize, usize)>,
    /// Conversations that have ended.
    ended: watch::Sender<usize>,
    go_on: Semaphore,
}

impl MailServer {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            mood: Mutex::new(Mood::Calm),
            taken: Mutex::default(),
            arrived: watch::Sender::default(),
            ended: watch::Sender::default(),
            go_on: Semaphore::new(0),
        });
        let mut tasks = JoinSet::new();
        let own = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut talks = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&own);
                talks.spawn(async move {
                    let _ = talk(&shared, stream).await;
                    shared.ended.send_modify(|count| *count += 1);
                });
            }
        });
        Self {
            address,
            shared,
            _tasks: tasks,
        }
    }

    pub fn set(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// Waits until so many bytes of texts have arrived.
    pub async fn arrived(&self, size: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        soon(arrived.wait_for(|(bytes, _)| *bytes >= size)).await;
    }

    /// Waits until so many whole texts have arrived.
    pub async fn whole(&self, count: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        arrived
            .wait_for(|(_, whole)| *whole >= count)
            .await
            .unwrap();
    }

    /// Waits until so many conversations have ended.
    pub async fn ended(&self, count: usize) {
        let mut ended = self.shared.ended.subscribe();
        soon(ended.wait_for(|ended| *ended >= count)).await;
    }

    /// Lets a silent server say its last word.
    pub fn go_on(&self) {
        self.shared.go_on.add_permits(1);
    }
}

/// A broken relay fails its test and does not hang it.
async fn soon<T, E>(comes: impl Future<Output = Result<T, E>>) {
    let came = tokio::time::timeout(Duration::from_secs(60), comes).await;
    assert!(
        matches!(came, Ok(Ok(_))),
        "the server waits for what does not come"
    );
}

async fn talk(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 server ESMTP\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        let mood = *shared.mood.lock().unwrap();
        let word = line.split([' ', ':']).next().unwrap_or_default();
        let answer = match word {
            "EHLO" if mood == Mood::Old => "502 what".to_owned(),
            "EHLO" => "250-server\r\n250-SIZE 5000000\r\n250-8BITMIME\r\n250 SMTPUTF8".to_owned(),
            "HELO" => "250 server".to_owned(),
            "MAIL" => {
                (from, to) = (line, Vec::new());
                "250 2.1.0 ok".to_owned()
            }
            "RCPT" if mood == Mood::Picky && !line.contains("<known") => {
                "550 5.1.1 nobody of that name".to_owned()
            }
            "RCPT" => {
                to.push(line);
                "250 2.1.5 ok".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let text = text(shared, &mut stream).await?;
                let Some(answer) = end(shared, mood).await else {
                    return Ok(());
                };
                if answer.starts_with('2') {
                    let (from, to) = (from.clone(), to.clone());
                    shared.taken.lock().unwrap().push(Taken { from, to, text });
                }
                answer
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n").await,
            _ => "500 what".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// What it says to a whole text; none if it hangs up.
async fn end(shared: &Shared, mood: Mood) -> Option<String> {
    shared.arrived.send_modify(|(_, whole)| *whole += 1);
    match mood {
        Mood::Gone => return None,
        Mood::Full => return Some("452 4.3.1 the disk is full".to_owned()),
        Mood::Silent => shared.go_on.acquire().await.ok()?.forget(),
        Mood::Calm | Mood::Picky | Mood::Old => {}
    }
    Some("250 2.0.0 kept as 1".to_owned())
}

async fn text(shared: &Shared, stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = Vec::new();
    loop {
        let before = text.len();
        let size = stream.read_until(b'\n', &mut text).await?;
        if size == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if &text[before..] == b".\r\n" {
            text.truncate(before);
            return Ok(String::from_utf8(text).unwrap());
        }
        shared.arrived.send_modify(|(bytes, _)| *bytes += size);
    }
}
