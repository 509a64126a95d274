//! Names what holds a cell.

use anlauf_model::{CellId, Plan, SiteId, Slot, TaskKind, TeamId, Timestamp};
use serde::Serialize;

use crate::situation::Situation;

/// One link of the chain that holds a cell in the plan, nearest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Why {
    /// It waits for a cell it needs.
    Needs {
        /// Which.
        cell: CellId,
        /// When that one is planned to open.
        until: Timestamp,
    },
    /// It comes after another by order.
    After {
        /// Which.
        cell: CellId,
        /// When that one is planned to open.
        until: Timestamp,
    },
    /// Its own step takes this long.
    Work {
        /// Which step.
        task: TaskKind,
        /// From.
        start: Timestamp,
        /// To.
        end: Timestamp,
    },
    /// Every lane of a team is busy with others.
    Team {
        /// Which.
        team: TeamId,
        /// Step that waits.
        task: TaskKind,
        /// Since when it could have begun.
        since: Timestamp,
        /// When a lane becomes free.
        until: Timestamp,
        /// Whose work is before it, at most five.
        behind: Vec<CellId>,
    },
    /// The tenant's own testers are busy with its other cells.
    Acceptance {
        /// Since when it could have begun.
        since: Timestamp,
        /// Until.
        until: Timestamp,
    },
    /// Its site is held for forensics.
    Hold {
        /// Which.
        site: SiteId,
        /// Until.
        until: Timestamp,
    },
    /// It was agreed for this window.
    Agreed {
        /// Window.
        slot: Slot,
    },
    /// No work or no release at this time (night, freeze).
    Calendar {
        /// Until.
        until: Timestamp,
    },
}

/// The chain that holds a cell, nearest first; empty when the cell is not in the plan.
pub fn why(_situation: &Situation<'_>, _plan: &Plan, _cell: &CellId) -> Vec<Why> {
    unimplemented!()
}
