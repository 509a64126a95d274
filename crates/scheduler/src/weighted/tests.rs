//! Any small problem: schedules the validator accepts, bounds below the optimum, one answer for
//! any number of threads. Broken schedules of every kind are refused.

use proptest::prelude::*;

use super::validate::{Flaw, flaws};
use super::*;

mod faults;
mod random;
mod shifts;

use random::{roomy, samples};

/// The cheapest schedule of a problem so small that every order of activities can be tried.
///
/// Placing in the order of the starts of a best schedule is again a best schedule, and so is
/// found, because the objective never gains from waiting.
fn cheapest(problem: &Problem) -> Option<u64> {
    let mut order: Vec<u32> = (0..problem.count() as u32).collect();
    let mut best = None;
    permute(&mut order, 0, &mut |order| {
        let found = serial::schedule(problem, order.iter().copied());
        if slots::late(problem, &found.start).is_empty() {
            best = Some(best.map_or(found.cost, |best: u64| best.min(found.cost)));
        }
    });
    best
}

fn permute(order: &mut [u32], from: usize, see: &mut impl FnMut(&[u32])) {
    if from == order.len() {
        return see(order);
    }
    for other in from..order.len() {
        order.swap(from, other);
        permute(order, from + 1, see);
        order.swap(from, other);
    }
}

fn rounds(threads: usize) -> Rounds {
    Rounds {
        flow: 8,
        price: 30,
        threads,
    }
}

fn searched(problem: &Problem, first: &Schedule, threads: usize) -> Schedule {
    let mut search = Search::new(problem, first.clone(), 7, threads);
    for round in 0..8 {
        search.round(1.0 - f64::from(round) / 8.0);
    }
    search.into_best()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_schedule_has_no_flaw_and_costs_no_less_than_the_bound(sample in samples(24)) {
        let problem = sample.problem();
        let first = first_plan(&problem).expect("nothing is agreed");
        prop_assert_eq!(flaws(&problem, &first.start), vec![]);
        let bound = bound(&problem, rounds(1), first.cost);
        let found = searched(&problem, &first, 1);
        prop_assert_eq!(flaws(&problem, &found.start), vec![]);
        prop_assert!(found.cost <= first.cost);
        prop_assert_eq!(found.cost, problem.cost(&found.start));
        prop_assert!(bound.cost <= found.cost as f64, "{} {}", bound.cost, found.cost);
    }

    #[test]
    fn the_bound_is_below_the_cheapest_and_the_search_not(sample in samples(6)) {
        let problem = sample.problem();
        let cheapest = cheapest(&problem).expect("nothing is agreed");
        let first = first_plan(&problem).expect("nothing is agreed");
        let bound = bound(&problem, rounds(1), first.cost);
        prop_assert!(bound.cost <= cheapest as f64, "{} {cheapest}", bound.cost);
        prop_assert!(searched(&problem, &first, 1).cost >= cheapest);
    }

    #[test]
    fn threads_change_nothing(sample in samples(24)) {
        let problem = sample.problem();
        let first = first_plan(&problem).expect("nothing is agreed");
        prop_assert_eq!(searched(&problem, &first, 1), searched(&problem, &first, 3));
        prop_assert_eq!(
            bound(&problem, rounds(1), first.cost),
            bound(&problem, rounds(3), first.cost)
        );
    }

    #[test]
    fn agreed_ends_are_kept_or_named(
        sample in samples(14), which in 0..14_usize, late in 0..9_u32,
    ) {
        // What some schedule does can be agreed, and then some schedule keeps it.
        let free = sample.problem();
        let reference = first_plan(&free).expect("nothing is agreed");
        let at = which % free.count();
        let end = reference.start[at] + free.activity(at).hours;
        let mut draft = sample.draft();
        draft.agree(at as u32, 0, end + late);
        let problem = draft.finish().expect("as before");
        match first_plan(&problem) {
            Ok(plan) => {
                prop_assert_eq!(flaws(&problem, &plan.start), vec![]);
                let found = searched(&problem, &plan, 2);
                prop_assert_eq!(flaws(&problem, &found.start), vec![]);
                let bound = bound(&problem, rounds(1), plan.cost);
                prop_assert!(bound.cost <= found.cost as f64);
            }
            Err(missed) => prop_assert_eq!(missed.activities, vec![at as u32]),
        }
    }

    #[test]
    fn every_step_of_a_walk_keeps_everything(sample in samples(24), seed in 0..9_u64) {
        // Before the left shift and the round's own look at ends, which would hide a broken step.
        let free = sample.problem();
        let first = first_plan(&free).expect("nothing is agreed");
        let mut draft = sample.draft();
        for at in (0..free.count()).step_by(3) {
            draft.agree(at as u32, 0, first.start[at] + free.activity(at).hours + 2);
        }
        let problem = draft.finish().expect("as before");
        let walked = walk::Walk::new(&problem, &first, seed).walked(300, 50.0);
        prop_assert_eq!(flaws(&problem, &walked.start), vec![]);
        prop_assert_eq!(walked.cost, problem.cost(&walked.start));
    }

    #[test]
    fn sorting_by_start_moves_nothing_later(sample in samples(24)) {
        let problem = sample.problem();
        // As late as a schedule with all starts doubled, which is one without any lane missing.
        let first = first_plan(&problem).expect("nothing is agreed");
        let again = serial::left_shifted(&problem, &first.start);
        for (new, old) in again.start.iter().zip(&first.start) {
            prop_assert!(new <= old);
        }
    }

    #[test]
    fn a_repair_leaves_what_runs_and_breaks_no_rule(sample in samples(24), now in 0..60_u32) {
        let problem = sample.problem();
        let first = first_plan(&problem).expect("nothing is agreed");
        let mut draft = sample.draft();
        for (at, start) in (0..).zip(&first.start) {
            if *start < now {
                draft.fix(at, *start);
            }
        }
        let changed = draft.finish().expect("as before");
        let repaired = repair(&changed, &first.start);
        prop_assert_eq!(flaws(&changed, &repaired.schedule.start), vec![]);
        prop_assert_eq!(repaired.broken, vec![]);
        // Nothing happened but time: nothing moves to a later hour.
        for (new, old) in repaired.schedule.start.iter().zip(&first.start) {
            prop_assert!(new <= old);
        }
        let bound = bound(&changed, rounds(1), first.cost);
        let cost = repaired.schedule.cost as f64;
        prop_assert!(bound.cost <= cost, "{} {cost}", bound.cost);
    }
}

/// Two activities on one lane that have the same agreed end: one of them is given up, not both.
#[test]
fn as_few_agreed_ends_as_possible_are_broken() {
    let mut draft = Draft::default();
    let team = draft.add_team(Team::steady(1));
    for _ in 0..3 {
        draft.begin_job();
        let at = draft.add(Activity {
            hours: 4,
            team,
            release: 0,
            weight: 1,
        });
        draft.agree(at, 0, 8);
    }
    let problem = draft.finish().expect("in order");
    let repaired = repair(&problem, &[0, 4, 8]);
    assert_eq!(repaired.broken.len(), 1);
    let mut fewer = problem.clone();
    fewer.give_up(&repaired.broken);
    assert_eq!(flaws(&fewer, &repaired.schedule.start), vec![]);
}

#[test]
fn only_who_overtook_counts_as_reordered() {
    let mut draft = Draft::default();
    let team = draft.add_team(Team::steady(1));
    for _ in 0..4 {
        draft.begin_job();
        draft.add(Activity {
            hours: 1,
            team,
            release: 0,
            weight: 1,
        });
    }
    let problem = draft.finish().expect("in order");
    assert_eq!(
        reordered(&problem, &[0, 1, 2, 3], &[5, 6, 7, 8], 1),
        0,
        "all later, same order"
    );
    assert_eq!(
        reordered(&problem, &[0, 1, 2, 3], &[3, 0, 1, 2], 1),
        1,
        "one went behind three"
    );
    assert_eq!(
        reordered(&problem, &[0, 0, 1, 2], &[1, 0, 2, 3], 1),
        0,
        "no order in one hour"
    );
}

#[test]
fn prices_do_not_run_away() {
    let problem = roomy().problem();
    let first = first_plan(&problem).expect("nothing is agreed");
    let bound = bound(&problem, rounds(1), first.cost);
    assert!(
        bound.cost <= first.cost as f64,
        "{} {}",
        bound.cost,
        first.cost
    );
}

#[test]
fn a_chain_waits_for_the_night_to_end() {
    let mut draft = Draft::default();
    let mut week = [0; WEEK];
    for (hour, lanes) in week.iter_mut().enumerate() {
        *lanes = u8::from((8..18).contains(&(hour % 24)));
    }
    let team = draft.add_team(Team {
        week,
        changes: vec![Change {
            from: 8,
            to: 12,
            lanes: 0,
        }],
    });
    draft.begin_job();
    let first = draft.add(Activity {
        hours: 4,
        team,
        release: 0,
        weight: 0,
    });
    let second = draft.add(Activity {
        hours: 4,
        team,
        release: 0,
        weight: 5,
    });
    draft.add_edge(first, second);
    let problem = draft.finish().expect("in order");
    let plan = first_plan(&problem).expect("nothing is agreed");
    // 12 to 16, then only two hours are left before the night.
    assert_eq!(plan.start, [12, 32]);
    let bound = bound(&problem, rounds(1), plan.cost);
    assert_eq!(bound.cost, 5.0 * 36.0);
}
