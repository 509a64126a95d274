//! Which variable the search tries next: the one most seen in recent conflicts.
//!
//! In: variables seen in conflicts. Out: the most active variable. Never: a tie by chance.

/// A heap of variables by activity.
pub(super) struct Branch {
    activity: Vec<f64>,
    increment: f64,
    heap: Vec<u32>,
    position: Vec<u32>,
}

const ABSENT: u32 = u32::MAX;

/// After every conflict, older ones count this much.
const DECAY: f64 = 0.95;

impl Branch {
    pub(super) fn new(variables: usize) -> Self {
        Self {
            activity: vec![0.0; variables],
            increment: 1.0,
            heap: (0..variables as u32).collect(),
            position: (0..variables as u32).collect(),
        }
    }

    pub(super) fn bump(&mut self, variable: usize) {
        self.activity[variable] += self.increment;
        if self.activity[variable] > 1e100 {
            self.activity.iter_mut().for_each(|a| *a *= 1e-100);
            self.increment *= 1e-100;
        }
        if self.position[variable] != ABSENT {
            self.rise(self.position[variable] as usize);
        }
    }

    pub(super) fn decay(&mut self) {
        self.increment /= DECAY;
    }

    /// Gives a variable back that is free again.
    pub(super) fn put(&mut self, variable: usize) {
        if self.position[variable] == ABSENT {
            self.position[variable] = self.heap.len() as u32;
            self.heap.push(variable as u32);
            self.rise(self.heap.len() - 1);
        }
    }

    /// Takes the most active variable.
    pub(super) fn take(&mut self) -> Option<usize> {
        let top = *self.heap.first()?;
        let last = self.heap.pop()?;
        self.position[top as usize] = ABSENT;
        if last != top {
            self.heap[0] = last;
            self.position[last as usize] = 0;
            self.sink(0);
        }
        Some(top as usize)
    }

    fn is_before(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.activity[a as usize], self.activity[b as usize]);
        x > y || (x == y && a < b)
    }

    fn rise(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.is_before(self.heap[at], self.heap[parent]) {
                return;
            }
            self.swap(at, parent);
            at = parent;
        }
    }

    fn sink(&mut self, mut at: usize) {
        loop {
            let mut best = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.is_before(self.heap[child], self.heap[best]) {
                    best = child;
                }
            }
            if best == at {
                return;
            }
            self.swap(at, best);
            at = best;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.position[self.heap[a] as usize] = a as u32;
        self.position[self.heap[b] as usize] = b as u32;
    }
}
