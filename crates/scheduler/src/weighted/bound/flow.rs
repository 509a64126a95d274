//! Moves the weight of an end along what it waits for, to the teams that hold it up.
//!
//! In:    earliest starts, a number of rounds. Out: a bound, prices of hours.
//! Never: gives a team weight that an end does not have.
//!
//! For fixed weights a team that may interrupt its work and put all lanes on one activity does
//! best by weight per hour, greatest first; that gives each activity a mean time M of work. In any
//! schedule an activity that lasts p has M = start + p/2, ends at M + p/2, and lies at least
//! (p + q)/2 behind the M of what it waits for, if that lasts q. So one unit of weight on an M may
//! be kept, be exchanged for the earliest start, or be passed on to the M of something waited for.
//! The shares are moved towards what gives most (mirror ascent on the simplex of each activity).
//! See:   Goemans, Queyranne, Schulz, Skutella, Wang 2002 for mean busy times.

use std::collections::BinaryHeap;

use super::super::parallel;
use super::super::problem::{NONE, Problem};
use super::super::team::{Hour, Team};

/// Share of its weight that an activity passes on to each it waits for, at first.
const PASS: f64 = 0.5;

/// No share dies: a team may become scarce later.
const SHARE_MIN: f64 = 1e-5;

/// How fast shares move at first; the reach falls with the root of the round.
const PACE: f64 = 1.5;

/// The relaxation.
pub(super) struct Flow<'p> {
    problem: &'p Problem,
    heads: &'p [Hour],
    /// Activities of each team by earliest start.
    of_team: Vec<Vec<u32>>,
    threads: usize,
    keep: Vec<f64>,
    early: Vec<f64>,
    /// Share passed over each edge, as they lie in `problem.before`.
    pass: Vec<f64>,
    /// Weight that each activity keeps.
    weight: Vec<f64>,
    /// Mean time of work of each activity.
    mean: Vec<f64>,
    best: f64,
    best_weight: Vec<f64>,
    best_mean: Vec<f64>,
    /// Weight passed over each edge.
    passed: Vec<f64>,
    best_passed: Vec<f64>,
}

/// Prices of the hours of each team, from hour 0 on.
pub(super) type HourPrices = Vec<Vec<f64>>;

impl<'p> Flow<'p> {
    pub fn new(problem: &'p Problem, heads: &'p [Hour], threads: usize) -> Self {
        let count = problem.count();
        let mut of_team: Vec<Vec<u32>> = vec![Vec::new(); problem.teams.len()];
        for at in 0..count {
            if problem.fixed(at) == NONE {
                of_team[problem.team[at] as usize].push(at as u32);
            }
        }
        for of in &mut of_team {
            of.sort_by_key(|at| (heads[*at as usize], *at));
        }
        let mut flow = Self {
            problem,
            heads,
            of_team,
            threads,
            keep: vec![0.0; count],
            early: vec![0.0; count],
            pass: vec![0.0; problem.before.count()],
            weight: vec![0.0; count],
            mean: vec![0.0; count],
            best: 0.0,
            best_weight: Vec::new(),
            best_mean: Vec::new(),
            passed: vec![0.0; problem.before.count()],
            best_passed: Vec::new(),
        };
        flow.share_out();
        flow
    }

    fn share_out(&mut self) {
        for at in 0..self.problem.count() {
            let edges = self.problem.before.range(at);
            let count = edges.len() as f64;
            let passed = if count > 0.0 { PASS } else { 0.0 };
            self.pass[edges].fill(passed / count.max(1.0));
            let rest = 1.0 - passed;
            let is_running = self.problem.fixed(at) != NONE;
            self.early[at] = if is_running { rest } else { 0.05 * rest };
            self.keep[at] = rest - self.early[at];
        }
    }

    /// The bound without any team.
    pub fn path(&self) -> f64 {
        let end = |at: usize| f64::from(self.heads[at] + self.problem.hours[at]);
        (0..self.problem.count())
            .map(|at| f64::from(self.problem.weight[at]) * end(at))
            .sum()
    }

    /// The best of: the weight of every job of one team lies there, all others on their path.
    pub fn single_team(&mut self) -> f64 {
        let path = self.path();
        let mut best = path;
        for team in 0..self.of_team.len() {
            let (gain, _) = self.alone(team);
            best = best.max(path + gain);
        }
        best
    }

    /// What a team that has all the weight of its jobs adds to the path, and how many jobs.
    fn alone(&mut self, team: usize) -> (f64, usize) {
        let problem = self.problem;
        let mut gain = 0.0;
        let mut jobs = 0;
        for &at in &self.of_team[team] {
            // The weight of a job lies on its last activity of this team; the tail to the end
            // with weight is what the heads say.
            let job = problem.job(problem.job_of[at as usize] as usize);
            let later = at as usize + 1..job.end;
            let is_last = later
                .clone()
                .all(|other| problem.team[other] as usize != team);
            let weight: u32 = if is_last {
                problem.weight[at as usize..job.end].iter().sum()
            } else {
                0
            };
            self.weight[at as usize] = f64::from(weight);
            jobs += usize::from(weight > 0);
        }
        let mut means = vec![0.0; self.of_team[team].len()];
        busy(&self.view(team), &mut means);
        for (&at, mean) in self.of_team[team].iter().zip(&means) {
            let at = at as usize;
            let early = f64::from(self.heads[at]) + f64::from(problem.hours[at]) / 2.0;
            gain += self.weight[at] * (mean - early);
        }
        (gain, jobs)
    }

    /// Moves the shares.
    pub fn improve(&mut self, rounds: u32) {
        for round in 0..rounds.max(1) {
            let fixed_part = self.pass_down();
            self.run_teams();
            let kept: f64 = self.weight.iter().zip(&self.mean).map(|(w, m)| w * m).sum();
            let sum = fixed_part + kept;
            if sum > self.best || self.best_mean.is_empty() {
                self.best = sum;
                self.best_weight.clone_from(&self.weight);
                self.best_mean.clone_from(&self.mean);
                self.best_passed.clone_from(&self.passed);
            }
            if round + 1 < rounds {
                self.move_shares(PACE / f64::from(1 + round / 4).sqrt());
            }
        }
    }

    pub fn best(&self) -> f64 {
        self.best
    }

    /// When each activity is worked on.
    pub fn middle(&self) -> Vec<f32> {
        self.best_mean.iter().map(|mean| *mean as f32).collect()
    }

    fn half(&self, at: usize) -> f64 {
        f64::from(self.problem.hours[at]) / 2.0
    }

    /// Passes weights down from the ends; gives the part of the sum that no team decides.
    fn pass_down(&mut self) -> f64 {
        let problem = self.problem;
        let mut sum = 0.0;
        for at in 0..problem.count() {
            self.weight[at] = f64::from(problem.weight[at]);
            sum += self.weight[at] * self.half(at);
        }
        for &at in problem.topological.iter().rev() {
            let at = at as usize;
            let arrived = self.weight[at];
            sum += arrived * self.early[at] * (f64::from(self.heads[at]) + self.half(at));
            for (edge, &need) in problem.before.range(at).zip(problem.before(at)) {
                let passed = arrived * self.pass[edge];
                sum += passed * (self.half(at) + self.half(need as usize));
                self.weight[need as usize] += passed;
                self.passed[edge] = passed;
            }
            self.weight[at] = arrived * self.keep[at];
        }
        sum
    }

    fn view(&self, team: usize) -> TeamView<'_> {
        TeamView {
            problem: self.problem,
            team: &self.problem.teams[team],
            of: &self.of_team[team],
            heads: self.heads,
            weight: &self.weight,
        }
    }

    fn run_teams(&mut self) {
        let this = &*self;
        let teams: Vec<usize> = (0..this.of_team.len()).collect();
        let run = |team: &usize| {
            let mut means = vec![0.0; this.of_team[*team].len()];
            busy(&this.view(*team), &mut means);
            means
        };
        let means = parallel::map(this.threads, &teams, run);
        for (of, means) in self.of_team.iter().zip(means) {
            for (at, mean) in of.iter().zip(means) {
                self.mean[*at as usize] = mean;
            }
        }
    }

    /// Moves shares towards what gives most for a unit of weight.
    fn move_shares(&mut self, pace: f64) {
        let problem = self.problem;
        let mut value = vec![0.0_f64; problem.count()];
        for &at in &problem.topological {
            let at = at as usize;
            let early = f64::from(self.heads[at]) + self.half(at);
            let mean = if problem.fixed(at) == NONE {
                self.mean[at]
            } else {
                early
            };
            let half = |at: usize| f64::from(problem.hours[at]) / 2.0;
            let passed = |need: u32| value[need as usize] + half(at) + half(need as usize);
            let needs = problem.before(at);
            let most = needs
                .iter()
                .map(|need| passed(*need))
                .fold(early.max(mean), f64::max);
            // Hours count in relation to how late it is at all.
            let scale = pace * 4.0 / most.max(1.0);
            let grown =
                |share: f64, value: f64| (share * (scale * (value - most)).exp()).max(SHARE_MIN);
            let keep = if problem.fixed(at) == NONE {
                grown(self.keep[at], mean)
            } else {
                0.0
            };
            let early_share = grown(self.early[at], early);
            let mut sum = keep + early_share;
            let edges = problem.before.range(at);
            for (edge, need) in edges.clone().zip(needs) {
                self.pass[edge] = grown(self.pass[edge], passed(*need));
                sum += self.pass[edge];
            }
            self.keep[at] = keep / sum;
            self.early[at] = early_share / sum;
            let mut mixed = self.keep[at] * mean + self.early[at] * early;
            for (edge, need) in edges.zip(needs) {
                self.pass[edge] /= sum;
                mixed += self.pass[edge] * passed(*need);
            }
            value[at] = mixed;
        }
    }

    /// Weight passed over each edge in the best round.
    pub fn passed(&self) -> Vec<f64> {
        self.best_passed.clone()
    }

    /// Prices of hours that make each team's activities lie where the relaxation put them, nearly:
    /// from one full hour to the next a price falls by the weight per hour of what lies there.
    pub fn prices(&mut self) -> HourPrices {
        self.weight.clone_from(&self.best_weight);
        let this = &*self;
        let teams: Vec<usize> = (0..this.of_team.len()).collect();
        parallel::map(this.threads, &teams, |team| {
            let mut means = vec![0.0; this.of_team[*team].len()];
            let slopes = busy(&this.view(*team), &mut means);
            let mut prices = vec![0.0; slopes.len()];
            let mut price = 0.0;
            for (hour, slope) in slopes.iter().enumerate().rev() {
                price = slope.map_or(0.0, |slope| price + slope);
                prices[hour] = price;
            }
            prices
        })
    }
}

/// What a team needs to know.
struct TeamView<'a> {
    problem: &'a Problem,
    team: &'a Team,
    of: &'a [u32],
    heads: &'a [Hour],
    weight: &'a [f64],
}

/// Weight per hour; never NaN.
#[derive(Clone, Copy, PartialEq)]
struct Density(f64);

impl Eq for Density {}

impl PartialOrd for Density {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Density {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// Works hour by hour on what has most weight per hour; writes mean times, in the order of
/// `view.of`. Gives for each hour the least weight per hour worked on, none while lanes are idle.
fn busy(view: &TeamView<'_>, means: &mut [f64]) -> Vec<Option<f64>> {
    let head = |place: usize| view.heads[view.of[place] as usize];
    let length = |place: usize| view.problem.hours[view.of[place] as usize];
    let mut left: Vec<u32> = (0..view.of.len()).map(length).collect();
    let mut waiting: BinaryHeap<(Density, u32)> = BinaryHeap::new();
    let mut slopes = Vec::new();
    let (mut next, mut hour) = (0, 0);
    let changed = view.team.changed_to();
    while next < view.of.len() || !waiting.is_empty() {
        if waiting.is_empty() {
            hour = hour.max(head(next));
        }
        while next < view.of.len() && head(next) <= hour {
            let density = view.weight[view.of[next] as usize] / f64::from(length(next));
            waiting.push((Density(density), u32::MAX - next as u32));
            next += 1;
        }
        slopes.resize(hour as usize, None);
        let mut lanes = u32::from(match hour < changed {
            true => view.team.lanes(hour),
            false => view.team.week[hour as usize % super::super::team::WEEK],
        });
        let mut slope = if lanes == 0 { Some(0.0) } else { None };
        while let (true, Some((density, back))) = (lanes > 0, waiting.peek().copied()) {
            let place = (u32::MAX - back) as usize;
            let done = left[place].min(lanes);
            left[place] -= done;
            lanes -= done;
            means[place] += f64::from(done) * (f64::from(hour) + 0.5) / f64::from(length(place));
            if lanes == 0 {
                slope = Some(density.0);
            }
            if left[place] == 0 {
                waiting.pop();
            }
        }
        slopes.push(slope);
        hour += 1;
    }
    slopes
}
