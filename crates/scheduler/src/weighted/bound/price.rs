//! Charges for hours, and lets each chain lie where it is cheapest.
//!
//! In:    prices to begin with, weights passed between chains, a number of rounds. Out: a bound.
//! Never: a price below nothing.
//!
//! Whatever the prices: Σ over chains of their least cost − Σ price × lanes is below the cost of
//! every schedule, because a schedule pays for no more than the lanes that are there. Chains lie
//! without interruption, never over an hour without lanes, at most on one lane at a time. The
//! prices go towards where more activities lie than lanes are (subgradient with a memory of the
//! last direction; step after Polyak).
//! See:   Fisher 1973; Christofides, Alvarez-Valdés, Tamarit 1987; Möhring et al. 2003.

use super::super::parallel;
use super::super::problem::Problem;
use super::super::team::Hour;
use super::chain::{Chains, Row, Scratch};
use super::flow::Flow;

/// Chains that one piece of work of a thread takes on.
const CHUNK: usize = 32;

/// How much of the last direction is kept.
const MEMORY: f64 = 0.4;

/// Below this square of its length a direction is only memory: excess is counted in lanes.
const SQUARE_MIN: f64 = 0.1;

/// Parts of the chains after which prices move. 1 and 32 were slower to the same bound.
const PARTS: usize = 8;

/// Every so many rounds the prices stay while all chains are placed.
const PURE: u32 = 5;

/// Length of steps at the beginning and at the end, in Polyak's.
const PACE: (f64, f64) = (0.5, 0.002);

/// How fast weight moves between chains, in relation to the length of steps.
const PASS: f64 = 10.0;

/// The priced hours and what follows from them.
pub(super) struct Prices<'p> {
    problem: &'p Problem,
    heads: &'p [Hour],
    chains: Chains,
    threads: usize,
    /// Lanes in each hour of each team that nothing runs on.
    lanes: Vec<Vec<f64>>,
    price: Vec<Vec<f64>>,
    /// Hours that may have a price; a chain never gains by lying behind them and one after another.
    priced: usize,
    sums: Vec<Vec<f64>>,
    direction: Vec<Vec<f64>>,
    /// Activities in each hour less lanes.
    excess: Vec<Vec<f64>>,
    weight: Vec<f64>,
    /// What no price changes: ends of what runs, starts that weight was taken from.
    constant: f64,
    /// More than what sums of prices lose by rounding.
    rounding: f64,
    /// No price is above that of an hour without lanes.
    closed: f64,
    /// Weight passed over each edge between chains.
    passed: Vec<f64>,
    start: Vec<Hour>,
    best_start: Vec<Hour>,
    pub best: f64,
}

impl<'p> Prices<'p> {
    pub fn new(
        problem: &'p Problem,
        heads: &'p [Hour],
        flow: &mut Flow<'p>,
        threads: usize,
    ) -> Self {
        let chains = Chains::new(problem);
        let mut price = flow.prices();
        let longest = |chain: usize| {
            chains
                .items(chain)
                .iter()
                .map(|at| problem.hours[*at as usize])
                .sum::<u32>()
        };
        let last = heads.iter().max().map_or(0, |head| *head as usize);
        let last = price.iter().map(Vec::len).max().unwrap_or(0).max(last);
        // What runs takes lanes as long as it runs: hours behind it must have room again.
        let end = |at: &u32| problem.fixed(*at as usize) + problem.hours[*at as usize];
        let ends = problem.running.iter().map(end).max().unwrap_or(0) as usize;
        let last = last.max(ends);
        let last = last + last / 8;
        let longest = (0..chains.count()).map(longest).max().unwrap_or(0) as usize;
        let length = last + longest + 2;
        let mut lanes = lanes(problem, length, last);
        take_running(problem, &mut lanes);
        let closed = closed_price(problem, &chains) * length as f64;
        for (prices, lanes) in price.iter_mut().zip(&lanes) {
            prices.resize(length, 0.0);
            for (price, lanes) in prices.iter_mut().zip(lanes) {
                *price = if *lanes <= 0.0 { closed } else { *price };
            }
        }
        let passed = flow.passed();
        let (weight, constant) = weights(problem, &chains, &passed);
        Self {
            problem,
            heads,
            threads,
            sums: vec![vec![0.0; length + 1]; price.len()],
            direction: vec![vec![0.0; length]; price.len()],
            excess: Vec::new(),
            price,
            priced: last + 1,
            lanes,
            weight,
            constant,
            rounding: 0.0,
            closed,
            passed,
            start: heads.to_vec(),
            best_start: Vec::new(),
            chains,
            best: f64::NEG_INFINITY,
        }
    }

    /// Moves the prices so many times.
    ///
    /// In most rounds the prices move after every part of the chains; only when all chains have
    /// been placed at the same prices is there a bound.
    pub fn improve(&mut self, rounds: u32, known: f64) {
        self.evaluate();
        for round in 1..rounds {
            let part = f64::from(round) / f64::from(rounds);
            let pace = PACE.0 * (PACE.1 / PACE.0).powf(part);
            if round % PURE == 0 || round + 1 == rounds {
                self.evaluate();
                self.pass(pace * PASS);
                continue;
            }
            for part in 0..PARTS {
                self.place_part(part);
                // The best schedule is some way above the best bound.
                let goal = (self.best * 1.01).max(known * 0.97);
                let gain = pace * (goal - self.value_now()).max(0.0);
                self.step(gain);
            }
        }
    }

    /// Places every so manieth chunk of chains anew.
    fn place_part(&mut self, part: usize) {
        let chunks = self.chains.count().div_ceil(CHUNK);
        let chunks: Vec<usize> = (part..chunks).step_by(PARTS).collect();
        self.sum_up();
        let solved = self.solve(&chunks);
        for (at, start) in solved.into_iter().flat_map(|(_, starts)| starts) {
            self.count(at, -1.0);
            self.start[at as usize] = start;
            self.count(at, 1.0);
        }
    }

    /// Adds an activity to the hours it lies in.
    fn count(&mut self, at: u32, by: f64) {
        let at = at as usize;
        let from = self.start[at] as usize;
        let to = from + self.problem.hours[at] as usize;
        for excess in &mut self.excess[self.problem.team[at] as usize][from..to] {
            *excess += by;
        }
    }

    /// What the chains cost where they lie, at the prices of this moment: near the bound, but not
    /// one, since most chains were placed at other prices.
    fn value_now(&self) -> f64 {
        let problem = self.problem;
        let mut value = self.constant;
        for &at in self.chains.all() {
            let at = at as usize;
            value += self.weight[at] * f64::from(self.start[at] + problem.hours[at]);
        }
        for (team, prices) in self.price.iter().enumerate() {
            let hours = prices.iter().zip(&self.excess[team]).zip(&self.lanes[team]);
            let paid = hours.take(self.priced).filter(|(_, lanes)| **lanes > 0.0);
            value += paid.map(|((price, excess), _)| price * excess).sum::<f64>();
        }
        value
    }

    /// Passes more weight over edges that the chains break, less over those with room.
    fn pass(&mut self, pace: f64) {
        let problem = self.problem;
        let mut arrived: Vec<f64> = problem
            .weight
            .iter()
            .map(|weight| f64::from(*weight))
            .collect();
        for &at in problem.topological.iter().rev() {
            let at = at as usize;
            let start = f64::from(self.start[at]);
            let mut sum = 0.0;
            let edges = problem.before.range(at).zip(problem.before(at));
            for (edge, &need) in edges.clone().filter(|(edge, _)| !self.chains.strong[*edge]) {
                let end = f64::from(self.start[need as usize] + problem.hours[need as usize]);
                let passed = &mut self.passed[edge];
                let over = (end - start) / end.max(start).max(1.0);
                *passed = (*passed).max(arrived[at] * 1e-6) * (pace * over).exp();
                sum += *passed;
            }
            let most = 0.98 * arrived[at];
            let scale = if sum > most { most / sum } else { 1.0 };
            let rest = arrived[at] - sum * scale;
            for (edge, &need) in edges {
                if self.chains.strong[edge] {
                    arrived[need as usize] += rest;
                } else {
                    self.passed[edge] *= scale;
                    arrived[need as usize] += self.passed[edge];
                }
            }
        }
        (self.weight, self.constant) = weights(problem, &self.chains, &self.passed);
    }

    /// When each activity lay in the best round.
    pub fn middle(&self) -> Vec<f32> {
        self.best_start.iter().map(|start| *start as f32).collect()
    }

    fn row<'a>(&'a self, chain: usize) -> Row<'a> {
        Row {
            problem: self.problem,
            heads: self.heads,
            sums: &self.sums,
            weight: &self.weight,
            items: self.chains.items(chain),
            rounding: self.rounding,
        }
    }

    /// Sums up the prices, and what these sums lose by rounding: an hour of each activity at the
    /// most for each addition, in relation to the largest sum.
    fn sum_up(&mut self) {
        let mut largest = 0.0_f64;
        for (sums, prices) in self.sums.iter_mut().zip(&self.price) {
            let mut sum = 0.0;
            for (place, price) in sums[1..].iter_mut().zip(prices) {
                sum += price;
                *place = sum;
            }
            largest = largest.max(sum);
        }
        let hours = |at: &u32| f64::from(self.problem.hours[*at as usize] + 4);
        let hours: f64 = self.chains.all().iter().map(hours).sum();
        self.rounding = largest * f64::EPSILON * hours;
    }

    /// Finds the cheapest place of each chain at the same prices: that is a bound.
    fn evaluate(&mut self) {
        self.sum_up();
        let chunks: Vec<usize> = (0..self.chains.count().div_ceil(CHUNK)).collect();
        let mut value = self.constant;
        for (sum, starts) in self.solve(&chunks) {
            value += sum;
            for (at, start) in starts {
                self.start[at as usize] = start;
            }
        }
        for (prices, lanes) in self.price.iter().zip(&self.lanes) {
            let paid = prices.iter().zip(lanes).take(self.priced);
            let paid = paid.filter(|(_, lanes)| **lanes > 0.0);
            value -= paid.map(|(price, lanes)| price * lanes).sum::<f64>();
        }
        value -= self.rounding;
        self.excess = self
            .lanes
            .iter()
            .map(|of| of.iter().map(|lanes| -lanes).collect())
            .collect();
        for chain in 0..self.chains.count() {
            for place in 0..self.row(chain).weighted().len() {
                self.count(self.chains.items(chain)[place], 1.0);
            }
        }
        if value > self.best {
            self.best = value;
            self.best_start.clone_from(&self.start);
        }
    }

    /// The cheapest place of each chain of some chunks, and what it costs.
    fn solve(&self, chunks: &[usize]) -> Vec<(f64, Vec<(u32, Hour)>)> {
        parallel::map(self.threads, chunks, |chunk| {
            let mut scratch = Scratch::default();
            let mut starts = Vec::new();
            let mut sum = 0.0;
            let from = chunk * CHUNK;
            for chain in from..(from + CHUNK).min(self.chains.count()) {
                let row = self.row(chain);
                let items = row.weighted();
                let known = row.cost(items, &self.start);
                sum += row.solve(items, known, &mut scratch, |at, start| {
                    starts.push((at, start))
                });
            }
            (sum, starts)
        })
    }

    /// Moves prices by a step that would gain so much if the bound were straight.
    fn step(&mut self, gain: f64) {
        let excess = &self.excess;
        let mut square = 0.0;
        for (team, directions) in self.direction.iter_mut().enumerate() {
            let hours = directions
                .iter_mut()
                .zip(&excess[team])
                .zip(&self.price[team]);
            let hours = hours.zip(&self.lanes[team]).take(self.priced);
            for (((direction, excess), price), lanes) in hours {
                *direction = MEMORY * *direction + *excess;
                // No step below nothing, and none for hours without lanes: their price stays.
                if *lanes <= 0.0 || (*price <= 0.0 && *direction < 0.0) {
                    *direction = 0.0;
                }
                square += *direction * *direction;
            }
        }
        if square < SQUARE_MIN {
            // Nothing lies where too many lie; what is left is memory, and a step would be endless.
            self.direction.iter_mut().for_each(|hours| hours.fill(0.0));
            return;
        }
        let (length, closed) = (gain / square, self.closed);
        for (prices, directions) in self.price.iter_mut().zip(&self.direction) {
            for (price, direction) in prices.iter_mut().zip(directions).take(self.priced) {
                *price = (*price + length * direction).clamp(0.0, closed);
            }
        }
    }
}

/// Price of an hour without lanes, for each hour of the plan: dearer than any wait. Were it
/// cheaper, the bound would only be lower; the smaller it is, the less sums lose.
fn closed_price(problem: &Problem, chains: &Chains) -> f64 {
    let weight = |chain: usize| {
        chains
            .items(chain)
            .iter()
            .map(|at| f64::from(problem.weight[*at as usize]))
            .sum::<f64>()
    };
    4.0 * (0..chains.count()).map(weight).fold(1.0, f64::max)
}

/// Lanes of each hour; behind `last`, where nothing has a price, at least one.
fn lanes(problem: &Problem, length: usize, last: usize) -> Vec<Vec<f64>> {
    let team_lanes = |team: &super::super::team::Team| {
        let lanes = |hour: usize| match hour > last {
            true => f64::from(team.lanes(hour as Hour).max(1)),
            false => f64::from(team.lanes(hour as Hour)),
        };
        (0..length).map(lanes).collect()
    };
    problem.teams.iter().map(team_lanes).collect()
}

fn take_running(problem: &Problem, lanes: &mut [Vec<f64>]) {
    for &at in &problem.running {
        let at = at as usize;
        let from = problem.fixed(at) as usize;
        let hours = lanes[problem.team[at] as usize].iter_mut().skip(from);
        for lanes in hours.take(problem.hours[at] as usize) {
            *lanes = (*lanes - 1.0).max(0.0);
        }
    }
}

/// Weight on each end, with what was passed between chains; and what that adds at once.
fn weights(problem: &Problem, chains: &Chains, passed: &[f64]) -> (Vec<f64>, f64) {
    let mut weight: Vec<f64> = problem
        .weight
        .iter()
        .map(|weight| f64::from(*weight))
        .collect();
    let mut constant = 0.0;
    for at in 0..problem.count() {
        for (edge, &need) in problem.before.range(at).zip(problem.before(at)) {
            if !chains.strong[edge] {
                // passed × (end of need − start of this) is never above nothing.
                weight[need as usize] += passed[edge];
                weight[at] -= passed[edge];
                constant += passed[edge] * f64::from(problem.hours[at]);
            }
        }
    }
    for &at in &problem.running {
        let at = at as usize;
        constant += weight[at] * f64::from(problem.fixed(at) + problem.hours[at]);
    }
    (weight, constant)
}
