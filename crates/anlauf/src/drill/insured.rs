//! The insured people: they log in, look, send photos and documents and get mail, in rounds.
//!
//! In:    the insurers' doors, the gates, which cells are open. Out: the [`book::Book`] of what
//!        each got, and what was accepted and must be there at the end.
//! Never: asks a service around its gate; counts what it was not answered.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anlauf_model::{CellId, Landscape, TenantId};
use anyhow::Result;
use reference_provider::kernel::seed;
use reference_provider::mail::tls::Believed;
use tokio::task::JoinSet;

use self::book::{Book, Kind};
use self::line::{Line, Web};
use super::story::Services;
use super::traffic::Doors;

pub mod audit;
pub mod book;
mod clerk;
pub mod desk;
mod line;
mod mail;
mod visit;

/// How many people are on their way at once.
const WIDTH: usize = 8;

/// The people of an insurer who send photos and have a record: those before them are too young, or
/// exempt.
const PEOPLE: [u32; 2] = [2, 3];

/// Everybody outside.
pub struct Insured {
    outside: Arc<Outside>,
    post: mail::Post,
    round: usize,
    width: usize,
}

/// What they all know.
struct Outside {
    doors: Arc<Doors>,
    gates: Vec<Ports>,
    believed: Believed,
    folks: BTreeMap<TenantId, Folk>,
    password: String,
    web: Web,
    book: Mutex<Book>,
    /// Numbers what is sent: each photo and document is another.
    next: AtomicU64,
}

/// The people of one insurer.
struct Folk {
    host: String,
    cells: BTreeMap<Kind, CellId>,
    /// Numbers of those who come.
    people: Vec<String>,
}

/// Where one gate lets people in.
#[derive(Clone, Debug, Default)]
pub struct Ports {
    /// Pages and APIs.
    pub web: Option<SocketAddr>,
    /// Letters.
    pub mail: Option<SocketAddr>,
    /// Mailboxes, one port per cell.
    pub readers: BTreeMap<CellId, SocketAddr>,
}

/// All ways in.
pub struct Ways<'a> {
    /// What is known of the doors.
    pub doors: &'a Arc<Doors>,
    /// By gate.
    pub gates: &'a [Ports],
    /// Whom mail programs believe.
    pub believed: Believed,
}

/// Who comes, and what is known of the doors.
#[derive(Clone, Default)]
pub struct Round {
    /// The cells that are open; none when they open and close meanwhile.
    pub open: Option<Arc<BTreeSet<CellId>>>,
    /// The cells whose service is in emergency operation.
    pub emergency: Arc<BTreeSet<CellId>>,
    /// Where they ask instead of at the gates: a way around them, for a drill that must fail.
    pub around: Option<SocketAddr>,
}

impl Insured {
    /// People who know every door and have not come yet.
    ///
    /// # Errors
    /// A gate takes no mail.
    pub fn new(landscape: &Landscape, services: &Services, ways: &Ways<'_>) -> Result<Self> {
        let mut folks: BTreeMap<TenantId, Folk> = BTreeMap::new();
        for (id, cell) in landscape.cells() {
            let kind = Kind::of(cell.service.as_str());
            let (Some(kind), Some(tenant)) = (kind, cell.tenant()) else {
                continue;
            };
            let folk = folks.entry(tenant.clone()).or_insert_with(|| Folk {
                host: cell.host.clone(),
                cells: BTreeMap::new(),
                people: PEOPLE
                    .map(|number| seed::insured(tenant.as_str(), services.seed, number).kvnr)
                    .map(|number| number.to_string())
                    .into(),
            });
            folk.cells.insert(kind, id.clone());
        }
        let outside = Outside {
            doors: Arc::clone(ways.doors),
            gates: ways.gates.to_vec(),
            believed: ways.believed.clone(),
            folks,
            password: seed::password_of(services.seed),
            web: line::web(),
            book: Mutex::default(),
            next: AtomicU64::new(1),
        };
        Ok(Self {
            outside: Arc::new(outside),
            post: mail::Post::new(ways)?,
            round: 0,
            width: services.round_tenants,
        })
    }

    /// Letters to one person of an insurer, on their way with the next round.
    pub fn write(&mut self, tenant: &TenantId, person: usize, count: u64) {
        let outside = Arc::clone(&self.outside);
        self.post.write_many(&outside, (tenant, person), count);
    }

    /// The name of a person's mailbox.
    pub fn mailbox(&self, tenant: &TenantId, person: usize) -> Option<String> {
        mail::local(&self.outside, (tenant, person))
    }

    /// All insurers whose people come.
    pub fn tenants(&self) -> Vec<TenantId> {
        self.outside.folks.keys().cloned().collect()
    }

    /// Those whose turn it is, and one who always comes; and which of their people.
    pub fn turn(&mut self, always: &TenantId) -> (Vec<TenantId>, usize) {
        let all = self.outside.folks.len();
        let first = self.round * self.width;
        self.round += 1;
        let names: Vec<&TenantId> = self.outside.folks.keys().collect();
        let turn = (first..first + self.width.min(all)).map(|place| names[place % all]);
        let turn: BTreeSet<TenantId> = turn.chain([always]).cloned().collect();
        (turn.into_iter().collect(), self.round % PEOPLE.len())
    }

    /// Has one person of each of these insurers come, a clerk work off what waits, and a letter go
    /// to each; waits until all are home again and every sender has tried.
    pub async fn come(&mut self, tenants: &[TenantId], person: usize, round: &Round) {
        let mut running = JoinSet::new();
        for tenant in tenants {
            if running.len() >= WIDTH {
                running.join_next().await;
            }
            self.set_out(&mut running, tenant, (person, round));
        }
        while running.join_next().await.is_some() {}
        if round.around.is_none() {
            self.clerks(tenants, round).await;
            let outside = Arc::clone(&self.outside);
            self.post.round(&outside, (tenants, person), round).await;
        }
    }

    /// A clerk of each of these insurers works off what waits.
    async fn clerks(&self, tenants: &[TenantId], round: &Round) {
        let mut running = JoinSet::new();
        for tenant in tenants {
            if running.len() >= WIDTH {
                running.join_next().await;
            }
            let (outside, tenant) = (Arc::clone(&self.outside), tenant.clone());
            let round = round.clone();
            running.spawn(async move { clerk::work(&outside, &tenant, &round).await });
        }
        while running.join_next().await.is_some() {}
    }

    /// Has one person of each of these insurers set out; they are on their way while the caller
    /// goes on.
    pub fn begin(&self, tenants: &[TenantId], person: usize) -> JoinSet<()> {
        let round = Round::default();
        let mut running = JoinSet::new();
        for tenant in tenants {
            self.set_out(&mut running, tenant, (person, &round));
        }
        running
    }

    fn set_out(
        &self,
        running: &mut JoinSet<()>,
        tenant: &TenantId,
        (person, round): (usize, &Round),
    ) {
        let (outside, tenant, round) = (Arc::clone(&self.outside), tenant.clone(), round.clone());
        running.spawn(async move {
            // An insurer whose services are none of these has nobody who comes.
            let _nobody = visit::visit(&outside, &tenant, (person, &round)).await;
        });
    }

    /// What they got.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.outside.book()
    }
}

impl Outside {
    /// Never held while something is waited for.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// A person's way to the services: by one of the gates, or around them.
    fn line(&self, folk: &Folk, person: usize, round: &Round) -> Option<Line> {
        let gate = self.gates.get(self.gate(person))?;
        Some(Line {
            web: self.web.clone(),
            to: round.around.or(gate.web)?,
            host: folk.host.clone(),
        })
    }

    /// By which gate a person goes.
    fn gate(&self, person: usize) -> usize {
        person % self.gates.len().max(1)
    }
}
