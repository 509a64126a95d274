//! The mistakes of a gate: each one bends what goes into the product's core or comes out of it.
//!
//! In:    what the gate is about to do. Out: the same, or what a gate with this mistake would do.
//! Never: does anything without a mutant: every question has the honest answer then.

use std::collections::BTreeSet;

use anlauf_gate::lab::{Change, Door, Judged as Verdict, Kept, Part};
use anlauf_model::feed::FeedKind;
use anlauf_model::{CellId, Digest, Epoch, GateTable, PersonId, Role, Stage, Timestamp};
use anlauf_trust::{
    Authority, CellFacts, Close, Envelope, Freshness, KeyRecord, Release, ReleaseCell, Root, Scope,
    Statement,
};

use crate::landscape::FRESH_MINUTES_MAX;
use crate::mutant::Mutant;

/// What a gate does wrong, and what it needs to remember for it.
pub struct Wrong {
    mutant: Option<Mutant>,
    pin: Digest,
    table: GateTable,
    /// Roots that were taken, in order.
    roots: Vec<Envelope>,
    /// Authorities before the one in force.
    past: Vec<Authority>,
    /// Cells that are shut, though the core was not told.
    masked: BTreeSet<CellId>,
    /// Whether it has heard fresh word since it started.
    has_heard: bool,
    /// Until when it takes itself for fresh, though the core does not.
    fresh_until: Option<Timestamp>,
}

impl Wrong {
    /// Perhaps a mistake.
    pub fn new(mutant: Option<Mutant>, pin: Digest, table: GateTable) -> Self {
        Self {
            mutant,
            pin,
            table,
            roots: Vec::new(),
            past: Vec::new(),
            masked: BTreeSet::new(),
            has_heard: false,
            fresh_until: None,
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// What the gate takes for the present, of its core's time, that of a clock that forgets what
    /// was written, and the wall's.
    pub fn time(&self, core: Timestamp, (steady, wall): (Timestamp, Timestamp)) -> Timestamp {
        match self.mutant {
            Some(Mutant::GateBelievesWall) => wall,
            Some(Mutant::GateForgetsTime) => steady,
            _ => core,
        }
    }

    /// How far a door lets requests in.
    pub fn stage(&self, door: &Door, now: Timestamp) -> Stage {
        if self.mutant.is_none() {
            return door.stage(now);
        }
        if self.masked.contains(door.id()) {
            return Stage::Closed;
        }
        if self.is(Mutant::GateIgnoresEnd) {
            return door.opened().0;
        }
        if self.overlooks_stale(now) {
            return door.released(now);
        }
        door.stage(now)
    }

    /// Whether it opens what its core shuts for want of fresh word.
    fn overlooks_stale(&self, now: Timestamp) -> bool {
        match self.mutant {
            Some(Mutant::GateOpensUnproven) => !self.has_heard,
            Some(Mutant::GateIgnoresStale) => self.has_heard,
            Some(Mutant::GateTakesAnyBeacon | Mutant::GateReadsNoFeed) => {
                self.fresh_until.is_some_and(|until| now <= until)
            }
            _ => false,
        }
    }

    /// It was told an answer to a beacon, and its core took it or not.
    pub fn heard(
        &mut self,
        envelope: &str,
        is_taken: bool,
        (authority, now): (Option<&Authority>, Timestamp),
    ) {
        self.has_heard |= is_taken;
        let is_believed = match self.mutant {
            Some(Mutant::GateReadsNoFeed) => is_taken,
            Some(Mutant::GateTakesAnyBeacon) => is_signed(authority, envelope),
            _ => false,
        };
        if is_believed {
            self.fresh_until = Some(now + FRESH_MINUTES_MAX);
        }
    }

    /// Whether the gate writes down what has run out.
    pub fn expires(&self) -> bool {
        !self.is(Mutant::GateIgnoresEnd) && !self.is(Mutant::GateBelievesWall)
    }

    /// A judgement of its own, instead of the core's.
    pub fn judge(
        &self,
        (kind, envelope): (FeedKind, &str),
        doors: &[Door],
        (authority, now): (Option<&Authority>, Timestamp),
    ) -> Option<Verdict> {
        let mutant = self.mutant?;
        let envelope = Envelope::parse(envelope.as_bytes()).ok()?;
        let authority = authority?;
        let eye = Eye {
            wrong: self,
            doors,
            authority,
            now,
        };
        match kind {
            FeedKind::Release => eye
                .release(mutant, &envelope)
                .map(Change::unverified_release),
            FeedKind::Close => {
                let close = Close::parse(&envelope.payload).ok()?;
                if self.is(Mutant::GateRefusesAutomation) && eye.is_by_automation(&envelope) {
                    return Some(Verdict::Refused(vec!["machines may not".into()]));
                }
                self.is(Mutant::GateTakesAnyClose)
                    .then(|| Change::unverified_close(close))
            }
            FeedKind::Policy
                if self.is(Mutant::GateTakesOldPolicy) && authority.policy().is_some() =>
            {
                // As if the policy stood alone: whatever was adopted before is forgotten.
                let mut fresh = Authority::replay(&self.pin, &self.roots).ok()?;
                fresh.adopt_policy(&envelope, now).ok()?;
                Some(Change::unverified_authority(fresh))
            }
            FeedKind::Root if self.is(Mutant::GateTakesForeignRoot) => {
                // By the thresholds of the new root alone.
                let next = Root::parse(&envelope.payload).ok()?;
                let follows = next.version == authority.root().version + 1;
                let fresh = Authority::pinned(&envelope, &envelope.digest(), now).ok();
                fresh.filter(|_| follows).map(Change::unverified_authority)
            }
            FeedKind::Root if self.is(Mutant::GateKeepsRevoked) => {
                let mut next = authority.clone();
                next.advance_root(&envelope, now).ok()?;
                Some(Change::unverified_authority(next))
            }
            FeedKind::Root if self.is(Mutant::GateTakesOldRoot) => {
                let at = self
                    .roots
                    .iter()
                    .position(|root| root.payload == envelope.payload)?;
                let fresh = Authority::replay(&self.pin, &self.roots[..=at]).ok()?;
                Some(Change::unverified_authority(fresh))
            }
            _ => None,
        }
        .map(Verdict::Change)
    }

    /// Whether its own rules are left out.
    pub fn skips_needs(&self) -> bool {
        self.is(Mutant::GateSkipsNeeds)
    }

    /// Whether a release needs a cell that is shut, though the core was not told.
    pub fn is_masked(&self, change: &Change, table: &GateTable) -> bool {
        let cells = change
            .release()
            .into_iter()
            .flat_map(|release| &release.cells);
        let mut needs = cells
            .filter_map(|bound| table.cell(&bound.cell))
            .flat_map(|cell| &cell.needs);
        !self.masked.is_empty() && needs.any(|need| self.masked.contains(need))
    }

    /// A change as this gate carries it out.
    pub fn change(&self, change: Change, doors: &[Door]) -> Change {
        let Some(mut release) = change.release().cloned() else {
            return change;
        };
        match self.mutant {
            Some(Mutant::GateOpensWide) => release.stage = Stage::Full,
            Some(Mutant::GateOpensPart) => release.cells.truncate(1),
            Some(Mutant::GateOpensNeighbours) => {
                let Some(first) = release.cells.first().cloned() else {
                    return change;
                };
                let near = doors
                    .iter()
                    .filter(|door| door.id().owner() == first.cell.owner());
                release.cells = near
                    .map(|door| ReleaseCell {
                        cell: door.id().clone(),
                        ..first.clone()
                    })
                    .collect();
            }
            _ => return change,
        }
        Change::unverified_release(release)
    }

    /// In which order it is put in force.
    pub fn order(&self, kind: FeedKind, order: [Part; 2]) -> [Part; 2] {
        let is_late = kind == FeedKind::Release && self.is(Mutant::GateOpensBeforeDisk);
        if is_late {
            [Part::Install, Part::Write]
        } else {
            order
        }
    }

    /// Whether it says that it is done before the last action.
    pub fn acknowledges_early(&self, kind: FeedKind, index: usize) -> bool {
        let is_early = match kind {
            FeedKind::Close => self.is(Mutant::GateClosesBeforeDisk),
            FeedKind::Release => self.is(Mutant::GateOpensBeforeDisk),
            _ => false,
        };
        is_early && index == 1
    }

    /// Whether the disk gets it.
    pub fn writes(&self, change: &Change) -> bool {
        let is_lost = self.is(Mutant::GateLosesCloses) && change.closing().is_some();
        !is_lost && !self.is_overlooked(change)
    }

    /// Whether the cells get it.
    pub fn installs(&mut self, change: &Change, doors: &[Door]) -> bool {
        if let Some(release) = change.release() {
            for bound in &release.cells {
                self.masked.remove(&bound.cell);
            }
        }
        match change.closing() {
            Some(close) if self.is(Mutant::GateBurnsNothing) => {
                let covered = doors.iter().filter(|door| self.covers(close, door));
                let covered: Vec<_> = covered.map(|door| door.id().clone()).collect();
                self.masked.extend(covered);
                false
            }
            _ => !self.is_overlooked(change),
        }
    }

    fn is_overlooked(&self, change: &Change) -> bool {
        let is_wide = |close: &Close| !matches!(close.scope, Scope::Cells(_));
        self.is(Mutant::GateIgnoresWideCloses) && change.closing().is_some_and(is_wide)
    }

    fn covers(&self, close: &Close, door: &Door) -> bool {
        let facts = self.facts(door.id(), door.epoch());
        door.epoch() <= close.epoch
            && facts.is_some_and(|facts| facts.is_in(&close.scope, door.id()))
    }

    /// Something was taken.
    pub fn took(&mut self, (kind, envelope): (FeedKind, &str), before: Option<&Authority>) {
        if self.mutant.is_none() {
            return;
        }
        if kind == FeedKind::Root
            && let Ok(envelope) = Envelope::parse(envelope.as_bytes())
        {
            self.roots.push(envelope);
        }
        if kind == FeedKind::Policy {
            self.past.extend(before.cloned());
        }
    }

    /// The journal, as it is read at a start.
    pub fn reads(&mut self, disk: &mut Vec<u8>) {
        self.masked.clear();
        self.roots.clear();
        (self.has_heard, self.fresh_until) = (false, None);
        if self.is(Mutant::GateDropsTail) && disk.last() != Some(&b'\n') {
            // A torn line, and the whole one before it.
            for _ in 0..2 {
                let end = disk.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
                disk.truncate(end);
            }
            disk.push(b'\n');
        }
    }

    /// A gate whose journal does not verify, and that starts all the same: what it is to believe.
    pub fn believes_disk(&self, entries: &[Kept]) -> Vec<Change> {
        if !self.is(Mutant::GateTrustsDisk) {
            return Vec::new();
        }
        let release = |(_, signed): &Kept| {
            let (kind, envelope) = signed.as_ref()?;
            let envelope = Envelope::parse(envelope.as_bytes()).ok()?;
            let release = Release::parse(&envelope.payload).ok()?;
            (*kind == FeedKind::Release).then(|| Change::unverified_release(release))
        };
        entries.last().and_then(release).into_iter().collect()
    }

    fn facts(&self, id: &CellId, epoch: Epoch) -> Option<CellFacts> {
        let cell = self.table.cell(id)?;
        Some(CellFacts {
            class: cell.class,
            kind: cell.kind,
            tenant: cell.tenant.clone(),
            site: cell.site.clone(),
            service: cell.service.clone(),
            epoch,
        })
    }
}

/// What a wrong gate looks at.
struct Eye<'a> {
    wrong: &'a Wrong,
    doors: &'a [Door],
    authority: &'a Authority,
    now: Timestamp,
}

impl Eye<'_> {
    fn facts(&self, id: &CellId) -> Option<CellFacts> {
        let door = self.doors.iter().find(|door| door.id() == id)?;
        self.wrong.facts(id, door.epoch())
    }

    fn release(&self, mutant: Mutant, envelope: &Envelope) -> Option<Release> {
        let release = Release::parse(&envelope.payload).ok()?;
        let check = |authority: &Authority, facts: &dyn Fn(&CellId) -> Option<CellFacts>| {
            let held = authority.check_release(envelope, facts, self.now).ok()?;
            Some(held.statement().clone())
        };
        let own = |id: &CellId| self.facts(id);
        match mutant {
            Mutant::GateBelieves => self.is_fresh(&release).then_some(release),
            Mutant::GateSkipsNeeds => check(self.authority, &own),
            Mutant::GateTakesPastPolicy => {
                self.wrong.past.iter().find_map(|past| check(past, &own))
            }
            Mutant::GateForgetsEpoch => check(self.authority, &|id| {
                let facts = self.facts(id)?;
                let epoch = Epoch(0);
                Some(CellFacts { epoch, ..facts })
            }),
            Mutant::GateTakesAnyTenant => {
                let tenant = self.keys(envelope).find_map(|key| key.tenant.clone());
                check(self.authority, &|id| {
                    let facts = self.facts(id)?;
                    let tenant = facts.tenant.and(tenant.clone());
                    Some(CellFacts { tenant, ..facts })
                })
            }
            Mutant::GateCountsSignatures => {
                let held = self.is_enough(&release, self.valid(envelope).len());
                (held && self.is_fresh(&release)).then_some(release)
            }
            Mutant::GateIgnoresRole => {
                let persons: BTreeSet<&PersonId> = self
                    .valid(envelope)
                    .into_iter()
                    .map(|key| &key.person)
                    .collect();
                let held = self.is_enough(&release, persons.len());
                (held && self.is_fresh(&release)).then_some(release)
            }
            Mutant::GateCountsKeys => {
                let held = release
                    .cells
                    .iter()
                    .all(|bound| self.has_keys(envelope, &release, bound));
                (held && self.is_fresh(&release)).then_some(release)
            }
            _ => None,
        }
    }

    /// The records of the keys that signatures name, valid or not.
    fn keys<'e>(&'e self, envelope: &'e Envelope) -> impl Iterator<Item = &'e KeyRecord> {
        let named = |key: &&KeyRecord| envelope.signatures.iter().any(|one| one.keyid == key.id);
        self.authority.root().keys.iter().filter(named)
    }

    /// Each signature that holds, with its key; the same key as often as it signed.
    fn valid(&self, envelope: &Envelope) -> Vec<&KeyRecord> {
        let held = envelope.signatures.iter();
        held.filter_map(|one| self.authority.check_signature(envelope, one, self.now).ok())
            .collect()
    }

    fn is_by_automation(&self, envelope: &Envelope) -> bool {
        self.valid(envelope)
            .iter()
            .any(|key| key.role == Role::Automation)
    }

    fn is_fresh(&self, release: &Release) -> bool {
        let policy = self.authority.policy().map(|(digest, _)| *digest);
        policy == Some(release.policy)
            && (release.not_before..release.not_after).contains(&self.now)
            && release.cells.iter().all(|bound| {
                self.facts(&bound.cell)
                    .is_some_and(|facts| bound.epoch > facts.epoch)
            })
    }

    /// Whether so many, whoever they are, are as many as the rule asks for.
    fn is_enough(&self, release: &Release, have: usize) -> bool {
        let Some((_, policy)) = self.authority.policy() else {
            return false;
        };
        release.cells.iter().all(|bound| {
            let facts = self.facts(&bound.cell);
            let rule = facts.and_then(|facts| policy.rule(&facts, release.stage).cloned());
            rule.is_some_and(|rule| {
                let asked: u32 = rule.signers.iter().map(|signer| signer.count).sum();
                have >= asked as usize
            })
        })
    }

    /// Whether there are as many keys of each role as the rule asks for persons.
    fn has_keys(&self, envelope: &Envelope, release: &Release, bound: &ReleaseCell) -> bool {
        let (Some(facts), Some((_, policy))) = (self.facts(&bound.cell), self.authority.policy())
        else {
            return false;
        };
        let Some(rule) = policy.rule(&facts, release.stage) else {
            return false;
        };
        rule.signers.iter().all(|signer| {
            let of_role = self.valid(envelope).into_iter().filter(|key| {
                key.role == signer.role && (key.role != Role::Tenant || key.tenant == facts.tenant)
            });
            let ids: BTreeSet<_> = of_role.map(|key| &key.id).collect();
            ids.len() >= signer.count as usize
        })
    }
}

/// Whether an answer to a beacon was signed by a machine that may, at whatever time.
fn is_signed(authority: Option<&Authority>, envelope: &str) -> bool {
    let signed = || {
        let envelope = Envelope::parse(envelope.as_bytes()).ok()?;
        let at = Freshness::parse(&envelope.payload).ok()?.at;
        authority?.check_freshness(&envelope, at).ok()
    };
    signed().is_some()
}

/// What an envelope says it is, for those who only carry it.
pub fn statement(envelope: &str) -> Option<Statement> {
    let envelope = Envelope::parse(envelope.as_bytes()).ok()?;
    Statement::parse(&envelope.payload).ok()
}
