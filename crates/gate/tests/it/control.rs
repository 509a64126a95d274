//! A control plane that serves what it is told to, true or not, and hears reports.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anlauf_model::feed::{
    FeedItem, FeedKind, FeedPage, GateCellState, GateDecision, GateReport, Standing, Words,
};
use anlauf_model::{CellId, Digest, Stage};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

pub struct Control {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    feed: watch::Sender<Vec<FeedItem>>,
    table: Mutex<Vec<u8>>,
    words: Mutex<Option<Words>>,
    reports: watch::Sender<Vec<GateReport>>,
    answer: Mutex<Option<Answer>>,
    /// How often it was asked with a beacon.
    asked: watch::Sender<usize>,
}

/// Answers a beacon, knowing the feed; none: not.
pub type Answer = Box<dyn Fn(Digest, &[FeedItem]) -> Option<String> + Send>;

impl Control {
    pub async fn new(table: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            feed: watch::Sender::default(),
            table: Mutex::new(table),
            words: Mutex::default(),
            reports: watch::Sender::default(),
            answer: Mutex::default(),
            asked: watch::Sender::default(),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared))).abort_handle();
        Self {
            address,
            shared,
            task,
        }
    }

    /// Adds an item with the next number, which is returned.
    pub fn push(&self, kind: FeedKind, envelope: String) -> u64 {
        let mut seq = 0;
        self.shared.feed.send_modify(|items| {
            seq = items.last().map_or(0, |item| item.seq) + 1;
            items.push(FeedItem {
                seq,
                kind,
                envelope,
            });
        });
        seq
    }

    /// Shows all gates another feed.
    pub fn rewrite(&self, items: Vec<FeedItem>) {
        self.shared.feed.send_replace(items);
    }

    pub fn items(&self) -> Vec<FeedItem> {
        self.shared.feed.borrow().clone()
    }

    pub fn set_table(&self, table: Vec<u8>) {
        *self.shared.table.lock().unwrap() = table;
    }

    pub fn set_words(&self, words: Words) {
        *self.shared.words.lock().unwrap() = Some(words);
        // Whoever waits for news hears them with it.
        self.shared.feed.send_modify(|_| ());
    }

    /// From now on beacons are answered like this.
    pub fn set_answer(&self, answer: Option<Answer>) {
        *self.shared.answer.lock().unwrap() = answer;
        // Whoever waits for news asks again.
        self.shared.feed.send_modify(|_| ());
    }

    /// How often it was asked with a beacon.
    pub fn asked(&self) -> usize {
        *self.shared.asked.borrow()
    }

    /// Waits until it was asked so often with a beacon.
    pub async fn is_asked(&self, count: usize) {
        let mut asked = self.shared.asked.subscribe();
        asked.wait_for(|asked| *asked >= count).await.unwrap();
    }

    /// Waits until a gate says of a class that it stands like this.
    pub async fn stands(&self, standing: Standing) {
        let mut reports = self.shared.reports.subscribe();
        let says = |reports: &Vec<GateReport>| {
            let said = reports.iter().flat_map(|report| &report.freshness);
            said.last().is_some_and(|last| last.standing == standing)
        };
        reports.wait_for(says).await.unwrap();
    }

    /// What a gate said about an item.
    pub async fn decision(&self, seq: u64) -> GateDecision {
        let mut reports = self.shared.reports.subscribe();
        let find = |reports: &Vec<GateReport>| {
            let mut decisions = reports.iter().flat_map(|report| &report.decisions);
            decisions.rfind(|decision| decision.seq == seq).cloned()
        };
        let found = reports
            .wait_for(|reports| find(reports).is_some())
            .await
            .unwrap();
        find(&found).unwrap()
    }

    /// Whether a gate's last word on a cell is this stage.
    pub fn has_reported(&self, cell: &CellId, stage: Stage) -> bool {
        let reports = self.shared.reports.borrow();
        let mut states = reports.iter().flat_map(|report| &report.changed);
        let last = states.rfind(|state| state.cell == *cell);
        last.is_some_and(|last| last.stage == stage)
    }

    /// The last word of a gate on a cell, once it says what is wanted.
    pub async fn reported(&self, wanted: &GateCellState) {
        let mut reports = self.shared.reports.subscribe();
        let says = |reports: &Vec<GateReport>| {
            let mut states = reports.iter().flat_map(|report| &report.changed);
            states.rfind(|state| state.cell == wanted.cell) == Some(wanted)
        };
        reports.wait_for(says).await.unwrap();
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        let served = Builder::new().serve_connection(TokioIo::new(stream), service);
        tasks.spawn(async move { drop(served.await) });
    }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let bytes = match path.as_str() {
        "/api/v1/gate/feed" => {
            let query = request.uri().query().unwrap_or_default();
            let from = query.split('&').find_map(|pair| pair.strip_prefix("from="));
            let beacon = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("beacon="));
            let beacon = beacon.map(|beacon| beacon.parse().unwrap());
            let from = from.unwrap().parse().unwrap();
            serde_json::to_vec(&page(shared, from, beacon).await).unwrap()
        }
        "/api/v1/gate/table" => shared.table.lock().unwrap().clone(),
        "/api/v1/gate/report" => {
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let report = serde_json::from_slice(&body).unwrap();
            shared.reports.send_modify(|reports| reports.push(report));
            b"{}".to_vec()
        }
        _ => {
            let mut answer = Response::new(Full::default());
            *answer.status_mut() = StatusCode::NOT_FOUND;
            return answer;
        }
    };
    Response::new(Full::new(bytes.into()))
}

async fn page(shared: &Shared, from: u64, beacon: Option<Digest>) -> FeedPage {
    let mut feed = shared.feed.subscribe();
    if beacon.is_some() {
        shared.asked.send_modify(|asked| *asked += 1);
    }
    let mut woken = false;
    loop {
        let fresh = beacon.and_then(|beacon| {
            let answer = shared.answer.lock().unwrap();
            answer.as_ref()?(beacon, &feed.borrow())
        });
        let (items, head) = {
            let all = feed.borrow_and_update();
            let items: Vec<_> = all.iter().filter(|i| i.seq > from).cloned().collect();
            (items, all.iter().map(|item| item.seq).max().unwrap_or(0))
        };
        let words = shared.words.lock().unwrap().take();
        if !items.is_empty() || words.is_some() || head < from || beacon.is_some() || woken {
            return FeedPage {
                domain: "unsigned".into(),
                items,
                head,
                words,
                fresh,
            };
        }
        feed.changed().await.unwrap();
        woken = true;
    }
}
