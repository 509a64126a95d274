//! The exact solver against trying everything, on models small enough for that.

use proptest::prelude::*;

use super::Strategy;
use super::*;

fn task(duration: i32, weight: i64, demands: &[(usize, i32)]) -> Task {
    Task {
        duration,
        release: 0,
        deadline: 60,
        weight,
        demands: demands.to_vec(),
    }
}

fn after(before: usize, after: usize) -> Precedence {
    Precedence {
        before,
        after,
        gap: 0,
    }
}

/// Runs to the end and gives the best value.
fn solve(model: &Model, strategy: Strategy) -> Option<i64> {
    let mut solver = Solver::new(model.clone(), strategy).expect("the model is in order");
    for _ in 0..10_000 {
        match solver.run(100_000, &|| false) {
            Status::Proven => {
                let best = solver.best();
                if let Some((starts, value)) = best {
                    model
                        .check_starts(starts)
                        .expect("the answer keeps the model");
                    assert_eq!(model.value(starts), value);
                    assert_eq!(solver.lower_bound(), value, "proved means equal bounds");
                }
                return best.map(|(_, value)| value);
            }
            Status::Improved => {
                let (starts, _) = solver.best().expect("improved");
                model
                    .check_starts(starts)
                    .expect("every answer keeps the model");
            }
            Status::Paused => {}
        }
    }
    panic!("no end");
}

/// The best value by placing tasks in every order at every start up to a horizon.
fn best_by_trying(model: &Model, horizon: i32) -> Option<i64> {
    fn go(model: &Model, starts: &mut Vec<i32>, horizon: i32, best: &mut Option<i64>) {
        let index = starts.len();
        if index == model.tasks.len() {
            if model.check_starts(starts).is_ok() {
                let value = model.value(starts);
                *best = Some(best.map_or(value, |b| b.min(value)));
            }
            return;
        }
        for start in 0..=horizon {
            starts.push(start);
            go(model, starts, horizon, best);
            starts.pop();
        }
    }
    let mut best = None;
    go(model, &mut Vec::new(), horizon, &mut best);
    best
}

#[test]
fn two_that_exclude_each_other_run_one_after_the_other() {
    let mut model = Model {
        tasks: vec![task(3, 1, &[(0, 1)]), task(2, 5, &[(0, 1)])],
        precedences: vec![],
        capacities: vec![1],
        busy: vec![],
        goal: Goal::Makespan,
    };
    assert_eq!(solve(&model, Strategy::FromAbove), Some(5));
    assert_eq!(solve(&model, Strategy::FromBelow), Some(5));
    model.goal = Goal::WeightedCompletion;
    assert_eq!(solve(&model, Strategy::FromAbove), Some(2 * 5 + 5));
}

#[test]
fn a_night_and_a_freeze_are_waited_for() {
    let night = Busy {
        resource: 0,
        from: 2,
        to: 6,
        amount: 1,
    };
    let freeze = Busy {
        resource: 0,
        from: 5,
        to: 9,
        amount: 7,
    };
    let model = Model {
        tasks: vec![task(3, 1, &[(0, 2)]), task(2, 1, &[(0, 1)])],
        precedences: vec![after(1, 0)],
        capacities: vec![2],
        busy: vec![night, freeze],
        goal: Goal::Makespan,
    };
    assert_eq!(solve(&model, Strategy::FromAbove), Some(12));
    assert_eq!(solve(&model, Strategy::FromBelow), Some(12));
}

#[test]
fn a_gap_and_a_release_are_kept() {
    let mut late = task(1, 1, &[]);
    late.release = 4;
    let model = Model {
        tasks: vec![late, task(2, 1, &[])],
        precedences: vec![Precedence {
            before: 0,
            after: 1,
            gap: 3,
        }],
        capacities: vec![],
        busy: vec![],
        goal: Goal::Makespan,
    };
    assert_eq!(solve(&model, Strategy::FromBelow), Some(10));
}

#[test]
fn what_cannot_be_is_proved_so() {
    let mut tight = task(3, 1, &[(0, 1)]);
    tight.deadline = 5;
    let circle = Model {
        tasks: vec![task(1, 1, &[]), task(1, 1, &[])],
        precedences: vec![after(0, 1), after(1, 0)],
        capacities: vec![],
        busy: vec![],
        goal: Goal::Makespan,
    };
    let crowd = Model {
        tasks: vec![tight.clone(), tight.clone()],
        precedences: vec![],
        capacities: vec![1],
        busy: vec![],
        goal: Goal::Makespan,
    };
    let giant = Model {
        tasks: vec![task(1, 1, &[(0, 2)])],
        ..crowd.clone()
    };
    for model in [circle, crowd, giant] {
        assert_eq!(solve(&model, Strategy::FromAbove), None);
        assert_eq!(solve(&model, Strategy::FromBelow), None);
    }
}

#[test]
fn a_model_that_makes_no_sense_is_named() {
    let model = Model {
        tasks: vec![task(1, 1, &[(3, 1)])],
        precedences: vec![],
        capacities: vec![1],
        busy: vec![],
        goal: Goal::Makespan,
    };
    let error = Solver::new(model.clone(), Strategy::FromAbove).err();
    let error = error.expect("resource 3 is not there").to_string();
    assert_eq!(error, "task 0 names resource 3, but there are 1");
    let mut negative = model;
    negative.tasks = vec![task(-1, 1, &[])];
    let error = Solver::new(negative, Strategy::FromAbove).err();
    let error = error.expect("a duration below 0").to_string();
    let words = "duration of task 0 is -1; it must be between 0 and 268435456";
    assert_eq!(error, words);
}

#[test]
fn a_pause_changes_nothing() {
    let tasks = (0..9)
        .map(|i| task(1 + i % 4, 1, &[(0, 1 + i % 3)]))
        .collect();
    let model = Model {
        tasks,
        precedences: vec![after(0, 4), after(1, 5), after(2, 6)],
        capacities: vec![4],
        busy: vec![],
        goal: Goal::Makespan,
    };
    let at_once = solve(&model, Strategy::FromAbove);
    let mut solver = Solver::new(model, Strategy::FromAbove).expect("in order");
    let mut pauses = 0;
    while solver.run(50, &|| false) != Status::Proven {
        pauses += 1;
        assert!(pauses < 100_000, "no end");
    }
    assert!(pauses > 2, "it was paused: {pauses}");
    assert_eq!(solver.best().map(|best| best.1), at_once);
    let mut stopped = Solver::new(solver_model(), Strategy::FromAbove).expect("in order");
    assert_eq!(stopped.run(u64::MAX / 2, &|| true), Status::Paused);
}

/// Hard enough to reach the place where it asks whether it is over.
fn solver_model() -> Model {
    let tasks = (0..40)
        .map(|i| task(2 + i % 5, 1, &[(0, 2 + i % 4)]))
        .collect();
    Model {
        tasks,
        precedences: vec![],
        capacities: vec![7],
        busy: vec![],
        goal: Goal::Makespan,
    }
}

prop_compose! {
    fn any_task()(
        duration in 0..4_i32,
        release in 0..3_i32,
        slack in 3..12_i32,
        weight in 0..6_i64,
        demands in prop::array::uniform2(0..4_i32),
    ) -> Task {
        Task {
            duration,
            release,
            deadline: (release + duration + slack).min(11),
            weight,
            demands: vec![(0, demands[0]), (1, demands[1])],
        }
    }
}

prop_compose! {
    fn any_model()(
        tasks in prop::collection::vec(any_task(), 1..5),
        links in prop::collection::vec((0..4_usize, 0..4_usize, 0..2_i32), 0..4),
        blocks in prop::collection::vec((0..2_usize, 0..6_i32, 1..4_i32, 1..4_i32), 0..3),
        capacities in prop::collection::vec(2..5_i32, 2..=2),
        is_weighted in any::<bool>(),
    ) -> Model {
        let count = tasks.len();
        let precedences = links
            .into_iter()
            .filter(|(a, b, _)| a < b && *b < count)
            .map(|(before, after, gap)| Precedence { before, after, gap })
            .collect();
        let busy = blocks
            .into_iter()
            .map(|(resource, from, length, amount)| Busy {
                resource,
                from,
                to: from + length,
                amount,
            })
            .collect();
        let goal = if is_weighted { Goal::WeightedCompletion } else { Goal::Makespan };
        Model { tasks, precedences, capacities, busy, goal }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_best_is_the_best_of_all(model in any_model()) {
        let tried = best_by_trying(&model, 11);
        prop_assert_eq!(solve(&model, Strategy::FromAbove), tried);
        prop_assert_eq!(solve(&model, Strategy::FromBelow), tried);
    }
}
