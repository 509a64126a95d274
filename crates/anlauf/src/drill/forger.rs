//! An attacker on the way between control plane and gates.
//!
//! In:    every request of every gate to the control plane. Out: the same, and when told so, forged
//!        releases beside the genuine items.
//! Never: holds more than the attacker of promise 1 would: it sits where the control plane sits.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anlauf_model::feed::{FeedItem, FeedKind, FeedPage};
use anlauf_model::{Cell, CellId, CellKind, Epoch, Landscape, Minutes, PersonId, Stage, Timestamp};
use anlauf_recovery::state::{ReleaseEnd, State};
use anlauf_trust::{Envelope, Release};
use anyhow::Result;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::party::Parties;

/// The relay between control plane and gates.
pub struct Forger {
    /// What gates take for the control plane.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    control: SocketAddr,
    web: Client<HttpConnector, Full<Bytes>>,
    pending: Mutex<Pending>,
}

/// Forged envelopes, and how many of them each gate (by its login) got already.
#[derive(Default)]
struct Pending {
    forged: Vec<String>,
    served: BTreeMap<String, usize>,
}

impl Forger {
    /// Starts the relay in front of the control plane.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(control: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let web = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let shared = Arc::new(Shared {
            control,
            web,
            pending: Mutex::default(),
        });
        let relay = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let relay = relay.clone();
                tokio::spawn(async move {
                    let serve = auto::Builder::new(TokioExecutor::new());
                    let service = service_fn(move |request| pass_on(relay.clone(), request));
                    // A gate that goes away is no error of the relay.
                    let _gone = serve.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// From now on every gate gets each of these once, before a genuine item.
    pub fn slip(&self, forgeries: Vec<Envelope>) {
        let text = |e: Envelope| String::from_utf8_lossy(&e.to_bytes()).into_owned();
        let forged = forgeries.into_iter().map(text).collect();
        *self
            .shared
            .pending
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Pending {
            forged,
            served: BTreeMap::new(),
        };
    }

    /// Ends the relay.
    pub fn stop(self) {
        self.task.abort();
    }
}

async fn pass_on(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(relay(&shared, request).await.unwrap_or_else(|_| {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

async fn relay(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let (mut parts, body) = request.into_parts();
    let path = parts
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let login = parts.headers.get(AUTHORIZATION);
    let login = login
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    parts.uri = format!("http://{}{path}", shared.control).parse()?;
    let body = body.collect().await?.to_bytes();
    let answer = shared
        .web
        .request(Request::from_parts(parts, Full::new(body)))
        .await?;
    let (mut parts, body) = answer.into_parts();
    let mut body = body.collect().await?.to_bytes();
    if parts.status.is_success() && path.contains("/gate/feed") {
        body = tamper(shared, &login, position(&path), body);
        parts.headers.remove(hyper::header::CONTENT_LENGTH);
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}

/// Puts forged items before the first genuine one, at numbers that the gate has not seen: behind
/// its own position, which it tells in its question, and before the genuine item, which must not
/// be lost.
fn tamper(shared: &Shared, login: &str, from: u64, body: Bytes) -> Bytes {
    let mut pending = shared
        .pending
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let Pending { forged, served } = &mut *pending;
    let done = served.entry(login.to_owned()).or_default();
    if *done >= forged.len() {
        return body;
    }
    let Ok(mut page) = serde_json::from_slice::<FeedPage>(&body) else {
        return body;
    };
    let Some(genuine) = page.items.first().map(|item| item.seq) else {
        return body;
    };
    let mut items = Vec::new();
    for seq in from + 1..genuine {
        let Some(envelope) = forged.get(*done) else {
            break;
        };
        items.push(FeedItem {
            seq,
            kind: FeedKind::Release,
            envelope: envelope.clone(),
        });
        *done += 1;
    }
    items.append(&mut page.items);
    page.items = items;
    serde_json::to_vec(&page).map(Bytes::from).unwrap_or(body)
}

/// The position that a gate's question names.
fn position(path: &str) -> u64 {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let from = query.split('&').find_map(|pair| pair.strip_prefix("from="));
    from.and_then(|from| from.parse().ok()).unwrap_or(0)
}

/// The code by which a gate must refuse each forgery, in the order of [`forgeries`].
pub const CODES: [&str; 6] = [
    "AN-TRU-033",
    "AN-TRU-025",
    "AN-TRU-023",
    "AN-TRU-030",
    "AN-TRU-036",
    "AN-TRU-020",
];

/// Six releases that must not open anything: each has all but one thing right.
pub fn forgeries(state: &State, parties: &Parties, now: Timestamp) -> Vec<Envelope> {
    let Some(draft) = draft(state, now) else {
        return Vec::new();
    };
    let everyone = quorum(state, parties, &draft);
    let sealed = |release: &Release, people: &[PersonId]| {
        let mut envelope = Envelope::unsigned(release.to_payload());
        for signer in people.iter().filter_map(|person| parties.signer(person)) {
            signer.sign(&mut envelope);
        }
        envelope
    };
    let mut forged = Vec::new();

    // A flipped bit under a full quorum.
    let mut flipped = sealed(&draft, &everyone);
    if let Some(byte) = flipped
        .signatures
        .first_mut()
        .and_then(|s| s.sig.first_mut())
    {
        *byte ^= 1;
    }
    forged.push(flipped);

    // Signed by everyone, but past its end.
    let past = now - Minutes::days(2);
    let expired = Release {
        not_before: past,
        not_after: past + Minutes::days(1),
        ..draft.clone()
    };
    forged.push(sealed(&expired, &everyone));

    // The last genuine release, before the close burned its epoch.
    let burned = state.releases.values().find(|case| {
        matches!(case.end, ReleaseEnd::Released(_))
            && case
                .release
                .cells
                .iter()
                .any(|c| c.cell == draft.cells[0].cell)
    });
    forged.extend(burned.map(|case| case.envelope.clone()));

    // Without the last role of the quorum.
    let role_of = |person: &PersonId| {
        let landscape = state.landscape.as_ref()?;
        landscape.person(person).map(|p| p.role)
    };
    let last = everyone.last().and_then(role_of);
    let without: Vec<_> = everyone
        .iter()
        .filter(|p| role_of(p) != last)
        .cloned()
        .collect();
    forged.push(sealed(&draft, &without));

    // One person signs for two.
    let mut twice = sealed(&draft, &without);
    twice.signatures.extend(twice.signatures.first().cloned());
    forged.push(twice);

    // A cell that the landscape does not have.
    if let Ok(stranger) = "nobody/nothing".parse() {
        let mut wrong = draft.clone();
        wrong.cells[0].cell = stranger;
        forged.push(sealed(&wrong, &everyone));
    }
    forged
}

/// A cell that is shut while all it needs is open, so that a forgery has one fault only; a tenant's
/// where there is one.
fn target<'a>(landscape: &'a Landscape, state: &State) -> Option<(&'a CellId, &'a Cell)> {
    let stage = |id: &CellId| state.cells.get(id).map(|known| known.stage);
    let open = |id: &CellId| stage(id).is_some_and(Stage::is_public);
    let mut cells: Vec<_> = landscape
        .cells()
        .iter()
        .filter(|(id, cell)| stage(id) == Some(Stage::Closed) && cell.needs.iter().all(open))
        .collect();
    cells.sort_by_key(|(_, cell)| cell.kind != CellKind::Tenant);
    cells.into_iter().next()
}

/// A release that would be right in every part but the evidence's meaning: for a cell that is shut.
fn draft(state: &State, now: Timestamp) -> Option<Release> {
    let landscape = state.landscape.as_ref()?;
    let authority = state.authority.as_ref()?;
    let (policy, rules) = authority.policy()?;
    let (id, cell) = target(landscape, state)?;
    let stage = cell.stage_last();
    let rule = rules
        .rules
        .iter()
        .find(|rule| rule.matches(cell.class, cell.kind, stage))?;
    let evidence = rule
        .findings
        .iter()
        .map(|kind| anlauf_trust::statement::Evidence {
            kind: *kind,
            digest: anlauf_model::Digest::of(b"never found"),
        });
    let known = state.cells.get(id)?;
    Some(Release {
        domain: authority.root().domain.clone(),
        cells: vec![anlauf_trust::ReleaseCell {
            cell: id.clone(),
            epoch: Epoch(known.epoch.0 + 1_000),
            evidence: evidence.collect(),
        }],
        stage,
        not_before: now,
        not_after: now + Minutes::days(30),
        root_version_min: authority.root().version,
        policy: *policy,
        plan: None,
        reason: "forged".into(),
        critical: Vec::new(),
        break_glass: false,
    })
}

/// One quorum that policy would accept for the draft.
fn quorum(state: &State, parties: &Parties, draft: &Release) -> Vec<PersonId> {
    let rule = || {
        let cell = state.landscape.as_ref()?.cell(&draft.cells[0].cell)?;
        let (_, policy) = state.authority.as_ref()?.policy()?;
        let rules = &policy.rules;
        let rule = rules
            .iter()
            .find(|r| r.matches(cell.class, cell.kind, draft.stage))?;
        Some((rule.clone(), cell.tenant().cloned()))
    };
    let Some((rule, tenant)) = rule() else {
        return Vec::new();
    };
    let mut people = BTreeMap::new();
    for (index, demand) in rule.signers.iter().enumerate() {
        let picked = parties.pick(demand.role, tenant.as_ref(), demand.count as usize, 0);
        for (number, person) in picked.into_iter().enumerate() {
            people.insert((index, number), person);
        }
    }
    people.into_values().collect()
}
