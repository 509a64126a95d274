//! What holds a cell, as pieces of sentences; for a tenant without a word about others.

use anlauf_model::{CellId, FindingKind, Landscape, Role, Slot, Stage, TaskKind, Text, Timestamp};
use anlauf_planner::Why;
use anlauf_recovery::State;
use anlauf_recovery::query::{self, Holding};
use anlauf_recovery::state::Answer;

use super::{CellName, cell_name};

/// What holds a cell.
#[derive(Clone, Debug)]
pub(crate) struct HoldView {
    pub(crate) stage_next: Option<Stage>,
    /// Nearest first.
    pub(crate) reasons: Vec<Held>,
    /// What the plan says, nearest first.
    pub(crate) chain: Vec<Held>,
}

/// One reason.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Needs(CellName, Option<Timestamp>),
    After(CellName, Timestamp),
    Tasks(Vec<TaskKind>),
    Findings(Vec<FindingKind>),
    Signatures(Vec<(Role, u32)>),
    /// The tenant's word: none offered, unanswered, declined, missed.
    Word(Option<Answer>),
    Work(TaskKind, Timestamp, Timestamp),
    /// Team, step, since, until, cells before it, their names.
    Team(Text, TaskKind, (Timestamp, Timestamp), Vec<CellName>),
    /// A team is busy with others, since and until; for a tenant's eyes.
    TeamBusy(Text, (Timestamp, Timestamp)),
    Acceptance(Timestamp),
    Site(Text, Timestamp),
    Agreed(Slot),
    Calendar(Timestamp),
}

/// A stretch of the chain that is about one cell.
pub(crate) struct Stretch<'h> {
    /// How the chain came to this cell; none for the cell that was asked about.
    pub(crate) lead: Option<&'h Held>,
    /// What is said of it, nearest first.
    pub(crate) links: Vec<&'h Held>,
}

/// What the time until an opening goes into. Minutes, each counted once along the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) work: i64,
    pub(crate) team: i64,
}

/// The chain cell by cell.
pub(crate) fn stretches(chain: &[Held]) -> Vec<Stretch<'_>> {
    let mut stretches = vec![Stretch {
        lead: None,
        links: Vec::new(),
    }];
    for held in chain {
        if matches!(held, Held::Needs(..) | Held::After(..)) {
            stretches.push(Stretch {
                lead: Some(held),
                links: Vec::new(),
            });
        } else if let Some(last) = stretches.last_mut() {
            last.links.push(held);
        }
    }
    stretches.retain(|one| one.lead.is_some() || !one.links.is_empty());
    stretches
}

/// What the time of a chain goes into; what lies before `now` is spent already.
pub(crate) fn spent(chain: &[Held], now: Timestamp) -> Spent {
    let mut spent = Spent::default();
    let span = |from: &Timestamp, to: &Timestamp| (*to - (*from).max(now)).0.max(0);
    for held in chain {
        match held {
            Held::Work(_, from, to) => spent.work += span(from, to),
            Held::Team(_, _, (from, to), _) | Held::TeamBusy(_, (from, to)) => {
                spent.team += span(from, to);
            }
            _ => {}
        }
    }
    spent
}

/// What holds a cell; `foreign` = without names of other tenants. None when nobody knows it.
pub(crate) fn hold(state: &State, now: Timestamp, id: &CellId, foreign: bool) -> Option<HoldView> {
    Some(view(state, query::holding(state, now, id)?, foreign))
}

/// The same without the plan's chain, for lists of many cells.
pub(crate) fn hold_short(state: &State, id: &CellId, foreign: bool) -> Option<HoldView> {
    Some(view(state, query::holding_short(state, id)?, foreign))
}

fn view(state: &State, held: Holding, foreign: bool) -> HoldView {
    let Some(landscape) = state.landscape.as_deref() else {
        return HoldView {
            stage_next: held.stage_next,
            reasons: Vec::new(),
            chain: Vec::new(),
        };
    };
    let name = |id: &CellId| cell_name(landscape, id);
    let reasons = reasons(state, landscape, &held);
    let team = |id: &anlauf_model::TeamId| {
        landscape
            .team(id)
            .map(|team| team.name.clone())
            .unwrap_or_default()
    };
    let site = |id: &anlauf_model::SiteId| {
        landscape
            .site(id)
            .map(|site| site.name.clone())
            .unwrap_or_default()
    };
    let link = |why: &Why| match why {
        Why::Needs { cell, until } => Held::Needs(name(cell), Some(*until)),
        Why::After { cell, until } => Held::After(name(cell), *until),
        Why::Work { task, start, end } => Held::Work(*task, *start, *end),
        Why::Team {
            team: id,
            since,
            until,
            ..
        } if foreign => Held::TeamBusy(team(id), (*since, *until)),
        Why::Team {
            team: id,
            task,
            since,
            until,
            behind,
        } => {
            let behind = behind.iter().map(name).collect();
            Held::Team(team(id), *task, (*since, *until), behind)
        }
        Why::Acceptance { until, .. } => Held::Acceptance(*until),
        Why::Hold { site: id, until } => Held::Site(site(id), *until),
        Why::Agreed { slot } => Held::Agreed(*slot),
        Why::Calendar { until } => Held::Calendar(*until),
    };
    HoldView {
        stage_next: held.stage_next,
        reasons,
        chain: held.chain.iter().map(link).collect(),
    }
}

/// What policy still misses, nearest first; nothing when the cell is back.
fn reasons(state: &State, landscape: &Landscape, held: &Holding) -> Vec<Held> {
    let id = &held.cell;
    let name = |id: &CellId| cell_name(landscape, id);
    let mut reasons = Vec::new();
    if held.stage_next.is_some() {
        reasons.extend(
            held.needs_closed
                .iter()
                .map(|need| Held::Needs(name(need), None)),
        );
        if !held.tasks_open.is_empty() {
            reasons.push(Held::Tasks(held.tasks_open.clone()));
        }
        if !held.findings_missing.is_empty() {
            reasons.push(Held::Findings(held.findings_missing.clone()));
        }
        if held.word_missing.is_some() {
            reasons.push(Held::Word(state.offers.get(id).map(|offer| offer.answer)));
        }
        if !held.signatures_missing.is_empty() {
            reasons.push(Held::Signatures(held.signatures_missing.clone()));
        }
    }
    reasons
}
