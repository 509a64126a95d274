//! A client that says exactly the bytes it is told to.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Client {
    pub stream: TcpStream,
    left: Vec<u8>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub async fn new(to: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(to).await.unwrap(),
            left: Vec::new(),
        }
    }

    pub async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    pub async fn get(&mut self, host: &str, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n"))
            .await
    }

    pub async fn ask(&mut self, text: &str) -> Answer {
        self.say(text).await;
        self.answer().await.unwrap()
    }

    /// Reads up to and with the blank line; none if the connection ends before.
    pub async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.left.windows(4).position(|w| w == b"\r\n\r\n") {
                let rest = self.left.split_off(end + 4);
                let head = std::mem::replace(&mut self.left, rest);
                return Some(String::from_utf8(head).unwrap());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next answer with a length; none if the connection ends before.
    pub async fn answer(&mut self) -> Option<Answer> {
        let head = self.head().await?;
        let lower = head.to_ascii_lowercase();
        let size = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let size: usize = size.map_or(0, |size| size.trim().parse().unwrap());
        let body = self.exactly(size).await?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Answer {
            status,
            head,
            body: String::from_utf8(body).unwrap(),
        })
    }

    /// So many bytes; none if the connection ends before.
    pub async fn exactly(&mut self, size: usize) -> Option<Vec<u8>> {
        while self.left.len() < size {
            if !self.more().await {
                return None;
            }
        }
        let rest = self.left.split_off(size);
        Some(std::mem::replace(&mut self.left, rest))
    }

    /// Everything that still comes, to the end or the reset.
    pub async fn rest(mut self) -> Vec<u8> {
        while self.more().await {}
        self.left
    }

    /// How many bytes lie here unread now, and then how many come to the end or the reset.
    pub async fn settle(self) -> (usize, usize) {
        let (waiting, all) = settle(self.stream).await;
        (waiting + self.left.len(), all + self.left.len())
    }

    async fn more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.left).await, Ok(1..))
    }
}

/// One request on a connection of its own.
pub async fn get(to: SocketAddr, host: &str, path: &str) -> Answer {
    Client::new(to).await.get(host, path).await
}

/// One request with these header lines, each with its end.
pub async fn get_with(to: SocketAddr, host: &str, path: &str, lines: &str) -> Answer {
    let text = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n");
    Client::new(to).await.ask(&text).await
}

/// A form posted to the operators' door.
pub async fn post(to: SocketAddr, path: &str, body: &str) -> Answer {
    let size = body.len();
    let text =
        format!("POST {path} HTTP/1.1\r\nhost: gate\r\ncontent-length: {size}\r\n\r\n{body}");
    Client::new(to).await.ask(&text).await
}

/// Looks straight into the kernel's queue, past the runtime, then reads to the end.
pub async fn settle(stream: TcpStream) -> (usize, usize) {
    let mut stream = stream.into_std().unwrap();
    let mut room = vec![0; 64 * 1024 * 1024];
    // An error is an empty queue or the reset.
    let waiting = stream.peek(&mut room).unwrap_or(0);
    stream.set_nonblocking(false).unwrap();
    let rest = move || {
        let mut all = 0;
        while let Ok(size @ 1..) = std::io::Read::read(&mut stream, &mut room) {
            all += size;
        }
        (waiting, all)
    };
    tokio::task::spawn_blocking(rest).await.unwrap()
}
