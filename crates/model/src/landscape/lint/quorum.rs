//! Whether every cell can ever open: rules that cover it, findings it yields, people who may sign.
//!
//! In:    the declared policy and people, and the derived cells.
//! Out:   errors for cells that could never open, warnings for quorums that hang on one person.

use std::collections::{BTreeMap, BTreeSet};

use super::{List, Problems, Spot, named};
use crate::finding::FindingKind;
use crate::id::{CellId, TenantId};
use crate::landscape::{Cell, CellKind, Class, Declared, PolicyRule, word_of};
use crate::role::Role;
use crate::stage::Stage;

/// Cells that policy treats alike.
#[derive(Default)]
struct Group<'a> {
    example: Option<&'a Cell>,
    stages: BTreeSet<Stage>,
    tenants: BTreeSet<&'a TenantId>,
    yields: BTreeSet<FindingKind>,
    has_work: bool,
}

pub(super) fn check(declared: &Declared, cells: &BTreeMap<CellId, Cell>, problems: &mut Problems) {
    let mut groups: BTreeMap<(Class, CellKind), Group<'_>> = BTreeMap::new();
    for cell in cells.values() {
        let group = groups.entry((cell.class, cell.kind)).or_default();
        group.example.get_or_insert(cell);
        group.stages.extend(&cell.stages);
        group.tenants.extend(cell.tenant());
        group
            .yields
            .extend(cell.tasks.keys().filter_map(|task| task.finding()));
        group.has_work |= !cell.tasks.is_empty();
    }
    let holders = Holders::new(declared);
    let mut thin = Thin::default();
    let mut kinds_without_work = BTreeMap::new();
    for ((class, kind), group) in &groups {
        if !group.has_work {
            kinds_without_work.insert(word_of(kind), group.spot(declared, "id"));
        }
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        for stage in &group.stages {
            let position = declared
                .policy
                .iter()
                .position(|r| r.matches(*class, *kind, *stage));
            let Some(position) = position else {
                let message = uncovered((*class, *kind, *stage), group);
                let spots = [Spot::whole(List::Rules), group.spot(declared, "stages")];
                problems.error("AN-LAN-028", message, spots);
                continue;
            };
            let judge = Judge {
                number: position + 1,
                here: Spot::nth(List::Rules, position, "signers"),
                declared,
                rule: &declared.policy[position],
                group,
            };
            judge.openness(*stage, problems);
            if seen.insert(position) {
                judge.findings(*kind, problems);
                judge.signers(&holders, &mut thin, problems);
            }
        }
    }
    for (kind, spot) in kinds_without_work {
        let message = format!(
            "no estimate of work is given for cells of kind `{kind}`; add lines under `[[work]]`"
        );
        problems.error("AN-LAN-042", message, [spot]);
    }
    thin.tell(declared, problems);
}

impl Group<'_> {
    /// A value of the service of the first cell.
    fn spot(&self, declared: &Declared, key: &'static str) -> Spot {
        match self.example {
            Some(cell) => Spot::service(declared, &cell.service, key),
            None => Spot::whole(List::Services),
        }
    }
}

fn uncovered((class, kind, stage): (Class, CellKind, Stage), group: &Group<'_>) -> String {
    let example = group
        .example
        .map(|cell| format!(", such as `{}`", cell.id))
        .unwrap_or_default();
    format!(
        "no rule of the policy covers class `{}`, kind `{}` at stage `{stage}`{example}: it would \
         never open; add a rule",
        word_of(&class),
        word_of(&kind)
    )
}

/// Who holds which role.
struct Holders<'a> {
    roles: BTreeMap<Role, u32>,
    bodies: BTreeMap<Role, BTreeSet<&'a str>>,
    approvers: BTreeMap<&'a str, u32>,
}

impl<'a> Holders<'a> {
    fn new(declared: &'a Declared) -> Self {
        let mut roles: BTreeMap<Role, u32> = BTreeMap::new();
        let mut bodies: BTreeMap<Role, BTreeSet<&str>> = BTreeMap::new();
        let mut approvers: BTreeMap<&str, u32> = BTreeMap::new();
        for person in &declared.people {
            let body = person.organisation.as_str();
            *roles.entry(person.role).or_default() += 1;
            bodies.entry(person.role).or_default().insert(body);
            if person.role == Role::Tenant {
                *approvers.entry(body).or_default() += 1;
            }
        }
        // Approvers that no file names are added when the landscape is derived.
        for tenant in &declared.tenants {
            let count = approvers.entry(tenant.id.as_str()).or_default();
            *count = (*count).max(tenant.approvers);
        }
        Self {
            roles,
            bodies,
            approvers,
        }
    }
}

/// One rule, as it meets one group of cells.
struct Judge<'j, 'a> {
    number: usize,
    here: Spot,
    declared: &'a Declared,
    rule: &'j PolicyRule,
    group: &'j Group<'a>,
}

impl<'a> Judge<'_, 'a> {
    /// A stage that lets people in should hang on two people of two organisations.
    fn openness(&self, stage: Stage, problems: &mut Problems) {
        let people: u32 = self
            .rule
            .signers
            .iter()
            .fold(0, |n, s| n.saturating_add(s.count));
        if people == 0 {
            let message = format!(
                "rule {} of the policy demands no signer: anything would open; name signers",
                self.number
            );
            problems.error("AN-LAN-029", message, [self.here]);
        } else if stage.is_public() && (people < 2 || self.rule.organisations_min < 2) {
            let message = format!(
                "rule {} of the policy opens stage `{stage}` on the word of one organisation or \
                 person; demand two",
                self.number
            );
            let spots = [self.here, self.here.at("organisations_min")];
            problems.warn("AN-LAN-043", message, spots);
        }
    }

    /// The steps of such a cell yield what the rule demands.
    fn findings(&self, kind: CellKind, problems: &mut Problems) {
        let possible = |finding: &&FindingKind| {
            !finding.is_incident_wide()
                && **finding != FindingKind::Commissioned
                && !self.group.yields.contains(*finding)
        };
        let missing: Vec<&FindingKind> = self.rule.findings.iter().filter(possible).collect();
        if !missing.is_empty() {
            let message = format!(
                "rule {} of the policy demands {} of cells of kind `{}`, but no step of theirs \
                 yields it: they would never open; remove it or add work",
                self.number,
                named(missing),
                word_of(&kind)
            );
            let demanded = self.rule.findings.iter().enumerate();
            let spots = demanded
                .filter(|(_, finding)| possible(finding))
                .map(|(item, _)| self.here.at("findings").item(Some(item)));
            problems.error("AN-LAN-041", message, spots.collect::<Vec<_>>());
        }
    }

    fn signers(&self, holders: &Holders<'a>, thin: &mut Thin<'a>, problems: &mut Problems) {
        let mut bodies: BTreeSet<&str> = BTreeSet::new();
        let signers = self.rule.signers.iter().enumerate();
        for (item, signer) in signers.filter(|(_, s)| s.count > 0) {
            let here = self.here.item(Some(item));
            match signer.role {
                Role::Tenant => {
                    self.tenants((signer.count, here), holders, (thin, problems));
                    bodies.insert("the tenant itself");
                }
                Role::Automation | Role::Gate | Role::Public | Role::Auditor => {
                    let message = format!(
                        "rule {} of the policy demands a signer of role `{}`, which may never \
                         sign an opening; name another role",
                        self.number, signer.role
                    );
                    problems.error("AN-LAN-029", message, [here]);
                }
                role => {
                    let have = holders.roles.get(&role).copied().unwrap_or(0);
                    if have < signer.count {
                        let message = format!(
                            "rule {} of the policy demands {} signers of role `{role}`, but only \
                             {have} people have it; name more people",
                            self.number, signer.count
                        );
                        problems.error("AN-LAN-029", message, [here]);
                    } else if have == signer.count {
                        thin.roles.insert((role, have));
                    }
                    bodies.extend(holders.bodies.get(&role).into_iter().flatten());
                }
            }
        }
        if (bodies.len() as u64) < u64::from(self.rule.organisations_min) {
            let message = format!(
                "rule {} of the policy demands signers of {} organisations, but its roles belong \
                 to {}; lower the number or add a role",
                self.number,
                self.rule.organisations_min,
                bodies.len()
            );
            let spots = [self.here.at("organisations_min"), self.here];
            problems.error("AN-LAN-029", message, spots);
        }
    }

    fn tenants(
        &self,
        (count, here): (u32, Spot),
        holders: &Holders<'a>,
        (thin, problems): (&mut Thin<'a>, &mut Problems),
    ) {
        if self.group.tenants.is_empty() {
            let message = format!(
                "rule {} of the policy demands a tenant's signature for cells that belong to no \
                 tenant; remove role `tenant` or name other kinds",
                self.number
            );
            problems.error("AN-LAN-029", message, [here]);
        }
        let have = |id: &TenantId| holders.approvers.get(id.as_str()).copied().unwrap_or(0);
        let tenants = self.group.tenants.iter().copied();
        let short: Vec<&TenantId> = tenants.clone().filter(|id| have(id) < count).collect();
        if !short.is_empty() {
            let message = format!(
                "rule {} of the policy demands {count} signers of the tenant, but these have fewer \
                 approvers: {}; add approvers",
                self.number,
                named(&short)
            );
            let who = short
                .iter()
                .map(|id| Spot::tenant(self.declared, id, "approvers"));
            let spots: Vec<Spot> = [here].into_iter().chain(who).collect();
            problems.error("AN-LAN-029", message, spots);
        }
        thin.tenants.extend(tenants.filter(|id| have(id) == count));
    }
}

/// Quorums with nobody to spare.
#[derive(Default)]
struct Thin<'a> {
    roles: BTreeSet<(Role, u32)>,
    tenants: BTreeSet<&'a TenantId>,
}

impl Thin<'_> {
    fn tell(self, declared: &Declared, problems: &mut Problems) {
        for (role, have) in self.roles {
            let message = format!(
                "role `{role}` has {have} people, exactly as many as must sign; name one more, or \
                 nothing opens when one is ill"
            );
            let people = declared.people.iter().enumerate();
            let holders = people.filter(|(_, person)| person.role == role);
            let spots = holders.map(|(index, _)| Spot::nth(List::People, index, "role"));
            problems.warn("AN-LAN-024", message, spots.collect::<Vec<_>>());
        }
        if !self.tenants.is_empty() {
            let message = format!(
                "tenants with exactly as many approvers as must sign: {}; ask them for a deputy, \
                 or nothing of theirs opens when one is ill",
                named(&self.tenants)
            );
            let tenants = self.tenants.iter();
            let spots = tenants.map(|id| Spot::tenant(declared, id, "approvers"));
            problems.warn("AN-LAN-024", message, spots.collect::<Vec<_>>());
        }
    }
}
