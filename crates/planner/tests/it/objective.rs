//! What the plan weighs: tenants alike or by size, emergency stages in part, days of the month.

use anlauf_planner::{Search, deadlines_missed, plan, repair};

use crate::checker::violations;
use crate::world::{World, cell};

/// A large tenant and a small one whose work is as long; one crew.
const ROW: &str = "site rz\n team crew 1 0-24\n service a tenant crew\n service b tenant crew
    tenant elm 100 rz\n tenant oak 900 rz\n work tenant rebuild - 8\n work tenant decision crew 1";

fn opens(world: &World, id: &str) -> f64 {
    let search = Search { seed: 1, steps: 20 };
    let plan = plan(&world.situation(), None, search).unwrap();
    assert_eq!(violations(&world.situation(), &plan), [""; 0]);
    (plan.releases()[&cell(id)] - world.began).0 as f64 / 60.0
}

fn told(lines: &str) -> World {
    World::told(&format!("{ROW}\n {lines}"))
}

#[test]
fn people_count_alone_unless_fairness_is_asked_for() {
    // The small tenant's service is a little more urgent, but nine times fewer wait for it.
    let urgent = "service c tenant crew mta=60";
    assert_eq!(
        opens(&told(""), "elm/a").min(opens(&told(""), "elm/b")),
        27.0
    );
    let fair = told(&format!("objective 1000 400\n {urgent}"));
    let size = told(urgent);
    assert!(opens(&fair, "elm/c") < opens(&size, "elm/c"));
    assert!(
        opens(&fair, "elm/c") <= 18.0,
        "two most urgent ones come first"
    );
}

#[test]
fn a_cell_in_emergency_operation_can_wait_longer() {
    let closed = told("");
    let basic = told("stage oak/a basic");
    assert!(opens(&closed, "oak/a") <= 18.0);
    assert_eq!(
        opens(&basic, "oak/a"),
        18.0,
        "after oak/b, before the small tenant's"
    );
    let hardly = told("stage oak/a basic\n stage oak/b basic\n objective 0 10");
    assert!(opens(&hardly, "elm/a") <= 18.0 && opens(&hardly, "elm/b") <= 18.0);
}

#[test]
fn a_day_of_the_month_is_kept_when_it_can_be() {
    // The incident begins on 2 March; on 3 March at 12 service b must be open: 36 hours.
    let late = told("");
    assert_eq!(opens(&late, "elm/b").max(opens(&late, "elm/a")), 36.0);
    let kept = told("deadline b 3 4");
    assert!(opens(&kept, "elm/b") <= 28.0 && opens(&kept, "oak/b") <= 28.0);
    let search = Search { seed: 1, steps: 0 };
    let made = plan(&kept.situation(), None, search).unwrap();
    assert!(deadlines_missed(&kept.landscape, &made).is_empty());
    let repaired = repair(&kept.situation(), &made).unwrap();
    assert!(deadlines_missed(&kept.landscape, &repaired.plan).is_empty());
}

#[test]
fn a_deadline_gives_way_to_the_impossible_and_to_what_was_agreed() {
    // Nothing can be open after five hours: the next month's counts, and nothing is refused.
    let early = told("deadline b 2 5");
    assert_eq!(opens(&early, "oak/a").min(opens(&early, "oak/b")), 9.0);
    // All four by hour ten cannot be: some are given up, the agreed window is not.
    let tight = told("deadline a 2 10\n deadline b 2 10\n slot elm/a 8 10");
    assert_eq!(opens(&tight, "elm/a"), 9.0);
    let made = plan(&tight.situation(), None, Search { seed: 1, steps: 0 }).unwrap();
    let repaired = repair(&tight.situation(), &made).unwrap();
    assert!(repaired.broken.is_empty(), "{:?}", repaired.broken);
    assert_eq!(deadlines_missed(&tight.landscape, &made).len(), 3);
}

#[test]
fn the_last_day_of_a_shorter_month_is_its_end() {
    let text = format!("began 2026-02-27T00:00:00Z\n {ROW}\n deadline b 31 24");
    // 28 February ends 48 hours after the beginning: all four are done by then.
    let world = World::told(&text);
    let made = plan(&world.situation(), None, Search { seed: 1, steps: 0 }).unwrap();
    assert!(deadlines_missed(&world.landscape, &made).is_empty());
    let later = World::told(&format!("{text}\n hold rz 47"));
    let made = plan(&later.situation(), None, Search { seed: 1, steps: 0 }).unwrap();
    assert_eq!(deadlines_missed(&later.landscape, &made).len(), 2);
}
