//! What works without a control plane: landscapes, plans.

use serde_json::Value;

use crate::house::House;

#[test]
fn a_plan_is_the_same_on_every_run() {
    let house = House::with_landscape(None);
    let line = "plan --landscape land --at 2026-01-05T06:00:00Z --steps 20 --samples 20";
    let first = house.run(&format!("{line} --json")).done();
    assert_eq!(first, house.run(&format!("{line} --json")).done());
    let plan: Value = serde_json::from_str(&first).unwrap();
    let rows = plan["rows"].as_array().unwrap();
    assert_eq!(plan["ranges"].as_object().unwrap().len(), 12);

    let csv = house.run(&format!("{line} --format csv")).done();
    assert_eq!(csv.lines().count(), rows.len() + 1);
    let table = house.run(line).done();
    assert!(table.contains("town-alder/portal"), "{table}");
    // Needs first: the site's network opens before the directory that stands on it.
    let place = |cell: &str| table.find(cell).unwrap();
    assert!(
        place("site-west/network") < place("foundation/identity"),
        "{table}"
    );
}

#[test]
fn an_example_lints_and_is_never_written_over() {
    let house = House::with_landscape(None);
    house.run("landscape lint land").done();
    house
        .run("landscape lint land --strict")
        .says(6, &["0 errors"]);
    house.run("init land").says(6, &["is not empty"]);
    let schema: Value = serde_json::from_str(&house.run("landscape schema").done()).unwrap();
    assert!(schema["landscape.toml"]["properties"]["services"].is_object());
    let shown: Value =
        serde_json::from_str(&house.run("--json landscape show land").done()).unwrap();
    assert_eq!(shown["cells"].as_array().unwrap().len(), 12);
}

#[test]
fn talk_is_german_or_english() {
    let house = House::with_landscape(None);
    let german = house.run("landscape show land --lang de").done();
    assert!(german.contains("Standort"), "{german}");
    let mut command = house.command("landscape show land");
    command.env("LANG", "de_DE.UTF-8");
    assert_eq!(crate::process::Run::of(&mut command).done(), german);
    assert!(!house.run("landscape show land").done().contains("Standort"));
}
