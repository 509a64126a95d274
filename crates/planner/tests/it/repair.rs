//! After an event the plan is made to fit, and the rest of it stays.

use std::collections::BTreeMap;

use anlauf_model::{CellId, Minutes, Plan, Stage, Timestamp};
use anlauf_planner::{
    Because, Cause, PlanDiff, Search, TaskProgress, causes, diff, order_changed, plan, repair,
};

use crate::checker::violations;
use crate::crews::{Crews, Truth};
use crate::world::{World, cell};

const SEARCH: Search = Search { seed: 1, steps: 0 };

/// Three tenants, one crew of one lane: eight hours each, the largest first.
const ROW: &str = "site rz\n team crew 1 0-24\n service a tenant crew\n tenant elm 100 rz
    tenant oak 900 rz\n tenant ash 300 rz\n work tenant rebuild - 8";

fn planned(world: &World) -> Plan {
    plan(&world.situation(), None, SEARCH).unwrap()
}

fn hour(world: &World, plan: &Plan, id: &str) -> f64 {
    let open = plan.releases()[&cell(id)];
    (open - world.began).0 as f64 / 60.0
}

fn difference(world: &World, old: &Plan, new: &Plan) -> PlanDiff {
    let causes = causes(old, &world.situation());
    diff(&world.landscape, old, new, causes)
}

#[test]
fn nothing_has_happened_so_nothing_moves() {
    let world = World::told(ROW);
    let old = planned(&world);
    let new = repair(&world.situation(), &old).unwrap();
    assert_eq!(new.plan.rows, old.rows);
    assert_eq!(new.plan.parent, Some(old.id));
    assert!(new.broken.is_empty());
    let diff = difference(&world, &old, &new.plan);
    assert!(diff.moved.is_empty() && diff.causes.is_empty(), "{diff:?}");
    assert_eq!(diff.same, 3);
}

#[test]
fn a_step_that_takes_longer_moves_those_behind_it_and_says_so() {
    let mut world = World::told(&format!("{ROW}\n now 20\n running oak/a rebuild 0"));
    let old = {
        let begun = World::told(ROW);
        planned(&begun)
    };
    let new = repair(&world.situation(), &old).unwrap();
    assert!(violations(&world.situation(), &new.plan).is_empty());
    assert!(order_changed(&old, &new.plan).is_empty());
    let diff = difference(&world, &old, &new.plan);
    assert_eq!((diff.later, diff.sooner, diff.same), (3, 0, 0));
    let why: BTreeMap<String, Because> = diff
        .moved
        .iter()
        .map(|one| (one.cell.to_string(), one.because.clone()))
        .collect();
    assert!(matches!(&why["oak/a"], Because::Work { .. }), "{why:?}");
    assert!(
        matches!(&why["ash/a"], Because::Team { behind, .. } if *behind == cell("oak/a")),
        "{why:?}"
    );
    let is_late = |cause: &Cause| match cause {
        Cause::Late {
            cell: of, ended, ..
        } => !ended && *of == cell("oak/a"),
        _ => false,
    };
    assert!(diff.causes.iter().any(is_late), "{:?}", diff.causes);
    // What is planned can be told as JSON.
    assert!(serde_json::to_value(&diff).unwrap()["moved"][0]["because"].is_string());
    world.lanes.insert("crew".parse().unwrap(), 0);
    let nobody = repair(&world.situation(), &old).unwrap_err();
    assert!(
        nobody.why.contains("team `crew` has no lane"),
        "{}",
        nobody.why
    );
}

#[test]
fn an_agreed_window_is_kept_and_one_that_cannot_be_is_named_alone() {
    let mut world = World::told(ROW);
    let old = planned(&world);
    assert_eq!(hour(&world, &old, "elm/a"), 24.0);
    let kept = World::told(&format!("{ROW}\n slot elm/a 6 10"));
    let new = repair(&kept.situation(), &old).unwrap();
    assert!(new.broken.is_empty());
    assert_eq!(hour(&kept, &new.plan, "elm/a"), 8.0);
    let diff = difference(&kept, &old, &new.plan);
    let elm = diff
        .moved
        .iter()
        .find(|one| one.cell == cell("elm/a"))
        .unwrap();
    assert_eq!(
        (elm.by, &elm.because),
        (Some(Minutes::hours(-16)), &Because::Agreed)
    );
    // All three want the first eight hours, and one window lies before anything can end.
    let lines = "slot elm/a 7 9\n slot ash/a 7 9\n slot oak/a 7 9";
    let world_three = World::told(&format!("{ROW}\n {lines}"));
    let new = repair(&world_three.situation(), &old).unwrap();
    assert_eq!(new.broken.len(), 2, "{:?}", new.broken);
    let first = World::told(&format!("{ROW}\n slot elm/a 0 2\n slot oak/a 7 9"));
    let new = repair(&first.situation(), &old).unwrap();
    assert_eq!(new.broken, [cell("elm/a")]);
    assert_eq!(hour(&first, &new.plan, "oak/a"), 8.0);
    world.slots.clear();
}

#[test]
fn what_was_shut_again_comes_back_into_the_plan_before_those_that_need_it() {
    let text =
        "site rz\n team crew 1 0-24\n service idp shared crew\n service a tenant crew needs=idp
        tenant elm 100 rz\n tenant oak 900 rz\n work shared rebuild - 4\n work switch rebuild - 1
        work tenant rebuild - 8";
    let opened = World::told(&format!("{text}\n now 10\n open shared/idp"));
    let old = planned(&opened);
    let shut = World::told(&format!("{text}\n now 12"));
    let new = repair(&shut.situation(), &old).unwrap();
    assert!(violations(&shut.situation(), &new.plan).is_empty());
    let diff = difference(&shut, &old, &new.plan);
    assert_eq!(diff.added, 1);
    assert!(
        diff.causes.iter().any(
            |cause| matches!(cause, Cause::Again { cell: of, .. } if *of == cell("shared/idp"))
        )
    );
    let oak = diff
        .moved
        .iter()
        .find(|one| one.cell == cell("oak/idp"))
        .unwrap();
    assert_eq!(
        oak.because,
        Because::Needs {
            cell: cell("shared/idp")
        }
    );
}

/// A municipal recovery that is followed by crews for a while: repaired again and again, no rule is
/// broken, every window is kept, and the order hardly changes.
#[test]
fn a_recovery_is_repaired_again_and_again() {
    let (mut repaired, mut anew) = (0, 0);
    for seed in 0..4 {
        let mut world = World::shipped("kommunen");
        let mut plan = planned(&world);
        agree(&mut world, &plan);
        let mut crews = Crews::new(&world, Truth::new(seed, false));
        for round in 1..=4 {
            crews.follow(&mut world, &plan, 40 * round);
            world.slots.retain(|id, slot| {
                slot.to > world.now && !world.progress.get(id).is_some_and(|p| p.done)
            });
            let new = repair(&world.situation(), &plan).unwrap();
            let mut held = world.situation();
            for id in &new.broken {
                held.slots.remove(id);
            }
            let wrong = violations(&held, &new.plan);
            assert!(wrong.is_empty(), "{wrong:?}");
            let again = anlauf_planner::plan(&held, Some(plan.id), SEARCH).unwrap();
            // The bound beside a repaired plan is that of a plan made anew of the same.
            assert_eq!(new.plan.bound, again.bound);
            repaired += order_changed(&plan, &new.plan).len();
            anew += order_changed(&plan, &again).len();
            plan = new.plan;
        }
    }
    assert!(
        repaired < anew,
        "{repaired} left their place, {anew} in plans made anew"
    );
}

/// 20 steps of search on the largest landscape: a repair loses nothing of what they found, and one
/// late step leaves the order as it was.
#[test]
fn what_a_search_found_survives_a_repair() {
    let mut world = World::shipped("krankenkassen");
    let search = Search { seed: 1, steps: 20 };
    let old = plan(&world.situation(), None, search).unwrap();
    let same = repair(&world.situation(), &old).unwrap().plan;
    assert_eq!(same.rows, old.rows);
    assert_eq!(same.objective, old.objective);
    // Ten days later all has gone as planned, but for one step, a day late.
    let now = world.now + Minutes::days(10);
    follow(&mut world, &old, now);
    let late = (old.rows.iter())
        .find(|row| row.end < now && row.end > now - Minutes::days(1))
        .unwrap();
    let begun = world.progress.get_mut(&late.cell).unwrap();
    (begun.done, begun.stage) = (false, Stage::Closed);
    begun.tasks.retain(|kind, _| *kind < late.task);
    let started = late.start;
    begun
        .tasks
        .insert(late.task, TaskProgress::Running { started });
    let new = repair(&world.situation(), &old).unwrap().plan;
    assert!(violations(&world.situation(), &new).is_empty());
    assert!(
        order_changed(&old, &new).len() <= 20,
        "{}",
        order_changed(&old, &new).len()
    );
    let anew = plan(&world.situation(), Some(old.id), search).unwrap();
    // Hundredths of what a plan made anew costs.
    assert!(
        new.objective * 100 <= anew.objective * 101,
        "{new:?}",
        new = new.objective
    );
}

/// All work goes as the plan says.
fn follow(world: &mut World, plan: &Plan, now: Timestamp) {
    world.now = now;
    for row in plan.rows.iter().filter(|row| row.start < now) {
        let (started, finished) = (row.start, row.end);
        let how = match finished <= now {
            true => TaskProgress::Done { started, finished },
            false => TaskProgress::Running { started },
        };
        let begun = world.progress.entry(row.cell.clone()).or_default();
        begun.tasks.insert(row.task, how);
    }
    for (id, _) in plan.releases().into_iter().filter(|(_, open)| *open <= now) {
        let begun = world.progress.entry(id.clone()).or_default();
        (begun.done, begun.stage) = (true, Stage::Full);
    }
}

/// Every eighth cell gets a window of four days around its planned opening.
fn agree(world: &mut World, plan: &Plan) {
    let opens: Vec<(CellId, Timestamp)> = plan
        .releases()
        .into_iter()
        .map(|(cell, open)| (cell.clone(), open))
        .collect();
    for (cell, open) in opens.into_iter().step_by(8) {
        let slot = anlauf_model::Slot {
            from: open - Minutes::days(2),
            to: open + Minutes::days(2),
        };
        world.slots.insert(cell, slot);
    }
}
