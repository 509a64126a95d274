//! The neutral question: tasks, resources, precedence, windows, one goal.
//!
//! In:    numbers. Out: a [`Model`] whose parts fit together.
//! Never: knows where the numbers come from.

use thiserror::Error;

/// Latest time a model may speak of, so that sums of two times fit.
pub const TIME_MAX: i32 = 1 << 28;

/// One piece of work that runs without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Time units; 0 for milestones.
    pub duration: i32,
    /// Earliest start.
    pub release: i32,
    /// Latest end; [`TIME_MAX`] or less.
    pub deadline: i32,
    /// Harm per time unit until it ends; only [`Goal::WeightedCompletion`] looks at it.
    pub weight: i64,
    /// Resource and amount, each resource once.
    pub demands: Vec<(usize, i32)>,
}

/// `after` starts at least `gap` after `before` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Precedence {
    /// Index of a task.
    pub before: usize,
    /// Index of a task.
    pub after: usize,
    /// Time units, 0 or more.
    pub gap: i32,
}

/// Capacity that is not there for a while: a night, a freeze, work that cannot be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Index of a resource.
    pub resource: usize,
    /// First time unit.
    pub from: i32,
    /// Past the last time unit.
    pub to: i32,
    /// How much is taken.
    pub amount: i32,
}

/// What is to become small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The last end.
    Makespan,
    /// Σ weight × end.
    WeightedCompletion,
}

/// Tasks on resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// By index.
    pub tasks: Vec<Task>,
    /// Between tasks.
    pub precedences: Vec<Precedence>,
    /// Per resource.
    pub capacities: Vec<i32>,
    /// Blocks of missing capacity; the amounts of overlapping blocks add up.
    pub busy: Vec<Busy>,
    /// What is to become small.
    pub goal: Goal,
}

/// Why a model makes no sense.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ModelError {
    /// A number outside of its range.
    #[error("{what} of {kind} {index} is {value}; it must be between {least} and {most}")]
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// Of which kind of thing.
        kind: &'static str,
        /// Of which.
        index: usize,
        /// Given.
        value: i64,
        /// Allowed.
        least: i64,
        /// Allowed.
        most: i64,
    },
    /// Something names a task or resource that is not there.
    #[error("{kind} {index} names {what} {named}, but there are {count}")]
    Unknown {
        /// Which kind of thing names it.
        kind: &'static str,
        /// Which.
        index: usize,
        /// What is named.
        what: &'static str,
        /// Which.
        named: usize,
        /// There are.
        count: usize,
    },
}

impl Model {
    /// Looks whether all parts fit together. A model that passes may still have no schedule.
    ///
    /// # Errors
    /// [`ModelError`] for the first number out of range or name of what is not there.
    pub fn check(&self) -> Result<(), ModelError> {
        for (index, task) in self.tasks.iter().enumerate() {
            self.check_task(index, task)?;
        }
        for (index, &capacity) in self.capacities.iter().enumerate() {
            within("capacity", "resource", index, capacity, 0)?;
        }
        for (index, precedence) in self.precedences.iter().enumerate() {
            within("gap", "precedence", index, precedence.gap, 0)?;
            for named in [precedence.before, precedence.after] {
                known("precedence", index, ("task", named, self.tasks.len()))?;
            }
        }
        for (index, busy) in self.busy.iter().enumerate() {
            let count = self.capacities.len();
            known("busy block", index, ("resource", busy.resource, count))?;
            within("amount", "busy block", index, busy.amount, 0)?;
            within("start", "busy block", index, busy.from, -TIME_MAX)?;
            within("end", "busy block", index, busy.to, busy.from)?;
        }
        Ok(())
    }

    fn check_task(&self, index: usize, task: &Task) -> Result<(), ModelError> {
        within("duration", "task", index, task.duration, 0)?;
        within("release", "task", index, task.release, 0)?;
        within("deadline", "task", index, task.deadline, 0)?;
        if task.weight < 0 || task.weight > i64::from(u32::MAX) {
            return Err(ModelError::OutOfRange {
                what: "weight",
                kind: "task",
                index,
                value: task.weight,
                least: 0,
                most: u32::MAX.into(),
            });
        }
        for &(resource, amount) in &task.demands {
            let count = self.capacities.len();
            known("task", index, ("resource", resource, count))?;
            within("demand", "task", index, amount, 0)?;
        }
        Ok(())
    }

    /// The goal's value for given starts.
    pub fn value(&self, starts: &[i32]) -> i64 {
        let ends = self.tasks.iter().zip(starts);
        let ends = ends.map(|(task, start)| (i64::from(start + task.duration), task.weight));
        match self.goal {
            Goal::Makespan => ends.map(|(end, _)| end).max().unwrap_or(0),
            Goal::WeightedCompletion => ends.map(|(end, weight)| end * weight).sum(),
        }
    }

    /// Whether starts keep windows, precedence and capacity; the first breach in words.
    ///
    /// Looks at every time unit where something begins, and shares no code with the search.
    ///
    /// # Errors
    /// The breach.
    pub fn check_starts(&self, starts: &[i32]) -> Result<(), String> {
        if starts.len() != self.tasks.len() {
            return Err(format!(
                "{} starts for {} tasks",
                starts.len(),
                self.tasks.len()
            ));
        }
        for (index, (task, &start)) in self.tasks.iter().zip(starts).enumerate() {
            if start < task.release || start + task.duration > task.deadline {
                return Err(format!("task {index} leaves its window at {start}"));
            }
        }
        for p in &self.precedences {
            if starts[p.after] < starts[p.before] + self.tasks[p.before].duration + p.gap {
                return Err(format!(
                    "task {} starts before {} allows",
                    p.after, p.before
                ));
            }
        }
        let moments = starts
            .iter()
            .copied()
            .chain(self.busy.iter().map(|b| b.from));
        for moment in moments {
            self.check_moment(starts, moment)?;
        }
        Ok(())
    }

    fn check_moment(&self, starts: &[i32], moment: i32) -> Result<(), String> {
        for (resource, &capacity) in self.capacities.iter().enumerate() {
            let mut held = 0;
            for (task, &start) in self.tasks.iter().zip(starts) {
                if start <= moment && moment < start + task.duration {
                    let demands = task.demands.iter().filter(|d| d.0 == resource);
                    held += demands.map(|d| i64::from(d.1)).sum::<i64>();
                }
            }
            let blocks = self.busy.iter().filter(|b| b.resource == resource);
            let blocks = blocks.filter(|b| b.from <= moment && moment < b.to);
            let blocked: i64 = blocks.map(|b| i64::from(b.amount)).sum();
            // A block may take more than there is; then nothing may run.
            if held > 0 && held + blocked > i64::from(capacity) {
                return Err(format!("resource {resource} is overfull at {moment}"));
            }
        }
        Ok(())
    }
}

fn within(
    what: &'static str,
    kind: &'static str,
    index: usize,
    value: i32,
    least: i32,
) -> Result<(), ModelError> {
    if value >= least && value <= TIME_MAX {
        return Ok(());
    }
    Err(ModelError::OutOfRange {
        what,
        kind,
        index,
        value: value.into(),
        least: least.into(),
        most: TIME_MAX.into(),
    })
}

fn known(
    kind: &'static str,
    index: usize,
    (what, named, count): (&'static str, usize, usize),
) -> Result<(), ModelError> {
    if named < count {
        return Ok(());
    }
    Err(ModelError::Unknown {
        kind,
        index,
        what,
        named,
        count,
    })
}
