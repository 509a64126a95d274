//! What people do again and again in a recovery: sign and release, offer and agree, plan, tell.
//!
//! In:    the [`Scene`] with everyone on it. Out: orders through the API.
//! Never: decides what is due; that is the player's.

use std::collections::{BTreeMap, BTreeSet};

use anlauf_model::{
    CellId, Digest, Minutes, PersonId, Role, Slot, TaskKind, TenantId, Text, Timestamp,
};
use anlauf_recovery::Order;
use anlauf_recovery::command::{SignatureDraft, SlotDraft, WaveDraft};
use anlauf_recovery::state::{Answer as Word, Offer, ReleaseEnd, State};
use anyhow::Result;
use serde_json::json;
use tokio::task::JoinSet;

use super::desk::{Answer, Login};
use super::order::numbered;
use super::play::{Scene, wide};

/// How long the drill's releases hold. Days; the longest that is allowed.
const RELEASE_DAYS: i64 = 90;

/// A finding that policy demands does not stand.
const CODE_FINDING_MISSING: &str = "AN-REC-075";

/// How far ahead windows are offered.
const OFFER_AHEAD: Minutes = Minutes::days(4);

impl Scene {
    /// Draws releases up, has them signed by whom policy demands, and carries them out.
    ///
    /// # Errors
    /// When a signature that policy demands is refused.
    pub async fn release(&mut self, waves: Vec<WaveDraft>, reason: &str) -> Result<()> {
        if waves.is_empty() {
            return Ok(());
        }
        let operator = self.parties.first(Role::Operator)?.clone();
        let drawn = self.draw_up(&operator, waves, reason).await?;
        let cells: BTreeSet<CellId> = drawn.iter().flat_map(|w| w.cells.iter().cloned()).collect();
        if cells.is_empty() {
            return Ok(());
        }
        let open = self.open_releases(&cells);
        if std::mem::take(&mut self.impatient) {
            let order = Order::Release {
                releases: open.clone(),
            };
            self.attempt(&operator, "the signatures can follow", order)
                .await?;
        }
        self.sign(&open).await?;
        let public = drawn.iter().filter(|wave| wave.stage.is_public());
        // The people outside learn that the cells may open before anybody is asked to open them.
        self.traffic
            .doors
            .may_open(public.flat_map(|wave| &wave.cells));
        let order = Order::Release {
            releases: open.clone(),
        };
        match self.desk.order(&operator, reason, order).await? {
            Answer::Accepted(..) => self.tally.released += open.len() as u64,
            Answer::Refused(_) => self.release_singly(&operator, reason, &open).await?,
        }
        Ok(())
    }

    /// Draws all waves up at once; where one is refused, each cell by itself, so that one that must
    /// wait does not hold up the others. Gives what was drawn up.
    async fn draw_up(
        &mut self,
        operator: &Login,
        waves: Vec<WaveDraft>,
        reason: &str,
    ) -> Result<Vec<WaveDraft>> {
        let not_after = self.clock.get() + Minutes::days(RELEASE_DAYS);
        let order = Order::ProposeReleases {
            waves: waves.clone(),
            not_after,
        };
        if let Answer::Accepted(..) = self.desk.order(operator, reason, order).await? {
            return Ok(waves);
        }
        let mut drawn = Vec::new();
        let singly = |wave: WaveDraft| {
            let stage = wave.stage;
            wave.cells.into_iter().map(move |cell| WaveDraft {
                cells: vec![cell],
                stage,
            })
        };
        for wave in waves.into_iter().flat_map(singly) {
            let order = Order::ProposeReleases {
                waves: vec![wave.clone()],
                not_after,
            };
            match self.desk.order(operator, reason, order).await? {
                Answer::Accepted(..) => drawn.push(wave),
                Answer::Refused(reasons) => {
                    self.tally.refused(&reasons);
                    if reasons
                        .iter()
                        .all(|reason| reason.contains(CODE_FINDING_MISSING))
                    {
                        let known = self.known_of(&wave.cells);
                        self.waiting.extend(wave.cells.into_iter().zip(known));
                    }
                }
            }
        }
        Ok(drawn)
    }

    /// How many findings stand for each cell and for the incident: what a refusal rests on.
    fn known_of(&self, cells: &[CellId]) -> Vec<(usize, usize)> {
        let state = self.control.read();
        let own = |cell: &CellId| {
            state
                .cells
                .get(cell)
                .map_or(0, |known| known.findings.len())
        };
        cells.iter().map(|cell| (own(cell), wide(&state))).collect()
    }

    /// One release that is refused does not hold up the others.
    async fn release_singly(
        &mut self,
        operator: &Login,
        reason: &str,
        open: &[Digest],
    ) -> Result<()> {
        for release in open {
            let order = Order::Release {
                releases: vec![*release],
            };
            match self.desk.order(operator, reason, order).await? {
                Answer::Accepted(..) => self.tally.released += 1,
                Answer::Refused(reasons) => {
                    self.tally.refused(&reasons);
                    // It was never handed to a gate: what was shut is still known to be shut.
                    let state = self.control.read();
                    let shut = |id: &&CellId| {
                        let known = state.cells.get(*id);
                        known.is_some_and(|cell| !cell.stage.is_public())
                    };
                    let case = state.releases.get(release);
                    let bound = case.iter().flat_map(|case| &case.release.cells);
                    self.traffic
                        .doors
                        .shut(bound.map(|bound| &bound.cell).filter(shut));
                }
            }
        }
        Ok(())
    }

    fn open_releases(&self, cells: &BTreeSet<CellId>) -> Vec<Digest> {
        let state = self.control.read();
        let open = state
            .releases
            .iter()
            .filter(|(_, case)| case.end == ReleaseEnd::Open);
        open.filter(|(_, case)| case.release.cells.iter().any(|c| cells.contains(&c.cell)))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Every person signs everything that waits for them in one act.
    async fn sign(&mut self, releases: &[Digest]) -> Result<()> {
        let acts = {
            let state = self.control.read();
            let mut acts: BTreeMap<PersonId, Vec<SignatureDraft>> = BTreeMap::new();
            for (turn, release) in releases.iter().enumerate() {
                let Some(case) = state.releases.get(release) else {
                    continue;
                };
                for person in signers(&self.parties, &state, case, turn) {
                    let Some(signer) = self.parties.signer(&person) else {
                        continue;
                    };
                    let mut envelope = case.envelope.clone();
                    signer.sign(&mut envelope);
                    let Some(signature) = envelope.signatures.pop() else {
                        continue;
                    };
                    acts.entry(person).or_default().push(SignatureDraft {
                        release: *release,
                        keyid: signature.keyid,
                        sig: hex::encode(signature.sig),
                    });
                }
            }
            acts
        };
        self.tally.signatures += acts.values().map(Vec::len).sum::<usize>() as u64;
        let mut posts = JoinSet::new();
        for (person, signatures) in acts {
            let (desk, login) = (self.desk.clone(), self.parties.login(&person)?.clone());
            posts.spawn(async move {
                let order = Order::AddSignatures { signatures };
                desk.must(&login, "compared the statement with the evidence", order)
                    .await
            });
        }
        while let Some(done) = posts.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Offers windows for what is expected soon, and again for what was declined or missed.
    pub async fn offer(&mut self) -> Result<()> {
        let now = self.clock.get();
        let slots = {
            let state = self.control.read();
            due_offers(&state, now, &self.later)
        };
        if slots.is_empty() {
            return Ok(());
        }
        let operator = self.parties.first(Role::Operator)?.clone();
        let reason = "the work is foreseeable: agree the window with the tenant";
        for slot in &slots {
            let agreed = |offer: &Offer| offer.answer == Word::Agreed;
            let missed = self
                .control
                .read()
                .offers
                .get(&slot.cell)
                .is_some_and(agreed);
            if missed {
                self.note_missed(&slot.cell);
            }
        }
        let order = Order::OfferSlots { slots };
        self.desk.must(&operator, reason, order).await?;
        Ok(())
    }

    /// Every tenant answers what it was offered.
    pub async fn answer(&mut self) -> Result<()> {
        let offered = {
            let state = self.control.read();
            let mut offered: BTreeMap<TenantId, Vec<CellId>> = BTreeMap::new();
            let open = state
                .offers
                .iter()
                .filter(|(_, offer)| offer.answer == Word::Open);
            for (cell, _) in open {
                if let Ok(tenant) = cell.owner().parse::<TenantId>() {
                    offered.entry(tenant).or_default().push(cell.clone());
                }
            }
            offered
        };
        let mut posts = JoinSet::new();
        for (tenant, cells) in offered {
            let login = self.parties.tenant(&tenant)?.clone();
            let (declined, agreed): (Vec<_>, Vec<_>) =
                cells.into_iter().partition(|cell| self.declines(cell));
            for cell in declined {
                let (desk, login) = (self.desk.clone(), login.clone());
                let reason = self.decline(&cell);
                self.tally.slots_declined += 1;
                let order = Order::DeclineSlots { cells: vec![cell] };
                posts.spawn(async move { desk.must(&login, &reason, order).await });
            }
            if !agreed.is_empty() {
                self.tally.slots_agreed += agreed.len() as u64;
                let desk = self.desk.clone();
                let order = Order::AgreeSlots { cells: agreed };
                posts.spawn(async move { desk.must(&login, "the window suits us", order).await });
            }
        }
        while let Some(done) = posts.join_next().await {
            done??;
        }
        Ok(())
    }

    fn declines(&self, cell: &CellId) -> bool {
        !self.later.contains_key(cell) && self.story.decline.iter().any(|d| d.cell == *cell)
    }

    /// Remembers from when on the tenant will take a window; says why not now.
    fn decline(&mut self, cell: &CellId) -> String {
        let told = self.story.decline.iter().find(|d| d.cell == *cell);
        let (days, reason) = told.map_or((1.0, "not now"), |told| {
            (told.later_days, told.reason.as_str())
        });
        let from = self.clock.get() + Minutes((days * 1440.0) as i64);
        self.later.insert(cell.clone(), from);
        reason.to_owned()
    }

    /// Makes the next plan, puts it in force, and publishes ranges from it.
    pub async fn plan(&mut self, reason: &str) -> Result<()> {
        let operator = self.parties.first(Role::Operator)?.clone();
        let body = json!({ "reason": reason, "steps": self.steps, "seed": self.story.seed });
        let plan = match self.desk.post(&operator, "/plan/proposals", body).await? {
            Answer::Accepted(_, value) => value["plan"].as_str().unwrap_or_default().parse()?,
            Answer::Refused(reasons) => {
                self.tally.refused(&reasons);
                return self.give_up_slots().await;
            }
        };
        self.desk
            .must(&operator, reason, Order::AdoptPlan { plan })
            .await?;
        self.tally.plans += 1;
        let plan = self.control.read().plan.clone();
        self.tally.first_plan = self.tally.first_plan.take().or(plan);
        let body = json!({ "reason": reason, "samples": self.samples, "seed": self.story.seed });
        if let Answer::Refused(reasons) = self.desk.post(&operator, "/forecast", body).await? {
            self.tally.refused(&reasons);
        }
        Ok(())
    }

    /// Agreed windows that cannot all be kept are given back by the tenants that hold them.
    async fn give_up_slots(&mut self) -> Result<()> {
        let now = self.clock.get();
        let cells = {
            let state = self.control.read();
            let search = anlauf_planner::Search {
                seed: self.story.seed,
                steps: 0,
            };
            let parent = state.plan.as_ref().map(|plan| plan.id);
            let made = anlauf_recovery::query::situation(&state, now)
                .map(|situation| anlauf_planner::plan(&situation, parent, search));
            match made {
                Some(Err(contradiction)) => contradiction.cells,
                _ => Vec::new(),
            }
        };
        for cell in cells {
            let Ok(tenant) = cell.owner().parse::<TenantId>() else {
                continue;
            };
            let login = self.parties.tenant(&tenant)?.clone();
            self.later.insert(cell.clone(), now);
            self.note_missed(&cell);
            let order = Order::DeclineSlots { cells: vec![cell] };
            self.desk
                .must(&login, "the plan cannot hold it any longer", order)
                .await?;
        }
        Ok(())
    }

    /// Counts a window that was not kept under the step that ran past it.
    fn note_missed(&mut self, cell: &CellId) {
        let open = {
            let state = self.control.read();
            TaskKind::ALL.into_iter().find(|task| {
                state
                    .cells
                    .get(cell)
                    .is_some_and(|known| !known.is_done(*task))
            })
        };
        let step = open.unwrap_or(TaskKind::Decision);
        *self.tally.slots_missed.entry(step).or_default() += 1;
    }

    /// Tells the public where things stand and when it hears more.
    pub async fn tell(&mut self) -> Result<()> {
        let operator = self.parties.first(Role::Operator)?.clone();
        let (text, next_word_at) = {
            let state = self.control.read();
            let next = self.clock.get() + Minutes::hours(self.story.notice_every_hours);
            (public_text(&state), next)
        };
        let reason = "regular word to the public";
        let order = Order::PublishNotice {
            text,
            next_word_at,
            tenant: None,
        };
        self.desk.must(&operator, reason, order).await?;
        Ok(())
    }

    /// Works off the gaps of cells that have been open for long enough.
    pub async fn catch_up(&mut self) -> Result<()> {
        let now = self.clock.get();
        let after = Minutes::hours(self.story.catch_up_hours);
        let cells: Vec<CellId> = {
            let state = self.control.read();
            let due = |gap: &anlauf_recovery::state::Gap| {
                gap.caught_up.is_none() && gap.to.is_some_and(|to| to + after <= now)
            };
            let cells = state
                .cells
                .iter()
                .filter(|(_, cell)| cell.gaps.iter().any(due));
            cells.map(|(id, _)| id.clone()).collect()
        };
        if cells.is_empty() {
            return Ok(());
        }
        let operator = self.parties.first(Role::Operator)?.clone();
        let reason = "what was refused has been sent again and worked off";
        self.desk
            .must(&operator, reason, Order::CatchUp { cells })
            .await?;
        Ok(())
    }
}

/// Whom policy demands under a release.
fn signers(
    parties: &super::party::Parties,
    state: &State,
    case: &anlauf_recovery::state::ReleaseCase,
    turn: usize,
) -> BTreeSet<PersonId> {
    let mut people = BTreeSet::new();
    let policy = state
        .authority
        .as_ref()
        .and_then(|a| a.policy())
        .map(|(_, policy)| policy);
    let (Some(policy), Some(landscape)) = (policy, &state.landscape) else {
        return people;
    };
    for bound in &case.release.cells {
        let Some(cell) = landscape.cell(&bound.cell) else {
            continue;
        };
        let rule = policy
            .rules
            .iter()
            .find(|rule| rule.matches(cell.class, cell.kind, case.release.stage));
        for demand in rule.map(|rule| rule.signers.as_slice()).unwrap_or_default() {
            people.extend(parties.pick(demand.role, cell.tenant(), demand.count as usize, turn));
        }
    }
    people
}

/// Windows to be offered now.
fn due_offers(
    state: &State,
    now: Timestamp,
    later: &BTreeMap<CellId, Timestamp>,
) -> Vec<SlotDraft> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let mut slots = Vec::new();
    for (_, cell, known) in numbered(landscape, state) {
        let id = &cell.id;
        let waits = known.stage < cell.stage_last();
        if cell.tenant().is_none() || !waits {
            continue;
        }
        let live = state
            .offers
            .get(id)
            .is_some_and(|offer| match offer.answer {
                Word::Open => true,
                Word::Agreed => offer.slot.to >= now,
                Word::Declined | Word::Missed | Word::Kept => false,
            });
        let ready = cell
            .tasks
            .keys()
            .all(|t| known.is_done(*t) || matches!(t, TaskKind::Decision));
        let range = state.forecast().and_then(|forecast| forecast.cells.get(id));
        let soon = ready || range.is_some_and(|range| range.p50 <= now + OFFER_AHEAD);
        if live || !soon {
            continue;
        }
        let earliest = later.get(id).copied().unwrap_or(now).max(now);
        let expected = range.map_or(now, |range| range.p95).max(earliest);
        let from = match ready {
            true => earliest,
            false => range
                .map_or(now, |range| range.p50 - Minutes::days(1))
                .max(earliest),
        };
        slots.push(SlotDraft {
            cell: id.clone(),
            slot: Slot {
                from,
                to: expected.max(from) + Minutes::days(2),
            },
        });
    }
    slots
}

/// What the public is told: where things stand, in numbers that hold.
fn public_text(state: &State) -> Text {
    let progress = anlauf_recovery::query::progress(state);
    let services = progress.services_released_per_mille / 10;
    let systems = progress.systems_restored_per_mille / 10;
    if state.running().is_none() {
        return Text {
            de: "Alle Dienste stehen wieder bereit. Was in der Zwischenzeit abgewiesen wurde, ist \
                 nachgeholt. Wir danken für die Geduld."
                .to_owned(),
            en: "All services are available again. What was turned away meanwhile has been \
                 worked off. Thank you for your patience."
                .to_owned(),
        };
    }
    Text {
        de: format!(
            "Wir nehmen die Dienste nach Prüfung Schritt für Schritt wieder in Betrieb. \
             {systems} % der Systeme sind wiederhergestellt, {services} % der Dienste stehen \
             wieder bereit. Einen einheitlichen Endtermin nennen wir nicht: die \
             angeschlossenen Häuser kennen ihre eigenen Termine und sagen sie Ihnen."
        ),
        en: format!(
            "We bring the services back step by step, each after its check. {systems} % of the \
             systems are restored, {services} % of the services are available again. We give no \
             single end date: each organisation knows its own dates and tells you."
        ),
    }
}
