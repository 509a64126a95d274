//! What the provider runs, for whom, and what leans on what.
//!
//! In:    a [`Declared`] landscape (from files, or from the ledger).
//! Out:   a [`Landscape`] with every cell derived, or every problem at once.
//! Never: reads a file; `source` gets texts, the shell reads them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::FindingKind;
use crate::id::{CellId, OrganisationId, Owner, PersonId, ServiceId, SiteId, TeamId, TenantId};
use crate::language::Text;
use crate::role::Role;
use crate::stage::Stage;
use crate::task::{TaskKind, ThreePoint};

pub mod derive;
pub mod example;
pub mod freshness;
mod index;
pub mod lint;
pub mod policy;
pub mod source;

pub use freshness::{FreshnessRule, Stale};

#[cfg(test)]
mod tests;

/// What the files say, before anything is derived. Lists keep the order of the files.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Declared {
    /// Short name: `krankenkassen`.
    pub id: OrganisationId,
    /// Name for people.
    pub title: Text,
    /// IANA time zone of working hours and pages: `Europe/Berlin`.
    pub time_zone: String,
    /// The provider itself, as an organisation that persons belong to.
    pub provider: OrganisationId,
    /// Data centres.
    pub sites: Vec<Site>,
    /// Organisations that are neither the provider nor a tenant (outside forensics).
    pub organisations: Vec<Organisation>,
    /// Teams with their lanes and hours.
    pub teams: Vec<Team>,
    /// Service types.
    pub services: Vec<Service>,
    /// Customers.
    pub tenants: Vec<Tenant>,
    /// Which tenant has which tenant or switch service, and how many of it.
    pub offers: Vec<Offer>,
    /// People with a role. [`Landscape::new`] adds the tenants' approvers that no file names.
    pub people: Vec<Person>,
    /// Estimates of work per kind of cell.
    pub work: Vec<Work>,
    /// Times in which no release may happen anywhere (audits, payment runs).
    pub freezes: Vec<Freeze>,
    /// Days of the month by which services must be open again (statistics, benefit runs).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<Deadline>,
    /// What the plan weighs.
    #[serde(default, skip_serializing_if = "Objective::is_default")]
    pub objective: Objective,
    /// What must be known and who must sign, per class, kind of cell and stage.
    pub policy: Vec<PolicyRule>,
    /// How long gates may go without fresh word, per class; a class not named may for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub freshness: Vec<FreshnessRule>,
}

/// A data centre.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Id.
    pub id: SiteId,
    /// Name for people.
    pub name: Text,
    /// Share of the full estimate that work at this site takes, per kind of cell. Per mille.
    /// Sites that were shut down only as a precaution are checked, not rebuilt.
    #[serde(default)]
    pub work_per_mille: WorkShare,
}

/// Share of the full estimate per kind of cell. Per mille; 1000 = the whole of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkShare {
    /// Foundation and site cells.
    pub foundation: u32,
    /// Shared instances.
    pub shared: u32,
    /// Switches, tenant and non-standard cells.
    pub tenant: u32,
}

impl Default for WorkShare {
    fn default() -> Self {
        Self {
            foundation: 1000,
            shared: 1000,
            tenant: 1000,
        }
    }
}

/// An outside organisation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Id.
    pub id: OrganisationId,
    /// Name for people.
    pub name: Text,
}

/// A team.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Id.
    pub id: TeamId,
    /// Name for people.
    pub name: Text,
    /// How many tasks it can do side by side.
    pub lanes: u32,
    /// First working hour of the local day. 0–23.
    #[serde(default)]
    pub hour_from: u8,
    /// First hour after work. 1–24.
    #[serde(default = "hour_to_default")]
    pub hour_to: u8,
    /// Working days, Monday = 1 … Sunday = 7; empty means all seven.
    #[serde(default)]
    pub days: Vec<u8>,
}

fn hour_to_default() -> u8 {
    24
}

/// How many instances of a service there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceScope {
    /// One for everything.
    Foundation,
    /// One per site.
    Site,
    /// One instance, and a switch per tenant that has it.
    Shared,
    /// Each tenant its own instance.
    Tenant,
}

/// How much harm a breach of confidentiality, integrity or availability does.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Schutzbedarf normal.
    Normal,
    /// Schutzbedarf hoch.
    High,
    /// Schutzbedarf sehr hoch.
    VeryHigh,
}

/// A service type.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Id.
    pub id: ServiceId,
    /// Name for people.
    pub name: Text,
    /// How many instances.
    pub scope: ServiceScope,
    /// Non-standard (customer-specific): comes after the tenant's standard services.
    #[serde(default)]
    pub custom: bool,
    /// The service whose emergency operation this is: brought up only where the plan chooses it,
    /// shut again after the return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_for: Option<ServiceId>,
    /// Share of the estimates of its kind that its cells take. Per mille; 1000 = the whole of it.
    #[serde(default = "per_mille_whole", skip_serializing_if = "is_whole")]
    pub work_per_mille: u32,
    /// Protection need: confidentiality.
    pub confidentiality: Protection,
    /// Protection need: integrity.
    pub integrity: Protection,
    /// Protection need: availability.
    pub availability: Protection,
    /// Maximum tolerable downtime. Hours.
    pub mta_hours: u32,
    /// Required restart time. Hours; smaller than the effective maximum tolerable downtime.
    pub rto_hours: u32,
    /// Services it needs.
    #[serde(default)]
    pub needs: Vec<ServiceId>,
    /// The team that rebuilds and tests it.
    pub team: TeamId,
    /// Order among equals: 1 comes first. Weighs the plan's objective.
    #[serde(default = "rank_default")]
    pub rank: u32,
    /// Services of the same tenant that are released before this one (order, not need).
    #[serde(default)]
    pub after: Vec<ServiceId>,
    /// Site that runs the one instance (foundation and shared scope only).
    #[serde(default)]
    pub home: Option<SiteId>,
    /// Stages a release goes through, the last is where it ends. Default: `full`.
    #[serde(default = "stages_default")]
    pub stages: Vec<Stage>,
    /// Methods and paths allowed in stage `basic`: `GET /`, `POST /login`. The path is a prefix.
    #[serde(default)]
    pub basic: Vec<String>,
    /// Path under the owner's host: `/epa`. Default: `/` + id. Numbered instances append `-01`.
    #[serde(default)]
    pub path: Option<String>,
    /// Where the gate forwards to: `http://127.0.0.1:9001`. `{site}`, `{owner}` and `{service}`
    /// are filled in.
    #[serde(default)]
    pub upstream: Option<String>,
}

fn rank_default() -> u32 {
    5
}

fn per_mille_whole() -> u32 {
    1_000
}

fn is_whole(per_mille: &u32) -> bool {
    *per_mille == per_mille_whole()
}

fn stages_default() -> Vec<Stage> {
    vec![Stage::Full]
}

/// A customer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Id.
    pub id: TenantId,
    /// Name for people; the same in both languages.
    pub name: String,
    /// Class of size, for reports: `XL`, `L`, `M`, `S`, `XS`.
    pub size: String,
    /// People it serves (insured persons, citizens).
    pub insured: u64,
    /// Where its own instances run.
    pub site: SiteId,
    /// How many people may sign for it.
    pub approvers: u32,
}

/// One line of `offers.csv`: a tenant has a service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Who.
    pub tenant: TenantId,
    /// What.
    pub service: ServiceId,
    /// How many instances; more than one only for non-standard services.
    #[serde(default = "count_default")]
    pub count: u32,
}

fn count_default() -> u32 {
    1
}

/// A person who may act or sign.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Id.
    pub id: PersonId,
    /// Name for people. Synthetic in everything we ship.
    pub name: String,
    /// Whom they belong to: the provider, an outside organisation, or a tenant's id.
    pub organisation: OrganisationId,
    /// What they act as.
    pub role: Role,
}

/// Estimate of one task for one kind of cell. Hours of work.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// For cells of this kind.
    pub kind: CellKind,
    /// This step.
    pub task: TaskKind,
    /// Who; none means the service's own team.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// Hours if all goes well.
    pub optimistic: f64,
    /// Hours, most likely.
    pub likely: f64,
    /// Hours if much goes wrong.
    pub pessimistic: f64,
}

/// A time in which no release may happen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// Why, for people.
    pub reason: Text,
    /// Local start, days after the incident began, with fraction.
    pub from_day: f64,
    /// Local end, days after the incident began.
    pub to_day: f64,
    /// Only these sites; empty means all.
    #[serde(default)]
    pub sites: Vec<SiteId>,
}

/// A day of every month by which services must be open: kept when any plan can keep it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// Why, for people.
    pub reason: Text,
    /// Which service types.
    pub services: Vec<ServiceId>,
    /// Day of the month, 1–31; in a shorter month its last day.
    pub month_day: u8,
    /// Hour of the local day before which they are open, 1–24.
    #[serde(default = "hour_to_default")]
    pub hour: u8,
}

/// What the plan weighs beside harm, people and hours. Per mille.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// Share in which every tenant counts alike, whatever its size; the rest counts its people.
    pub fairness_per_mille: u32,
    /// Share of the harm that is left while a cell is open at stage `basic`, or while its emergency
    /// operation is open.
    pub basic_per_mille: u32,
}

impl Objective {
    /// Whether nothing is said but what holds anyway.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Objective {
    fn default() -> Self {
        Self {
            fairness_per_mille: 0,
            basic_per_mille: 400,
        }
    }
}

/// What must be known and who must sign before a stage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Which cells by protection.
    pub class: Class,
    /// Which cells by kind; empty means every kind.
    #[serde(default)]
    pub kinds: Vec<CellKind>,
    /// Which stages; empty means every stage above `closed`.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Findings that must stand with verdict pass.
    pub findings: Vec<FindingKind>,
    /// How many distinct persons of which role must sign.
    pub signers: Vec<SignerCount>,
    /// How many distinct organisations the signers must come from.
    pub organisations_min: u32,
    /// How many distinct origins the signatures must come from: software, OpenSSH, token. 0 asks
    /// for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub origins_min: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// A number of signers of one role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignerCount {
    /// Acting as.
    pub role: Role,
    /// Distinct persons.
    pub count: u32,
}

/// What a cell is; decides estimates and policy.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Foundation or site instance.
    Foundation,
    /// The one instance of a shared service.
    Shared,
    /// A tenant's switch of a shared service.
    Switch,
    /// A tenant's own standard instance.
    Tenant,
    /// A tenant's own non-standard instance.
    Custom,
}

/// Class of protection: the highest of confidentiality, integrity and availability.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema,
)]
pub enum Class {
    /// Very high.
    A,
    /// High.
    B,
    /// Normal.
    C,
}

/// A checked landscape with every cell derived. Cheap to share behind an `Arc`.
#[derive(Clone, PartialEq, Debug)]
pub struct Landscape {
    declared: Declared,
    cells: BTreeMap<CellId, Cell>,
    index: index::Index,
}

/// One cell, with all that is known of it before an incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Id.
    pub id: CellId,
    /// The service type it is an instance of (`custom` for `custom-03`).
    pub service: ServiceId,
    /// Whose.
    pub owner: Owner,
    /// Where it runs.
    pub site: SiteId,
    /// What it is.
    pub kind: CellKind,
    /// How well it is protected.
    pub class: Class,
    /// Cells it cannot work without.
    pub needs: Vec<CellId>,
    /// Cells that are released before it, by order only.
    pub after: Vec<CellId>,
    /// People who wait for it: the tenant's, or everyone's behind it.
    pub insured: u64,
    /// Harm per person and hour of restriction, relative. Higher first.
    pub harm: u32,
    /// Stages its release goes through.
    pub stages: Vec<Stage>,
    /// Estimates per step; a missing step is not needed.
    pub tasks: BTreeMap<TaskKind, TaskNeed>,
    /// Host name at the gate: `bkk-amsel.krankenkassen.example`.
    pub host: String,
    /// Path prefix at the gate: `/epa`.
    pub path: String,
    /// Where the gate forwards to.
    pub upstream: Option<String>,
    /// Methods and paths allowed in `basic`.
    pub basic: Vec<String>,
    /// Whether it is of a service that is an emergency operation: the plan may do without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
    /// The other way to reach this cell's people, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detour: Option<Detour>,
}

/// Another way to reach a cell's people: emergency operation first, and back from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Detour {
    /// The cell that is the emergency operation.
    pub cell: CellId,
    /// The way back: the step [`TaskKind::Return`] of the cell that has this detour.
    pub back: TaskNeed,
}

/// One step of one cell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskNeed {
    /// Who does it. Acceptance is done by the tenant itself: none.
    pub team: Option<TeamId>,
    /// How long.
    pub work: ThreePoint,
}

/// The word that files use for a class or kind.
fn word_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::from("?"),
    }
}

impl Cell {
    /// The tenant whose cell it is; none for foundation, site and shared cells.
    pub fn tenant(&self) -> Option<&TenantId> {
        match &self.owner {
            Owner::Tenant(tenant) => Some(tenant),
            _ => None,
        }
    }

    /// Its steps in their order; with the return when it comes from emergency operation.
    pub fn steps(&self, returns: bool) -> impl Iterator<Item = (TaskKind, &TaskNeed)> {
        let back = self.detour.iter().filter(move |_| returns);
        let back = back.map(|detour| (TaskKind::Return, &detour.back));
        let own = self.tasks.iter().map(|(kind, need)| (*kind, need));
        let (before, behind): (Vec<_>, Vec<_>) =
            own.partition(|(kind, _)| *kind < TaskKind::Return);
        before.into_iter().chain(back).chain(behind)
    }

    /// The stage at which the cell counts as restored.
    pub fn stage_last(&self) -> Stage {
        self.stages.last().copied().unwrap_or(Stage::Full)
    }
}
