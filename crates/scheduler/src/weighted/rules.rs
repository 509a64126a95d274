//! Simple rules for who comes first; the best of them is where the search begins.
//!
//! In:    a [`Problem`]. Out: orders of jobs, one for each [`Rule`].
//! Never: looks at a schedule.

use super::problem::Problem;
use super::team::WEEK;

/// How jobs are ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// As they were given: the floor.
    Given,
    /// Largest weight first.
    Weight,
    /// Largest weight per hour of work first.
    Density,
    /// Largest weight per share of its teams' load first: what takes little of what is scarce.
    Bottleneck,
}

/// Every rule, the usually best one first.
pub const RULES: [Rule; 4] = [Rule::Density, Rule::Bottleneck, Rule::Weight, Rule::Given];

/// The jobs in the order of a rule; equal ones as given.
pub fn order(problem: &Problem, rule: Rule) -> Vec<u32> {
    let mut jobs: Vec<u32> = (0..problem.job_count() as u32).collect();
    let load = if rule == Rule::Bottleneck {
        loads(problem)
    } else {
        Vec::new()
    };
    let cost = |at: usize| match rule {
        Rule::Given | Rule::Weight => 1.0,
        Rule::Density => f64::from(problem.hours[at]),
        Rule::Bottleneck => f64::from(problem.hours[at]) * load[problem.team[at] as usize],
    };
    if rule != Rule::Given {
        let density = |job: &u32| {
            let of = problem.job(*job as usize);
            let weight: f64 = of.clone().map(|at| f64::from(problem.weight[at])).sum();
            let sum: f64 = of.clone().map(cost).sum();
            let per = if rule == Rule::Weight {
                1.0
            } else {
                sum.max(f64::MIN_POSITIVE)
            };
            -weight / per
        };
        let keys: Vec<f64> = jobs.iter().map(density).collect();
        jobs.sort_by(|a, b| {
            keys[*a as usize]
                .total_cmp(&keys[*b as usize])
                .then(a.cmp(b))
        });
    }
    jobs
}

/// For each team: hours of the clock it needs for all its work, per hour of that work. A team that
/// is loaded twice as much makes an hour four times as dear.
fn loads(problem: &Problem) -> Vec<f64> {
    let mut work = vec![0_u64; problem.teams.len()];
    for at in 0..problem.count() {
        work[problem.team[at] as usize] += u64::from(problem.hours[at]);
    }
    let load = |(team, work): (&super::team::Team, u64)| {
        let week: u32 = team.week.iter().map(|lanes| u32::from(*lanes)).sum();
        let pace = WEEK as f64 / f64::from(week.max(1));
        work as f64 * pace * pace
    };
    problem.teams.iter().zip(work).map(load).collect()
}
