//! Names: how many, how long, once each, and no name that nobody has.
//!
//! In:    a [`Declared`] landscape, which may come from elsewhere than files.
//! Out:   errors; files get the same checks with places in `source`.

use std::collections::{BTreeMap, BTreeSet};

use super::{List, Problems, Spot, named};
use crate::id::{OWNER_FOUNDATION, OWNER_SHARED};
use crate::landscape::{Declared, ServiceScope};
use crate::limits::{
    APPROVER_COUNT_MAX, CELL_COUNT_MAX, INSTANCE_COUNT_MAX, NUMBERED_SERVICE_ID_SIZE_MAX,
    PERSON_COUNT_MAX, SERVICE_COUNT_MAX, SITE_COUNT_MAX, TEAM_COUNT_MAX, TENANT_COUNT_MAX,
    TENANT_ID_SIZE_MAX,
};

/// Counts and lengths within the product's limits.
pub(super) fn limits(declared: &Declared, problems: &mut Problems) {
    let cells = declared.offers.iter().map(|o| o.count as usize).fold(
        declared
            .services
            .len()
            .saturating_mul(declared.sites.len().max(1)),
        usize::saturating_add,
    );
    let approvers = declared.tenants.iter().map(|t| t.approvers as usize);
    let people = approvers.fold(declared.people.len(), usize::saturating_add);
    // The first piece that is too much; of sums the largest part.
    let beyond = |list, max| Spot::nth(list, max, "id");
    let offers = declared.offers.iter().map(|offer| offer.count);
    let tenants = declared.tenants.iter().map(|tenant| tenant.approvers);
    for (what, count, max, spot) in [
        (
            "sites",
            declared.sites.len(),
            SITE_COUNT_MAX,
            beyond(List::Sites, SITE_COUNT_MAX),
        ),
        (
            "teams",
            declared.teams.len(),
            TEAM_COUNT_MAX,
            beyond(List::Teams, TEAM_COUNT_MAX),
        ),
        (
            "services",
            declared.services.len(),
            SERVICE_COUNT_MAX,
            beyond(List::Services, SERVICE_COUNT_MAX),
        ),
        (
            "tenants",
            declared.tenants.len(),
            TENANT_COUNT_MAX,
            beyond(List::Tenants, TENANT_COUNT_MAX),
        ),
        (
            "offers",
            declared.offers.len(),
            CELL_COUNT_MAX,
            beyond(List::Offers, CELL_COUNT_MAX).at("tenant"),
        ),
        (
            "cells",
            cells,
            CELL_COUNT_MAX,
            Spot::found(List::Offers, largest(offers), "count"),
        ),
        (
            "people with a role",
            people,
            PERSON_COUNT_MAX,
            Spot::found(List::Tenants, largest(tenants), "approvers"),
        ),
    ] {
        if count > max {
            let message = format!(
                "the landscape has {count} {what}, more than the {max} it may have; split it"
            );
            problems.error("AN-LAN-032", message, [spot]);
        }
    }
    empty(declared, problems);
    per_item_limits(declared, problems);
}

/// A landscape of nothing is a slip.
fn empty(declared: &Declared, problems: &mut Problems) {
    for (what, count, list) in [
        ("site", declared.sites.len(), List::Sites),
        ("service", declared.services.len(), List::Services),
        ("tenant", declared.tenants.len(), List::Tenants),
    ] {
        if count == 0 {
            let message = format!("the landscape has no {what}; it needs at least one");
            problems.error("AN-LAN-032", message, [Spot::whole(list)]);
        }
    }
}

/// Position of the largest number, the first of equals.
fn largest(numbers: impl Iterator<Item = u32>) -> Option<usize> {
    let numbered = numbers.enumerate();
    let first = numbered.max_by_key(|(index, number)| (*number, std::cmp::Reverse(*index)));
    first.map(|(index, _)| index)
}

fn per_item_limits(declared: &Declared, problems: &mut Problems) {
    for (index, tenant) in declared.tenants.iter().enumerate() {
        let here = Spot::nth(List::Tenants, index, "id");
        if tenant.id.as_str().len() > TENANT_ID_SIZE_MAX {
            let message = format!(
                "tenant id `{}` is longer than {TENANT_ID_SIZE_MAX} characters; shorten it, its \
                 approvers' ids begin with it",
                tenant.id
            );
            problems.error("AN-LAN-032", message, [here]);
        }
        if tenant.approvers > APPROVER_COUNT_MAX {
            let message = format!(
                "tenant `{}` has {} approvers, more than {APPROVER_COUNT_MAX}",
                tenant.id, tenant.approvers
            );
            problems.error("AN-LAN-032", message, [here.at("approvers")]);
        }
    }
    let offers = declared.offers.iter().enumerate();
    for (index, offer) in offers.filter(|(_, o)| o.count > INSTANCE_COUNT_MAX) {
        let message = format!(
            "tenant `{}` has {} instances of `{}`, more than {INSTANCE_COUNT_MAX}",
            offer.tenant, offer.count, offer.service
        );
        let here = Spot::nth(List::Offers, index, "count");
        problems.error("AN-LAN-032", message, [here]);
    }
}

/// Every name stands once, is no one else's, and exists where it is used.
pub(super) fn check(declared: &Declared, problems: &mut Problems) {
    twice(
        "site",
        declared.sites.iter().map(|s| s.id.as_str()),
        problems,
    );
    twice(
        "organisation",
        declared.organisations.iter().map(|o| o.id.as_str()),
        problems,
    );
    twice(
        "team",
        declared.teams.iter().map(|t| t.id.as_str()),
        problems,
    );
    twice(
        "service",
        declared.services.iter().map(|s| s.id.as_str()),
        problems,
    );
    twice(
        "tenant",
        declared.tenants.iter().map(|t| t.id.as_str()),
        problems,
    );
    twice(
        "person",
        declared.people.iter().map(|p| p.id.as_str()),
        problems,
    );
    twice(
        "offer",
        declared.offers.iter().map(|o| (&o.tenant, &o.service)),
        problems,
    );
    twice(
        "estimate",
        declared.work.iter().map(|w| (w.kind, w.task)),
        problems,
    );
    unknown(declared, problems);
    owners(declared, problems);
    numbered(declared, problems);
}

fn twice<T: Ord + std::fmt::Debug>(
    what: &str,
    names: impl Iterator<Item = T>,
    problems: &mut Problems,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        let text = format!("{what} `{name:?}` is declared twice; remove one or rename it");
        if !seen.insert(name) {
            problems.error("AN-LAN-009", text.replace('"', ""), []);
        }
    }
}

/// Names that are used but not declared, each once with those who use it.
fn unknown(declared: &Declared, problems: &mut Problems) {
    let sites: BTreeSet<&str> = declared.sites.iter().map(|s| s.id.as_str()).collect();
    let teams: BTreeSet<&str> = declared.teams.iter().map(|t| t.id.as_str()).collect();
    let services: BTreeSet<&str> = declared.services.iter().map(|s| s.id.as_str()).collect();
    let tenants: BTreeSet<&str> = declared.tenants.iter().map(|t| t.id.as_str()).collect();
    let mut bodies: BTreeSet<&str> = declared
        .organisations
        .iter()
        .map(|o| o.id.as_str())
        .chain(tenants.clone())
        .collect();
    bodies.insert(declared.provider.as_str());

    let mut missing = Missing::default();
    let mut need = |known: &BTreeSet<&str>, kind, used| missing.need(known, kind, used);
    for service in &declared.services {
        let user = service.id.as_str();
        need(&teams, "team", (service.team.as_str(), user));
        let names = service.needs.iter().chain(&service.after);
        for name in names.chain(&service.emergency_for) {
            need(&services, "service", (name.as_str(), user));
        }
        if let Some(home) = &service.home {
            need(&sites, "site", (home.as_str(), user));
        }
    }
    for tenant in &declared.tenants {
        need(&sites, "site", (tenant.site.as_str(), tenant.id.as_str()));
    }
    for offer in &declared.offers {
        need(&tenants, "tenant", (offer.tenant.as_str(), "offers"));
        need(
            &services,
            "service",
            (offer.service.as_str(), offer.tenant.as_str()),
        );
    }
    for person in &declared.people {
        need(
            &bodies,
            "organisation",
            (person.organisation.as_str(), person.id.as_str()),
        );
    }
    for team in declared.work.iter().filter_map(|w| w.team.as_ref()) {
        need(&teams, "team", (team.as_str(), "work"));
    }
    for service in declared.deadlines.iter().flat_map(|d| &d.services) {
        need(&services, "service", (service.as_str(), "deadlines"));
    }
    for site in declared.freezes.iter().flat_map(|f| &f.sites) {
        need(&sites, "site", (site.as_str(), "freezes"));
    }
    for ((kind, name), users) in missing.users {
        let message = format!(
            "the {kind} `{name}` is not listed, but {} names it; declare it or name another",
            named(users)
        );
        problems.error("AN-LAN-010", message, []);
    }
}

/// Per kind and name that nobody has: who uses it.
#[derive(Default)]
struct Missing<'a> {
    users: BTreeMap<(&'static str, &'a str), BTreeSet<&'a str>>,
}

impl<'a> Missing<'a> {
    fn need(&mut self, known: &BTreeSet<&str>, kind: &'static str, used: (&'a str, &'a str)) {
        let (name, user) = used;
        if !known.contains(name) {
            self.users.entry((kind, name)).or_default().insert(user);
        }
    }
}

/// The word before the slash of a cell id has one meaning; a legal body is one body.
fn owners(declared: &Declared, problems: &mut Problems) {
    let sites: BTreeSet<&str> = declared.sites.iter().map(|s| s.id.as_str()).collect();
    let reserved = [OWNER_FOUNDATION, OWNER_SHARED];
    let mut clash = |(kind, name): (&str, &str), other: &str, (list, index)| {
        let message = format!("{kind} `{name}` has the name of {other}; rename it");
        problems.error("AN-LAN-030", message, [Spot::nth(list, index, "id")]);
    };
    for (index, site) in declared.sites.iter().enumerate() {
        if reserved.contains(&site.id.as_str()) {
            let who = ("site", site.id.as_str());
            clash(who, "a reserved owner", (List::Sites, index));
        }
    }
    let mut bodies: BTreeSet<&str> = BTreeSet::new();
    bodies.insert(declared.provider.as_str());
    for (index, organisation) in declared.organisations.iter().enumerate() {
        if organisation.id == declared.provider {
            let who = ("organisation", organisation.id.as_str());
            clash(who, "the provider", (List::Organisations, index));
        }
        bodies.insert(organisation.id.as_str());
    }
    for (index, tenant) in declared.tenants.iter().enumerate() {
        let (tenant, here) = (tenant.id.as_str(), (List::Tenants, index));
        if reserved.contains(&tenant) {
            clash(("tenant", tenant), "a reserved owner", here);
        }
        if sites.contains(tenant) {
            clash(("tenant", tenant), "a site", here);
        }
        if bodies.contains(tenant) {
            clash(("tenant", tenant), "another organisation", here);
        }
    }
}

/// Numbered instances (`custom-01`) have room for the number and are no other service's id.
fn numbered(declared: &Declared, problems: &mut Problems) {
    let several: BTreeSet<&str> = declared
        .offers
        .iter()
        .filter(|o| o.count > 1)
        .map(|o| o.service.as_str())
        .collect();
    let is_numbered = |service: &&crate::landscape::Service| {
        service.scope == ServiceScope::Tenant
            && (service.custom || several.contains(service.id.as_str()))
    };
    for service in declared.services.iter().filter(is_numbered) {
        let id = service.id.as_str();
        if id.len() > NUMBERED_SERVICE_ID_SIZE_MAX {
            let message = format!(
                "service id `{id}` is longer than {NUMBERED_SERVICE_ID_SIZE_MAX} characters; \
                 shorten it, its instances are numbered"
            );
            let here = Spot::service(declared, &service.id, "id");
            problems.error("AN-LAN-032", message, [here]);
        }
        let is_instance = |other: &str| {
            let number = other
                .strip_prefix(id)
                .and_then(|rest| rest.strip_prefix('-'));
            number.is_some_and(|n| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()))
        };
        for other in declared
            .services
            .iter()
            .filter(|o| is_instance(o.id.as_str()))
        {
            let message = format!(
                "service `{}` has the name of a numbered instance of `{id}`; rename it",
                other.id
            );
            let spots = [&other.id, &service.id].map(|id| Spot::service(declared, id, "id"));
            problems.error("AN-LAN-030", message, spots);
        }
    }
}
