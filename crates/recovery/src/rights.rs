//! Who may ask for what.
//!
//! In:    role, order. Out: yes, or a reason. Never: a right that is not in the table below.
//! See:   tests/rights.txt, the table as people read it.

use anlauf_model::{CellId, Role, TenantId};

use crate::command::{Actor, Order};
use crate::refusal::Reason;

impl Order {
    /// The verb as the API writes it.
    pub const fn verb(&self) -> &'static str {
        match self {
            Order::AdoptLandscape { .. } => "adopt_landscape",
            Order::AdoptRoot { .. } => "adopt_root",
            Order::AdoptPolicy { .. } => "adopt_policy",
            Order::AdoptDelegation { .. } => "adopt_delegation",
            Order::DeclareIncident { .. } => "declare_incident",
            Order::NarrowIncident { .. } => "narrow_incident",
            Order::HoldSite { .. } => "hold_site",
            Order::EndIncident => "end_incident",
            Order::Close { .. } => "close",
            Order::StartTasks { .. } => "start_tasks",
            Order::FinishTasks { .. } => "finish_tasks",
            Order::FailTasks { .. } => "fail_tasks",
            Order::AddFindings { .. } => "add_findings",
            Order::AddSignedFinding { .. } => "add_signed_finding",
            Order::WithdrawFinding { .. } => "withdraw_finding",
            Order::ProposePlan { .. } => "propose_plan",
            Order::AdoptPlan { .. } => "adopt_plan",
            Order::PublishForecast { .. } => "publish_forecast",
            Order::StateWish { .. } => "state_wish",
            Order::OfferSlots { .. } => "offer_slots",
            Order::AgreeSlots { .. } => "agree_slots",
            Order::DeclineSlots { .. } => "decline_slots",
            Order::AcceptCells { .. } => "accept_cells",
            Order::ProposeReleases { .. } => "propose_releases",
            Order::AddSignatures { .. } => "add_signatures",
            Order::Release { .. } => "release",
            Order::CatchUp { .. } => "catch_up",
            Order::ReportGate { .. } => "report_gate",
            Order::PublishNotice { .. } => "publish_notice",
            Order::ReviseNotice { .. } => "revise_notice",
            Order::BreakGlass { .. } => "break_glass",
            Order::ReviewBreakGlass { .. } => "review_break_glass",
        }
    }
}

/// Every verb of the API, in the order of [`Order`].
pub const VERBS: [&str; 32] = [
    "adopt_landscape",
    "adopt_root",
    "adopt_policy",
    "adopt_delegation",
    "declare_incident",
    "narrow_incident",
    "hold_site",
    "end_incident",
    "close",
    "start_tasks",
    "finish_tasks",
    "fail_tasks",
    "add_findings",
    "add_signed_finding",
    "withdraw_finding",
    "propose_plan",
    "adopt_plan",
    "publish_forecast",
    "state_wish",
    "offer_slots",
    "agree_slots",
    "decline_slots",
    "accept_cells",
    "propose_releases",
    "add_signatures",
    "release",
    "catch_up",
    "report_gate",
    "publish_notice",
    "revise_notice",
    "break_glass",
    "review_break_glass",
];

/// Whether a role may use a verb at all; what it may touch with it is checked by the verb.
pub fn may(role: Role, verb: &str) -> bool {
    match role {
        Role::Operator => !matches!(
            verb,
            "add_signatures"
                | "agree_slots"
                | "decline_slots"
                | "state_wish"
                | "accept_cells"
                | "add_findings"
                | "withdraw_finding"
                | "report_gate"
        ),
        Role::Security => matches!(
            verb,
            "close"
                | "add_findings"
                | "add_signed_finding"
                | "withdraw_finding"
                | "add_signatures"
                | "hold_site"
                | "break_glass"
        ),
        Role::Owner => matches!(
            verb,
            "close"
                | "start_tasks"
                | "finish_tasks"
                | "fail_tasks"
                | "add_signatures"
                | "break_glass"
        ),
        Role::Forensics => matches!(
            verb,
            "close"
                | "start_tasks"
                | "finish_tasks"
                | "fail_tasks"
                | "add_findings"
                | "add_signed_finding"
                | "withdraw_finding"
                | "add_signatures"
                | "hold_site"
        ),
        Role::Tenant => matches!(
            verb,
            "adopt_delegation"
                | "close"
                | "start_tasks"
                | "state_wish"
                | "agree_slots"
                | "decline_slots"
                | "accept_cells"
                | "add_signatures"
                | "catch_up"
        ),
        Role::Automation => matches!(
            verb,
            "close"
                | "start_tasks"
                | "finish_tasks"
                | "fail_tasks"
                | "add_findings"
                | "add_signed_finding"
                | "propose_plan"
                | "publish_forecast"
        ),
        Role::Gate => verb == "report_gate",
        Role::Auditor | Role::Public => false,
    }
}

/// Why this actor may not use this order at all; none when they may.
pub(crate) fn reason(actor: &Actor, order: &Order) -> Option<Reason> {
    if may(actor.role, order.verb()) {
        return None;
    }
    let message = format!("role `{}` may not `{}`", actor.role, order.verb());
    Some(Reason::new(
        "AN-REC-003",
        message,
        "ask someone whose role has this right",
    ))
}

/// The reason when a tenant's representative names cells that are not the tenant's own.
///
/// Releases and closings name their cells under signature; `sign` and `close` look at those.
pub(crate) fn foreign(actor: &Actor, order: &Order) -> Option<Reason> {
    match order {
        Order::StartTasks { tasks } | Order::FinishTasks { tasks } | Order::FailTasks { tasks } => {
            foreign_cells(actor, tasks.iter().map(|task| &task.cell))
        }
        Order::StateWish { order: cells, .. }
        | Order::AgreeSlots { cells }
        | Order::DeclineSlots { cells }
        | Order::AcceptCells { cells, .. }
        | Order::CatchUp { cells } => foreign_cells(actor, cells),
        _ => None,
    }
}

/// The reason when cells are not this tenant's; none for other roles.
pub(crate) fn foreign_cells<'a>(
    actor: &Actor,
    cells: impl IntoIterator<Item = &'a CellId>,
) -> Option<Reason> {
    is_foreign(actor, cells).then(|| {
        Reason::new(
            "AN-REC-004",
            "a tenant's representative may only touch the tenant's own cells",
            "name only cells of your own organisation",
        )
    })
}

/// Whether some of the cells are not this tenant's; never for other roles.
pub(crate) fn is_foreign<'a>(actor: &Actor, cells: impl IntoIterator<Item = &'a CellId>) -> bool {
    let own = actor.tenant.as_ref().map(TenantId::as_str);
    let foreign = |cell: &CellId| Some(cell.owner()) != own;
    actor.role == Role::Tenant && cells.into_iter().any(foreign)
}
