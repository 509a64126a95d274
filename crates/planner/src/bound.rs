//! A cost that no plan can go below.
//!
//! In:    a [`Network`]. Out: [`Bound`]: weighted minutes, and an order that follows from it.
//! Never: above the cost of any plan that keeps hours, order, lanes, windows and holds.
//! See:   research/planner.md §3; Goemans et al. 2002 for mean busy times.
//!
//! Two relaxations hold for every cell: it opens no earlier than its chain of tasks allows with
//! lanes without number, and no earlier than a crew gets to it that may interrupt its work at will
//! and do one task with all lanes. For the second the best order is known (most weight per work
//! first), and with it the mean time at which each task is worked on; a task ends half its length
//! after that mean at the earliest. The weight of a cell may be shared out among both and all its
//! crews; the shares are moved towards the largest sum.

use crate::calendar::{Calendar, Minute, Work};
use crate::cost;
use crate::detour::Detours;
use crate::network::Network;
use crate::order;
use crate::serial::{self, Lanes};
use crate::situation::Situation;
use crate::weight::Weights;
use anlauf_model::CellId;
use std::collections::BinaryHeap;

/// How often the shares are moved. 50 rounds, bold to the end, raise the bound on krankenkassen by
/// 0.04 % and take 6 ms more; 200 by another 0.1 %.
const ROUNDS: u32 = 30;

/// Share of a cell's weight that begins with the chain of its tasks; the crews get the rest.
/// With a half, a single crew does not find its own order; measured best of 0.5, 0.1 and 0.02.
const SHARE_EARLIEST: f64 = 0.02;

/// Taken off the sum for rounding; ten thousand additions of f64 lose far less.
const ROUNDING: f64 = 1e-9;

/// The bound.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    /// Σ weight × minutes; no plan is below.
    pub minutes: u128,
    /// Cells by the time at which the relaxation opens them.
    pub order: Vec<usize>,
}

/// One task, as a crew sees it.
#[derive(Clone, Copy)]
struct Job {
    part: usize,
    head: Work,
    work: f64,
    /// Share of the part's weight.
    share: f64,
    /// Least minutes from its end to the opening of its cell.
    tail: f64,
}

/// The work of one crew on one cell.
struct Part {
    node: usize,
    crew: usize,
    share: f64,
    /// When the relaxation opens the cell, seen from this crew.
    opens: f64,
}

struct Relaxation<'n, 'a> {
    network: &'n Network<'a>,
    /// Of each node.
    weights: Vec<f64>,
    /// Opening with lanes without number.
    earliest: Vec<Minute>,
    share_earliest: Vec<f64>,
    parts: Vec<Part>,
    /// Parts of each node.
    of_node: Vec<Vec<usize>>,
    /// Jobs of each crew, by head.
    jobs: Vec<Vec<Job>>,
    curves: Vec<Curve>,
}

/// ∫ of the clock over minutes of work.
struct Curve {
    /// First minute of work, first minute of the clock, integral up to there.
    pieces: Vec<(f64, f64, f64)>,
}

/// A walk along a curve, which only goes forward.
struct Along<'c> {
    curve: &'c Curve,
    /// Pieces that begin no later than the walk stands.
    place: usize,
    /// Where it stands, and the integral up to there.
    last: (f64, f64),
}

/// Computes the bound.
pub(crate) fn bound(network: &Network<'_>, works: &[Work]) -> Bound {
    let taste: Vec<usize> = (0..network.nodes.len()).collect();
    let order = order::placeable(network, &taste, &[]);
    let free = serial::schedule(network, &order, works, Lanes::Unlimited);
    let mut best = cost::weighted_minutes(network, &free.open);
    let mut relaxation = Relaxation::new(network, works, free);
    let mut best_opens = relaxation.opens();
    for round in 0..ROUNDS {
        relaxation.run();
        let sum = relaxation.sum();
        if sum > best {
            best = sum;
            best_opens = relaxation.opens();
        }
        relaxation.move_shares(boldness(round));
    }
    let mut order = taste;
    order.sort_by(|a, b| best_opens[*a].total_cmp(&best_opens[*b]).then(a.cmp(b)));
    Bound {
        minutes: best,
        order,
    }
}

/// How strongly shares move towards what opens a cell later: less from round to round. A power.
fn boldness(round: u32) -> i32 {
    match round {
        0..4 => 10,
        4..10 => 7,
        10..20 => 4,
        _ => 2,
    }
}

/// A cost that no plan goes below, whichever emergency operations it chooses; none when there is
/// nothing to choose.
///
/// Where a way may be taken, the part of the harm that it ends counts to the earliest that any way
/// reaches people at all, the rest to the opening of the cell. The ways stand beside and weigh
/// nothing. With the way back another step is the last one, which other hours, freezes and orders
/// hold; so a cell that may have one is held by none of those.
pub(crate) fn over_choices(situation: &Situation<'_>) -> Option<u128> {
    let begun = Detours::begun(situation);
    begun.left().next()?;
    let weights = Weights::new(situation.landscape);
    let mut network = Network::new(situation, &begun.loosely(situation));
    if !order::circle(&network).is_empty() {
        return Some(0);
    }
    for (way, cell) in begun.left() {
        if let Some(at) = network.position(way) {
            network.nodes[at].weight = 0;
        }
        if let Some(at) = network.position(&cell.id) {
            let node = &mut network.nodes[at];
            node.weight = weights.basic(cell);
            node.slot = None;
            node.freezes.clear();
            node.after.clear();
        }
    }
    let works = network.works();
    let earliest = earliest(&network, &works);
    let open = |cell: &CellId| network.position(cell).map(|at| earliest[at]);
    let mut reached: u128 = 0;
    for (way, cell) in begun.left() {
        let at = open(&cell.id).into_iter().chain(open(way)).min();
        let began = network.nodes.first().map_or(0, |node| node.began);
        let minutes = (at.unwrap_or(began) - began).max(0).unsigned_abs();
        reached = reached.saturating_add(weights.emergency(cell).saturating_mul(minutes.into()));
    }
    Some(bound(&network, &works).minutes.saturating_add(reached))
}

/// Openings with lanes without number.
fn earliest(network: &Network<'_>, works: &[Work]) -> Vec<Minute> {
    let taste: Vec<usize> = (0..network.nodes.len()).collect();
    let order = order::placeable(network, &taste, &[]);
    serial::schedule(network, &order, works, Lanes::Unlimited).open
}

impl<'n, 'a> Relaxation<'n, 'a> {
    fn new(network: &'n Network<'a>, works: &[Work], free: serial::Schedule) -> Self {
        let mut relaxation = Self {
            network,
            weights: network
                .nodes
                .iter()
                .map(|node| node.weight as f64)
                .collect(),
            share_earliest: vec![1.0; network.nodes.len()],
            parts: Vec::new(),
            of_node: vec![Vec::new(); network.nodes.len()],
            jobs: vec![Vec::new(); network.crews.len()],
            curves: network.calendars.iter().map(Curve::new).collect(),
            earliest: free.open,
        };
        for node in 0..network.nodes.len() {
            relaxation.add_parts(node, works, &free.begin);
        }
        for jobs in &mut relaxation.jobs {
            jobs.sort_by_key(|job| job.head);
        }
        relaxation
    }

    fn add_parts(&mut self, node: usize, works: &[Work], begin: &[Minute]) {
        let tasks = self.network.nodes[node].tasks.clone();
        let waiting = |task: &usize| self.network.tasks[*task].running.is_none();
        let waiting: Vec<usize> = tasks.filter(waiting).collect();
        let crew_of = |task: usize| self.network.tasks[task].crew;
        let mut tail: Work = waiting.iter().map(|task| works[*task]).sum();
        for task in &waiting {
            tail -= works[*task];
            let crew = crew_of(*task);
            let of_crew = waiting.iter().filter(|t| crew_of(**t) == crew);
            let total: Work = of_crew.map(|t| works[*t]).sum();
            let known = self.of_node[node].iter().copied();
            let mut known = known.filter(|part| self.parts[*part].crew == crew);
            let part = known.next().unwrap_or(self.parts.len());
            if part == self.parts.len() {
                self.parts.push(Part {
                    node,
                    crew,
                    share: 0.0,
                    opens: 0.0,
                });
                self.of_node[node].push(part);
            }
            self.jobs[crew].push(Job {
                part,
                head: self.network.calendar(*task).worked(begin[*task]),
                work: works[*task] as f64,
                share: works[*task] as f64 / total as f64,
                tail: tail as f64,
            });
        }
        let crews = self.of_node[node].len() as f64;
        if crews > 0.0 {
            self.share_earliest[node] = SHARE_EARLIEST;
            for part in &self.of_node[node] {
                self.parts[*part].share = (1.0 - SHARE_EARLIEST) / crews;
            }
        }
    }

    /// Lets every crew work in the order of weight per work, interrupting at will.
    fn run(&mut self) {
        for part in &mut self.parts {
            part.opens = 0.0;
        }
        for crew in 0..self.jobs.len() {
            self.run_crew(crew);
        }
    }

    fn run_crew(&mut self, crew: usize) {
        let lanes = f64::from(self.network.crews[crew].lanes.max(1));
        let curve = &self.curves[self.network.crews[crew].calendar];
        let mut curve = curve.walk();
        let jobs = &self.jobs[crew];
        let mut left: Vec<f64> = jobs.iter().map(|job| job.work).collect();
        let mut waiting: BinaryHeap<(Density, usize)> = BinaryHeap::new();
        let (mut next, mut now) = (0, 0.0_f64);
        while next < jobs.len() || !waiting.is_empty() {
            if waiting.is_empty() {
                now = now.max(jobs[next].head as f64);
            }
            while next < jobs.len() && jobs[next].head as f64 <= now {
                let job = &jobs[next];
                let part = &self.parts[job.part];
                let density = self.weights[part.node] * part.share * job.share / job.work;
                waiting.push((Density(density), jobs.len() - next));
                next += 1;
            }
            let Some((density, back)) = waiting.pop() else {
                break;
            };
            let at = jobs.len() - back;
            let room = jobs
                .get(next)
                .map_or(f64::INFINITY, |job| job.head as f64 - now);
            let take = (left[at] / lanes).min(room);
            let job = &jobs[at];
            let curve_now = curve.at(now);
            // Mean busy time, piece by piece, as this job's share of the part's opening.
            let busy = (curve.at(now + take) - curve_now) * lanes / job.work;
            self.parts[job.part].opens += busy * job.share;
            now += take;
            left[at] -= take * lanes;
            if left[at] > job.work * 1e-12 && take == room {
                waiting.push((density, back));
            } else {
                self.parts[job.part].opens += (job.work / 2.0 + job.tail) * job.share;
            }
        }
    }

    /// The bound that these shares give.
    fn sum(&self) -> u128 {
        let mut sum = 0.0;
        for (at, node) in self.network.nodes.iter().enumerate() {
            sum += self.weights[at] * (self.open(at) - node.began as f64).max(0.0);
        }
        (sum * (1.0 - ROUNDING)).max(0.0) as u128
    }

    fn open(&self, node: usize) -> f64 {
        let parts = self.of_node[node].iter().map(|part| &self.parts[*part]);
        let parts: f64 = parts.map(|part| part.share * part.opens).sum();
        self.share_earliest[node] * self.earliest[node] as f64 + parts
    }

    fn opens(&self) -> Vec<f64> {
        (0..self.network.nodes.len())
            .map(|node| self.open(node))
            .collect()
    }

    /// Gives more of a cell's weight to what opens it later.
    fn move_shares(&mut self, boldness: i32) {
        /// No share dies: a crew may become scarce later.
        const SHARE_MIN: f64 = 1e-4;
        for node in 0..self.network.nodes.len() {
            let began = self.network.nodes[node].began as f64;
            let earliest = self.earliest[node] as f64 - began;
            let parts = &self.of_node[node];
            let latest = parts
                .iter()
                .map(|p| self.parts[*p].opens - began)
                .fold(earliest, f64::max);
            if latest <= 0.0 {
                continue;
            }
            let grown = |share: f64, opens: f64| {
                let ratio = (opens / latest).max(0.0);
                (share * ratio.powi(boldness)).max(SHARE_MIN)
            };
            let own = grown(self.share_earliest[node], earliest);
            let mut total = own;
            for part in parts {
                let part = &mut self.parts[*part];
                part.share = grown(part.share, part.opens - began);
                total += part.share;
            }
            self.share_earliest[node] = own / total;
            for part in parts {
                self.parts[*part].share /= total;
            }
        }
    }
}

/// Weight per minute of work; never NaN.
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

impl Curve {
    fn new(calendar: &Calendar) -> Self {
        let mut pieces = Vec::new();
        let mut sum = 0.0;
        for (from, to, before) in calendar.windows() {
            pieces.push((before as f64, from as f64, sum));
            let length = (to - from) as f64;
            sum += from as f64 * length + length * length / 2.0;
        }
        Self { pieces }
    }

    /// From the first minute of work on.
    fn walk(&self) -> Along<'_> {
        Along {
            curve: self,
            place: 0,
            last: (0.0, 0.0),
        }
    }
}

impl Along<'_> {
    /// The integral up to so much work, which is never less than before.
    fn at(&mut self, work: f64) -> f64 {
        if work == self.last.0 {
            return self.last.1;
        }
        let pieces = &self.curve.pieces;
        while pieces.get(self.place).is_some_and(|piece| piece.0 <= work) {
            self.place += 1;
        }
        let piece = self.place.checked_sub(1).map(|place| pieces[place]);
        // Behind the last window work is thought to go on without a break: that is too early, so
        // the bound still holds.
        let integral = piece.map_or(0.0, |(before, from, sum)| {
            let length = work - before;
            sum + from * length + length * length / 2.0
        });
        self.last = (work, integral);
        integral
    }
}
