//! What waits for a decision, and whose.

use anlauf_model::{CellId, Digest, FindingKind, Role, Slot, Stage, TaskKind, Timestamp};
use anlauf_recovery::state::{Answer, ReleaseCase, ReleaseEnd};
use anlauf_recovery::{Actor, State, rights};

use super::plan::{PlanDifference, difference};
use super::release::{ReleaseView, is_mine, missing};
use super::{CellName, cell_name, gate};

/// Lines of one list; the rest is counted.
const LISTED_MAX: usize = 60;

/// What kind of decision waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum DueKind {
    GateOpenTooFar,
    WordLate,
    Sign,
    Release,
    Plan,
    AnswerSlot,
    Accept,
    FindingMissing,
    OfferAgain,
    Contradiction,
}

/// What waits, in one line.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) kind: DueKind,
    pub(crate) count: usize,
    /// The first of the cells it is about.
    pub(crate) cell: Option<CellName>,
    pub(crate) link: &'static str,
}

/// Everything that waits.
pub(crate) struct InboxView {
    pub(crate) sign: Listed<ReleaseView>,
    pub(crate) others_sign: Listed<ReleaseView>,
    pub(crate) ready: Listed<ReleaseView>,
    pub(crate) plans: Vec<PlanCard>,
    pub(crate) slots_open: Listed<SlotLine>,
    pub(crate) slots_again: Listed<SlotLine>,
    pub(crate) contradictions: Listed<Contradiction>,
    pub(crate) accept: Listed<CellName>,
    pub(crate) findings: Listed<FindingLine>,
}

/// A list that is cut where nobody reads on.
#[derive(Clone, Debug)]
pub(crate) struct Listed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) more: usize,
}

/// A proposed plan.
pub(crate) struct PlanCard {
    pub(crate) id: Digest,
    pub(crate) made_at: Timestamp,
    pub(crate) gap_per_mille: u64,
    pub(crate) row_count: usize,
    /// Against the plan in force.
    pub(crate) difference: Option<PlanDifference>,
}

/// A window and its answer.
#[derive(Clone, Debug)]
pub(crate) struct SlotLine {
    pub(crate) name: CellName,
    pub(crate) slot: Slot,
    pub(crate) answer: Answer,
    pub(crate) reason: String,
}

/// An agreed window that the plan in force cannot keep.
#[derive(Clone, Debug)]
pub(crate) struct Contradiction {
    pub(crate) name: CellName,
    pub(crate) slot: Slot,
    pub(crate) planned: Timestamp,
}

/// A step that is done and whose finding nobody has brought.
#[derive(Clone, Debug)]
pub(crate) struct FindingLine {
    pub(crate) name: CellName,
    pub(crate) kind: FindingKind,
    pub(crate) since: Timestamp,
}

impl<T> Listed<T> {
    pub(crate) fn of(items: Vec<T>) -> Self {
        let more = items.len().saturating_sub(LISTED_MAX);
        let items = items.into_iter().take(LISTED_MAX).collect();
        Self { items, more }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.items.len() + self.more
    }
}

/// How much waits for this person.
pub(crate) fn due_count(state: &State, now: Timestamp, actor: &Actor) -> usize {
    due(state, now, actor).iter().map(|due| due.count).sum()
}

/// What waits for this person, most urgent first.
pub(crate) fn due(state: &State, now: Timestamp, actor: &Actor) -> Vec<Due> {
    let mut due = Vec::new();
    let mut add = |kind, count: usize, first: Option<&CellId>, link| {
        if count > 0 {
            let name = first.and_then(|id| Some(cell_name(state.landscape.as_deref()?, id)));
            due.push(Due {
                kind,
                count,
                cell: name,
                link,
            });
        }
    };
    let may = |verb: &str| rights::may(actor.role, verb);
    let own = |cell: &CellId| {
        actor.role != Role::Tenant
            || actor
                .tenant
                .as_ref()
                .is_some_and(|t| t.as_str() == cell.owner())
    };
    if actor.role != Role::Tenant {
        let far: usize = state
            .gates
            .values()
            .map(|g| {
                gate::differences(state, now, g)
                    .iter()
                    .filter(|d| d.is_open_too_far())
                    .count()
            })
            .sum();
        add(DueKind::GateOpenTooFar, far, None, "/console/gates");
    }
    if may("publish_notice") && is_word_late(state, now) {
        add(DueKind::WordLate, 1, None, "/console/desk");
    }
    let inbox = if actor.role == Role::Tenant {
        "/tenant"
    } else {
        "/console/inbox"
    };
    let (mine, ready) = releases(state, actor);
    add(DueKind::Sign, mine.len(), mine.first().copied(), inbox);
    if may("release") {
        add(DueKind::Release, ready.len(), ready.first().copied(), inbox);
    }
    if may("adopt_plan") {
        add(DueKind::Plan, state.proposed.len(), None, inbox);
    }
    if may("agree_slots") {
        let open = answered(state, &[Answer::Open], &own);
        add(
            DueKind::AnswerSlot,
            open.len(),
            open.first().copied(),
            inbox,
        );
    }
    if may("accept_cells") {
        let accept = acceptance_due(state, &own);
        add(
            DueKind::Accept,
            accept.len(),
            accept.first().copied(),
            inbox,
        );
    }
    if may("add_findings") {
        let found = findings_due(state);
        add(
            DueKind::FindingMissing,
            found.len(),
            found.first().map(|f| f.0),
            inbox,
        );
    }
    if may("offer_slots") {
        let again = answered(state, &[Answer::Declined, Answer::Missed], &own);
        add(
            DueKind::OfferAgain,
            again.len(),
            again.first().copied(),
            inbox,
        );
        let torn = contradictions(state, now);
        add(
            DueKind::Contradiction,
            torn.len(),
            torn.first().map(|t| t.0),
            inbox,
        );
    }
    due
}

/// Whether people were promised to hear more and have not.
pub(crate) fn is_word_late(state: &State, now: Timestamp) -> bool {
    let everyone = state
        .notices
        .iter()
        .filter(|notice| notice.tenant.is_none());
    let last = everyone
        .filter_map(|n| n.versions.last())
        .max_by_key(|version| version.at);
    state.running().is_some() && last.is_none_or(|version| version.next_word_at <= now)
}

/// First cells of releases that wait for this person's signature, and of those fully signed.
fn releases<'a>(state: &'a State, actor: &Actor) -> (Vec<&'a CellId>, Vec<&'a CellId>) {
    let (mut mine, mut ready) = (Vec::new(), Vec::new());
    for case in open(state) {
        let Some(first) = case.release.cells.first() else {
            continue;
        };
        let missing = missing(state, case);
        if missing.is_empty() {
            ready.push(&first.cell);
        } else if is_mine(case, actor, &missing) {
            mine.push(&first.cell);
        }
    }
    (mine, ready)
}

fn open(state: &State) -> impl Iterator<Item = &ReleaseCase> {
    state
        .releases
        .values()
        .filter(|case| case.end == ReleaseEnd::Open)
}

fn answered<'a>(
    state: &'a State,
    answers: &[Answer],
    own: &dyn Fn(&CellId) -> bool,
) -> Vec<&'a CellId> {
    let offers = state.offers.iter();
    let found = offers.filter(|(id, offer)| answers.contains(&offer.answer) && own(id));
    let still = |id: &CellId| {
        state
            .cells
            .get(id)
            .is_some_and(|cell| cell.restored_at.is_none())
    };
    found.map(|(id, _)| id).filter(|id| still(id)).collect()
}

/// Cells whose tenant's people can test now.
pub(crate) fn acceptance_due<'a>(
    state: &'a State,
    own: &dyn Fn(&CellId) -> bool,
) -> Vec<&'a CellId> {
    let (Some(landscape), Some(_)) = (&state.landscape, state.running()) else {
        return Vec::new();
    };
    let due = |id: &CellId| {
        let (Some(cell), Some(now)) = (landscape.cell(id), state.cells.get(id)) else {
            return false;
        };
        let steps_before = cell
            .tasks
            .keys()
            .filter(|task| **task < TaskKind::Acceptance);
        cell.tasks.contains_key(&TaskKind::Acceptance)
            && now.stage < cell.stage_last()
            && !now.findings.contains_key(&FindingKind::TenantAccepted)
            && (!cell.stages.contains(&Stage::Pilot) || now.stage >= Stage::Pilot)
            && steps_before.into_iter().all(|task| now.is_done(*task))
    };
    state.cells.keys().filter(|id| own(id) && due(id)).collect()
}

/// Steps that are done and whose finding is not there.
pub(crate) fn findings_due(state: &State) -> Vec<(&CellId, FindingKind, Timestamp)> {
    let mut due = Vec::new();
    if state.running().is_none() {
        return due;
    }
    for (id, cell) in &state.cells {
        for (task, step) in &cell.tasks {
            let (Some(kind), Some(finished)) = (task.finding(), step.finished) else {
                continue;
            };
            if kind != FindingKind::TenantAccepted && !cell.findings.contains_key(&kind) {
                due.push((id, kind, finished));
            }
        }
    }
    due
}

/// Agreed windows that the plan in force does not keep.
fn contradictions(state: &State, now: Timestamp) -> Vec<(&CellId, Slot, Timestamp)> {
    let Some(plan) = &state.plan else {
        return Vec::new();
    };
    let planned = plan.releases();
    let agreed = state
        .offers
        .iter()
        .filter(|(_, offer)| offer.answer == Answer::Agreed);
    agreed
        .filter_map(|(id, offer)| {
            let planned = *planned.get(id)?;
            let shut = state
                .cells
                .get(id)
                .is_some_and(|cell| cell.restored_at.is_none());
            (shut && offer.slot.to > now && planned > offer.slot.to)
                .then_some((id, offer.slot, planned))
        })
        .collect()
}

impl InboxView {
    pub(crate) fn of(state: &State, now: Timestamp, actor: &Actor) -> Self {
        let (mut sign, mut others_sign, mut ready) = (Vec::new(), Vec::new(), Vec::new());
        for (id, case) in state
            .releases
            .iter()
            .filter(|(_, case)| case.end == ReleaseEnd::Open)
        {
            let view = ReleaseView::of(state, id, case, actor);
            match (view.is_complete(), view.is_mine) {
                (true, _) => ready.push(view),
                (false, true) => sign.push(view),
                (false, false) => others_sign.push(view),
            }
        }
        let name = |id: &CellId| state.landscape.as_deref().map(|l| cell_name(l, id));
        let slot_line = |id: &CellId| {
            let offer = state.offers.get(id)?;
            Some(SlotLine {
                name: name(id)?,
                slot: offer.slot,
                answer: offer.answer,
                reason: offer.reason.clone(),
            })
        };
        let slots = |answers: &[Answer]| {
            let cells = answered(state, answers, &|_| true);
            Listed::of(cells.into_iter().filter_map(slot_line).collect())
        };
        let torn = contradictions(state, now)
            .into_iter()
            .filter_map(|(id, slot, planned)| {
                Some(Contradiction {
                    name: name(id)?,
                    slot,
                    planned,
                })
            });
        let findings = findings_due(state)
            .into_iter()
            .filter_map(|(id, kind, since)| {
                Some(FindingLine {
                    name: name(id)?,
                    kind,
                    since,
                })
            });
        Self {
            sign: Listed::of(sign),
            others_sign: Listed::of(others_sign),
            ready: Listed::of(ready),
            plans: plans(state),
            slots_open: slots(&[Answer::Open]),
            slots_again: slots(&[Answer::Declined, Answer::Missed]),
            contradictions: Listed::of(torn.collect()),
            accept: Listed::of(
                acceptance_due(state, &|_| true)
                    .into_iter()
                    .filter_map(name)
                    .collect(),
            ),
            findings: Listed::of(findings.collect()),
        }
    }

    /// Whether nothing waits at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.sign.is_empty()
            && self.others_sign.is_empty()
            && self.ready.is_empty()
            && self.plans.is_empty()
            && self.slots_open.is_empty()
            && self.slots_again.is_empty()
            && self.contradictions.is_empty()
            && self.accept.is_empty()
            && self.findings.is_empty()
    }
}

/// Proposed plans against the one in force.
pub(crate) fn plans(state: &State) -> Vec<PlanCard> {
    let card = |(id, plan): (&Digest, &std::sync::Arc<anlauf_model::Plan>)| PlanCard {
        id: *id,
        made_at: plan.made_at,
        gap_per_mille: plan.gap_per_mille(),
        row_count: plan.rows.len(),
        difference: state
            .plan
            .as_ref()
            .map(|current| difference(state, current, plan)),
    };
    state.proposed.iter().map(card).collect()
}
