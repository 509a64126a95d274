//! What the planner plans from.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Landscape, SiteId, Slot, Stage, TaskKind, TeamId, TenantId, Timestamp};

/// Everything the planner looks at. Borrowed from the state; nothing else counts.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// What is to be brought back.
    pub landscape: &'a Landscape,
    /// Nothing is planned before this.
    pub now: Timestamp,
    /// When the incident began: freezes count days from here, restriction time counts from here.
    pub began: Timestamp,
    /// How far each cell is. A missing cell has not begun.
    pub progress: BTreeMap<CellId, CellProgress>,
    /// Agreed windows: hard.
    pub slots: BTreeMap<CellId, Slot>,
    /// A tenant's own order of its cells, most wanted first: moves only its own cells.
    pub wishes: BTreeMap<TenantId, Vec<CellId>>,
    /// No work on cells of a site before this (forensic hold).
    pub holds: BTreeMap<SiteId, Timestamp>,
    /// Lanes that differ from the landscape's (people ill, people added).
    pub lanes: BTreeMap<TeamId, u32>,
}

/// How far one cell is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CellProgress {
    /// How far it is open.
    pub stage: Stage,
    /// Whether it is back for good: nothing is planned for it.
    pub done: bool,
    /// Per task; a missing task is waiting.
    pub tasks: BTreeMap<TaskKind, TaskProgress>,
}

/// How far one task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskProgress {
    /// Running: immovable, ends no earlier than now.
    Running {
        /// Since.
        started: Timestamp,
    },
    /// Finished.
    Done {
        /// Since.
        started: Timestamp,
        /// Until.
        finished: Timestamp,
    },
}
