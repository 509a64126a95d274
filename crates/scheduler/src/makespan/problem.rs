//! The question: activities that share renewable resources, some only after others.
//!
//! In:    activities as numbers. Out: a [`Problem`] that is known to have a schedule.
//! Never: keeps a problem with a cycle, a demand no resource can meet, or a horizon past the limit.

use thiserror::Error;

/// Most activities of one problem.
pub const ACTIVITIES_MAX: usize = 20_000;

/// Most resources of one problem.
pub const RESOURCES_MAX: usize = 64;

/// Longest sum of all durations. Time units; the search keeps a grid of that many slots.
pub const HORIZON_MAX: u64 = 4_000_000;

/// Largest capacity of a resource, so that sums of demands fit a word.
pub const CAPACITY_MAX: u32 = 1 << 28;

/// One piece of work that runs without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// Time units; 0 for milestones.
    pub duration: u32,
    /// Per resource, in the problem's order: how much is held while it runs.
    pub demands: Vec<u32>,
    /// Indices of activities that must not start before this one ends.
    pub successors: Vec<usize>,
}

/// Activities, capacities and precedence, checked.
#[derive(Clone, Debug)]
pub struct Problem {
    activities: Vec<Activity>,
    capacities: Vec<u32>,
    predecessors: Vec<Vec<usize>>,
    topological: Vec<usize>,
}

/// Why a problem has no schedule or is too large.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProblemError {
    /// More than the search is made for.
    #[error("{count} {what}, at most {most}; split the problem")]
    TooMany {
        /// Of which.
        what: &'static str,
        /// Given.
        count: u64,
        /// Allowed.
        most: u64,
    },
    /// The demands do not match the resources.
    #[error("activity {activity} names {given} demands for {resources} resources")]
    DemandCount {
        /// Index.
        activity: usize,
        /// Given.
        given: usize,
        /// Resources.
        resources: usize,
    },
    /// No schedule can hold it.
    #[error(
        "activity {activity} needs {demand} of resource {resource}, which has {capacity}; \
         raise the capacity or lower the demand"
    )]
    DemandOverCapacity {
        /// Index.
        activity: usize,
        /// Index.
        resource: usize,
        /// Needed.
        demand: u32,
        /// There.
        capacity: u32,
    },
    /// A successor that is not there.
    #[error("activity {activity} names successor {successor}, but there are {count} activities")]
    UnknownSuccessor {
        /// Index.
        activity: usize,
        /// Index.
        successor: usize,
        /// Activities.
        count: usize,
    },
    /// Some activities wait for each other.
    #[error("activities {} wait for each other in a circle", words(.activities))]
    Circle {
        /// Along the circle.
        activities: Vec<usize>,
    },
}

fn words(indices: &[usize]) -> String {
    let words: Vec<_> = indices.iter().map(usize::to_string).collect();
    words.join(" → ")
}

impl Problem {
    /// Checks and keeps a problem.
    ///
    /// # Errors
    /// [`ProblemError`] when it is too large, names what is not there, or has no schedule at all.
    pub fn new(activities: Vec<Activity>, capacities: Vec<u32>) -> Result<Self, ProblemError> {
        check_counts(&activities, &capacities)?;
        check_demands(&activities, &capacities)?;
        let mut predecessors = vec![Vec::new(); activities.len()];
        for (index, activity) in activities.iter().enumerate() {
            for &successor in &activity.successors {
                let count = activities.len();
                predecessors
                    .get_mut(successor)
                    .ok_or(ProblemError::UnknownSuccessor {
                        activity: index,
                        successor,
                        count,
                    })?
                    .push(index);
            }
        }
        let topological = topological_order(&activities, &predecessors)?;
        Ok(Self {
            activities,
            capacities,
            predecessors,
            topological,
        })
    }

    /// Its activities, by index.
    pub fn activities(&self) -> &[Activity] {
        &self.activities
    }

    /// Capacity per resource.
    pub fn capacities(&self) -> &[u32] {
        &self.capacities
    }

    /// What must end before an activity starts.
    pub fn predecessors(&self, index: usize) -> &[usize] {
        &self.predecessors[index]
    }

    /// All indices, every activity after its predecessors.
    pub fn topological(&self) -> &[usize] {
        &self.topological
    }

    /// The same problem with time running backwards.
    pub fn reversed(&self) -> Self {
        let mut activities = self.activities.clone();
        for (activity, before) in activities.iter_mut().zip(&self.predecessors) {
            activity.successors.clone_from(before);
        }
        let successors = self.activities.iter().map(|a| a.successors.clone());
        Self {
            activities,
            capacities: self.capacities.clone(),
            predecessors: successors.collect(),
            topological: self.topological.iter().rev().copied().collect(),
        }
    }

    /// Per activity: how long everything before it takes at least (longest chain).
    pub fn heads(&self) -> Vec<i64> {
        let mut heads = vec![0; self.activities.len()];
        for &index in &self.topological {
            let end = heads[index] + i64::from(self.activities[index].duration);
            for &successor in &self.activities[index].successors {
                heads[successor] = end.max(heads[successor]);
            }
        }
        heads
    }

    /// Per activity: how long everything after it takes at least (longest chain).
    pub fn tails(&self) -> Vec<i64> {
        self.reversed().heads()
    }
}

fn check_counts(activities: &[Activity], capacities: &[u32]) -> Result<(), ProblemError> {
    let too_many = |what, count: u64, most: u64| {
        if count > most {
            return Err(ProblemError::TooMany { what, count, most });
        }
        Ok(())
    };
    let horizon = activities.iter().map(|a| u64::from(a.duration)).sum();
    too_many("activities", activities.len() as u64, ACTIVITIES_MAX as u64)?;
    too_many("resources", capacities.len() as u64, RESOURCES_MAX as u64)?;
    too_many("time units of work", horizon, HORIZON_MAX)?;
    let most = capacities.iter().copied().max().unwrap_or(0);
    too_many("units of a resource", most.into(), CAPACITY_MAX.into())
}

fn check_demands(activities: &[Activity], capacities: &[u32]) -> Result<(), ProblemError> {
    for (index, activity) in activities.iter().enumerate() {
        if activity.demands.len() != capacities.len() {
            return Err(ProblemError::DemandCount {
                activity: index,
                given: activity.demands.len(),
                resources: capacities.len(),
            });
        }
        for (resource, (&demand, &capacity)) in activity.demands.iter().zip(capacities).enumerate()
        {
            if demand > capacity && activity.duration > 0 {
                return Err(ProblemError::DemandOverCapacity {
                    activity: index,
                    resource,
                    demand,
                    capacity,
                });
            }
        }
    }
    Ok(())
}

fn topological_order(
    activities: &[Activity],
    predecessors: &[Vec<usize>],
) -> Result<Vec<usize>, ProblemError> {
    let mut waits: Vec<usize> = predecessors.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..activities.len()).filter(|i| waits[*i] == 0).collect();
    let mut next = 0;
    while let Some(&index) = order.get(next) {
        next += 1;
        for &successor in &activities[index].successors {
            waits[successor] -= 1;
            if waits[successor] == 0 {
                order.push(successor);
            }
        }
    }
    if order.len() == activities.len() {
        return Ok(order);
    }
    Err(ProblemError::Circle {
        activities: circle(&waits, predecessors),
    })
}

/// Walks back among activities that still wait until one comes up again.
fn circle(waits: &[usize], predecessors: &[Vec<usize>]) -> Vec<usize> {
    let mut seen_at = vec![None; waits.len()];
    let mut path = Vec::new();
    let mut at = waits.iter().position(|&count| count > 0);
    while let Some(index) = at {
        if let Some(from) = seen_at[index] {
            let mut found: Vec<usize> = path.split_off(from);
            found.reverse();
            return found;
        }
        seen_at[index] = Some(path.len());
        path.push(index);
        at = predecessors[index].iter().copied().find(|p| waits[*p] > 0);
    }
    path
}
