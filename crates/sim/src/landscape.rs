//! A small landscape out of a number: a few tenants, a handful of services, everyone who may sign.
//!
//! In:    how many tenants. Out: a [`Declared`] landscape without errors.
//! Never: depends on anything but its arguments.

use anlauf_model::landscape::{
    CellKind, Class, Declared, FreshnessRule, Offer, Organisation, Person, PolicyRule, Protection,
    Service, ServiceScope, SignerCount, Site, Stale, Team, Tenant, Work,
};
use anlauf_model::{FindingKind, Minutes, OrganisationId, Role, ServiceId, Stage, TaskKind, Text};

/// How long cells of class A stay open without fresh word.
pub const FRESH_MINUTES_MAX: Minutes = Minutes(120);

/// What gates must do without fresh word: the highest class shuts, the next is held with an alarm.
pub fn freshness() -> Vec<FreshnessRule> {
    let minutes = u32::try_from(FRESH_MINUTES_MAX.0).expect("a few hours");
    let rule = |class, minutes_max, stale| FreshnessRule {
        class,
        minutes_max,
        stale,
    };
    vec![
        rule(Class::A, minutes, Stale::Close),
        rule(Class::B, 2 * minutes, Stale::Hold),
    ]
}

/// Parses an id that this file itself wrote.
fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("ids in this file are legal")
}

fn text(word: &str) -> Text {
    let (de, en) = (word.to_owned(), word.to_owned());
    Text { de, en }
}

/// The provider's own people and the outside ones: id, organisation, role.
const PEOPLE: [(&str, &str, Role); 10] = [
    ("op-1", "provider", Role::Operator),
    ("op-2", "provider", Role::Operator),
    ("sec-1", "provider", Role::Security),
    ("sec-2", "provider", Role::Security),
    ("own-1", "provider", Role::Owner),
    ("own-2", "provider", Role::Owner),
    ("for-1", "spurlab", Role::Forensics),
    ("for-2", "spurlab", Role::Forensics),
    ("auto-1", "provider", Role::Automation),
    ("aud-1", "spurlab", Role::Auditor),
];

/// A landscape with this many tenants.
pub fn landscape(tenant_count: u32) -> Declared {
    let tenants: Vec<Tenant> = (1..=tenant_count).map(tenant).collect();
    let offer = |tenant: &Tenant, service: &str| Offer {
        tenant: tenant.id.clone(),
        service: id(service),
        count: 1,
    };
    let offers = tenants
        .iter()
        .flat_map(|tenant| ["mail", "app", "record"].map(|service| offer(tenant, service)));
    Declared {
        id: id("sim"),
        title: text("sim"),
        time_zone: "UTC".into(),
        provider: id("provider"),
        sites: ["site-a", "site-b"].map(site).to_vec(),
        organisations: vec![Organisation {
            id: id("spurlab"),
            name: text("spurlab"),
        }],
        teams: vec![team("crew"), team("forensics")],
        services: services(),
        offers: offers.collect(),
        tenants,
        people: PEOPLE.map(person).to_vec(),
        work: work(),
        freezes: Vec::new(),
        deadlines: Vec::new(),
        freshness: Vec::new(),
        objective: Default::default(),
        policy: policy(),
    }
}

fn site(name: &str) -> Site {
    Site {
        id: id(name),
        name: text(name),
        work_per_mille: Default::default(),
    }
}

fn team(name: &str) -> Team {
    Team {
        id: id(name),
        name: text(name),
        lanes: 4,
        hour_from: 0,
        hour_to: 24,
        days: Vec::new(),
    }
}

fn person((name, organisation, role): (&str, &str, Role)) -> Person {
    let organisation: OrganisationId = id(organisation);
    Person {
        id: id(name),
        name: name.into(),
        organisation,
        role,
    }
}

fn tenant(number: u32) -> Tenant {
    Tenant {
        id: id(&format!("tenant-{number}")),
        name: format!("Tenant {number}"),
        size: "M".into(),
        insured: 1_000 * u64::from(number),
        site: id(if number % 2 == 1 { "site-a" } else { "site-b" }),
        approvers: 2,
    }
}

fn services() -> Vec<Service> {
    let mut net = service("net", ServiceScope::Site, Protection::High, &[]);
    let mut directory = service(
        "directory",
        ServiceScope::Foundation,
        Protection::VeryHigh,
        &["net"],
    );
    let mut mail = service(
        "mail",
        ServiceScope::Shared,
        Protection::High,
        &["net", "directory"],
    );
    let mut app = service(
        "app",
        ServiceScope::Tenant,
        Protection::Normal,
        &["directory"],
    );
    let mut record = service(
        "record",
        ServiceScope::Tenant,
        Protection::VeryHigh,
        &["net", "directory", "mail"],
    );
    (net.mta_hours, net.rto_hours) = (24, 12);
    (directory.mta_hours, directory.rto_hours) = (48, 24);
    (mail.mta_hours, mail.rto_hours) = (72, 48);
    directory.home = Some(id("site-b"));
    mail.home = Some(id("site-a"));
    app.stages = vec![Stage::Basic, Stage::Full];
    app.basic = vec!["GET /".into()];
    record.stages = vec![Stage::Pilot, Stage::Full];
    vec![net, directory, mail, app, record]
}

fn service(name: &str, scope: ServiceScope, need: Protection, needs: &[&str]) -> Service {
    Service {
        id: id(name),
        name: text(name),
        scope,
        custom: false,
        emergency_for: None,
        work_per_mille: 1000,
        confidentiality: need,
        integrity: Protection::Normal,
        availability: Protection::Normal,
        mta_hours: 168,
        rto_hours: 120,
        needs: needs.iter().map(|need| id::<ServiceId>(need)).collect(),
        team: id("crew"),
        rank: 5,
        after: Vec::new(),
        home: None,
        stages: vec![Stage::Full],
        basic: Vec::new(),
        path: None,
        upstream: None,
    }
}

fn work() -> Vec<Work> {
    use TaskKind::{Acceptance, Decision, Evidence, FunctionTest, Rebuild, Scan};
    let steps: [(CellKind, &[TaskKind]); 4] = [
        (CellKind::Foundation, &[Evidence, Rebuild, Decision]),
        (CellKind::Shared, &[Evidence, Rebuild, Scan, Decision]),
        (CellKind::Switch, &[FunctionTest, Decision]),
        (CellKind::Tenant, &[Evidence, Scan, Acceptance, Decision]),
    ];
    let line = |kind: CellKind, task: &TaskKind| Work {
        kind,
        task: *task,
        team: (*task == Evidence).then(|| id("forensics")),
        optimistic: 1.0,
        likely: 2.0,
        pessimistic: 6.0,
    };
    steps
        .iter()
        .flat_map(|(kind, tasks)| tasks.iter().map(|task| line(*kind, task)))
        .collect()
}

fn policy() -> Vec<PolicyRule> {
    use FindingKind::{
        BackupClean, EntryPathClosed, ForensicsVerdict, FunctionTested, ScanClean, TenantAccepted,
    };
    let ground = [CellKind::Foundation, CellKind::Shared];
    let base = [ForensicsVerdict, BackupClean, EntryPathClosed];
    let three = [(Role::Security, 1), (Role::Owner, 1), (Role::Forensics, 1)];
    let own = [(Role::Security, 1), (Role::Tenant, 1)];
    let mut rules = Vec::new();
    for class in [Class::A, Class::B] {
        rules.push(rule(class, &ground, &base, &three));
    }
    rules.push(rule(Class::B, &[CellKind::Switch], &[FunctionTested], &own));
    let mut testers = rule(
        Class::A,
        &[CellKind::Tenant],
        &[ForensicsVerdict, ScanClean],
        &own,
    );
    testers.stages = vec![Stage::CleanRoom, Stage::Pilot];
    rules.push(testers);
    let full = [(Role::Security, 2), (Role::Owner, 1), (Role::Tenant, 1)];
    let tested = [ForensicsVerdict, ScanClean, TenantAccepted];
    rules.push(rule(Class::A, &[CellKind::Tenant], &tested, &full));
    rules.push(rule(Class::C, &[], &[ScanClean, TenantAccepted], &own));
    rules
}

fn rule(
    class: Class,
    kinds: &[CellKind],
    findings: &[FindingKind],
    signers: &[(Role, u32)],
) -> PolicyRule {
    PolicyRule {
        class,
        kinds: kinds.to_vec(),
        stages: Vec::new(),
        findings: findings.to_vec(),
        signers: signers
            .iter()
            .map(|(role, count)| SignerCount {
                role: *role,
                count: *count,
            })
            .collect(),
        organisations_min: 2,
        origins_min: 0,
    }
}
