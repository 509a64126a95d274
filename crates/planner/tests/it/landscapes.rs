//! The plans of the landscapes we ship, in short.

use std::collections::BTreeMap;
use std::fmt::Write;

use anlauf_model::{CellId, CellKind, Plan, Timestamp};
use anlauf_planner::{Search, forecast, plan, why};

use crate::checker;
use crate::world::{World, cell};

fn attacked(name: &str) -> World {
    let mut world = World::shipped(name);
    world.began = "2026-04-20T20:00:00Z".parse().unwrap();
    world.now = world.hour(0.7);
    world
}

/// Gap, end, and the first and last opening of each service, by the first.
fn summary(world: &World, plan: &Plan) -> String {
    let day = |at: Timestamp| (at - world.began).0 as f64 / 1440.0;
    let mut services: BTreeMap<(String, &str), Vec<Timestamp>> = BTreeMap::new();
    for (id, at) in plan.releases() {
        let cell = world.landscape.cell(id).unwrap();
        let whose = match cell.kind {
            CellKind::Foundation => "foundation",
            CellKind::Shared => "shared",
            _ => "tenants",
        };
        let place = match cell.kind {
            CellKind::Shared => String::new(),
            _ => format!(" at {}", cell.site),
        };
        services
            .entry((format!("{}{place}", cell.service), whose))
            .or_default()
            .push(at);
    }
    let mut lines: Vec<_> = services.into_iter().collect();
    lines.iter_mut().for_each(|line| line.1.sort());
    lines.sort_by_key(|line| line.1[0]);
    let mut text = format!(
        "{} tasks, gap {} per mille\n",
        plan.rows.len(),
        plan.gap_per_mille()
    );
    for ((service, whose), at) in &lines {
        let (first, last) = (day(at[0]), day(at[at.len() - 1]));
        writeln!(text, "day {first:4.1} to {last:4.1} {whose:<10} {service}").unwrap();
    }
    text
}

fn planned(world: &World, steps: u32) -> Plan {
    let plan = plan(&world.situation(), None, Search { seed: 1, steps }).unwrap();
    assert_eq!(
        checker::violations(&world.situation(), &plan),
        Vec::<String>::new()
    );
    plan
}

#[test]
fn krankenkassen_from_the_first_hour() {
    let mut world = attacked("krankenkassen");
    world
        .holds
        .insert("dc-south".parse().unwrap(), world.hour(11.0 * 24.0));
    let plan = planned(&world, 10);
    insta::assert_snapshot!(summary(&world, &plan));
}

#[test]
fn kommunen_from_the_first_hour() {
    let world = attacked("kommunen");
    let plan = planned(&world, 100);
    insta::assert_snapshot!(summary(&world, &plan));
}

/// Windows around the ranges that were told, as a provider would offer them: all are kept.
#[test]
fn agreed_windows_of_the_reference_landscape_are_kept() {
    let mut world = attacked("krankenkassen");
    let first = planned(&world, 0);
    let own = first
        .releases()
        .into_iter()
        .map(|(id, at)| (id.clone(), at));
    let own: Vec<(CellId, Timestamp)> = own
        .filter(|(id, _)| world.landscape.cell(id).unwrap().tenant().is_some())
        .collect();
    for (number, (id, at)) in own.iter().enumerate() {
        if number % 5 == 0 {
            let hours = |hours| anlauf_model::Minutes::hours(hours);
            let slot = anlauf_model::Slot {
                from: *at - hours(24),
                to: *at + hours(48),
            };
            world.slots.insert(id.clone(), slot);
        }
    }
    assert!(world.slots.len() > 300);
    let again = planned(&world, 3);
    assert!(again.gap_per_mille() < 150, "{}", again.gap_per_mille());
}

#[test]
fn the_reason_for_a_patient_record_goes_back_to_the_first_minute() {
    let world = attacked("krankenkassen");
    let plan = planned(&world, 0);
    let chain = why(&world.situation(), &plan, &cell("bkk-eisvogel/epa"));
    let lines: Vec<String> = chain.iter().map(|link| format!("{link:?}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
    let ranges = forecast(&world.situation(), &plan, 5, 1);
    assert_eq!(ranges.cells.len(), 1_790);
    assert_eq!(ranges.plan, plan.id);
}

/// A team falls ill after two hundred windows were agreed: what is given up is little, and what is
/// left holds. A provider that asks tenants back one answer at a time needs few answers.
#[test]
fn broken_windows_of_the_reference_landscape_are_given_up_in_few_rounds() {
    let mut world = attacked("krankenkassen");
    let first = planned(&world, 0);
    for (number, (id, at)) in first.releases().into_iter().enumerate() {
        if number % 8 == 0 && world.landscape.cell(id).unwrap().tenant().is_some() {
            let hours = |hours| anlauf_model::Minutes::hours(hours);
            let slot = anlauf_model::Slot {
                from: at - hours(24),
                to: at + hours(12),
            };
            world.slots.insert(id.clone(), slot);
        }
    }
    world.lanes.insert("data".parse().unwrap(), 2);
    world.now = world.hour(20.0);
    let agreed = world.slots.len();
    let mut rounds = 0;
    let search = Search { seed: 1, steps: 0 };
    while let Err(told) = plan(&world.situation(), None, search) {
        println!("{} {told}", told.cells.len());
        for id in &told.cells {
            assert!(world.slots.remove(id).is_some());
        }
        rounds += 1;
        assert!(rounds < 40, "{told}");
    }
    println!("{agreed} {} {rounds}", world.slots.len());
    assert!(
        world.slots.len() * 2 > agreed,
        "{} of {agreed} are left",
        world.slots.len()
    );
}
