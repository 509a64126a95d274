//! What an event does to a plan: time to mend it, windows kept, order changed.
//!
//! In:    size and seed of an instance, the plan before the event. Out: [`Replanned`].
//! Never: a plan that the validator has not checked.
//!
//! The event of the study (research/planner.md §3): at hour 200 the first house's scanning team
//! loses a day, and 3 % of what has not begun turns out twice as long.

use std::time::{Duration, Instant};

use anlauf_scheduler::weighted::{self, Change, Problem, Repaired, Schedule};
use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::generator::{self, Size};

/// Hour of the event.
const NOW: u32 = 200;

/// Share of activities not begun that become twice as long.
const LONGER_SHARE: f64 = 0.03;

/// Longest piece of work of a desk: its day.
const DESK_HOURS_MAX: u32 = 10;

/// What came of it.
pub struct Replanned {
    /// Time of the repair alone.
    pub took: Duration,
    /// Processor it used. Seconds.
    pub processor: f64,
    /// Agreed ends before the event that were still ahead.
    pub agreed: usize,
    /// Those that were given up.
    pub broken: usize,
    /// Jobs that overtook another one.
    pub reordered: usize,
    /// The problem after the event, without what was given up.
    pub problem: Problem,
    /// The mended plan.
    pub schedule: Schedule,
}

/// Lets the event happen and mends the plan.
pub fn replan(size: Size, seed: u64, plan: &Schedule) -> Result<Replanned> {
    let mut problem = after(size, seed, plan)?;
    let agreed = problem
        .agreed()
        .iter()
        .filter(|at| plan.start[**at as usize] >= NOW)
        .count();
    let (begun, used) = (Instant::now(), super::processor());
    let Repaired { schedule, broken } = weighted::repair(&problem, &plan.start);
    let took = begun.elapsed();
    let processor = super::processor() - used;
    let reordered = weighted::reordered(&problem, &plan.start, &schedule.start, 24);
    problem.give_up(&broken);
    Ok(Replanned {
        took,
        processor,
        agreed,
        broken: broken.len(),
        reordered,
        problem,
        schedule,
    })
}

/// The instance after the event: what has begun is fixed.
fn after(size: Size, seed: u64, plan: &Schedule) -> Result<Problem> {
    let before = generator::instance(size, seed)?;
    let mut draft = generator::draft(size, seed)?;
    let mut chance = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(NOW.into()));
    for (at, start) in (0..).zip(&plan.start) {
        let it = before.activity(at as usize);
        if *start < NOW {
            draft.fix(at, *start);
        } else if chance.random_bool(LONGER_SHARE) {
            let is_desk = it.team as usize >= generator::central_teams(size);
            let most = if is_desk { DESK_HOURS_MAX } else { u32::MAX };
            draft.set_hours(at, (2 * it.hours).min(most));
        }
    }
    let scanning = generator::SCANNING;
    let mut team = before.teams()[scanning as usize].clone();
    team.changes.push(Change {
        from: NOW,
        to: NOW + 24,
        lanes: 0,
    });
    draft.set_team(scanning, team);
    Ok(draft.finish()?)
}
