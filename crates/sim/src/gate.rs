//! A gate as this crate models it: believes verified statements only, forgets nothing it kept.
//!
//! In:    feed items in any order, restarts. Out: which cell is open how far, judgements.
//! Never: opens a cell but through the verifier (unless a [`Mutant`] makes it).
//! See:   crates/gate/src/mind.rs, whose rules these are.

use std::collections::BTreeMap;

use anlauf_model::feed::{FeedItem, FeedKind};
use anlauf_model::{CellId, Epoch, GateTable, Stage, Timestamp};
use anlauf_trust::{Authority, CellFacts, Close, Envelope, KeyRecord, Release, Scope, Statement};

use crate::mutant::Mutant;

/// One cell at a gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Door {
    /// As last set.
    pub stage: Stage,
    /// Until when.
    pub not_after: Timestamp,
    /// Highest epoch seen.
    pub epoch: Epoch,
}

/// What became of an item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    /// Seen before, or older than what was seen.
    Skipped,
    /// In force.
    Accepted,
    /// Refused, with why.
    Refused(String),
}

/// A kept item: everything a restart needs.
#[derive(Clone)]
struct Kept {
    at: Timestamp,
    kind: FeedKind,
    envelope: String,
    position: u64,
}

/// A gate.
pub struct Gate {
    /// Name for people.
    pub name: String,
    /// Last feed item judged.
    pub position: u64,
    /// Every cell of the signed table.
    pub doors: BTreeMap<CellId, Door>,
    authority: Option<Authority>,
    pin: anlauf_model::Digest,
    table: GateTable,
    disk: Vec<Kept>,
    mutant: Option<Mutant>,
}

impl Door {
    /// How far it is open at a time.
    pub fn stage(&self, now: Timestamp, mutant: Option<Mutant>) -> Stage {
        if now >= self.not_after && mutant != Some(Mutant::GateIgnoresEnd) {
            Stage::Closed
        } else {
            self.stage
        }
    }
}

impl Gate {
    /// A gate with its pinned root, everything shut.
    pub fn new(
        name: String,
        pin: anlauf_model::Digest,
        table: GateTable,
        mutant: Option<Mutant>,
    ) -> Self {
        let doors = table
            .cells
            .iter()
            .map(|cell| (cell.id.clone(), Door::default()))
            .collect();
        Self {
            name,
            position: 0,
            doors,
            authority: None,
            pin,
            table,
            disk: Vec::new(),
            mutant,
        }
    }

    /// How far a cell is open.
    pub fn stage(&self, cell: &CellId, now: Timestamp) -> Stage {
        self.doors
            .get(cell)
            .map(|door| door.stage(now, self.mutant))
            .unwrap_or_default()
    }

    /// Version of the policy in force; 0 before the first.
    pub fn policy_version(&self) -> u64 {
        let policy = self.authority.as_ref().and_then(Authority::policy);
        policy.map_or(0, |(_, policy)| policy.version)
    }

    /// Judges the next item of the feed.
    pub fn take(&mut self, item: &FeedItem, now: Timestamp) -> Judged {
        if item.seq <= self.position {
            return Judged::Skipped;
        }
        self.position = item.seq;
        self.judge(item.kind, &item.envelope, now)
    }

    /// Judges a close that a person hands in directly.
    pub fn close(&mut self, envelope: &str, now: Timestamp) -> Judged {
        self.judge(FeedKind::Close, envelope, now)
    }

    fn judge(&mut self, kind: FeedKind, envelope: &str, now: Timestamp) -> Judged {
        match self.put_in_force(kind, envelope, now) {
            Ok(()) => {
                if kind != FeedKind::Close || self.mutant != Some(Mutant::GateLosesCloses) {
                    let (envelope, position) = (envelope.to_owned(), self.position);
                    self.disk.push(Kept {
                        at: now,
                        kind,
                        envelope,
                        position,
                    });
                }
                Judged::Accepted
            }
            Err(why) => Judged::Refused(why),
        }
    }

    /// Forgets what is not on disk and verifies what is, as of the time it was accepted.
    pub fn restart(&mut self) {
        self.doors
            .values_mut()
            .for_each(|door| *door = Door::default());
        self.authority = None;
        self.position = 0;
        for kept in std::mem::take(&mut self.disk) {
            // What verified once verifies again; a gate that lost its mind stays shut.
            if self
                .put_in_force(kept.kind, &kept.envelope, kept.at)
                .is_ok()
            {
                self.position = self.position.max(kept.position);
                self.disk.push(kept);
            }
        }
    }

    fn put_in_force(
        &mut self,
        kind: FeedKind,
        envelope: &str,
        now: Timestamp,
    ) -> Result<(), String> {
        let envelope = Envelope::parse(envelope.as_bytes()).map_err(|no| no.to_string())?;
        let Some(authority) = &self.authority else {
            if kind != FeedKind::Root {
                return Err("no root yet".into());
            }
            let pinned = Authority::replay(&self.pin, &[envelope]).map_err(|no| no.to_string())?;
            self.authority = Some(pinned);
            return Ok(());
        };
        let mut next = authority.clone();
        match kind {
            FeedKind::Root => next
                .advance_root(&envelope, now)
                .map_err(|no| no.to_string())?,
            FeedKind::Policy => self.adopt(&mut next, &envelope, now)?,
            FeedKind::Release => {
                let release = self.check(authority, &envelope, now)?;
                self.open(&release);
            }
            FeedKind::Close => {
                let facts = |id: &CellId| self.facts(id);
                let close = authority.check_close(&envelope, &facts, now);
                let close = close.map_err(|no| no.to_string())?;
                self.shut(&close.close().clone());
            }
        }
        self.authority = Some(next);
        Ok(())
    }

    fn adopt(
        &self,
        next: &mut Authority,
        envelope: &Envelope,
        now: Timestamp,
    ) -> Result<(), String> {
        if self.mutant == Some(Mutant::GateTakesOldPolicy) {
            // As if the policy stood alone: whatever was adopted before is forgotten.
            let alone = self.disk.iter().filter(|kept| kept.kind == FeedKind::Root);
            let roots = alone.filter_map(|kept| Envelope::parse(kept.envelope.as_bytes()).ok());
            let mut fresh = Authority::replay(&self.pin, &roots.collect::<Vec<_>>())
                .map_err(|no| no.to_string())?;
            if fresh.adopt_policy(envelope, now).is_ok() {
                *next = fresh;
                return Ok(());
            }
        }
        next.adopt_policy(envelope, now)
            .map_err(|no| no.to_string())?;
        let table = next.policy().map(|(_, policy)| policy.table);
        if table != Some(self.table.digest()) {
            return Err("the policy's table is not here".into());
        }
        Ok(())
    }

    fn check(
        &self,
        authority: &Authority,
        envelope: &Envelope,
        now: Timestamp,
    ) -> Result<Release, String> {
        let parsed = Release::parse(&envelope.payload).map_err(|no| no.to_string());
        match self.mutant {
            Some(Mutant::GateBelieves) => return parsed,
            Some(Mutant::GateCountsSignatures) => {
                let release = parsed?;
                let valid = envelope.signatures.iter().filter(|signature| {
                    authority.check_signature(envelope, signature, now).is_ok()
                });
                let fresh = |c: &anlauf_trust::ReleaseCell| {
                    self.doors
                        .get(&c.cell)
                        .is_some_and(|door| c.epoch > door.epoch)
                };
                if valid.count() >= 4 && release.cells.iter().all(fresh) {
                    return Ok(release);
                }
            }
            Some(Mutant::GateTakesAnyTenant) => {
                let signed = |key: &&KeyRecord| {
                    envelope
                        .signatures
                        .iter()
                        .any(|signature| signature.keyid == key.id)
                };
                let keys = authority.root().keys.iter().filter(signed);
                let tenant = keys.into_iter().find_map(|key| key.tenant.clone());
                let facts = |id: &CellId| {
                    let mut facts = self.facts(id)?;
                    facts.tenant = facts.tenant.and(tenant.clone());
                    Some(facts)
                };
                let held = authority.check_release(envelope, &facts, now);
                return held
                    .map(|held| held.release().clone())
                    .map_err(|no| no.to_string());
            }
            _ => {}
        }
        let held = authority.check_release(envelope, &|id| self.facts(id), now);
        held.map(|held| held.release().clone())
            .map_err(|no| no.to_string())
    }

    fn facts(&self, id: &CellId) -> Option<CellFacts> {
        let cell = self.table.cell(id)?;
        let epoch = match self.mutant {
            Some(Mutant::GateForgetsEpoch) => Epoch(0),
            _ => self.doors.get(id)?.epoch,
        };
        Some(CellFacts {
            class: cell.class,
            kind: cell.kind,
            tenant: cell.tenant.clone(),
            site: cell.site.clone(),
            service: cell.service.clone(),
            epoch,
        })
    }

    fn open(&mut self, release: &Release) {
        let wide = self.mutant == Some(Mutant::GateOpensWide);
        let stage = if wide { Stage::Full } else { release.stage };
        for bound in &release.cells {
            let neighbours = self.mutant == Some(Mutant::GateOpensNeighbours);
            for (id, door) in &mut self.doors {
                let is_it = *id == bound.cell;
                if is_it || (neighbours && id.owner() == bound.cell.owner()) {
                    door.stage = stage;
                    door.not_after = release.not_after;
                    door.epoch = door.epoch.max(bound.epoch);
                }
            }
        }
    }

    fn shut(&mut self, close: &Close) {
        if self.mutant == Some(Mutant::GateIgnoresWideCloses)
            && !matches!(close.scope, Scope::Cells(_))
        {
            return;
        }
        let covered: Vec<CellId> = self
            .doors
            .keys()
            .filter(|id| {
                self.facts(id)
                    .is_some_and(|facts| facts.is_in(&close.scope, id))
            })
            .cloned()
            .collect();
        let burns = self.mutant != Some(Mutant::GateBurnsNothing);
        for id in covered {
            let door = self.doors.entry(id).or_default();
            if door.epoch <= close.epoch {
                door.stage = Stage::Closed;
                door.epoch = if burns { close.epoch } else { Epoch(0) };
            }
        }
    }
}

/// What an envelope says it is, for those who only carry it.
pub fn statement(envelope: &str) -> Option<Statement> {
    let envelope = Envelope::parse(envelope.as_bytes()).ok()?;
    Statement::parse(&envelope.payload).ok()
}
