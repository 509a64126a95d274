//! Who has what, and whether it makes sense.
//!
//! In:    a [`Declared`] landscape. Out: errors and warnings, one per service.

use std::collections::{BTreeMap, BTreeSet};

use super::{List, Problems, Spot, named};
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
    for (index, offer) in declared.offers.iter().enumerate() {
        let Some(service) = services.get(&offer.service) else {
            continue;
        };
        let (tenant, id) = (&offer.tenant, &offer.service);
        let (wrong, key) = match service.scope {
            ServiceScope::Foundation | ServiceScope::Site => {
                let wrong = "is under everything and belongs to no tenant; remove the line";
                (format!("`{id}` {wrong}"), "service")
            }
            ServiceScope::Shared if offer.count > 1 => (
                format!("a switch of `{id}` is one; set its count to 1"),
                "count",
            ),
            _ if offer.count == 0 => (
                format!("a count of 0 for `{id}` is no offer; remove it"),
                "count",
            ),
            _ => continue,
        };
        let message = format!("offer of tenant `{tenant}`: {wrong}");
        let here = Spot::nth(List::Offers, index, key);
        problems.error("AN-LAN-038", message, [here]);
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
            let here = Spot::service(declared, &service.id, "id");
            problems.warn("AN-LAN-021", message, [here]);
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
        let spots = without.iter().map(|id| Spot::tenant(declared, id, "id"));
        problems.warn("AN-LAN-021", message, spots.collect::<Vec<_>>());
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
        for (item, need) in service.needs.iter().enumerate() {
            let here = Spot::service(declared, &service.id, "needs").item(Some(item));
            if scopes.get(need) != Some(&ServiceScope::Tenant) {
                continue;
            }
            if service.scope != ServiceScope::Tenant {
                let message = format!(
                    "service `{}` runs for all, but needs `{need}`, of which each tenant has its \
                     own; make it of scope `tenant` or remove the need",
                    service.id
                );
                let spots = [here, Spot::service(declared, need, "scope")];
                problems.error("AN-LAN-039", message, spots);
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
                let who = without.iter().map(|id| Spot::tenant(declared, id, "id"));
                let spots: Vec<Spot> = [here].into_iter().chain(who).collect();
                problems.warn("AN-LAN-040", message, spots);
            }
        }
    }
}
