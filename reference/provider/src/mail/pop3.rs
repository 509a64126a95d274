//! Mailboxes read by mail programs: POP3 under TLS from the first byte.
//!
//! In:    connections, domains with their folders and who may log in. Out: [`Reading`].
//! Never: a word in plain; two programs in one mailbox; more conversations, commands or memory than
//!        was allowed; an address or password in the log.
//! See:   RFC 1939, RFC 2449 (CAPA, response codes), RFC 8314 (TLS from the first byte).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use self::session::Session;
use super::listen::listen_on;
use super::{SILENCE_SECONDS_MAX, TEXT_BUDGET_KIB};

mod session;

/// Whether a name (the part before the `@`, in lower case) and a password open a mailbox.
///
/// An error is answered with `[SYS/TEMP]`: the program comes again.
pub type Opens = Arc<dyn Fn(&str, &str) -> Result<bool> + Send + Sync>;

/// One insurer's mailboxes.
#[derive(Clone)]
pub struct Shelf {
    /// Folder with one Maildir per person, as [`super::server`] fills it.
    pub folder: PathBuf,
    /// Who may read which.
    pub opens: Opens,
}

/// What a server for readers is made from.
pub struct Settings {
    /// What it calls itself.
    pub name: String,
    /// Domains in lower case.
    pub shelves: BTreeMap<String, Shelf>,
    /// Certificate and key.
    pub tls: Arc<ServerConfig>,
}

/// What all conversations share.
struct Shared {
    settings: Settings,
    /// Permits of one KiB each, for messages that are under way.
    budget: Arc<Semaphore>,
    /// Mailboxes that a program has open.
    taken: Mutex<BTreeSet<PathBuf>>,
    stopped: watch::Receiver<bool>,
}

/// A mailbox that one program has for itself.
struct Taken(Arc<Shared>, PathBuf);

/// A server for readers that listens.
pub struct Reading {
    /// Where.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Reading {
    /// Listens.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn open(settings: Settings, listen: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot let mail be read on {listen}"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            settings,
            budget: Arc::new(Semaphore::new(TEXT_BUDGET_KIB)),
            taken: Mutex::default(),
            stopped: stopped.clone(),
        });
        let task = tokio::spawn(listen_on(listener, stopped, move |stream, has_room| {
            talk(stream, Arc::clone(&shared), has_room)
        }));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Ends every conversation; what was marked for deletion in them stays.
    pub async fn close(self) {
        let _told = self.stop.send(true);
        let _ended = self.task.await;
    }
}

impl Taken {
    /// None while another program has it.
    fn take(shared: &Arc<Shared>, folder: PathBuf) -> Option<Self> {
        let mut taken = shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = taken.insert(folder.clone());
        is_free.then(|| Self(Arc::clone(shared), folder))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.1);
    }
}

async fn talk(stream: TcpStream, shared: Arc<Shared>, has_room: bool) {
    // Without room there is no word either: it could only be said under TLS.
    if !has_room {
        return;
    }
    let _slow = stream.set_nodelay(true);
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.settings.tls));
    let wait = Duration::from_secs(SILENCE_SECONDS_MAX);
    let ended = match tokio::time::timeout(wait, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Session::new(&shared, stream).run().await,
        Ok(Err(error)) => Err(error),
        Err(_) => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a conversation with a reader of mail was broken off");
    }
}
