//! The frame: landscape, root, policy, and the incident itself.

use anlauf_model::landscape::Declared;
use anlauf_model::limits::REASON_SIZE_MAX;
use anlauf_model::{Landscape, Role, SiteId, Text, Timestamp};
use anlauf_trust::{Authority, Delegation, Envelope, Policy};

use crate::break_glass;
use crate::command::Actor;
use crate::event::Event;
use crate::refusal::{Reason, Refusal};
use crate::state::State;

/// At most this many reasons of one kind are listed; the rest is counted.
const LISTED_MAX: usize = 20;

pub(crate) fn adopt_landscape(state: &State, declared: &Declared) -> Result<Vec<Event>, Refusal> {
    let landscape = Landscape::new(declared.clone()).map_err(|problems| Refusal {
        reasons: problems
            .into_iter()
            .map(|p| Reason::new(p.code, p.message, "correct the landscape's files"))
            .collect(),
    })?;
    if state.running().is_some() {
        let message = "an incident is running";
        return Err(Refusal::one(
            "AN-REC-010",
            message,
            "adopt a landscape between incidents",
        ));
    }
    let lost = state
        .cells
        .keys()
        .find(|cell| landscape.cell(cell).is_none());
    if let Some(cell) = lost {
        let message = format!("cell `{cell}` would vanish, and with it its history");
        return Err(Refusal::one(
            "AN-REC-011",
            message,
            "keep the cell, closed, in the landscape",
        ));
    }
    Ok(vec![Event::LandscapeAdopted {
        landscape: Box::new(declared.clone()),
    }])
}

pub(crate) fn adopt_root(
    state: &State,
    at: Timestamp,
    envelope: &Envelope,
) -> Result<Vec<Event>, Refusal> {
    let authority = next_root(state, at, envelope)?;
    let version = authority.root().version;
    Ok(vec![Event::RootAdopted {
        version,
        envelope: envelope.clone(),
    }])
}

/// The authority after this root.
pub(crate) fn next_root(
    state: &State,
    at: Timestamp,
    envelope: &Envelope,
) -> Result<Authority, Refusal> {
    match &state.authority {
        None => Ok(Authority::pinned(envelope, &envelope.digest(), at)?),
        Some(authority) => {
            let mut next = authority.clone();
            next.advance_root(envelope, at)?;
            Ok(next)
        }
    }
}

pub(crate) fn adopt_policy(
    state: &State,
    at: Timestamp,
    envelope: &Envelope,
) -> Result<Vec<Event>, Refusal> {
    let Some(mut authority) = state.authority.clone() else {
        return Err(no_root());
    };
    authority.adopt_policy(envelope, at)?;
    let (_, policy) = authority.policy().expect("adopt_policy sets it");
    Refusal::unless_empty(table_foreign(state, policy).into_iter().collect())?;
    Ok(vec![Event::PolicyAdopted {
        version: policy.version,
        envelope: envelope.clone(),
    }])
}

pub(crate) fn adopt_delegation(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    envelope: &Envelope,
) -> Result<Vec<Event>, Refusal> {
    let Some(mut authority) = state.authority.clone() else {
        return Err(no_root());
    };
    let list = Delegation::parse(&envelope.payload)?;
    if actor.role == Role::Tenant && actor.tenant.as_ref() != Some(&list.tenant) {
        let message = "a tenant's representative may only bring the tenant's own list of keys";
        let remedy = "ask the tenant or an operator to bring it";
        return Err(Refusal::one("AN-REC-004", message, remedy));
    }
    authority.adopt_delegation(envelope, at)?;
    Ok(vec![Event::DelegationAdopted {
        tenant: list.tenant,
        version: list.version,
        envelope: envelope.clone(),
    }])
}

/// The reason when a policy speaks about another landscape than the one adopted.
pub(crate) fn table_foreign(state: &State, policy: &Policy) -> Option<Reason> {
    (state.table != Some(policy.table)).then(|| {
        let message = "the policy speaks about another gate table than this landscape's";
        Reason::new("AN-REC-012", message, "sign a policy for this landscape")
    })
}

pub(crate) fn no_root() -> Refusal {
    let message = "no root document is adopted: nobody's signature counts";
    Refusal::one(
        "AN-REC-013",
        message,
        "hold the key ceremony and adopt its root first",
    )
}

pub(crate) fn declare(state: &State, title: &Text) -> Result<Vec<Event>, Refusal> {
    let mut reasons = Vec::new();
    if state.landscape.is_none() {
        let remedy = "adopt a landscape first";
        reasons.push(Reason::new("AN-REC-014", "there is no landscape", remedy));
    }
    if let Some(incident) = state.running() {
        let message = format!("incident `{}` is running", incident.title.en);
        reasons.push(Reason::new(
            "AN-REC-015",
            message,
            "work in it, or end it first",
        ));
    }
    if title.de.trim().is_empty() || title.en.trim().is_empty() {
        let remedy = "give a title in German and in English";
        reasons.push(Reason::new("AN-REC-001", "the title is empty", remedy));
    }
    if title.de.len() > REASON_SIZE_MAX || title.en.len() > REASON_SIZE_MAX {
        let message = "the title is longer than 2,000 bytes";
        reasons.push(Reason::new("AN-REC-001", message, "shorten it"));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::IncidentDeclared {
        title: title.clone(),
    }])
}

pub(crate) fn narrow(state: &State, sites: &[SiteId]) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_sites(state, sites);
    reasons.extend(not_running(state));
    if sites.is_empty() {
        let remedy = "name those that stay restricted, or end the incident";
        reasons.push(Reason::new("AN-REC-006", "no site is named", remedy));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::IncidentNarrowed {
        sites: sites.to_vec(),
    }])
}

pub(crate) fn hold(
    state: &State,
    at: Timestamp,
    actor: &Actor,
    (site, until): (&SiteId, Timestamp),
) -> Result<Vec<Event>, Refusal> {
    let mut reasons = unknown_sites(state, std::slice::from_ref(site));
    reasons.extend(not_running(state));
    if until < at {
        let message = format!("the hold would end at {until}, which has passed");
        reasons.push(Reason::new("AN-REC-016", message, "give a time to come"));
    }
    if let Some(held) = held_until(state, at, site)
        && until < held
        && !matches!(actor.role, Role::Forensics | Role::Security)
    {
        let message = format!("site `{site}` is held until {held}");
        let remedy = "have forensics or security shorten the hold";
        reasons.push(Reason::new("AN-REC-022", message, remedy));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::SiteHeld {
        site: site.clone(),
        until,
    }])
}

pub(crate) fn end(state: &State) -> Result<Vec<Event>, Refusal> {
    let mut reasons: Vec<Reason> = not_running(state).into_iter().collect();
    reasons.extend(break_glass::unreviewed(state));
    let shut: Vec<_> = state.unrestored().collect();
    for cell in shut.iter().take(LISTED_MAX) {
        let message = format!("cell `{cell}` is not back at its last stage");
        reasons.push(Reason::new("AN-REC-017", message, "release it first"));
    }
    let behind: Vec<_> = state
        .cells
        .iter()
        .filter(|(_, cell)| {
            cell.gaps
                .iter()
                .any(|gap| gap.to.is_some() && gap.caught_up.is_none())
        })
        .map(|(id, _)| id)
        .collect();
    for cell in behind.iter().take(LISTED_MAX) {
        let message = format!("the gap of cell `{cell}` is not caught up");
        reasons.push(Reason::new("AN-REC-018", message, "work it off and say so"));
    }
    for cell in state.makeshift().take(LISTED_MAX) {
        let message = format!("emergency operation `{cell}` is still open");
        reasons.push(Reason::new("AN-REC-023", message, "close it"));
    }
    let unlisted = shut.len().saturating_sub(LISTED_MAX) + behind.len().saturating_sub(LISTED_MAX);
    if unlisted > 0 {
        let message = format!("and {unlisted} more cells");
        reasons.push(Reason::new("AN-REC-017", message, "see the situation grid"));
    }
    Refusal::unless_empty(reasons)?;
    Ok(vec![Event::IncidentEnded])
}

/// Until when forensics holds a site, if it does.
pub(crate) fn held_until(state: &State, at: Timestamp, site: &SiteId) -> Option<Timestamp> {
    let until = *state.running()?.holds.get(site)?;
    (at < until).then_some(until)
}

/// The reason when forensics holds a site.
pub(crate) fn held(state: &State, at: Timestamp, site: &SiteId) -> Option<Reason> {
    let until = held_until(state, at, site)?;
    let message = format!("site `{site}` is held for forensics until {until}");
    let remedy = "wait, or have forensics lift the hold";
    Some(Reason::new("AN-REC-033", message, remedy))
}

/// The reason when no incident is running.
pub(crate) fn not_running(state: &State) -> Option<Reason> {
    let remedy = "declare the incident first";
    match state.running() {
        Some(_) => None,
        None => Some(Reason::new("AN-REC-019", "no incident is running", remedy)),
    }
}

fn unknown_sites(state: &State, sites: &[SiteId]) -> Vec<Reason> {
    let known = |site: &SiteId| {
        state
            .landscape
            .as_ref()
            .is_some_and(|l| l.site(site).is_some())
    };
    sites
        .iter()
        .filter(|site| !known(site))
        .map(|site| {
            let message = format!("site `{site}` is not in the landscape");
            Reason::new("AN-REC-005", message, "look it up in the landscape's files")
        })
        .collect()
}
