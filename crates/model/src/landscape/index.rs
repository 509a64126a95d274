//! Ways to find things in a derived landscape without walking it.
//!
//! In:    a [`Declared`] landscape and its cells.
//! Out:   accessors of [`Landscape`], each a look-up.
//! Never: holds a fact of its own; everything here can be rebuilt from the two.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cell, CellKind, Class, Declared, Landscape, Person, PolicyRule, Service, Site, Team, Tenant,
    policy,
};
use crate::id::{CellId, Owner, PersonId, ServiceId, SiteId, TeamId, TenantId};
use crate::stage::Stage;

/// Positions and back references.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Index {
    sites: BTreeMap<SiteId, usize>,
    teams: BTreeMap<TeamId, usize>,
    services: BTreeMap<ServiceId, usize>,
    tenants: BTreeMap<TenantId, usize>,
    people: BTreeMap<PersonId, usize>,
    dependents: BTreeMap<CellId, Vec<CellId>>,
    of_tenant: BTreeMap<TenantId, Vec<CellId>>,
    of_service: BTreeMap<ServiceId, Vec<CellId>>,
    at_site: BTreeMap<SiteId, Vec<CellId>>,
}

fn positions<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K) -> BTreeMap<K, usize> {
    list.iter()
        .enumerate()
        .map(|(index, item)| (key(item), index))
        .collect()
}

impl Index {
    pub(super) fn new(declared: &Declared, cells: &BTreeMap<CellId, Cell>) -> Self {
        let mut index = Self {
            sites: positions(&declared.sites, |s| s.id.clone()),
            teams: positions(&declared.teams, |t| t.id.clone()),
            services: positions(&declared.services, |s| s.id.clone()),
            tenants: positions(&declared.tenants, |t| t.id.clone()),
            people: positions(&declared.people, |p| p.id.clone()),
            dependents: BTreeMap::new(),
            of_tenant: BTreeMap::new(),
            of_service: BTreeMap::new(),
            at_site: BTreeMap::new(),
        };
        for cell in cells.values() {
            index.add(cell);
        }
        index
    }

    fn add(&mut self, cell: &Cell) {
        for need in &cell.needs {
            self.dependents
                .entry(need.clone())
                .or_default()
                .push(cell.id.clone());
        }
        if let Owner::Tenant(tenant) = &cell.owner {
            self.of_tenant
                .entry(tenant.clone())
                .or_default()
                .push(cell.id.clone());
        }
        self.of_service
            .entry(cell.service.clone())
            .or_default()
            .push(cell.id.clone());
        self.at_site
            .entry(cell.site.clone())
            .or_default()
            .push(cell.id.clone());
    }
}

fn listed<'a, K: Ord>(map: &'a BTreeMap<K, Vec<CellId>>, key: &K) -> &'a [CellId] {
    map.get(key).map_or(&[], Vec::as_slice)
}

impl Landscape {
    /// What the files said, with the approvers of tenants that no file names.
    pub fn declared(&self) -> &Declared {
        &self.declared
    }

    /// Every cell, by id.
    pub fn cells(&self) -> &BTreeMap<CellId, Cell> {
        &self.cells
    }

    /// One cell.
    pub fn cell(&self, id: &CellId) -> Option<&Cell> {
        self.cells.get(id)
    }

    /// One tenant.
    pub fn tenant(&self, id: &TenantId) -> Option<&Tenant> {
        self.index
            .tenants
            .get(id)
            .map(|&i| &self.declared.tenants[i])
    }

    /// One service type.
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.index
            .services
            .get(id)
            .map(|&i| &self.declared.services[i])
    }

    /// One site.
    pub fn site(&self, id: &SiteId) -> Option<&Site> {
        self.index.sites.get(id).map(|&i| &self.declared.sites[i])
    }

    /// One team.
    pub fn team(&self, id: &TeamId) -> Option<&Team> {
        self.index.teams.get(id).map(|&i| &self.declared.teams[i])
    }

    /// Everyone with a role: those the files name, and the tenants' approvers.
    pub fn people(&self) -> &[Person] {
        &self.declared.people
    }

    /// One person.
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.index.people.get(id).map(|&i| &self.declared.people[i])
    }

    /// Everyone who waits for something: the sum over tenants.
    pub fn insured(&self) -> u64 {
        self.declared.tenants.iter().map(|t| t.insured).sum()
    }

    /// Cells that cannot work without this one, directly. Sorted.
    pub fn dependents(&self, id: &CellId) -> &[CellId] {
        listed(&self.index.dependents, id)
    }

    /// Cells that cannot work without this one, directly or through others. Not itself.
    pub fn dependents_all(&self, id: &CellId) -> BTreeSet<CellId> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&CellId> = self.dependents(id).iter().collect();
        while let Some(next) = open.pop() {
            if found.insert(next.clone()) {
                open.extend(self.dependents(next));
            }
        }
        found
    }

    /// A tenant's own cells and switches. Sorted.
    pub fn cells_of_tenant(&self, id: &TenantId) -> &[CellId] {
        listed(&self.index.of_tenant, id)
    }

    /// Every instance and switch of a service type. Sorted.
    pub fn cells_of_service(&self, id: &ServiceId) -> &[CellId] {
        listed(&self.index.of_service, id)
    }

    /// Every cell that runs at a site. Sorted.
    pub fn cells_at_site(&self, id: &SiteId) -> &[CellId] {
        listed(&self.index.at_site, id)
    }

    /// The rule of the declared policy for such a cell and stage: the first that matches.
    pub fn rule(&self, class: Class, kind: CellKind, stage: Stage) -> Option<&PolicyRule> {
        policy::rule(&self.declared.policy, class, kind, stage)
    }
}
