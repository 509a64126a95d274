//! Two ways to a cell's people: straight, or by emergency operation and back.

use anlauf_model::{Plan, TaskKind, Wait};
use anlauf_planner::{
    Because, Search, Simulation, Why, causes, diff, forecast_to_tell, plan, repair, whatif, why,
};

use crate::checker::violations;
use crate::world::{World, cell};

/// Payments take 80 hours of one crew; a small environment beside takes 8 of another.
const PAYMENTS: &str = "site rz\n team crew 1 0-24\n team spare 1 0-24
    service pay tenant crew\n service small tenant spare emergency=pay share=100
    tenant oak 900 rz\n work tenant rebuild - 80\n work tenant return crew 10
    work tenant decision spare 1";

const SEARCH: Search = Search { seed: 1, steps: 20 };

fn made(world: &World) -> Plan {
    let made = plan(&world.situation(), None, SEARCH).unwrap();
    assert_eq!(violations(&world.situation(), &made), [""; 0]);
    made
}

fn opens(world: &World, plan: &Plan, id: &str) -> Option<f64> {
    let open = plan.releases().get(&cell(id)).copied()?;
    Some((open - world.began).0 as f64 / 60.0)
}

fn told(lines: &str) -> World {
    World::told(&format!("{PAYMENTS}\n {lines}"))
}

#[test]
fn a_short_way_is_taken_and_the_way_back_is_planned() {
    let world = told("");
    let made = made(&world);
    // 8 hours of rebuild and a tenth of an hour's decision; then 80, 10 back, 1 to decide.
    assert_eq!(opens(&world, &made, "oak/small"), Some(8.1));
    assert_eq!(opens(&world, &made, "oak/pay"), Some(91.0));
    let rows = |task| made.rows.iter().filter(|row| row.task == task).count();
    assert_eq!(rows(TaskKind::Return), 1);
    assert_eq!(rows(TaskKind::Rebuild), 2);
}

#[test]
fn a_way_that_gains_nothing_is_left() {
    // 0.4 of the harm is left from hour 8 to 91; without it all of it to hour 81: taken. When the
    // way takes as long as the whole, or ends no harm, it is not.
    for lines in [
        "objective 0 1000",
        "team slow 1 0-1\n service slow tenant slow emergency=pay",
    ] {
        let text = match lines.starts_with("team") {
            true => PAYMENTS.replace(
                "service small tenant spare emergency=pay share=100",
                "team slow 1 0-1\n service small tenant slow emergency=pay",
            ),
            false => format!("{PAYMENTS}\n {lines}"),
        };
        let world = World::told(&text);
        let made = made(&world);
        assert_eq!(opens(&world, &made, "oak/small"), None, "{lines}");
        assert_eq!(opens(&world, &made, "oak/pay"), Some(81.0), "{lines}");
        assert!(made.rows.iter().all(|row| row.task != TaskKind::Return));
    }
}

#[test]
fn each_tenant_is_looked_at_by_itself() {
    // One small environment at a time: worth its work for many people, not for one.
    let world = World::told(
        "site rz\n team crew 2 0-24\n team spare 1 0-24\n service pay tenant crew
         service small tenant spare emergency=pay share=900
         tenant oak 900000 rz\n tenant elm 1 rz
         work tenant rebuild - 80\n work tenant return crew 1\n objective 0 100",
    );
    let made = made(&world);
    assert_eq!(opens(&world, &made, "oak/small"), Some(72.0));
    assert_eq!(
        opens(&world, &made, "elm/small"),
        None,
        "it would wait until 144"
    );
}

#[test]
fn what_has_begun_is_not_given_up() {
    let world = told("objective 0 1000\n running oak/small rebuild 0\n now 1");
    let made = made(&world);
    assert!(opens(&world, &made, "oak/small").is_some());
    assert!(made.rows.iter().any(|row| row.task == TaskKind::Return));
}

#[test]
fn nobody_returns_from_what_is_not_open_yet() {
    // The environment takes an hour a day, eight days; the regular service is rebuilt after four.
    let slow = PAYMENTS.replace("team spare 1 0-24", "team spare 1 0-24\n team slow 1 0-1");
    let slow = slow.replace("small tenant spare", "small tenant slow");
    let world = World::told(&format!("{slow}\n running oak/small rebuild 0\n now 1"));
    let made = made(&world);
    let opened = opens(&world, &made, "oak/small").unwrap();
    assert!(opened > 7.0 * 24.0, "{opened}");
    assert_eq!(opens(&world, &made, "oak/pay"), Some(opened + 11.0));
}

#[test]
fn what_was_agreed_is_not_given_up() {
    let world = told("objective 0 1000\n slot oak/small 20 30");
    let made = made(&world);
    assert_eq!(opens(&world, &made, "oak/small"), Some(20.1));
}

#[test]
fn an_open_emergency_operation_leaves_a_part_of_the_harm_and_the_way_back() {
    let world = told("open oak/small\n now 9");
    let made = made(&world);
    assert_eq!(opens(&world, &made, "oak/small"), None);
    assert_eq!(opens(&world, &made, "oak/pay"), Some(9.0 + 91.0));
    // Harm 100 an hour (10,000 / mta 100) for 900 people, of which 0.4 are left.
    assert_eq!(made.objective, 100 * 900 * 4 / 10 * 100);
}

#[test]
fn a_shared_environment_is_brought_up_once_and_only_if_wanted() {
    let text = |share: u32| {
        format!(
            "site cloud\n site rz\n team crew 1 0-24\n team spare 1 0-24
             service pay tenant crew\n service small shared spare emergency=pay share={share}
             tenant oak 900 rz\n tenant elm 700 rz
             work tenant rebuild - 80\n work shared rebuild - 40\n work switch rebuild - 2
             work tenant return crew 1\n hold rz 100"
        )
    };
    let world = World::told(&text(1000));
    let made = made(&world);
    // It stands at another site, which forensics does not hold: 40 hours, then 2 for each switch.
    // The switches are of the tenants; their site is held.
    assert_eq!(opens(&world, &made, "shared/small"), Some(40.0));
    assert_eq!(opens(&world, &made, "oak/small"), Some(102.0));
    let world = World::told(&text(9000));
    let made = self::made(&world);
    assert_eq!(opens(&world, &made, "shared/small"), None);
}

#[test]
fn a_repair_keeps_the_way_and_forecast_why_and_diff_know_it() {
    let world = told("");
    let first = made(&world);
    let later = told("now 5\n done oak/pay rebuild 0 3\n running oak/small rebuild 0");
    let repaired = repair(&later.situation(), &first).unwrap().plan;
    assert_eq!(violations(&later.situation(), &repaired), [""; 0]);
    assert!(opens(&later, &repaired, "oak/small").is_some());

    let simulation = Simulation {
        samples: 50,
        seed: 1,
        outcomes: &[],
    };
    let ranges = forecast_to_tell(&later.situation(), &repaired, &simulation);
    let [small, pay] = ["oak/small", "oak/pay"].map(|id| ranges.cells[&cell(id)]);
    assert!(
        small.p50 < pay.p50,
        "the way back begins when there is something to return from"
    );
    assert!(ranges.waits.is_empty());

    let chain = why(&later.situation(), &repaired, &cell("oak/pay"));
    let holds = Why::After {
        cell: cell("oak/small"),
        until: repaired.releases()[&cell("oak/small")],
    };
    assert!(chain.contains(&holds), "{chain:?}");

    let found = causes(&first, &later.situation());
    let told = diff(&later.landscape, &first, &repaired, found);
    let moved = told.moved.iter().find(|one| one.cell == cell("oak/pay"));
    assert!(matches!(
        moved.unwrap().because,
        Because::After { .. } | Because::Work { .. } | Because::Order
    ));
    whatif(&later.situation(), &repaired, &[], &simulation).unwrap();
}

#[test]
fn a_plan_without_the_way_waits_for_nothing() {
    let world = told("objective 0 1000");
    let made = made(&world);
    let simulation = Simulation {
        samples: 20,
        seed: 1,
        outcomes: &[],
    };
    let ranges = forecast_to_tell(&world.situation(), &made, &simulation);
    assert_eq!(ranges.cells.keys().collect::<Vec<_>>(), [&cell("oak/pay")]);
    assert!(!ranges.waits.values().any(|wait| matches!(wait, Wait::Plan)));
    assert!(ranges.whole.is_some());
}
