//! One island of the genetic search: schedules that breed, are pressed together and compete.
//!
//! In:    a problem, a seed, schedules from outside. Out: the best schedule so far.
//! Never: keeps two equal schedules; another answer for the same seed and count of children.
//! See:   Valls, Ballestín, Quintanilla, "A hybrid genetic algorithm for the resource-constrained
//!        project scheduling problem", 2008 (peaks); Debels, Vanhoucke, 2007 (both directions).

use super::chance::Chance;
use super::problem::Problem;
use super::sgs::{Generator, Way};

/// Children without a shorter schedule after which an island begins anew, per member.
const PATIENCE: usize = 300;

/// Most members: a crowd of so many takes minutes to agree.
const MEMBERS_MAX: usize = 1_000;

/// One schedule of the island.
#[derive(Clone)]
struct Member {
    order: Vec<u32>,
    starts: Vec<u32>,
    rank: Rank,
}

/// Smaller is better: makespan, then how much happens late.
type Rank = (u32, u64);

/// A population with its own chance.
pub(crate) struct Population {
    generator: Generator,
    chance: Chance,
    members: Vec<Member>,
    size: usize,
    best: Option<Member>,
    idle: usize,
    island_best: Rank,
    weights: Vec<u64>,
    load: Vec<u64>,
    mark: Vec<u8>,
    tails: Vec<i64>,
    heads: Vec<i64>,
    successors: Vec<Vec<u32>>,
    predecessors: Vec<Vec<u32>>,
}

impl Population {
    pub(crate) fn new(problem: &Problem, seed: u64) -> Self {
        let activities = problem.activities();
        let narrow = |list: &[usize]| list.iter().map(|&i| i as u32).collect::<Vec<u32>>();
        Self {
            generator: Generator::new(problem),
            chance: Chance::new(seed),
            members: Vec::new(),
            size: size_for(activities.len()),
            best: None,
            idle: 0,
            island_best: (u32::MAX, u64::MAX),
            weights: weights(problem),
            load: Vec::new(),
            mark: vec![0; activities.len()],
            tails: problem.tails(),
            heads: problem.heads(),
            successors: activities.iter().map(|a| narrow(&a.successors)).collect(),
            predecessors: (0..activities.len())
                .map(|i| narrow(problem.predecessors(i)))
                .collect(),
        }
    }

    /// The best schedule so far, and its makespan.
    pub(crate) fn best(&self) -> Option<(&[u32], u32)> {
        self.best
            .as_ref()
            .map(|member| (member.starts.as_slice(), member.rank.0))
    }

    /// Takes in a schedule from outside, forward starts that respect everything.
    pub(crate) fn take_in(&mut self, starts: &[u32], makespan: u32) {
        let mut starts = starts.to_vec();
        let makespan = self.generator.justify(&mut starts, makespan);
        let member = self.member(starts, makespan);
        if self.members.len() < self.size {
            self.keep_best(&member);
            self.members.push(member);
        } else {
            let worst = (0..self.members.len()).max_by_key(|&i| self.members[i].rank);
            self.replace(worst.unwrap_or(0), member);
        }
    }

    /// Breeds `count` children.
    pub(crate) fn advance(&mut self, count: usize) {
        for _ in 0..count {
            if self.members.len() < self.size {
                let member = self.newcomer();
                self.keep_best(&member);
                self.members.push(member);
                continue;
            }
            self.idle += 1;
            if self.idle > PATIENCE * self.size {
                self.begin_anew();
                continue;
            }
            self.breed();
        }
    }

    /// A larger crowd each time: what a small one finds soon, it has found by then (as in Auger,
    /// Hansen, "A restart CMA evolution strategy with increasing population size", 2005).
    fn begin_anew(&mut self) {
        self.size = (self.size * 3 / 2).min(MEMBERS_MAX);
        self.members.clear();
        self.idle = 0;
        self.island_best = (u32::MAX, u64::MAX);
    }

    fn breed(&mut self) {
        let (mother, father) = self.pair();
        let mut order = self.cross(mother, father);
        self.mutate(&mut order);
        let (starts, makespan) = self.decode(order);
        let child = self.member(starts, makespan);
        let target = if self.members[mother].rank > self.members[father].rank {
            mother
        } else {
            father
        };
        self.replace(target, child);
    }

    /// Puts a child in the place of a member that is not better, unless it is there already.
    fn replace(&mut self, target: usize, child: Member) {
        if child.rank > self.members[target].rank {
            return;
        }
        let is_there = |m: &Member| m.rank == child.rank && m.starts == child.starts;
        if self.members.iter().any(is_there) {
            return;
        }
        self.keep_best(&child);
        self.members[target] = child;
    }

    fn keep_best(&mut self, member: &Member) {
        if member.rank < self.island_best {
            if member.rank.0 < self.island_best.0 {
                self.idle = 0;
            }
            self.island_best = member.rank;
        }
        if self.best.as_ref().is_none_or(|b| member.rank < b.rank) {
            self.best = Some(member.clone());
        }
    }

    fn pair(&mut self) -> (usize, usize) {
        let count = self.members.len();
        let mother = self.chance.below(count);
        let mut father = self.chance.below(count - 1);
        if father >= mother {
            father += 1;
        }
        (mother, father)
    }

    fn member(&mut self, starts: Vec<u32>, makespan: u32) -> Member {
        let mut order = Vec::new();
        self.generator.sort(Way::Forward, &starts, &mut order);
        // Ends count by the work behind them: the less is done late, the easier it is to cut the
        // last time unit off.
        let ends = starts.iter().enumerate().map(|(index, &start)| {
            let duration = u64::from(self.generator.duration(index));
            (u64::from(start) + duration) * duration * self.weights[index]
        });
        let late = ends.sum();
        Member {
            order,
            starts,
            rank: (makespan, late),
        }
    }

    /// A schedule from regret-biased latest finish times, so that newcomers are good and different.
    fn newcomer(&mut self) -> Member {
        let count = self.mark.len();
        let mut waits: Vec<usize> = self.predecessors.iter().map(Vec::len).collect();
        let mut ready: Vec<u32> = (0..count as u32)
            .filter(|&i| waits[i as usize] == 0)
            .collect();
        let mut order = Vec::with_capacity(count);
        let rule = self.chance.below(4);
        while !ready.is_empty() {
            let picks = if rule == 3 { 1 } else { 2 + rule };
            let mut at = self.chance.below(ready.len());
            for _ in 1..picks {
                let other = self.chance.below(ready.len());
                if self.urgency(ready[other]) > self.urgency(ready[at]) {
                    at = other;
                }
            }
            let index = ready.swap_remove(at);
            order.push(index);
            for &successor in &self.successors[index as usize] {
                waits[successor as usize] -= 1;
                if waits[successor as usize] == 0 {
                    ready.push(successor);
                }
            }
        }
        let (starts, makespan) = self.decode(order);
        self.member(starts, makespan)
    }

    fn urgency(&self, index: u32) -> i64 {
        self.tails[index as usize] + i64::from(self.generator.duration(index as usize))
            - self.heads[index as usize] / 4
    }

    /// From an order to a schedule, built from the front or from the end, pressed both ways.
    fn decode(&mut self, mut order: Vec<u32>) -> (Vec<u32>, u32) {
        let mut starts = vec![0; order.len()];
        if self.chance.percent(50) {
            order.reverse();
            let makespan = self.generator.generate(Way::Backward, &order, &mut starts);
            let makespan = self.generator.turn(Way::Backward, &mut starts, makespan);
            return (starts, makespan);
        }
        let makespan = self.generator.generate(Way::Forward, &order, &mut starts);
        let makespan = self.generator.justify(&mut starts, makespan);
        (starts, makespan)
    }

    /// A stretch of the mother as it is, the rest in the father's order around it.
    fn cross(&mut self, mother: usize, father: usize) -> Vec<u32> {
        let count = self.mark.len();
        let (from, to) = if self.chance.percent(70) {
            self.peak(mother)
        } else {
            let (a, b) = (self.chance.below(count + 1), self.chance.below(count + 1));
            (a.min(b), a.max(b))
        };
        let (mother, father) = (&self.members[mother].order, &self.members[father].order);
        for (position, &index) in mother.iter().enumerate() {
            self.mark[index as usize] = u8::from(position >= from) + u8::from(position >= to);
        }
        let of = |part: u8, mark: &[u8]| {
            let wanted = |&&index: &&u32| mark[index as usize] == part;
            father.iter().filter(wanted).copied().collect::<Vec<u32>>()
        };
        let mut order = of(0, &self.mark);
        order.extend_from_slice(&mother[from..to]);
        order.extend(of(2, &self.mark));
        order
    }

    /// The best used of a few stretches of a schedule, as positions in its order.
    fn peak(&mut self, at: usize) -> (usize, usize) {
        let member = &self.members[at];
        let makespan = member.rank.0 as usize;
        self.load.clear();
        self.load.resize(makespan + 1, 0);
        for (index, &start) in member.starts.iter().enumerate() {
            let end = start + self.generator.duration(index);
            for slot in &mut self.load[start as usize..end as usize] {
                *slot += self.weights[index];
            }
        }
        let mut sum = 0;
        for slot in &mut self.load {
            sum += std::mem::replace(slot, sum);
        }
        let width = (makespan / 5 + self.chance.below(makespan / 2 + 1)).clamp(1, makespan.max(1));
        let mut from = 0;
        let mut most = 0;
        for _ in 0..3 {
            let trial = self.chance.below(makespan.saturating_sub(width) + 1);
            let end = (trial + width).min(makespan);
            let load = self.load[end] - self.load[trial];
            if load >= most {
                (most, from) = (load, trial);
            }
        }
        let position = |time: usize| {
            member
                .order
                .partition_point(|&i| (member.starts[i as usize] as usize) < time)
        };
        (position(from), position(from + width))
    }

    /// Moves a few activities elsewhere between their predecessors and successors.
    fn mutate(&mut self, order: &mut [u32]) {
        let moves = match self.chance.below(4) {
            0 => 0,
            1 => 1,
            2 => 2 + self.chance.below(3),
            _ => 1 + order.len() / 20,
        };
        for _ in 0..moves {
            let at = self.chance.below(order.len());
            let reach = 1 + self.chance.below(12);
            if self.chance.percent(50) {
                self.shift_left(order, at, reach);
            } else {
                self.shift_right(order, at, reach);
            }
        }
    }

    fn shift_left(&self, order: &mut [u32], mut at: usize, reach: usize) {
        let index = order[at];
        let before = &self.predecessors[index as usize];
        for _ in 0..reach {
            if at == 0 || before.contains(&order[at - 1]) {
                return;
            }
            order.swap(at - 1, at);
            at -= 1;
        }
    }

    fn shift_right(&self, order: &mut [u32], mut at: usize, reach: usize) {
        let index = order[at];
        let after = &self.successors[index as usize];
        for _ in 0..reach {
            if at + 1 == order.len() || after.contains(&order[at + 1]) {
                return;
            }
            order.swap(at, at + 1);
            at += 1;
        }
    }
}

/// Larger plans get more members: each stands for a region of the search.
fn size_for(activities: usize) -> usize {
    (activities / 2).clamp(20, 80)
}

/// How much of all resources an activity takes per time unit, in thousandths.
fn weights(problem: &Problem) -> Vec<u64> {
    let share =
        |(&demand, &capacity): (&u32, &u32)| u64::from(demand) * 1_000 / u64::from(capacity.max(1));
    let capacities = problem.capacities();
    let weight = |demands: &[u32]| demands.iter().zip(capacities).map(share).sum::<u64>() + 1;
    problem
        .activities()
        .iter()
        .map(|a| weight(&a.demands))
        .collect()
}
