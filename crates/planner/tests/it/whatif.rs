//! What would be if, and what would move a cell earlier.

use anlauf_model::{CellId, Timestamp};
use anlauf_planner::{Change, NoAnswer, Search, Simulation, WhatIf, levers, plan, repair, whatif};

use crate::checker::violations;
use crate::world::{World, cell};

const SIMULATION: Simulation<'static> = Simulation {
    samples: 40,
    seed: 1,
    outcomes: &[],
};

const ROW: &str = "site rz\n team crew 1 0-24\n service a tenant crew\n service b tenant crew
    tenant elm 100 rz\n tenant oak 900 rz\n work tenant rebuild - 8";

fn tried(world: &World, changes: &[Change]) -> Result<WhatIf, NoAnswer> {
    let search = Search { seed: 1, steps: 0 };
    let plan = plan(&world.situation(), None, search).unwrap();
    whatif(&world.situation(), &plan, changes, &SIMULATION)
}

fn opens(answer: &WhatIf, id: &str) -> (Timestamp, Timestamp) {
    let id = cell(id);
    (
        answer.before.plan.releases()[&id],
        answer.after.plan.releases()[&id],
    )
}

fn lanes(team: &str, lanes: u32) -> Change {
    Change::Lanes {
        team: team.parse().unwrap(),
        lanes,
    }
}

#[test]
fn no_change_changes_nothing() {
    let answer = tried(&World::told(ROW), &[]).unwrap();
    assert!(answer.effects().is_empty());
    assert_eq!(answer.ranges_before, answer.ranges_after);
}

#[test]
fn a_tenants_order_moves_its_own_cells_only() {
    let world = World::told(ROW);
    let order = vec![cell("oak/b"), cell("oak/a")];
    let tenant = "oak".parse().unwrap();
    let answer = tried(&world, &[Change::Order { tenant, order }]).unwrap();
    let moved: Vec<CellId> = answer.effects().into_iter().map(|e| e.cell).collect();
    assert_eq!(moved, [cell("oak/a"), cell("oak/b")]);
    let (before, after) = opens(&answer, "oak/b");
    assert!(after < before);
    let elm = |f: &anlauf_model::Forecast| f.cells[&cell("elm/a")];
    assert_eq!(elm(&answer.ranges_before), elm(&answer.ranges_after));
}

#[test]
fn another_pair_of_hands_brings_all_forward_and_breaks_no_rule() {
    let world = World::told(ROW);
    let answer = tried(&world, &[lanes("crew", 2)]).unwrap();
    let (before, after) = (&answer.ranges_before.whole, &answer.ranges_after.whole);
    assert!(after.unwrap().p80 < before.unwrap().p80);
    let mut changed = world.situation();
    changed.lanes.insert("crew".parse().unwrap(), 2);
    assert!(violations(&changed, &answer.after.plan).is_empty());
}

#[test]
fn a_window_is_kept_or_named_as_broken() {
    let world = World::told(ROW);
    let slot = |id: &str, from: f64, to: f64| Change::Slot {
        cell: cell(id),
        from: world.hour(from),
        to: world.hour(to),
    };
    let answer = tried(&world, &[slot("elm/b", 7.0, 9.0)]).unwrap();
    assert_eq!(opens(&answer, "elm/b").1, world.hour(8.0));
    assert!(answer.after.broken.is_empty());
    let answer = tried(&world, &[slot("elm/b", 1.0, 2.0)]).unwrap();
    assert_eq!(answer.after.broken, [cell("elm/b")]);
}

#[test]
fn a_site_that_is_freed_earlier_and_a_window_given_back() {
    let world = World::told(&format!("{ROW}\n hold rz 100\n slot oak/a 300 400"));
    let free = Change::Free {
        site: "rz".parse().unwrap(),
        at: world.hour(10.0),
    };
    let answer = tried(&world, std::slice::from_ref(&free)).unwrap();
    let (before, after) = opens(&answer, "elm/a");
    assert_eq!((before - after).0, 90 * 60);
    let back = Change::GiveBack {
        cell: cell("oak/a"),
    };
    let answer = tried(&world, &[back]).unwrap();
    assert!(opens(&answer, "oak/a").1 < world.hour(300.0));
}

#[test]
fn what_is_not_there_or_not_possible_is_told_in_words() {
    let world = World::told(ROW);
    let words = |change: Change| tried(&world, &[change]).unwrap_err().to_string();
    assert_eq!(words(lanes("nobody", 1)), "no team is called `nobody`");
    assert_eq!(
        words(Change::Drop {
            cell: cell("oak/a")
        }),
        "`oak/a` is a standard service; only others can be dropped"
    );
    let order = Change::Order {
        tenant: "oak".parse().unwrap(),
        order: vec![cell("elm/a")],
    };
    assert_eq!(words(order), "`elm/a` is not a cell of `oak`");
    let back = Change::GiveBack {
        cell: cell("oak/a"),
    };
    assert_eq!(words(back), "no window is agreed for `oak/a`");
    assert!(words(lanes("crew", 0)).contains("has no lane"));
}

#[test]
fn each_lever_does_what_it_says() {
    let world = World::told(&format!("{ROW}\n hold rz 50"));
    let search = Search { seed: 1, steps: 0 };
    let plan = plan(&world.situation(), None, search).unwrap();
    let found = levers(&world.situation(), &plan, &cell("elm/a"));
    assert!(found.len() >= 2, "{found:?}");
    assert!(
        found
            .windows(2)
            .all(|pair| pair[0].earlier >= pair[1].earlier)
    );
    for lever in &found {
        let answer = whatif(
            &world.situation(),
            &plan,
            std::slice::from_ref(&lever.change),
            &SIMULATION,
        );
        let answer = answer.unwrap();
        assert_eq!(opens(&answer, "elm/a").1, lever.opens);
    }
    let told = serde_json::to_value(&found[0]).unwrap();
    assert!(
        told["change"].is_string() && told["earlier"].is_number(),
        "{told}"
    );
    assert!(repair(&world.situation(), &plan).unwrap().broken.is_empty());
}
