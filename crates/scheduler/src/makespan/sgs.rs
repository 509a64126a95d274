//! Serial schedule generation: each activity as early as capacity and predecessors allow.
//!
//! In:    an order of activities. Out: starts and makespan; the same order gives the same schedule.
//! Never: a schedule that breaks precedence or capacity, provided the order respects precedence.
//! See:   Kolisch, "Serial and parallel resource-constrained project scheduling methods
//!        revisited", 1996; Valls, Ballestín, Quintanilla, "Justification and RCPSP", 2005.

use super::problem::Problem;

/// One direction of time: who waits for whom, durations and demands side by side in memory.
struct Line {
    successors: Vec<Vec<u32>>,
    topological: Vec<u32>,
}

impl Line {
    fn new(problem: &Problem) -> Self {
        let narrow = |list: &[usize]| list.iter().map(|&i| i as u32).collect::<Vec<u32>>();
        let successors = problem.activities().iter();
        Self {
            successors: successors.map(|a| narrow(&a.successors)).collect(),
            topological: narrow(problem.topological()),
        }
    }
}

/// Makes schedules of one problem, forwards and backwards in time, on a grid of time slots.
///
/// Free capacity of a slot is packed: 4 resources of 15 bits each in a word (2 of 31 bits when a
/// capacity is larger); the spare bit of each lane is the borrow that says "does not fit".
pub(crate) struct Generator {
    forward: Line,
    backward: Line,
    durations: Vec<u32>,
    demands: Vec<u64>,
    full: Vec<u64>,
    guard: u64,
    words: usize,
    grid: Vec<u64>,
    used: usize,
    earliest: Vec<u32>,
    sorted: Vec<u32>,
    counts: Vec<u32>,
}

/// Which way time runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As early as possible.
    Forward,
    /// As late as possible: starts are counted from the end.
    Backward,
}

impl Generator {
    pub(crate) fn new(problem: &Problem) -> Self {
        let is_small = problem.capacities().iter().all(|&c| c < 1 << 15);
        let (bits, guard) = if is_small {
            (16, 0x8000_8000_8000_8000)
        } else {
            (32, 0x8000_0000_8000_0000)
        };
        let lanes = 64 / bits;
        let words = problem.capacities().len().div_ceil(lanes).max(1);
        let pack = |amounts: &[u32]| {
            let mut packed = vec![0; words];
            for (index, &amount) in amounts.iter().enumerate() {
                packed[index / lanes] |= u64::from(amount) << (bits * (index % lanes));
            }
            packed
        };
        let activities = problem.activities();
        let demands = activities.iter().flat_map(|a| {
            if a.duration == 0 {
                vec![0; words]
            } else {
                pack(&a.demands)
            }
        });
        Self {
            forward: Line::new(problem),
            backward: Line::new(&problem.reversed()),
            durations: activities.iter().map(|a| a.duration).collect(),
            demands: demands.collect(),
            full: pack(problem.capacities()),
            guard,
            words,
            grid: Vec::new(),
            used: 0,
            earliest: vec![0; activities.len()],
            sorted: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Schedules in the given order. Returns the makespan.
    pub(crate) fn generate(&mut self, way: Way, order: &[u32], starts: &mut [u32]) -> u32 {
        self.clear();
        for &index in order {
            let index = index as usize;
            let start = self.place(index, self.earliest[index] as usize) as u32;
            let end = start + self.durations[index];
            starts[index] = start;
            self.used = self.used.max(end as usize);
            let line = match way {
                Way::Forward => &self.forward,
                Way::Backward => &self.backward,
            };
            for &successor in &line.successors[index] {
                let earliest = &mut self.earliest[successor as usize];
                *earliest = end.max(*earliest);
            }
        }
        self.used as u32
    }

    /// Pushes a forward schedule to the right and back to the left. Never longer than before.
    pub(crate) fn justify(&mut self, starts: &mut [u32], makespan: u32) -> u32 {
        let mid = self.turn(Way::Forward, starts, makespan);
        self.turn(Way::Backward, starts, mid)
    }

    /// Makes a schedule of the other way from one of `way`: the last to end is placed first.
    pub(crate) fn turn(&mut self, way: Way, starts: &mut [u32], makespan: u32) -> u32 {
        for (start, duration) in starts.iter_mut().zip(&self.durations) {
            *start = makespan - *start - duration;
        }
        let other = match way {
            Way::Forward => Way::Backward,
            Way::Backward => Way::Forward,
        };
        let mut order = std::mem::take(&mut self.sorted);
        self.sort(other, starts, &mut order);
        let turned = self.generate(other, &order, starts);
        self.sorted = order;
        turned
    }

    /// The activities in the order of their starts; predecessors first where starts are equal.
    pub(crate) fn sort(&mut self, way: Way, starts: &[u32], order: &mut Vec<u32>) {
        let topological = match way {
            Way::Forward => &self.forward.topological,
            Way::Backward => &self.backward.topological,
        };
        let last = starts.iter().max().map_or(0, |&start| start as usize);
        self.counts.clear();
        self.counts.resize(last + 2, 0);
        for &start in starts {
            self.counts[start as usize + 1] += 1;
        }
        for slot in 1..self.counts.len() {
            self.counts[slot] += self.counts[slot - 1];
        }
        order.clear();
        order.resize(starts.len(), 0);
        for &index in topological {
            let count = &mut self.counts[starts[index as usize] as usize];
            order[*count as usize] = index;
            *count += 1;
        }
    }

    /// Time units of an activity.
    pub(crate) fn duration(&self, index: usize) -> u32 {
        self.durations[index]
    }

    fn clear(&mut self) {
        for slot in self.grid[..self.used * self.words].chunks_exact_mut(self.words) {
            slot.copy_from_slice(&self.full);
        }
        self.used = 0;
        self.earliest.fill(0);
    }

    /// Makes the grid reach to `end`; slots nobody has used are empty.
    fn reach(&mut self, end: usize) {
        while self.grid.len() < end * self.words {
            self.grid.extend_from_slice(&self.full);
        }
    }

    /// First start from `from` on where capacity suffices; takes the capacity.
    fn place(&mut self, index: usize, from: usize) -> usize {
        let duration = self.durations[index] as usize;
        // Behind the last end everything is free: no start is later than that.
        self.reach(self.used.max(from) + duration);
        if self.words == 1 {
            return self.place_single(index, from, duration);
        }
        let demand = &self.demands[index * self.words..(index + 1) * self.words];
        let mut start = from;
        let mut slot = start + duration;
        while slot > start {
            slot -= 1;
            let free = &self.grid[slot * self.words..(slot + 1) * self.words];
            let fits = |(free, need): (&u64, &u64)| {
                ((free | self.guard) - need) & self.guard == self.guard
            };
            if !free.iter().zip(demand).all(fits) {
                start = slot + 1;
                slot = start + duration;
            }
        }
        let taken = &mut self.grid[start * self.words..(start + duration) * self.words];
        for slot in taken.chunks_exact_mut(self.words) {
            for (free, need) in slot.iter_mut().zip(demand) {
                *free -= need;
            }
        }
        start
    }

    fn place_single(&mut self, index: usize, from: usize, duration: usize) -> usize {
        let (demand, guard) = (self.demands[index], self.guard);
        let mut start = from;
        let mut slot = start + duration;
        while slot > start {
            slot -= 1;
            if ((self.grid[slot] | guard) - demand) & guard != guard {
                start = slot + 1;
                slot = start + duration;
            }
        }
        for free in &mut self.grid[start..start + duration] {
            *free -= demand;
        }
        start
    }
}
