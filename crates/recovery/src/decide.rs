//! One command in, its entries or a refusal out.
//!
//! In:    state, `now`, command. Out: numbered [`Entry`]s, or every reason why not.
//! Never: changes anything; the branches live here, the checks in the file of each verb.

use anlauf_model::limits::{COMMAND_ITEM_COUNT_MAX, IDEMPOTENCY_KEY_SIZE_MAX, REASON_SIZE_MAX};
use anlauf_model::{CellId, Digest, TenantId, Timestamp};

use crate::command::{Command, Order};
use crate::event::{Entry, Event, Scope};
use crate::refusal::{Reason, Refusal};
use crate::release::Draft;
use crate::state::State;
use crate::{
    agree, break_glass, catch_up, close, finding, gate, incident, notice, plan, release, sign, task,
};

/// Decides one command. Changes nothing.
///
/// The entries are numbered from `state.seq + 1`; none when the key was already used for the same
/// order.
///
/// # Errors
/// Every reason why not.
pub fn decide(state: &State, now: Timestamp, command: &Command) -> Result<Vec<Entry>, Refusal> {
    let digest = command_digest(command);
    if let Some((seq, known)) = state.keys.get(&command.key) {
        if *known == digest {
            return Ok(Vec::new());
        }
        let message = format!(
            "key `{}` was used for another order at entry {seq}",
            command.key
        );
        return Err(Refusal::one(
            "AN-REC-002",
            message,
            "use a fresh key for a new order",
        ));
    }
    let mut reasons = form(command);
    reasons.extend(crate::rights::reason(&command.actor, &command.order));
    Refusal::unless_empty(reasons)?;

    // Time in the ledger never runs backwards, whatever the clock does.
    let at = now.max(state.at);
    let state = &*state.as_of(at);
    // Alone and first: any other reason could tell a tenant how another's cells stand.
    let foreign = crate::rights::foreign(&command.actor, &command.order);
    Refusal::unless_empty(foreign.into_iter().collect())?;
    let events = events(state, at, command)?;
    let number = |(index, event): (usize, Event)| Entry {
        seq: state.seq + 1 + index as u64,
        at,
        actor: command.actor.clone(),
        reason: command.reason.clone(),
        key: command.key.clone(),
        command: digest,
        scope: scope(state, &event),
        event,
    };
    Ok(events.into_iter().enumerate().map(number).collect())
}

/// What is wrong with the command whatever it asks for.
fn form(command: &Command) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut no = |message: &str, remedy: &str| {
        reasons.push(Reason::new("AN-REC-001", message, remedy));
    };
    if command.key.is_empty() || command.key.len() > IDEMPOTENCY_KEY_SIZE_MAX {
        no(
            "the idempotency key is empty or longer than 128 bytes",
            "send a key of 1 to 128 bytes",
        );
    }
    if command.reason.trim().is_empty() {
        no("no reason is given", "say why in one sentence");
    }
    if command.reason.len() > REASON_SIZE_MAX {
        no(
            "the reason is longer than 2,000 bytes",
            "shorten it and keep the rest as evidence",
        );
    }
    if item_count(&command.order) > COMMAND_ITEM_COUNT_MAX {
        no("the order names more than 20,000 items", "split it");
    }
    reasons
}

fn item_count(order: &Order) -> usize {
    match order {
        Order::StartTasks { tasks } | Order::FinishTasks { tasks } | Order::FailTasks { tasks } => {
            tasks.len()
        }
        Order::AddFindings { findings } => findings.len(),
        Order::OfferSlots { slots } => slots.len(),
        Order::AgreeSlots { cells }
        | Order::DeclineSlots { cells }
        | Order::AcceptCells { cells, .. }
        | Order::CatchUp { cells }
        | Order::StateWish { order: cells, .. } => cells.len(),
        Order::ProposeReleases { waves, .. } | Order::BreakGlass { waves, .. } => {
            waves.iter().map(|w| w.cells.len()).sum()
        }
        Order::AddSignatures { signatures } => signatures.len(),
        Order::Release { releases } => releases.len(),
        Order::NarrowIncident { sites } => sites.len(),
        Order::ReportGate { report } => report.changed.len() + report.decisions.len(),
        _ => 0,
    }
}

fn events(state: &State, at: Timestamp, command: &Command) -> Result<Vec<Event>, Refusal> {
    let actor = &command.actor;
    match &command.order {
        Order::AdoptLandscape { landscape } => incident::adopt_landscape(state, landscape),
        Order::AdoptRoot { envelope } => incident::adopt_root(state, at, envelope),
        Order::AdoptPolicy { envelope } => incident::adopt_policy(state, at, envelope),
        Order::AdoptDelegation { envelope } => {
            incident::adopt_delegation(state, at, actor, envelope)
        }
        Order::DeclareIncident { title } => incident::declare(state, title),
        Order::NarrowIncident { sites } => incident::narrow(state, sites),
        Order::HoldSite { site, until } => incident::hold(state, at, actor, (site, *until)),
        Order::EndIncident => incident::end(state),
        Order::Close { envelope } => close::close(state, at, actor, envelope),
        Order::StartTasks { tasks } => task::start(state, at, actor, tasks),
        Order::FinishTasks { tasks } => task::finish(state, actor, tasks),
        Order::FailTasks { tasks } => task::fail(state, tasks),
        Order::AddFindings { findings } => finding::add(state, actor, findings),
        Order::AddSignedFinding { envelope } => finding::add_signed(state, at, envelope),
        Order::WithdrawFinding { finding } => finding::withdraw(state, *finding),
        Order::ProposePlan { plan } => plan::propose(state, plan),
        Order::AdoptPlan { plan } => plan::adopt(state, plan),
        Order::PublishForecast { forecast } => plan::publish_forecast(state, forecast),
        Order::StateWish { tenant, order } => agree::wish(state, tenant, order),
        Order::OfferSlots { slots } => agree::offer(state, at, slots),
        Order::AgreeSlots { cells } => agree::agree(state, at, cells),
        Order::DeclineSlots { cells } => agree::decline(state, cells),
        Order::AcceptCells { cells, passed } => finding::accept(state, actor, cells, *passed),
        Order::ProposeReleases { waves, not_after } | Order::BreakGlass { waves, not_after } => {
            let draft = Draft {
                waves,
                not_after: *not_after,
                break_glass: matches!(command.order, Order::BreakGlass { .. }),
            };
            release::propose(state, at, &command.reason, draft)
        }
        Order::ReviewBreakGlass { release } => break_glass::review(state, release),
        Order::AddSignatures { signatures } => sign::add(state, at, actor, signatures),
        Order::Release { releases } => release::release(state, at, releases),
        Order::CatchUp { cells } => catch_up::catch_up(state, cells),
        Order::ReportGate { report } => gate::report(state, actor, report),
        Order::PublishNotice {
            text,
            next_word_at,
            tenant,
        } => notice::publish(state, at, text, *next_word_at, tenant),
        Order::ReviseNotice {
            notice,
            text,
            next_word_at,
        } => notice::revise(state, at, *notice, text, *next_word_at),
    }
}

/// Digest of what is asked and by whom, for idempotency.
fn command_digest(command: &Command) -> Digest {
    let content = (&command.actor.person, &command.order);
    Digest::of(&serde_json::to_vec(&content).expect("orders have only string keys"))
}

/// Who may read the event.
fn scope(state: &State, event: &Event) -> Scope {
    let of_cell = |cell: Option<&CellId>| match cell.and_then(|cell| tenant_of(state, cell)) {
        Some(tenant) => Scope::Tenant(tenant),
        None => Scope::Provider,
    };
    match event {
        Event::IncidentDeclared { .. }
        | Event::IncidentNarrowed { .. }
        | Event::IncidentEnded
        | Event::RootAdopted { .. }
        | Event::PolicyAdopted { .. } => Scope::Everyone,
        Event::NoticePublished { tenant, .. } => {
            tenant.clone().map_or(Scope::Everyone, Scope::Tenant)
        }
        Event::NoticeRevised { notice, .. } => {
            let tenant = state.notice(*notice).and_then(|n| n.tenant.clone());
            tenant.map_or(Scope::Everyone, Scope::Tenant)
        }
        Event::WishStated { tenant, .. } | Event::DelegationAdopted { tenant, .. } => {
            Scope::Tenant(tenant.clone())
        }
        Event::CellsClosed { cells, .. }
        | Event::SlotsAgreed { cells }
        | Event::SlotsDeclined { cells }
        | Event::SlotsMissed { cells }
        | Event::CellsAccepted { cells, .. }
        | Event::GapCaughtUp { cells } => of_cell(cells.first()),
        Event::TasksStarted { tasks }
        | Event::TasksFinished { tasks }
        | Event::TasksFailed { tasks } => of_cell(tasks.first().map(|t| &t.cell)),
        Event::FindingsAdded { findings } | Event::FindingsSigned { findings, .. } => {
            of_cell(findings.first().and_then(|f| f.cell.as_ref()))
        }
        Event::FindingWithdrawn { finding } => {
            of_cell(state.findings.get(finding).and_then(|f| f.cell.as_ref()))
        }
        Event::SlotsOffered { slots } => of_cell(slots.first().map(|s| &s.cell)),
        Event::ReleaseProposed { envelope, .. } => of_cell(release::cells_of(envelope).first()),
        Event::SignatureAdded { release, .. }
        | Event::ReleaseDropped { release, .. }
        | Event::BreakGlassReviewed { release } => {
            let case = state.releases.get(release);
            of_cell(case.and_then(|c| c.release.cells.first()).map(|c| &c.cell))
        }
        Event::CellsReleased { cells, .. } => of_cell(cells.first().map(|(cell, _)| cell)),
        _ => Scope::Provider,
    }
}

/// The tenant a cell belongs to, if it is a tenant's.
pub(crate) fn tenant_of(state: &State, cell: &CellId) -> Option<TenantId> {
    state.landscape.as_ref()?.cell(cell)?.tenant().cloned()
}

/// Splits sorted items into runs of one owner, so that one scope fits each.
pub(crate) fn by_owner<T>(mut items: Vec<T>, cell: impl Fn(&T) -> &CellId) -> Vec<Vec<T>> {
    items.sort_by(|a, b| cell(a).cmp(cell(b)));
    let mut runs: Vec<Vec<T>> = Vec::new();
    for item in items {
        match runs.last_mut() {
            Some(run) if cell(&run[0]).owner() == cell(&item).owner() => run.push(item),
            _ => runs.push(vec![item]),
        }
    }
    runs
}

/// Reasons for cells that are not in the landscape, or named twice.
pub(crate) fn unknown_cells<'a>(
    state: &State,
    cells: impl IntoIterator<Item = &'a CellId>,
) -> Vec<Reason> {
    let mut seen = std::collections::BTreeSet::new();
    let mut reasons = Vec::new();
    for cell in cells {
        if !state.cells.contains_key(cell) {
            let message = format!("cell `{cell}` is not in the landscape");
            reasons.push(Reason::new(
                "AN-REC-005",
                message,
                "look it up with `anlauf status`",
            ));
        } else if !seen.insert(cell) {
            let message = format!("cell `{cell}` is named twice");
            reasons.push(Reason::new("AN-REC-006", message, "name each cell once"));
        }
    }
    if seen.is_empty() && reasons.is_empty() {
        reasons.push(Reason::new(
            "AN-REC-006",
            "no cell is named",
            "name at least one",
        ));
    }
    reasons
}
