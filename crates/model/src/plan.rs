//! A plan, its slots and its forecast, as values.
//!
//! In:    rows from the planner. Out: [`Plan`], [`Slot`], [`Forecast`].
//! Never: computes an order; that is the planner's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CellId, ServiceId, SiteId, TeamId, TenantId};
use crate::task::TaskKind;
use crate::time::Timestamp;

/// A plan's name: the digest of its content.
pub type PlanId = Digest;

/// One order for all tenants. Immutable; only a child of the current plan may be adopted.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Digest of everything below (with this field zeroed).
    pub id: PlanId,
    /// The plan it replaces; none for the first.
    pub parent: Option<PlanId>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Every unfinished or running task of every cell, sorted by cell, then task.
    pub rows: Vec<PlanRow>,
    /// Σ harm weight × insured × restriction hours.
    pub objective: u64,
    /// No plan can have a smaller objective than this.
    pub bound: u64,
}

/// When one task of one cell runs, and by whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlanRow {
    /// Whose.
    pub cell: CellId,
    /// Which step.
    pub task: TaskKind,
    /// Who does it; none means the tenant's own people (acceptance).
    pub team: Option<TeamId>,
    /// First minute of work.
    pub start: Timestamp,
    /// First minute after it.
    pub end: Timestamp,
}

impl Plan {
    /// Seals the rows into a plan: computes the id.
    pub fn sealed(mut self) -> Self {
        self.id = Digest([0; 32]);
        let bytes = serde_json::to_vec(&self).expect("a plan has only string keys");
        self.id = Digest::of(&bytes);
        self
    }

    /// When each cell is released: the end of its last task.
    pub fn releases(&self) -> BTreeMap<&CellId, Timestamp> {
        let mut ends: BTreeMap<&CellId, Timestamp> = BTreeMap::new();
        for row in &self.rows {
            let end = ends.entry(&row.cell).or_insert(row.end);
            *end = (*end).max(row.end);
        }
        ends
    }

    /// How far from the best possible at most. Per mille of the bound.
    pub fn gap_per_mille(&self) -> u64 {
        match self.bound {
            0 => 0,
            bound => self.objective.saturating_sub(bound).saturating_mul(1000) / bound,
        }
    }
}

/// A time window for the release of a cell; hard for the planner once agreed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// First moment the release may happen.
    pub from: Timestamp,
    /// Last moment.
    pub to: Timestamp,
}

/// A date as a range: with 50, 80, 95 of 100 it is not later than this.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Range {
    /// 50 %.
    pub p50: Timestamp,
    /// 80 %.
    pub p80: Timestamp,
    /// 95 %.
    pub p95: Timestamp,
}

/// Ranges for every unreleased cell, for tenants, services and the whole; or what a date waits for.
///
/// Each unreleased cell stands in `cells` or in `waits`, never in both. Forecasts that were put on
/// the ledger before there were `tenants`, `services` and `waits` are read as having none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Forecast {
    /// The plan it was simulated from.
    pub plan: PlanId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Per cell not yet fully open.
    pub cells: BTreeMap<CellId, Range>,
    /// When the last cell of a tenant opens; none while one of them waits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<TenantId, Range>,
    /// When the last cell of a service opens, all tenants' taken together; none while one waits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<ServiceId, Range>,
    /// When the last cell opens; none while one waits.
    pub whole: Option<Range>,
    /// Cells that have no date yet, each with what it waits for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waits: BTreeMap<CellId, Wait>,
}

/// What must be known or done before a date can be given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "wait")]
pub enum Wait {
    /// Forensics has not yet judged a single cell of its site: nobody knows what stands there.
    Verdict {
        /// Which site.
        site: SiteId,
    },
    /// The plan in force does not name it.
    Plan,
    /// Nobody works on one of its steps: no lane, or no working hours.
    Nobody {
        /// Which team; none is the tenant's own testers.
        team: Option<TeamId>,
        /// Which step.
        task: TaskKind,
    },
    /// It cannot open before another cell, and that one has no date.
    Cell {
        /// Which: the one at the root of the wait, with a reason of its own.
        cell: CellId,
    },
}
