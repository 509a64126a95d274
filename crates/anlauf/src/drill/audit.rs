//! The auditor at the end: believes nothing but the ledger's file, the pinned root, and what the
//! gates say for themselves.
//!
//! In:    data folder, pin, the gates' admin addresses, what the control plane believes.
//! Out:   [`Audit`]: facts of the ledger, and everything that does not hold, in words.
//! Never: takes a word of the control plane for true.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anlauf_model::feed::GateReport;
use anlauf_model::{CellId, Digest, Epoch, Landscape, Stage};
use anlauf_recovery::{Entry, Event, State};
use anlauf_store::Reader;
use anlauf_trust::{Authority, CellFacts, Envelope, PublicKey};
use anyhow::{Context, Result};
use http_body_util::BodyExt;

use super::traffic::web;

/// Most violations of one kind that are told one by one.
const TOLD_MAX: usize = 5;

/// What the auditor found.
pub struct Audit {
    /// Entries of the ledger.
    pub size: u64,
    /// Root of the Merkle tree, recomputed from the entries.
    pub root: Digest,
    /// On disk. Bytes.
    pub bytes: u64,
    /// How long recomputing the ledger took: bodies, leaves, tree, signed checkpoint.
    pub verified_in: Duration,
    /// How long rebuilding the state from the entries took.
    pub rebuilt_in: Duration,
    /// Releases whose quorum was verified again.
    pub releases: u64,
    /// Cells in force at every gate exactly as signed.
    pub in_force: u64,
    /// What does not hold.
    pub violations: Vec<String>,
}

/// Who signs the ledger's checkpoints.
pub struct Log {
    /// Name of the ledger.
    pub origin: String,
    /// Public key.
    pub public: PublicKey,
}

/// What a cell is, by the signed statements alone.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Signed {
    stage: Stage,
    epoch: Epoch,
}

/// Walks through the ledger and judges each envelope again, as a stranger would.
struct Walker<'a> {
    landscape: &'a Landscape,
    pin: Digest,
    accepted: Vec<Envelope>,
    authority: Option<Authority>,
    cells: BTreeMap<CellId, Signed>,
    releases: u64,
    violations: Vec<String>,
}

/// Audits a drill.
///
/// # Errors
/// When the ledger cannot be read or does not verify, or a gate does not answer.
pub async fn audit(
    folder: &Path,
    landscape: &Landscape,
    (pin, log): (Digest, Log),
    admins: &[SocketAddr],
    believed: &State,
) -> Result<Audit> {
    let start = Instant::now();
    let report = anlauf_store::verify_signed(folder, &log.origin, &log.public)
        .context("the ledger does not verify")?;
    let verified_in = start.elapsed();
    let reader = Reader::open(folder)?;
    let start = Instant::now();
    let mut rebuilt = State::default();
    reader.for_each(&mut |entry| rebuilt.apply(&entry))?;
    let rebuilt_in = start.elapsed();

    let mut walker = Walker {
        landscape,
        pin,
        accepted: Vec::new(),
        authority: None,
        cells: BTreeMap::new(),
        releases: 0,
        violations: Vec::new(),
    };
    reader.for_each(&mut |entry| walker.entry(&entry))?;
    let Walker {
        cells,
        releases,
        mut violations,
        ..
    } = walker;
    if rebuilt != *believed {
        violations.push("the state rebuilt from the ledger differs from the one in use".into());
    }
    if report.root != reader.head()?.root || report.size != believed.seq {
        violations.push("the recomputed root is not the one the ledger gives".into());
    }
    if report.checkpoint_size != report.size {
        violations.push("the newest checkpoint does not cover the whole ledger".into());
    }
    let in_force = compare(&cells, admins, &mut violations).await?;
    Ok(Audit {
        size: report.size,
        root: report.root,
        bytes: report.bytes,
        verified_in,
        rebuilt_in,
        releases,
        in_force,
        violations,
    })
}

impl Walker<'_> {
    fn entry(&mut self, entry: &Entry) {
        match &entry.event {
            Event::RootAdopted { envelope, .. }
            | Event::PolicyAdopted { envelope, .. }
            | Event::DelegationAdopted { envelope, .. } => {
                self.accepted.push(envelope.clone());
                match Authority::replay(&self.pin, &self.accepted) {
                    Ok(authority) => self.authority = Some(authority),
                    Err(refusal) => self.wrong(entry, &refusal.to_string()),
                }
            }
            Event::CellsReleased { envelope, .. } => self.released(entry, envelope),
            Event::CloseOrdered { envelope, .. } => self.closed(entry, envelope),
            _ => {}
        }
    }

    fn released(&mut self, entry: &Entry, envelope: &Envelope) {
        let Some(authority) = &self.authority else {
            return self.wrong(entry, "a release before any root");
        };
        let facts = |id: &CellId| facts(self.landscape, &self.cells, id);
        match authority.check_release(envelope, &facts, entry.at) {
            Ok(verified) => {
                let release = verified.statement();
                let signed = release.cells.iter().map(|bound| {
                    (
                        bound.cell.clone(),
                        Signed {
                            stage: release.stage,
                            epoch: bound.epoch,
                        },
                    )
                });
                self.cells.extend(signed.collect::<Vec<_>>());
                self.releases += 1;
                if release.stage.is_public() {
                    let cells = release.cells.iter().map(|bound| bound.cell.clone());
                    self.leans_on_open(entry, cells.collect());
                }
            }
            Err(refusal) => self.wrong(entry, &refusal.to_string()),
        }
    }

    /// What a cell needs must be open when it opens.
    fn leans_on_open(&mut self, entry: &Entry, cells: Vec<CellId>) {
        for cell in cells.iter().filter_map(|id| self.landscape.cell(id)) {
            let shut = cell.needs.iter().find(|need| {
                !self
                    .cells
                    .get(*need)
                    .is_some_and(|need| need.stage.is_public())
            });
            if let Some(need) = shut {
                let why = format!(
                    "`{}` opened while `{need}`, which it needs, was shut",
                    cell.id
                );
                self.wrong(entry, &why);
                return;
            }
        }
    }

    fn closed(&mut self, entry: &Entry, envelope: &Envelope) {
        let Some(authority) = &self.authority else {
            return self.wrong(entry, "a close before any root");
        };
        let facts = |id: &CellId| facts(self.landscape, &self.cells, id);
        match authority.check_close(envelope, &facts, entry.at) {
            Ok(verified) => {
                let close = verified.statement();
                let hit = |id: &&CellId| {
                    let known = facts(id);
                    known.is_some_and(|c| c.is_in(&close.scope, id) && c.epoch <= close.epoch)
                };
                let shut = Signed {
                    stage: Stage::Closed,
                    epoch: close.epoch,
                };
                let cells: Vec<_> = self
                    .landscape
                    .cells()
                    .keys()
                    .filter(hit)
                    .map(|id| (id.clone(), shut))
                    .collect();
                self.cells.extend(cells);
            }
            Err(refusal) => self.wrong(entry, &refusal.to_string()),
        }
    }

    fn wrong(&mut self, entry: &Entry, why: &str) {
        if self.violations.len() < TOLD_MAX {
            self.violations
                .push(format!("entry {} does not verify again: {why}", entry.seq));
        }
    }
}

fn facts(
    landscape: &Landscape,
    cells: &BTreeMap<CellId, Signed>,
    id: &CellId,
) -> Option<CellFacts> {
    let cell = landscape.cell(id)?;
    Some(CellFacts {
        class: cell.class,
        kind: cell.kind,
        tenant: cell.tenant().cloned(),
        site: cell.site.clone(),
        service: cell.service.clone(),
        epoch: cells.get(id).copied().unwrap_or_default().epoch,
    })
}

/// Holds every gate's own account of every cell against what was signed for it.
async fn compare(
    cells: &BTreeMap<CellId, Signed>,
    admins: &[SocketAddr],
    violations: &mut Vec<String>,
) -> Result<u64> {
    let mut differing = std::collections::BTreeSet::new();
    for admin in admins {
        let report = account(*admin).await?;
        let at_gate: BTreeMap<_, _> = report
            .changed
            .iter()
            .map(|c| (&c.cell, (c.stage, c.epoch)))
            .collect();
        for (id, signed) in cells {
            let found = at_gate.get(id).copied().unwrap_or_default();
            if found != (signed.stage, signed.epoch) && differing.insert(id.clone()) {
                let (stage, epoch) = (found.0, found.1.0);
                violations.push(format!(
                    "gate `{}` has `{id}` at {stage}, epoch {epoch}; signed is {}, epoch {}",
                    report.gate, signed.stage, signed.epoch.0
                ));
            }
        }
    }
    violations.truncate(4 * TOLD_MAX);
    let held = cells.keys().filter(|id| !differing.contains(*id)).count();
    Ok(u64::try_from(held).unwrap_or(u64::MAX))
}

/// A gate's account of itself, from its own admin address.
pub async fn account(admin: SocketAddr) -> Result<GateReport> {
    let asked = format!("http://{admin}/state");
    let wrong = || format!("gate at `{asked}` does not say how it stands");
    let request = hyper::Request::get(&asked).body(http_body_util::Empty::new())?;
    let answer = web().request(request).await.with_context(wrong)?;
    let body = answer
        .into_body()
        .collect()
        .await
        .with_context(wrong)?
        .to_bytes();
    serde_json::from_slice(&body).with_context(wrong)
}
