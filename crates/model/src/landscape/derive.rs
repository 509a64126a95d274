//! Derives cells from what is declared.
//!
//! In:    a [`Declared`] landscape whose names are checked.
//! Out:   every [`Cell`], with needs, order, estimates and its place at the gate.
//! Never: a cell that no file asked for.
//! See:   docs/formats/landscape.md, "What is derived".

use std::collections::BTreeMap;

use super::index::Index;
use super::lint::{self, Problem, Severity};
use super::{
    Cell, CellKind, Class, Declared, Detour, Landscape, Person, Protection, Service, ServiceScope,
    Site, TaskNeed, Tenant, Work,
};
use crate::id::{CellId, OrganisationId, Owner, PersonId, ServiceId, SiteId, TenantId};
use crate::role::Role;
use crate::task::{TaskKind, ThreePoint};
use crate::time::Minutes;

/// Harm of one hour for a service that tolerates one hour; shared out by the tolerable hours.
const HARM_SCALE: u64 = 10_000;

/// Factor of a rank on harm, per mille: two ranks better count double. Ranks from 9 on are equal.
const RANK_PER_MILLE: [u64; 9] = [4000, 2828, 2000, 1414, 1000, 707, 500, 354, 250];

impl Landscape {
    /// Checks and derives; every error at once.
    ///
    /// Adds the approvers of each tenant that no file names, as `<tenant>.approver-1` and so on.
    /// Doing it again to [`Landscape::declared`] changes nothing.
    ///
    /// # Errors
    /// Every [`Problem`] of severity error that `lint` finds.
    pub fn new(mut declared: Declared) -> Result<Self, Vec<Problem>> {
        let (problems, cells) = lint::check(&declared);
        let errors: Vec<Problem> = problems
            .into_iter()
            .filter(|p| p.severity == Severity::Error)
            .collect();
        match cells {
            Some(cells) if errors.is_empty() => {
                let approvers = approvers_missing(&declared);
                declared.people.extend(approvers);
                let index = Index::new(&declared, &cells);
                Ok(Self {
                    declared,
                    cells,
                    index,
                })
            }
            _ => Err(errors),
        }
    }
}

/// The approvers that tenants have by number but no file names.
pub(super) fn approvers_missing(declared: &Declared) -> Vec<Person> {
    let mut named: BTreeMap<&str, u32> = BTreeMap::new();
    for person in declared.people.iter().filter(|p| p.role == Role::Tenant) {
        *named.entry(person.organisation.as_str()).or_default() += 1;
    }
    let taken: std::collections::BTreeSet<&PersonId> =
        declared.people.iter().map(|p| &p.id).collect();
    let mut added = Vec::new();
    for tenant in &declared.tenants {
        let known = named.get(tenant.id.as_str()).copied().unwrap_or(0);
        let missing = tenant.approvers.saturating_sub(known) as usize;
        let numbered = (1..=tenant.approvers + known).filter_map(|n| approver(tenant, n));
        added.extend(numbered.filter(|p| !taken.contains(&p.id)).take(missing));
    }
    added
}

fn approver(tenant: &Tenant, number: u32) -> Option<Person> {
    let id: PersonId = format!("{}.approver-{number}", tenant.id).parse().ok()?;
    let organisation: OrganisationId = tenant.id.as_str().parse().ok()?;
    let name = format!("Freigabe {number}, {}", tenant.name);
    Some(Person {
        id,
        name,
        organisation,
        role: Role::Tenant,
    })
}

/// Every cell of a landscape whose names are checked; unknown names are left out.
pub(super) fn cells(declared: &Declared) -> BTreeMap<CellId, Cell> {
    let deriver = Deriver::new(declared);
    let mut cells = BTreeMap::new();
    let mut add = |cell: Option<Cell>| {
        if let Some(cell) = cell {
            cells.insert(cell.id.clone(), cell);
        }
    };
    for service in &declared.services {
        match service.scope {
            ServiceScope::Foundation => add(deriver.single(&Owner::Foundation, service)),
            ServiceScope::Shared => add(deriver.single(&Owner::Shared, service)),
            ServiceScope::Site => {
                for site in &declared.sites {
                    add(deriver.single(&Owner::Site(site.id.clone()), service));
                }
            }
            ServiceScope::Tenant => {}
        }
    }
    for offer in &declared.offers {
        let Some(service) = deriver.services.get(&offer.service).copied() else {
            continue;
        };
        let owner = Owner::Tenant(offer.tenant.clone());
        for instance in deriver.instances(&offer.tenant, service) {
            add(deriver.cell(&owner, service, &instance));
        }
    }
    cells
}

/// How many instances of which service a tenant has.
type Offers<'a> = BTreeMap<&'a TenantId, BTreeMap<&'a ServiceId, u32>>;

struct Deriver<'a> {
    declared: &'a Declared,
    sites: BTreeMap<&'a SiteId, &'a Site>,
    services: BTreeMap<&'a ServiceId, &'a Service>,
    tenants: BTreeMap<&'a TenantId, &'a Tenant>,
    offers: Offers<'a>,
    /// The emergency operation of a service.
    emergency: BTreeMap<&'a ServiceId, &'a Service>,
    work: BTreeMap<CellKind, Vec<&'a Work>>,
    insured: u64,
    insured_at: BTreeMap<&'a SiteId, u64>,
}

impl<'a> Deriver<'a> {
    fn new(declared: &'a Declared) -> Self {
        let mut offers: Offers<'a> = BTreeMap::new();
        for offer in &declared.offers {
            offers
                .entry(&offer.tenant)
                .or_default()
                .insert(&offer.service, offer.count);
        }
        let mut work: BTreeMap<CellKind, Vec<&Work>> = BTreeMap::new();
        for line in &declared.work {
            work.entry(line.kind).or_default().push(line);
        }
        let mut insured_at: BTreeMap<&SiteId, u64> = BTreeMap::new();
        for tenant in &declared.tenants {
            let sum = insured_at.entry(&tenant.site).or_default();
            *sum = sum.saturating_add(tenant.insured);
        }
        Self {
            declared,
            sites: declared.sites.iter().map(|s| (&s.id, s)).collect(),
            services: declared.services.iter().map(|s| (&s.id, s)).collect(),
            tenants: declared.tenants.iter().map(|t| (&t.id, t)).collect(),
            offers,
            emergency: declared
                .services
                .iter()
                .filter_map(|s| Some((s.emergency_for.as_ref()?, s)))
                .collect(),
            work,
            insured: insured_at.values().fold(0, |sum, n| sum.saturating_add(*n)),
            insured_at,
        }
    }

    /// The only instance of a service at an owner that is no tenant.
    fn single(&self, owner: &Owner, service: &Service) -> Option<Cell> {
        self.cell(owner, service, &service.id)
    }

    fn cell(&self, owner: &Owner, service: &Service, instance: &ServiceId) -> Option<Cell> {
        let site = self.site_of(owner, service)?;
        let kind = kind_of(owner, service);
        let id = CellId::new(owner, instance);
        let path = service
            .path
            .clone()
            .unwrap_or_else(|| format!("/{}", service.id));
        let number = instance
            .as_str()
            .strip_prefix(service.id.as_str())
            .unwrap_or("");
        let fill = |template: &String| {
            template
                .replace("{site}", site.id.as_str())
                .replace("{owner}", id.owner())
                .replace("{service}", instance.as_str())
        };
        Some(Cell {
            service: service.id.clone(),
            owner: owner.clone(),
            site: site.id.clone(),
            kind,
            class: class_of(service),
            needs: self.needs(owner, service),
            after: self.mapped(owner, service, &service.after),
            insured: self.insured_of(owner),
            harm: harm_of(service),
            stages: service.stages.clone(),
            tasks: self.tasks(kind, service, site),
            emergency: service.emergency_for.is_some(),
            detour: self.detour(owner, (kind, service), site),
            host: format!("{}.{}.example", id.owner(), self.declared.id),
            path: format!("{path}{number}"),
            upstream: service.upstream.as_ref().map(fill),
            basic: service.basic.clone(),
            id,
        })
    }

    fn site_of(&self, owner: &Owner, service: &Service) -> Option<&'a Site> {
        let id = match owner {
            Owner::Foundation | Owner::Shared => service.home.as_ref()?,
            Owner::Site(site) => site,
            Owner::Tenant(tenant) => &self.tenants.get(tenant)?.site,
        };
        self.sites.get(id).copied()
    }

    fn needs(&self, owner: &Owner, service: &Service) -> Vec<CellId> {
        let mut needs = self.mapped(owner, service, &service.needs);
        if service.scope == ServiceScope::Shared && matches!(owner, Owner::Tenant(_)) {
            needs.insert(0, CellId::new(&Owner::Shared, &service.id));
        }
        needs
    }

    /// The cells that stand for the named services, seen from an owner.
    fn mapped(&self, owner: &Owner, service: &Service, names: &[ServiceId]) -> Vec<CellId> {
        let mut ids = Vec::with_capacity(names.len() + 1);
        for name in names {
            let Some(other) = self.services.get(name).copied() else {
                continue;
            };
            match other.scope {
                ServiceScope::Foundation => ids.push(CellId::new(&Owner::Foundation, name)),
                ServiceScope::Site => {
                    let site = self.site_of(owner, service);
                    ids.extend(site.map(|s| CellId::new(&Owner::Site(s.id.clone()), name)));
                }
                ServiceScope::Shared => ids.push(self.mapped_shared(owner, name)),
                ServiceScope::Tenant => {
                    if let Owner::Tenant(tenant) = owner {
                        let instances = self.instances(tenant, other);
                        ids.extend(instances.iter().map(|i| CellId::new(owner, i)));
                    }
                }
            }
        }
        ids
    }

    fn mapped_shared(&self, owner: &Owner, name: &ServiceId) -> CellId {
        match owner {
            Owner::Tenant(tenant) if self.count(tenant, name) > 0 => CellId::new(owner, name),
            _ => CellId::new(&Owner::Shared, name),
        }
    }

    fn count(&self, tenant: &TenantId, service: &ServiceId) -> u32 {
        self.offers
            .get(tenant)
            .and_then(|of| of.get(service))
            .copied()
            .unwrap_or(0)
    }

    /// The ids of a tenant's instances: the plain one, or numbered ones.
    fn instances(&self, tenant: &TenantId, service: &Service) -> Vec<ServiceId> {
        let count = self.count(tenant, &service.id);
        let numbered = service.custom || count > 1;
        match service.scope {
            ServiceScope::Tenant if numbered => (1..=count)
                .filter_map(|number| format!("{}-{number:02}", service.id).parse().ok())
                .collect(),
            ServiceScope::Tenant | ServiceScope::Shared if count > 0 => vec![service.id.clone()],
            _ => Vec::new(),
        }
    }

    fn insured_of(&self, owner: &Owner) -> u64 {
        match owner {
            Owner::Foundation | Owner::Shared => self.insured,
            Owner::Site(site) => self.insured_at.get(site).copied().unwrap_or(0),
            Owner::Tenant(tenant) => self.tenants.get(tenant).map_or(0, |t| t.insured),
        }
    }

    fn tasks(
        &self,
        kind: CellKind,
        service: &Service,
        site: &Site,
    ) -> BTreeMap<TaskKind, TaskNeed> {
        let lines = self.work.get(&kind).into_iter().flatten();
        let lines = lines.filter(|line| line.task != TaskKind::Return);
        lines
            .map(|line| (line.task, need(line, service, site)))
            .collect()
    }

    /// The emergency operation of an owner's service, and the way back from it.
    fn detour(
        &self,
        owner: &Owner,
        (kind, service): (CellKind, &Service),
        site: &Site,
    ) -> Option<Detour> {
        let emergency = *self.emergency.get(&service.id)?;
        let has_it = match owner {
            Owner::Tenant(tenant) => self.count(tenant, &emergency.id) > 0,
            _ => true,
        };
        let lines = self.work.get(&kind).into_iter().flatten();
        let back = lines.copied().find(|line| line.task == TaskKind::Return);
        Some(Detour {
            cell: CellId::new(owner, &emergency.id),
            back: need(back.filter(|_| has_it)?, service, site),
        })
    }
}

/// What a line of the estimates means for a service at a site.
fn need(line: &Work, service: &Service, site: &Site) -> TaskNeed {
    let share = match line.kind {
        CellKind::Foundation => site.work_per_mille.foundation,
        CellKind::Shared => site.work_per_mille.shared,
        CellKind::Switch | CellKind::Tenant | CellKind::Custom => site.work_per_mille.tenant,
    };
    let own = (line.task != TaskKind::Acceptance).then(|| service.team.clone());
    let own_share = match line.task {
        TaskKind::Return => WHOLE_PER_MILLE,
        _ => service.work_per_mille,
    };
    TaskNeed {
        team: line.team.clone().or(own),
        work: three_point(line).scaled(share).scaled(own_share),
    }
}

/// The whole of a share.
const WHOLE_PER_MILLE: u32 = 1_000;

fn kind_of(owner: &Owner, service: &Service) -> CellKind {
    match (owner, service.scope) {
        (Owner::Foundation | Owner::Site(_), _) => CellKind::Foundation,
        (Owner::Shared, _) => CellKind::Shared,
        (Owner::Tenant(_), ServiceScope::Shared) => CellKind::Switch,
        (Owner::Tenant(_), _) if service.custom => CellKind::Custom,
        (Owner::Tenant(_), _) => CellKind::Tenant,
    }
}

/// The class of a service: its highest protection need decides.
pub(super) fn class_of(service: &Service) -> Class {
    match service
        .confidentiality
        .max(service.integrity)
        .max(service.availability)
    {
        Protection::VeryHigh => Class::A,
        Protection::High => Class::B,
        Protection::Normal => Class::C,
    }
}

/// Harm per person and hour: 10,000 / tolerable hours, times the factor of the rank. At least 1.
fn harm_of(service: &Service) -> u32 {
    let place = (service.rank.max(1) as usize - 1).min(RANK_PER_MILLE.len() - 1);
    let hours = u64::from(service.mta_hours.max(1));
    let harm = (HARM_SCALE * RANK_PER_MILLE[place] + 500 * hours) / (1000 * hours);
    u32::try_from(harm.max(1)).unwrap_or(u32::MAX)
}

/// Hours of a file as whole minutes, at least one; checked by `lint` to be sane.
fn three_point(work: &Work) -> ThreePoint {
    // The cast saturates, and NaN becomes 0: no input can panic here.
    let minutes = |hours: f64| Minutes(((hours * 60.0).round() as i64).clamp(1, MINUTES_MAX));
    ThreePoint {
        optimistic: minutes(work.optimistic),
        likely: minutes(work.likely),
        pessimistic: minutes(work.pessimistic),
    }
}

/// Ten years of minutes: far above any real estimate, far below an overflow.
const MINUTES_MAX: i64 = 10 * 366 * 24 * 60;
