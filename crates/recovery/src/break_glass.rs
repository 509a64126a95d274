//! Break-glass: cells open for hours on two words, without findings, and somebody answers for it.
//!
//! In:    cells, an end; later the account of it. Out: statements to sign; the review.
//! Never: reaches further than its end; is forgotten before an operator has closed its review.
//! See:   ADR 021, docs/guide/break-glass.md.

use std::collections::BTreeSet;

use anlauf_model::limits::{BREAK_GLASS_MINUTES_MAX, BREAK_GLASS_PERSON_COUNT_MIN};
use anlauf_model::{Cell, CellId, Digest, Minutes, PersonId, Role, Stage, Timestamp};
use anlauf_trust::KeyRecord;
use anlauf_trust::quorum::ROLES_RELEASING;

use crate::event::Event;
use crate::refusal::{Reason, Refusal};
use crate::release::{needs_shut, rule_missing, unknown_release};
use crate::state::{CellState, ReleaseCase, ReleaseEnd, Review, State};

/// A break-glass that was carried out, as every screen has to tell it.
#[derive(Clone, PartialEq, Debug)]
pub struct BreakGlass {
    /// Digest of the signed statement.
    pub release: Digest,
    /// Every cell it named; all of one owner.
    pub cells: Vec<CellId>,
    /// Those of them that are open on it now.
    pub open: Vec<CellId>,
    /// To which stage.
    pub stage: Stage,
    /// When it was carried out.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why, in the words that were signed.
    pub reason: String,
    /// Who signed.
    pub signers: Vec<PersonId>,
    /// The operator's account; none while it is owed.
    pub review: Option<Review>,
}

/// Every break-glass that was carried out, oldest first. The state has to be that of the moment
/// ([`State::as_of`]): what has ended is not open.
pub fn break_glasses(state: &State) -> Vec<BreakGlass> {
    let mut all: Vec<_> = state
        .releases
        .iter()
        .filter_map(|(id, case)| carried_out(state, id, case))
        .collect();
    all.sort_by_key(|one| (one.since, one.release));
    all
}

fn carried_out(state: &State, id: &Digest, case: &ReleaseCase) -> Option<BreakGlass> {
    let ReleaseEnd::Released(since) = case.end else {
        return None;
    };
    let cells: Vec<CellId> = case.release.cells.iter().map(|c| c.cell.clone()).collect();
    let is_open = |cell: &&CellId| {
        let now = state.cells.get(*cell);
        now.is_some_and(|now| now.release == Some(*id) && now.stage > Stage::Closed)
    };
    case.release.break_glass.then(|| BreakGlass {
        release: *id,
        open: cells.iter().filter(is_open).cloned().collect(),
        cells,
        stage: case.release.stage,
        since,
        until: case.release.not_after,
        reason: case.release.reason.clone(),
        signers: case.signed.keys().cloned().collect(),
        review: case.review.clone(),
    })
}

impl BreakGlass {
    /// Whether it is over and nobody has answered for it.
    pub fn is_owed(&self) -> bool {
        self.open.is_empty() && self.review.is_none()
    }

    /// Whether a screen has to tell it: cells are open on it, or its review is owed.
    pub fn is_loud(&self) -> bool {
        self.review.is_none()
    }
}

/// How many more persons a break-glass needs, and everyone whose word would count. For people who
/// look; the verifier counts by itself.
pub fn words_missing(state: &State, case: &ReleaseCase) -> (u32, Vec<PersonId>) {
    let Some(authority) = &state.authority else {
        return (BREAK_GLASS_PERSON_COUNT_MIN, Vec::new());
    };
    let owner = case.release.cells.first().map(|bound| bound.cell.owner());
    let counts = |key: &&KeyRecord| {
        let own = key.tenant.as_ref().map(|tenant| tenant.as_str());
        ROLES_RELEASING.contains(&key.role) && (key.role != Role::Tenant || own == owner)
    };
    let counted = || authority.keys().filter(counts);
    let is_signed = |key: &&KeyRecord| case.signed.contains_key(&key.person);
    let persons: BTreeSet<_> = counted().filter(is_signed).map(|key| &key.person).collect();
    let from: BTreeSet<_> = counted()
        .filter(is_signed)
        .map(|key| &key.organisation)
        .collect();
    let short = |have: usize| {
        BREAK_GLASS_PERSON_COUNT_MIN.saturating_sub(u32::try_from(have).unwrap_or(u32::MAX))
    };
    let left = short(persons.len()).max(short(from.len()));
    let helps = |key: &&KeyRecord| left > 0 && !from.contains(&key.organisation);
    let people: BTreeSet<_> = counted()
        .filter(helps)
        .map(|key| key.person.clone())
        .collect();
    (left, people.into_iter().collect())
}

/// What is wrong with the end.
pub(crate) fn end_faults(at: Timestamp, not_after: Timestamp) -> Option<Reason> {
    let last = at + Minutes(i64::from(BREAK_GLASS_MINUTES_MAX));
    (not_after <= at || not_after > last).then(|| {
        let message = format!(
            "the break-glass would end in the past or in more than {BREAK_GLASS_MINUTES_MAX} \
             minutes"
        );
        Reason::new("AN-REC-084", message, "give an end within four hours")
    })
}

/// Why a cell may not be drawn up: the rules that hold in an emergency too.
pub(crate) fn may_break(
    state: &State,
    (cell, now): (&Cell, &CellState),
    stage: Stage,
) -> Vec<Reason> {
    let id = &cell.id;
    let mut reasons = Vec::new();
    // What is open on a release would end with the break-glass; one break-glass may follow another.
    let is_gained = stage > now.stage || (now.break_glass && stage == now.stage);
    if !cell.stages.contains(&stage) || !is_gained {
        let message = format!("`{id}` is at stage {} and cannot go to {stage}", now.stage);
        reasons.push(Reason::new("AN-REC-074", message, "see the cell's stages"));
    }
    reasons.extend(rule_missing(state, cell, stage));
    reasons.extend(needs_shut(state, cell));
    reasons.extend(review_owed(state, id));
    reasons
}

/// The reason when an earlier break-glass of the cell is over and nobody has answered for it: one
/// may follow another for as long as the emergency lasts, but not in silence.
pub(crate) fn review_owed(state: &State, id: &CellId) -> Option<Reason> {
    let owed = break_glasses(state)
        .into_iter()
        .find(|one| one.is_owed() && one.cells.contains(id))?;
    let message = format!(
        "the break-glass `{}` on `{id}` is over and not reviewed",
        owed.release.short()
    );
    Some(Reason::new("AN-REC-085", message, "write its review first"))
}

/// Reasons that keep an incident from ending: cells open on break-glass, reviews that are owed.
pub(crate) fn unreviewed(state: &State) -> impl Iterator<Item = Reason> {
    let loud = break_glasses(state).into_iter().filter(BreakGlass::is_loud);
    loud.map(|one| {
        let message = format!("the break-glass `{}` is not reviewed", one.release.short());
        Reason::new("AN-REC-085", message, "write its review after its end")
    })
}

/// An operator answers for a break-glass that is over; the command's reason is the account.
pub(crate) fn review(state: &State, id: &Digest) -> Result<Vec<Event>, Refusal> {
    let case = state.releases.get(id);
    let case = case.filter(|case| case.release.break_glass);
    let Some(case) = case else {
        return Err(Refusal {
            reasons: vec![unknown_release(id)],
        });
    };
    let short = id.short();
    let (message, remedy) = match carried_out(state, id, case) {
        None => (
            format!("the break-glass `{short}` was not carried out"),
            "nothing has to be reviewed",
        ),
        Some(one) if one.review.is_some() => (
            format!("the break-glass `{short}` was reviewed"),
            "nothing needs to be done",
        ),
        Some(one) if !one.open.is_empty() => (
            format!("cells are open on `{short}` until {}", one.until),
            "review it after its end, or close the cells",
        ),
        Some(_) => return Ok(vec![Event::BreakGlassReviewed { release: *id }]),
    };
    Err(Refusal::one("AN-REC-086", message, remedy))
}
