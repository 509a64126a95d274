//! The listener of mail: conversations side by side, each bounded, all ended together.
//!
//! In:    connections, domains with their folders and people. Out: [`Post`].
//! Never: more conversations or memory than was allowed (421, 452: senders come again); a domain
//!        that was not given.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::listen::listen_on;
use super::maildir::{Mailbox, entries};
use super::session::{Session, Talk};
use super::{SILENCE_SECONDS_MAX, TEXT_BUDGET_KIB};
use crate::kernel::clock::Clock;

/// Whether a domain has a mailbox of a name (the part before the `@`, in lower case).
///
/// An error is answered with 451: the sender comes again.
pub type Has = Arc<dyn Fn(&str) -> Result<bool> + Send + Sync>;

/// One insurer's domain.
#[derive(Clone)]
pub struct Domain {
    /// Folder with one Maildir per person.
    pub folder: PathBuf,
    /// Who has one.
    pub has: Has,
}

/// What a mail server is made from.
pub struct Settings {
    /// What it calls itself: `post.bund.example`.
    pub name: String,
    /// Domains in lower case.
    pub domains: BTreeMap<String, Domain>,
    /// For the date in the trace.
    pub clock: Clock,
    /// Offers STARTTLS.
    pub tls: Option<Arc<ServerConfig>>,
    /// Largest message. Bytes.
    pub size_max: usize,
}

/// What all conversations share.
pub(super) struct Shared {
    pub settings: Settings,
    /// Permits of one KiB each.
    pub budget: Arc<Semaphore>,
    pub stopped: watch::Receiver<bool>,
}

/// A mail server that listens.
pub struct Post {
    /// Where.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Post {
    /// Listens and takes mail.
    ///
    /// # Errors
    /// A folder cannot be made, the address is taken.
    pub async fn open(settings: Settings, listen: SocketAddr) -> Result<Self> {
        for domain in settings.domains.values() {
            std::fs::create_dir_all(&domain.folder).context("cannot make a folder for mail")?;
            for folder in entries(&domain.folder)? {
                Mailbox::new(folder).retire(settings.clock.seconds())?;
            }
        }
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot take mail on {listen}"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            settings,
            budget: Arc::new(Semaphore::new(TEXT_BUDGET_KIB)),
            stopped,
        });
        let own = Arc::clone(&shared);
        let stopped = shared.stopped.clone();
        let task = tokio::spawn(listen_on(listener, stopped, move |stream, has_room| {
            talk(stream, Arc::clone(&own), has_room)
        }));
        Ok(Self {
            address,
            shared,
            stop,
            task,
        })
    }

    /// The mailbox of an address, whether or not something lies in it; none for other domains.
    pub fn mailbox(&self, address: &str) -> Option<Mailbox> {
        let (local, domain) = address.rsplit_once('@')?;
        let domain = self.shared.settings.domains.get(domain)?;
        Some(Mailbox::new(domain.folder.join(local)))
    }

    /// Every mailbox of a domain that has got something.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn mailboxes(&self, domain: &str) -> std::io::Result<Vec<Mailbox>> {
        let Some(domain) = self.shared.settings.domains.get(domain) else {
            return Ok(Vec::new());
        };
        let all = entries(&domain.folder)?;
        Ok(all.into_iter().map(Mailbox::new).collect())
    }

    /// Stops listening; a message behind its dot is still delivered and answered, others are not
    /// taken.
    pub async fn close(self) {
        let _told = self.stop.send(true);
        let _ended = self.task.await;
    }
}

async fn talk(mut stream: TcpStream, shared: Arc<Shared>, has_room: bool) {
    if !has_room {
        let no = format!(
            "421 4.3.2 {} has no room, come again\r\n",
            shared.settings.name
        );
        let _gone = stream.write_all(no.as_bytes()).await;
        return;
    }
    let _slow = stream.set_nodelay(true);
    let talked = Session::new(&shared, stream, false).run().await;
    let ended = match (talked, &shared.settings.tls) {
        (Ok(Talk::Tls(stream)), Some(tls)) => encrypted(&shared, stream, tls).await,
        (Ok(_), _) => Ok(()),
        (Err(error), _) => Err(error),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a conversation about mail was broken off");
    }
}

async fn encrypted(
    shared: &Shared,
    stream: TcpStream,
    tls: &Arc<ServerConfig>,
) -> std::io::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::clone(tls));
    let wait = Duration::from_secs(SILENCE_SECONDS_MAX);
    let stream = tokio::time::timeout(wait, acceptor.accept(stream)).await??;
    let mut session = Session::new(shared, stream, true);
    session.run().await.map(drop)
}
