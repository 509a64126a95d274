//! A control plane that serves what it is told to, true or not, and hears reports.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anlauf_model::feed::{
    FeedItem, FeedKind, FeedPage, GateCellState, GateDecision, GateReport, Words,
};
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
}

impl Control {
    pub async fn new(table: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            feed: watch::Sender::default(),
            table: Mutex::new(table),
            words: Mutex::default(),
            reports: watch::Sender::default(),
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
            serde_json::to_vec(&page(shared, from.unwrap().parse().unwrap()).await).unwrap()
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

async fn page(shared: &Shared, from: u64) -> FeedPage {
    let mut feed = shared.feed.subscribe();
    loop {
        let (items, head) = {
            let all = feed.borrow_and_update();
            let items: Vec<_> = all.iter().filter(|i| i.seq > from).cloned().collect();
            (items, all.iter().map(|item| item.seq).max().unwrap_or(0))
        };
        let words = shared.words.lock().unwrap().take();
        if !items.is_empty() || words.is_some() || head < from {
            return FeedPage {
                domain: "unsigned".into(),
                items,
                head,
                words,
            };
        }
        feed.changed().await.unwrap();
    }
}
