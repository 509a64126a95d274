//! A cost that no schedule can go below.
//!
//! In:    a [`Problem`], how many rounds, how many threads. Out: [`Bound`].
//! Never: above the cost of any schedule that the validator accepts; another number with another
//!        number of threads.
//! See:   docs/planner.md, "weighted engine".
//!
//! Two relaxations, one behind the other. `flow` lets every team interrupt its work at will and
//! moves the weight of an end along what it waits for to where it costs most. `price` charges for
//! every hour of every team and lets each chain of activities lie where it is cheapest, without
//! interruption; the prices are moved towards where too many lie. The second is stronger and
//! begins with prices read off the first.

mod chain;
mod flow;
mod heads;
mod price;

use super::problem::Problem;

/// How much to spend on a bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rounds {
    /// Of moving weights between teams. About 2 ms each for 10,000 activities.
    pub flow: u32,
    /// Of moving prices of hours. About 10 ms each for 10,000 activities on one thread.
    pub price: u32,
    /// Threads to work on; the answer does not depend on it.
    pub threads: usize,
}

impl Rounds {
    /// As many as take about a second for up to 10,000 activities, and a few for any number.
    pub fn usual(problem: &Problem, threads: usize) -> Self {
        let count = problem.count();
        let flow = (6_000_000 / count).clamp(4, 60) as u32;
        let price = match count {
            1_000_000.. => 0,
            _ => (500_000 / count).clamp(20, 2_000) as u32,
        };
        Self {
            flow,
            price,
            threads,
        }
    }
}

/// The bound, what it is made of and what follows from it.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    /// Σ weight × hours; no schedule is below.
    pub cost: f64,
    /// The same when every team had lanes without number.
    pub path: f64,
    /// The best that looking at one team alone gives.
    pub team: f64,
    /// After moving weights, before prices.
    pub flow: f64,
    /// When the relaxation works on each activity. Hours.
    pub middle: Vec<f32>,
}

/// Computes the bound. `known` is the cost of some schedule; it only steers how far prices move.
pub fn bound(problem: &Problem, rounds: Rounds, known: u64) -> Bound {
    let heads = heads::heads(problem);
    let mut flow = flow::Flow::new(problem, &heads, rounds.threads);
    let path = flow.path();
    let team = flow.single_team();
    flow.improve(rounds.flow);
    let best = flow.best();
    let mut bound = Bound {
        cost: best.max(path),
        path,
        team,
        flow: best,
        middle: flow.middle(),
    };
    // Prices know no work that a night interrupts; the flow counts it as if nights were worked.
    if rounds.price > 0 && problem.shifts.is_empty() {
        let mut price = price::Prices::new(problem, &heads, &mut flow, rounds.threads);
        price.improve(rounds.price, known as f64);
        if price.best > bound.cost {
            bound.cost = price.best;
            bound.middle = price.middle();
        }
    }
    // More than any rounding of so many sums of f64. Costs are whole numbers.
    bound.cost = (bound.cost * (1.0 - 1e-9)).ceil();
    bound
}

/// Jobs by when the relaxation works on their last activity.
pub fn order(problem: &Problem, middle: &[f32]) -> Vec<u32> {
    let mut jobs: Vec<u32> = (0..problem.job_count() as u32).collect();
    let key = |job: u32| middle[problem.job(job as usize).end - 1];
    jobs.sort_by(|a, b| key(*a).total_cmp(&key(*b)).then(a.cmp(b)));
    jobs
}
