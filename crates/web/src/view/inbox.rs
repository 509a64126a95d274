//! What waits for a decision, and whose.

use anlauf_model::{CellId, Digest, FindingKind, Role, Slot, Stage, TaskKind, Timestamp};
use anlauf_recovery::state::{Answer, GateState, ReleaseCase, ReleaseEnd};
use anlauf_recovery::{Actor, State, rights};

use super::plan::change::{PlanDifference, difference};
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
    let mut dues = Dues {
        state,
        now,
        actor,
        due: Vec::new(),
    };
    dues.alarms();
    dues.decisions();
    dues.words();
    dues.chores();
    dues.due
}

/// Gathers what waits for one person.
struct Dues<'a> {
    state: &'a State,
    now: Timestamp,
    actor: &'a Actor,
    due: Vec<Due>,
}

impl Dues<'_> {
    fn may(&self, verb: &str) -> bool {
        rights::may(self.actor.role, verb)
    }

    /// Whether a cell is this person's to speak for.
    fn is_own(&self, cell: &CellId) -> bool {
        let tenant = self.actor.tenant.as_ref();
        self.actor.role != Role::Tenant || tenant.is_some_and(|t| t.as_str() == cell.owner())
    }

    fn add(&mut self, kind: DueKind, count: usize, first: Option<&CellId>) {
        if count == 0 {
            return;
        }
        let landscape = self.state.landscape.as_deref();
        let link = match kind {
            DueKind::GateOpenTooFar => "/console/gates",
            DueKind::WordLate => "/console/desk",
            _ if self.actor.role == Role::Tenant => "/tenant",
            _ => "/console/inbox",
        };
        self.due.push(Due {
            kind,
            count,
            cell: first.and_then(|id| Some(cell_name(landscape?, id))),
            link,
        });
    }

    /// What cannot wait: a gate too far open, a promise not kept.
    fn alarms(&mut self) {
        if self.actor.role != Role::Tenant {
            let too_far = |g: &GateState| {
                let found = gate::differences(self.state, self.now, g);
                found
                    .iter()
                    .filter(|difference| difference.is_open_too_far())
                    .count()
            };
            let count = self.state.gates.values().map(too_far).sum();
            self.add(DueKind::GateOpenTooFar, count, None);
        }
        if self.may("publish_notice") && is_word_late(self.state, self.now) {
            self.add(DueKind::WordLate, 1, None);
        }
    }

    /// What to sign, to carry out, to adopt.
    fn decisions(&mut self) {
        let (mine, ready) = releases(self.state, self.actor);
        self.add(DueKind::Sign, mine.len(), mine.first().copied());
        if self.may("release") {
            self.add(DueKind::Release, ready.len(), ready.first().copied());
        }
        if self.may("adopt_plan") {
            self.add(DueKind::Plan, self.state.proposed.len(), None);
        }
    }

    /// What waits for a tenant's word.
    fn words(&mut self) {
        if self.may("agree_slots") {
            let open = answered(self.state, &[Answer::Open], &|cell| self.is_own(cell));
            self.add(DueKind::AnswerSlot, open.len(), open.first().copied());
        }
        if self.may("accept_cells") {
            let accept = acceptance_due(self.state, &|cell| self.is_own(cell));
            self.add(DueKind::Accept, accept.len(), accept.first().copied());
        }
    }

    /// What somebody has to bring, to offer again, to settle.
    fn chores(&mut self) {
        if self.may("add_findings") {
            let found = findings_due(self.state);
            self.add(
                DueKind::FindingMissing,
                found.len(),
                found.first().map(|f| f.0),
            );
        }
        if self.may("offer_slots") {
            let answers = [Answer::Declined, Answer::Missed];
            let again = answered(self.state, &answers, &|_| true);
            self.add(DueKind::OfferAgain, again.len(), again.first().copied());
            let torn = contradictions(self.state, self.now);
            self.add(
                DueKind::Contradiction,
                torn.len(),
                torn.first().map(|t| t.0),
            );
        }
    }
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
