//! The search against trying every order, the checker against broken schedules, the bounds.

use proptest::prelude::*;

use super::sgs::{Generator, Way};
use super::*;

const NEVER: &(dyn Fn() -> bool + Sync) = &|| false;

fn activity(duration: u32, demands: &[u32], successors: &[usize]) -> Activity {
    Activity {
        duration,
        demands: demands.to_vec(),
        successors: successors.to_vec(),
    }
}

fn problem(activities: Vec<Activity>, capacities: &[u32]) -> Problem {
    Problem::new(activities, capacities.to_vec()).expect("the problem is in order")
}

fn budget(steps: u64) -> Budget<'static> {
    Budget {
        steps,
        is_over: NEVER,
    }
}

/// A small example: one crew of 3, four pieces of work, a start and an end.
fn small() -> Problem {
    problem(
        vec![
            activity(0, &[0], &[1, 2]),
            activity(3, &[2], &[3]),
            activity(2, &[2], &[4]),
            activity(2, &[1], &[5]),
            activity(4, &[1], &[5]),
            activity(0, &[0], &[]),
        ],
        &[3],
    )
}

/// The shortest makespan over all orders that respect precedence: serial schedules in all orders
/// hold an optimal one (Sprecher, Kolisch, Drexl, 1995).
fn shortest_by_trying(problem: &Problem) -> u32 {
    fn go(problem: &Problem, order: &mut Vec<u32>, generator: &mut Generator, best: &mut u32) {
        let count = problem.activities().len();
        if order.len() == count {
            let mut starts = vec![0; count];
            let makespan = generator.generate(Way::Forward, order, &mut starts);
            let checked = check(problem, &starts).expect("every schedule keeps the problem");
            assert_eq!(checked, makespan);
            *best = makespan.min(*best);
            return;
        }
        for index in 0..count as u32 {
            let mut before = problem.predecessors(index as usize).iter();
            let is_ready = before.all(|&p| order.contains(&(p as u32)));
            if is_ready && !order.contains(&index) {
                order.push(index);
                go(problem, order, generator, best);
                order.pop();
            }
        }
    }
    let mut best = u32::MAX;
    go(
        problem,
        &mut Vec::new(),
        &mut Generator::new(problem),
        &mut best,
    );
    best
}

#[test]
fn the_small_example_is_solved_and_proved() {
    let outcome = search(&small(), 1, budget(1_000_000), 1);
    assert_eq!(check(&small(), &outcome.schedule), Ok(7));
    assert_eq!((outcome.makespan, outcome.lower_bound), (7, 7));
    assert!(outcome.is_proven);
}

#[test]
fn nothing_to_do_takes_no_time() {
    let outcome = search(&problem(vec![], &[]), 1, budget(1_000), 2);
    assert_eq!((outcome.makespan, outcome.is_proven), (0, true));
    let only = problem(vec![activity(0, &[5], &[])], &[1]);
    let outcome = search(&only, 1, budget(1_000), 2);
    assert_eq!((outcome.makespan, outcome.is_proven), (0, true));
}

#[test]
fn without_a_budget_there_is_still_a_schedule() {
    let problem = crowd(40);
    let outcome = search(&problem, 1, budget(0), 1);
    assert_eq!(check(&problem, &outcome.schedule), Ok(outcome.makespan));
    let stopped = Budget {
        steps: u64::MAX,
        is_over: &|| true,
    };
    let outcome = search(&problem, 1, stopped, 2);
    assert_eq!(check(&problem, &outcome.schedule), Ok(outcome.makespan));
}

/// Hard to prove: many pieces that do not quite fit side by side.
fn crowd(count: u32) -> Problem {
    let one = |i: u32| {
        let after: &[usize] = if i + 9 < count {
            &[i as usize + 9]
        } else {
            &[]
        };
        activity(1 + i * 7 % 5, &[1 + i * 5 % 4, i * 3 % 5, 0, 2, 1], after)
    };
    problem((0..count).map(one).collect(), &[6, 5, 1, 9, 40_000])
}

#[test]
fn threads_change_nothing() {
    let problem = crowd(40);
    let alone = search(&problem, 7, budget(3_000_000), 1);
    assert!(!alone.is_proven, "the workers met many times");
    for threads in [2, 3, 8] {
        assert_eq!(search(&problem, 7, budget(3_000_000), threads), alone);
    }
    assert_ne!(
        search(&problem, 8, budget(3_000_000), 1),
        alone,
        "the seed matters"
    );
}

#[test]
fn the_checker_finds_what_is_broken() {
    let starts = [0, 0, 3, 3, 5, 9];
    assert_eq!(check(&small(), &starts), Ok(9));
    let early = [0, 0, 3, 2, 5, 9];
    let words = check(&small(), &early)
        .expect_err("3 starts too early")
        .to_string();
    assert_eq!(words, "activity 3 starts at 2, before 1 ends at 3");
    let full = [0, 0, 2, 3, 5, 9];
    let words = check(&small(), &full)
        .expect_err("1 and 2 overlap")
        .to_string();
    assert_eq!(words, "resource 0 has 3, but 4 are held at 2");
    let short = check(&small(), &[0]).expect_err("one start").to_string();
    assert_eq!(short, "1 starts for 6 activities");
}

#[test]
fn a_problem_without_a_schedule_is_named() {
    let named = |activities, capacities: &[u32]| {
        let error = Problem::new(activities, capacities.to_vec());
        error.expect_err("has no schedule").to_string()
    };
    let circle = vec![
        activity(1, &[], &[1]),
        activity(1, &[], &[2]),
        activity(1, &[], &[0]),
    ];
    let words = named(circle, &[]);
    assert!(
        words.ends_with("wait for each other in a circle"),
        "{words}"
    );
    let words = named(vec![activity(1, &[3], &[])], &[2]);
    let wanted = "activity 0 needs 3 of resource 0, which has 2; \
                  raise the capacity or lower the demand";
    assert_eq!(words, wanted);
    assert!(named(vec![activity(1, &[1], &[])], &[0]).contains("which has 0"));
    let words = named(vec![activity(1, &[], &[7])], &[]);
    assert_eq!(
        words,
        "activity 0 names successor 7, but there are 1 activities"
    );
    let words = named(vec![activity(u32::MAX, &[], &[])], &[]);
    assert!(
        words.contains("time units of work, at most 4000000"),
        "{words}"
    );
    let words = named(vec![activity(1, &[], &[])], &[1]);
    assert_eq!(words, "activity 0 names 0 demands for 1 resources");
}

#[test]
fn wide_and_many_resources_fit_the_grid() {
    let huge = CAPACITY_MAX;
    let activities = (0..6)
        .map(|_| activity(2, &[huge / 2 + 1, 1, 1, 1, huge], &[]))
        .collect();
    let problem = problem(activities, &[huge, 6, 6, 6, huge]);
    let outcome = search(&problem, 1, budget(2_000_000), 1);
    assert_eq!(check(&problem, &outcome.schedule), Ok(12));
    assert!(outcome.is_proven);
}

prop_compose! {
    fn any_problem()(
        rows in prop::collection::vec((0..6_u32, prop::array::uniform2(0..4_u32)), 1..=7),
        links in prop::collection::vec((0..7_usize, 0..7_usize), 0..8),
        capacities in prop::collection::vec(3..6_u32, 2..=2),
    ) -> Problem {
        let count = rows.len();
        let row = |(index, (duration, demands)): (usize, &(u32, [u32; 2]))| {
            let links = links.iter().filter(|l| l.0 == index && l.1 > index && l.1 < count);
            let successors: std::collections::BTreeSet<usize> = links.map(|l| l.1).collect();
            let successors: Vec<usize> = successors.into_iter().collect();
            activity(*duration, demands, &successors)
        };
        problem(rows.iter().enumerate().map(row).collect(), &capacities)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_shortest_of_all_orders_is_found_and_proved(problem in any_problem()) {
        let outcome = search(&problem, 3, budget(20_000_000), 1);
        prop_assert_eq!(check(&problem, &outcome.schedule), Ok(outcome.makespan));
        prop_assert_eq!(outcome.makespan, shortest_by_trying(&problem));
        prop_assert!(outcome.is_proven);
    }

    #[test]
    fn no_bound_is_above_a_schedule(problem in any_problem()) {
        let shortest = shortest_by_trying(&problem);
        prop_assert!(lower_bound(&problem) <= shortest);
        prop_assert!(critical_path(&problem) <= lower_bound(&problem));
        prop_assert_eq!(shortest_by_trying(&problem.reversed()), shortest);
    }
}
