//! The whole: people, control plane, gates, the wire, the adversary on it, the checkers.
//!
//! In:    a seed, perhaps a mistake. Out: steps; after each the checkers look.
//! Never: lets a checker change anything.

use std::sync::Arc;

use anlauf_model::feed::{FeedItem, FeedKind, GateCellState, GateReport};
use anlauf_model::{
    CellId, FindingKind, Landscape, Minutes, OrganisationId, Role, Text, Timestamp, Verdict,
};
use anlauf_recovery::command::SignatureDraft;
use anlauf_recovery::{Actor, Command, Event, Order, close_statement, query};
use anlauf_trust::{Envelope, Scope, Signature};

use crate::adversary;
use crate::cast::Cast;
use crate::chance::Chance;
use crate::check::{Acknowledged, Broken, Ledger, Truth};
use crate::gate::{Gate, Judged};
use crate::landscape;
use crate::mutant::Mutant;
use crate::people::{Job, View, What, found};
use crate::plane::Plane;
use crate::report::Report;

/// How many gates there are.
const GATE_COUNT: usize = 3;

/// How many tenants.
const TENANT_COUNT: u32 = 6;

/// When every story begins.
const START: Timestamp = Timestamp(1_777_000_000_000);

/// Everything of one run.
pub struct World {
    /// What was done so far.
    pub report: Report,
    chance: Chance,
    now: Timestamp,
    landscape: Arc<Landscape>,
    cast: Cast,
    plane: Plane,
    gates: Vec<(Gate, Acknowledged)>,
    truth: Truth,
    ledger: Ledger,
    keys: u64,
    silent: Vec<(String, Timestamp)>,
    strays: adversary::Strays,
}

impl World {
    /// Ordinary days: everyone has a key, everything is commissioned, nothing is open yet.
    ///
    /// # Errors
    /// The first orders are refused.
    pub fn new(seed: u64, mutant: Option<Mutant>) -> Result<Self, Broken> {
        let declared = landscape::landscape(TENANT_COUNT);
        let landscape = Landscape::new(declared.clone())
            .map_err(|problems| ("setup", format!("the landscape is unsound: {problems:?}")))?;
        let landscape = Arc::new(landscape);
        let cast = Cast::new(&landscape, seed);
        let root = cast.root(START);
        let gate = |number: usize| {
            let name = format!("gate-{number}");
            Gate::new(name, root.digest(), landscape.gate_table(), mutant)
        };
        let mut world = Self {
            report: Report::default(),
            chance: Chance::new(seed),
            now: START,
            truth: Truth::new(Arc::clone(&landscape), &cast),
            gates: (1..=GATE_COUNT)
                .map(|n| (gate(n), Acknowledged::default()))
                .collect(),
            plane: Plane::new(mutant),
            ledger: Ledger::default(),
            keys: 0,
            silent: Vec::new(),
            strays: Vec::new(),
            landscape,
            cast,
        };
        let rules = anlauf_model::landscape::policy::normal_rules(&declared.policy);
        let policy = world.cast.policy(&world.landscape, 1, rules);
        world.note(&root);
        world.note(&policy);
        for order in [
            Order::AdoptLandscape {
                landscape: Box::new(declared),
            },
            Order::AdoptRoot { envelope: root },
            Order::AdoptPolicy { envelope: policy },
        ] {
            let actor = world.cast.actor("op-1").clone();
            if !world.command(actor, order)? {
                return Err(("setup", "a first order was refused".into()));
            }
        }
        Ok(world)
    }

    /// The attack is seen: declared, and everything shut at once.
    ///
    /// # Errors
    /// A promise did not hold.
    pub fn attack(&mut self) -> Result<(), Broken> {
        let title = Text {
            de: "Angriff".into(),
            en: "attack".into(),
        };
        self.order("op-1", Order::DeclareIncident { title })?;
        self.shut_by("op-1", Scope::Everything)
    }

    /// One step: people, gates, the wire, the adversary.
    ///
    /// # Errors
    /// The first promise that did not hold.
    pub fn step(&mut self) -> Result<(), Broken> {
        self.now = self.now + self.chance.minutes(0, 12);
        self.report.steps += 1;
        for _ in 0..8 {
            self.someone_works()?;
        }
        if self.chance.percent(6) {
            self.someone_errs()?;
        }
        if self.chance.percent(70) {
            let gate = self.chance.below(self.gates.len());
            self.wire(gate)?;
        }
        if self.chance.percent(2) {
            let gate = self.chance.below(self.gates.len());
            self.gates[gate].0.restart();
            self.report.restarts += 1;
        }
        self.check(self.report.steps.is_multiple_of(50))
    }

    /// After the storm: nobody is silent, nothing is lost, the adversary is gone. Everything that
    /// may open must open, everywhere, and the incident must end.
    ///
    /// # Errors
    /// It does not within `rounds_max` rounds, or a promise does not hold on the way.
    pub fn calm(&mut self, rounds_max: u32) -> Result<(), Broken> {
        self.silent.clear();
        // What the adversary kept from a gate is read again from the start of the feed.
        self.gates
            .iter_mut()
            .for_each(|(gate, _)| gate.position = 0);
        for round in 1..=rounds_max {
            self.now = self.now + Minutes(30);
            for job in self.jobs(true) {
                self.do_job(job)?;
            }
            for index in 0..self.gates.len() {
                let items = self.plane.feed(self.gates[index].0.position);
                self.hand(index, items.into_iter().map(|item| (item, false)).collect())?;
                self.report_of(index)?;
            }
            self.check(false)?;
            if self.is_whole() {
                self.report.calm_rounds = round;
                return self.check(true);
            }
        }
        Err((
            "liveness",
            format!(
                "not everything opened in {rounds_max} rounds: {}",
                self.shut()
            ),
        ))
    }

    fn is_whole(&self) -> bool {
        let state = self.plane.state.as_of(self.now);
        state.running().is_none() && self.shut().is_empty()
    }

    /// The first cells that are not back somewhere.
    fn shut(&self) -> String {
        let state = self.plane.state.as_of(self.now);
        let mut shut = Vec::new();
        for (id, cell) in self.landscape.cells() {
            let last = cell.stage_last();
            if state.cells.get(id).is_none_or(|known| known.stage < last) {
                shut.push(id.to_string());
            }
            for (gate, _) in &self.gates {
                if gate.stage(id, self.now) < last {
                    shut.push(format!("{id} at {}", gate.name));
                }
            }
        }
        shut.truncate(5);
        shut.join(", ")
    }

    fn check(&mut self, whole: bool) -> Result<(), Broken> {
        for (gate, known) in &self.gates {
            self.truth.gate_holds(gate, known, self.now)?;
        }
        if whole {
            self.ledger.holds(&self.plane)
        } else {
            Ok(())
        }
    }

    // --- people ---

    fn jobs(&mut self, calm: bool) -> Vec<Job> {
        let state = self.plane.state.as_of(self.now);
        let view = View {
            state: &state,
            cast: &self.cast,
            landscape: &self.landscape,
            now: self.now,
            calm,
        };
        view.jobs(&mut self.chance)
    }

    fn someone_works(&mut self) -> Result<(), Broken> {
        let jobs = self.jobs(false);
        let Some(job) = jobs.get(self.chance.below(jobs.len())).cloned() else {
            return Ok(());
        };
        if self.chance.below(500) == 0 {
            let until = self.now + self.chance.minutes(30, 300);
            self.silent.push((job.who.clone(), until));
        }
        let now = self.now;
        self.silent.retain(|(_, until)| *until > now);
        if self.silent.iter().any(|(who, _)| *who == job.who) {
            return Ok(());
        }
        let slips = if matches!(job.what, What::Sign(_)) {
            20
        } else {
            6
        };
        if self.chance.percent(slips) {
            // The wrong person tries it; whatever becomes of it, the checkers look.
            let people: Vec<_> = self.cast.people().map(|a| a.person.to_string()).collect();
            let who = people[self.chance.below(people.len())].clone();
            self.do_job(Job { who, ..job.clone() })?;
        }
        self.do_job(job.clone())?;
        if self.chance.percent(3) {
            self.do_job(job)?;
        }
        Ok(())
    }

    fn do_job(&mut self, job: Job) -> Result<(), Broken> {
        let actor = self.cast.actor(&job.who).clone();
        let order = match job.what {
            What::Order(order) => order,
            What::Policy => self.next_policy(),
            What::Sign(release) => {
                let Some(case) = self.plane.state.releases.get(&release) else {
                    return Ok(());
                };
                let signature = self.cast.signer(&job.who).signature(&case.envelope);
                self.truth.note(&case.envelope.payload, &actor.person);
                let (keyid, sig) = (signature.keyid, hex::encode(signature.sig));
                let signatures = vec![SignatureDraft {
                    release,
                    keyid,
                    sig,
                }];
                Order::AddSignatures { signatures }
            }
        };
        let signed = match &order {
            Order::AddSignatures { signatures } => signatures.first().cloned(),
            _ => None,
        };
        let accepted = self.command(actor, order)?;
        if let Some(one) = signed.filter(|_| !accepted)
            && let Ok(sig) = hex::decode(&one.sig)
        {
            self.strays.push((
                one.release,
                Signature {
                    keyid: one.keyid,
                    sig,
                },
            ));
        }
        Ok(())
    }

    fn next_policy(&mut self) -> Order {
        let authority = self.plane.state.authority.as_ref();
        let version = authority
            .and_then(|a| a.policy())
            .map_or(0, |(_, policy)| policy.version);
        let rules = self.landscape.declared().policy.clone();
        let envelope = self.cast.policy(&self.landscape, version + 1, rules);
        self.note(&envelope);
        Order::AdoptPolicy { envelope }
    }

    fn note(&mut self, envelope: &Envelope) {
        for actor in self.cast.people() {
            let keyid = self.cast.signer(actor.person.as_str()).keyid();
            if envelope
                .signatures
                .iter()
                .any(|signature| signature.keyid == keyid)
            {
                self.truth.note(&envelope.payload, &actor.person);
            }
        }
    }

    /// Things go wrong: findings fall, cells are shut, sites are held, words are taken back.
    fn someone_errs(&mut self) -> Result<(), Broken> {
        let cells: Vec<CellId> = self.landscape.cells().keys().cloned().collect();
        let cell = cells[self.chance.below(cells.len())].clone();
        match self.chance.below(9) {
            0 => self.withdraw(),
            1 => {
                let kinds = [FindingKind::ScanClean, FindingKind::ForensicsVerdict];
                let kind = kinds[self.chance.below(2)];
                self.order("for-2", found(Some(cell), kind, Verdict::Fail))
            }
            2 | 3 => self.shut_through_plane(cell),
            4 => self.shut_at_gate(cell),
            5 => {
                let site = self.landscape.cells()[&cell].site.clone();
                let until = self.now + self.chance.minutes(10, 240);
                self.order("for-1", Order::HoldSite { site, until })
            }
            6 => {
                let who = format!("{}.approver-2", cell.owner());
                let is_known = self.cast.people().any(|actor| actor.person.as_str() == who);
                let order = Order::DeclineSlots { cells: vec![cell] };
                if is_known {
                    self.order(&who, order)
                } else {
                    Ok(())
                }
            }
            7 if self.chance.percent(30) => {
                let order = self.next_policy();
                self.order("op-1", order)
            }
            _ => self.order(
                "own-2",
                Order::Release {
                    releases: Vec::new(),
                },
            ),
        }
    }

    fn order(&mut self, who: &str, order: Order) -> Result<(), Broken> {
        let actor = self.cast.actor(who).clone();
        self.command(actor, order).map(drop)
    }

    /// A finding is withdrawn, and what rests on it is shut with everything that needs it.
    fn withdraw(&mut self) -> Result<(), Broken> {
        let standing = self
            .plane
            .state
            .cells
            .values()
            .flat_map(|c| c.findings.values().copied());
        let standing: Vec<u64> = standing.collect();
        let Some(finding) = standing.get(self.chance.below(standing.len())).copied() else {
            return Ok(());
        };
        self.order("for-1", Order::WithdrawFinding { finding })?;
        let resting = query::rests_on(&self.plane.state, finding);
        if resting.is_empty() || self.chance.percent(30) {
            return Ok(());
        }
        self.shut_by("sec-2", Scope::Cells(resting))
    }

    fn shut_through_plane(&mut self, cell: CellId) -> Result<(), Broken> {
        let known = &self.landscape.cells()[&cell];
        let (site, service) = (known.site.clone(), known.service.clone());
        let tenant = known.tenant().cloned();
        let (who, scope) = match (self.chance.below(12), tenant) {
            (0, _) if self.chance.percent(30) => ("auto-1".to_owned(), Scope::Everything),
            (1, _) => ("own-1".to_owned(), Scope::Site(site)),
            (2, _) => ("op-2".to_owned(), Scope::Service(service)),
            (3 | 4, Some(tenant)) => (format!("{tenant}.approver-1"), Scope::Tenant(tenant)),
            (5, Some(_)) => ("aud-1".to_owned(), Scope::Cells(vec![cell])),
            _ => ("sec-2".to_owned(), Scope::Cells(vec![cell])),
        };
        self.shut_by(&who, scope)
    }

    fn close_by(&mut self, who: &str, scope: Scope) -> Envelope {
        let close = close_statement(&self.plane.state, self.now, scope, "simulated");
        let envelope = self.cast.sealed(close.to_payload(), [who]);
        self.note(&envelope);
        self.truth.note_close(&envelope);
        envelope
    }

    fn shut_by(&mut self, who: &str, scope: Scope) -> Result<(), Broken> {
        let envelope = self.close_by(who, scope);
        self.order(who, Order::Close { envelope })
    }

    /// One person, straight at one gate; the control plane hears of it by the gate's report.
    fn shut_at_gate(&mut self, cell: CellId) -> Result<(), Broken> {
        let envelope = self.close_by("sec-2", Scope::Cells(vec![cell]));
        let index = self.chance.below(self.gates.len());
        let text = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
        let (gate, known) = &mut self.gates[index];
        let judged = gate.close(&text, self.now);
        let item = FeedItem {
            seq: 0,
            kind: FeedKind::Close,
            envelope: text,
        };
        self.report.closes += u64::from(judged == Judged::Accepted);
        self.truth.judged(gate, known, (&item, &judged), self.now)
    }

    /// Sends an order and has the checkers look at what came of it. Whether it was accepted.
    fn command(&mut self, actor: Actor, order: Order) -> Result<bool, Broken> {
        self.keys += 1;
        let key = format!("k{}", self.keys);
        let command = Command {
            key,
            actor,
            reason: "simulated".into(),
            order,
        };
        let Ok(entries) = self.plane.command(self.now, &command) else {
            self.report.refused += 1;
            return Ok(false);
        };
        self.report.accepted += 1;
        self.ledger.acknowledged(&entries)?;
        for entry in &entries {
            self.truth.entry_holds(entry)?;
            match &entry.event {
                Event::CellsReleased { cells, .. } => self.report.releases += cells.len() as u64,
                Event::CellsClosed { cells, .. } => self.report.closes += cells.len() as u64,
                _ => {}
            }
        }
        if !entries.is_empty() && self.chance.percent(5) {
            let again = self.plane.command(self.now, &command);
            if !again.is_ok_and(|entries| entries.is_empty()) {
                return Err((
                    "repeat",
                    format!("`{}` came twice and was done twice", command.key),
                ));
            }
        }
        Ok(true)
    }

    // --- gates and the wire ---

    /// A gate asks for news, and gets what the wire and the adversary on it let through.
    fn wire(&mut self, index: usize) -> Result<(), Broken> {
        let from = self.gates[index].0.position;
        let mut page: Vec<(FeedItem, bool)> = self
            .plane
            .feed(from)
            .into_iter()
            .map(|item| (item, false))
            .collect();
        if self.chance.percent(15) {
            return Ok(());
        }
        if self.chance.percent(25) {
            page.truncate(self.chance.below(page.len() + 1));
        }
        if self.chance.percent(15) {
            let old = self.plane.feed(from.saturating_sub(30));
            page.splice(0..0, old.into_iter().map(|item| (item, false)));
        }
        if self.chance.percent(5) && page.len() > 1 {
            let (one, other) = (self.chance.below(page.len()), self.chance.below(page.len()));
            page.swap(one, other);
        }
        if self.chance.percent(8) && !page.is_empty() {
            page.remove(self.chance.below(page.len()));
        }
        if self.chance.percent(60) {
            self.slip_in(&mut page, from);
        }
        self.hand(index, page)?;
        if self.chance.percent(60) {
            self.report_of(index)
        } else {
            Ok(())
        }
    }

    /// The adversary puts forged items between the others, with numbers that a gate looks at.
    fn slip_in(&mut self, page: &mut Vec<(FeedItem, bool)>, from: u64) {
        for _ in 0..=self.chance.below(3) {
            let known = (&self.cast, &mut self.truth);
            let seen = (&self.plane.state, &self.strays);
            let forged = adversary::forge(&mut self.chance, seen, known, self.now);
            let Some((kind, envelope)) = forged else {
                continue;
            };
            let place = self.chance.below(page.len() + 1);
            let before = place
                .checked_sub(1)
                .map_or(from, |before| page[before].0.seq);
            let item = FeedItem {
                seq: before.max(from) + 1,
                kind,
                envelope,
            };
            page.insert(place, (item, true));
        }
    }

    fn hand(&mut self, index: usize, page: Vec<(FeedItem, bool)>) -> Result<(), Broken> {
        let (gate, known) = &mut self.gates[index];
        for (item, forged) in page {
            let judged = gate.take(&item, self.now);
            self.truth.judged(gate, known, (&item, &judged), self.now)?;
            self.report.forgeries += u64::from(forged && matches!(judged, Judged::Refused(_)));
        }
        Ok(())
    }

    fn report_of(&mut self, index: usize) -> Result<(), Broken> {
        let (gate, _) = &self.gates[index];
        let seq = self.plane.state.seq;
        let cell = |id: &CellId| GateCellState {
            cell: id.clone(),
            stage: gate.stage(id, self.now),
            epoch: gate.doors[id].epoch,
        };
        let report = GateReport {
            gate: gate
                .name
                .parse()
                .map_err(|_| ("setup", "a gate's name is illegal".to_owned()))?,
            applied: gate.position.min(seq),
            table: None,
            root_version: 1,
            changed: gate.doors.keys().map(cell).collect(),
            decisions: Vec::new(),
            counts: Default::default(),
        };
        let organisation: OrganisationId = self.landscape.declared().provider.clone();
        let person = gate
            .name
            .parse()
            .map_err(|_| ("setup", "a gate's name is illegal".to_owned()))?;
        let actor = Actor {
            person,
            organisation,
            role: Role::Gate,
            tenant: None,
        };
        self.command(
            actor,
            Order::ReportGate {
                report: Box::new(report),
            },
        )
        .map(drop)
    }
}
