//! Tiny landscapes and how far they are, told in lines of text.
//!
//! ```text
//! zone Europe/Berlin                     began 2026-03-02T00:00:00Z      now 30
//! site rz [per-mille]                    team crew LANES FROM-TO [1,2,3]
//! service mail SCOPE TEAM [needs=a,b] [after=c] [mta=24] [rank=1] [emergency=post] [share=200]
//! tenant oak INSURED SITE                work KIND TASK TEAM|- HOURS
//! freeze FROM-DAY TO-DAY [SITE]          hold SITE HOURS
//! deadline SERVICE MONTH-DAY HOUR        objective FAIRNESS BASIC        stage oak/mail basic
//! slot oak/mail FROM TO                  wish oak oak/x,oak/y
//! done oak/mail rebuild FROM TO          running oak/mail rebuild FROM
//! open oak/mail                          lanes crew 2
//! ```
//! Hours count from the beginning of the incident. Every tenant has every tenant's and shared
//! service.

use std::collections::BTreeMap;
use std::path::Path;

use anlauf_model::landscape::{
    Class, Declared, Freeze, Offer, PolicyRule, Protection, Service, ServiceScope, SignerCount,
    Site, Team, Tenant, Work, WorkShare, source,
};
use anlauf_model::{
    CellId, CellKind, Landscape, Minutes, Role, SiteId, Slot, Stage, TaskKind, TeamId, TenantId,
    Text, Timestamp,
};
use anlauf_planner::{CellProgress, Situation, TaskProgress};

/// A landscape and how far it is.
pub struct World {
    pub landscape: Landscape,
    pub now: Timestamp,
    pub began: Timestamp,
    pub progress: BTreeMap<CellId, CellProgress>,
    pub slots: BTreeMap<CellId, Slot>,
    pub wishes: BTreeMap<TenantId, Vec<CellId>>,
    pub holds: BTreeMap<SiteId, Timestamp>,
    pub lanes: BTreeMap<TeamId, u32>,
}

impl World {
    /// Reads a story.
    pub fn told(text: &str) -> Self {
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        let mut declared = blank();
        let mut world = Self::new(blank_landscape());
        for line in &lines {
            if !declare(&mut declared, line) {
                world.set(line);
            }
        }
        offer_all(&mut declared);
        world.landscape = Landscape::new(declared).unwrap_or_else(|p| panic!("{p:#?}\n{text}"));
        world
    }

    /// Nothing has happened yet.
    pub fn new(landscape: Landscape) -> Self {
        let began = "2026-03-02T00:00:00Z".parse().unwrap();
        Self {
            landscape,
            now: began,
            began,
            progress: BTreeMap::new(),
            slots: BTreeMap::new(),
            wishes: BTreeMap::new(),
            holds: BTreeMap::new(),
            lanes: BTreeMap::new(),
        }
    }

    /// One that is shipped.
    pub fn shipped(name: &str) -> Self {
        Self::new(Landscape::new(shipped(name)).unwrap())
    }

    pub fn situation(&self) -> Situation<'_> {
        Situation {
            landscape: &self.landscape,
            now: self.now,
            began: self.began,
            progress: self.progress.clone(),
            slots: self.slots.clone(),
            wishes: self.wishes.clone(),
            holds: self.holds.clone(),
            lanes: self.lanes.clone(),
        }
    }

    /// A time so many hours after the beginning.
    pub fn hour(&self, hours: f64) -> Timestamp {
        self.began + Minutes((hours * 60.0).round() as i64)
    }

    fn at(&self, word: &str) -> Timestamp {
        self.hour(
            word.parse()
                .unwrap_or_else(|_| panic!("`{word}` is no number of hours")),
        )
    }

    fn set(&mut self, line: &[&str]) {
        match line {
            [] => {}
            ["began", at] => (self.began, self.now) = (at.parse().unwrap(), at.parse().unwrap()),
            ["now", at] => self.now = self.at(at),
            ["hold", site, at] => {
                self.holds.insert(site.parse().unwrap(), self.at(at));
            }
            ["slot", id, from, to] => {
                let slot = Slot {
                    from: self.at(from),
                    to: self.at(to),
                };
                self.slots.insert(cell(id), slot);
            }
            ["wish", tenant, order] => {
                let order = order.split(',').map(cell).collect();
                self.wishes.insert(tenant.parse().unwrap(), order);
            }
            ["done", id, task, from, to] => {
                let (started, finished) = (self.at(from), self.at(to));
                self.task(id, task, TaskProgress::Done { started, finished });
            }
            ["running", id, task, from] => {
                let started = self.at(from);
                self.task(id, task, TaskProgress::Running { started });
            }
            ["open", id] => {
                let progress = self.progress.entry(cell(id)).or_default();
                progress.stage = Stage::Full;
                progress.done = true;
            }
            ["stage", id, "basic"] => {
                self.progress.entry(cell(id)).or_default().stage = Stage::Basic;
            }
            ["lanes", team, count] => {
                self.lanes
                    .insert(team.parse().unwrap(), count.parse().unwrap());
            }
            other => panic!("this line says nothing: {other:?}"),
        }
    }

    fn task(&mut self, id: &str, task: &str, how: TaskProgress) {
        self.progress
            .entry(cell(id))
            .or_default()
            .tasks
            .insert(kind(task), how);
    }
}

pub fn cell(text: &str) -> CellId {
    text.parse().unwrap()
}

fn kind(word: &str) -> TaskKind {
    TaskKind::ALL
        .into_iter()
        .find(|kind| kind.word() == word)
        .unwrap()
}

fn text(word: &str) -> Text {
    Text {
        de: word.into(),
        en: word.into(),
    }
}

/// Reads a shipped landscape from disk.
pub fn shipped(name: &str) -> Declared {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../landscapes")
        .join(name);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the landscape is part of the repository") {
        let entry = entry.unwrap();
        files.insert(
            entry.file_name().into_string().unwrap(),
            std::fs::read(entry.path()).unwrap(),
        );
    }
    source::read(&files).unwrap_or_else(|errors| panic!("{name} has {} errors", errors.len()))
}

/// A house without teams, services and tenants; its people are those of the municipal one.
fn blank() -> Declared {
    let mut declared = shipped("kommunen");
    let signer = |role| SignerCount { role, count: 1 };
    declared.time_zone = "UTC".into();
    declared.sites.clear();
    declared.teams.clear();
    declared.services.clear();
    declared.tenants.clear();
    declared.offers.clear();
    declared.work.clear();
    declared.freezes.clear();
    declared.people.retain(|person| person.role != Role::Tenant);
    declared.policy = vec![PolicyRule {
        class: Class::C,
        kinds: Vec::new(),
        stages: Vec::new(),
        findings: Vec::new(),
        signers: vec![signer(Role::Security), signer(Role::Owner)],
        organisations_min: 1,
        origins_min: 0,
    }];
    declared
}

fn blank_landscape() -> Landscape {
    Landscape::new(shipped("kommunen")).unwrap()
}

/// Whether the line was one of the landscape.
fn declare(declared: &mut Declared, line: &[&str]) -> bool {
    match line {
        ["zone", zone] => declared.time_zone = (*zone).into(),
        ["site", id, rest @ ..] => declared.sites.push(site(id, rest)),
        ["team", id, lanes, hours, rest @ ..] => {
            declared.teams.push(team(id, lanes, hours, rest));
        }
        ["service", id, scope, team, rest @ ..] => {
            let home = declared.sites.first().map(|site| site.id.clone());
            declared
                .services
                .push(service(id, scope, team, (home, rest)));
        }
        ["tenant", id, insured, site] => declared.tenants.push(Tenant {
            id: id.parse().unwrap(),
            name: (*id).into(),
            size: "S".into(),
            insured: insured.parse().unwrap(),
            site: site.parse().unwrap(),
            approvers: 2,
        }),
        ["work", of, task, team, hours] => {
            let hours = hours.parse().unwrap();
            declared.work.push(Work {
                kind: cell_kind(of),
                task: kind(task),
                team: (*team != "-").then(|| team.parse().unwrap()),
                optimistic: hours,
                likely: hours,
                pessimistic: hours,
            });
        }
        ["deadline", service, day, hour] => {
            declared.deadlines.push(anlauf_model::landscape::Deadline {
                reason: text("deadline"),
                services: vec![service.parse().unwrap()],
                month_day: day.parse().unwrap(),
                hour: hour.parse().unwrap(),
            });
        }
        ["objective", fairness, basic] => {
            declared.objective = anlauf_model::landscape::Objective {
                fairness_per_mille: fairness.parse().unwrap(),
                basic_per_mille: basic.parse().unwrap(),
            };
        }
        ["freeze", from, to, sites @ ..] => declared.freezes.push(Freeze {
            reason: text("freeze"),
            from_day: from.parse().unwrap(),
            to_day: to.parse().unwrap(),
            sites: sites.iter().map(|site| site.parse().unwrap()).collect(),
        }),
        _ => return false,
    }
    true
}

fn site(id: &str, rest: &[&str]) -> Site {
    let share = rest.first().map_or(1000, |share| share.parse().unwrap());
    let work_per_mille = WorkShare {
        foundation: share,
        shared: share,
        tenant: share,
    };
    Site {
        id: id.parse().unwrap(),
        name: text(id),
        work_per_mille,
    }
}

fn team(id: &str, lanes: &str, hours: &str, rest: &[&str]) -> Team {
    let (from, to) = hours.split_once('-').unwrap();
    Team {
        id: id.parse().unwrap(),
        name: text(id),
        lanes: lanes.parse().unwrap(),
        hour_from: from.parse().unwrap(),
        hour_to: to.parse().unwrap(),
        days: rest
            .iter()
            .flat_map(|days| days.split(','))
            .map(|d| d.parse().unwrap())
            .collect(),
    }
}

fn service(id: &str, scope: &str, team: &str, how: (Option<SiteId>, &[&str])) -> Service {
    let scope = match scope {
        "foundation" => ServiceScope::Foundation,
        "site" => ServiceScope::Site,
        "shared" => ServiceScope::Shared,
        "tenant" => ServiceScope::Tenant,
        other => panic!("no scope is called {other}"),
    };
    let single = matches!(scope, ServiceScope::Foundation | ServiceScope::Shared);
    let (home, words) = how;
    let word = |key: &str| {
        let found = words
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    let list = |key: &str| {
        let found = word(key).unwrap_or_default();
        let names = found.split(',').filter(|name| !name.is_empty());
        names.map(|name| name.parse().unwrap()).collect()
    };
    Service {
        id: id.parse().unwrap(),
        name: text(id),
        scope,
        custom: false,
        emergency_for: word("emergency").map(|name| name.parse().unwrap()),
        work_per_mille: word("share").map_or(1000, |share| share.parse().unwrap()),
        confidentiality: Protection::Normal,
        integrity: Protection::Normal,
        availability: Protection::Normal,
        mta_hours: word("mta").map_or(100, |hours| hours.parse().unwrap()),
        rto_hours: 1,
        needs: list("needs"),
        team: team.parse().unwrap(),
        rank: word("rank").map_or(5, |rank| rank.parse().unwrap()),
        after: list("after"),
        home: home.filter(|_| single),
        stages: vec![Stage::Full],
        basic: Vec::new(),
        path: None,
        upstream: None,
    }
}

fn cell_kind(word: &str) -> CellKind {
    match word {
        "foundation" => CellKind::Foundation,
        "shared" => CellKind::Shared,
        "switch" => CellKind::Switch,
        "tenant" => CellKind::Tenant,
        other => panic!("no kind of cell is called {other}"),
    }
}

fn offer_all(declared: &mut Declared) {
    let tenants = declared.tenants.iter();
    let offered: Vec<_> = declared
        .services
        .iter()
        .filter(|s| matches!(s.scope, ServiceScope::Tenant | ServiceScope::Shared))
        .map(|s| s.id.clone())
        .collect();
    let offers = tenants.flat_map(|tenant| {
        let offer = |service: &anlauf_model::ServiceId| Offer {
            tenant: tenant.id.clone(),
            service: service.clone(),
            count: 1,
        };
        offered.iter().map(offer).collect::<Vec<_>>()
    });
    declared.offers = offers.collect();
}
