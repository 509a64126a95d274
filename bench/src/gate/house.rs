//! A gate on the proxy's core, fed by truly signed envelopes.
//!
//! In:    a folder, the backend, a count of cells. Out: a running gate, orders to open and close.
//! Never: believes that something took effect before the gate has reported it.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anlauf_gate::SystemClock;
use anlauf_model::feed::{FeedItem, FeedKind, FeedPage, GateReport};
use anlauf_model::landscape::{Class, PolicyRule, SignerCount};
use anlauf_model::{Digest, Epoch, Minutes, Role, Stage, Timestamp};
use anlauf_trust::{
    Close, Envelope, KeyRecord, Policy, Release, ReleaseCell, Root, Scheme, Scope, Signer,
};
use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::cells;
use super::child::{Addresses, Settings};
use super::process::{Child, pinned};

const DOMAIN: &str = "drill-bench";
/// Longest wait until something has taken effect; a million cells take their time to be read.
const EFFECT_WAIT_MAX: Duration = Duration::from_secs(300);

/// A gate and what it hears.
pub struct House {
    pub child: Child,
    pub addresses: Addresses,
    settings: PathBuf,
    feed: watch::Sender<Vec<FeedItem>>,
    heard: watch::Sender<u64>,
    signer: Signer,
    policy: Digest,
    now: Timestamp,
    epochs: [AtomicU64; 2],
}

impl House {
    /// A gate that knows root, policy and a table of so many cells.
    ///
    /// # Errors
    /// The gate does not start or does not take what it is told.
    pub fn start(
        serving: &Runtime,
        folder: &Path,
        backend: SocketAddr,
        count: usize,
    ) -> Result<Self> {
        let folder = folder.join(format!("gate-{count}"));
        std::fs::create_dir_all(&folder)?;
        let signer = Signer::from_seed(Digest::of(b"bench").0);
        let now = anlauf_gate::Clock::now(&SystemClock::new());
        let sealed = |payload| {
            let mut envelope = Envelope::unsigned(payload);
            signer.sign(&mut envelope);
            envelope
        };
        let table = cells::table(count)?.to_bytes();
        let root = sealed(root(&signer, now)?.to_payload());
        let policy = sealed(policy(Digest::of(&table)).to_payload());
        let (feed, heard) = (watch::Sender::default(), watch::Sender::default());
        let control = serving.block_on(serve(feed.clone(), heard.clone(), table))?;
        let settings = Settings {
            control,
            state: folder.join("state"),
            pin: root.digest(),
            backend,
            listen: super::peer::free_port()?,
        };
        let path = folder.join("settings.json");
        std::fs::write(&path, serde_json::to_vec(&settings)?)?;
        let (child, addresses) = spawn(&path)?;
        let digest = policy.digest();
        let house = Self {
            child,
            addresses,
            settings: path,
            feed,
            heard,
            signer,
            policy: digest,
            now,
            epochs: Default::default(),
        };
        serving.block_on(async {
            house.tell(FeedKind::Root, &root).await?;
            house.tell(FeedKind::Policy, &policy).await
        })?;
        Ok(house)
    }

    /// Kills the gate and starts it again on what it has on disk.
    ///
    /// # Errors
    /// It does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.child.process.kill()?;
        self.child.process.wait()?;
        (self.child, self.addresses) = spawn(&self.settings)?;
        Ok(())
    }

    fn epoch(&self, number: usize) -> &AtomicU64 {
        &self.epochs[usize::from(number == cells::OTHER)]
    }

    /// Opens a cell at its next epoch.
    ///
    /// # Errors
    /// The gate does not say that it has.
    pub async fn open(&self, number: usize) -> Result<()> {
        let epoch = self.epoch(number).fetch_add(1, Ordering::Relaxed) + 1;
        let bound = ReleaseCell {
            cell: cells::id(number).parse()?,
            epoch: Epoch(epoch),
            evidence: Vec::new(),
        };
        let release = Release {
            domain: DOMAIN.into(),
            cells: vec![bound],
            stage: Stage::Full,
            not_before: self.now - Minutes(1),
            not_after: self.now + Minutes::days(1),
            root_version_min: 1,
            policy: self.policy,
            plan: None,
            reason: "benchmark".into(),
            critical: Vec::new(),
            break_glass: false,
        };
        let mut envelope = Envelope::unsigned(release.to_payload());
        self.signer.sign(&mut envelope);
        self.tell(FeedKind::Release, &envelope).await
    }

    /// Closes a cell at the gate itself; back when that is acknowledged.
    ///
    /// # Errors
    /// The gate refuses.
    pub async fn close(&self, number: usize) -> Result<()> {
        let order = self.order(number)?;
        let mut line = self.line().await?;
        hand_in(&mut line, &order).await
    }

    /// A signed close of one cell as a request for the gate's own door.
    ///
    /// # Errors
    /// The cell has no id.
    pub fn order(&self, number: usize) -> Result<String> {
        let close = Close {
            domain: DOMAIN.into(),
            scope: Scope::Cells(vec![cells::id(number).parse()?]),
            epoch: Epoch(self.epoch(number).load(Ordering::Relaxed)),
            at: self.now,
            reason: "benchmark".into(),
        };
        let mut envelope = Envelope::unsigned(close.to_payload());
        self.signer.sign(&mut envelope);
        let body = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
        let size = body.len();
        let head = format!("POST /close HTTP/1.1\r\nhost: gate\r\ncontent-length: {size}");
        Ok(format!("{head}\r\n\r\n{body}"))
    }

    /// A connection to the gate's own door.
    ///
    /// # Errors
    /// There is none.
    pub async fn line(&self) -> Result<TcpStream> {
        Ok(TcpStream::connect(self.addresses.admin).await?)
    }

    async fn tell(&self, kind: FeedKind, envelope: &Envelope) -> Result<()> {
        let envelope = String::from_utf8(envelope.to_bytes())?;
        let mut seq = 0;
        self.feed.send_modify(|items| {
            seq = items.len() as u64 + 1;
            items.push(FeedItem {
                seq,
                kind,
                envelope,
            });
        });
        let mut heard = self.heard.subscribe();
        let effect = heard.wait_for(|applied| *applied >= seq);
        tokio::time::timeout(EFFECT_WAIT_MAX, effect)
            .await
            .context("the gate has not taken what it was told")??;
        Ok(())
    }
}

/// Sends an order and waits until it is acknowledged.
///
/// # Errors
/// The gate refuses it.
pub async fn hand_in(line: &mut TcpStream, order: &str) -> Result<()> {
    line.write_all(order.as_bytes()).await?;
    let mut answer = [0; 4_096];
    let size = line.read(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer[..size]);
    ensure!(
        answer.starts_with("HTTP/1.1 200 "),
        "the close was refused: {answer}"
    );
    Ok(())
}

/// Starts the gate of these settings, and waits until it listens.
fn spawn(settings: &Path) -> Result<(Child, Addresses)> {
    let program = std::env::current_exe()?;
    let mut command = pinned(&program.to_string_lossy());
    command.arg("--gate-child").arg(settings);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().context("cannot start the gate")?;
    let said = process.stdout.take().context("the gate has no output")?;
    let child = Child { process };
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    let addresses = serde_json::from_str(&line).context("the gate did not start")?;
    Ok((child, addresses))
}

fn root(signer: &Signer, now: Timestamp) -> Result<Root> {
    let record = KeyRecord {
        id: signer.keyid(),
        scheme: Scheme::Ed25519,
        public: signer.public(),
        person: "security-1".parse()?,
        organisation: "provider".parse()?,
        role: Role::Security,
        tenant: None,
        not_before: now - Minutes::days(1),
        not_after: now + Minutes::days(2),
    };
    Ok(Root {
        domain: DOMAIN.into(),
        drill: true,
        version: 1,
        expires: now + Minutes::days(2),
        root_keys: vec![signer.keyid()],
        keys: vec![record],
        root_threshold: 1,
        root_organisations_min: 1,
    })
}

/// One signature opens: what is measured is the traffic, not the quorum.
fn policy(table: Digest) -> Policy {
    let rule = |class| PolicyRule {
        class,
        kinds: Vec::new(),
        stages: Vec::new(),
        findings: Vec::new(),
        signers: vec![SignerCount {
            role: Role::Security,
            count: 1,
        }],
        organisations_min: 1,
        origins_min: 0,
    };
    Policy {
        domain: DOMAIN.into(),
        version: 1,
        table,
        rules: [Class::A, Class::B, Class::C].map(rule).into(),
        freshness: Vec::new(),
    }
}

async fn serve(
    feed: watch::Sender<Vec<FeedItem>>,
    heard: watch::Sender<u64>,
    table: Vec<u8>,
) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let table = Bytes::from(table);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (feed, heard, table) = (feed.clone(), heard.clone(), table.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (feed, heard, table) = (feed.clone(), heard.clone(), table.clone());
                async move {
                    let body = match request.uri().path() {
                        "/api/v1/gate/feed" => page(&feed, request.uri().query()).await,
                        "/api/v1/gate/table" => table,
                        _ => note(&heard, request).await,
                    };
                    Ok::<_, Infallible>(Response::new(Full::new(body)))
                }
            });
            tokio::spawn(Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Ok(address)
}

async fn page(feed: &watch::Sender<Vec<FeedItem>>, query: Option<&str>) -> Bytes {
    let pairs = query.unwrap_or_default().split('&');
    let from = pairs.filter_map(|pair| pair.strip_prefix("from=")).next();
    let from: u64 = from.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut feed = feed.subscribe();
    let has_news = |items: &Vec<FeedItem>| items.iter().any(|item| item.seq > from);
    let items = match feed.wait_for(has_news).await {
        Ok(items) => items
            .iter()
            .filter(|item| item.seq > from)
            .cloned()
            .collect(),
        Err(_) => Vec::new(),
    };
    let page = FeedPage {
        domain: DOMAIN.into(),
        head: items.last().map_or(from, |item| item.seq),
        items,
        words: None,
        fresh: None,
    };
    serde_json::to_vec(&page).unwrap_or_default().into()
}

/// Takes a report: what it has applied is in force.
async fn note(heard: &watch::Sender<u64>, request: Request<Incoming>) -> Bytes {
    if let Ok(body) = request.into_body().collect().await
        && let Ok(report) = serde_json::from_slice::<GateReport>(&body.to_bytes())
    {
        let refused = report.decisions.iter().filter(|one| !one.accepted);
        refused.for_each(|one| eprintln!("refused: {:?}", one.reasons));
        heard.send_modify(|applied| *applied = report.applied.max(*applied));
    }
    Bytes::from_static(b"{}")
}
