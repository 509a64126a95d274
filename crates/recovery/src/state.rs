//! Everything derived from the ledger so far.
//!
//! In:    entries, in order. Out: [`State`], equal for equal ledgers. Never: the truth; it can be
//!        rebuilt.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anlauf_model::feed::{FeedItem, GateDecision};
use anlauf_model::{
    CellId, Digest, Epoch, FindingKind, Forecast, GateId, Landscape, PersonId, Plan, PlanId, Role,
    SiteId, Slot, Stage, TaskKind, TenantId, Text, Timestamp, Verdict,
};
use anlauf_trust::{Authority, CellFacts, Envelope, Release, Scope};

/// Everything derived from the ledger so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct State {
    /// Last entry applied; 0 before the first.
    pub seq: u64,
    /// When that was.
    pub at: Timestamp,
    /// What is run, for whom.
    pub landscape: Option<Arc<Landscape>>,
    /// Digest of its gate table: what the policy in force must speak about.
    pub table: Option<Digest>,
    /// Who is who and what must be known.
    pub authority: Option<Authority>,
    /// Digest of the first root: what gates pin.
    pub pin: Option<Digest>,
    /// The incident that runs, or the last one.
    pub incident: Option<Incident>,
    /// Every cell of the landscape.
    pub cells: BTreeMap<CellId, CellState>,
    /// No release in force ends before this; none when no release is in force.
    pub run_out_first: Option<Timestamp>,
    /// Wide scopes that were shut, each with the highest epoch it burned: cells that a later
    /// landscape adds begin above it, as they do at the gates.
    pub burned: Vec<(Scope, Epoch)>,
    /// Every finding, by number.
    pub findings: BTreeMap<u64, Finding>,
    /// The plan in force.
    pub plan: Option<Arc<Plan>>,
    /// Plans for decision: children of the plan in force; the newest few.
    pub proposed: BTreeMap<PlanId, Arc<Plan>>,
    /// Every plan ever adopted, oldest first.
    pub plans: Vec<PlanNote>,
    /// Published forecasts, oldest first. Of more than 512 every second one of the older half is
    /// left out; the ledger keeps all.
    pub forecasts: Vec<Arc<Forecast>>,
    /// Tenants' own orders.
    pub wishes: BTreeMap<TenantId, Vec<CellId>>,
    /// Windows offered, by cell; the latest only.
    pub offers: BTreeMap<CellId, Offer>,
    /// Releases, by digest of their envelope.
    pub releases: BTreeMap<Digest, ReleaseCase>,
    /// Gates that ever reported.
    pub gates: BTreeMap<GateId, GateState>,
    /// Notices, oldest first; number = index + 1.
    pub notices: Vec<Notice>,
    /// What gates are handed, in order.
    pub feed: Vec<Arc<FeedItem>>,
    /// Idempotency keys with the last entry of their command and the digest of its order. Never
    /// forgotten: a request that comes again after a year must not be done twice. One per accepted
    /// command, so it grows as the ledger does, at a small part of its size.
    pub keys: BTreeMap<String, (u64, Digest)>,
}

/// An incident.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    /// Name for people.
    pub title: Text,
    /// Since.
    pub began: Timestamp,
    /// Until.
    pub ended: Option<Timestamp>,
    /// Sites that stay restricted after narrowing; empty before.
    pub restricted: BTreeSet<SiteId>,
    /// Sites held for forensics.
    pub holds: BTreeMap<SiteId, Timestamp>,
    /// Findings that speak for the whole incident and stand, by kind: number.
    pub findings: BTreeMap<FindingKind, u64>,
}

/// One cell as it is.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CellState {
    /// Wanted stage: what was released and not closed.
    pub stage: Stage,
    /// Highest epoch of any release or close that took effect.
    pub epoch: Epoch,
    /// Highest epoch any drawn-up release names; a close burns these too.
    pub epoch_proposed: Epoch,
    /// Release in force.
    pub release: Option<Digest>,
    /// When that release ends by itself.
    pub not_after: Option<Timestamp>,
    /// Whether it is open on a break-glass: reachable, but neither released nor back.
    pub break_glass: bool,
    /// When it reached its last stage after the current incident began.
    pub restored_at: Option<Timestamp>,
    /// Every time it came back so in the current incident, oldest first: it may be shut again.
    pub returns: Vec<Timestamp>,
    /// Steps of the current recovery.
    pub tasks: BTreeMap<TaskKind, TaskState>,
    /// Findings that stand (not withdrawn, not overtaken), by kind: number.
    pub findings: BTreeMap<FindingKind, u64>,
    /// Times it was shut, oldest first.
    pub gaps: Vec<Gap>,
}

/// One step of one cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskState {
    /// Since.
    pub started: Timestamp,
    /// Until; none while it runs.
    pub finished: Option<Timestamp>,
    /// How often it had to be done again.
    pub failures: u32,
}

/// From closing to opening: what was refused in it must be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Shut at.
    pub from: Timestamp,
    /// Open to the public again at.
    pub to: Option<Timestamp>,
    /// Worked off at.
    pub caught_up: Option<Timestamp>,
}

/// A finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Number.
    pub number: u64,
    /// About which cell; none = the whole incident.
    pub cell: Option<CellId>,
    /// What it speaks about.
    pub kind: FindingKind,
    /// What it says.
    pub verdict: Verdict,
    /// Digest of the evidence.
    pub evidence: Digest,
    /// In words.
    pub note: String,
    /// Who brought it.
    pub by: PersonId,
    /// What they acted as.
    pub role: Role,
    /// When.
    pub at: Timestamp,
    /// The signed statement it came by; none: by login.
    pub signed: Option<Digest>,
    /// When it was withdrawn, and why.
    pub withdrawn: Option<(Timestamp, String)>,
}

/// An adopted plan, in short.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanNote {
    /// Which.
    pub id: PlanId,
    /// Which it replaced.
    pub parent: Option<PlanId>,
    /// When it came into force.
    pub adopted_at: Timestamp,
    /// Why.
    pub reason: String,
    /// How far from the best possible at most. Per mille.
    pub gap_per_mille: u64,
}

/// A window and the tenant's word on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// When.
    pub slot: Slot,
    /// The word.
    pub answer: Answer,
    /// When it was given.
    pub at: Timestamp,
    /// Reason given with the word.
    pub reason: String,
}

/// A tenant's word on a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// None yet.
    Open,
    /// Yes: hard for the planner.
    Agreed,
    /// No.
    Declined,
    /// The window passed.
    Missed,
    /// The cell opened to people in the window.
    Kept,
}

/// A release on its way.
#[derive(Clone, PartialEq, Debug)]
pub struct ReleaseCase {
    /// The statement.
    pub release: Release,
    /// With the signatures so far.
    pub envelope: Envelope,
    /// Who drew it up, and when.
    pub proposed: (PersonId, Timestamp),
    /// Who signed, and when.
    pub signed: BTreeMap<PersonId, Timestamp>,
    /// How it ended.
    pub end: ReleaseEnd,
    /// For a break-glass: the account of it, after its end.
    pub review: Option<Review>,
}

/// An operator's account of a break-glass: what it was for and what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// Whose account.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// In words.
    pub account: String,
}

/// How a release ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReleaseEnd {
    /// Still to be signed or carried out.
    Open,
    /// Handed to the gates at this time.
    Released(Timestamp),
    /// Can no longer be carried out: when, why.
    Dropped(Timestamp, String),
}

/// A gate as it last reported.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GateState {
    /// When it last reported something worth keeping.
    pub at: Timestamp,
    /// Last feed item in force there.
    pub applied: u64,
    /// Reported stage and epoch by cell.
    pub cells: BTreeMap<CellId, (Stage, Epoch)>,
    /// Refused items, newest last, at most 100.
    pub refused: Vec<(Timestamp, GateDecision)>,
}

/// Something people were told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Number, from 1.
    pub number: u64,
    /// Who reads it; none = everyone.
    pub tenant: Option<TenantId>,
    /// Versions, oldest first: when, text, next word, why.
    pub versions: Vec<NoticeVersion>,
}

/// One version of a notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeVersion {
    /// As of.
    pub at: Timestamp,
    /// Text.
    pub text: Text,
    /// When they hear more.
    pub next_word_at: Timestamp,
    /// Why it was written or revised.
    pub reason: String,
}

impl State {
    /// The incident that runs now.
    pub fn running(&self) -> Option<&Incident> {
        self.incident
            .as_ref()
            .filter(|incident| incident.ended.is_none())
    }

    /// The state as a later point in time finds it: a release that has ended by then is not in
    /// force. `decide` looks at this; pages that show a clock do too.
    pub fn as_of(&self, now: Timestamp) -> Cow<'_, State> {
        if self.run_out_first.is_none_or(|first| now < first) {
            return Cow::Borrowed(self);
        }
        let mut later = self.clone();
        later.run_out(now);
        Cow::Owned(later)
    }

    /// Cells that are not back at their last stage. Emergency operations need not be.
    pub fn unrestored(&self) -> impl Iterator<Item = &CellId> {
        let landscape = self.landscape.as_ref();
        self.cells.iter().filter_map(move |(id, now)| {
            let cell = landscape?.cell(id)?;
            (now.stage_released() < cell.stage_last() && !cell.emergency).then_some(id)
        })
    }

    /// Emergency operations that are open.
    pub fn makeshift(&self) -> impl Iterator<Item = &CellId> {
        let landscape = self.landscape.as_ref();
        self.cells.iter().filter_map(move |(id, now)| {
            let is_emergency = landscape?.cell(id)?.emergency;
            (is_emergency && now.stage > Stage::Closed).then_some(id)
        })
    }

    /// What the verifier must know of a cell.
    pub fn facts(&self, id: &CellId) -> Option<CellFacts> {
        let cell = self.landscape.as_ref()?.cell(id)?;
        let epoch = self.cells.get(id)?.epoch;
        Some(CellFacts {
            class: cell.class,
            kind: cell.kind,
            tenant: cell.tenant().cloned(),
            site: cell.site.clone(),
            service: cell.service.clone(),
            epoch,
        })
    }

    /// A notice by its number.
    pub fn notice(&self, number: u64) -> Option<&Notice> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.notices.get(index)
    }

    /// Number of the incident-wide finding of a kind that stands.
    pub fn incident_finding(&self, kind: FindingKind) -> Option<u64> {
        self.incident.as_ref()?.findings.get(&kind).copied()
    }

    /// The newest forecast.
    pub fn forecast(&self) -> Option<&Arc<Forecast>> {
        self.forecasts.last()
    }
}

impl Finding {
    /// What a release names when it rests on this finding: the signed statement, where it came by
    /// one.
    pub fn digest(&self) -> Digest {
        if let Some(signed) = self.signed {
            return signed;
        }
        let cell = self
            .cell
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let verdict = match self.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
        };
        let line = format!(
            "{} {cell} {} {verdict} {} {}",
            self.number, self.kind, self.evidence, self.by
        );
        Digest::of(line.as_bytes())
    }
}

impl CellState {
    /// Whether a step is done.
    pub fn is_done(&self, task: TaskKind) -> bool {
        self.tasks.get(&task).is_some_and(|t| t.finished.is_some())
    }

    /// Nothing passes from `at` on, and what was refused from then on must be sent again.
    pub(crate) fn shut(&mut self, at: Timestamp) {
        if self.stage.is_public() {
            self.gaps.push(Gap {
                from: at,
                to: None,
                caught_up: None,
            });
        }
        self.stage = Stage::Closed;
        self.release = None;
        self.not_after = None;
        self.break_glass = false;
        self.restored_at = None;
    }

    /// The stage it was released to: what is open on a break-glass is not released.
    pub fn stage_released(&self) -> Stage {
        match self.break_glass {
            true => Stage::Closed,
            false => self.stage,
        }
    }

    /// A step and every later one must be done again, and what they had found falls with them.
    pub(crate) fn redo_from(&mut self, step: TaskKind) {
        self.tasks.retain(|task, _| *task < step);
        self.findings
            .retain(|kind, _| TaskKind::yielding(*kind).is_none_or(|from| from < step));
    }

    /// The gap that is still open, or was last closed.
    pub fn gap_last(&self) -> Option<&Gap> {
        self.gaps.last()
    }
}
