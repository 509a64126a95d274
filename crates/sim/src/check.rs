//! The checkers: what was promised, counted by hand.
//!
//! In:    who really signed what (told by whoever signs), what gates answer, what is acknowledged.
//! Out:   nothing, or the first [`Broken`] promise.
//! Never: asks the verifier, the state machine or a gate whether they are right: persons, roles and
//!        organisations are counted here once more, from the landscape alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anlauf_model::feed::{FeedItem, FeedKind};
use anlauf_model::landscape::{PolicyRule, Stale};
use anlauf_model::{
    Cell, CellId, Digest, Epoch, Landscape, Minutes, PersonId, Role, Stage, TenantId, Timestamp,
};
use anlauf_recovery::query::may_read;
use anlauf_recovery::{Actor, Entry, Event, State};
use anlauf_trust::{Close, Envelope, Freshness, Policy, Release, Scope, Statement};
use serde_json::Value;

use crate::cast::Cast;
use crate::cast::ROOT_SIGNERS;
use crate::gate::{Gate, Judged};
use crate::landscape::FRESH_MINUTES_MAX;
use crate::plane::Plane;
use crate::wrong::statement;

/// A promise that did not hold: who noticed, and what.
pub type Broken = (&'static str, String);

/// Who really signed what.
pub struct Truth {
    landscape: Arc<Landscape>,
    people: BTreeMap<PersonId, Actor>,
    /// By payload: who, and with their how manieth key.
    signed: BTreeMap<Digest, BTreeMap<PersonId, usize>>,
    /// From which roots on somebody's key before does not count any more.
    rotated: Vec<(PersonId, u64)>,
    policies: BTreeMap<Digest, Policy>,
    releases: BTreeMap<(CellId, Epoch), Vec<(Digest, Release)>>,
    closes: BTreeSet<Digest>,
    /// Closings in the feed, by their number there.
    fed: Vec<(u64, Close)>,
}

/// What a gate has acknowledged.
#[derive(Clone, Default)]
pub struct Acknowledged {
    burned: BTreeMap<CellId, Epoch>,
    opened: BTreeMap<CellId, Epoch>,
    policy: Option<(u64, Digest)>,
    root: u64,
    /// The last time at which it wrote something down.
    time: Timestamp,
    /// What each door was found to rest on; looked at again when the door moves.
    rests: Vec<Option<Rest>>,
    /// Whether its clock was right when it started. If not, it cannot know when a release ends,
    /// but for cells that need fresh word: with it comes the time.
    pub is_out_of_time: bool,
    /// Beacons it has asked with since it started, and when for the first time.
    asked: Vec<(Digest, Timestamp)>,
    /// True answers to these that have arrived: when they were asked for, and where the feed ended.
    words: Vec<(Timestamp, u64)>,
    /// Which doors need fresh word, and what they were found to know of the feed.
    needs_word: Vec<bool>,
    knows: Vec<Option<(Epoch, u64)>>,
}

/// What an open door rests on.
#[derive(Clone, Copy)]
struct Rest {
    epoch: Epoch,
    stage: Stage,
    until: Timestamp,
}

/// What the control plane has acknowledged.
#[derive(Default)]
pub struct Ledger {
    digests: Vec<Digest>,
}

// === impl Acknowledged ===

impl Acknowledged {
    /// The gate starts: every door is looked at anew, and what it asked before is forgotten.
    pub fn starts(&mut self) {
        self.rests.clear();
        self.asked.clear();
        self.words.clear();
    }

    /// The gate asks for fresh word.
    pub fn asks(&mut self, beacon: Digest, now: Timestamp) {
        if self.asked.iter().all(|(known, _)| *known != beacon) {
            self.asked.push((beacon, now));
        }
    }

    /// An answer to a beacon arrives, whatever the gate makes of it.
    pub fn hears(&mut self, word: &str) {
        let said = Freshness::parse(&payload(word));
        let asked = |said: &Freshness| {
            let mut asked = self.asked.iter();
            asked.find(|(beacon, _)| *beacon == said.beacon).copied()
        };
        if let Ok(said) = said
            && let Some((_, at)) = asked(&said)
        {
            self.words.push((at, said.head));
        }
    }
}

// === impl Truth ===

impl Truth {
    /// Nobody has signed anything.
    pub fn new(landscape: Arc<Landscape>, cast: &Cast) -> Self {
        let people = cast
            .people()
            .map(|actor| (actor.person.clone(), actor.clone()))
            .collect();
        let (signed, rotated, policies, releases, closes, fed) = Default::default();
        Self {
            landscape,
            people,
            signed,
            rotated,
            policies,
            releases,
            closes,
            fed,
        }
    }

    /// Someone signs, knowingly or with a stolen key.
    pub fn note(&mut self, payload: &[u8], person: &PersonId) {
        let digest = Digest::of(payload);
        let fresh = !self.signed.contains_key(&digest);
        let key = self.key_count(person, u64::MAX);
        let signed = self.signed.entry(digest).or_default();
        let held = signed.entry(person.clone()).or_default();
        *held = key.max(*held);
        if !fresh {
            return;
        }
        match Statement::parse(payload) {
            Ok(Statement::Policy(policy)) => {
                let name = Envelope::unsigned(payload.to_vec()).digest();
                self.policies.insert(name, policy);
            }
            Ok(Statement::Release(release)) => {
                for bound in &release.cells {
                    let known = self
                        .releases
                        .entry((bound.cell.clone(), bound.epoch))
                        .or_default();
                    known.push((digest, release.clone()));
                }
            }
            _ => {}
        }
    }

    /// Somebody has another key, from this root on.
    pub fn note_rotated(&mut self, person: &PersonId, version: u64) {
        self.rotated.push((person.clone(), version));
    }

    /// How often somebody's key was changed, up to a root.
    fn key_count(&self, person: &PersonId, version: u64) -> usize {
        let changed = self.rotated.iter();
        changed
            .filter(|(who, from)| who == person && *from <= version)
            .count()
    }

    /// A close leaves the hands of whoever signed it, as these bytes.
    pub fn note_close(&mut self, envelope: &Envelope) {
        self.closes.insert(Digest::of(&envelope.to_bytes()));
    }

    /// A close stands in the feed, acknowledged.
    pub fn note_fed(&mut self, seq: u64, envelope: &Envelope) {
        let close = Close::parse(&envelope.payload).ok();
        self.fed.extend(close.map(|close| (seq, close)));
    }

    fn signers(&self, payload: &[u8]) -> BTreeSet<&PersonId> {
        let signed = self.signed.get(&Digest::of(payload));
        signed.into_iter().flat_map(BTreeMap::keys).collect()
    }

    /// Whether the persons who signed, with keys that count under a root, are the ones that the
    /// policy of a release asks for.
    fn has_quorum(&self, digest: &Digest, release: &Release, root: u64) -> Result<(), String> {
        let policy = self
            .policies
            .get(&release.policy)
            .ok_or("nobody signed its policy")?;
        let signers = self.signed.get(digest).into_iter().flatten();
        let signers: Vec<&Actor> = signers
            .filter(|(person, key)| **key >= self.key_count(person, root))
            .filter_map(|(person, _)| self.people.get(person))
            .collect();
        for bound in &release.cells {
            let cell = self.landscape.cell(&bound.cell).ok_or("an unknown cell")?;
            let rule = rule(&policy.rules, cell, release.stage).ok_or("no rule for it")?;
            enough(rule, cell, &signers).map_err(|why| format!("{}: {why}", bound.cell))?;
        }
        Ok(())
    }

    /// Until when a cell may be as open as it is, or why it may not.
    fn rest(
        &self,
        cell: &CellId,
        (epoch, stage): (Epoch, Stage),
        (now, root): (Timestamp, u64),
    ) -> Result<Timestamp, String> {
        let mut why = format!("no release of epoch {} was ever signed", epoch.0);
        let known = self.releases.get(&(cell.clone(), epoch));
        for (digest, release) in known.into_iter().flatten() {
            // The last reason is told: the newest release is most often the one that was used.
            why = if release.stage < stage {
                format!("its release goes to {} only", release.stage)
            } else if now < release.not_before || now >= release.not_after {
                format!("its release ended at {}", release.not_after)
            } else if let Err(short) = self.has_quorum(digest, release, root) {
                short
            } else {
                return Ok(release.not_after);
            };
        }
        Err(why)
    }

    /// Whether someone who may close this really signed it.
    fn closes(&self, payload: &[u8], close: &Close) -> bool {
        self.signers(payload)
            .into_iter()
            .filter_map(|p| self.people.get(p))
            .any(|actor| match actor.role {
                Role::Operator
                | Role::Security
                | Role::Owner
                | Role::Forensics
                | Role::Automation => true,
                Role::Tenant => match (&close.scope, &actor.tenant) {
                    (Scope::Tenant(tenant), Some(own)) => tenant == own,
                    (Scope::Cells(cells), Some(own)) => {
                        cells.iter().all(|cell| cell.owner() == own.as_str())
                    }
                    _ => false,
                },
                _ => false,
            })
    }

    fn covered(&self, scope: &Scope) -> Vec<&CellId> {
        self.landscape
            .cells()
            .values()
            .filter(|cell| is_in(scope, cell))
            .map(|cell| &cell.id)
            .collect()
    }

    // --- gates ---

    /// After a gate judged something.
    ///
    /// # Errors
    /// It took what it had to refuse, or refused a close.
    pub fn judged(
        &self,
        gate: &Gate,
        known: &mut Acknowledged,
        (item, judged): (&FeedItem, &Judged),
        now: Timestamp,
    ) -> Result<(), Broken> {
        let Some(said) = statement(&item.envelope) else {
            return match judged {
                Judged::Accepted => Err(("gate", format!("{} took what says nothing", gate.name))),
                _ => Ok(()),
            };
        };
        let payload = payload(&item.envelope);
        match (said, judged) {
            (Statement::Close(close), Judged::Refused(why)) if item.kind == FeedKind::Close => {
                let whole = self.closes.contains(&Digest::of(item.envelope.as_bytes()));
                let due = close.at <= now.min(gate.now()) + Minutes(5) && known.policy.is_some();
                if whole && due && self.closes(&payload, &close) {
                    return Err(("close", format!("{} refused a close: {why}", gate.name)));
                }
            }
            (Statement::Close(close), Judged::Accepted) => {
                if !self.closes(&payload, &close) {
                    return Err(("close", format!("{} shut on nobody's word", gate.name)));
                }
                for cell in self.covered(&close.scope) {
                    let burned = known.burned.entry(cell.clone()).or_default();
                    *burned = (*burned).max(close.epoch);
                }
            }
            (Statement::Policy(policy), Judged::Accepted) => {
                let name = Envelope::unsigned(payload).digest();
                let last = known.policy.map_or(0, |(version, _)| version);
                if policy.version <= last {
                    let what = format!("{} went back to policy {}", gate.name, policy.version);
                    return Err(("policy", what));
                }
                known.policy = Some((policy.version, name));
            }
            (Statement::Root(root), Judged::Accepted) => {
                let signers = self.signers(&payload);
                let root_signer = |person: &&PersonId| ROOT_SIGNERS.contains(&person.as_str());
                if root.version <= known.root {
                    let what = format!("{} went back to root {}", gate.name, root.version);
                    return Err(("root", what));
                }
                if signers.into_iter().filter(root_signer).count() < ROOT_SIGNERS.len() {
                    let what = format!("{} took a root that others made", gate.name);
                    return Err(("root", what));
                }
                known.root = root.version;
            }
            (Statement::Release(release), Judged::Accepted) => {
                if known.policy.map(|(_, name)| name) != Some(release.policy) {
                    let what = format!("{} opened under a policy not in force", gate.name);
                    return Err(("policy", what));
                }
                self.wave_holds(gate, &release)?;
                for bound in release.cells {
                    known.opened.insert(bound.cell, bound.epoch);
                }
            }
            _ => {}
        }
        if *judged == Judged::Accepted {
            known.time = known.time.max(gate.now());
            known.rests.clear();
        }
        Ok(())
    }

    /// A wave opens with all its cells, and each only while what it needs is open there.
    fn wave_holds(&self, gate: &Gate, release: &Release) -> Result<(), Broken> {
        if !gate.is_running() {
            return Ok(());
        }
        for bound in &release.cells {
            if gate.epoch(&bound.cell) != bound.epoch {
                let what = format!("{} left {} out of its wave", gate.name, bound.cell);
                return Err(("wave", what));
            }
            let cell = self.landscape.cell(&bound.cell);
            for need in cell.into_iter().flat_map(|cell| &cell.needs) {
                if gate.released(need) == Stage::Closed {
                    let what = format!("{} opened {} without {need}", gate.name, bound.cell);
                    return Err(("needs", what));
                }
            }
        }
        Ok(())
    }

    /// A gate that started again knows all that it has acknowledged, and no earlier time.
    ///
    /// # Errors
    /// It has forgotten something.
    pub fn remembers(&self, gate: &Gate, known: &mut Acknowledged) -> Result<(), Broken> {
        for (cell, epoch) in known.burned.iter().chain(&known.opened) {
            if gate.epoch(cell) < *epoch {
                let what = format!("{} forgot epoch {} of {cell}", gate.name, epoch.0);
                return Err(("memory", what));
            }
        }
        if gate.now() < known.time {
            let what = format!(
                "{} wrote at {}, and it is {}",
                gate.name,
                known.time,
                gate.now()
            );
            return Err(("time", what));
        }
        let Some(authority) = gate.authority() else {
            return Ok(());
        };
        let (root, policy) = (authority.root().version, authority.policy());
        if root < known.root {
            let what = format!("{} forgot root {}", gate.name, known.root);
            return Err(("memory", what));
        }
        // What it wrote and died over before it said so stands too.
        known.root = root;
        if let Some((name, policy)) = policy
            && known
                .policy
                .is_none_or(|(version, _)| version < policy.version)
        {
            known.policy = Some((policy.version, *name));
        }
        Ok(())
    }

    /// A request met a door. Whether it passed; if it did, the door rests on a release that allows
    /// it, above every close that was acknowledged.
    ///
    /// # Errors
    /// It does not.
    pub fn passage(
        &self,
        gate: &Gate,
        known: &mut Acknowledged,
        index: usize,
        (gate_now, now): (Timestamp, Timestamp),
    ) -> Result<bool, Broken> {
        let door = &gate.doors()[index];
        let stage = gate.stage_of(door, gate_now);
        if stage == Stage::Closed {
            return Ok(false);
        }
        if known.rests.len() < gate.doors().len() {
            known.rests.resize(gate.doors().len(), None);
            let needs = gate
                .doors()
                .iter()
                .map(|door| self.needs_word(known, door.id()));
            known.needs_word = needs.collect();
            known.knows = vec![None; gate.doors().len()];
        }
        let epoch = door.epoch();
        let now = match (known.needs_word[index], known.is_out_of_time) {
            (true, is_out) => {
                self.word_holds(gate, known, index, now)?;
                // Clocks may be five minutes apart where fresh word is taken.
                if is_out { now - Minutes(5) } else { now }
            }
            (false, true) => gate_now,
            (false, false) => now,
        };
        if let Some(rest) = known.rests[index]
            && rest.epoch == epoch
            && rest.stage >= stage
            && now < rest.until
        {
            return Ok(true);
        }
        let burned = known
            .burned
            .get(door.id())
            .is_some_and(|burned| epoch <= *burned);
        let rest = if burned {
            Err(format!("a close burned epoch {}", epoch.0))
        } else {
            self.rest(door.id(), (epoch, stage), (now, known.root))
        };
        let until = rest.map_err(|why| {
            let what = format!("{} opened {} to {stage}: {why}", gate.name, door.id());
            ("gate", what)
        })?;
        known.rests[index] = Some(Rest {
            epoch,
            stage,
            until,
        });
        Ok(true)
    }

    /// Whether the policy in force at a gate shuts a cell for want of fresh word.
    fn needs_word(&self, known: &Acknowledged, cell: &CellId) -> bool {
        let policy = known.policy.and_then(|(_, name)| self.policies.get(&name));
        let class = self.landscape.cell(cell).map(|cell| cell.class);
        let rules = policy.map(|policy| &policy.freshness).into_iter().flatten();
        rules
            .filter(|rule| rule.stale == Stale::Close)
            .any(|rule| Some(rule.class) == class)
    }

    /// A cell that needs fresh word is open only while a true answer to a beacon of this start,
    /// asked for not too long ago, has arrived; and not on an epoch that a close has burned which
    /// stood in the feed by then, whatever the gate was told or has forgotten.
    fn word_holds(
        &self,
        gate: &Gate,
        known: &mut Acknowledged,
        index: usize,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let door = &gate.doors()[index];
        known.words.retain(|(at, _)| now <= *at + FRESH_MINUTES_MAX);
        let Some((_, head)) = known.words.iter().min().copied() else {
            let what = format!("{} opened {} without fresh word", gate.name, door.id());
            return Err(("fresh", what));
        };
        let epoch = door.epoch();
        if known.knows[index] == Some((epoch, head)) {
            return Ok(());
        }
        let cell = self.landscape.cell(door.id());
        for (seq, close) in self.fed.iter().take_while(|(seq, _)| *seq <= head) {
            let is_burned = cell.is_some_and(|cell| is_in(&close.scope, cell));
            if is_burned && epoch <= close.epoch {
                let what = format!(
                    "{} opened {} at epoch {}, which the close of entry {seq} has burned",
                    gate.name,
                    door.id(),
                    epoch.0
                );
                return Err(("fresh", what));
            }
        }
        known.knows[index] = Some((epoch, head));
        Ok(())
    }

    /// No gate is more open than a release allows that stands above every close it acknowledged.
    ///
    /// # Errors
    /// One is.
    pub fn gate_holds(
        &self,
        gate: &Gate,
        known: &mut Acknowledged,
        now: Timestamp,
    ) -> Result<(), Broken> {
        let gate_now = gate.now();
        for index in 0..gate.doors().len() {
            self.passage(gate, known, index, (gate_now, now))?;
        }
        let last = known.policy.map_or(0, |(version, _)| version);
        let policy = gate.authority().and_then(|authority| authority.policy());
        let version = policy.map_or(0, |(_, policy)| policy.version);
        if gate.is_running() && version < last {
            return Err(("policy", format!("{} forgot policy {last}", gate.name)));
        }
        Ok(())
    }

    // --- control plane ---

    /// Every release that was carried out has its quorum, and everyone reads only their own.
    ///
    /// # Errors
    /// One has not, or somebody reads of others.
    pub fn entry_holds(&self, entry: &Entry, root: u64) -> Result<(), Broken> {
        if let Event::CellsReleased { envelope, .. } = &entry.event {
            let digest = Digest::of(&envelope.payload);
            let release = Release::parse(&envelope.payload)
                .map_err(|_| ("release", format!("entry {} releases nothing", entry.seq)))?;
            self.has_quorum(&digest, &release, root)
                .map_err(|why| ("release", format!("entry {}: {why}", entry.seq)))?;
        }
        let named = owners(&entry.event);
        for tenant in &self.landscape.declared().tenants {
            if !may_read(entry, Role::Tenant, Some(&tenant.id)) {
                continue;
            }
            if let Some(other) = named
                .iter()
                .find(|owner| self.is_foreign(owner, &tenant.id))
            {
                let what = format!("{} reads of {other} in entry {}", tenant.id, entry.seq);
                return Err(("scope", what));
            }
        }
        Ok(())
    }

    fn is_foreign(&self, owner: &str, tenant: &TenantId) -> bool {
        let tenants = &self.landscape.declared().tenants;
        owner != tenant.as_str() && tenants.iter().any(|other| other.id.as_str() == owner)
    }
}

// === impl Ledger ===

impl Ledger {
    /// Digest of every acknowledged entry: the leaves of the tree that is watched.
    pub fn digests(&self) -> &[Digest] {
        &self.digests
    }

    /// Takes note of what was acknowledged.
    ///
    /// # Errors
    /// The numbers have a gap.
    pub fn acknowledged(&mut self, entries: &[Entry]) -> Result<(), Broken> {
        for entry in entries {
            if entry.seq != self.digests.len() as u64 + 1 {
                let what = format!("entry {} follows {}", entry.seq, self.digests.len());
                return Err(("ledger", what));
            }
            self.digests.push(digest(entry));
        }
        Ok(())
    }

    /// The ledger holds all that was acknowledged as it was, hands every close on, and replays to
    /// the same state.
    ///
    /// # Errors
    /// It does not.
    pub fn holds(&self, plane: &Plane) -> Result<(), Broken> {
        let held: Vec<Digest> = plane.ledger.iter().map(digest).collect();
        if held.len() < self.digests.len() {
            let lost = self.digests.len() - held.len();
            return Err(("ledger", format!("{lost} acknowledged entries are gone")));
        }
        if let Some(index) = held.iter().zip(&self.digests).position(|(a, b)| a != b) {
            return Err(("ledger", format!("entry {} was changed", index + 1)));
        }
        let ordered = plane.ledger.iter().filter_map(|entry| match &entry.event {
            Event::CloseOrdered { .. } => Some(entry.seq),
            _ => None,
        });
        let feed = plane.feed(0);
        let handed: BTreeSet<u64> = feed
            .iter()
            .filter(|i| i.kind == FeedKind::Close)
            .map(|i| i.seq)
            .collect();
        if let Some(seq) = ordered.into_iter().find(|seq| !handed.contains(seq)) {
            return Err((
                "close",
                format!("the close of entry {seq} is kept from the gates"),
            ));
        }
        let mut again = State::default();
        for entry in &plane.ledger {
            again.apply(entry);
        }
        if again == plane.state {
            Ok(())
        } else {
            Err((
                "replay",
                "the ledger gives another state than the one shown".into(),
            ))
        }
    }
}

fn is_in(scope: &Scope, cell: &Cell) -> bool {
    match scope {
        Scope::Everything => true,
        Scope::Site(site) => cell.site == *site,
        Scope::Tenant(tenant) => cell.id.owner() == tenant.as_str(),
        Scope::Service(service) => cell.service == *service,
        Scope::Cells(cells) => cells.contains(&cell.id),
    }
}

fn digest(entry: &Entry) -> Digest {
    Digest::of(&serde_json::to_vec(entry).expect("entries have only string keys"))
}

fn payload(envelope: &str) -> Vec<u8> {
    Envelope::parse(envelope.as_bytes())
        .map(|e| e.payload)
        .unwrap_or_default()
}

fn rule<'a>(rules: &'a [PolicyRule], cell: &Cell, stage: Stage) -> Option<&'a PolicyRule> {
    rules.iter().find(|rule| {
        let kind = rule.kinds.is_empty() || rule.kinds.contains(&cell.kind);
        let stage = rule.stages.is_empty() || rule.stages.contains(&stage);
        rule.class == cell.class && kind && stage
    })
}

/// Distinct persons per role, and distinct organisations of those who count.
fn enough(rule: &PolicyRule, cell: &Cell, signers: &[&Actor]) -> Result<(), String> {
    let mut counting: BTreeMap<&PersonId, &Actor> = BTreeMap::new();
    for actor in signers {
        let asked = rule.signers.iter().any(|signer| signer.role == actor.role);
        let own = actor.role != Role::Tenant
            || actor
                .tenant
                .as_ref()
                .is_some_and(|t| t.as_str() == cell.id.owner());
        if asked && own {
            counting.insert(&actor.person, actor);
        }
    }
    for signer in &rule.signers {
        let have = counting
            .values()
            .filter(|actor| actor.role == signer.role)
            .count();
        if have < signer.count as usize {
            return Err(format!(
                "{have} of {} persons as {}",
                signer.count, signer.role
            ));
        }
    }
    let organisations: BTreeSet<_> = counting.values().map(|a| &a.organisation).collect();
    if organisations.len() < rule.organisations_min as usize {
        return Err(format!(
            "{} of {} organisations",
            organisations.len(),
            rule.organisations_min
        ));
    }
    Ok(())
}

/// Owners of the cells that an event names, also under signature.
fn owners(event: &Event) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let value = serde_json::to_value(event).expect("events have only string keys");
    walk(&value, &mut found);
    if let Event::ReleaseProposed { envelope, .. }
    | Event::CellsReleased { envelope, .. }
    | Event::CloseOrdered { envelope, .. } = event
        && let Ok(value) = serde_json::from_slice(&envelope.payload)
    {
        walk(&value, &mut found);
    }
    found
}

fn walk(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.extend(
                text.parse::<CellId>()
                    .ok()
                    .map(|cell| cell.owner().to_owned()),
            );
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| walk(value, found)),
        _ => {}
    }
}
