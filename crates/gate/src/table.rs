//! Which request belongs to which cell, and how far that cell is open: one atomic word per cell.
//!
//! In:    the gate table whose digest the signed policy names, and where backends are.
//! Out:   [`Table`]: host and path to [`Cell`]; [`CellState`]: stage and expiry in one load.
//! Never: changes a stage by itself; confuses two cells (full keys are compared, never hashes).
//! See:   docs/formats/gate.md, "Table".

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anlauf_model::feed::GateCellState;
use anlauf_model::table::{GateCell, GateTable};
use anlauf_model::{CellId, Digest, Epoch, Stage, Timestamp};
use anlauf_trust::{CellFacts, Scope};
use hyper::Method;

use crate::config::Upstreams;
use crate::inflow::{Flow, Inflow};
use crate::upstream::Upstream;
use crate::visit::Conn;

/// Every cell of one signed table.
pub(crate) struct Table {
    digest: Option<Digest>,
    hosts: HashMap<Box<str>, Vec<Place>, foldhash::fast::RandomState>,
    cells: BTreeMap<CellId, Arc<Cell>>,
}

struct Place {
    path: Box<str>,
    cell: Arc<Cell>,
}

/// One cell as the table describes it, and its state.
pub(crate) struct Cell {
    /// As signed.
    pub(crate) spec: GateCell,
    /// Where it is served from; none if nothing usable was told.
    pub(crate) upstream: Option<Arc<Upstream>>,
    /// Where what is not HTTP goes.
    pub(crate) upstream_tcp: Option<Arc<Upstream>>,
    /// What passes in stage `basic`: method and path below the cell's own.
    pub(crate) basic: Vec<(Method, Box<str>)>,
    /// Outlives the table.
    pub(crate) state: Arc<CellState>,
}

/// How far a cell is open, and who is inside. Kept when the table changes.
pub(crate) struct CellState {
    /// Which.
    pub(crate) id: CellId,
    /// The same in words, for backends.
    pub(crate) name: Box<str>,
    /// Stage in the lowest three bits, `not_after` in milliseconds above: one load tells both.
    word: AtomicU64,
    /// Highest epoch seen.
    epoch: AtomicU64,
    /// Whether it is shut for want of fresh word, whatever it was opened to.
    is_stale: AtomicBool,
    /// Whether it was opened by break-glass. Told, never asked: the word above decides.
    glass: AtomicBool,
    /// Connections with a permit for this cell, or that just ask the judge.
    visitors: Mutex<BTreeMap<u64, Arc<Conn>>>,
    /// How fast it fills, once that was set.
    flow: OnceLock<Arc<Flow>>,
    /// Requests by outcome, since the start.
    pub(crate) counts: CellCounts,
}

/// Requests of one cell by outcome, since the start.
#[derive(Default)]
pub(crate) struct CellCounts {
    pub(crate) passed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cut: AtomicU64,
}

/// What was found for a host and path.
pub(crate) enum Found<'a> {
    /// The cell.
    Cell(&'a Arc<Cell>),
    /// The host is ours, the path is not.
    NoPath,
    /// Nobody's host.
    NoHost,
}

const STAGE_BITS: u32 = 3;
const STAGE_MASK: u64 = (1 << STAGE_BITS) - 1;

/// Stage `full` of a cell that fills slowly: in the same word, so that one load tells it too.
const FILLING: u64 = 5;

fn word(stage: Stage, not_after: Timestamp) -> u64 {
    let index = match stage {
        Stage::Closed => return 0,
        Stage::CleanRoom => 1,
        Stage::Pilot => 2,
        Stage::Basic => 3,
        Stage::Full => 4,
    };
    // A time before 1970 is long over; one that does not fit 61 bits is cut to the last that does.
    let ms = u64::try_from(not_after.0)
        .unwrap_or(0)
        .min(u64::MAX >> STAGE_BITS);
    (ms << STAGE_BITS) | index
}

/// Stage and expiry of a word.
fn read(word: u64) -> (Stage, Timestamp) {
    let stage = match word & STAGE_MASK {
        1 => Stage::CleanRoom,
        2 => Stage::Pilot,
        3 => Stage::Basic,
        4 | FILLING => Stage::Full,
        _ => Stage::Closed,
    };
    let ms = i64::try_from(word >> STAGE_BITS).unwrap_or(i64::MAX);
    (stage, Timestamp(ms))
}

// === impl CellState ===

impl CellState {
    pub(crate) fn new(id: CellId, epoch: Epoch) -> Self {
        Self {
            name: id.to_string().into(),
            id,
            word: AtomicU64::new(0),
            epoch: AtomicU64::new(epoch.0),
            is_stale: AtomicBool::new(false),
            glass: AtomicBool::new(false),
            visitors: Mutex::new(BTreeMap::new()),
            flow: OnceLock::new(),
            counts: CellCounts::default(),
        }
    }

    /// Stage in the present: a release that ran out is closed, whoever has noticed, and so is a
    /// cell for which the gate lacks fresh word.
    pub(crate) fn stage(&self, now: Timestamp) -> Stage {
        self.present(now).0
    }

    /// The same, and whether the cell fills slowly.
    pub(crate) fn present(&self, now: Timestamp) -> (Stage, bool) {
        if self.is_stale() {
            (Stage::Closed, false)
        } else {
            self.released_filling(now)
        }
    }

    /// Whether it is shut for want of fresh word.
    pub(crate) fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::SeqCst)
    }

    /// Shuts for want of fresh word, or takes that back. Whether anything changed.
    pub(crate) fn set_stale(&self, is_stale: bool) -> bool {
        self.is_stale.swap(is_stale, Ordering::SeqCst) != is_stale
    }

    /// Stage that its release gives it in the present, fresh word or not: what must be remembered.
    pub(crate) fn released(&self, now: Timestamp) -> Stage {
        self.released_filling(now).0
    }

    fn released_filling(&self, now: Timestamp) -> (Stage, bool) {
        let word = self.word.load(Ordering::SeqCst);
        let (stage, not_after) = read(word);
        if now >= not_after {
            (Stage::Closed, false)
        } else {
            (stage, word & STAGE_MASK == FILLING)
        }
    }

    /// Stage and expiry as last set, whatever the time.
    pub(crate) fn opened(&self) -> (Stage, Timestamp) {
        read(self.word.load(Ordering::SeqCst))
    }

    /// Whether it is set open, but its time has run out.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.opened().0 != Stage::Closed && self.released(now) == Stage::Closed
    }

    /// Highest epoch seen.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Shuts the cell for every request that asks from here on, and empties its line.
    pub(crate) fn shut(&self, epoch: Epoch) {
        self.word.store(0, Ordering::SeqCst);
        self.epoch.fetch_max(epoch.0, Ordering::SeqCst);
        if let Some(flow) = self.flow.get() {
            flow.clear();
        }
    }

    /// Sets a stage; only the keeper calls this, with a verified release in hand.
    pub(crate) fn open(&self, stage: Stage, not_after: Timestamp, epoch: Epoch) {
        self.epoch.fetch_max(epoch.0, Ordering::SeqCst);
        self.store(word(stage, not_after));
    }

    /// Sets how fast the cell fills; only the keeper calls this.
    pub(crate) fn fill(&self, inflow: Inflow, now: Timestamp) {
        self.flow.get_or_init(|| Flow::new(now)).set(inflow);
        self.store(self.word.load(Ordering::SeqCst));
    }

    /// Who comes in and who waits, once it was set how fast the cell fills.
    pub(crate) fn flow(&self) -> Option<&Arc<Flow>> {
        self.flow.get()
    }

    /// Stores a word, with the mark for a cell that fills slowly. There is one writer: the keeper.
    fn store(&self, word: u64) {
        let is_filling = self.flow.get().is_some_and(|flow| flow.inflow().is_set());
        let word = match word & STAGE_MASK {
            4 | FILLING if is_filling => (word & !STAGE_MASK) | FILLING,
            FILLING => (word & !STAGE_MASK) | 4,
            _ => word,
        };
        self.word.store(word, Ordering::SeqCst);
    }

    /// Says whether what it is open on is a break-glass.
    pub(crate) fn set_glass(&self, is_glass: bool) {
        self.glass.store(is_glass, Ordering::SeqCst);
    }

    /// Until when it is open on a break-glass; none when it is not.
    pub(crate) fn glass_until(&self, now: Timestamp) -> Option<Timestamp> {
        let is_open = self.glass.load(Ordering::SeqCst) && self.stage(now) != Stage::Closed;
        is_open.then(|| self.opened().1)
    }

    /// What the control plane is told.
    pub(crate) fn report(&self, now: Timestamp) -> GateCellState {
        GateCellState {
            cell: self.id.clone(),
            stage: self.stage(now),
            epoch: self.epoch(),
        }
    }

    /// What a restart must know of it.
    pub(crate) fn kept(&self, now: Timestamp) -> GateCellState {
        GateCellState {
            stage: self.released(now),
            ..self.report(now)
        }
    }

    /// Who is inside, by connection.
    pub(crate) fn visitors(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Conn>>> {
        self.visitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Cell ===

impl Cell {
    /// What the verifier has to know.
    pub(crate) fn facts(&self) -> CellFacts {
        CellFacts {
            class: self.spec.class,
            kind: self.spec.kind,
            tenant: self.spec.tenant.clone(),
            site: self.spec.site.clone(),
            service: self.spec.service.clone(),
            epoch: self.state.epoch(),
        }
    }
}

/// Whether a cell belongs to what a close names.
pub(crate) fn in_scope(cell: &GateCell, scope: &Scope) -> bool {
    match scope {
        Scope::Everything => true,
        Scope::Site(site) => cell.site == *site,
        Scope::Tenant(tenant) => cell.tenant.as_ref() == Some(tenant),
        Scope::Service(service) => cell.service == *service,
        Scope::Cells(cells) => cells.contains(&cell.id),
    }
}

fn basic(line: &str) -> Option<(Method, Box<str>)> {
    let (method, path) = line.trim().split_once(' ')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    Some((method, path.trim().trim_end_matches('/').into()))
}

/// Whether `path` is `prefix` or lies below it.
pub(crate) fn is_below(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix.trim_end_matches('/')) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// The same, as servers see it that do not care about upper case.
fn is_below_loosely(path: &str, prefix: &str) -> bool {
    let own = prefix.trim_end_matches('/');
    path.get(..own.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(own))
        && path
            .get(own.len()..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

// === impl Table ===

impl Table {
    /// A gate that knows no cell: every host is unknown.
    pub(crate) fn empty() -> Self {
        Self {
            digest: None,
            hosts: HashMap::default(),
            cells: BTreeMap::new(),
        }
    }

    /// Lays out a signed table; cells that were known before keep their state.
    ///
    /// # Errors
    /// Two cells share an id, or a host and path: a request must belong to one cell only.
    pub(crate) fn build<'a>(
        signed: &'a GateTable,
        upstreams: &'a Upstreams,
        before: &Table,
        floor: &dyn Fn(&GateCell) -> Epoch,
    ) -> Result<Self, String> {
        let mut table = Self {
            digest: Some(signed.digest()),
            ..Self::empty()
        };
        // Cells share what they are served from.
        let mut known: HashMap<&'a str, Option<Arc<Upstream>>> = HashMap::new();
        for spec in &signed.cells {
            let state = match before.cells.get(&spec.id) {
                Some(cell) => Arc::clone(&cell.state),
                None => Arc::new(CellState::new(spec.id.clone(), floor(spec))),
            };
            let from = upstreams.find(&spec.id, &spec.site, spec.upstream.as_deref());
            let beside = upstreams.tcp.get(&spec.id).map(String::as_str).or(from);
            let mut served = |from: Option<&'a str>| {
                from.and_then(|text| {
                    let read = || Upstream::parse(text).map(Arc::new);
                    known.entry(text).or_insert_with(read).clone()
                })
            };
            let cell = Arc::new(Cell {
                upstream: served(from),
                upstream_tcp: served(beside).filter(|upstream| upstream.is_tcp),
                basic: spec.basic.iter().filter_map(|line| basic(line)).collect(),
                spec: spec.clone(),
                state,
            });
            if table
                .cells
                .insert(spec.id.clone(), Arc::clone(&cell))
                .is_some()
            {
                return Err(format!("cell `{}` is in it twice", spec.id));
            }
            let path = spec.path.trim_end_matches('/').into();
            let host = spec.host.to_ascii_lowercase().into();
            table
                .hosts
                .entry(host)
                .or_default()
                .push(Place { path, cell });
        }
        for (host, places) in &mut table.hosts {
            places.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then(a.path.cmp(&b.path)));
            for (one, next) in places.iter().zip(places.iter().skip(1)) {
                if one.path == next.path {
                    return Err(format!("host `{host}` has path `{}` twice", one.path));
                }
            }
        }
        Ok(table)
    }

    /// Digest of the signed table; none before the first.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Finds the cell of a host and a path: the longest path of the table wins.
    ///
    /// All readings of the path must lead to the same cell, whether letters in upper case matter or
    /// not; else it is nobody's.
    pub(crate) fn find(&self, host: &str, readings: &[Cow<'_, str>]) -> Found<'_> {
        let Some(places) = self.hosts.get(host) else {
            return Found::NoHost;
        };
        let mut found: Option<&Arc<Cell>> = None;
        for path in readings {
            let place = places
                .iter()
                .find(|place| is_below_loosely(path, &place.path));
            let place = place.filter(|place| is_below(path, &place.path));
            match (place, found) {
                (Some(place), None) => found = Some(&place.cell),
                (Some(place), Some(cell)) if Arc::ptr_eq(&place.cell, cell) => {}
                _ => return Found::NoPath,
            }
        }
        found.map_or(Found::NoPath, Found::Cell)
    }

    /// The cell that has a host for itself.
    pub(crate) fn sole(&self, host: &str) -> Option<&Arc<Cell>> {
        match self.hosts.get(host)?.as_slice() {
            [only] => Some(&only.cell),
            _ => None,
        }
    }

    /// One cell.
    pub(crate) fn cell(&self, id: &CellId) -> Option<&Arc<Cell>> {
        self.cells.get(id)
    }

    /// Every cell that a close names.
    pub(crate) fn named(&self, scope: &Scope) -> Vec<&Arc<Cell>> {
        match scope {
            Scope::Cells(cells) => cells.iter().filter_map(|id| self.cells.get(id)).collect(),
            _ => self
                .cells()
                .filter(|cell| in_scope(&cell.spec, scope))
                .collect(),
        }
    }

    /// Every cell, by id.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &Arc<Cell>> {
        self.cells.values()
    }
}

#[cfg(test)]
mod tests;
