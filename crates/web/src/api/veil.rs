//! What a tenant must not learn: from an answer, and from a refusal.
//!
//! In:    state, login, cells, orders.
//! Out:   whether it may see them; one refusal for everything that is not its own.
//! Never: tells apart what is another's from what does not exist.

use anlauf_model::{Cell, CellId, Digest};
use anlauf_recovery::{Order, Refusal, State};
use anlauf_trust::{Envelope, Scope, Statement};
use serde_json::Value;

use crate::who::Who;

/// Refuses a tenant's close that reaches beyond its own cells, in words that are the same whether
/// the rest exists or not. Of every other order the rules see to that themselves; a close they
/// read by the cells it covers, so a made-up cell would be told apart. Other logins pass.
pub(crate) fn close_permitted(who: &Who, order: &Order) -> Result<(), Refusal> {
    let scope = match order {
        Order::Close { envelope } => close_scope(envelope),
        _ => None,
    };
    if scope.is_none_or(|scope| is_own(who, &scope)) {
        return Ok(());
    }
    Err(foreign())
}

/// What stands where another tenant's cell would.
pub(crate) const ANOTHER_TENANT: &str = "another tenant";

/// Whether a login may see a cell: its own, or every cell.
pub(crate) fn sees(who: &Who, cell: &Cell) -> bool {
    who.sees_all() || (who.tenant().is_some() && cell.tenant() == who.tenant())
}

/// Whether a login may see a cell by its id; an unknown one it may not.
pub(crate) fn sees_id(state: &State, who: &Who, id: &CellId) -> bool {
    let cell = state
        .landscape
        .as_ref()
        .and_then(|landscape| landscape.cell(id));
    cell.is_some_and(|cell| sees(who, cell))
}

/// Puts "another tenant" in the place of every cell of another tenant, wherever it stands.
pub(crate) fn cover(state: &State, who: &Who, value: &mut Value) {
    if who.sees_all() {
        return;
    }
    match value {
        Value::String(text) => {
            let named = text.parse::<CellId>().ok();
            let cell = named.and_then(|id| state.landscape.as_ref()?.cell(&id).cloned());
            if cell.is_some_and(|cell| cell.tenant().is_some() && !sees(who, &cell)) {
                ANOTHER_TENANT.clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cover(state, who, item)),
        Value::Object(fields) => fields.values_mut().for_each(|item| cover(state, who, item)),
        _ => {}
    }
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

fn close_scope(envelope: &Envelope) -> Option<Scope> {
    match Statement::parse(&envelope.payload) {
        Ok(Statement::Close(close)) => Some(close.scope),
        _ => None,
    }
}
