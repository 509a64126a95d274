//! When each activity can begin at the earliest, if its team had lanes without number.
//!
//! In:    a [`Problem`]. Out: first possible starts that respect calendars, order and releases.
//! Never: looks at how many lanes there are, only whether there are any.

use super::super::problem::{NONE, Problem};
use super::super::team::Hour;
use super::super::timeline::Timeline;

/// Earliest starts.
pub(crate) fn heads(problem: &Problem) -> Vec<Hour> {
    let mut lines = vec![Timeline::default(); problem.teams.len()];
    let mut heads = vec![0; problem.count()];
    for &at in &problem.topological {
        let at = at as usize;
        let mut from = problem.release[at];
        for &need in problem.before(at) {
            from = from.max(problem.end(need as usize, heads[need as usize]));
        }
        let team = problem.team[at] as usize;
        heads[at] = match problem.fixed(at) {
            NONE => lines[team].first(&problem.teams[team], from, problem.hours[at]),
            fixed => fixed,
        };
    }
    heads
}
