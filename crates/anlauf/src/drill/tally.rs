//! What a drill counts, and what must hold at its end.
//!
//! In:    counts while it runs, the last state. Out: [`Tally`], violated invariants.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anlauf_model::{CellId, CellKind, GateId, Landscape, Minutes, Plan, TaskKind, Timestamp};
use anlauf_recovery::State;
use anlauf_recovery::query::Progress;
use anlauf_recovery::state::GateState;

use super::forger::CODES;
use super::probe::Cut;
use super::traffic::Sweep;

/// What was counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Every cell asked through every gate before the attack.
    pub normal: Sweep,
    /// The same when everything is shut.
    pub shut: Sweep,
    /// The same when everything is back.
    pub back: Sweep,
    /// Requests of testers that the gates let in during the pilot stage.
    pub tests: u64,
    /// Requests of testers that did not get an answer.
    pub tests_failed: u64,
    /// The containment.
    pub contained: Option<Closing>,
    /// The second close.
    pub closed_again: Option<Closing>,
    /// Tasks done.
    pub tasks: u64,
    /// Tasks that had to be done again.
    pub again: u64,
    /// Acceptance tests that failed.
    pub rejected: u64,
    /// Releases handed to the gates.
    pub released: u64,
    /// Signatures given.
    pub signatures: u64,
    /// Windows agreed.
    pub slots_agreed: u64,
    /// Windows declined.
    pub slots_declined: u64,
    /// Windows missed or given back, by the step that took longer than the window lasted.
    pub slots_missed: BTreeMap<TaskKind, u64>,
    /// Plans put in force.
    pub plans: u64,
    /// The first of them.
    pub first_plan: Option<Arc<Plan>>,
    /// Orders that must be refused: too early, unsigned, for another's cells.
    pub attempts: u64,
    /// Of these, accepted all the same.
    pub attempts_accepted: u64,
    /// Forged releases slipped into the feed of every gate.
    pub forged: u64,
    /// Refusals by the control plane, by code and words without names.
    pub refusals: BTreeMap<String, u64>,
    /// The two progress numbers over time, one point every few hours.
    pub curve: Vec<(Timestamp, Progress)>,
}

/// How often a point of the curve is kept.
const CURVE_EVERY: Minutes = Minutes::hours(4);

/// How fast a close was.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    /// How many cells were to be shut.
    pub asked: u64,
    /// How many of them were open to the public.
    pub opened: u64,
    /// How many every gate itself says are shut.
    pub cells: u64,
    /// From the order to the durable ledger.
    pub durable: Duration,
    /// From the order to the last gate's acknowledgement.
    pub every_gate: Duration,
    /// Running answers and kept connections.
    pub cut: Cut,
}

/// How long people of one class of tenant were restricted. Hours per service.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Restriction {
    /// Class of size.
    pub size: String,
    /// Tenants of it.
    pub tenants: u64,
    /// Half of the services were back sooner.
    pub median_hours: i64,
    /// Nine of ten services were back sooner.
    pub p90_hours: i64,
    /// The last one.
    pub max_hours: i64,
}

impl Tally {
    /// Keeps a point of the curve if the last is old enough.
    pub fn note(&mut self, state: &State, now: Timestamp) {
        if self
            .curve
            .last()
            .is_none_or(|(at, _)| *at + CURVE_EVERY <= now)
        {
            self.curve
                .push((now, anlauf_recovery::query::progress(state)));
        }
    }

    /// Counts a refusal by its reasons.
    pub fn refused(&mut self, reasons: &[String]) {
        for reason in reasons {
            *self.refusals.entry(without_names(reason)).or_insert(0) += 1;
        }
    }
}

/// The reason without what stands in backticks, so that equal reasons count together.
pub fn without_names(reason: &str) -> String {
    let pieces = reason.split('`').enumerate();
    pieces
        .map(|(index, piece)| if index % 2 == 0 { piece } else { "…" })
        .collect()
}

/// Restriction time by class of tenant.
pub fn restrictions(state: &State) -> Vec<Restriction> {
    let Some(landscape) = &state.landscape else {
        return Vec::new();
    };
    let mut hours: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (id, known) in &state.cells {
        let tenant = landscape
            .cell(id)
            .and_then(|c| c.tenant())
            .and_then(|t| landscape.tenant(t));
        let Some(tenant) = tenant else { continue };
        let shut: i64 = known
            .gaps
            .iter()
            .map(|gap| (gap.to.unwrap_or(state.at) - gap.from).0)
            .sum();
        hours.entry(&tenant.size).or_default().push(shut / 60);
    }
    let mut rows: Vec<Restriction> = hours
        .into_iter()
        .map(|(size, mut hours)| {
            hours.sort_unstable();
            let at = |per_cent: usize| hours[(hours.len() - 1) * per_cent / 100];
            let tenants = landscape
                .declared()
                .tenants
                .iter()
                .filter(|t| t.size == size)
                .count();
            Restriction {
                size: size.to_owned(),
                tenants: tenants as u64,
                median_hours: at(50),
                p90_hours: at(90),
                max_hours: at(100),
            }
        })
        .collect();
    rows.sort_by_key(|row| {
        ["XL", "L", "M", "S", "XS"]
            .iter()
            .position(|s| *s == row.size)
    });
    rows
}

/// What must hold at the end of every drill, whatever the story; each violation in words.
pub fn violations(state: &State, tally: &Tally, leaked: u64) -> Vec<String> {
    let Some(landscape) = &state.landscape else {
        return vec!["no landscape".into()];
    };
    let mut violations = Vec::new();
    if leaked > 0 {
        violations.push(format!(
            "{leaked} requests were let through without a valid release"
        ));
    }
    sweep_violations(tally, &mut violations);
    let closings = [
        ("containment", tally.contained),
        ("second attack", tally.closed_again),
    ];
    for (name, closing) in closings {
        violations.extend(
            closing
                .iter()
                .flat_map(|closing| closing_violations(name, closing)),
        );
    }
    if tally
        .contained
        .is_none_or(|closing| closing.asked != landscape.cells().len() as u64)
    {
        violations.push("the containment did not shut every cell of the landscape".into());
    }
    if tally.tests_failed > 0 {
        let count = tally.tests_failed;
        violations.push(format!(
            "{count} requests of testers in the pilot stage got no answer"
        ));
    }
    if tally.attempts_accepted > 0 || tally.attempts == 0 {
        let (bad, all) = (tally.attempts_accepted, tally.attempts);
        violations.push(format!(
            "{bad} of {all} orders that must be refused were accepted"
        ));
    }
    if let Some(cell) = state.unrestored().next() {
        violations.push(format!("`{cell}` is not back"));
    }
    violations.extend(order_violations(landscape, state));
    for (gate, known) in &state.gates {
        violations.extend(forgery_violations(gate, known, tally.forged));
    }
    violations
}

/// Every forgery was refused by its own reason, and nothing else was refused.
fn forgery_violations(gate: &GateId, known: &GateState, forged: u64) -> Vec<String> {
    let mut violations = Vec::new();
    let refused = known.refused.len() as u64;
    if refused != forged {
        violations.push(format!(
            "gate `{gate}` refused {refused} items, {forged} were forged"
        ));
    }
    for code in CODES.iter().filter(|_| forged > 0) {
        let named = known
            .refused
            .iter()
            .any(|(_, decision)| decision.reasons.iter().any(|reason| reason.contains(code)));
        if !named {
            violations.push(format!("gate `{gate}` refused no forgery by {code}"));
        }
    }
    violations
}

fn sweep_violations(tally: &Tally, violations: &mut Vec<String>) {
    let mut check = |when: &str, sweep: &Sweep, good: u64, wanted: &str| {
        if good != sweep.asked || sweep.asked == 0 {
            let asked = sweep.asked;
            violations.push(format!("{when}: {good} of {asked} requests were {wanted}"));
        }
    };
    check(
        "before the attack",
        &tally.normal,
        tally.normal.answered,
        "answered",
    );
    check(
        "when everything was shut",
        &tally.shut,
        tally.shut.refused,
        "refused",
    );
    check("at the end", &tally.back, tally.back.answered, "answered");
}

fn closing_violations(name: &str, closing: &Closing) -> Vec<String> {
    let mut violations = Vec::new();
    let Closing {
        asked, cells, cut, ..
    } = closing;
    if cells != asked {
        violations.push(format!(
            "{name}: {cells} of {asked} cells are shut at every gate"
        ));
    }
    if closing.opened > 0 && (cut.running == 0 || cut.kept == 0) {
        violations.push(format!("{name}: no answer ran that could have been cut"));
    }
    if !cut.is_clean() {
        violations.push(format!(
            "{name}: {} of {} running answers and {} of {} kept connections were cut, {} pieces \
             came through after the last acknowledgement",
            cut.running_cut, cut.running, cut.kept_cut, cut.kept, cut.late
        ));
    }
    violations
}

/// The order of things: needs before those that need them, `after` kept, the restricted sites last.
fn order_violations(landscape: &Landscape, state: &State) -> Vec<String> {
    let mut violations = Vec::new();
    for (id, cell) in landscape.cells() {
        // A cell that was shut again may be back later than what came after it the first time.
        let Some(mine) = first_opening(state, id) else {
            violations.push(format!("`{id}` has no time of return"));
            continue;
        };
        for before in cell.needs.iter().chain(&cell.after) {
            if first_opening(state, before).is_some_and(|first| first > mine) {
                violations.push(format!("`{id}` opened before `{before}`"));
            }
        }
    }
    let Some(incident) = &state.incident else {
        return violations;
    };
    let mean = |held: bool| {
        let cells = landscape.cells().values().filter(|cell| {
            cell.kind == CellKind::Tenant && incident.restricted.contains(&cell.site) == held
        });
        let hours: Vec<i64> = cells
            .filter_map(|cell| Some((first_opening(state, &cell.id)? - incident.began).0 / 60))
            .collect();
        hours.iter().sum::<i64>() / i64::try_from(hours.len().max(1)).unwrap_or(1)
    };
    if !incident.restricted.is_empty() && mean(true) <= mean(false) {
        violations.push("the restricted site came back before the others".into());
    }
    violations
}

/// When a cell was first open to people again.
fn first_opening(state: &State, id: &CellId) -> Option<Timestamp> {
    let began = state.incident.as_ref()?.began;
    let gaps = state.cells.get(id)?.gaps.iter();
    gaps.filter(|gap| gap.from >= began).find_map(|gap| gap.to)
}
