//! What would move a cell earlier, and by how much.
//!
//! In:    a [`Situation`], the plan in force, a cell.
//! Out:   [`Lever`]s, the strongest first.
//! Never: guesses: each lever is pulled, and the plan repaired with it.
//! See:   docs/planner.md, "Why".

use std::collections::BTreeSet;

use anlauf_model::{CellId, Minutes, Plan, Timestamp};
use serde::Serialize;

use crate::repair::repair;
use crate::situation::Situation;
use crate::whatif::{Change, apply};
use crate::why::{Why, why};

/// Most levers that are tried for one cell.
const LEVERS_MAX: usize = 8;

/// Moves below this are not worth a word. Minutes.
const EARLIER_MIN: i64 = 30;

/// A change that opens a cell earlier by plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Lever {
    /// What would have to be otherwise.
    #[serde(flatten)]
    pub change: Change,
    /// When the cell would open by plan.
    pub opens: Timestamp,
    /// By how much earlier.
    pub earlier: Minutes,
}

/// Tries what the chain names: a lane more for each team it waits for, its sites free now, agreed
/// windows given back. Empty when the cell is not planned, or nothing of that helps.
pub fn levers(situation: &Situation<'_>, plan: &Plan, cell: &CellId) -> Vec<Lever> {
    let Ok(before) = repair(situation, plan) else {
        return Vec::new();
    };
    let Some(opens_before) = before.plan.releases().get(cell).copied() else {
        return Vec::new();
    };
    let chain = why(situation, &before.plan, cell);
    let changes: BTreeSet<Change> = chain_changes(situation, cell, &chain).collect();
    let mut levers = Vec::new();
    for change in changes.into_iter().take(LEVERS_MAX) {
        let mut changed = situation.clone();
        if apply(&mut changed, &change).is_err() {
            continue;
        }
        let Ok(after) = repair(&changed, plan) else {
            continue;
        };
        let Some(opens) = after.plan.releases().get(cell).copied() else {
            continue;
        };
        let earlier = opens_before - opens;
        if earlier.0 >= EARLIER_MIN {
            levers.push(Lever {
                change,
                opens,
                earlier,
            });
        }
    }
    levers.sort_by(|a, b| (b.earlier, &a.change).cmp(&(a.earlier, &b.change)));
    levers
}

/// What could be otherwise about each link of a chain.
fn chain_changes<'c>(
    situation: &'c Situation<'_>,
    cell: &'c CellId,
    chain: &'c [Why],
) -> impl Iterator<Item = Change> + 'c {
    let mut at = cell;
    chain.iter().filter_map(move |link| match link {
        Why::Needs { cell, .. } | Why::After { cell, .. } => {
            at = cell;
            None
        }
        Why::Team { team, .. } => {
            let own = situation.landscape.team(team)?.lanes;
            let lanes = situation.lanes.get(team).copied().unwrap_or(own);
            Some(Change::Lanes {
                team: team.clone(),
                lanes: lanes.saturating_add(1),
            })
        }
        Why::Hold { site, .. } => Some(Change::Free {
            site: site.clone(),
            at: situation.now,
        }),
        Why::Agreed { .. } => Some(Change::GiveBack { cell: at.clone() }),
        Why::Work { .. } | Why::Acceptance { .. } | Why::Calendar { .. } => None,
    })
}
