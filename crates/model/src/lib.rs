//! Words of the field as types: ids, units, limits, landscape, plan, stages.
//!
//! In:    declared files as text (landscape), plain values.
//! Out:   checked types every other crate speaks in.
//! Never: reads a clock, a disk, the network or the environment.
//! See:   docs/glossary.md for each word.

pub mod limits;

pub mod digest;
pub mod id;
pub mod time;

pub mod finding;
pub mod language;
pub mod role;
pub mod stage;
pub mod task;

pub mod feed;
pub mod landscape;
pub mod plan;
pub mod table;

pub use digest::Digest;
pub use finding::{FindingKind, Verdict};
pub use id::{
    CellId, GateId, OrganisationId, Owner, PersonId, ServiceId, SiteId, TeamId, TenantId,
};
pub use landscape::{Cell, CellKind, Class, Landscape};
pub use language::{Language, Text};
pub use plan::{Forecast, Plan, PlanId, PlanRow, Range, Slot, Wait};
pub use role::Role;
pub use stage::Stage;
pub use table::{GateCell, GateTable};
pub use task::{TaskKind, ThreePoint};
pub use time::{Epoch, Minutes, Timestamp};
