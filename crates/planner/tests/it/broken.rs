//! The checker itself: every kind of broken plan is found.

use anlauf_model::{Minutes, Plan, TaskKind, Timestamp};
use anlauf_planner::plan;

use crate::checker::violations;
use crate::story::SEARCH;
use crate::world::{World, cell};

const STORY: &str = "site rz\n site berg\n team crew 1 8-18 1,2,3,4,5\n service net site crew
    service mail tenant crew needs=net\n service app tenant crew after=mail\n tenant elm 100 rz
    tenant oak 900 berg\n work foundation rebuild - 3\n work tenant evidence - 1
    work tenant rebuild - 2\n work tenant decision - 1\n freeze 1 1.4 rz\n now 9
    running berg/net rebuild 8.5\n hold rz 33\n slot oak/mail 30 60";

/// Breaks a right plan by hand and asks what the checker finds.
fn broken(how: impl Fn(&mut Plan)) -> String {
    let world = World::told(STORY);
    let mut plan = plan(&world.situation(), None, SEARCH).unwrap();
    assert_eq!(violations(&world.situation(), &plan), Vec::<String>::new());
    how(&mut plan);
    let plan = plan.sealed();
    violations(&world.situation(), &plan).join("\n")
}

fn shift(plan: &mut Plan, id: &str, task: TaskKind, hours: i64) {
    let row = plan
        .rows
        .iter_mut()
        .find(|row| row.cell == cell(id) && row.task == task)
        .unwrap();
    row.start = row.start + Minutes::hours(hours);
    row.end = row.end + Minutes::hours(hours);
}

#[test]
fn each_broken_rule_is_found() {
    let has = |found: String, words: &str| assert!(found.contains(words), "{found}\n<> {words}");
    let drop = broken(|plan| drop(plan.rows.remove(0)));
    has(drop, "rows are not exactly the unfinished tasks");
    let twice = broken(|plan| plan.rows.insert(0, plan.rows[0].clone()));
    has(twice, "rows are not exactly the unfinished tasks");
    let team = broken(|plan| plan.rows[0].team = None);
    has(team, "rows are not exactly the unfinished tasks");
    let order = broken(|plan| shift(plan, "elm/app", TaskKind::Rebuild, -24));
    has(order, "elm/app rebuild begins before what is before it");
    let moved = broken(|plan| shift(plan, "berg/net", TaskKind::Rebuild, 1));
    has(moved, "berg/net rebuild runs and was moved");
    let needs = broken(|plan| shift(plan, "elm/mail", TaskKind::Rebuild, -24));
    has(
        needs,
        "elm/mail rebuild begins before `needs` rz/net is open",
    );
    let after = broken(|plan| shift(plan, "oak/app", TaskKind::Decision, -48));
    has(
        after,
        "oak/app decision begins before `after` oak/mail is open",
    );
    let held = broken(|plan| shift(plan, "elm/mail", TaskKind::Evidence, -24));
    has(held, "elm/mail evidence begins while its site is held");
    let window = broken(|plan| shift(plan, "oak/mail", TaskKind::Decision, 48));
    has(window, "oak/mail opens outside its window");
    let frozen = broken(|plan| {
        let first = "2026-03-02T00:00:00Z".parse::<Timestamp>().unwrap();
        for row in plan.rows.iter_mut().filter(|r| r.cell == cell("elm/mail")) {
            (row.start, row.end) = (first + Minutes::hours(25), first + Minutes::hours(26));
        }
    });
    has(frozen, "elm/mail opens or is decided in a freeze");
    let night = broken(|plan| shift(plan, "elm/app", TaskKind::Decision, 10));
    has(night, "elm/app decision begins or ends while nobody works");
    let short = broken(|plan| {
        let row = plan
            .rows
            .iter_mut()
            .find(|row| row.cell == cell("elm/app"))
            .unwrap();
        row.end = row.end - Minutes(1);
    });
    has(short, "elm/app evidence has 59 minutes of work");
    let lanes = broken(|plan| {
        let start = plan
            .rows
            .iter()
            .find(|row| row.cell == cell("elm/app"))
            .unwrap()
            .start;
        let row = plan
            .rows
            .iter_mut()
            .find(|row| row.cell == cell("oak/app"))
            .unwrap();
        (row.start, row.end) = (start, start + Minutes::hours(1));
    });
    has(lanes, "team crew has 2 tasks");
    has(broken(|plan| plan.objective -= 1), "the objective is");
    has(broken(|plan| plan.bound = plan.objective + 1), "is above");
}

#[test]
fn a_forged_id_is_found() {
    let world = World::told(STORY);
    let mut plan = plan(&world.situation(), None, SEARCH).unwrap();
    plan.made_at = plan.made_at + Minutes(1);
    assert_eq!(
        violations(&world.situation(), &plan),
        ["the id is not the digest"]
    );
}
