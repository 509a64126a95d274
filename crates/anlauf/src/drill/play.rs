//! The player: goes through the story tick by tick and has everyone do what is due.
//!
//! In:    a [`Scene`] with everyone on it. Out: the recovery, played on the real machinery.
//! Never: changes the order of things for the sake of speed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anlauf_model::{
    CellId, Digest, FindingKind, Landscape, Language, Minutes, Role, Stage, TaskKind, TenantId,
    Timestamp, Verdict,
};
use anlauf_recovery::command::{FindingDraft, TaskRef, WaveDraft};
use anlauf_recovery::{Order as Ask, State};
use anlauf_store::Desk as Control;
use anlauf_trust::Envelope;
use anyhow::{Result, bail};
use tokio::task::JoinSet;

use super::ceremony;
use super::clock::DrillClock;
use super::desk::Desk;
use super::order::{Open, Order, numbered};
use super::party::Parties;
use super::show::Show;
use super::story::Story;
use super::tally::Tally;
use super::traffic::{self, Traffic};
use super::work::Crews;

/// Length of one tick of story time.
const TICK: Minutes = Minutes(30);

/// Longest story. A drill that is not over by then is stuck and says so.
const STORY_DAYS_MAX: i64 = 200;

/// Everyone and everything of one drill.
pub struct Scene {
    /// What is recovered.
    pub landscape: Arc<Landscape>,
    /// What happens when.
    pub story: Story,
    /// Story time.
    pub clock: Arc<DrillClock>,
    /// People with keys and logins.
    pub parties: Parties,
    /// The way to the control plane that people use.
    pub desk: Desk,
    /// The control plane itself, to look at.
    pub control: Control,
    /// Where the gates listen.
    pub gates: Vec<SocketAddr>,
    /// Where the gates answer their operators.
    pub admins: Vec<SocketAddr>,
    /// The people outside.
    pub traffic: Traffic,
    /// Slips forged releases into the feed of the gates.
    pub forger: super::forger::Forger,
    /// What was counted.
    pub tally: Tally,
    /// What is shown while it runs.
    pub show: Show,
    /// The language people hear.
    pub language: Language,
    /// Story seconds per real second; none = as fast as it goes.
    pub speed: Option<f64>,
    /// How many clients keep asking.
    pub clients: u64,
    /// The first root: what gates pin.
    pub root: Envelope,
    /// Improvement steps of each plan.
    pub steps: u32,
    /// Simulations of each forecast.
    pub samples: u32,
    /// From when on a tenant takes a window that it declined before.
    pub later: BTreeMap<CellId, Timestamp>,
    /// Whether somebody will ask for a release before it is signed.
    pub impatient: bool,
    /// Which cells lean on which.
    pub order: Order,
    /// Cells whose release was refused, with how many findings stood for them and the incident
    /// then: it is asked for again when something new is known.
    pub waiting: BTreeMap<CellId, (usize, usize)>,
    /// The services that are real servers, and the insured people who use them.
    pub real: Option<super::real::Real>,
}

/// What has happened of the things that happen once.
#[derive(Default)]
struct Once {
    entry_path: bool,
    narrowed: bool,
    attacked_again: bool,
    forged: bool,
    wished: Vec<TenantId>,
    rejected: Vec<CellId>,
    told: Option<Timestamp>,
    planned: Option<Timestamp>,
}

impl Scene {
    /// Plays the story from the first sign of the attack to the end of the incident.
    ///
    /// # Errors
    /// When an order the story relies on is refused, or the recovery gets stuck.
    pub async fn play(&mut self) -> Result<()> {
        let began = (Instant::now(), self.clock.get());
        self.contain().await?;
        self.tempt().await?;
        let mut crews = Crews::new(
            &self.landscape,
            self.story.truth,
            self.story.seed,
            self.clock.get(),
        );
        let mut once = Once::default();
        let last = self.story.attack_at + Minutes::days(STORY_DAYS_MAX);
        loop {
            let now = self.clock.get() + TICK;
            self.pace(began, now).await;
            self.clock.advance(now);
            self.tick(&mut crews, &mut once).await?;
            self.show.update(&self.control, now);
            self.tally.note(&self.control.read(), now);
            let over = self.control.read().unrestored().next().is_none();
            let quiet = self.all_played(&once);
            if over && quiet {
                return self.end(began).await;
            }
            if now > last {
                bail!(
                    "the drill is stuck after {STORY_DAYS_MAX} days: {}",
                    self.stuck()
                );
            }
        }
    }

    /// Whether the story has nothing more to tell.
    fn all_played(&self, once: &Once) -> bool {
        (self.story.second_attack.is_none() || once.attacked_again)
            && (self.story.forgery_day.is_none() || once.forged)
    }

    /// Waits until the real clock has come to the story's.
    pub async fn pace(&self, began: (Instant, Timestamp), now: Timestamp) {
        let Some(speed) = self.speed else { return };
        let story = (now - began.1).0 as f64 * 60.0;
        let due = began.0 + Duration::from_secs_f64((story / speed).max(0.0));
        tokio::time::sleep_until(due.into()).await;
    }

    async fn tick(&mut self, crews: &mut Crews, once: &mut Once) -> Result<()> {
        self.happen(crews, once).await?;
        self.end_work(crews, once).await?;
        self.catch_up().await?;
        self.open_pilots().await?;
        self.offer().await?;
        self.answer().await?;
        self.open_restored().await?;
        self.begin_work(crews).await?;
        self.emergencies_go_on()?;
        self.people_come().await?;
        Ok(())
    }

    /// What the story has happen at this time.
    async fn happen(&mut self, crews: &mut Crews, once: &mut Once) -> Result<()> {
        let now = self.clock.get();
        if !once.entry_path && now >= self.story.day(self.story.entry_path_closed_day) {
            once.entry_path = true;
            self.close_entry_path().await?;
        }
        if let Some(narrow) = self.story.narrow.clone()
            && !once.narrowed
            && now >= self.story.day(narrow.day)
        {
            once.narrowed = true;
            let operator = self.parties.first(Role::Operator)?.clone();
            let order = Ask::NarrowIncident {
                sites: narrow.sites,
            };
            self.desk
                .must(&operator, "the other sites are found unharmed", order)
                .await?;
        }
        for wish in self.story.wish.clone() {
            if !once.wished.contains(&wish.tenant) && now >= self.story.day(wish.day) {
                once.wished.push(wish.tenant.clone());
                let login = self.parties.tenant(&wish.tenant)?.clone();
                let order = Ask::StateWish {
                    tenant: wish.tenant,
                    order: wish.order,
                };
                self.desk.must(&login, &wish.reason, order).await?;
            }
        }
        if let Some(day) = self.story.forgery_day
            && !once.forged
            && now >= self.story.day(day)
        {
            once.forged = self.forge().await?;
        }
        self.attack_again(crews, once).await?;
        if is_due(once.planned, now, self.story.replan_every_hours) {
            let reason = match once.planned {
                None => "first order for all tenants",
                Some(_) => "what was finished and agreed since the last plan",
            };
            once.planned = Some(now);
            self.plan(reason).await?;
        }
        if is_due(once.told, now, self.story.notice_every_hours) {
            once.told = Some(now);
            self.tell().await?;
        }
        Ok(())
    }

    async fn close_entry_path(&mut self) -> Result<()> {
        let forensics = self.parties.first(Role::Forensics)?.clone();
        let finding = FindingDraft {
            cell: None,
            kind: FindingKind::EntryPathClosed,
            verdict: Verdict::Pass,
            evidence: Digest::of(b"drill: report on the entry path"),
            note: "the way in is known and shut".into(),
        };
        let reason = "report of the outside forensics, volume 1";
        let order = Ask::AddFindings {
            findings: vec![finding],
        };
        self.desk.must(&forensics, reason, order).await?;
        Ok(())
    }

    async fn attack_again(&mut self, crews: &mut Crews, once: &mut Once) -> Result<()> {
        let now = self.clock.get();
        let Some(attack) = self.story.second_attack.clone() else {
            return Ok(());
        };
        let open = self
            .control
            .read()
            .cells
            .get(&attack.cell)
            .is_some_and(|c| c.stage.is_public());
        if once.attacked_again || now < self.story.day(attack.day) || !open {
            return Ok(());
        }
        once.attacked_again = true;
        let shut = self.close_again(&attack.cell, &attack.reason).await?;
        crews.drop_cells(&shut);
        self.plan("a released cell was shut again with everything that rests on it")
            .await
    }

    /// Carries the crews' word to the control plane: done, to be done again, and what was found.
    async fn end_work(&mut self, crews: &mut Crews, once: &mut Once) -> Result<()> {
        let ended = crews.end(self.clock.get());
        let operator = self.parties.first(Role::Operator)?.clone();
        if !ended.again.is_empty() {
            self.tally.again += ended.again.len() as u64;
            let order = Ask::FailTasks { tasks: ended.again };
            self.desk
                .must(&operator, "the result was not good enough", order)
                .await?;
        }
        let (tested, done): (Vec<_>, Vec<_>) = ended
            .done
            .into_iter()
            .partition(|task| task.task == TaskKind::Acceptance);
        if !done.is_empty() {
            self.tally.tasks += done.len() as u64;
            let mut findings = Vec::new();
            for task in &done {
                findings.extend(self.finding_of(task).await?);
            }
            let order = Ask::FinishTasks { tasks: done };
            self.desk
                .must(&operator, "done and written down", order)
                .await?;
            if !findings.is_empty() {
                let forensics = self.parties.first(Role::Forensics)?.clone();
                let order = Ask::AddFindings { findings };
                self.desk
                    .must(&forensics, "checked and found clear", order)
                    .await?;
            }
            self.services_are_whole()?;
        }
        self.accept(tested, once).await
    }

    /// Every tenant gives its word on what its people tested.
    async fn accept(&mut self, tested: Vec<TaskRef>, once: &mut Once) -> Result<()> {
        let cells: Vec<CellId> = tested.into_iter().map(|task| task.cell).collect();
        self.test_through_gates(&cells).await?;
        let mut posts = JoinSet::new();
        for (tenant, cells) in by_tenant(cells) {
            let login = self.parties.tenant(&tenant)?.clone();
            let (rejected, accepted): (Vec<_>, Vec<_>) =
                cells.into_iter().partition(|cell| self.rejects(cell, once));
            for cell in rejected {
                self.tally.rejected += 1;
                once.rejected.push(cell.clone());
                let told = self.story.reject.iter().find(|r| r.cell == cell);
                let reason = told
                    .map_or("not accepted", |r| r.reason.as_str())
                    .to_owned();
                let (desk, login) = (self.desk.clone(), login.clone());
                let order = Ask::AcceptCells {
                    cells: vec![cell],
                    passed: false,
                };
                posts.spawn(async move { desk.must(&login, &reason, order).await });
            }
            if !accepted.is_empty() {
                self.tally.tasks += accepted.len() as u64;
                let desk = self.desk.clone();
                let order = Ask::AcceptCells {
                    cells: accepted,
                    passed: true,
                };
                posts.spawn(async move { desk.must(&login, "our people tested it", order).await });
            }
        }
        while let Some(done) = posts.join_next().await {
            done??;
        }
        Ok(())
    }

    /// The testers of a tenant ask for what is open to them, with their pass, through every gate.
    async fn test_through_gates(&mut self, cells: &[CellId]) -> Result<()> {
        let pilots: Vec<CellId> = {
            let state = self.control.read();
            let pilot = |id: &&CellId| {
                state
                    .cells
                    .get(*id)
                    .is_some_and(|cell| cell.stage == Stage::Pilot)
            };
            cells.iter().filter(pilot).cloned().collect()
        };
        if pilots.is_empty() {
            return Ok(());
        }
        self.gates_follow().await?;
        let web = traffic::web();
        for cell in &pilots {
            let tenant = cell.owner().parse::<TenantId>();
            let (Ok(tenant), Some(door)) = (tenant, self.traffic.doors.door(cell)) else {
                continue;
            };
            let pass = ceremony::pass(&self.landscape, &tenant);
            for gate in &self.gates {
                match traffic::get(&web, *gate, door, Some(&pass)).await {
                    Some((_, Some(served))) if served == cell.to_string() => self.tally.tests += 1,
                    _ => self.tally.tests_failed += 1,
                }
            }
        }
        Ok(())
    }

    fn rejects(&self, cell: &CellId, once: &Once) -> bool {
        !once.rejected.contains(cell) && self.story.reject.iter().any(|r| r.cell == *cell)
    }

    /// Opens to testers what is ready for them.
    async fn open_pilots(&mut self) -> Result<()> {
        let waves = self.waves(|cell, known| {
            let next = cell
                .tasks
                .keys()
                .copied()
                .find(|task| !known.is_done(*task));
            (cell.stages.contains(&Stage::Pilot)
                && known.stage < Stage::Pilot
                && next == Some(TaskKind::Acceptance))
            .then_some(Stage::Pilot)
        });
        self.release(waves, "ready for the tenant's testers").await
    }

    /// Opens to everyone what is decided.
    async fn open_restored(&mut self) -> Result<()> {
        let now = self.clock.get();
        let waves = {
            let state = self.control.read();
            let in_window = |id: &CellId| {
                state
                    .offers
                    .get(id)
                    .is_none_or(|o| o.slot.from <= now && now <= o.slot.to)
            };
            self.waves(|cell, known| {
                let all_done = cell.tasks.keys().all(|task| known.is_done(*task));
                (known.stage < cell.stage_last() && all_done && in_window(&cell.id))
                    .then_some(cell.stage_last())
            })
        };
        self.release(waves, "cleared, accepted and decided").await
    }

    /// Waves of cells that `stage` names a next stage for, and that nothing closed stands below.
    pub fn waves(
        &self,
        stage: impl Fn(&anlauf_model::Cell, &anlauf_recovery::state::CellState) -> Option<Stage>,
    ) -> Vec<WaveDraft> {
        let state = self.control.read();
        let open = Open::of(&state);
        let wide = wide(&state);
        let mut waves: BTreeMap<(&str, Stage), Vec<CellId>> = BTreeMap::new();
        for (number, cell, known) in numbered(&self.landscape, &state) {
            let Some(stage) = stage(cell, known) else {
                continue;
            };
            let waits = self.waiting.get(&cell.id) == Some(&(known.findings.len(), wide));
            if !waits && self.order.needs_open(number, &open) {
                let wave = waves.entry((cell.id.owner(), stage)).or_default();
                wave.push(cell.id.clone());
            }
        }
        waves
            .into_iter()
            .map(|((_, stage), cells)| WaveDraft { cells, stage })
            .collect()
    }

    async fn begin_work(&mut self, crews: &mut Crews) -> Result<()> {
        let now = self.clock.get();
        let tasks = crews.begin(&self.control.read(), now, now + TICK);
        if tasks.is_empty() {
            return Ok(());
        }
        let operator = self.parties.first(Role::Operator)?.clone();
        self.desk
            .must(&operator, "next in the plan", Ask::StartTasks { tasks })
            .await?;
        Ok(())
    }

    async fn end(&mut self, began: (Instant, Timestamp)) -> Result<()> {
        self.people_after().await?;
        // The last gaps are worked off before the incident may end.
        loop {
            let now = self.clock.get() + Minutes::hours(12);
            self.pace(began, now).await;
            self.clock.advance(now);
            self.catch_up().await?;
            let behind = |gap: &anlauf_recovery::state::Gap| gap.caught_up.is_none();
            let state = self.control.read();
            if !state
                .cells
                .values()
                .any(|cell| cell.gaps.iter().any(behind))
            {
                break;
            }
        }
        let operator = self.parties.first(Role::Operator)?.clone();
        let reason = "every cell is back, every gap is worked off, the documentation is complete";
        self.desk.must(&operator, reason, Ask::EndIncident).await?;
        self.tell().await?;
        self.gates_follow().await?;
        self.tally.back = self.traffic.sweep().await;
        self.people_look().await?;
        self.show.update(&self.control, self.clock.get());
        Ok(())
    }

    /// The finding a finished task yields: of a real service the computed one, else the story's.
    async fn finding_of(&mut self, task: &TaskRef) -> Result<Option<FindingDraft>> {
        let Some(kind) = task.task.finding() else {
            return Ok(None);
        };
        if kind == FindingKind::BackupClean
            && let Some(computed) = self.computed_finding(&task.cell).await?
        {
            return Ok(Some(computed));
        }
        let evidence = format!("drill: record of {} of {}", task.task, task.cell);
        Ok(Some(FindingDraft {
            cell: Some(task.cell.clone()),
            kind,
            verdict: Verdict::Pass,
            evidence: Digest::of(evidence.as_bytes()),
            note: String::new(),
        }))
    }

    /// What the first few unrestored cells wait for.
    fn stuck(&self) -> String {
        let state = self.control.read();
        let now = self.clock.get();
        let cells: Vec<_> = state.unrestored().take(3).collect();
        let words = cells.into_iter().filter_map(|id| {
            let held = anlauf_recovery::query::holding(&state, now, id)?;
            Some(format!(
                "{id}: tasks open {:?}, needs closed {:?}, findings missing {:?}, {}",
                held.tasks_open,
                held.needs_closed,
                held.findings_missing,
                held.word_missing.unwrap_or_default()
            ))
        });
        words.collect::<Vec<_>>().join(" | ")
    }
}

/// How many findings stand for the incident as a whole.
pub fn wide(state: &State) -> usize {
    let incident = state.incident.as_ref();
    incident.map_or(0, |incident| incident.findings.len())
}

/// Cells by the tenant whose they are; the provider's own are left out.
fn by_tenant(cells: Vec<CellId>) -> BTreeMap<TenantId, Vec<CellId>> {
    let mut by_tenant: BTreeMap<TenantId, Vec<CellId>> = BTreeMap::new();
    for cell in cells {
        if let Ok(tenant) = cell.owner().parse::<TenantId>() {
            by_tenant.entry(tenant).or_default().push(cell);
        }
    }
    by_tenant
}

/// Whether something that comes every so many hours is due.
fn is_due(last: Option<Timestamp>, now: Timestamp, every_hours: i64) -> bool {
    last.is_none_or(|last| last + Minutes::hours(every_hours) <= now)
}
