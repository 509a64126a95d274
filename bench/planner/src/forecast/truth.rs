//! How long work really takes in a made-up incident.
//!
//! In:    a family of noise, a seed. Out: minutes per task.
//! Never: known to the forecast.

use std::collections::BTreeMap;

use anlauf_model::{Landscape, TeamId};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal, StudentT};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A family of noise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Log-normal factors of incident, team and task, rework, teams that drift a little: as the
    /// forecast believes.
    Known,
    /// Noise of a task with three degrees of freedom; rework takes up to twice the work.
    Tails,
    /// One day teams become slower or faster, each by itself; and work under load takes longer.
    Regime,
}

/// What is hidden.
#[derive(Clone)]
pub struct Truth {
    family: Family,
    incident: f64,
    /// Per team, before and after the change; none are the testers.
    crews: BTreeMap<Option<TeamId>, [f64; 2]>,
    /// When teams change. Minutes after the beginning.
    change: i64,
    chance: Xoshiro256PlusPlus,
}

impl Family {
    /// For the table.
    pub fn name(self) -> &'static str {
        match self {
            Family::Known => "known",
            Family::Tails => "t-tails",
            Family::Regime => "regime and load",
        }
    }
}

impl Truth {
    /// One world.
    pub fn new(family: Family, seed: u64, landscape: &Landscape) -> Self {
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x005e_ed0f_a1ab_u64);
        let mut normal = |sd: f64| -> f64 {
            let z: f64 = StandardNormal.sample(&mut chance);
            sd * z
        };
        let incident = match family {
            Family::Known => 0.1 + normal(0.4),
            _ => 0.15 + normal(0.35),
        };
        let teams = landscape.declared().teams.iter();
        let teams = teams.map(|team| Some(team.id.clone())).chain([None]);
        let shift = match family {
            Family::Known => 0.15,
            Family::Tails => 0.0,
            Family::Regime => 0.3,
        };
        let crews = teams
            .map(|team| {
                let before = normal(0.22);
                (team, [before, before + normal(shift)])
            })
            .collect();
        let change = chance.random_range(4..30) * 1_440;
        Self {
            family,
            incident,
            crews,
            change,
            chance,
        }
    }

    /// The same incident and teams with other chances of each task.
    pub fn again(&self, seed: u64) -> Self {
        Self {
            chance: Xoshiro256PlusPlus::seed_from_u64(seed),
            ..self.clone()
        }
    }

    /// Minutes of work of a task that begins at a minute, while `waiting` others wait per lane.
    pub fn length(
        &mut self,
        team: Option<&TeamId>,
        estimate: i64,
        (minute, waiting): (i64, f64),
    ) -> i64 {
        let crew = self.crews.get(&team.cloned()).copied().unwrap_or_default();
        let crew = crew[usize::from(minute >= self.change)];
        let normal: f64 = StandardNormal.sample(&mut self.chance);
        let (noise, load) = match self.family {
            Family::Known => (0.45 * normal, 0.0),
            Family::Tails => {
                let tailed = StudentT::new(3.0_f64).map_or(0.0, |t| t.sample(&mut self.chance));
                ((0.3 * tailed).clamp(-2.5, 2.5), 0.0)
            }
            Family::Regime => (0.35 * normal, 0.25 * (waiting / 4.0).min(1.0) - 0.1),
        };
        let again = match (self.chance.random_bool(0.07), self.family) {
            (true, Family::Tails) => self.chance.random_range(1.5..3.0),
            (true, _) => self.chance.random_range(1.3..2.0),
            (false, _) => 1.0,
        };
        let factor = (self.incident + crew + noise + load).exp() * again;
        ((estimate as f64 * factor).round() as i64).max(1)
    }
}
