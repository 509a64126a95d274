//! Broken schedules for the validator, broken drafts for the problem.

use super::*;

/// Two jobs of two steps: one lane until hour 20, none from there to 24; a desk with two lanes.
fn draft() -> Draft {
    let mut draft = Draft::default();
    let mut lane = Team::steady(1);
    lane.changes.push(Change {
        from: 20,
        to: 24,
        lanes: 0,
    });
    let lane = draft.add_team(lane);
    let desk = draft.add_team(Team::steady(2));
    for release in [0, 3] {
        draft.begin_job();
        let work = draft.add(Activity {
            hours: 5,
            team: lane,
            release,
            weight: 0,
        });
        let check = draft.add(Activity {
            hours: 2,
            team: desk,
            release: 0,
            weight: 3,
        });
        draft.add_edge(work, check);
    }
    draft.agree(3, 0, 14);
    draft
}

fn found(start: [Hour; 4]) -> Vec<Flaw> {
    flaws(&draft().finish().expect("in order"), &start)
}

#[test]
fn a_schedule_in_order_is_accepted() {
    assert_eq!(found([0, 5, 5, 10]), vec![]);
    assert_eq!(found([8, 13, 3, 8]), vec![]);
}

#[test]
fn broken_schedules_are_refused() {
    let crowded = |hour| Flaw::Crowded { team: 0, hour };
    assert_eq!(found([0, 5, 4, 10]), vec![crowded(4)], "two on one lane");
    assert_eq!(found([18, 24, 3, 8]), vec![crowded(20)], "work in a freeze");
    assert_eq!(found([5, 10, 0, 8]), vec![Flaw::Early { activity: 2 }]);
    assert_eq!(found([0, 5, 5, 13]), vec![Flaw::Late { activity: 3 }]);
    let order = Flaw::Order {
        activity: 1,
        earlier: 0,
    };
    assert_eq!(found([0, 4, 5, 10]), vec![order]);
    assert_eq!(found([0, 5, 5, NONE]), vec![Flaw::NoStart { activity: 3 }]);
}

#[test]
fn a_schedule_of_another_problem_is_refused() {
    let problem = draft().finish().expect("in order");
    assert_eq!(
        flaws(&problem, &[0, 5]),
        vec![Flaw::Count {
            starts: 2,
            activities: 4
        }]
    );
}

#[test]
fn what_runs_must_stay() {
    let mut draft = draft();
    draft.fix(0, 18);
    let problem = draft.finish().expect("in order");
    // It began before its team's lanes went away, and ends in hours without any.
    assert_eq!(flaws(&problem, &[18, 23, 3, 8]), vec![]);
    assert_eq!(
        flaws(&problem, &[8, 13, 3, 8]),
        vec![Flaw::Moved { activity: 0 }]
    );
    // Nothing else may share those hours.
    let crowded = Flaw::Crowded { team: 0, hour: 18 };
    assert_eq!(flaws(&problem, &[18, 23, 15, 20])[1..], [crowded]);
}

#[test]
fn broken_drafts_are_named() {
    let good = Activity {
        hours: 1,
        team: 0,
        release: 0,
        weight: 1,
    };
    let fault = |change: fn(&mut Draft)| {
        let mut draft = draft();
        change(&mut draft);
        draft.finish().expect_err("it is broken")
    };
    assert_eq!(
        Draft::default().finish().expect_err("empty"),
        Fault::Count { count: 0 }
    );
    assert_eq!(fault(|d| d.set_hours(1, 0)), Fault::Range { activity: 1 });
    assert_eq!(
        fault(|d| d.set_hours(2, ACTIVITY_HOURS_MAX + 1)),
        Fault::Range { activity: 2 }
    );
    assert_eq!(fault(|d| d.add_edge(0, 9)), Fault::Unknown { number: 9 });
    assert_eq!(fault(|d| d.agree(7, 0, 5)), Fault::Unknown { number: 7 });
    assert_eq!(
        fault(|d| d.fix(0, HOUR_MAX + 1)),
        Fault::Range { activity: 0 }
    );
    assert_eq!(fault(|d| d.add_edge(1, 0)), Fault::Circle { activity: 0 });
    assert_eq!(fault(|d| d.add_edge(2, 2)), Fault::Circle { activity: 2 });
    let mut draft = draft();
    draft.add(Activity { team: 5, ..good });
    assert_eq!(
        draft.finish().expect_err("no such team"),
        Fault::Unknown { number: 5 }
    );
}

#[test]
fn work_longer_than_any_day_is_named() {
    let mut week = [0; WEEK];
    week[8..18].fill(2);
    let mut draft = Draft::default();
    let team = draft.add_team(Team {
        week,
        changes: vec![],
    });
    let idle = draft.add_team(Team::steady(0));
    draft.add(Activity {
        hours: 10,
        team,
        release: 0,
        weight: 1,
    });
    assert!(draft.clone().finish().is_ok());
    let mut longer = draft.clone();
    longer.add(Activity {
        hours: 11,
        team,
        release: 0,
        weight: 1,
    });
    assert_eq!(
        longer.finish().expect_err("too long"),
        Fault::TooLong { activity: 1, team }
    );
    draft.add(Activity {
        hours: 1,
        team: idle,
        release: 0,
        weight: 1,
    });
    assert_eq!(
        draft.finish().expect_err("nobody"),
        Fault::TooLong {
            activity: 1,
            team: idle
        }
    );
}

#[test]
fn an_end_that_nobody_can_keep_is_named() {
    let mut draft = draft();
    draft.agree(1, 0, 6);
    let problem = draft.finish().expect("in order");
    let missed = first_plan(&problem).expect_err("five hours and two are seven");
    assert_eq!(missed.activities, [1]);
    assert_eq!(repair(&problem, &[0, 5, 5, 10]).broken, [1]);
}
