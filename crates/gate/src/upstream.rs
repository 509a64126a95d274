//! Connections to backends, kept for the next request.
//!
//! In:    where a cell is served from. Out: a [`Backend`], fresh or kept.
//! Never: keeps a connection on which something is under way; sends a byte on one that was let go
//!        of unfinished: it is reset, with whatever the kernel still holds.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::Uri;
use tokio::net::TcpStream;

use crate::http1::Buffer;
use crate::limits::{UPSTREAM_CONNECT_WAIT_MAX, UPSTREAM_IDLE_COUNT_MAX, UPSTREAM_IDLE_LOOKS};

/// Where a cell is served from.
pub(crate) struct Upstream {
    /// As the HTTP/2 side wants it.
    pub(crate) uri: Uri,
    /// Whether it speaks something else than HTTP.
    pub(crate) is_tcp: bool,
    name: Arc<str>,
    host: String,
    port: u16,
}

/// A connection to a backend.
pub(crate) struct Backend {
    pub(crate) stream: TcpStream,
    pub(crate) buffer: Buffer,
    /// Whether it was used before.
    pub(crate) is_kept: bool,
    /// Whether nothing is under way on it. Else it is reset when it is dropped.
    is_at_rest: bool,
}

/// Connections of one worker that wait for their next request.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Idle>,
}

/// By backend; each with the look at the time since when it waits.
type Idle = HashMap<Arc<str>, Vec<(Backend, u32)>, foldhash::fast::RandomState>;

// === impl Upstream ===

impl Upstream {
    /// Reads `http://host:port` or `tcp://host:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.trim_end_matches('/').parse().ok()?;
        let is_tcp = match uri.scheme_str() {
            Some("http") => false,
            Some("tcp") => true,
            _ => return None,
        };
        let authority = uri.authority()?;
        if is_tcp && authority.port_u16().is_none() {
            return None;
        }
        let host = authority.host();
        let host = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        Some(Self {
            is_tcp,
            name: authority.as_str().into(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
            uri,
        })
    }
}

// === impl Backend ===

impl Backend {
    /// The exchange is over in both directions.
    pub(crate) fn rest(&mut self) {
        self.is_at_rest = true;
    }

    /// Whether the backend has kept quiet since: else it has closed, or says what nobody asked for.
    fn is_quiet(&self) -> bool {
        let read = self.stream.try_read(&mut [0; 1]);
        matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if !self.is_at_rest {
            // Without linger the kernel throws away what it still holds.
            let _ = self.stream.set_zero_linger();
        }
    }
}

// === impl Pool ===

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last: it is the least likely to have been closed.
    pub(crate) fn take(&self, upstream: &Upstream) -> Option<Backend> {
        let mut idle = self.idle();
        let kept = idle.get_mut(&*upstream.name)?;
        while let Some((mut backend, _)) = kept.pop() {
            if backend.is_quiet() {
                backend.is_kept = true;
                backend.is_at_rest = false;
                return Some(backend);
            }
        }
        None
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// The backend is not there, or does not answer in time.
    pub(crate) async fn connect(&self, upstream: &Upstream) -> io::Result<Backend> {
        let connecting = TcpStream::connect((upstream.host.as_str(), upstream.port));
        let stream = tokio::time::timeout(UPSTREAM_CONNECT_WAIT_MAX, connecting)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(Backend {
            stream,
            buffer: Buffer::default(),
            is_kept: false,
            is_at_rest: false,
        })
    }

    /// Keeps a connection that is at rest; `look` is the worker's last look at the time.
    pub(crate) fn keep(&self, upstream: &Upstream, mut backend: Backend, look: u32) {
        if !backend.is_at_rest || !backend.buffer.is_empty() {
            return;
        }
        backend.buffer.rest();
        let mut idle = self.idle();
        let kept = match idle.get_mut(&*upstream.name) {
            Some(kept) => kept,
            None => idle.entry(Arc::clone(&upstream.name)).or_default(),
        };
        if kept.len() < UPSTREAM_IDLE_COUNT_MAX {
            kept.push((backend, look));
        }
    }

    /// Lets go of what was not used for long.
    pub(crate) fn sweep(&self, look: u32) {
        self.idle().retain(|_, kept| {
            kept.retain(|(backend, since)| {
                look.wrapping_sub(*since) <= UPSTREAM_IDLE_LOOKS && backend.is_quiet()
            });
            !kept.is_empty()
        });
    }
}
