//! A recovery half way: everything leaned on is back, some tenants are, some wait, some refuse.

use std::collections::BTreeMap;

use anlauf_model::feed::{GateCellState, GateCounts, GateDecision, GateReport};
use anlauf_model::{
    Cell, CellId, CellKind, Digest, FindingKind, Landscape, Minutes, PersonId, Role, Slot, Stage,
    TaskKind, Text, Timestamp, Verdict,
};
use anlauf_recovery::command::{FindingDraft, SignatureDraft, SlotDraft, TaskRef, WaveDraft};
use anlauf_recovery::state::{ReleaseCase, ReleaseEnd};
use anlauf_recovery::{Actor, Command, Order, close_statement, query};
use anlauf_trust::{Envelope, Scope};
use anlauf_web::Desk;

use crate::cast::{Cast, signer};
use crate::desk::MemoryDesk;

/// When the story begins: a Monday evening.
pub const BEGIN: Timestamp = Timestamp(1_776_715_200_000);

/// Tells the story to a desk.
pub struct Story<'a> {
    desk: &'a MemoryDesk,
    cast: &'a Cast,
    landscape: &'a Landscape,
    count: std::cell::Cell<u64>,
}

impl<'a> Story<'a> {
    pub fn new(desk: &'a MemoryDesk, cast: &'a Cast, landscape: &'a Landscape) -> Self {
        Self {
            desk,
            cast,
            landscape,
            count: std::cell::Cell::new(0),
        }
    }

    fn must(&self, actor: &Actor, reason: &str, order: Order) {
        self.count.set(self.count.get() + 1);
        let command = Command {
            key: format!("story-{}", self.count.get()),
            actor: actor.clone(),
            reason: reason.to_owned(),
            order,
        };
        if let Err(error) = self.desk.done(&command) {
            panic!(
                "{} by {}: {error}",
                command.order.verb(),
                command.actor.person
            );
        }
    }

    fn by(&self, role: Role) -> &Actor {
        self.cast.one(role, None)
    }

    /// Everything in ordinary operation.
    pub fn calm(&self) {
        let operator = self.by(Role::Operator);
        let landscape = Box::new(self.landscape.declared().clone());
        self.must(operator, "first start", Order::AdoptLandscape { landscape });
        let envelope = self.cast.root(self.desk.now());
        self.must(operator, "key ceremony", Order::AdoptRoot { envelope });
        let envelope = self.cast.policy(self.landscape, 1);
        self.must(operator, "commissioning", Order::AdoptPolicy { envelope });
        let all: Vec<&Cell> = self.landscape.cells().values().collect();
        self.findings(&all, FindingKind::Commissioned);
        for kind in [
            CellKind::Foundation,
            CellKind::Shared,
            CellKind::Switch,
            CellKind::Tenant,
            CellKind::Custom,
        ] {
            self.open_in_order(kind, "ordinary operation");
        }
        let envelope = self.cast.policy(self.landscape, 2);
        self.must(
            operator,
            "rules for incidents",
            Order::AdoptPolicy { envelope },
        );
        self.gates(0);
        self.desk.pass(Minutes::hours(3));
    }

    /// Cells of a kind, those that lean on others after those.
    fn open_in_order(&self, kind: CellKind, reason: &str) {
        loop {
            let state = self.desk.state();
            let open = |id: &CellId| state.cells[id].stage.is_public();
            let due: Vec<&Cell> = self
                .landscape
                .cells()
                .values()
                .filter(|cell| cell.kind == kind && !open(&cell.id) && cell.needs.iter().all(open))
                .collect();
            drop(state);
            if due.is_empty() {
                return;
            }
            if self.desk.state().running().is_some() {
                self.work(&due, &TaskKind::ALL);
            }
            self.open(&due, reason);
        }
    }

    fn findings(&self, cells: &[&Cell], kind: FindingKind) {
        let draft = |cell: &&Cell| FindingDraft {
            cell: Some(cell.id.clone()),
            kind,
            verdict: Verdict::Pass,
            evidence: Digest::of(format!("{kind} {}", cell.id).as_bytes()),
            note: String::new(),
        };
        let findings: Vec<_> = cells.iter().map(draft).collect();
        if !findings.is_empty() {
            self.must(
                self.by(Role::Security),
                "looked at it",
                Order::AddFindings { findings },
            );
        }
    }

    /// Steps of cells, one after the other, each with its finding.
    fn work(&self, cells: &[&Cell], steps: &[TaskKind]) {
        let operator = self.by(Role::Operator);
        for task in steps {
            let due: Vec<&Cell> = cells
                .iter()
                .filter(|cell| cell.tasks.contains_key(task))
                .copied()
                .collect();
            if due.is_empty() {
                continue;
            }
            let tasks: Vec<TaskRef> = due
                .iter()
                .map(|cell| TaskRef {
                    cell: cell.id.clone(),
                    task: *task,
                })
                .collect();
            self.must(
                operator,
                "its turn in the plan",
                Order::StartTasks {
                    tasks: tasks.clone(),
                },
            );
            self.desk.pass(Minutes(22));
            self.must(operator, "done", Order::FinishTasks { tasks });
            match task.finding() {
                Some(FindingKind::TenantAccepted) | None => {}
                Some(kind) => self.findings(&due, kind),
            }
        }
    }

    /// Waves of one owner and one stage: drawn up, signed by everyone, carried out.
    fn open(&self, cells: &[&Cell], reason: &str) {
        self.open_to(cells, reason, |cell| cell.stage_last());
    }

    fn open_to(&self, cells: &[&Cell], reason: &str, to: impl Fn(&Cell) -> Stage) {
        self.draw_up(cells, reason, to);
        self.sign(|_, _| true);
        let releases = self.open_releases();
        self.must(self.by(Role::Operator), reason, Order::Release { releases });
    }

    /// Nothing opens in a freeze.
    fn wait_for_thaw(&self) {
        let Some(began) = self.desk.state().running().map(|incident| incident.began) else {
            return;
        };
        for freeze in &self.landscape.declared().freezes {
            let day = |day: f64| began + Minutes((day * 1440.0).ceil() as i64);
            let now = self.desk.now();
            if day(freeze.from_day) - Minutes(5) <= now && now < day(freeze.to_day) {
                self.desk.pass(Minutes((day(freeze.to_day) - now).0 + 2));
            }
        }
    }

    fn draw_up(&self, cells: &[&Cell], reason: &str, to: impl Fn(&Cell) -> Stage) {
        self.wait_for_thaw();
        let mut waves: BTreeMap<(String, Stage), Vec<CellId>> = BTreeMap::new();
        for cell in cells {
            let wave = waves
                .entry((cell.id.owner().to_owned(), to(cell)))
                .or_default();
            wave.push(cell.id.clone());
        }
        let waves = waves
            .into_iter()
            .map(|((_, stage), cells)| WaveDraft { cells, stage });
        let order = Order::ProposeReleases {
            waves: waves.collect(),
            not_after: self.desk.now() + Minutes::days(80),
        };
        self.must(self.by(Role::Operator), reason, order);
    }

    fn open_releases(&self) -> Vec<Digest> {
        let state = self.desk.state();
        let open = state
            .releases
            .iter()
            .filter(|(_, case)| case.end == ReleaseEnd::Open);
        open.map(|(id, _)| *id).collect()
    }

    /// Everyone whom the rules name and who is willing signs what is open.
    fn sign(&self, willing: impl Fn(Role, &ReleaseCase) -> bool) {
        let mut acts: BTreeMap<PersonId, Vec<SignatureDraft>> = BTreeMap::new();
        {
            let state = self.desk.state();
            let (_, policy) = state
                .authority
                .as_ref()
                .and_then(|a| a.policy())
                .expect("a policy");
            for (id, case) in state
                .releases
                .iter()
                .filter(|(_, c)| c.end == ReleaseEnd::Open)
            {
                let mut demanded: BTreeMap<Role, usize> = BTreeMap::new();
                for bound in &case.release.cells {
                    let cell = self.landscape.cell(&bound.cell).expect("a cell");
                    let fits = policy
                        .rules
                        .iter()
                        .find(|rule| rule.matches(cell.class, cell.kind, case.release.stage));
                    for signer in &fits.expect("a rule").signers {
                        let count = demanded.entry(signer.role).or_default();
                        *count = (*count).max(signer.count as usize);
                    }
                }
                let owner = case.release.cells[0].cell.owner().to_owned();
                for (role, count) in demanded
                    .into_iter()
                    .filter(|(role, _)| willing(*role, case))
                {
                    let of = |actor: &&Actor| {
                        actor.role == role
                            && actor
                                .tenant
                                .as_ref()
                                .is_none_or(|tenant| tenant.as_str() == owner)
                    };
                    for actor in self.cast.actors().filter(of).take(count) {
                        if case.signed.contains_key(&actor.person) {
                            continue;
                        }
                        let signature = signer(actor.person.as_str()).signature(&case.envelope);
                        acts.entry(actor.person.clone())
                            .or_default()
                            .push(SignatureDraft {
                                release: *id,
                                keyid: signature.keyid,
                                sig: hex::encode(signature.sig),
                            });
                    }
                }
            }
        }
        for (person, signatures) in acts {
            let actor = self
                .cast
                .actors()
                .find(|actor| actor.person == person)
                .expect("known");
            let reason = "compared the statement with the evidence";
            self.must(actor, reason, Order::AddSignatures { signatures });
        }
    }

    /// Offers windows around now; the tenant agrees unless it is stubborn.
    fn agree(&self, cells: &[&Cell], stubborn: bool) {
        let slot = Slot {
            from: self.desk.now(),
            to: self.desk.now() + Minutes::days(9),
        };
        let slots = cells.iter().map(|cell| SlotDraft {
            cell: cell.id.clone(),
            slot,
        });
        let order = Order::OfferSlots {
            slots: slots.collect(),
        };
        self.must(self.by(Role::Operator), "the work is foreseeable", order);
        let mut by_owner: BTreeMap<&str, Vec<CellId>> = BTreeMap::new();
        for cell in cells {
            by_owner
                .entry(cell.id.owner())
                .or_default()
                .push(cell.id.clone());
        }
        for (owner, cells) in by_owner {
            let tenant = self.cast.one(Role::Tenant, Some(owner));
            if stubborn {
                let reason = "month-end closing runs in this window";
                self.must(tenant, reason, Order::DeclineSlots { cells });
            } else {
                self.must(tenant, "suits us", Order::AgreeSlots { cells });
            }
        }
    }

    fn plan(&self, reason: &str, adopt: bool) {
        let (plan, forecast) = {
            let state = self.desk.state();
            let situation = query::situation(&state, self.desk.now()).expect("a landscape");
            let parent = state.plan.as_ref().map(|plan| plan.id);
            let search = anlauf_planner::Search { seed: 7, steps: 0 };
            let plan = anlauf_planner::plan(&situation, parent, search).expect("a plan");
            let forecast = anlauf_planner::forecast(&situation, &plan, 60, 7);
            (plan, forecast)
        };
        let id = plan.id;
        let operator = self.by(Role::Operator);
        self.must(
            operator,
            reason,
            Order::ProposePlan {
                plan: Box::new(plan),
            },
        );
        if adopt {
            self.must(operator, reason, Order::AdoptPlan { plan: id });
            let forecast = Box::new(forecast);
            self.must(operator, reason, Order::PublishForecast { forecast });
        }
    }

    fn tell(&self, de: &str, en: &str, tenant: Option<&str>) {
        let order = Order::PublishNotice {
            text: Text {
                de: de.into(),
                en: en.into(),
            },
            next_word_at: self.desk.now() + Minutes::hours(6),
            tenant: tenant.map(|tenant| tenant.parse().expect("legal")),
        };
        self.must(self.by(Role::Operator), "regular word", order);
    }

    /// Gates report; the last `behind` cells of one are not yet as wanted.
    fn gates(&self, behind: usize) {
        for (index, name) in ["gate-north-1", "gate-west-1"].into_iter().enumerate() {
            let actor = self
                .cast
                .actors()
                .find(|a| a.person.as_str() == name)
                .expect("a gate");
            let report = {
                let state = self.desk.state();
                let keep = state.cells.len() - behind * index;
                let cells = state
                    .cells
                    .iter()
                    .take(keep)
                    .map(|(cell, now)| GateCellState {
                        cell: cell.clone(),
                        stage: now.stage,
                        epoch: now.epoch,
                    });
                let refused = GateDecision {
                    seq: state.feed.last().map_or(0, |item| item.seq),
                    accepted: false,
                    reasons: vec!["2 signatures of security are needed, 1 counts".into()],
                };
                GateReport {
                    gate: name.parse().expect("legal"),
                    applied: state.feed.last().map_or(0, |item| item.seq),
                    table: None,
                    root_version: 1,
                    changed: cells.collect(),
                    decisions: if behind > 0 {
                        vec![refused]
                    } else {
                        Vec::new()
                    },
                    counts: GateCounts::default(),
                    freshness: Vec::new(),
                }
            };
            self.must(
                actor,
                "report",
                Order::ReportGate {
                    report: Box::new(report),
                },
            );
        }
    }

    /// Twelve days into the recovery.
    pub fn mid(&self) {
        self.calm();
        self.attack();
        for kind in [CellKind::Foundation, CellKind::Shared] {
            self.open_in_order(kind, "leaned on by everyone");
        }
        self.tell(
            "Die gemeinsamen Dienste (E-Mail, Datenaustausch, Lichtbildfreigabe) laufen wieder. \
             Jetzt kommen die Kassen an die Reihe, eine nach der anderen.\n\nEs gibt keinen \
             einheitlichen Endtermin; für jede Kasse steht unten, womit wir rechnen.",
            "The shared services (e-mail, data exchange, photo release) are running again. Now the \
             insurers follow, one after another.\n\nThere is no single end date; what we expect for
                 \
             each insurer is given below.",
            None,
        );
        self.plan("foundation and shared services are back", true);
        self.tenants();
        self.plan("tenants answered", true);
        self.gates(3);
        self.left_open();
        self.plan("two slots were declined", false);
        self.desk.pass(Minutes(34));
    }

    fn attack(&self) {
        let operator = self.by(Role::Operator);
        let title = Text {
            de: "Angriff auf den gemeinsamen Dienstleister".into(),
            en: "Attack on the shared provider".into(),
        };
        self.must(
            operator,
            "encryption seen on three servers",
            Order::DeclareIncident { title },
        );
        self.desk.pass(Minutes(12));
        let reason = "shut everything possibly affected, all at once";
        let close = close_statement(
            &self.desk.state(),
            self.desk.now(),
            Scope::Everything,
            reason,
        );
        let mut envelope = Envelope::unsigned(close.to_payload());
        self.cast.closer().sign(&mut envelope);
        self.must(operator, reason, Order::Close { envelope });
        self.tell(
            "Wir haben alle Systeme kontrolliert vom Netz genommen.",
            "We have taken all systems off the net in a controlled way.",
            None,
        );
        self.desk.pass(Minutes::hours(30));
        let findings = vec![FindingDraft {
            cell: None,
            kind: FindingKind::EntryPathClosed,
            verdict: Verdict::Pass,
            evidence: Digest::of(b"entry path"),
            note: "VPN account closed, second factor enforced".into(),
        }];
        self.must(
            self.by(Role::Forensics),
            "case file 7",
            Order::AddFindings { findings },
        );
    }

    /// Tenants in five shapes: back, in part, in pilot, in the clean room's work, untouched.
    fn tenants(&self) {
        let tenants = &self.landscape.declared().tenants;
        let before = [
            TaskKind::Evidence,
            TaskKind::Rebuild,
            TaskKind::Scan,
            TaskKind::Credentials,
        ];
        for (index, tenant) in tenants.iter().enumerate().take(tenants.len() * 3 / 4) {
            let cells: Vec<&Cell> = self
                .landscape
                .cells_of_tenant(&tenant.id)
                .iter()
                .filter_map(|id| self.landscape.cell(id))
                .collect();
            let reach = 6 - (index * 6 / (tenants.len() * 3 / 4)).min(5);
            let switches: Vec<&Cell> = cells
                .iter()
                .filter(|cell| cell.kind == CellKind::Switch)
                .copied()
                .collect();
            self.switches(&switches);
            let ready = self.startable(&cells);
            if reach >= 2 {
                self.work(&ready, &before);
            }
            if reach >= 3 {
                self.work(&ready, &[TaskKind::FunctionTest]);
                let pilots: Vec<&Cell> = ready
                    .iter()
                    .filter(|cell| cell.stages.contains(&Stage::Pilot))
                    .copied()
                    .collect();
                if !pilots.is_empty() {
                    self.open_to(&pilots, "testers may begin", |_| Stage::Pilot);
                }
            }
            if reach >= 5 {
                self.finish(&ready);
            }
            if reach >= 6 {
                let next = self.startable(&cells);
                self.work(&next, &before);
            }
        }
    }

    /// A tenant's switches, those that lean on others after those.
    fn switches(&self, switches: &[&Cell]) {
        loop {
            let state = self.desk.state();
            let open = |id: &CellId| state.cells[id].stage.is_public();
            let due: Vec<&Cell> = switches
                .iter()
                .filter(|cell| !open(&cell.id) && cell.needs.iter().all(open))
                .copied()
                .collect();
            drop(state);
            if due.is_empty() {
                return;
            }
            self.work(&due, &TaskKind::ALL[..5]);
            self.finish(&due);
        }
    }

    /// Cells of a tenant's own that are shut and whose needs are open.
    fn startable(&self, cells: &[&'a Cell]) -> Vec<&'a Cell> {
        let state = self.desk.state();
        let open = |id: &CellId| state.cells[id].stage.is_public();
        let due = |cell: &&&Cell| {
            let known = &state.cells[&cell.id];
            known.stage == Stage::Closed
                && known.tasks.is_empty()
                && cell.kind != CellKind::Switch
                && cell.needs.iter().all(open)
        };
        cells.iter().filter(due).copied().collect()
    }

    /// Agreed, tested, accepted, decided, open.
    fn finish(&self, cells: &[&Cell]) {
        if cells.is_empty() {
            return;
        }
        self.agree(cells, false);
        let tested: Vec<&Cell> = cells
            .iter()
            .filter(|c| c.tasks.contains_key(&TaskKind::Acceptance))
            .copied()
            .collect();
        if let Some(first) = tested.first() {
            let tasks = tested
                .iter()
                .map(|c| TaskRef {
                    cell: c.id.clone(),
                    task: TaskKind::Acceptance,
                })
                .collect();
            self.must(
                self.by(Role::Operator),
                "testers begin",
                Order::StartTasks { tasks },
            );
            let ids = tested.iter().map(|cell| cell.id.clone()).collect();
            let tenant = self.cast.one(Role::Tenant, Some(first.id.owner()));
            let order = Order::AcceptCells {
                cells: ids,
                passed: true,
            };
            self.must(tenant, "test plan 3 was run", order);
        }
        self.work(cells, &[TaskKind::Decision]);
        self.open(cells, "agreed window");
        self.desk.pass(Minutes(40));
    }

    /// What is under way when we look: windows without an answer, releases half signed.
    fn left_open(&self) {
        let state = self.desk.state();
        let kept = |cell: &&Cell| {
            let known = &state.cells[&cell.id];
            cell.tenant().is_some() && known.restored_at.is_none() && !known.tasks.is_empty()
        };
        let due: Vec<&Cell> = self
            .landscape
            .cells()
            .values()
            .filter(kept)
            .take(9)
            .collect();
        drop(state);
        self.agree(&due[..2.min(due.len())], true);
        let slot = Slot {
            from: self.desk.now() + Minutes::days(2),
            to: self.desk.now() + Minutes::days(2) + Minutes::hours(10),
        };
        let slots = due.iter().skip(2).map(|cell| SlotDraft {
            cell: cell.id.clone(),
            slot,
        });
        let slots: Vec<_> = slots.collect();
        if !slots.is_empty() {
            self.must(
                self.by(Role::Operator),
                "foreseeable",
                Order::OfferSlots { slots },
            );
        }
        let pilots: Vec<&Cell> = {
            let state = self.desk.state();
            let of = |cell: &&Cell| {
                let known = &state.cells[&cell.id];
                let stands = |kind: &FindingKind| known.findings.contains_key(kind);
                cell.stages.contains(&Stage::Pilot)
                    && known.stage == Stage::Closed
                    && stands(&FindingKind::ScanClean)
                    && stands(&FindingKind::BackupClean)
                    && !known.tasks.contains_key(&TaskKind::FunctionTest)
            };
            self.landscape.cells().values().filter(of).take(5).collect()
        };
        if !pilots.is_empty() {
            self.work(&pilots, &[TaskKind::FunctionTest]);
            self.draw_up(&pilots, "testers may begin", |_| Stage::Pilot);
            self.sign(|role, _| role == Role::Owner);
        }
        self.tell(
            "Bei 24 Kassen sind die ersten eigenen Dienste wieder offen. Was in der Zwischenzeit \
             abgewiesen wurde, bitte noch einmal senden.",
            "At 24 insurers the first services of their own are open again. Please send again what \
             was refused in the meantime.",
            None,
        );
    }
}
