//! Instances in the manner of PSPLIB, from a size and a seed.
//!
//! In:    size, network complexity, resource factor, resource strength, seed. Out: a problem.
//! Never: another instance for the same arguments.
//! See:   Kolisch, Sprecher, Drexl, "Characterization and generation of a general class of
//!        resource-constrained project scheduling problems", 1995.

use anlauf_scheduler::makespan::{Activity, Problem};
use anyhow::Result;

/// What an instance is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Activities that work, without the first and the last.
    pub size: usize,
    /// Arcs per activity.
    pub complexity: f64,
    /// Share of the resources that an activity uses, in percent.
    pub factor: u32,
    /// 0: capacity for the largest demand only; 100: enough for everything at its earliest.
    pub strength: u32,
    /// For chance.
    pub seed: u64,
}

/// Resources of every instance, as in PSPLIB.
const RESOURCES: usize = 4;

/// Longest duration and largest demand, as in PSPLIB.
const LARGEST: u64 = 10;

/// Most direct successors and predecessors, as in PSPLIB.
const NEIGHBOURS_MAX: usize = 3;

/// The shapes of a set: every mix of the parameters of J120, one seed each, in turn.
pub fn shapes(size: usize, count: usize, seed: u64) -> Vec<Shape> {
    let shape = |index: usize| {
        // 7 and 12 have no common divisor: each prefix of the set is mixed.
        let mix = index * 7;
        Shape {
            size,
            complexity: [1.5, 1.8, 2.1][mix % 3],
            factor: [25, 50, 75, 100][mix % 4],
            strength: [10, 20, 30, 40][(index / 4 + index) % 4],
            seed: seed.wrapping_add(index as u64),
        }
    };
    (0..count).map(shape).collect()
}

/// Makes an instance.
///
/// # Errors
/// A size that the search does not take.
pub fn generate(shape: Shape) -> Result<Problem> {
    let mut chance = Chance(shape.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ shape.size as u64);
    let count = shape.size + 2;
    let successors = network(&mut chance, count, shape.complexity);
    let works = |index: usize| index > 0 && index + 1 < count;
    let mut activities = Vec::new();
    for (index, successors) in successors.into_iter().enumerate() {
        let mut demands = vec![0; RESOURCES];
        let mut duration = 0;
        if works(index) {
            duration = 1 + chance.below(LARGEST) as u32;
            let most = RESOURCES as u32 * shape.factor;
            while (demands.iter().filter(|d| **d > 0).count() as u32) * 100 < most {
                demands[chance.below(RESOURCES as u64) as usize] = 1 + chance.below(LARGEST) as u32;
            }
        }
        activities.push(Activity {
            duration,
            demands,
            successors,
        });
    }
    let capacities = capacities(&activities, shape.strength)?;
    Ok(Problem::new(activities, capacities)?)
}

/// Arcs from lower to higher index, none that follows from others.
fn network(chance: &mut Chance, count: usize, complexity: f64) -> Vec<Vec<usize>> {
    let last = count - 1;
    let mut net = Net {
        successors: vec![Vec::new(); count],
        indegree: vec![0; count],
        reaches: vec![vec![false; count]; count],
    };
    for index in 1..last {
        if index > NEIGHBOURS_MAX {
            // Bounded tries: some activity before it has room, sooner or later.
            for _ in 0..200 {
                let before = 1 + chance.below(index as u64 - 1) as usize;
                if net.link(before, index) {
                    break;
                }
            }
        }
        if net.indegree[index] == 0 {
            net.successors[0].push(index);
            net.indegree[index] += 1;
        }
    }
    let wanted = (complexity * count as f64) as usize;
    for _ in 0..100 * wanted {
        if net.successors.iter().map(Vec::len).sum::<usize>() >= wanted {
            break;
        }
        let before = 1 + chance.below(last as u64 - 2) as usize;
        let reach = (last - before - 1) as u64;
        let after = before + 1 + chance.below(reach.max(1)) as usize;
        if after < last {
            net.link(before, after);
        }
    }
    for index in 1..last {
        if net.successors[index].is_empty() {
            net.successors[index].push(last);
        }
    }
    net.successors
}

struct Net {
    successors: Vec<Vec<usize>>,
    indegree: Vec<usize>,
    reaches: Vec<Vec<bool>>,
}

impl Net {
    /// Adds an arc, unless it follows from others, would make one follow, or finds no room.
    fn link(&mut self, before: usize, after: usize) -> bool {
        let is_full = self.successors[before].len() >= NEIGHBOURS_MAX
            || self.indegree[after] >= NEIGHBOURS_MAX;
        if is_full || self.reaches[before][after] || self.makes_redundant(before, after) {
            return false;
        }
        self.successors[before].push(after);
        self.indegree[after] += 1;
        let count = self.reaches.len();
        let from: Vec<usize> = (0..count)
            .filter(|&i| i == before || self.reaches[i][before])
            .collect();
        let to: Vec<usize> = (0..count)
            .filter(|&i| i == after || self.reaches[after][i])
            .collect();
        for &a in &from {
            for &b in &to {
                self.reaches[a][b] = true;
            }
        }
        true
    }

    fn makes_redundant(&self, before: usize, after: usize) -> bool {
        let comes_before = |a: usize| a == before || self.reaches[a][before];
        let comes_after = |b: usize| b == after || self.reaches[after][b];
        let arcs = self.successors.iter().enumerate();
        arcs.filter(|(a, _)| comes_before(*a))
            .any(|(_, successors)| successors.iter().any(|&b| comes_after(b)))
    }
}

fn capacities(activities: &[Activity], strength: u32) -> Result<Vec<u32>> {
    let boundless = vec![u32::MAX >> 8; RESOURCES];
    let heads = Problem::new(activities.to_vec(), boundless)?.heads();
    let horizon: usize = activities.iter().map(|a| a.duration as usize).sum();
    let one = |resource: usize| {
        let mut load = vec![0; horizon + 1];
        for (activity, &head) in activities.iter().zip(&heads) {
            for slot in &mut load[head as usize..head as usize + activity.duration as usize] {
                *slot += activity.demands[resource];
            }
        }
        let peak = load.into_iter().max().unwrap_or(0);
        let largest = activities.iter().map(|a| a.demands[resource]).max();
        let largest = largest.unwrap_or(0);
        (largest + (strength * (peak - largest) + 50) / 100).max(1)
    };
    Ok((0..RESOURCES).map(one).collect())
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % count.max(1)
    }
}
