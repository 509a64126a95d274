//! Instances that look like a recovery: many tenants, few central teams.
//!
//! In:    tenants, services, a seed. Out: a [`Problem`], the same for the same three.
//! Never: an agreed slot that cannot be kept: slots lie around where a simple schedule puts them.
//! See:   docs/planner.md, "recovery-like instances".
//!
//! Shape, after the study in research/planner.md §3: five activities for each release (rebuild,
//! scan, credentials, function test, acceptance by the tenant's own desk), four for each shared
//! prerequisite, of which there are 6 + one for every eight tenants, at most 48. 328 activities at
//! 10 × 6, 10,064 at 80 × 25, 5,000,192 at 10,000 × 100.

use anlauf_scheduler::weighted::{Activity, Draft, Problem, Rule, Team, WEEK, best};
use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Lanes of a central team by day: fewest and most. Study §3.
const LANES: (f64, f64) = (2.0, 15.0);

/// Lanes that suit 2,000 releases, for each kind of team; they grow with a power of the releases.
const LANES_USUAL: [f64; KINDS] = [14.0, 14.0, 14.0, 12.5, 13.0, 13.0];

/// That power: a house with a quarter of the releases has half the lanes.
const LANES_POWER: f64 = 0.5;

/// Share of releases with an agreed slot. Study §3.
const SLOT_SHARE: f64 = 0.03;

/// Share of releases under a forensic hold. Study §3.
const HOLD_SHARE: f64 = 0.25;

/// Share of tenants that want their services one after another.
const SEQUENCE_SHARE: f64 = 0.4;

/// Services in a row at the most.
const SEQUENCE_LENGTH_MAX: usize = 6;

/// Tenants that one house looks after, with one set of central teams. More have several houses.
const HOUSE_TENANTS_MAX: usize = 80;

/// Tenants of each of several houses.
const HOUSE_TENANTS: usize = 20;

/// How large an instance is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Tenants.
    pub tenants: usize,
    /// Services of each.
    pub services: usize,
}

/// Steps of a release, and of a prerequisite without the last.
#[derive(Clone, Copy)]
enum Step {
    Rebuild,
    Scan,
    Credentials,
    Test,
    Acceptance,
}

/// Who does a step: a house's team, or a tenant's desk.
#[derive(Clone, Copy)]
struct Place {
    pool: usize,
    /// Number of the service, prerequisite or tenant.
    of: usize,
}

const STEPS: [Step; 5] = [
    Step::Rebuild,
    Step::Scan,
    Step::Credentials,
    Step::Test,
    Step::Acceptance,
];

/// Kinds of central teams: two that rebuild, one that scans, one for credentials, two that test.
const KINDS: usize = 6;

struct Generator {
    size: Size,
    chance: Xoshiro256PlusPlus,
    draft: Draft,
    pools: usize,
    /// Weight of each tenant.
    tenants: Vec<f64>,
    /// Harm of each service.
    services: Vec<f64>,
    /// Last activity of each shared prerequisite.
    shared: Vec<u32>,
}

impl std::fmt::Display for Size {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}x{}", self.tenants, self.services)
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            part.parse()
                .ok()
                .filter(|count| (1..=100_000).contains(count))
        };
        let parts = text.split_once('x').map(|(t, s)| (number(t), number(s)));
        match parts {
            Some((Some(tenants), Some(services))) => Ok(Self { tenants, services }),
            _ => Err(format!(
                "`{text}` is no size; write tenants x services, as in 80x25"
            )),
        }
    }
}

/// Position of the first house's team that scans.
pub const SCANNING: u32 = 2;

/// Makes an instance.
pub fn instance(size: Size, seed: u64) -> Result<Problem> {
    Ok(draft(size, seed)?.finish()?)
}

/// The instance as a draft, so that an event can change it.
pub fn draft(size: Size, seed: u64) -> Result<Draft> {
    let draft = Generator::new(size, seed).drafted();
    let free = draft.clone().finish()?;
    let plan = best(&free, [Rule::Density].into_iter())?;
    Ok(with_slots(draft, &free, &plan.start, seed))
}

/// How many teams are not desks; they come first.
pub fn central_teams(size: Size) -> usize {
    houses(size) * KINDS
}

fn houses(size: Size) -> usize {
    match size.tenants {
        ..=HOUSE_TENANTS_MAX => 1,
        more => more.div_ceil(HOUSE_TENANTS),
    }
}

/// Agrees a day around the reference end of some releases.
fn with_slots(mut draft: Draft, free: &Problem, start: &[u32], seed: u64) -> Draft {
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(!seed);
    for job in 0..free.job_count() {
        let last = free.job(job).end - 1;
        if free.activity(last).weight > 0 && chance.random_bool(SLOT_SHARE) {
            let lead = chance.random_range(0..=12_u32);
            let from = start[last].saturating_sub(lead);
            draft.agree(last as u32, from, from + 24 + free.activity(last).hours);
        }
    }
    draft
}

impl Generator {
    fn new(size: Size, seed: u64) -> Self {
        Self {
            size,
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
            draft: Draft::default(),
            pools: houses(size),
            tenants: Vec::new(),
            services: Vec::new(),
            shared: Vec::new(),
        }
    }

    fn drafted(mut self) -> Draft {
        let insured = log_normal(3.0, 1.0);
        let harm = log_normal(1.5, 0.9);
        self.tenants = (0..self.size.tenants)
            .map(|_| insured.sample(&mut self.chance))
            .collect();
        self.services = (0..self.size.services)
            .map(|_| harm.sample(&mut self.chance))
            .collect();
        // Their lanes follow from the work, which is known at the end.
        for _ in 0..self.pools * KINDS {
            self.draft.add_team(Team::steady(1));
        }
        for _ in 0..self.size.tenants {
            let lanes = self.chance.random_range(2..=4);
            self.draft.add_team(week(lanes, 0));
        }
        self.add_shared();
        for tenant in 0..self.size.tenants {
            self.add_tenant(tenant);
        }
        self.staffed()
    }

    fn add_shared(&mut self) {
        let count = (6 + self.size.tenants / 8).min(48);
        for number in 0..count {
            self.draft.begin_job();
            let pool = number % self.pools;
            let mut before = None;
            for step in &STEPS[..4] {
                let at = self.add(*step, Place { pool, of: number }, 0, 0);
                before.inspect(|before| self.draft.add_edge(*before, at));
                before = Some(at);
            }
            // The first are the ground the others stand on.
            let ground = self.chance.random_range(0..3_usize);
            if let (3.., Some(first)) = (number, before) {
                self.draft.add_edge(self.shared[ground], first - 3);
            }
            self.shared.extend(before);
        }
    }

    fn add_tenant(&mut self, tenant: usize) {
        let is_in_sequence = self.chance.random_bool(SEQUENCE_SHARE);
        let mut in_row = 0;
        let mut before: Option<u32> = None;
        for service in 0..self.size.services {
            let last = self.add_release(tenant, service);
            if let (true, Some(before)) = (is_in_sequence, before) {
                self.draft.add_edge(before, last - 4);
            }
            in_row = (in_row + 1) % SEQUENCE_LENGTH_MAX;
            before = if in_row == 0 { None } else { Some(last) };
        }
    }

    fn add_release(&mut self, tenant: usize, service: usize) -> u32 {
        self.draft.begin_job();
        let pool = tenant % self.pools;
        let is_held = self.chance.random_bool(HOLD_SHARE);
        let hold = if is_held {
            self.chance.random_range(24..=336_u32)
        } else {
            0
        };
        let noise = log_normal(0.0, 0.5).sample(&mut self.chance);
        let weight = self.tenants[tenant] * self.services[service] * noise;
        let weight = (weight.round() as u32).clamp(1, 100_000);
        let mut last = 0;
        for (number, step) in STEPS.into_iter().enumerate() {
            let of = match step {
                Step::Acceptance => tenant,
                _ => service,
            };
            let release = if number == 0 { hold } else { 0 };
            let weight = if number == 4 { weight } else { 0 };
            let at = self.add(step, Place { pool, of }, release, weight);
            if number == 0 {
                self.add_needs(at, service);
            } else {
                self.draft.add_edge(last, at);
            }
            last = at;
        }
        last
    }

    /// A release waits for one or two shared prerequisites, the same for all of a service.
    fn add_needs(&mut self, at: u32, service: usize) {
        let count = self.shared.len();
        self.draft.add_edge(self.shared[service % count], at);
        if service % 2 == 1 {
            self.draft
                .add_edge(self.shared[(service * 7 + 3) % count], at);
        }
    }

    fn add(&mut self, step: Step, place: Place, release: u32, weight: u32) -> u32 {
        let Place { pool, of } = place;
        let hours = match step {
            Step::Rebuild => 2..=10,
            Step::Scan => 1..=5,
            Step::Credentials => 1..=4,
            Step::Test => 1..=9,
            Step::Acceptance => 2..=6_u32,
        };
        let hours = self.chance.random_range(hours);
        let kind = match step {
            Step::Rebuild => of % 2,
            Step::Scan => 2,
            Step::Credentials => 3,
            Step::Test => 4 + of / 2 % 2,
            Step::Acceptance => {
                let team = (self.pools * KINDS + of) as u32;
                return self.draft.add(Activity {
                    hours,
                    team,
                    release,
                    weight,
                });
            }
        };
        let team = pool * KINDS + kind;
        self.draft.add(Activity {
            hours,
            team: team as u32,
            release,
            weight,
        })
    }

    /// Gives the central teams the lanes their work asks for, more or less.
    fn staffed(mut self) -> Draft {
        for team in 0..self.pools * KINDS {
            let releases = (self.size.tenants * self.size.services) as f64 / self.pools as f64;
            let size = (releases / 2_000.0).powf(LANES_POWER).min(1.0);
            let usual = LANES_USUAL[team % KINDS] * size * self.chance.random_range(0.85..1.15);
            let lanes = usual.round().clamp(LANES.0, LANES.1);
            let night = (self.chance.random_range(0.2..0.6) * lanes).max(1.0);
            self.draft
                .set_team(team as u32, week(lanes as u8, night as u8));
        }
        self.draft
    }
}

/// Day from 8 to 18, night else; no work in the freeze from Sunday 20 to Monday 4.
fn week(day: u8, night: u8) -> Team {
    let mut week = [night; WEEK];
    for (hour, lanes) in week.iter_mut().enumerate() {
        if (8..18).contains(&(hour % 24)) {
            *lanes = day;
        }
        if !(4..164).contains(&hour) {
            *lanes = 0;
        }
    }
    Team {
        week,
        changes: Vec::new(),
    }
}

fn log_normal(mu: f64, sigma: f64) -> LogNormal<f64> {
    LogNormal::new(mu, sigma).expect("sigma is a number above zero")
}
