//! What can be said under signature: root, policy, delegation, finding, release, close.
//!
//! In:    nothing: these are the shapes. `payload` turns them into bytes and back.
//! Out:   [`Statement`] and its kinds.
//! Never: says how a field is judged; `authority` and `verify` do.
//! See:   in-toto Statement v1 (in-toto/attestation, `spec/v1/statement.md`).

use anlauf_model::landscape::{FreshnessRule, PolicyRule};
use anlauf_model::{
    CellId, Digest, Epoch, FindingKind, ServiceId, SiteId, Stage, TenantId, Timestamp, Verdict,
};
use serde::{Deserialize, Serialize};

use anlauf_keys::key::{KeyId, KeyRecord, namespace};

/// `predicateType` of a root document.
pub const TYPE_ROOT: &str = "urn:anlauf:root:v1";
/// `predicateType` of a policy.
pub const TYPE_POLICY: &str = "urn:anlauf:policy:v1";
/// `predicateType` of a tenant's own list of keys.
pub const TYPE_DELEGATION: &str = "urn:anlauf:delegation:v1";
/// `predicateType` of a finding.
pub const TYPE_FINDING: &str = "urn:anlauf:finding:v1";
/// `predicateType` of a release.
pub const TYPE_RELEASE: &str = "urn:anlauf:release:v1";
/// `predicateType` of a break-glass: the fields of a release, another demand, a short end.
pub const TYPE_BREAK_GLASS: &str = "urn:anlauf:break-glass:v1";
/// `predicateType` of a close.
pub const TYPE_CLOSE: &str = "urn:anlauf:close:v1";

/// `predicateType` of fresh word, an answer to a gate's beacon.
pub const TYPE_FRESHNESS: &str = "urn:anlauf:freshness:v1";

/// One of the statements, parsed strictly from verified or to-be-signed bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum Statement {
    /// Who is who.
    Root(Root),
    /// What must be known and who must sign.
    Policy(Policy),
    /// Who signs for a tenant.
    Delegation(Delegation),
    /// What somebody found out about cells.
    Finding(Finding),
    /// Cells may open, by a release or by break-glass.
    Release(Release),
    /// Cells must shut.
    Close(Close),
}

impl Statement {
    /// What signatures of OpenSSH under it are bound to.
    pub fn namespace(&self) -> String {
        match self {
            Statement::Root(root) => namespace(TYPE_ROOT, &root.domain),
            Statement::Policy(policy) => namespace(TYPE_POLICY, &policy.domain),
            Statement::Delegation(list) => namespace(TYPE_DELEGATION, &list.domain),
            Statement::Finding(finding) => namespace(TYPE_FINDING, &finding.domain),
            Statement::Release(release) => namespace(release.predicate_type(), &release.domain),
            Statement::Close(close) => namespace(TYPE_CLOSE, &close.domain),
        }
    }
}

/// Who is who in one domain. Version N+1 needs the thresholds of N and of N+1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Root {
    /// Domain id: everything signed under another domain is foreign. `drill-…` for drills.
    pub domain: String,
    /// Whether this domain is a rehearsal; shown on every screen.
    pub drill: bool,
    /// Sequential, from 1.
    pub version: u64,
    /// An expired root closes, never opens.
    pub expires: Timestamp,
    /// Every key of every person.
    pub keys: Vec<KeyRecord>,
    /// Persons who may sign roots and policies, by key; a subset of `keys`.
    pub root_keys: Vec<KeyId>,
    /// How many distinct persons must sign a root or policy.
    pub root_threshold: u32,
    /// From how many distinct organisations.
    pub root_organisations_min: u32,
}

/// Who signs for a tenant, by the tenant's own word: nobody else can add to it.
///
/// Version 1 is signed by the tenant's people in the root, N+1 by the thresholds of N and of N+1;
/// from version 1 on the tenant's keys in the root count for nothing but roots and policies.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Delegation {
    /// Domain id.
    pub domain: String,
    /// Whose.
    pub tenant: TenantId,
    /// Sequential, from 1.
    pub version: u64,
    /// Every key of the tenant's people. 1 to 64.
    pub keys: Vec<KeyRecord>,
    /// How many distinct persons of it must sign the next one.
    pub threshold: u32,
}

/// What must be known and who must sign; and which request belongs to which cell.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Policy {
    /// Domain id.
    pub domain: String,
    /// Sequential, from 1.
    pub version: u64,
    /// Digest of the gate table (cells, classes, hosts, paths, upstreams) it speaks about.
    pub table: Digest,
    /// Rules per class, kind and stage.
    pub rules: Vec<PolicyRule>,
    /// How long gates may go without fresh word, per class; none: for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freshness: Vec<FreshnessRule>,
}

/// What somebody found out about cells of one owner, or about the incident, on some evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Finding {
    /// Domain id.
    pub domain: String,
    /// About which cells, of one owner; none: about the whole incident. At most 2,000.
    pub cells: Vec<CellId>,
    /// What it speaks about.
    pub kind: FindingKind,
    /// What it says.
    pub verdict: Verdict,
    /// SHA-256 of the evidence, which stays with whoever found it.
    pub evidence: Digest,
    /// When it was found.
    pub at: Timestamp,
    /// For people. May be empty.
    pub note: String,
}

/// Cells of one owner may open to one stage: a release, or a break-glass.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Release {
    /// Domain id.
    pub domain: String,
    /// The cells, each bound to its epoch and its evidence. All of one owner. 1 to 2,000.
    pub cells: Vec<ReleaseCell>,
    /// To which stage. Never `closed`.
    pub stage: Stage,
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid from here on: the cell closes again.
    pub not_after: Timestamp,
    /// Signers counted under this root version or a later one.
    pub root_version_min: u64,
    /// Digest of the policy the signers saw.
    pub policy: Digest,
    /// Digest of the plan it is part of; none for the first commissioning.
    pub plan: Option<Digest>,
    /// Why, for people.
    pub reason: String,
    /// Names of fields a verifier must understand; unknown name = refuse.
    pub critical: Vec<String>,
    /// Whether it is a break-glass. Not a field of the predicate but its type, so that neither can
    /// be read as the other and no signature under one is one under the other.
    #[serde(skip)]
    pub break_glass: bool,
}

impl Release {
    /// The `predicateType` it is signed under.
    pub const fn predicate_type(&self) -> &'static str {
        match self.break_glass {
            true => TYPE_BREAK_GLASS,
            false => TYPE_RELEASE,
        }
    }
}

/// One cell of a release.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReleaseCell {
    /// Which.
    pub cell: CellId,
    /// Strictly greater than every epoch the cell has had.
    pub epoch: Epoch,
    /// The findings it rests on, with the digest of each. Verdict pass only.
    pub evidence: Vec<Evidence>,
}

/// A finding a release rests on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Evidence {
    /// What it speaks about.
    pub kind: FindingKind,
    /// Digest of the finding.
    pub digest: Digest,
}

/// Cells must shut. One authorised signature is enough.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Close {
    /// Domain id.
    pub domain: String,
    /// What shuts.
    pub scope: Scope,
    /// Burns every release up to this epoch in the whole scope.
    pub epoch: Epoch,
    /// When it was decided.
    pub at: Timestamp,
    /// Why, for people.
    pub reason: String,
}

/// A set of cells, named without listing all of them where that can be avoided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Scope {
    /// Every cell.
    Everything,
    /// Every cell that runs at a site.
    Site(SiteId),
    /// Every cell of a tenant.
    Tenant(TenantId),
    /// Every cell of a service type.
    Service(ServiceId),
    /// Just these.
    Cells(Vec<CellId>),
}
