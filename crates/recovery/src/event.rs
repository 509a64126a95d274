//! What happened: the truth, in the words of the ledger.
//!
//! In:    `decide`. Out: [`Entry`] with its [`Event`]. Never: changed once written; variants are
//!        only added.
//! See:   docs/formats/ledger.md.

use anlauf_model::feed::GateDecision;
use anlauf_model::landscape::Declared;
use anlauf_model::{
    CellId, Digest, Epoch, FindingKind, Forecast, GateId, PersonId, Plan, PlanId, Role, SiteId,
    Stage, TenantId, Text, Timestamp, Verdict,
};
use anlauf_trust::{Envelope, KeyId};
use serde::{Deserialize, Serialize};

use crate::command::{Actor, SlotDraft, TaskRef};

/// One line of the ledger.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1, without gaps.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Who asked.
    pub actor: Actor,
    /// Why.
    pub reason: String,
    /// Idempotency key of the command.
    pub key: String,
    /// Digest of the command's order; the same key with another order is refused.
    pub command: Digest,
    /// Who may read it.
    pub scope: Scope,
    /// What happened.
    pub event: Event,
}

/// Who may read an entry, besides operators and auditors.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The provider's people only.
    Provider,
    /// Every tenant.
    Everyone,
    /// One tenant.
    Tenant(TenantId),
}

/// What happened. Lists of cells hold cells of one owner, so that one scope fits the whole event.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The ledger's landscape.
    LandscapeAdopted {
        /// As declared.
        landscape: Box<Declared>,
    },
    /// Who is who.
    RootAdopted {
        /// Version.
        version: u64,
        /// Signed root.
        envelope: Envelope,
    },
    /// What must be known and who must sign.
    PolicyAdopted {
        /// Version.
        version: u64,
        /// Signed policy.
        envelope: Envelope,
    },
    /// Who signs for a tenant, by the tenant's own word.
    DelegationAdopted {
        /// Whose.
        tenant: TenantId,
        /// Version.
        version: u64,
        /// Signed list.
        envelope: Envelope,
    },
    /// An attack was seen.
    IncidentDeclared {
        /// Name for people.
        title: Text,
    },
    /// Only these sites stay restricted.
    IncidentNarrowed {
        /// Restricted sites.
        sites: Vec<SiteId>,
    },
    /// No work on a site before `until`.
    SiteHeld {
        /// Which.
        site: SiteId,
        /// Until.
        until: Timestamp,
    },
    /// Recovery is over.
    IncidentEnded,
    /// A signed close for the gates, before the cells it shuts.
    CloseOrdered {
        /// Digest of the envelope.
        close: Digest,
        /// Signed close.
        envelope: Envelope,
    },
    /// Cells of one owner were shut.
    CellsClosed {
        /// Which.
        cells: Vec<CellId>,
        /// Burns every release up to this epoch.
        epoch: Epoch,
        /// The close that did it.
        close: Digest,
    },
    /// Work began.
    TasksStarted {
        /// Which.
        tasks: Vec<TaskRef>,
    },
    /// Work is done.
    TasksFinished {
        /// Which.
        tasks: Vec<TaskRef>,
    },
    /// Work must be done again.
    TasksFailed {
        /// Which.
        tasks: Vec<TaskRef>,
    },
    /// Evidence with a verdict.
    FindingsAdded {
        /// Which, numbered.
        findings: Vec<FindingEntry>,
    },
    /// Evidence with a verdict, under signature.
    FindingsSigned {
        /// Which, numbered.
        findings: Vec<FindingEntry>,
        /// Whose finding it is.
        signer: PersonId,
        /// What they acted as.
        role: Role,
        /// When they found it.
        found_at: Timestamp,
        /// The signed finding.
        envelope: Envelope,
    },
    /// A piece of evidence does not hold any longer.
    FindingWithdrawn {
        /// Number.
        finding: u64,
    },
    /// A plan for decision.
    PlanProposed {
        /// The plan.
        plan: Box<Plan>,
    },
    /// A plan in force.
    PlanAdopted {
        /// Which.
        plan: PlanId,
    },
    /// Ranges on the record.
    ForecastPublished {
        /// Ranges.
        forecast: Box<Forecast>,
    },
    /// A tenant's own order.
    WishStated {
        /// Whose.
        tenant: TenantId,
        /// Most wanted first.
        order: Vec<CellId>,
    },
    /// Windows offered to one tenant (or to the provider for its own cells).
    SlotsOffered {
        /// Which cell when.
        slots: Vec<SlotDraft>,
    },
    /// Agreed: hard for the planner.
    SlotsAgreed {
        /// Which.
        cells: Vec<CellId>,
    },
    /// Declined.
    SlotsDeclined {
        /// Which.
        cells: Vec<CellId>,
    },
    /// The window passed without a release.
    SlotsMissed {
        /// Which.
        cells: Vec<CellId>,
    },
    /// The tenant's word after its tests.
    CellsAccepted {
        /// Which.
        cells: Vec<CellId>,
        /// Whether they accept.
        passed: bool,
    },
    /// A release for signature.
    ReleaseProposed {
        /// Digest of the envelope: its name.
        release: Digest,
        /// Unsigned envelope.
        envelope: Envelope,
        /// Whether it is a break-glass.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        break_glass: bool,
    },
    /// Someone signed.
    SignatureAdded {
        /// Which release.
        release: Digest,
        /// Whose key.
        keyid: KeyId,
        /// Signature bytes in hex.
        sig: String,
    },
    /// A proposed release can no longer be carried out.
    ReleaseDropped {
        /// Which.
        release: Digest,
        /// Why, for people.
        why: String,
    },
    /// Cells of one owner may open: the fully signed envelope goes to the gates.
    CellsReleased {
        /// Which release.
        release: Digest,
        /// To which stage.
        stage: Stage,
        /// Which cells at which epoch.
        cells: Vec<(CellId, Epoch)>,
        /// Not valid from here on.
        not_after: Timestamp,
        /// With all signatures.
        envelope: Envelope,
        /// Whether it is a break-glass: two words, no finding, hours.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        break_glass: bool,
    },
    /// An operator gave account of a break-glass that is over; the account is the entry's reason.
    BreakGlassReviewed {
        /// Which.
        release: Digest,
    },
    /// What was refused in the gap has been worked off.
    GapCaughtUp {
        /// Which cells.
        cells: Vec<CellId>,
    },
    /// What a gate did with what it was handed.
    GateReported {
        /// Who.
        gate: GateId,
        /// Last feed item in force.
        applied: u64,
        /// Its judgements.
        decisions: Vec<GateDecision>,
        /// Cells that changed: which, stage, epoch.
        changed: Vec<(CellId, Stage, Epoch)>,
    },
    /// People were told.
    NoticePublished {
        /// Number.
        notice: u64,
        /// Text.
        text: Text,
        /// When they hear more.
        next_word_at: Timestamp,
        /// Who reads it; none = everyone.
        tenant: Option<TenantId>,
    },
    /// A notice was corrected.
    NoticeRevised {
        /// Number.
        notice: u64,
        /// New text.
        text: Text,
        /// When they hear more.
        next_word_at: Timestamp,
    },
}

/// A numbered finding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FindingEntry {
    /// Number, from 1 over the whole ledger.
    pub number: u64,
    /// About which cell; none = the whole incident.
    pub cell: Option<CellId>,
    /// What it speaks about.
    pub kind: FindingKind,
    /// What it says.
    pub verdict: Verdict,
    /// Digest of the evidence itself.
    pub evidence: Digest,
    /// In words.
    pub note: String,
}
