//! What a tenant must not learn from a refusal.
//!
//! In:    state, login, order. Out: one refusal for everything that is not the tenant's own.
//! Never: tells apart what is another's from what does not exist.

use anlauf_model::{CellId, Digest};
use anlauf_recovery::{Order, Refusal, State};
use anlauf_trust::{Envelope, Scope, Statement};

use crate::who::Who;

/// Refuses a tenant's order that names anything not its own, in words that are the same whether
/// the thing exists or not. Other logins pass.
pub(crate) fn order_permitted(state: &State, who: &Who, order: &Order) -> Result<(), Refusal> {
    let Some(tenant) = who.tenant() else {
        return Ok(());
    };
    let own = |cell: &CellId| cell.owner() == tenant.as_str();
    let all_own = match order {
        Order::StartTasks { tasks } | Order::FinishTasks { tasks } | Order::FailTasks { tasks } => {
            tasks.iter().all(|task| own(&task.cell))
        }
        Order::AgreeSlots { cells }
        | Order::DeclineSlots { cells }
        | Order::AcceptCells { cells, .. }
        | Order::CatchUp { cells } => cells.iter().all(own),
        Order::StateWish {
            tenant: named,
            order,
        } => named == tenant && order.iter().all(own),
        Order::Close { envelope } => close_scope(envelope).is_none_or(|scope| is_own(who, &scope)),
        Order::AddSignatures { signatures } => {
            let hidden = signatures
                .iter()
                .find(|draft| !sees_release(state, who, &draft.release));
            return hidden.map_or(Ok(()), |draft| Err(no_release(&draft.release)));
        }
        // Everything else is refused for the role alone.
        _ => true,
    };
    if all_own { Ok(()) } else { Err(foreign()) }
}

/// Whether a scope lies wholly within what a login may touch.
pub(crate) fn is_own(who: &Who, scope: &Scope) -> bool {
    let Some(tenant) = who.tenant() else {
        return true;
    };
    match scope {
        Scope::Tenant(named) => named == tenant,
        Scope::Cells(cells) => cells.iter().all(|cell| cell.owner() == tenant.as_str()),
        Scope::Everything | Scope::Site(_) | Scope::Service(_) => false,
    }
}

/// Whether a login may know of a release. A release holds cells of one owner.
pub(crate) fn sees_release(state: &State, who: &Who, release: &Digest) -> bool {
    let Some(case) = state.releases.get(release) else {
        return false;
    };
    who.sees_all() || {
        let own = who.tenant().map(anlauf_model::TenantId::as_str);
        let mut cells = case.release.cells.iter();
        own.is_some() && cells.all(|bound| Some(bound.cell.owner()) == own)
    }
}

/// The refusal for anything that is not the tenant's own, as the rules word it.
pub(crate) fn foreign() -> Refusal {
    Refusal::one(
        "AN-REC-004",
        "a tenant's representative may only touch the tenant's own cells",
        "name only cells of your own organisation",
    )
}

fn no_release(release: &Digest) -> Refusal {
    let message = format!("there is no release `{}`", release.short());
    Refusal::one("AN-REC-078", message, "see the list of releases")
}

fn close_scope(envelope: &Envelope) -> Option<Scope> {
    match Statement::parse(&envelope.payload) {
        Ok(Statement::Close(close)) => Some(close.scope),
        _ => None,
    }
}
