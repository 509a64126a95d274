//! Cells for which no date can be given, and what they wait for.
//!
//! In:    a [`Network`], a [`Plan`], whether forensics must have spoken first.
//! Out:   per cell a [`Wait`].
//! Never: a date for a cell that waits for one without.

use std::collections::BTreeSet;

use anlauf_model::{CellId, Plan, SiteId, TaskKind, Wait};

use crate::network::Network;
use crate::situation::{Situation, TaskProgress};

/// What each cell waits for before a date can be given; none for those that can have one.
pub(crate) fn waits(
    network: &Network<'_>,
    plan: &Plan,
    unjudged: &BTreeSet<&SiteId>,
) -> Vec<Option<Wait>> {
    let planned: BTreeSet<&CellId> = plan.rows.iter().map(|row| &row.cell).collect();
    let own = |at| own(network, &planned, unjudged, at);
    let mut found: Vec<Option<Wait>> = (0..network.nodes.len()).map(own).collect();
    let mut later = vec![Vec::new(); network.nodes.len()];
    for (at, node) in network.nodes.iter().enumerate() {
        for earlier in node.needs.iter().chain(&node.after).chain(&node.detour) {
            later[*earlier].push(at);
        }
    }
    let mut roots: Vec<usize> = (0..found.len()).filter(|at| found[*at].is_some()).collect();
    let mut root_of: Vec<usize> = (0..found.len()).collect();
    let mut next = 0;
    while let Some(at) = roots.get(next).copied() {
        next += 1;
        for waiting in &later[at] {
            if found[*waiting].is_none() {
                let root = root_of[at];
                root_of[*waiting] = root;
                found[*waiting] = Some(Wait::Cell {
                    cell: network.nodes[root].cell.id.clone(),
                });
                roots.push(*waiting);
            }
        }
    }
    found
}

/// Sites at which something is to be judged, and forensics has judged nothing yet.
pub(crate) fn unjudged<'a>(situation: &Situation<'a>) -> BTreeSet<&'a SiteId> {
    let (mut waiting, mut judged) = (BTreeSet::new(), BTreeSet::new());
    for (id, cell) in situation.landscape.cells() {
        if cell.emergency || !cell.tasks.contains_key(&TaskKind::Evidence) {
            continue;
        }
        let known = situation.progress.get(id);
        let evidence = known.and_then(|p| p.tasks.get(&TaskKind::Evidence));
        let is_judged =
            matches!(evidence, Some(TaskProgress::Done { .. })) || known.is_some_and(|p| p.done);
        match is_judged {
            true => judged.insert(&cell.site),
            false => waiting.insert(&cell.site),
        };
    }
    waiting.difference(&judged).copied().collect()
}

fn own(
    network: &Network<'_>,
    planned: &BTreeSet<&CellId>,
    unjudged: &BTreeSet<&SiteId>,
    at: usize,
) -> Option<Wait> {
    let node = &network.nodes[at];
    let tasks = &network.tasks[node.tasks.clone()];
    if tasks.iter().any(|task| task.kind == TaskKind::Evidence)
        && unjudged.contains(&node.cell.site)
    {
        return Some(Wait::Verdict {
            site: node.cell.site.clone(),
        });
    }
    if !tasks.is_empty() && !planned.contains(&node.cell.id) {
        return Some(Wait::Plan);
    }
    let nobody = tasks.iter().find(|task| {
        let crew = &network.crews[task.crew];
        network.calendars[crew.calendar].is_empty() || (crew.lanes == 0 && task.running.is_none())
    })?;
    Some(Wait::Nobody {
        team: network.crews[nobody.crew].team.cloned(),
        task: nobody.kind,
    })
}
