//! What people would do next if they were all awake and willing.
//!
//! In:    the state as they see it on their screens. Out: [`Job`]s: who, what.
//! Never: counts as proof; whether a job may be done is the state machine's to say.

use std::collections::BTreeMap;

use anlauf_model::landscape::PolicyRule;
use anlauf_model::{
    Cell, CellId, Digest, FindingKind, Landscape, Minutes, Role, Slot, Stage, TaskKind, Text,
    Timestamp, Verdict,
};
use anlauf_recovery::command::{FindingDraft, SlotDraft, TaskRef, WaveDraft};
use anlauf_recovery::state::{Answer, CellState, ReleaseCase, ReleaseEnd, State};
use anlauf_recovery::{Actor, Order};
use anlauf_trust::KeyId;

use crate::cast::Cast;
use crate::chance::Chance;

/// Something that someone could do now.
#[derive(Clone)]
pub struct Job {
    /// Who.
    pub who: String,
    /// What.
    pub what: What,
}

/// What can be done.
#[derive(Clone)]
pub enum What {
    /// An order as it is.
    Order(Order),
    /// A signature under a release.
    Sign(Digest),
    /// The next policy, with the rules of recovery.
    Policy,
}

/// What people see.
pub struct View<'a> {
    /// As of `now`.
    pub state: &'a State,
    /// Everyone.
    pub cast: &'a Cast,
    /// What they run.
    pub landscape: &'a Landscape,
    /// Story time.
    pub now: Timestamp,
    /// Whether everyone does their best and nothing fails.
    pub calm: bool,
}

fn job(who: impl Into<String>, order: Order) -> Job {
    Job {
        who: who.into(),
        what: What::Order(order),
    }
}

/// Someone who may speak for the cell's tenant.
fn tenant_of(cell: &Cell) -> Option<String> {
    cell.tenant().map(|tenant| format!("{tenant}.approver-1"))
}

impl View<'_> {
    /// Everything someone could do now.
    pub fn jobs(&self, chance: &mut Chance) -> Vec<Job> {
        let mut jobs = self.frame(chance);
        let open = self.open_cases();
        let mut ready: BTreeMap<(&str, Stage), Vec<CellId>> = BTreeMap::new();
        for (id, cell) in self.landscape.cells() {
            let Some(known) = self.state.cells.get(id) else {
                continue;
            };
            jobs.extend(self.work(chance, cell, known));
            jobs.extend(self.agreement(chance, cell, known));
            let Some(stage) = self.stage_wanted(cell, known) else {
                continue;
            };
            if open.get(id).is_none_or(|case| self.is_stale(case)) {
                ready
                    .entry((id.owner(), stage))
                    .or_default()
                    .push(id.clone());
            }
        }
        for ((_, stage), cells) in ready {
            let spans = [
                Minutes::hours(3),
                Minutes::days(1),
                Minutes::days(5),
                Minutes::days(30),
            ];
            let span = if self.calm {
                Minutes::days(30)
            } else {
                spans[chance.below(4)]
            };
            let waves = vec![WaveDraft { cells, stage }];
            jobs.push(job(
                "op-1",
                Order::ProposeReleases {
                    waves,
                    not_after: self.now + span,
                },
            ));
        }
        jobs.extend(self.signatures());
        jobs
    }

    /// Whether ordinary days have not ended yet.
    fn is_before(&self) -> bool {
        self.state.incident.is_none()
    }

    fn frame(&self, chance: &mut Chance) -> Vec<Job> {
        let state = self.state;
        let mut jobs = Vec::new();
        let unrestored = state.unrestored().next().is_some();
        let Some(incident) = state.running() else {
            if !self.is_before() && unrestored {
                let title = Text {
                    de: "Vorfall".into(),
                    en: "incident".into(),
                };
                jobs.push(job("op-1", Order::DeclareIncident { title }));
            }
            return jobs;
        };
        let kind = FindingKind::EntryPathClosed;
        let known = incident
            .findings
            .get(&kind)
            .and_then(|number| state.findings.get(number));
        if known.is_none_or(|finding| finding.verdict == Verdict::Fail) {
            jobs.push(job("for-1", found(None, kind, Verdict::Pass)));
        }
        let version = state
            .authority
            .as_ref()
            .and_then(|a| a.policy())
            .map(|(_, p)| p.version);
        if version == Some(1) {
            jobs.push(Job {
                who: "op-1".into(),
                what: What::Policy,
            });
        }
        let behind = |cell: &CellState| {
            cell.gaps
                .iter()
                .any(|gap| gap.to.is_some() && gap.caught_up.is_none())
        };
        let cells: Vec<_> = state
            .cells
            .iter()
            .filter(|(_, c)| behind(c))
            .map(|(id, _)| id.clone())
            .collect();
        if !cells.is_empty() {
            jobs.push(job("op-2", Order::CatchUp { cells }));
        } else if !unrestored && (self.calm || chance.percent(10)) {
            jobs.push(job("op-1", Order::EndIncident));
        }
        jobs
    }

    fn work(&self, chance: &mut Chance, cell: &Cell, known: &CellState) -> Vec<Job> {
        let mut jobs = self.findings(chance, cell, known);
        let is_back = known.stage == cell.stage_last() && !self.is_behind(cell, known);
        if self.state.running().is_none() || is_back {
            return jobs;
        }
        let Some(task) = cell
            .tasks
            .keys()
            .copied()
            .find(|task| !known.is_done(*task))
        else {
            return jobs;
        };
        let tasks = vec![TaskRef {
            cell: cell.id.clone(),
            task,
        }];
        let cells = vec![cell.id.clone()];
        let tests = task == TaskKind::Acceptance;
        match (known.tasks.contains_key(&task), tests) {
            (true, true) => {
                let passed = self.calm || chance.percent(92);
                let who = tenant_of(cell).unwrap_or_else(|| "op-1".into());
                jobs.push(job(who, Order::AcceptCells { cells, passed }));
            }
            (true, false) if !self.calm && chance.percent(5) => {
                jobs.push(job("own-1", Order::FailTasks { tasks }));
            }
            (true, false) => jobs.push(job("op-1", Order::FinishTasks { tasks })),
            (false, _) if tests && self.needs_pilot(cell, known) => {}
            (false, _) if !self.needs_open(cell) && !self.is_hasty(chance, task) => {}
            (false, _) => {
                let who = if tests { tenant_of(cell) } else { None };
                let who = who.unwrap_or_else(|| "op-2".into());
                jobs.push(job(who, Order::StartTasks { tasks }));
            }
        }
        jobs
    }

    /// Findings of finished work, and of ordinary days.
    fn findings(&self, chance: &mut Chance, cell: &Cell, known: &CellState) -> Vec<Job> {
        let mut jobs = Vec::new();
        let stands = |kind: FindingKind| {
            let finding = known
                .findings
                .get(&kind)
                .and_then(|n| self.state.findings.get(n));
            finding.is_some_and(|finding| finding.verdict == Verdict::Pass)
        };
        let id = Some(cell.id.clone());
        if self.is_before() {
            if !stands(FindingKind::Commissioned) {
                let order = found(id, FindingKind::Commissioned, Verdict::Pass);
                jobs.push(job("sec-2", order));
            }
            return jobs;
        }
        for task in cell.tasks.keys().filter(|task| known.is_done(**task)) {
            let Some(kind) = task.finding().filter(|kind| !stands(*kind)) else {
                continue;
            };
            if *task != TaskKind::Acceptance {
                let verdict = if self.calm || chance.percent(97) {
                    Verdict::Pass
                } else {
                    Verdict::Fail
                };
                jobs.push(job("for-1", found(id.clone(), kind, verdict)));
            }
        }
        jobs
    }

    fn agreement(&self, chance: &mut Chance, cell: &Cell, known: &CellState) -> Vec<Job> {
        let Some(tenant) = tenant_of(cell).filter(|_| self.state.running().is_some()) else {
            return Vec::new();
        };
        if known.stage == cell.stage_last() && !self.is_behind(cell, known) {
            return Vec::new();
        }
        let cells = vec![cell.id.clone()];
        let span = Minutes::hours(if self.calm { 48 } else { 12 });
        let slot = Slot {
            from: self.now,
            to: self.now + span,
        };
        let offer = || {
            let slots = vec![SlotDraft {
                cell: cell.id.clone(),
                slot,
            }];
            vec![job("op-1", Order::OfferSlots { slots })]
        };
        match self.state.offers.get(&cell.id) {
            Some(offer) if offer.answer == Answer::Kept => Vec::new(),
            Some(known) if known.slot.to < self.now => offer(),
            Some(known) => match known.answer {
                Answer::Open if self.calm || chance.percent(80) => {
                    vec![job(tenant, Order::AgreeSlots { cells })]
                }
                Answer::Open => vec![job(tenant, Order::DeclineSlots { cells })],
                Answer::Declined | Answer::Missed => offer(),
                Answer::Agreed | Answer::Kept => Vec::new(),
            },
            None => offer(),
        }
    }

    fn needs_open(&self, cell: &Cell) -> bool {
        let open = |id: &CellId| {
            self.state
                .cells
                .get(id)
                .is_some_and(|c| c.stage.is_public())
        };
        cell.needs.iter().all(open)
    }

    /// Evidence may be taken from what is cut off; now and then someone tries the rest too.
    fn is_hasty(&self, chance: &mut Chance, task: TaskKind) -> bool {
        task == TaskKind::Evidence || (!self.calm && chance.percent(5))
    }

    fn needs_pilot(&self, cell: &Cell, known: &CellState) -> bool {
        cell.stages.contains(&Stage::Pilot) && known.stage < Stage::Pilot
    }

    /// The stage someone would draw up a release for now.
    fn stage_wanted(&self, cell: &Cell, known: &CellState) -> Option<Stage> {
        if !self.needs_open(cell) {
            return None;
        }
        let last = cell.stage_last();
        if self.is_before() {
            let found = known.findings.contains_key(&FindingKind::Commissioned);
            return (known.stage < last && found).then_some(last);
        }
        let next = cell
            .tasks
            .keys()
            .copied()
            .find(|task| !known.is_done(*task));
        if next == Some(TaskKind::Acceptance) && self.needs_pilot(cell, known) {
            return Some(Stage::Pilot);
        }
        let has_word = cell.tenant().is_none()
            || self
                .state
                .offers
                .get(&cell.id)
                .is_some_and(|offer| match offer.answer {
                    Answer::Agreed => offer.slot.from <= self.now && self.now <= offer.slot.to,
                    Answer::Kept => true,
                    _ => false,
                });
        if next.is_some() || (self.state.running().is_some() && !has_word) {
            return None;
        }
        if self.is_behind(cell, known) {
            return Some(known.stage);
        }
        let above = |stage: &&Stage| **stage > known.stage && **stage != Stage::Pilot;
        // Some go all the way at once, some stop at reduced operation; it hangs on the hour.
        let mut stages = cell.stages.iter().filter(above).copied();
        if self.now.0 / 3_600_000 % 3 == 0 {
            stages.next()
        } else {
            stages.next_back()
        }
    }

    /// Whether a gate that has read everything is less open than it should be.
    fn is_behind(&self, cell: &Cell, known: &CellState) -> bool {
        let last = self.state.feed.last().map_or(0, |item| item.seq);
        let less = |gate: &anlauf_recovery::state::GateState| {
            let stage = gate
                .cells
                .get(&cell.id)
                .map(|(stage, _)| *stage)
                .unwrap_or_default();
            gate.applied >= last && stage < known.stage
        };
        known.stage > Stage::Closed && self.state.gates.values().any(less)
    }

    fn open_cases(&self) -> BTreeMap<&CellId, &ReleaseCase> {
        let open = self
            .state
            .releases
            .values()
            .filter(|case| case.end == ReleaseEnd::Open);
        open.flat_map(|case| {
            case.release
                .cells
                .iter()
                .map(move |bound| (&bound.cell, case))
        })
        .collect()
    }

    /// Whether a release on its way can no longer be carried out.
    fn is_stale(&self, case: &ReleaseCase) -> bool {
        let policy = self.state.authority.as_ref().and_then(|a| a.policy());
        let root = self.state.authority.as_ref().map(|a| a.root());
        let is_known =
            |id: &KeyId| root.is_some_and(|root| root.keys.iter().any(|key| key.id == *id));
        let mut signed = case.envelope.signatures.iter();
        let revoked = signed.any(|one| !is_known(&one.keyid));
        let foreign = policy.is_none_or(|(digest, _)| *digest != case.release.policy);
        let fallen = case.release.cells.iter().any(|bound| {
            bound.evidence.iter().any(|evidence| {
                let cell = self.state.cells.get(&bound.cell);
                let own = cell.and_then(|c| c.findings.get(&evidence.kind).copied());
                let number = own.or_else(|| self.state.incident_finding(evidence.kind));
                let finding = number.and_then(|number| self.state.findings.get(&number));
                finding.is_none_or(|finding| finding.digest() != evidence.digest)
            })
        });
        let cells = case
            .release
            .cells
            .iter()
            .filter_map(|c| self.landscape.cell(&c.cell));
        let waits = cells.into_iter().any(|cell| !self.needs_open(cell));
        foreign || revoked || fallen || waits || case.release.not_after <= self.now
    }

    fn signatures(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        let open = self
            .state
            .releases
            .iter()
            .filter(|(_, case)| case.end == ReleaseEnd::Open);
        for (id, case) in open {
            if self.is_stale(case) {
                continue;
            }
            let missing: Vec<&Actor> = self
                .cast
                .people()
                .filter(|actor| self.is_asked(actor, case))
                .collect();
            if missing.is_empty() || case.signed.len() >= 2 {
                jobs.push(job(
                    "op-1",
                    Order::Release {
                        releases: vec![*id],
                    },
                ));
            }
            let sign = |actor: &Actor| Job {
                who: actor.person.to_string(),
                what: What::Sign(*id),
            };
            jobs.extend(missing.into_iter().map(sign));
        }
        jobs
    }

    /// Whether someone's signature would help a release.
    fn is_asked(&self, actor: &Actor, case: &ReleaseCase) -> bool {
        if case.signed.contains_key(&actor.person) {
            return false;
        }
        let rules = self
            .state
            .authority
            .as_ref()
            .and_then(|a| a.policy())
            .map(|(_, p)| &p.rules);
        case.release.cells.iter().any(|bound| {
            let cell = self.landscape.cell(&bound.cell);
            let own = actor.role != Role::Tenant
                || actor
                    .tenant
                    .as_ref()
                    .is_some_and(|t| t.as_str() == bound.cell.owner());
            let asks = |rule: &PolicyRule| rule.signers.iter().any(|s| s.role == actor.role);
            own && cell.is_some_and(|cell| {
                let mut rules = rules.into_iter().flatten();
                rules
                    .find(|rule| rule.matches(cell.class, cell.kind, case.release.stage))
                    .is_some_and(asks)
            })
        })
    }
}

/// One finding.
pub fn found(cell: Option<CellId>, kind: FindingKind, verdict: Verdict) -> Order {
    let evidence = Digest::of(format!("{cell:?} {kind}").as_bytes());
    let note = String::new();
    Order::AddFindings {
        findings: vec![FindingDraft {
            cell,
            kind,
            verdict,
            evidence,
            note,
        }],
    }
}
