//! Carries an entry into the state. Cannot fail.
//!
//! In:    entries in order, as `decide` made them. Out: the state they mean.
//! Never: judges; an entry that does not fit changes nothing it does not fit.

use std::sync::Arc;

use anlauf_model::feed::{FeedItem, FeedKind};
use anlauf_model::{
    CellId, Digest, Epoch, Landscape, PersonId, Role, Stage, TaskKind, Timestamp, Verdict,
};
use anlauf_trust::{CellFacts, Close, Envelope, Release, Scope, Signature};

use crate::command::TaskRef;
use crate::event::{Entry, Event, FindingEntry};
use crate::plan::thin;
use crate::state::{
    Answer, Finding, Incident, Notice, NoticeVersion, Offer, PlanNote, ReleaseCase, ReleaseEnd,
    Review, State, TaskState,
};

/// Most refused items kept per gate.
const REFUSED_COUNT_MAX: usize = 100;

/// Most plans kept for decision; an automation may propose without end, nobody reads more.
const PROPOSED_COUNT_MAX: usize = 32;

impl State {
    /// Carries one entry over. Entries must come in order.
    pub fn apply(&mut self, entry: &Entry) {
        self.seq = entry.seq;
        self.at = entry.at;
        self.run_out(entry.at);
        self.keys
            .insert(entry.key.clone(), (entry.seq, entry.command));
        match &entry.event {
            Event::CloseOrdered { envelope, .. } => {
                self.hand(entry, FeedKind::Close, envelope);
                self.burn(envelope);
            }
            Event::CellsClosed { cells, epoch, .. } => self.apply_closed(entry.at, cells, *epoch),
            Event::TasksStarted { tasks } => self.apply_started(entry.at, tasks),
            Event::TasksFinished { tasks } => self.apply_finished(entry.at, tasks),
            Event::TasksFailed { tasks } => self.apply_failed(tasks),
            Event::FindingsAdded { findings } => {
                let (by, role) = (&entry.actor.person, entry.actor.role);
                self.apply_findings(findings, (by, role, entry.at), None);
            }
            Event::FindingsSigned {
                findings,
                signer,
                role,
                found_at,
                envelope,
            } => {
                let said = (signer, *role, *found_at);
                self.apply_findings(findings, said, Some(envelope.digest()));
            }
            Event::FindingWithdrawn { finding } => self.apply_withdrawn(entry, *finding),
            Event::BreakGlassReviewed { release } => self.apply_reviewed(entry, release),
            Event::GapCaughtUp { cells } => self.apply_caught_up(entry.at, cells),
            Event::CellsAccepted { cells, passed } => {
                self.apply_accepted(entry.at, cells, *passed);
            }
            event => {
                self.apply_frame(entry, event);
                self.apply_plan(entry, event);
                self.apply_agreement(entry, event);
                self.apply_release(entry, event);
                self.apply_told(entry, event);
            }
        }
    }

    fn apply_frame(&mut self, entry: &Entry, event: &Event) {
        match event {
            Event::LandscapeAdopted { landscape } => {
                if let Ok(landscape) = Landscape::new((**landscape).clone()) {
                    self.apply_landscape(landscape);
                }
            }
            Event::RootAdopted { envelope, .. } => {
                if let Ok(authority) = crate::incident::next_root(self, entry.at, envelope) {
                    self.pin.get_or_insert(envelope.digest());
                    self.authority = Some(authority);
                    self.hand(entry, FeedKind::Root, envelope);
                }
            }
            Event::PolicyAdopted { envelope, .. } => {
                let adopted = self
                    .authority
                    .as_mut()
                    .is_some_and(|a| a.adopt_policy(envelope, entry.at).is_ok());
                if adopted {
                    self.hand(entry, FeedKind::Policy, envelope);
                }
            }
            Event::DelegationAdopted { envelope, .. } => {
                let adopted = self
                    .authority
                    .as_mut()
                    .is_some_and(|a| a.adopt_delegation(envelope, entry.at).is_ok());
                if adopted {
                    self.hand(entry, FeedKind::Delegation, envelope);
                }
            }
            Event::IncidentDeclared { title } => {
                self.incident = Some(Incident {
                    title: title.clone(),
                    began: entry.at,
                    ended: None,
                    restricted: Default::default(),
                    holds: Default::default(),
                    findings: Default::default(),
                });
                self.forget_last_recovery();
            }
            Event::IncidentNarrowed { sites } => {
                if let Some(incident) = &mut self.incident {
                    incident.restricted = sites.iter().cloned().collect();
                }
            }
            Event::SiteHeld { site, until } => {
                if let Some(incident) = &mut self.incident {
                    incident.holds.insert(site.clone(), *until);
                }
            }
            Event::IncidentEnded => {
                if let Some(incident) = &mut self.incident {
                    incident.ended = Some(entry.at);
                }
            }
            _ => {}
        }
    }

    /// Cells that are new begin closed, above every epoch that was burned where they stand.
    fn apply_landscape(&mut self, landscape: Landscape) {
        for (id, cell) in landscape.cells() {
            let facts = CellFacts {
                class: cell.class,
                kind: cell.kind,
                tenant: cell.tenant().cloned(),
                site: cell.site.clone(),
                service: cell.service.clone(),
                epoch: Epoch::default(),
            };
            let burned = self
                .burned
                .iter()
                .filter(|(scope, _)| facts.is_in(scope, id));
            let floor = burned.map(|(_, epoch)| *epoch).max().unwrap_or_default();
            let now = self.cells.entry(id.clone()).or_default();
            now.epoch = now.epoch.max(floor);
        }
        self.table = Some(landscape.gate_table().digest());
        self.landscape = Some(Arc::new(landscape));
    }

    /// Remembers what a wide close burned, for cells that do not exist yet.
    fn burn(&mut self, envelope: &Envelope) {
        let Ok(close) = Close::parse(&envelope.payload) else {
            return;
        };
        if matches!(close.scope, Scope::Cells(_)) {
            return;
        }
        match self
            .burned
            .iter_mut()
            .find(|(scope, _)| *scope == close.scope)
        {
            Some((_, epoch)) => *epoch = (*epoch).max(close.epoch),
            None => self.burned.push((close.scope, close.epoch)),
        }
    }

    /// Releases that have ended by `now` are not in force: their cells are shut, as at the gates.
    /// What was found and agreed stands; a fresh release opens them again.
    pub(crate) fn run_out(&mut self, now: Timestamp) {
        if self.run_out_first.is_none_or(|first| now < first) {
            return;
        }
        for cell in self.cells.values_mut() {
            if let Some(end) = cell.not_after.filter(|end| *end <= now) {
                cell.shut(end);
            }
        }
        self.run_out_first = self.cells.values().filter_map(|cell| cell.not_after).min();
    }

    /// A new incident starts from nothing: old work, findings, plans and words do not count.
    fn forget_last_recovery(&mut self) {
        for cell in self.cells.values_mut() {
            cell.tasks.clear();
            cell.findings.clear();
            cell.restored_at = None;
            cell.returns.clear();
        }
        self.plan = None;
        self.proposed.clear();
        self.plans.clear();
        self.forecasts.clear();
        self.offers.clear();
        self.wishes.clear();
    }

    /// Hands an envelope to the gates.
    fn hand(&mut self, entry: &Entry, kind: FeedKind, envelope: &Envelope) {
        let envelope = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
        self.feed.push(Arc::new(FeedItem {
            seq: entry.seq,
            kind,
            envelope,
        }));
    }

    fn apply_closed(&mut self, at: Timestamp, cells: &[CellId], epoch: Epoch) {
        for id in cells {
            let Some(cell) = self.cells.get_mut(id) else {
                continue;
            };
            let was_open = cell.stage > Stage::Closed;
            cell.shut(at);
            cell.epoch = cell.epoch.max(epoch);
            if was_open {
                // Someone could reach it until now: nothing that was found before speaks for it.
                cell.tasks.clear();
                cell.findings.clear();
            } else {
                // Nobody could reach it: finished work stands, work under way and decisions do not.
                cell.tasks
                    .retain(|task, known| known.finished.is_some() && *task != TaskKind::Decision);
            }
            self.offers.remove(id);
        }
    }

    fn apply_started(&mut self, at: Timestamp, tasks: &[TaskRef]) {
        for task in tasks {
            let Some(cell) = self.cells.get_mut(&task.cell) else {
                continue;
            };
            cell.tasks.insert(
                task.task,
                TaskState {
                    started: at,
                    finished: None,
                    failures: 0,
                },
            );
        }
    }

    fn apply_finished(&mut self, at: Timestamp, tasks: &[TaskRef]) {
        for task in tasks {
            let Some(cell) = self.cells.get_mut(&task.cell) else {
                continue;
            };
            if let Some(known) = cell.tasks.get_mut(&task.task) {
                known.finished = Some(at);
            }
        }
    }

    /// The step runs on from its first start, once more: its crew stays with it.
    fn apply_failed(&mut self, tasks: &[TaskRef]) {
        for task in tasks {
            let Some(cell) = self.cells.get_mut(&task.cell) else {
                continue;
            };
            if let Some(known) = cell.tasks.get_mut(&task.task) {
                known.failures += 1;
            }
        }
    }

    fn apply_findings(
        &mut self,
        findings: &[FindingEntry],
        (by, role, at): (&PersonId, Role, Timestamp),
        signed: Option<Digest>,
    ) {
        for finding in findings {
            match &finding.cell {
                Some(id) => {
                    if let Some(cell) = self.cells.get_mut(id) {
                        let step = TaskKind::yielding(finding.kind);
                        if let (Verdict::Fail, Some(step)) = (finding.verdict, step) {
                            cell.redo_from(step);
                        }
                        cell.findings.insert(finding.kind, finding.number);
                    }
                }
                None => {
                    if let Some(incident) = &mut self.incident {
                        incident.findings.insert(finding.kind, finding.number);
                    }
                }
            }
            self.findings.insert(
                finding.number,
                Finding {
                    number: finding.number,
                    cell: finding.cell.clone(),
                    kind: finding.kind,
                    verdict: finding.verdict,
                    evidence: finding.evidence,
                    note: finding.note.clone(),
                    by: by.clone(),
                    role,
                    at,
                    signed,
                    withdrawn: None,
                },
            );
        }
    }

    /// The finding falls, and the step it came from and every later one must be done again.
    fn apply_withdrawn(&mut self, entry: &Entry, number: u64) {
        let Some(finding) = self.findings.get_mut(&number) else {
            return;
        };
        finding.withdrawn = Some((entry.at, entry.reason.clone()));
        let (kind, cell) = (finding.kind, finding.cell.clone());
        let Some(id) = cell else {
            if let Some(incident) = &mut self.incident
                && incident.findings.get(&kind) == Some(&number)
            {
                incident.findings.remove(&kind);
            }
            return;
        };
        let Some(cell) = self.cells.get_mut(&id) else {
            return;
        };
        // An overtaken one takes nothing with it: a later one stands in its place.
        if cell.findings.get(&kind) == Some(&number) {
            cell.findings.remove(&kind);
            if let Some(step) = TaskKind::yielding(kind) {
                cell.redo_from(step);
            }
        }
    }

    fn apply_accepted(&mut self, at: Timestamp, cells: &[CellId], passed: bool) {
        for id in cells {
            let Some(cell) = self.cells.get_mut(id) else {
                continue;
            };
            if passed {
                if let Some(task) = cell.tasks.get_mut(&TaskKind::Acceptance) {
                    task.finished = Some(at);
                }
            } else {
                // The provider tests again before the tenant does.
                cell.redo_from(TaskKind::FunctionTest);
            }
        }
    }

    fn apply_caught_up(&mut self, at: Timestamp, cells: &[CellId]) {
        for id in cells {
            let Some(cell) = self.cells.get_mut(id) else {
                continue;
            };
            for gap in cell.gaps.iter_mut().filter(|gap| gap.to.is_some()) {
                gap.caught_up.get_or_insert(at);
            }
        }
    }

    fn apply_plan(&mut self, entry: &Entry, event: &Event) {
        match event {
            Event::PlanProposed { plan } => {
                self.proposed.insert(plan.id, Arc::new((**plan).clone()));
                if self.proposed.len() > PROPOSED_COUNT_MAX {
                    let oldest = self.proposed.values().map(|p| (p.made_at, p.id)).min();
                    oldest.map(|(_, id)| self.proposed.remove(&id));
                }
            }
            Event::PlanAdopted { plan } => {
                let Some(plan) = self.proposed.remove(plan) else {
                    return;
                };
                self.plans.push(PlanNote {
                    id: plan.id,
                    parent: plan.parent,
                    adopted_at: entry.at,
                    reason: entry.reason.clone(),
                    gap_per_mille: plan.gap_per_mille(),
                });
                self.plan = Some(plan);
                self.proposed.clear();
            }
            Event::ForecastPublished { forecast } => {
                self.forecasts.push(Arc::new((**forecast).clone()));
                thin(&mut self.forecasts);
            }
            _ => {}
        }
    }

    fn apply_agreement(&mut self, entry: &Entry, event: &Event) {
        match event {
            Event::WishStated { tenant, order } => {
                self.wishes.insert(tenant.clone(), order.clone());
            }
            Event::SlotsOffered { slots } => {
                for draft in slots {
                    let (slot, reason) = (draft.slot, entry.reason.clone());
                    let offer = Offer {
                        slot,
                        answer: Answer::Open,
                        at: entry.at,
                        reason,
                    };
                    self.offers.insert(draft.cell.clone(), offer);
                }
            }
            Event::SlotsAgreed { cells } => self.answer(entry, cells, Answer::Agreed),
            Event::SlotsDeclined { cells } => self.answer(entry, cells, Answer::Declined),
            Event::SlotsMissed { cells } => self.answer(entry, cells, Answer::Missed),
            _ => {}
        }
    }

    fn answer(&mut self, entry: &Entry, cells: &[CellId], answer: Answer) {
        for cell in cells {
            if let Some(offer) = self.offers.get_mut(cell) {
                offer.answer = answer;
                offer.at = entry.at;
                offer.reason = entry.reason.clone();
            }
        }
    }

    fn apply_release(&mut self, entry: &Entry, event: &Event) {
        match event {
            Event::ReleaseProposed {
                release, envelope, ..
            } => {
                let Ok(statement) = Release::parse(&envelope.payload) else {
                    return;
                };
                for bound in &statement.cells {
                    if let Some(cell) = self.cells.get_mut(&bound.cell) {
                        cell.epoch_proposed = cell.epoch_proposed.max(bound.epoch);
                    }
                }
                self.releases.insert(
                    *release,
                    ReleaseCase {
                        release: statement,
                        envelope: envelope.clone(),
                        proposed: (entry.actor.person.clone(), entry.at),
                        signed: Default::default(),
                        end: ReleaseEnd::Open,
                        review: None,
                    },
                );
            }
            Event::SignatureAdded {
                release,
                keyid,
                sig,
            } => {
                let Some(case) = self.releases.get_mut(release) else {
                    return;
                };
                let Ok(sig) = hex::decode(sig) else { return };
                case.envelope.signatures.push(Signature {
                    keyid: keyid.clone(),
                    sig,
                });
                case.signed.insert(entry.actor.person.clone(), entry.at);
            }
            Event::ReleaseDropped { release, why } => {
                if let Some(case) = self.releases.get_mut(release) {
                    case.end = ReleaseEnd::Dropped(entry.at, why.clone());
                }
            }
            Event::CellsReleased {
                release,
                stage,
                cells,
                not_after,
                envelope,
                break_glass,
            } => {
                if let Some(case) = self.releases.get_mut(release) {
                    case.end = ReleaseEnd::Released(entry.at);
                }
                for (id, epoch) in cells {
                    self.open(entry.at, id, (*stage, *break_glass), *epoch);
                    if let Some(cell) = self.cells.get_mut(id) {
                        cell.release = Some(*release);
                        cell.not_after = Some(*not_after);
                    }
                }
                let first = self
                    .run_out_first
                    .map_or(*not_after, |first| first.min(*not_after));
                self.run_out_first = Some(first);
                self.hand(entry, FeedKind::Release, envelope);
            }
            _ => {}
        }
    }

    fn open(
        &mut self,
        at: Timestamp,
        id: &CellId,
        (stage, break_glass): (Stage, bool),
        epoch: Epoch,
    ) {
        let last = self
            .landscape
            .as_ref()
            .and_then(|l| l.cell(id))
            .map(|c| c.stage_last());
        let running = self.running().is_some();
        let Some(cell) = self.cells.get_mut(id) else {
            return;
        };
        cell.stage = stage;
        cell.break_glass = break_glass;
        cell.epoch = cell.epoch.max(epoch);
        if stage.is_public()
            && let Some(gap) = cell.gaps.last_mut()
        {
            gap.to.get_or_insert(at);
        }
        if break_glass {
            // Reachable, but neither back nor what was agreed.
            cell.restored_at = None;
            return;
        }
        if Some(stage) == last && running {
            // A renewal changes nothing about when it came back.
            if cell.restored_at.is_none() {
                cell.restored_at = Some(at);
                cell.returns.push(at);
            }
        }
        if (stage.is_public() || Some(stage) == last)
            && let Some(offer) = self.offers.get_mut(id)
            && offer.answer == Answer::Agreed
        {
            offer.answer = Answer::Kept;
        }
    }

    fn apply_reviewed(&mut self, entry: &Entry, release: &Digest) {
        if let Some(case) = self.releases.get_mut(release) {
            case.review = Some(Review {
                by: entry.actor.person.clone(),
                at: entry.at,
                account: entry.reason.clone(),
            });
        }
    }

    fn apply_told(&mut self, entry: &Entry, event: &Event) {
        match event {
            Event::GateReported {
                gate,
                applied,
                decisions,
                changed,
            } => {
                let known = self.gates.entry(gate.clone()).or_default();
                let is_known = |cell: &CellId| self.cells.contains_key(cell);
                let changed = changed.iter().filter(|(cell, ..)| is_known(cell));
                known
                    .cells
                    .extend(changed.map(|(cell, stage, epoch)| (cell.clone(), (*stage, *epoch))));
                known.at = entry.at;
                known.applied = *applied;
                let refused = decisions.iter().filter(|d| !d.accepted);
                known.refused.extend(refused.map(|d| (entry.at, d.clone())));
                let surplus = known.refused.len().saturating_sub(REFUSED_COUNT_MAX);
                known.refused.drain(..surplus);
            }
            Event::NoticePublished {
                notice,
                text,
                next_word_at,
                tenant,
            } => {
                self.notices.push(Notice {
                    number: *notice,
                    tenant: tenant.clone(),
                    versions: vec![version(entry, text, *next_word_at)],
                });
            }
            Event::NoticeRevised {
                notice,
                text,
                next_word_at,
            } => {
                let index = (*notice as usize).wrapping_sub(1);
                if let Some(known) = self.notices.get_mut(index) {
                    known.versions.push(version(entry, text, *next_word_at));
                }
            }
            _ => {}
        }
    }
}

fn version(entry: &Entry, text: &anlauf_model::Text, next_word_at: Timestamp) -> NoticeVersion {
    NoticeVersion {
        at: entry.at,
        text: text.clone(),
        next_word_at,
        reason: entry.reason.clone(),
    }
}
