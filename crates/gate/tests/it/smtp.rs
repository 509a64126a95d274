//! The mail relay against a server that does what the test says, and against other people's.

mod clients;
mod content;
mod foreign;
mod postfix;
pub mod server;
mod verdict;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anlauf_gate::{Mail, MailPlace};
use anlauf_model::{Epoch, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::cast::{ELSEWHERE, MELDEN, SOZIALES, cell, cells, closing, text};
use crate::client::post;
use crate::house::House;
use server::MailServer;

/// Where mail for the cells of the tests goes.
const DOMAINS: [(&str, &str); 3] = [
    ("melden.example", MELDEN),
    ("soziales.example", SOZIALES),
    ("ulmenau.example", ELSEWHERE),
];

/// A gate with a mail port; the cells of two domains share a server, the third has its own.
struct Post {
    house: House,
    server: MailServer,
    other: MailServer,
}

async fn post_office() -> Post {
    let (server, other) = (MailServer::new().await, MailServer::new().await);
    let servers = [server.address, server.address, other.address];
    let house = House::with(server.address, |config| {
        config.serving.mail = Some(mail(servers));
    })
    .await;
    house.ground().await;
    Post {
        house,
        server,
        other,
    }
}

pub fn mail(servers: [SocketAddr; 3]) -> Mail {
    let place = |((domain, id), server): ((&str, &str), SocketAddr)| {
        let server = format!("tcp://{server}");
        let cell = cell(id);
        (domain.to_owned(), MailPlace { cell, server })
    };
    let domains: BTreeMap<_, _> = DOMAINS.into_iter().zip(servers).map(place).collect();
    Mail {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        name: "mx.kommunen.example".into(),
        size_max: 100_000,
        domains,
    }
}

impl Post {
    async fn client(&self) -> Mailer {
        Mailer::hello(self.house.gate.mail()[0]).await
    }

    /// Closes directly at the gate; the answer is the acknowledgement.
    async fn shut(&self, id: &str, epoch: u64) {
        shut(&self.house, id, epoch).await;
    }
}

async fn shut(house: &House, id: &str, epoch: u64) {
    let envelope = text(&closing(cells(&[id]), epoch));
    let answer = post(house.admin(), "/close", &envelope).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(house.stage(id), (Stage::Closed, Epoch(epoch)));
}

/// A client that says exactly what it is told to.
pub struct Mailer {
    stream: TcpStream,
    left: Vec<u8>,
}

impl Mailer {
    /// Greeted and introduced.
    pub async fn hello(to: SocketAddr) -> Self {
        let mut mailer = Self::greeted(to).await;
        assert!(mailer.ask("EHLO client.example").await.starts_with("250-"));
        mailer
    }

    async fn greeted(to: SocketAddr) -> Self {
        Self::over(TcpStream::connect(to).await.unwrap()).await
    }

    /// The same over a connection that is there.
    pub async fn over(stream: TcpStream) -> Self {
        let left = Vec::new();
        let mut mailer = Self { stream, left };
        assert!(mailer.answer().await.starts_with("220 "));
        mailer
    }

    async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The next line with its end; empty if the connection ends before.
    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.left.windows(2).position(|pair| pair == b"\r\n") {
                let rest = self.left.split_off(end + 2);
                return String::from_utf8(std::mem::replace(&mut self.left, rest)).unwrap();
            }
            if !matches!(self.stream.read_buf(&mut self.left).await, Ok(1..)) {
                return String::new();
            }
        }
    }

    /// The next whole answer; empty if the connection ends before.
    async fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                return line;
            }
            answer.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return answer;
            }
        }
    }

    /// One command and its answer.
    pub async fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n")).await;
        self.answer().await
    }

    /// Up to and with the server's word that the text may come.
    async fn begin(&mut self, to: &str) {
        assert_starts(&self.ask("MAIL FROM:<a@client.example>").await, "250");
        assert_starts(&self.ask(&format!("RCPT TO:<{to}>")).await, "250");
        assert_starts(&self.ask("DATA").await, "354");
    }
}

#[track_caller]
fn assert_starts(answer: &str, start: &str) {
    assert!(answer.starts_with(start), "`{answer}` is no {start}");
}

/// Looks until it is so; not without an end.
#[track_caller]
fn until(is_so: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..12_000 {
            if is_so() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("what is waited for at {caller} never came");
    }
}
