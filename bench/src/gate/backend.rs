//! A backend: 1 KiB for everyone, and a stream without end under `?stream`.
//!
//! In:    requests without bodies. Out: canned bytes, as cheap as can be, for it shares its core
//!        with the clients. Never: looks at more than where a head ends.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const END: &[u8] = b"\r\n\r\n";
/// A chunk of the stream without end.
const CHUNK_SIZE: usize = 1_024;

/// Starts it on a thread of its own; it ends with the process.
///
/// # Errors
/// No free port, no thread.
pub fn start(size: usize) -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {size}");
    let answer: &'static [u8] = format!("{head}\r\n\r\n{}", "x".repeat(size))
        .into_bytes()
        .leak();
    std::thread::Builder::new()
        .name("backend".into())
        .spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, answer));
                }
            });
        })
        .context("cannot start the backend")?;
    Ok(address)
}

async fn serve(mut stream: TcpStream, answer: &'static [u8]) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(8_192);
    loop {
        let Some(end) = buffer.windows(END.len()).position(|w| w == END) else {
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
            continue;
        };
        let line = buffer.split(|byte| *byte == b'\r').next()?;
        if line.windows(7).any(|w| w == b"?stream") {
            return stream_on(stream).await;
        }
        stream.write_all(answer).await.ok()?;
        buffer.drain(..end + END.len());
    }
}

async fn stream_on(mut stream: TcpStream) -> Option<()> {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .ok()?;
    let chunk = format!("{CHUNK_SIZE:x}\r\n{}\r\n", "y".repeat(CHUNK_SIZE));
    loop {
        stream.write_all(chunk.as_bytes()).await.ok()?;
        tokio::task::yield_now().await;
    }
}
