//! Teams that a night interrupts, and hours in which nothing begins.

use proptest::prelude::*;

use super::super::validate::{Flaw, flaws};
use super::super::{Problem, Search, Shifts, first_plan};
use super::random::samples;

/// Days of some hours with some between them, so many.
fn shifts(work: u32, night: u32, days: u32) -> Shifts {
    let day = work + night;
    Shifts::new((0..days).map(|number| (number * day + night, (number + 1) * day)))
}

/// A sample whose first team is interrupted, with bars of a few hours on every third activity.
fn interrupted(mut draft: super::super::Draft, (work, night): (u32, u32), bar: u32) -> Problem {
    draft.set_team(0, super::super::Team::steady(1));
    draft.interrupt(0, shifts(work, night, 4));
    for activity in (0..draft.count() as u32).step_by(3) {
        draft.bar(activity, bar, bar + 5);
    }
    draft.finish().unwrap()
}

proptest! {
    /// Work and clock are the same in both directions, whatever the hour.
    #[test]
    fn work_and_clock_agree(work in 1..40_u32, night in 0..900_u32, at in 0..6_000_u32) {
        let shifts = shifts(work, night, 6);
        let worked = (0..at).filter(|hour| shifts.works(*hour)).count() as u32;
        prop_assert_eq!(shifts.worked(at), worked);
        prop_assert!(shifts.begin(worked) >= at);
        prop_assert!(shifts.works(shifts.begin(worked)));
        prop_assert_eq!(shifts.worked(shifts.begin(worked)), worked);
        if worked > 0 {
            prop_assert!(shifts.finish(worked) <= at);
            prop_assert_eq!(shifts.worked(shifts.finish(worked)), worked);
        }
    }

    /// Whatever is found, the validator, which counts hours one by one, accepts.
    #[test]
    fn schedules_over_nights_are_right(
        sample in samples(24), week in (1..9_u32, 0..16_u32), bar in 0..30_u32, seed in 0..9_u64,
    ) {
        let problem = interrupted(sample.draft(), week, bar);
        let first = first_plan(&problem).unwrap();
        prop_assert_eq!(flaws(&problem, &first.start), vec![]);
        let mut search = Search::by_start(&problem, &first.start, seed, 2).unwrap().walking(40);
        for _ in 0..3 {
            search.round(0.3);
        }
        let found = search.into_best();
        prop_assert_eq!(flaws(&problem, &found.start), vec![]);
        prop_assert!(found.cost <= first.cost);
        prop_assert_eq!(problem.cost(&found.start), found.cost);
    }
}

#[test]
fn a_start_in_barred_hours_is_a_flaw() {
    let mut draft = super::super::Draft::default();
    let team = draft.add_team(super::super::Team::steady(1));
    let activity = draft.add(super::super::Activity {
        hours: 2,
        team,
        release: 0,
        weight: 1,
    });
    draft.bar(activity, 3, 6);
    let problem = draft.finish().unwrap();
    assert_eq!(flaws(&problem, &[2]), vec![]);
    assert_eq!(flaws(&problem, &[4]), vec![Flaw::Barred { activity }]);
    assert_eq!(flaws(&problem, &[6]), vec![]);
}
