//! A gate with two cells of the reference landscape, fed by truly signed envelopes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anlauf_gate::{Gate, GateConfig, Pilot, SystemClock, Upstreams};
use anlauf_model::feed::{FeedItem, FeedKind, FeedPage};
use anlauf_model::landscape::{Class, PolicyRule, SignerCount};
use anlauf_model::{Digest, Epoch, Landscape, Minutes, Role, Stage, Timestamp};
use anlauf_trust::{
    Close, Envelope, KeyRecord, Policy, Release, ReleaseCell, Root, Scheme, Scope, Signer,
};
use anyhow::{Context, Result, ensure};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Known;

const DOMAIN: &str = "drill-bench";

/// A gate, what it hears, and the two cells that are asked for.
pub struct House {
    pub busy: Known,
    pub other: Known,
    gate: Gate,
    feed: watch::Sender<Vec<FeedItem>>,
    signer: Signer,
    policy: Digest,
    now: Timestamp,
}

impl House {
    /// A gate that knows root, policy and table.
    pub async fn new(folder: &Path, backend: SocketAddr) -> Result<Self> {
        let landscape = crate::landscape::reference()?;
        let mut cells = landscape
            .cells()
            .values()
            .filter(|cell| cell.needs.is_empty());
        let mut known = || {
            let cell = cells.next().context("the landscape has too few cells")?;
            let (id, host, path) = (cell.id.clone(), cell.host.clone(), cell.path.clone());
            anyhow::Ok(Known {
                id,
                host,
                path,
                epoch: AtomicU64::new(0),
            })
        };
        let (busy, other) = (known()?, known()?);
        let signer = Signer::from_seed(Digest::of(b"bench").0);
        let now = anlauf_gate::Clock::now(&SystemClock::new());
        let sealed = |payload| {
            let mut envelope = Envelope::unsigned(payload);
            signer.sign(&mut envelope);
            envelope
        };
        let root = sealed(root(&signer, now)?.to_payload());
        let policy = sealed(policy(&landscape).to_payload());
        let feed = watch::Sender::default();
        let table = landscape.gate_table().to_bytes();
        let control = serve(feed.clone(), table).await?;
        let gate = Gate::start(GateConfig {
            id: "gate-1".parse()?,
            control: format!("http://{control}"),
            token: "bench".into(),
            state_dir: folder.join("gate"),
            listen: vec!["127.0.0.1:0".parse()?],
            admin: Some("127.0.0.1:0".parse()?),
            pin: root.digest(),
            upstreams: Upstreams {
                default: Some(format!("http://{backend}")),
                ..Upstreams::default()
            },
            clean_room: Vec::new(),
            pilot: Pilot::default(),
            time_zone: "Europe/Berlin".into(),
            clock: Arc::new(SystemClock::new()),
        })
        .await?;
        let digest = policy.digest();
        let house = Self {
            busy,
            other,
            gate,
            feed,
            signer,
            policy: digest,
            now,
        };
        house.tell(FeedKind::Root, &root).await?;
        house.tell(FeedKind::Policy, &policy).await?;
        Ok(house)
    }

    /// Where clients come in.
    pub fn address(&self) -> SocketAddr {
        self.gate.addresses()[0]
    }

    /// Opens a cell at its next epoch.
    pub async fn open(&self, cell: &Known) -> Result<()> {
        let epoch = cell.epoch.fetch_add(1, Ordering::Relaxed) + 1;
        let bound = ReleaseCell {
            cell: cell.id.clone(),
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
        };
        let mut envelope = Envelope::unsigned(release.to_payload());
        self.signer.sign(&mut envelope);
        self.tell(FeedKind::Release, &envelope).await?;
        ensure!(
            cell.stage(&self.gate) == Some(Stage::Full),
            "`{}` did not open",
            cell.id
        );
        Ok(())
    }

    /// Closes a cell at the gate itself; back when that is acknowledged.
    pub async fn close(&self, cell: &Known) -> Result<()> {
        let order = self.order(cell);
        let mut line = self.line().await?;
        hand_in(&mut line, &order).await?;
        ensure!(
            cell.stage(&self.gate) == Some(Stage::Closed),
            "`{}` did not close",
            cell.id
        );
        Ok(())
    }

    /// A signed close of one cell as a request for the gate's own door.
    pub fn order(&self, cell: &Known) -> String {
        let close = Close {
            domain: DOMAIN.into(),
            scope: Scope::Cells(vec![cell.id.clone()]),
            epoch: Epoch(cell.epoch.load(Ordering::Relaxed)),
            at: self.now,
            reason: "benchmark".into(),
        };
        let mut envelope = Envelope::unsigned(close.to_payload());
        self.signer.sign(&mut envelope);
        let body = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
        let size = body.len();
        format!("POST /close HTTP/1.1\r\nhost: gate\r\ncontent-length: {size}\r\n\r\n{body}")
    }

    /// A connection to the gate's own door.
    pub async fn line(&self) -> Result<TcpStream> {
        let admin = self
            .gate
            .admin()
            .context("the gate has no door of its own")?;
        Ok(TcpStream::connect(admin).await?)
    }

    /// Ends the gate.
    pub async fn stop(self) {
        self.gate.stop().await;
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
        let mut progress = self.gate.progress();
        progress
            .wait_for(|progress| progress.applied >= seq)
            .await?;
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
fn policy(landscape: &Landscape) -> Policy {
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
        table: landscape.gate_table().digest(),
        rules: [Class::A, Class::B, Class::C].map(rule).into(),
    }
}

async fn serve(feed: watch::Sender<Vec<FeedItem>>, table: Vec<u8>) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let table = Bytes::from(table);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (feed, table) = (feed.clone(), table.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (feed, table) = (feed.clone(), table.clone());
                async move {
                    let body = match request.uri().path() {
                        "/api/v1/gate/feed" => page(&feed, request.uri().query()).await,
                        "/api/v1/gate/table" => table,
                        _ => Bytes::from_static(b"{}"),
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
        head: from,
        items,
        words: None,
    };
    serde_json::to_vec(&page).unwrap_or_default().into()
}
