//! Looks whether a schedule keeps precedence and capacity, sharing no code with the search.
//!
//! In:    a problem, starts. Out: nothing, or the first breach in words.
//! Never: repairs anything.

use thiserror::Error;

use super::problem::Problem;

/// What is wrong with a schedule.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Breach {
    /// Not one start per activity.
    #[error("{starts} starts for {activities} activities")]
    StartCount {
        /// Given.
        starts: usize,
        /// Wanted.
        activities: usize,
    },
    /// Starts before a predecessor ends.
    #[error("activity {after} starts at {start}, before {before} ends at {end}")]
    Precedence {
        /// Index.
        before: usize,
        /// Index.
        after: usize,
        /// Of `after`.
        start: u64,
        /// Of `before`.
        end: u64,
    },
    /// More in use than there is.
    #[error("resource {resource} has {capacity}, but {held} are held at {moment}")]
    Capacity {
        /// Index.
        resource: usize,
        /// Time unit.
        moment: u64,
        /// In use.
        held: u64,
        /// There.
        capacity: u32,
    },
}

/// The last end of a schedule that keeps everything.
///
/// # Errors
/// [`Breach`]: the first one.
pub fn check(problem: &Problem, starts: &[u32]) -> Result<u32, Breach> {
    let activities = problem.activities();
    if starts.len() != activities.len() {
        return Err(Breach::StartCount {
            starts: starts.len(),
            activities: activities.len(),
        });
    }
    let end_of = |index: usize| u64::from(starts[index]) + u64::from(activities[index].duration);
    for (before, activity) in activities.iter().enumerate() {
        for &after in &activity.successors {
            let (start, end) = (u64::from(starts[after]), end_of(before));
            if start < end {
                return Err(Breach::Precedence {
                    before,
                    after,
                    start,
                    end,
                });
            }
        }
    }
    for (resource, &capacity) in problem.capacities().iter().enumerate() {
        // Rises and falls in order of time; at one moment falls come first.
        let mut changes: Vec<(u64, bool, u64)> = Vec::new();
        for (index, activity) in activities.iter().enumerate() {
            let demand = u64::from(activity.demands[resource]);
            if demand > 0 && activity.duration > 0 {
                changes.push((starts[index].into(), true, demand));
                changes.push((end_of(index), false, demand));
            }
        }
        changes.sort_unstable();
        let mut held = 0;
        for (moment, is_rise, demand) in changes {
            held = if is_rise {
                held + demand
            } else {
                held - demand
            };
            if held > u64::from(capacity) {
                return Err(Breach::Capacity {
                    resource,
                    moment,
                    held,
                    capacity,
                });
            }
        }
    }
    let last = (0..activities.len()).map(end_of).max().unwrap_or(0);
    Ok(last.min(u32::MAX.into()) as u32)
}
