//! What a gate believes: verified roots, policies, releases and closings, and nothing else.
//!
//! In:    one signed envelope, the table in use, `now`.
//! Out:   an [`Effect`], or every reason why not; then the effect on the cells.
//! Never: touches the disk or the network; opens a cell but through the verifier.

use std::collections::BTreeMap;
use std::sync::Arc;

use anlauf_model::feed::FeedKind;
use anlauf_model::landscape::Class;
use anlauf_model::table::{GateCell, GateTable};
use anlauf_model::{CellId, Digest, Epoch, GateId, Stage, TenantId, Timestamp};
use anlauf_trust::refusal::plain;
use anlauf_trust::{
    Authority, CellFacts, Close, Delegation, Envelope, Policy, Refusal, Release, Scope, Statement,
};

use crate::config::Upstreams;
use crate::error::refusal;
use crate::fresh::Fresh;
use crate::journal::{Entry, Floor};
use crate::shared::Shared;
use crate::table::{CellState, Table, in_scope};

/// Longest reason of a break-glass in the log. Characters.
const REASON_SHOWN_MAX: usize = 200;

/// What a gate believes.
pub(crate) struct Mind {
    pin: Digest,
    upstreams: Upstreams,
    authority: Option<Authority>,
    /// What was believed before the last roots, for closings that are read late.
    past: Vec<Authority>,
    /// Closings, for cells that a later table adds; and the last epochs of cells that have left.
    burned: Vec<(Scope, Epoch)>,
    /// Releases that cells may be open on: judged once more under every next root.
    live: Vec<Live>,
    /// Every policy there was: a release is judged again by the one that its signers saw.
    policies: BTreeMap<Digest, Policy>,
    /// What it knows of its own freshness.
    pub(crate) fresh: Fresh,
    /// Which classes are shut for want of fresh word, as the cells have it.
    stale: [bool; CLASSES.len()],
}

/// Every class.
const CLASSES: [Class; 3] = [Class::A, Class::B, Class::C];

/// A release in force, as it was signed.
struct Live {
    release: Release,
    envelope: Box<Envelope>,
}

/// A verified change, not yet in force.
pub(crate) enum Effect {
    /// The first or the next root, or a tenant's next list of keys; and cells whose release lost
    /// its quorum by it.
    Root(Box<Authority>, Vec<(CellId, Epoch)>),
    /// The next policy, and its table if that changes.
    Policy(Box<Authority>, Option<Box<Table>>),
    /// Cells open. The envelope, to be judged again under the next root.
    Release(Release, Box<Envelope>),
    /// Cells shut.
    Close(Close),
}

/// What putting an effect in force consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// The journal has it.
    Write,
    /// The cells have it.
    Install,
    /// Whoever may no longer be inside is out.
    Cut,
}

/// In which order an effect is put in force; only then it is acknowledged.
///
/// Closing: effect, cut, write, so that a slow disk keeps nothing open. Everything else: write,
/// effect, cut, so that nothing is open that a restart would not know of.
pub(crate) const fn steps(effect: &Effect) -> [Step; 3] {
    match effect {
        Effect::Close(_) => [Step::Install, Step::Cut, Step::Write],
        Effect::Root(..) | Effect::Policy(..) | Effect::Release(..) => {
            [Step::Write, Step::Install, Step::Cut]
        }
    }
}

/// Why there is no effect.
#[derive(Debug)]
pub(crate) enum Without {
    /// The policy is good; its table is needed.
    Table(Digest),
    /// Refused.
    Reasons(Vec<String>),
}

/// Cells that an effect touched.
#[derive(Default)]
pub(crate) struct Touched {
    /// All of them.
    pub(crate) changed: Vec<Arc<CellState>>,
    /// Those where someone inside must be thrown out.
    pub(crate) narrowed: Vec<Arc<CellState>>,
    /// Why cells that a close names stay open.
    pub(crate) outlived: Vec<String>,
}

impl Touched {
    /// Both together.
    pub(crate) fn add(&mut self, more: Touched) {
        self.changed.extend(more.changed);
        self.narrowed.extend(more.narrowed);
        self.outlived.extend(more.outlived);
    }
}

impl From<Refusal> for Without {
    fn from(refusal: Refusal) -> Self {
        Self::Reasons(refusal.reasons.iter().map(ToString::to_string).collect())
    }
}

impl Without {
    fn because(reason: String) -> Self {
        Self::Reasons(vec![reason])
    }
}

// === impl Mind ===

impl Mind {
    pub(crate) fn new(gate: GateId, pin: Digest, upstreams: Upstreams) -> Self {
        Self {
            fresh: Fresh::new(gate),
            stale: [false; CLASSES.len()],
            pin,
            upstreams,
            authority: None,
            past: Vec::new(),
            burned: Vec::new(),
            live: Vec::new(),
            policies: BTreeMap::new(),
        }
    }

    /// Version of the root in force; 0 before the first.
    pub(crate) fn root_version(&self) -> u64 {
        self.authority
            .as_ref()
            .map_or(0, |authority| authority.root().version)
    }

    /// The roots and policies that are believed now.
    #[cfg(feature = "lab")]
    pub(crate) fn authority(&self) -> Option<&Authority> {
        self.authority.as_ref()
    }

    /// Judges one envelope. Changes nothing.
    pub(crate) fn judge(
        &self,
        table: &Table,
        (kind, envelope): (FeedKind, &str),
        offered: Option<&GateTable>,
        now: Timestamp,
    ) -> Result<Effect, Without> {
        let envelope = Envelope::parse(envelope.as_bytes())?;
        let Some(authority) = &self.authority else {
            return match kind {
                // The pin decides, not the time: an old first root opens nothing by itself, and its
                // successors need it.
                FeedKind::Root => {
                    let first = Authority::replay(&self.pin, &[envelope])?;
                    Ok(Effect::Root(Box::new(first), Vec::new()))
                }
                _ => Err(Without::because(refusal::no_root())),
            };
        };
        let facts = |id: &CellId| -> Option<CellFacts> { table.cell(id).map(|c| c.facts()) };
        match kind {
            FeedKind::Root => {
                let mut next = authority.clone();
                next.advance_root(&envelope, now)?;
                let lost = self.lost(&next, table, None, now);
                Ok(Effect::Root(Box::new(next), lost))
            }
            FeedKind::Policy => {
                let mut next = authority.clone();
                next.adopt_policy(&envelope, now)?;
                let table = self.next_table(&next, table, offered)?;
                Ok(Effect::Policy(Box::new(next), table.map(Box::new)))
            }
            FeedKind::Delegation => {
                let mut next = authority.clone();
                next.adopt_delegation(&envelope, now)?;
                let whose = Delegation::parse(&envelope.payload)?.tenant;
                let lost = self.lost(&next, table, Some(&whose), now);
                Ok(Effect::Root(Box::new(next), lost))
            }
            FeedKind::Release => {
                let verified = authority.check_release(&envelope, &facts, now)?;
                let release = verified.statement().clone();
                check_epochs(table, &release)?;
                Ok(Effect::Release(release, Box::new(envelope)))
            }
            FeedKind::Close => {
                let mut judged = authority.check_close(&envelope, &facts, now);
                // Something else may have stood in its place when its signer's key was in force.
                if judged.is_err() && self.fresh.is_rereading() {
                    let mut past = self.past.iter().rev();
                    let held = past.find_map(|past| past.check_close(&envelope, &facts, now).ok());
                    judged = held.map_or(judged, Ok);
                }
                Ok(Effect::Close(judged?.statement().clone()))
            }
        }
    }

    /// Open cells whose release would not hold under the next root or list: a key was revoked.
    /// A tenant's list changes nothing for the cells of others, and must not keep a close waiting.
    fn lost(
        &self,
        next: &Authority,
        table: &Table,
        whose: Option<&TenantId>,
        now: Timestamp,
    ) -> Vec<(CellId, Epoch)> {
        let facts = |id: &CellId| -> Option<CellFacts> { table.cell(id).map(|c| c.facts()) };
        let mut lost = Vec::new();
        let touched = |live: &&Live| {
            let mut cells = live.release.cells.iter();
            whose.is_none()
                || cells.any(|one| facts(&one.cell).is_none_or(|f| f.tenant.as_ref() == whose))
        };
        for live in self.live.iter().filter(touched) {
            let release = &live.release;
            let cells = match self.policies.get(&release.policy) {
                Some(policy) => next.cells_lost(&live.envelope, (release, policy), &facts, now),
                None => release.cells.iter().map(|one| one.cell.clone()).collect(),
            };
            for one in release.cells.iter().filter(|one| cells.contains(&one.cell)) {
                lost.push((one.cell.clone(), one.epoch));
            }
        }
        lost
    }

    fn next_table(
        &self,
        next: &Authority,
        table: &Table,
        offered: Option<&GateTable>,
    ) -> Result<Option<Table>, Without> {
        let Some((_, policy)) = next.policy() else {
            return Ok(None);
        };
        if table.digest() == Some(policy.table) {
            return Ok(None);
        }
        let Some(offered) = offered else {
            return Err(Without::Table(policy.table));
        };
        let floor = |cell: &GateCell| self.floor(cell);
        let built = Table::build(offered, &self.upstreams, table, &floor)
            .map_err(|why| Without::because(refusal::table(&why)))?;
        if built.digest() != Some(policy.table) {
            return Err(Without::Table(policy.table));
        }
        Ok(Some(built))
    }

    fn floor(&self, cell: &GateCell) -> Epoch {
        let burned = self
            .burned
            .iter()
            .filter(|(scope, _)| in_scope(cell, scope));
        burned.map(|(_, epoch)| *epoch).max().unwrap_or_default()
    }

    /// Puts a verified change in force in memory.
    pub(crate) fn install(&mut self, effect: Effect, shared: &Shared) -> Touched {
        match effect {
            Effect::Root(authority, lost) => {
                shared.set_drill(authority.root().drill);
                self.past.extend(self.authority.replace(*authority));
                shut_lost(&lost, shared)
            }
            Effect::Policy(authority, table) => {
                if let Some((digest, policy)) = authority.policy() {
                    self.policies.insert(*digest, policy.clone());
                    self.fresh.set_rules(&policy.freshness);
                }
                self.authority = Some(*authority);
                let mut touched = self.settle(shared);
                if let Some(table) = table {
                    touched.add(self.install_table(*table, shared));
                }
                touched
            }
            Effect::Release(release, envelope) => {
                let touched = install_release(&release, shared);
                // When the list is full, those that hold nothing open any more make room.
                if self.live.len() == self.live.capacity() {
                    let (table, now) = (shared.table(), shared.now());
                    self.live
                        .retain(|live| is_in_force(&live.release, &table, now));
                }
                self.live.push(Live { release, envelope });
                touched
            }
            Effect::Close(close) => self.install_close(&close, shared),
        }
    }

    fn install_table(&mut self, table: Table, shared: &Shared) -> Touched {
        let mut touched = Touched::default();
        for gone in shared
            .table()
            .cells()
            .filter(|cell| table.cell(&cell.spec.id).is_none())
        {
            let epoch = gone.state.epoch();
            gone.state.shut(epoch);
            burn(
                &mut self.burned,
                Scope::Cells(vec![gone.spec.id.clone()]),
                epoch,
            );
            touched.narrowed.push(Arc::clone(&gone.state));
        }
        touched.changed = table.cells().map(|cell| Arc::clone(&cell.state)).collect();
        // Before anyone can ask for a cell that is new here, or of another class than before.
        let stale = mark(&table, self.stale, shared.now());
        touched.narrowed.extend(stale.narrowed);
        shared.set_table(table);
        touched
    }

    /// Judges fresh word, and takes it.
    ///
    /// # Errors
    /// Every reason why not; nothing is changed then.
    pub(crate) fn hear(&mut self, envelope: &str, now: Timestamp) -> Result<(), Vec<String>> {
        let told = |without: Without| match without {
            Without::Reasons(reasons) => reasons,
            Without::Table(_) => Vec::new(),
        };
        let heard = || {
            let envelope = Envelope::parse(envelope.as_bytes())?;
            let Some(authority) = &self.authority else {
                return Err(Without::because(refusal::no_root()));
            };
            Ok(authority.check_freshness(&envelope, now)?)
        };
        let verified = heard().map_err(told)?;
        self.fresh.answered(&verified).map_err(|why| vec![why])
    }

    /// Shuts classes for want of fresh word, and gives those free again that have it. No release
    /// is touched: what is in force stays so.
    pub(crate) fn settle(&mut self, shared: &Shared) -> Touched {
        let ran = shared.ran();
        let stale = CLASSES.map(|class| self.fresh.shuts(class, ran));
        if stale == self.stale {
            return Touched::default();
        }
        self.stale = stale;
        mark(&shared.table(), stale, shared.now())
    }

    fn install_close(&mut self, close: &Close, shared: &Shared) -> Touched {
        let mut touched = Touched::default();
        let now = shared.now();
        for cell in shared.table().named(&close.scope) {
            let (state, seen) = (&cell.state, cell.state.epoch());
            // A release above the close's epoch came after it and is not burned by it.
            if seen <= close.epoch {
                state.shut(close.epoch);
                touched.changed.push(Arc::clone(state));
            } else if state.released(now) != Stage::Closed {
                touched
                    .outlived
                    .push(refusal::outlived(&state.id, close.epoch, seen));
            }
        }
        touched.narrowed.clone_from(&touched.changed);
        burn(&mut self.burned, close.scope.clone(), close.epoch);
        touched
    }

    /// Takes the limits of a rewritten journal: shuts and burns, never opens.
    pub(crate) fn install_floor(&mut self, floor: &Floor, shared: &Shared) {
        for (scope, epoch) in &floor.burned {
            burn(&mut self.burned, scope.clone(), *epoch);
        }
        let table = shared.table();
        for kept in &floor.cells {
            let Some(cell) = table.cell(&kept.cell) else {
                continue;
            };
            let seen = cell.state.epoch();
            if seen < kept.epoch || kept.stage == Stage::Closed {
                cell.state.shut(kept.epoch.max(seen));
            }
        }
    }

    /// The entries that a restart still needs, and the limits that stand for the others.
    pub(crate) fn gist(&self, entries: &[Entry], shared: &Shared) -> Vec<Entry> {
        let table = shared.table();
        let now = shared.now();
        let is_live = |entry: &&Entry| match &entry.signed {
            Some(signed) => match signed.kind {
                FeedKind::Root | FeedKind::Policy | FeedKind::Delegation => true,
                FeedKind::Close => false,
                FeedKind::Release => still_opens(&signed.envelope, &table, now),
            },
            None => false,
        };
        let mut gist: Vec<Entry> = entries.iter().filter(is_live).cloned().collect();
        let states = table.cells().map(|cell| cell.state.kept(now));
        let last = entries.iter().max_by_key(|entry| entry.position);
        gist.push(Entry {
            position: last.map(|entry| entry.position).unwrap_or_default(),
            at: now,
            sum: last.and_then(|entry| entry.sum),
            signed: None,
            floor: Some(Floor {
                cells: states.collect(),
                burned: self.burned.clone(),
            }),
        });
        gist
    }
}

/// Keeps the highest epoch of each scope once, so that years of closings do not pile up.
fn burn(burned: &mut Vec<(Scope, Epoch)>, scope: Scope, epoch: Epoch) {
    match burned.iter_mut().find(|(known, _)| *known == scope) {
        Some((_, highest)) => *highest = epoch.max(*highest),
        None => burned.push((scope, epoch)),
    }
}

/// The gate's own rule that no signature overrides: a cell does not open while one that it cannot
/// work without is shut here.
///
/// Only for what comes in, not for what was accepted before: a need may have been shut since.
pub(crate) fn needs_shut(table: &Table, effect: &Effect, now: Timestamp) -> Vec<String> {
    let Effect::Release(release, _) = effect else {
        return Vec::new();
    };
    let opens = |id: &CellId| release.cells.iter().any(|one| one.cell == *id);
    let is_shut = |id: &CellId| match table.cell(id) {
        Some(need) => need.state.released(now) == Stage::Closed && !opens(id),
        None => true,
    };
    let mut reasons = Vec::new();
    for cell in release.cells.iter().filter_map(|one| table.cell(&one.cell)) {
        for need in cell.spec.needs.iter().filter(|need| is_shut(need)) {
            reasons.push(refusal::need(&cell.spec.id, need));
        }
    }
    reasons
}

/// The verifier has checked this already; a gate that opens on an old epoch would be worse than
/// a check done twice.
fn check_epochs(table: &Table, release: &Release) -> Result<(), Without> {
    let mut reasons = Vec::new();
    for one in &release.cells {
        let seen = table.cell(&one.cell).map(|cell| cell.state.epoch());
        if seen.is_none_or(|seen| one.epoch <= seen) {
            let seen = seen.unwrap_or_default();
            reasons.push(refusal::epoch(&one.cell, one.epoch, seen));
        }
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(Without::Reasons(reasons))
    }
}

/// Sets which cells are shut for want of fresh word. Those that are released are touched by it.
fn mark(table: &Table, stale: [bool; CLASSES.len()], now: Timestamp) -> Touched {
    let mut touched = Touched::default();
    let is_stale = |class| {
        CLASSES
            .iter()
            .zip(stale)
            .any(|(one, stale)| stale && *one == class)
    };
    for cell in table.cells() {
        let (state, shuts) = (&cell.state, is_stale(cell.spec.class));
        if state.set_stale(shuts) && state.released(now) != Stage::Closed {
            touched.changed.push(Arc::clone(state));
            if shuts {
                touched.narrowed.push(Arc::clone(state));
            }
        }
    }
    touched
}

/// Shuts cells that are still open on the release that lost its quorum.
fn shut_lost(lost: &[(CellId, Epoch)], shared: &Shared) -> Touched {
    let table = shared.table();
    let mut touched = Touched::default();
    for (id, epoch) in lost {
        let Some(cell) = table.cell(id) else {
            continue;
        };
        if cell.state.epoch() == *epoch {
            cell.state.shut(*epoch);
            touched.changed.push(Arc::clone(&cell.state));
        }
    }
    touched.narrowed.clone_from(&touched.changed);
    touched
}

fn install_release(release: &Release, shared: &Shared) -> Touched {
    let (table, now) = (shared.table(), shared.now());
    let mut touched = Touched::default();
    if release.break_glass {
        let (cells, until) = (release.cells.len(), release.not_after);
        let reason = plain(&release.reason, REASON_SHOWN_MAX);
        tracing::warn!(cells, %until, reason, "opened by break-glass");
    }
    for one in &release.cells {
        let Some(cell) = table.cell(&one.cell) else {
            continue;
        };
        let before = cell.state.released(now);
        cell.state.set_glass(release.break_glass);
        cell.state.open(release.stage, release.not_after, one.epoch);
        touched.changed.push(Arc::clone(&cell.state));
        if release.stage < before {
            touched.narrowed.push(Arc::clone(&cell.state));
        }
    }
    touched
}

fn still_opens(envelope: &str, table: &Table, now: Timestamp) -> bool {
    let Ok(envelope) = Envelope::parse(envelope.as_bytes()) else {
        return false;
    };
    let Ok(statement) = Statement::parse(&envelope.payload) else {
        return false;
    };
    let Statement::Release(release) = statement else {
        return false;
    };
    is_in_force(&release, table, now)
}

/// Whether a cell is open on the release.
fn is_in_force(release: &Release, table: &Table, now: Timestamp) -> bool {
    release.cells.iter().any(|one| {
        table.cell(&one.cell).is_some_and(|cell| {
            cell.state.epoch() == one.epoch && cell.state.released(now) != Stage::Closed
        })
    })
}
