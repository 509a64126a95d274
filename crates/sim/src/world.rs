//! The whole: people, control plane, gates, the wire, the adversary on it, the checkers.
//!
//! In:    a seed, perhaps a mistake. Out: steps; after each the checkers look.
//! Never: lets a checker change anything.

use std::sync::Arc;

use anlauf_model::feed::{FeedItem, FeedKind, GateCellState, GateReport};
use anlauf_model::{
    CellId, Digest, FindingKind, Landscape, Minutes, OrganisationId, Role, Text, Timestamp, Verdict,
};
use anlauf_recovery::command::SignatureDraft;
use anlauf_recovery::{Actor, Command, Entry, Event, Order, Refusal, close_statement, query};
use anlauf_trust::{Envelope, FEED_SUM_EMPTY, Freshness, Scope, Signature, feed_sum};

use crate::adversary;
use crate::cast::{Cast, DOMAIN, ROTATED};
use crate::chance::Chance;
use crate::check::{Broken, Ledger, Truth};
use crate::gate::{Crash, Gate, Judged};
use crate::landscape;
use crate::mutant::Mutant;
use crate::people::{Job, View, What, found};
use crate::plane::{Death, Plane};
use crate::report::Report;
use crate::site::Site;
use crate::watch::Watch;

/// How many gates there are.
const GATE_COUNT: usize = 3;

/// How many watch the ledger from outside.
const WATCHER_COUNT: usize = 4;

/// Clients' requests per step and gate. A step is some minutes, and the gate of a small provider
/// has a few requests in every second.
const REQUEST_COUNT: usize = 1_000;

/// How many people do something in a step.
const WORKER_COUNT: usize = 6;

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
    sites: Vec<Site>,
    watch: Watch,
    truth: Truth,
    ledger: Ledger,
    keys: u64,
    silent: Vec<(String, Timestamp)>,
    strays: adversary::Strays,
    /// Chance of all that befalls questions for fresh word, and how many there were.
    fate: Chance,
    questions: u64,
    /// Whether next roots change somebody's key.
    rotates: bool,
    /// The sum of the feed, as far as it was added up.
    summed: (usize, Digest),
}

impl World {
    /// Ordinary days: everyone has a key, everything is commissioned, nothing is open yet.
    ///
    /// # Errors
    /// The first orders are refused.
    pub fn new(seed: u64, mutant: Option<Mutant>) -> Result<Self, Broken> {
        let mut declared = landscape::landscape(TENANT_COUNT);
        // Half of all stories know nothing of it, as most policies do.
        if mutant.map_or(seed.is_multiple_of(2), Mutant::is_about_freshness) {
            declared.freshness = landscape::freshness();
        }
        let landscape = Landscape::new(declared.clone())
            .map_err(|problems| ("setup", format!("the landscape is unsound: {problems:?}")))?;
        let landscape = Arc::new(landscape);
        let cast = Cast::new(&landscape, seed);
        let root = cast.root(START, 1);
        let site = |number: usize| {
            let known = (root.digest(), landscape.gate_table());
            Site::new(Gate::new(&format!("gate-{number}"), known, START, mutant))
        };
        let mut world = Self {
            report: Report::default(),
            chance: Chance::new(seed),
            now: START,
            truth: Truth::new(Arc::clone(&landscape), &cast),
            sites: (1..=GATE_COUNT).map(site).collect(),
            watch: Watch::new(seed, WATCHER_COUNT, mutant),
            plane: Plane::new(mutant),
            ledger: Ledger::default(),
            keys: 0,
            silent: Vec::new(),
            strays: Vec::new(),
            fate: Chance::new(!seed),
            questions: 0,
            rotates: mutant.map_or(seed % 4 < 2, |one| one == Mutant::GateKeepsRevoked),
            summed: (0, FEED_SUM_EMPTY),
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

    /// One step: time, people, faults, the wire, the adversary, clients.
    ///
    /// # Errors
    /// The first promise that did not hold.
    pub fn step(&mut self) -> Result<(), Broken> {
        let span = self.chance.minutes(0, 12);
        self.pass(span);
        self.report.steps += 1;
        self.people_work()?;
        if self.chance.percent(6) {
            self.someone_errs()?;
        }
        for index in 0..self.sites.len() {
            self.misfortune(index)?;
            if self.chance.percent(25) {
                self.ask(index)?;
            }
            self.deliver(index)?;
            self.clients(index)?;
        }
        if self.chance.percent(10) {
            self.watch.round(&mut self.chance, self.ledger.digests())?;
        }
        self.check(self.report.steps.is_multiple_of(100))
    }

    /// Time passes for everyone.
    fn pass(&mut self, span: Minutes) {
        self.now = self.now + span;
        for site in &mut self.sites {
            site.gate.clock.pass(span.0 * 60_000);
            site.gate.expire();
        }
    }

    /// What machines and lines suffer.
    fn misfortune(&mut self, index: usize) -> Result<(), Broken> {
        let (now, chance) = (self.now, &mut self.chance);
        let site = &mut self.sites[index];
        if !site.suffers(chance, now) {
            return Ok(());
        }
        self.report.events.faults += 1;
        let forged = if site.is_struck_by_forger(chance) {
            let seen = (&self.plane.state, &self.strays);
            let known = (&self.cast, &mut self.truth);
            adversary::forge(chance, seen, known, now)
        } else {
            None
        };
        if let Some((FeedKind::Release, envelope)) = forged {
            site.gate.forge(&envelope);
        }
        self.report.restarts += u64::from(site.start(chance, now));
        if site.gate.is_running() {
            self.truth.remembers(&site.gate, &mut site.known)?;
        }
        Ok(())
    }

    /// Clients ask a gate for cells.
    fn clients(&mut self, index: usize) -> Result<(), Broken> {
        let site = &mut self.sites[index];
        let count = site.gate.doors().len();
        if count == 0 {
            return Ok(());
        }
        let gate_now = site.gate.now();
        let first = self.chance.below(count);
        for number in 0..REQUEST_COUNT {
            let door = (first + number) % count;
            let known = &mut site.known;
            self.truth
                .passage(&site.gate, known, door, (gate_now, self.now))?;
        }
        self.report.events.requests += REQUEST_COUNT as u64;
        Ok(())
    }

    /// After the storm: nobody is silent, nothing is lost, the adversary is gone, disks and clocks
    /// are put right. Everything that may open must open, everywhere, and the incident must end.
    ///
    /// # Errors
    /// It does not within `rounds_max` rounds, or a promise does not hold on the way.
    pub fn calm(&mut self, rounds_max: u32) -> Result<(), Broken> {
        self.silent.clear();
        let now = self.now;
        for site in &mut self.sites {
            site.heal(now);
            self.truth.remembers(&site.gate, &mut site.known)?;
        }
        for round in 1..=rounds_max {
            self.pass(Minutes(30));
            for job in self.jobs(true) {
                self.do_job(job)?;
            }
            for index in 0..self.sites.len() {
                for item in self.plane.feed(self.sites[index].gate.position) {
                    self.report.events.messages += 1;
                    self.hand(index, (item, false), None)?;
                }
                self.ask_word(index);
                while let Some(word) = self.sites[index].calm_word() {
                    self.hear(index, &word);
                }
                self.report_of(index)?;
                self.clients(index)?;
            }
            self.check(round.is_multiple_of(10))?;
            if self.is_whole() {
                self.report.calm_rounds = round;
                self.report.events.actions +=
                    self.sites.iter().map(|s| s.gate.actions).sum::<u64>();
                self.report.events.trees += self.watch.actions;
                self.sites.iter_mut().for_each(|site| site.gate.actions = 0);
                self.watch.actions = 0;
                return self.ledger.holds(&self.plane);
            }
        }
        let open = self.plane.state.running().is_some();
        let open = if open { "open" } else { "ended" };
        let mut what = format!("after {rounds_max} calm rounds the incident is {open}");
        for Site { gate, .. } in &self.sites {
            what += &format!(
                "; {} at {} of {}, {}, last no: {}",
                gate.name,
                gate.position,
                self.plane.state.seq,
                gate.now(),
                gate.refused
            );
        }
        what += &format!("; it is {}, not back: {}", self.now, self.shut());
        Err(("liveness", what))
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
            for Site { gate, .. } in &self.sites {
                if gate.stage(id) < last {
                    shut.push(format!("{id} at {}", gate.name));
                }
            }
        }
        shut.truncate(5);
        shut.join(", ")
    }

    fn check(&mut self, whole: bool) -> Result<(), Broken> {
        for Site { gate, known, .. } in &mut self.sites {
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

    /// People see their screens and work; while they do, others change what they saw.
    fn people_work(&mut self) -> Result<(), Broken> {
        let jobs = self.jobs(false);
        let now = self.now;
        self.silent.retain(|(_, until)| *until > now);
        for _ in 0..WORKER_COUNT {
            let Some(job) = jobs.get(self.chance.below(jobs.len())).cloned() else {
                return Ok(());
            };
            self.someone_works(job)?;
        }
        Ok(())
    }

    fn someone_works(&mut self, job: Job) -> Result<(), Broken> {
        if self.chance.below(500) == 0 {
            let until = self.now + self.chance.minutes(30, 300);
            self.silent.push((job.who.clone(), until));
        }
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

    /// The next root: the same people, a year longer; in some stories one of them has another key.
    fn next_root(&mut self) -> Result<(), Broken> {
        let authority = self.plane.state.authority.as_ref();
        let version = authority.map_or(0, |authority| authority.root().version);
        let next = version + 1;
        let who = ROTATED[usize::try_from(next).unwrap_or(0) % ROTATED.len()];
        let before = match self.rotates {
            true => self.cast.rotate(who, next),
            false => None,
        };
        let envelope = self.cast.root(self.now, next);
        self.note(&envelope);
        let actor = self.cast.actor("op-1").clone();
        let accepted = self.command(actor, Order::AdoptRoot { envelope })?;
        if let Some(before) = before {
            if accepted {
                let person = self.cast.actor(who).person.clone();
                self.truth.note_rotated(&person, next);
            } else {
                self.cast.take(who, before);
            }
        }
        Ok(())
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
        match self.chance.below(10) {
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
            8 if self.chance.percent(30) => self.next_root(),
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
        // Now and then someone who may not, or a machine that may.
        let stranger = if cell.owner() == "tenant-1" {
            "tenant-2.approver-1"
        } else {
            "tenant-1.approver-1"
        };
        let who = ["aud-1", stranger, "auto-1", "sec-2", "sec-2", "sec-2"][self.chance.below(6)];
        let envelope = self.close_by(who, Scope::Cells(vec![cell]));
        let index = self.chance.below(self.sites.len());
        let text = String::from_utf8_lossy(&envelope.to_bytes()).into_owned();
        let crash = self.sites[index].crash(&mut self.chance);
        let Site { gate, known, .. } = &mut self.sites[index];
        let judged = gate.close(&text, crash);
        let item = FeedItem {
            seq: 0,
            kind: FeedKind::Close,
            envelope: text,
        };
        self.report.events.messages += 1;
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
        self.report.events.commands += 1;
        let Ok(entries) = self.decided(&command)? else {
            self.report.refused += 1;
            return Ok(false);
        };
        self.report.accepted += 1;
        self.ledger.acknowledged(&entries)?;
        let authority = self.plane.state.authority.as_ref();
        let root = authority.map_or(0, |authority| authority.root().version);
        for entry in &entries {
            self.truth.entry_holds(entry, root)?;
            match &entry.event {
                Event::CellsReleased { cells, .. } => self.report.releases += cells.len() as u64,
                Event::CellsClosed { cells, .. } => self.report.closes += cells.len() as u64,
                Event::CloseOrdered { envelope, .. } => self.truth.note_fed(entry.seq, envelope),
                _ => {}
            }
        }
        if !entries.is_empty() && self.chance.percent(5) {
            self.report.events.commands += 1;
            let again = self.plane.command(self.now, &command, None);
            if !again.is_ok_and(|entries| entries.is_some_and(|entries| entries.is_empty())) {
                return Err(repeated(&command));
            }
        }
        Ok(true)
    }

    /// The control plane decides, and may die over it; then whoever asked comes again.
    fn decided(&mut self, command: &Command) -> Result<Result<Vec<Entry>, Refusal>, Broken> {
        let dies = match self.chance.below(400) {
            0 => Some(Death::BeforeDisk),
            1 => Some(Death::AfterDisk),
            _ => None,
        };
        let known = self.ledger.digests().len();
        match self.plane.command(self.now, command, dies) {
            Ok(Some(entries)) => return Ok(Ok(entries)),
            Err(refusal) => return Ok(Err(refusal)),
            Ok(None) => {}
        }
        self.report.events.faults += 1;
        let written: Vec<Entry> = self.plane.ledger.get(known..).unwrap_or_default().to_vec();
        let again = self.plane.command(self.now, command, None);
        match again {
            Ok(Some(entries)) if !written.is_empty() && entries.is_empty() => Ok(Ok(written)),
            Ok(_) if !written.is_empty() => Err(repeated(command)),
            Ok(entries) => Ok(Ok(entries.unwrap_or_default())),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    // --- gates and the wire ---

    /// A gate asks for news; what comes back is on the wire from now on.
    fn ask(&mut self, index: usize) -> Result<(), Broken> {
        let now = self.now;
        if self.sites[index].is_cut_off(now) || !self.sites[index].gate.is_running() {
            return Ok(());
        }
        let from = self.sites[index].gate.position;
        let mut page: Vec<(FeedItem, bool)> = self
            .plane
            .feed(from)
            .into_iter()
            .map(|item| (item, false))
            .collect();
        if self.chance.percent(25) {
            page.truncate(self.chance.below(page.len() + 1));
        }
        if self.chance.percent(15) {
            let old = self.plane.feed(from.saturating_sub(30));
            page.splice(0..0, old.into_iter().map(|item| (item, false)));
        }
        if self.chance.percent(60) {
            self.slip_in(&mut page, from);
        }
        let events = &mut self.report.events;
        self.sites[index].send(&mut self.chance, (page, now), events);
        self.ask_word(index);
        if self.chance.percent(60) {
            self.report_of(index)
        } else {
            Ok(())
        }
    }

    /// What is due on the wire arrives.
    fn deliver(&mut self, index: usize) -> Result<(), Broken> {
        while let Some(message) = self.sites[index].due(self.now) {
            self.report.events.messages += 1;
            let crash = self.sites[index].crash(&mut self.chance);
            self.hand(index, message, crash)?;
        }
        while let Some(word) = self.sites[index].word_due(self.now) {
            self.hear(index, &word);
        }
        Ok(())
    }

    /// A gate asks for fresh word, if it wants any. Who answers reads the ledger as it is, and is
    /// nobody's; the wire in between is the adversary's.
    fn ask_word(&mut self, index: usize) {
        self.questions += 1;
        let random = Digest::of(format!("beacon {}", self.questions).as_bytes());
        let Some(beacon) = self.sites[index].gate.beacon(random) else {
            return;
        };
        let site = &mut self.sites[index];
        site.known.asks(beacon, self.now);
        let Ok(gate) = site.gate.name.parse() else {
            return;
        };
        let (head, feed) = feed_end(&mut self.summed, &self.plane);
        let word = self.cast.word(&Freshness {
            domain: DOMAIN.into(),
            gate,
            beacon,
            at: self.now,
            head,
            feed,
        });
        site.answer(&mut self.fate, word, self.now, &mut self.report.events);
    }

    fn hear(&mut self, index: usize, word: &str) {
        let Site { gate, known, .. } = &mut self.sites[index];
        self.report.events.messages += 1;
        known.hears(word);
        gate.hear(word);
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

    fn hand(
        &mut self,
        index: usize,
        (item, forged): (FeedItem, bool),
        crash: Option<Crash>,
    ) -> Result<(), Broken> {
        let Site { gate, known, .. } = &mut self.sites[index];
        let judged = gate.take(&item, crash);
        self.report.forgeries += u64::from(forged && matches!(judged, Judged::Refused(_)));
        self.truth.judged(gate, known, (&item, &judged), self.now)
    }

    fn report_of(&mut self, index: usize) -> Result<(), Broken> {
        let gate = &self.sites[index].gate;
        if !gate.is_running() {
            return Ok(());
        }
        let seq = self.plane.state.seq;
        let cell = |id: &CellId| GateCellState {
            cell: id.clone(),
            stage: gate.stage(id),
            epoch: gate.epoch(id),
        };
        let report = GateReport {
            gate: gate
                .name
                .parse()
                .map_err(|_| ("setup", "a gate's name is illegal".to_owned()))?,
            applied: gate.position.min(seq),
            table: None,
            root_version: gate
                .authority()
                .map_or(0, |authority| authority.root().version),
            changed: gate.doors().iter().map(|door| cell(door.id())).collect(),
            decisions: Vec::new(),
            counts: Default::default(),
            freshness: Vec::new(),
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

/// Where the feed ends, and the sum of what it holds. A feed only grows.
fn feed_end(summed: &mut (usize, Digest), plane: &Plane) -> (u64, Digest) {
    let feed = &plane.state.feed;
    for item in feed.iter().skip(summed.0) {
        let envelope = Digest::of(item.envelope.as_bytes());
        *summed = (summed.0 + 1, feed_sum(&summed.1, item.seq, &envelope));
    }
    (feed.last().map_or(0, |item| item.seq), summed.1)
}

fn repeated(command: &Command) -> Broken {
    let what = format!("`{}` came twice and was done twice", command.key);
    ("repeat", what)
}
