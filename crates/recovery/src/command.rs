//! What people and automations ask for.
//!
//! In:    JSON at the border. Out: [`Command`]. Never: a command without an actor and a key.

use anlauf_model::feed::GateReport;
use anlauf_model::landscape::Declared;
use anlauf_model::{
    CellId, Digest, FindingKind, Forecast, OrganisationId, PersonId, Plan, PlanId, Role, SiteId,
    Slot, Stage, TaskKind, TenantId, Text, Timestamp, Verdict,
};
use anlauf_trust::{Envelope, KeyId};
use serde::{Deserialize, Serialize};

/// Who asks. Set by the login, never by the request's body.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// The person, or the automation under its own name.
    pub person: PersonId,
    /// Whom they belong to.
    pub organisation: OrganisationId,
    /// What they act as.
    pub role: Role,
    /// For role `tenant`: whose cells they may touch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

/// One request to change something.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Command {
    /// Idempotency key: the same key with the same order is done once.
    pub key: String,
    /// Who.
    pub actor: Actor,
    /// Why. Never empty.
    pub reason: String,
    /// What.
    pub order: Order,
}

/// What is asked. One variant per verb of the product.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Order {
    /// Take over a landscape. Once per ledger; a larger one may follow while nothing is contained.
    AdoptLandscape {
        /// As declared.
        landscape: Box<Declared>,
    },
    /// Take over the next root document. The first is pinned by the gates.
    AdoptRoot {
        /// Signed root.
        envelope: Envelope,
    },
    /// Take over the next policy.
    AdoptPolicy {
        /// Signed policy.
        envelope: Envelope,
    },
    /// Take over a tenant's next list of keys.
    AdoptDelegation {
        /// Signed list.
        envelope: Envelope,
    },
    /// An attack is seen.
    DeclareIncident {
        /// Name for people.
        title: Text,
    },
    /// Only these sites stay restricted.
    NarrowIncident {
        /// Restricted sites.
        sites: Vec<SiteId>,
    },
    /// Forensics holds a site: no work on it before `until`.
    HoldSite {
        /// Which.
        site: SiteId,
        /// Until.
        until: Timestamp,
    },
    /// Recovery is over. Refused while anything is closed or not caught up.
    EndIncident,
    /// Shut cells. `contain` is a close of everything, or of a large scope, at once.
    Close {
        /// Signed close.
        envelope: Envelope,
    },
    /// Work begins.
    StartTasks {
        /// Which.
        tasks: Vec<TaskRef>,
    },
    /// Work is done. Does not yet say that its finding is good.
    FinishTasks {
        /// Which.
        tasks: Vec<TaskRef>,
    },
    /// Work must be done again.
    FailTasks {
        /// Which.
        tasks: Vec<TaskRef>,
    },
    /// Evidence with a verdict.
    AddFindings {
        /// Which.
        findings: Vec<FindingDraft>,
    },
    /// Evidence with a verdict, signed by whose finding it is; anyone who brings findings may
    /// carry it.
    AddSignedFinding {
        /// The signed finding.
        envelope: Envelope,
    },
    /// A piece of evidence does not hold any longer.
    WithdrawFinding {
        /// Number of the finding.
        finding: u64,
    },
    /// Keep a plan for decision.
    ProposePlan {
        /// Sealed plan whose parent is the plan in force.
        plan: Box<Plan>,
    },
    /// Put a proposed plan in force.
    AdoptPlan {
        /// Which.
        plan: PlanId,
    },
    /// Give ranges to the public record, so that they can be held against what happens.
    PublishForecast {
        /// Ranges.
        forecast: Box<Forecast>,
    },
    /// A tenant's own order of its cells.
    StateWish {
        /// Whose.
        tenant: TenantId,
        /// Most wanted first; only its own cells.
        order: Vec<CellId>,
    },
    /// Offer windows to tenants.
    OfferSlots {
        /// Which cell when.
        slots: Vec<SlotDraft>,
    },
    /// The tenant agrees.
    AgreeSlots {
        /// Its cells.
        cells: Vec<CellId>,
    },
    /// The tenant declines.
    DeclineSlots {
        /// Its cells.
        cells: Vec<CellId>,
    },
    /// The tenant's people tested.
    AcceptCells {
        /// Its cells.
        cells: Vec<CellId>,
        /// Whether they accept.
        passed: bool,
    },
    /// Draw up releases for signature. Each wave is one owner and one stage.
    ProposeReleases {
        /// Which cells to which stage.
        waves: Vec<WaveDraft>,
        /// Not valid from here on.
        not_after: Timestamp,
    },
    /// Draw up a break-glass for signature: cells open for hours on two words, without findings.
    BreakGlass {
        /// Which cells to which stage.
        waves: Vec<WaveDraft>,
        /// Not valid from here on; at most 240 minutes away.
        not_after: Timestamp,
    },
    /// Give account of a break-glass that is over; the reason is the account.
    ReviewBreakGlass {
        /// Which.
        release: Digest,
    },
    /// Signatures under proposed releases.
    AddSignatures {
        /// One per release.
        signatures: Vec<SignatureDraft>,
    },
    /// Carry out fully signed releases: hand them to the gates.
    Release {
        /// Which.
        releases: Vec<Digest>,
    },
    /// What was refused in the gap has been sent again and worked off.
    CatchUp {
        /// Which cells.
        cells: Vec<CellId>,
    },
    /// A gate's account of itself.
    ReportGate {
        /// As reported.
        report: Box<GateReport>,
    },
    /// Tell the public or the tenants.
    PublishNotice {
        /// Text.
        text: Text,
        /// When they hear more.
        next_word_at: Timestamp,
        /// Who reads it; none = everyone.
        tenant: Option<TenantId>,
    },
    /// Correct a notice; the earlier text stays visible.
    ReviseNotice {
        /// Number of the notice.
        notice: u64,
        /// New text.
        text: Text,
        /// When they hear more.
        next_word_at: Timestamp,
    },
}

/// One step of one cell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TaskRef {
    /// Whose.
    pub cell: CellId,
    /// Which.
    pub task: TaskKind,
}

/// A finding as it is brought in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FindingDraft {
    /// About which cell; none only for incident-wide kinds.
    pub cell: Option<CellId>,
    /// What it speaks about.
    pub kind: FindingKind,
    /// What it says.
    pub verdict: Verdict,
    /// Digest of the evidence itself, which stays with forensics.
    pub evidence: Digest,
    /// In words.
    pub note: String,
}

/// A window for a cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SlotDraft {
    /// Which.
    pub cell: CellId,
    /// When.
    pub slot: Slot,
}

/// Cells of one owner that go to one stage together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WaveDraft {
    /// Cells of one owner, 1 to 2,000.
    pub cells: Vec<CellId>,
    /// To which stage.
    pub stage: Stage,
}

/// A signature under a proposed release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignatureDraft {
    /// Digest of the release's envelope.
    pub release: Digest,
    /// Whose key.
    pub keyid: KeyId,
    /// Signature bytes in hex.
    pub sig: String,
}
