//! Checks a schedule without trusting whoever made it.
//!
//! In:    a [`Problem`], a start for each activity. Out: nothing, or every [`Flaw`] found.
//! Never: uses anything that made the schedule; it counts lanes hour by hour.

use super::problem::{NONE, Problem};
use super::team::Hour;

/// What is wrong with a schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Flaw {
    /// Another number of starts than of activities.
    #[error("{starts} starts for {activities} activities")]
    Count {
        /// Starts given.
        starts: usize,
        /// Activities of the problem.
        activities: usize,
    },
    /// An activity has no start, or one too late to count with.
    #[error("activity {activity} has no start")]
    NoStart {
        /// Its position.
        activity: u32,
    },
    /// An activity begins before its release or the beginning of its window.
    #[error("activity {activity} begins before its release")]
    Early {
        /// Its position.
        activity: u32,
    },
    /// An activity ends after its agreed end.
    #[error("activity {activity} ends after its agreed end")]
    Late {
        /// Its position.
        activity: u32,
    },
    /// An activity begins before the end of what it waits for.
    #[error("activity {activity} begins before the end of {earlier}")]
    Order {
        /// Its position.
        activity: u32,
        /// What it waits for.
        earlier: u32,
    },
    /// An activity begins in hours that are barred.
    #[error("activity {activity} begins in barred hours")]
    Barred {
        /// Its position.
        activity: u32,
    },
    /// What already runs was moved.
    #[error("activity {activity} already runs and was moved")]
    Moved {
        /// Its position.
        activity: u32,
    },
    /// An hour has more activities of a team than lanes; none in a night or freeze.
    #[error("team {team} has more work than lanes in hour {hour}")]
    Crowded {
        /// Position of the team.
        team: u32,
        /// The first such hour.
        hour: Hour,
    },
}

/// Every flaw of a schedule; at most one for each activity, edge and team.
pub fn flaws(problem: &Problem, start: &[Hour]) -> Vec<Flaw> {
    let activities = problem.count();
    if start.len() != activities {
        return vec![Flaw::Count {
            starts: start.len(),
            activities,
        }];
    }
    let mut flaws: Vec<Flaw> = (0..activities)
        .filter(|at| start[*at] > NONE / 2)
        .map(no_start)
        .collect();
    if !flaws.is_empty() {
        return flaws;
    }
    for at in 0..activities {
        check_activity(problem, start, at, &mut flaws);
    }
    check_lanes(problem, start, &mut flaws);
    flaws
}

fn no_start(at: usize) -> Flaw {
    Flaw::NoStart {
        activity: at as u32,
    }
}

fn check_activity(problem: &Problem, start: &[Hour], at: usize, flaws: &mut Vec<Flaw>) {
    let activity = at as u32;
    let it = problem.activity(at);
    let fixed = problem.fixed(at);
    if fixed != NONE {
        // What runs began when it began; nothing else is asked of it.
        if start[at] != fixed {
            flaws.push(Flaw::Moved { activity });
        }
        return;
    }
    if start[at] < it.release {
        flaws.push(Flaw::Early { activity });
    }
    let barred = problem.bars.iter().filter(|bar| bar.activity == activity);
    if barred
        .into_iter()
        .any(|bar| bar.from <= start[at] && start[at] < bar.to)
    {
        flaws.push(Flaw::Barred { activity });
    }
    if end_of(problem, at, start[at]) > problem.due(at) {
        flaws.push(Flaw::Late { activity });
    }
    for &earlier in problem.before(at) {
        let before = earlier as usize;
        if end_of(problem, before, start[before]) > start[at] {
            flaws.push(Flaw::Order { activity, earlier });
        }
    }
}

/// End on the clock; of a team with shifts by going through its hours one by one.
fn end_of(problem: &Problem, at: usize, start: Hour) -> Hour {
    let Some(shifts) = problem.shifts_of(at) else {
        return start + problem.activity(at).hours;
    };
    let (mut left, mut hour) = (problem.activity(at).hours, start);
    while left > 0 {
        left -= u32::from(shifts.works(hour));
        hour += 1;
    }
    hour
}

/// Where activities of one team lie on the axis that its lanes count: the clock, or hours of work,
/// counted one by one.
fn places(problem: &Problem, start: &[Hour], of: &[u32]) -> Vec<Hour> {
    let start = of.iter().map(|at| start[*at as usize]);
    let shifts = of.first().and_then(|at| problem.shifts_of(*at as usize));
    let Some(shifts) = shifts else {
        return start.collect();
    };
    let last = start.clone().max().unwrap_or(0);
    let mut worked = vec![0];
    for hour in 0..last {
        worked.push(worked[hour as usize] + Hour::from(shifts.works(hour)));
    }
    start.map(|hour| worked[hour as usize]).collect()
}

/// Goes through each team's hours with the activities sorted by start and by end.
fn check_lanes(problem: &Problem, start: &[Hour], flaws: &mut Vec<Flaw>) {
    let mut of_team: Vec<Vec<u32>> = vec![Vec::new(); problem.teams().len()];
    for at in 0..problem.count() {
        of_team[problem.activity(at).team as usize].push(at as u32);
    }
    for (team, of) in (0..).zip(&of_team) {
        let hour = crowded(problem, start, team as usize, of);
        flaws.extend(hour.map(|hour| Flaw::Crowded { team, hour }));
    }
}

/// First hour with more activities than lanes. An hour that only what already runs fills is not
/// counted: nobody can change it.
fn crowded(problem: &Problem, start: &[Hour], team: usize, of: &[u32]) -> Option<Hour> {
    let place = places(problem, start, of);
    let end = |index: usize| place[index] + problem.activity(of[index] as usize).hours;
    let horizon = (0..of.len()).map(end).max()?;
    let mut change = vec![0_i32; horizon as usize + 1];
    let mut movable = vec![0_i32; horizon as usize + 1];
    for (index, &at) in of.iter().enumerate() {
        change[place[index] as usize] += 1;
        change[end(index) as usize] -= 1;
        if problem.fixed(at as usize) == NONE {
            movable[place[index] as usize] += 1;
            movable[end(index) as usize] -= 1;
        }
    }
    let (mut busy, mut moved) = (0, 0);
    for hour in 0..horizon {
        busy += change[hour as usize];
        moved += movable[hour as usize];
        if moved > 0 && busy > i32::from(problem.teams()[team].lanes(hour)) {
            return Some(hour);
        }
    }
    None
}
