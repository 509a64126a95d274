//! What happens when in a drill: read from `story.toml` beside the landscape.
//!
//! In:    TOML text, the landscape. Out: [`Story`], or every name that the landscape does not know.
//! Never: an event the landscape cannot play.

use anlauf_model::{CellId, Landscape, Minutes, ServiceId, SiteId, TenantId, Text, Timestamp};
use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// Real services of which something rests in emergency operation.
const EMERGENCY: [&str; 2] = ["lichtbild", "og"];

/// A rehearsal, told in data. Days count from the first sign of the attack, with fraction.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What the story is about, for people.
    pub title: Text,
    /// The first sign of the attack, in story time.
    pub attack_at: Timestamp,
    /// Seed of every chance in the story.
    pub seed: u64,
    /// How long normal operation is played before the attack. Hours.
    pub normal_hours: f64,
    /// From the first sign to the containment. Minutes.
    pub contain_after_minutes: i64,
    /// Truth behind the estimates, hidden from the planner.
    pub truth: Truth,
    /// When forensics says how they came in and that the way is shut.
    pub entry_path_closed_day: f64,
    /// Sites held for forensics.
    #[serde(default)]
    pub hold: Vec<Hold>,
    /// When the incident is narrowed, and to which sites.
    pub narrow: Option<Narrow>,
    /// Windows that tenants decline.
    #[serde(default)]
    pub decline: Vec<Decline>,
    /// Acceptance tests that fail once.
    #[serde(default)]
    pub reject: Vec<Reject>,
    /// Orders that tenants wish for.
    #[serde(default)]
    pub wish: Vec<Wish>,
    /// The attack that comes back.
    pub second_attack: Option<SecondAttack>,
    /// When forged releases are slipped into the feed of the gates.
    pub forgery_day: Option<f64>,
    /// The services that run as real servers; without it every service is the drill's own.
    pub services: Option<Services>,
    /// How often the public hears. Hours.
    pub notice_every_hours: i64,
    /// How often the order is planned anew. Hours.
    pub replan_every_hours: i64,
    /// From the opening of a cell until its gap is worked off. Hours.
    pub catch_up_hours: i64,
}

/// The services of the founding case as real servers for every insurer that has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Services {
    /// Seed of the synthetic people.
    pub seed: u64,
    /// How many each insurer has. Four or more: the first two send no photo.
    pub insured: u32,
    /// Whose files the attacker harms.
    pub attacked: TenantId,
    /// How often insured people come while services are shut and open. Days.
    pub round_every_days: f64,
    /// How many insurers' people come each time, in turn.
    pub round_tenants: usize,
    /// Services that run in emergency operation when they come back, and for how long.
    #[serde(default)]
    pub emergency: Vec<Emergency>,
    /// Breaks one promise on purpose, so that it is seen that the drill notices.
    pub canary: Option<Canary>,
}

/// A service comes back in emergency operation first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Which: `lichtbild` (approvals wait) or `og` (reading only).
    pub service: ServiceId,
    /// From the opening of each insurer's cell. Days.
    pub days: f64,
}

/// Which promise is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Canary {
    /// The backup is not brought back.
    SkipRestore,
    /// A photo that was accepted is deleted before the end.
    LosePhoto,
    /// People find a way around the gates while everything is shut.
    ServeWhileClosed,
}

/// Truth behind the estimates.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Factor on all work of this incident, median.
    pub incident: f64,
    /// Spread between teams, standard deviation of the logarithm.
    pub team_sd: f64,
    /// Spread between tasks, standard deviation of the logarithm.
    pub task_sd: f64,
    /// Share of tasks that must be done again. 0 to 1.
    pub rework: f64,
}

/// A site held for forensics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Which.
    pub site: SiteId,
    /// Until this day.
    pub until_day: f64,
}

/// The incident is narrowed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Narrow {
    /// On this day.
    pub day: f64,
    /// To these sites.
    pub sites: Vec<SiteId>,
}

/// A tenant declines the first window for a cell.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decline {
    /// Which cell.
    pub cell: CellId,
    /// Why.
    pub reason: String,
    /// It takes a window from this many days later.
    pub later_days: f64,
}

/// A tenant's first acceptance test fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Which cell.
    pub cell: CellId,
    /// Why.
    pub reason: String,
}

/// A tenant wishes an order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Whose.
    pub tenant: TenantId,
    /// On this day.
    pub day: f64,
    /// Cells, most wanted first.
    pub order: Vec<CellId>,
    /// Why.
    pub reason: String,
}

/// The attack that comes back: an indicator in a cell that is open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondAttack {
    /// Which cell; it and its dependents are shut again.
    pub cell: CellId,
    /// On the first day from here on which it is open.
    pub day: f64,
    /// What was seen.
    pub reason: String,
}

impl Story {
    /// Reads a story and checks every name in it.
    ///
    /// # Errors
    /// TOML errors with their place; every name the landscape does not know.
    pub fn read(text: &str, landscape: &Landscape) -> Result<Self> {
        let story: Story = toml::from_str(text).context("cannot read `story.toml`")?;
        let unknown = story.unknown(landscape);
        if !unknown.is_empty() {
            bail!(
                "`story.toml` names what the landscape does not have: {}",
                unknown.join(", ")
            );
        }
        Ok(story)
    }

    /// How long normal operation is played.
    pub fn normal(&self) -> Minutes {
        Minutes((self.normal_hours * 60.0).round() as i64)
    }

    /// A day of the story as a point in time.
    pub fn day(&self, day: f64) -> Timestamp {
        self.attack_at + Minutes((day * 1440.0).round() as i64)
    }

    fn unknown(&self, landscape: &Landscape) -> Vec<String> {
        let cells = self.decline.iter().map(|d| &d.cell);
        let cells = cells.chain(self.reject.iter().map(|r| &r.cell));
        let cells = cells.chain(self.wish.iter().flat_map(|w| &w.order));
        let cells = cells.chain(self.second_attack.iter().map(|a| &a.cell));
        let cells = cells
            .filter(|c| landscape.cell(c).is_none())
            .map(|c| format!("cell `{c}`"));
        let sites = self.hold.iter().map(|h| &h.site);
        let sites = sites.chain(self.narrow.iter().flat_map(|n| &n.sites));
        let sites = sites
            .filter(|s| landscape.site(s).is_none())
            .map(|s| format!("site `{s}`"));
        let attacked = self.services.iter().map(|services| &services.attacked);
        let tenants = self.wish.iter().map(|w| &w.tenant).chain(attacked);
        let tenants = tenants
            .filter(|t| landscape.tenant(t).is_none())
            .map(|t| format!("tenant `{t}`"));
        let services = self
            .services
            .iter()
            .flat_map(|services| &services.emergency);
        let services = services.map(|emergency| &emergency.service);
        let services = services
            .filter(|s| {
                let declared = &landscape.declared().services;
                !EMERGENCY.contains(&s.as_str()) || !declared.iter().any(|one| one.id == **s)
            })
            .map(|s| format!("emergency operation of `{s}`"));
        cells.chain(sites).chain(tenants).chain(services).collect()
    }
}
