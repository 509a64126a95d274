//! What leans on what: circles, times that contradict each other, single points.
//!
//! In:    the service types and their needs.
//! Out:   errors for circles, warnings for the rest.
//! See:   BSI 200-4, minimum principle: what is needed tolerates no more than what needs it.

use std::collections::{BTreeMap, BTreeSet};

use super::{List, Problems, Spot, named};
use crate::id::{ServiceId, SiteId, TenantId};
use crate::landscape::{Declared, Service, ServiceScope};

/// The service types, walkable.
struct Graph<'a> {
    services: BTreeMap<&'a ServiceId, &'a Service>,
}

impl<'a> Graph<'a> {
    fn new(declared: &'a Declared) -> Self {
        Self {
            services: declared.services.iter().map(|s| (&s.id, s)).collect(),
        }
    }

    /// Services before this one, by need or only by order.
    fn before(&self, id: &ServiceId) -> impl Iterator<Item = &'a ServiceId> {
        let service = self.services.get(id);
        service
            .into_iter()
            .flat_map(|s| s.needs.iter().chain(&s.after))
    }

    /// Where a service names another that comes before it.
    fn step(&self, declared: &Declared, from: &ServiceId, to: &ServiceId) -> Option<Spot> {
        let service = self.services.get(from)?;
        let lists = [("needs", &service.needs), ("after", &service.after)];
        lists.into_iter().find_map(|(key, names)| {
            let item = names.iter().position(|name| name == to)?;
            Some(Spot::service(declared, from, key).item(Some(item)))
        })
    }

    /// Everything a service needs, directly or through others; not itself.
    fn needs_all(&self, id: &ServiceId) -> BTreeSet<&'a ServiceId> {
        let needs = |id: &ServiceId| self.services.get(id).into_iter().flat_map(|s| &s.needs);
        let mut found = BTreeSet::new();
        let mut open: Vec<&ServiceId> = needs(id).collect();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(needs(next));
            }
        }
        found
    }
}

/// Whether a service waits for another, directly or through others.
pub(super) fn leans_on(declared: &Declared, id: &ServiceId, other: &ServiceId) -> bool {
    let graph = Graph::new(declared);
    let mut found = BTreeSet::new();
    let mut open: Vec<&ServiceId> = graph.before(id).collect();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(graph.before(next));
        }
    }
    found.contains(other)
}

/// Circles of needs and order, each with its path.
pub(super) fn cycles(declared: &Declared, problems: &mut Problems) {
    let graph = Graph::new(declared);
    let mut walk = Walk {
        graph: &graph,
        done: BTreeSet::new(),
        path: Vec::new(),
        told: Vec::new(),
    };
    for service in &declared.services {
        walk.visit(&service.id);
    }
    for path in walk.told {
        let message = format!(
            "services wait for each other in a circle: {}; remove one `needs` or `after`, the \
             service that begins is then started by hand (break glass)",
            path.iter()
                .map(|id| format!("`{id}`"))
                .collect::<Vec<_>>()
                .join(" -> ")
        );
        let steps = path.windows(2).filter_map(|pair| match pair {
            [from, to] => graph.step(declared, from, to),
            _ => None,
        });
        problems.error("AN-LAN-020", message, steps.collect::<Vec<_>>());
    }
}

struct Walk<'g, 'a> {
    graph: &'g Graph<'a>,
    done: BTreeSet<&'a ServiceId>,
    path: Vec<&'a ServiceId>,
    told: Vec<Vec<&'a ServiceId>>,
}

impl<'a> Walk<'_, 'a> {
    /// Depth at most the count of services, which is limited.
    fn visit(&mut self, id: &'a ServiceId) {
        if self.done.contains(id) {
            return;
        }
        if let Some(start) = self.path.iter().position(|on| *on == id) {
            let mut circle = self.path[start..].to_vec();
            circle.push(id);
            self.told.push(circle);
            return;
        }
        self.path.push(id);
        for before in self.graph.before(id) {
            self.visit(before);
        }
        self.path.pop();
        self.done.insert(id);
    }
}

/// Required restart times against what dependents tolerate and require.
pub(super) fn times(declared: &Declared, problems: &mut Problems) {
    let graph = Graph::new(declared);
    // Who tolerates least among a service and all that lean on it.
    let mut tightest: BTreeMap<&ServiceId, (u32, &ServiceId)> = BTreeMap::new();
    for service in &declared.services {
        let own = (service.mta_hours, &service.id);
        for id in graph
            .needs_all(&service.id)
            .into_iter()
            .chain([&service.id])
        {
            let least = tightest.entry(id).or_insert(own);
            *least = (*least).min(own);
        }
    }
    for service in &declared.services {
        let Some((mta, who)) = tightest.get(&service.id) else {
            continue;
        };
        if service.rto_hours >= *mta {
            let message = format!(
                "service `{}` is back after {} hours (rto), but `{who}` tolerates only {mta} \
                 (mta); lower the rto or raise the mta",
                service.id, service.rto_hours
            );
            let mut spots = vec![Spot::service(declared, &service.id, "rto_hours")];
            spots.push(Spot::service(declared, who, "mta_hours"));
            problems.warn("AN-LAN-022", message, spots);
        }
        for need in service
            .needs
            .iter()
            .filter_map(|need| graph.services.get(need))
        {
            if need.rto_hours > service.rto_hours {
                let message = format!(
                    "service `{}` is back after {} hours (rto), but needs `{}`, which takes {}; \
                     lower that rto",
                    service.id, service.rto_hours, need.id, need.rto_hours
                );
                let spots = [&service.id, &need.id];
                let spots = spots.map(|id| Spot::service(declared, id, "rto_hours"));
                problems.warn("AN-LAN-023", message, spots);
            }
        }
    }
}

/// Services that run once, at one site, and every tenant leans on.
pub(super) fn single_points(declared: &Declared, problems: &mut Problems) {
    if declared.tenants.len() < 2 {
        return;
    }
    let graph = Graph::new(declared);
    let is_single =
        |s: &Service| matches!(s.scope, ServiceScope::Foundation | ServiceScope::Shared);
    let leans: BTreeMap<&ServiceId, Vec<&ServiceId>> = declared
        .services
        .iter()
        .map(|service| {
            let needs = graph
                .needs_all(&service.id)
                .into_iter()
                .chain([&service.id]);
            let single = needs.filter(|id| graph.services.get(id).is_some_and(|s| is_single(s)));
            (&service.id, single.collect())
        })
        .collect();
    let mut leaning: BTreeMap<&ServiceId, BTreeSet<&TenantId>> = BTreeMap::new();
    for offer in &declared.offers {
        for single in leans.get(&offer.service).into_iter().flatten() {
            leaning.entry(single).or_default().insert(&offer.tenant);
        }
    }
    let mut at: BTreeMap<&SiteId, Vec<&ServiceId>> = BTreeMap::new();
    for service in declared.services.iter().filter(|s| is_single(s)) {
        let all = leaning
            .get(&service.id)
            .is_some_and(|t| t.len() == declared.tenants.len());
        if let (true, Some(home)) = (all, &service.home) {
            at.entry(home).or_default().push(&service.id);
        }
    }
    for (site, services) in at {
        let message = format!(
            "all {} tenants lean on what runs only at site `{site}`: {}; plan a second site for it",
            declared.tenants.len(),
            named(&services)
        );
        let index = declared.sites.iter().position(|s| s.id == *site);
        let homes = services
            .iter()
            .map(|id| Spot::service(declared, id, "home"));
        let spots = [Spot::found(List::Sites, index, "id")]
            .into_iter()
            .chain(homes);
        problems.warn("AN-LAN-025", message, spots.collect::<Vec<_>>());
    }
}
