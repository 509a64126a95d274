//! One way it could go: minutes of work for every task.
//!
//! In:    what was [`Learned`], a seed, the number of the sample.
//! Out:   minutes of work per task, minutes of handover.
//! Never: depends on other samples; a thin tail.

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal, StudentT};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::calendar::{Minute, Work};
use crate::learn::{Belief, Learned};
use crate::network::{Crew, Network, Task};
use crate::{normal, rework};

/// Freedom of the noise of a task: heavy tails (research/planner.md §5: one project in six runs
/// over by half and more), scaled to the learned spread.
const FREEDOM: f64 = 5.0;

/// How far the incident's factor may move from now on against what was learned so far.
const DRIFT_SD: f64 = 0.1;

/// How far each crew's own factor may move besides.
const CREW_DRIFT_SD: f64 = 0.15;

/// A task that has used up its time needs this share of it still, at least.
const OVERDUE_SHARE: f64 = 0.1;

/// How often a length is drawn anew until it is longer than what the task has taken already.
const DRAWS_MAX: u32 = 12;

/// Longest a single task is thought to take. Estimates; e³ ≈ 20 times.
const LOGARITHM_MAX: f64 = 3.0;

/// Draws samples.
pub(crate) struct Sampler<'n, 'a> {
    network: &'n Network<'a>,
    learned: Learned<'a>,
    /// Noise of a task, before its spread.
    noise: StudentT<f64>,
    count: u32,
}

impl<'n, 'a> Sampler<'n, 'a> {
    /// Prepares so many samples.
    pub fn new(network: &'n Network<'a>, learned: Learned<'a>, count: u32) -> Self {
        Self {
            network,
            learned,
            noise: StudentT::new(FREEDOM).expect("the freedom is above 0"),
            count,
        }
    }

    /// Minutes of work of every task in one sample, and of handover.
    pub fn works(&self, seed: u64, number: u32) -> (Vec<Work>, Minute) {
        /// Steps between the seeds of samples: odd, without a pattern (2^64 / golden ratio).
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let own = seed.wrapping_add(u64::from(number).wrapping_mul(STEP));
        let mut chance = Xoshiro256PlusPlus::seed_from_u64(own);
        let (incident, drift) = self.incident(number, &mut chance);
        // All tenants' testers share one factor, as they do in what was learned.
        let testers = draw(self.learned.crew(None, incident), &mut chance);
        let crew = |crew: &Crew<'_>, chance: &mut Xoshiro256PlusPlus| match crew.team {
            Some(team) => {
                let moved: f64 = StandardNormal.sample(chance);
                draw(self.learned.crew(Some(team), incident), chance) + CREW_DRIFT_SD * moved
            }
            None => testers,
        };
        let crews: Vec<f64> = self
            .network
            .crews
            .iter()
            .map(|c| incident + drift + crew(c, &mut chance))
            .collect();
        let tasks = self.network.tasks.iter();
        let works = tasks.map(|task| self.work(task, crews[task.crew], &mut chance));
        (works.collect(), self.learned.handover)
    }

    /// The incident's factor so far, and how far it moves from now on. Samples share out both
    /// distributions evenly, so that few of them tell as much of the tails as many drawn at will.
    fn incident(&self, number: u32, chance: &mut Xoshiro256PlusPlus) -> (f64, f64) {
        /// Spreads numbers over 0 … 1 evenly, in another order than they come (golden ratio).
        const TURN: f64 = 0.618_033_988_749_895;
        let count = f64::from(self.count.max(1));
        let within: f64 = chance.random();
        let share = (f64::from(number) + within) / count;
        let turned = (f64::from(number) * TURN + within / count).fract();
        let belief = self.learned.incident;
        (
            belief.mean + belief.sd * normal::quantile(share),
            DRIFT_SD * normal::quantile(turned),
        )
    }

    /// Minutes of work still to do. A running task takes longer than it has taken.
    fn work(&self, task: &Task, crew: f64, chance: &mut Xoshiro256PlusPlus) -> Work {
        let estimate = task.estimate.mean().0 as f64;
        let mut whole = self.whole(estimate, crew, chance);
        let Some(running) = task.running else {
            return (whole.round() as Work).max(1);
        };
        let elapsed = running.elapsed as f64;
        for _ in 0..DRAWS_MAX {
            if whole > elapsed {
                break;
            }
            whole = self.whole(estimate, crew, chance);
        }
        let left = (whole - elapsed).max(whole * OVERDUE_SHARE);
        (left.round() as Work).max(1)
    }

    fn whole(&self, estimate: f64, crew: f64, chance: &mut Xoshiro256PlusPlus) -> f64 {
        let scale = self.learned.task_sd * ((FREEDOM - 2.0) / FREEDOM).sqrt();
        let noise: f64 = self.noise.sample(chance);
        let logarithm = (crew + scale * noise).clamp(-LOGARITHM_MAX, LOGARITHM_MAX);
        estimate * logarithm.exp() * rework::factor(chance)
    }
}

fn draw(belief: Belief, chance: &mut Xoshiro256PlusPlus) -> f64 {
    let normal: f64 = StandardNormal.sample(chance);
    belief.mean + belief.sd * normal
}
