//! Backends: one that tells what it was asked, and one that does what the test says.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A backend whose every connection is handed to the test, its first request head read.
pub struct Backend {
    pub address: SocketAddr,
    exchanges: mpsc::UnboundedReceiver<Exchange>,
    _tasks: JoinSet<()>,
}

pub struct Exchange {
    pub stream: TcpStream,
    pub head: String,
    /// Bytes of the body that came with the head.
    pub body: Vec<u8>,
}

impl Backend {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (send, exchanges) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut readers = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let send = send.clone();
                readers.spawn(async move {
                    if let Some(exchange) = read(stream).await {
                        let _ = send.send(exchange);
                    }
                });
            }
        });
        Self {
            address,
            exchanges,
            _tasks: tasks,
        }
    }

    pub async fn next(&mut self) -> Exchange {
        self.exchanges.recv().await.unwrap()
    }

    /// Whether nothing has reached it that was not asked for.
    pub fn is_quiet(&mut self) -> bool {
        self.quiet().is_none()
    }

    /// What has reached it and was not asked for.
    pub fn quiet(&mut self) -> Option<Exchange> {
        self.exchanges.try_recv().ok()
    }
}

impl Exchange {
    pub async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads on until the body ends like this.
    pub async fn until(&mut self, end: &[u8]) {
        while !self.body.ends_with(end) {
            assert!(self.stream.read_buf(&mut self.body).await.unwrap() > 0);
        }
    }

    /// Reads on until the body has so many bytes.
    pub async fn at_least(&mut self, size: usize) {
        while self.body.len() < size {
            assert!(self.stream.read_buf(&mut self.body).await.unwrap() > 0);
        }
    }

    /// Everything that still comes, to the end or the reset.
    pub async fn rest(mut self) -> Vec<u8> {
        let mut bytes = self.body;
        let mut buffer = [0; 65_536];
        while let Ok(size @ 1..) = self.stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..size]);
        }
        bytes
    }
}

async fn read(mut stream: TcpStream) -> Option<Exchange> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let body = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).unwrap();
            return Some(Exchange { stream, head, body });
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A backend that answers every request with the request's own head.
pub async fn mirror() -> SocketAddr {
    let mut backend = Backend::new().await;
    let address = backend.address;
    tokio::spawn(async move {
        loop {
            let mut exchange = backend.next().await;
            tokio::spawn(async move {
                // One answer per connection keeps it simple; the gate connects again.
                let head = exchange.head.clone();
                let size = head.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\nconnection: close\r\n\r\n{head}"
                );
                let _ = exchange.stream.write_all(answer.as_bytes()).await;
                let _ = exchange.stream.shutdown().await;
                exchange.rest().await;
            });
        }
    });
    address
}
