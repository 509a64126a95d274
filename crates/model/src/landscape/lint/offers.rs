//! Who has what, and whether it makes sense.
//!
//! In:    a [`Declared`] landscape. Out: errors and warnings, one per service.

use std::collections::{BTreeMap, BTreeSet};

use super::{Problems, named};
use crate::id::{ServiceId, TenantId};
use crate::landscape::{Declared, Service, ServiceScope};

pub(super) fn check(declared: &Declared, problems: &mut Problems) {
    let mut has: BTreeMap<&TenantId, BTreeSet<&ServiceId>> = BTreeMap::new();
    for offer in &declared.offers {
        has.entry(&offer.tenant).or_default().insert(&offer.service);
    }
    scopes(declared, problems);
    nobody_has(declared, &has, problems);
    needs_of_tenants(declared, &has, problems);
}

/// Only tenant and shared services are had by tenants; only tenant ones more than once.
fn scopes(declared: &Declared, problems: &mut Problems) {
    let services: BTreeMap<&ServiceId, &Service> =
        declared.services.iter().map(|s| (&s.id, s)).collect();
    for offer in &declared.offers {
        let Some(service) = services.get(&offer.service) else {
            continue;
        };
        let (tenant, id) = (&offer.tenant, &offer.service);
        let wrong = match service.scope {
            ServiceScope::Foundation | ServiceScope::Site => {
                format!("`{id}` is under everything and belongs to no tenant; remove the line")
            }
            ServiceScope::Shared if offer.count > 1 => {
                format!("a switch of `{id}` is one; set its count to 1")
            }
            _ if offer.count == 0 => format!("a count of 0 for `{id}` is no offer; remove it"),
            _ => continue,
        };
        problems.error("AN-LAN-038", format!("offer of tenant `{tenant}`: {wrong}"));
    }
}

fn nobody_has(
    declared: &Declared,
    has: &BTreeMap<&TenantId, BTreeSet<&ServiceId>>,
    problems: &mut Problems,
) {
    let had: BTreeSet<&ServiceId> = has.values().flatten().copied().collect();
    for service in &declared.services {
        let by_tenants = matches!(service.scope, ServiceScope::Shared | ServiceScope::Tenant);
        if by_tenants && !had.contains(&service.id) {
            let message = format!(
                "no tenant has service `{}`, so nobody waits for it; add offers or remove it",
                service.id
            );
            problems.warn("AN-LAN-021", message);
        }
    }
    let without: Vec<&TenantId> = declared
        .tenants
        .iter()
        .map(|t| &t.id)
        .filter(|id| !has.contains_key(id))
        .collect();
    if !without.is_empty() {
        let message = format!(
            "tenants without any service: {}; add offers or remove them",
            named(&without)
        );
        problems.warn("AN-LAN-021", message);
    }
}

/// What a service needs must exist for whoever has the service.
fn needs_of_tenants(
    declared: &Declared,
    has: &BTreeMap<&TenantId, BTreeSet<&ServiceId>>,
    problems: &mut Problems,
) {
    let scopes: BTreeMap<&ServiceId, ServiceScope> =
        declared.services.iter().map(|s| (&s.id, s.scope)).collect();
    for service in &declared.services {
        for need in &service.needs {
            if scopes.get(need) != Some(&ServiceScope::Tenant) {
                continue;
            }
            if service.scope != ServiceScope::Tenant {
                let message = format!(
                    "service `{}` runs for all, but needs `{need}`, of which each tenant has its \
                     own; make it of scope `tenant` or remove the need",
                    service.id
                );
                problems.error("AN-LAN-039", message);
                continue;
            }
            let without: Vec<&TenantId> = has
                .iter()
                .filter(|(_, of)| of.contains(&service.id) && !of.contains(need))
                .map(|(tenant, _)| *tenant)
                .collect();
            if !without.is_empty() {
                let message = format!(
                    "service `{}` needs `{need}`, which some tenants that have it do not have: \
                     {}; the need is left out for them",
                    service.id,
                    named(&without)
                );
                problems.warn("AN-LAN-040", message);
            }
        }
    }
}
