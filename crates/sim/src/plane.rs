//! The control plane: the real state machine over a ledger in memory, and one mistake if asked for.
//!
//! In:    commands. Out: entries, or a refusal; what gates are handed.
//! Never: decides anything by itself, but for the mistakes.

use anlauf_model::Timestamp;
use anlauf_model::feed::{FeedItem, FeedKind};
use anlauf_recovery::event::Scope;
use anlauf_recovery::state::ReleaseEnd;
use anlauf_recovery::{Command, Entry, Event, Order, Refusal, State, decide};
use anlauf_trust::{Envelope, Release};

use crate::mutant::Mutant;

/// Whose releases the mistake [`Mutant::PlaneWithholds`] is about.
const SERVICE_WITHHELD: &str = "record";

/// When the control plane dies over a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Death {
    /// Decided, not written: nobody was told anything.
    BeforeDisk,
    /// Written, not acknowledged: whoever asked comes again with the same key.
    AfterDisk,
}

/// State and ledger.
pub struct Plane {
    /// Derived from the ledger.
    pub state: State,
    /// Every entry that is on the disk.
    pub ledger: Vec<Entry>,
    mutant: Option<Mutant>,
}

impl Plane {
    /// An empty ledger.
    pub fn new(mutant: Option<Mutant>) -> Self {
        Self {
            state: State::default(),
            ledger: Vec::new(),
            mutant,
        }
    }

    /// Decides, writes, applies, acknowledges; or dies before or after the disk has it.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn command(
        &mut self,
        now: Timestamp,
        command: &Command,
        dies: Option<Death>,
    ) -> Result<Option<Vec<Entry>>, Refusal> {
        let mut command = command.clone();
        if self.mutant == Some(Mutant::PlaneRepeats) {
            command.key = format!("{} {}", command.key, self.ledger.len());
        }
        let mut entries = match decide(&self.state, now, &command) {
            Ok(entries) => entries,
            Err(refusal) => self.alone(now, &command).ok_or(refusal)?,
        };
        if self.mutant == Some(Mutant::PlaneTellsEveryone) {
            for entry in &mut entries {
                if matches!(entry.scope, Scope::Tenant(_)) {
                    entry.scope = Scope::Everyone;
                }
            }
        }
        if dies == Some(Death::BeforeDisk) {
            self.restart();
            let is_early = self.mutant == Some(Mutant::PlaneAcknowledgesEarly);
            return Ok(is_early.then_some(entries));
        }
        self.ledger.extend(entries.iter().cloned());
        if dies == Some(Death::AfterDisk) {
            self.restart();
            return Ok(None);
        }
        for entry in &entries {
            self.state.apply(entry);
        }
        self.spoil();
        Ok(Some(entries))
    }

    /// Forgets all but the ledger.
    fn restart(&mut self) {
        self.state = State::default();
        for entry in &self.ledger {
            self.state.apply(entry);
        }
    }

    /// What a page of the feed after `from` holds.
    pub fn feed(&self, from: u64) -> Vec<FeedItem> {
        let items = self.state.feed.iter().filter(|item| item.seq > from);
        items
            .filter(|item| !self.withholds(item))
            .map(|item| (**item).clone())
            .collect()
    }

    fn withholds(&self, item: &FeedItem) -> bool {
        match self.mutant {
            Some(Mutant::PlaneSwallowsCloses) => item.kind == FeedKind::Close,
            Some(Mutant::PlaneWithholds) if item.kind == FeedKind::Release => {
                let envelope = Envelope::parse(item.envelope.as_bytes()).ok();
                let release = envelope.and_then(|e| Release::parse(&e.payload).ok());
                release
                    .is_some_and(|r| r.cells.iter().any(|c| c.cell.service() == SERVICE_WITHHELD))
            }
            _ => false,
        }
    }

    /// Mistakes with what is already written.
    fn spoil(&mut self) {
        match self.mutant {
            Some(Mutant::PlaneRewrites) if self.ledger.len() > 200 => {
                self.ledger[150].reason = "it was never so".into();
            }
            Some(Mutant::PlaneLosesEntry) if self.ledger.len() > 300 => {
                self.ledger.truncate(300);
            }
            _ => {}
        }
    }

    /// The mistake of carrying out a release whatever its signatures.
    fn alone(&self, now: Timestamp, command: &Command) -> Option<Vec<Entry>> {
        let Order::Release { releases } = &command.order else {
            return None;
        };
        if self.mutant != Some(Mutant::PlaneReleasesAlone) {
            return None;
        }
        let case = self.state.releases.get(releases.first()?)?;
        let cells = case.release.cells.iter().map(|c| (c.cell.clone(), c.epoch));
        let event = Event::CellsReleased {
            release: *releases.first()?,
            stage: case.release.stage,
            cells: cells.collect(),
            not_after: case.release.not_after,
            envelope: case.envelope.clone(),
            break_glass: case.release.break_glass,
        };
        let open = case.end == ReleaseEnd::Open;
        let tenant = case.release.cells.first()?.cell.owner().parse().ok();
        let entry = Entry {
            seq: self.state.seq + 1,
            at: now.max(self.state.at),
            actor: command.actor.clone(),
            reason: command.reason.clone(),
            key: command.key.clone(),
            command: *releases.first()?,
            scope: tenant.map_or(Scope::Provider, Scope::Tenant),
            event,
        };
        open.then(|| vec![entry])
    }
}
