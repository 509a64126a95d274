//! The planner by itself: files in, plan, moves, what would be, calendar out.

use serde_json::{Value, json};

use crate::house::{Desk, House};
use crate::process::Run;

/// What every line begins with.
const PLAN: &str = "plan --landscape land --at 2026-01-05T06:00:00Z --steps 5 --samples 20";

/// A house with a situation beside its landscape.
fn house(name: &str, situation: &str) -> House {
    let house = House::with_landscape(None);
    std::fs::write(house.path(name), situation).unwrap();
    house
}

fn json_of(house: &House, more: &str) -> Value {
    let text = house.run(format!("{PLAN} --json {more}").trim_end()).done();
    serde_json::from_str(&text).unwrap()
}

/// When a cell opens: the end of its last step.
fn opens(plan: &Value, cell: &str) -> String {
    let rows = plan["rows"].as_array().unwrap().iter();
    let ends = rows
        .filter(|row| row["cell"] == cell)
        .map(|row| row["end"].as_str().unwrap());
    ends.max().unwrap().to_owned()
}

#[test]
fn a_situation_says_what_is_held_begun_and_agreed() {
    let slot = json!({ "from": "2026-02-20T08:00:00Z", "to": "2026-02-20T15:00:00Z" });
    let situation = json!({
        "began": "2026-01-03T22:00:00Z",
        "holds": { "site-east": "2026-01-12T08:00:00Z" },
        "lanes": { "systems": 4 },
        "slots": { "town-alder/portal": slot },
        "progress": { "foundation/identity": { "done": true, "stage": "full" } },
    });
    let house = house("now.json", &situation.to_string());
    let calm = json_of(&house, "");
    let plan = json_of(&house, "--situation now.json");
    let open = opens(&plan, "town-alder/portal");
    assert!(
        *open >= *"2026-02-20T08:00:00Z" && *open <= *"2026-02-20T15:00:00Z",
        "{open}"
    );
    let names = |plan: &Value, cell: &str| {
        let rows = plan["rows"].as_array().unwrap();
        rows.iter().any(|row| row["cell"] == cell)
    };
    assert!(names(&calm, "foundation/identity"));
    assert!(!names(&plan, "foundation/identity"), "it is back");
    let network = opens(&plan, "site-east/network");
    assert!(
        *network > *"2026-01-12T08:00:00Z",
        "the site is held: {network}"
    );
    assert!(*opens(&calm, "site-east/network") < *"2026-01-12T08:00:00Z");
    assert_eq!((&plan["seed"], &plan["steps"]), (&json!(0), &json!(5)));
    assert!(plan["objective"].as_u64() >= plan["bound"].as_u64());
}

/// Services that must be open on a day of every month.
fn with_deadline(house: &House, month_day: i8, hour: u8) {
    let path = house.path("land/landscape.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str(&format!(
        "\n[[deadlines]]\nreason = {{ de = \"Monatsmeldung\", en = \"monthly report\" }}\n\
         services = [\"portal\"]\nmonth_day = {month_day}\nhour = {hour}\n"
    ));
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_day_of_the_month_that_cannot_be_kept_is_named() {
    let house = House::with_landscape(None);
    let words = "open after their day of the month: ";
    assert_eq!(json_of(&house, "")["deadlines_missed"], json!([]));
    assert!(!house.run(PLAN).err.contains(words));
    // The plan begins on the fifth; nothing of the portals can be open on the sixth at eight.
    with_deadline(&house, 6, 8);
    let plan = json_of(&house, "");
    let rows = plan["rows"].as_array().unwrap().iter();
    let cells = rows.map(|row| row["cell"].as_str().unwrap());
    let mut portals: Vec<&str> = cells.filter(|cell| cell.ends_with("/portal")).collect();
    portals.dedup();
    let is_late = |cell: &&str| *opens(&plan, cell) > *"2026-01-06T07:00:00Z";
    portals.retain(is_late);
    assert!(!portals.is_empty());
    assert_eq!(plan["deadlines_missed"], json!(portals));
    let told = house.run(PLAN).err;
    assert!(told.contains(&format!("{words}{}", portals[0])), "{told}");
}

/// The same for a plan in force: on the command line, by the API, where a tenant sees its own cells
/// only, and on the page in both languages.
#[test]
fn a_plan_in_force_names_the_days_it_misses_everywhere() {
    let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let tomorrow = now.date().tomorrow().unwrap();
    let house = House::drill_with(None, |house| with_deadline(house, tomorrow.day(), 1));
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    desk.must("operator-1", "incident declare --de Vorfall --en incident");
    desk.must("operator-1", "plan propose --steps 0");
    desk.must("operator-1", "plan adopt");
    let shown = Run::of(&mut desk.command("operator-1", "plan show")).err;
    let words = "open after their day of the month: town-alder/portal";
    assert!(shown.contains(words), "{shown}");
    let missed = |person: &str| {
        let told = get(&desk, person, "/api/v1/plan", "en");
        let told: Value = serde_json::from_str(&told).unwrap();
        told["deadlines_missed"].clone()
    };
    let all = missed("operator-1");
    assert!(all.as_array().unwrap().len() > 1, "{all}");
    assert_eq!(
        missed("town-alder.approver-1"),
        json!(["town-alder/portal"])
    );
    for (language, words) in [
        ("en", "After their day of the month"),
        ("de", "Nach ihrem Stichtag"),
    ] {
        let page = get(&desk, "operator-1", "/console/plan", language);
        assert!(page.contains(words), "{page}");
    }
    plane.process.terminate().done();
}

/// What the control plane answers to a person.
fn get(desk: &Desk<'_>, person: &str, path: &str, language: &str) -> String {
    let token = desk.house.token(person);
    let answer = ureq::get(format!("{}{path}", desk.control))
        .header("Authorization", format!("Bearer {token}"))
        .header("Accept-Language", language)
        .call();
    answer.unwrap().body_mut().read_to_string().unwrap()
}

#[test]
fn toml_and_json_say_the_same() {
    let house = house("now.toml", "[lanes]\nsystems = 1\n");
    std::fs::write(house.path("now.json"), "{\"lanes\":{\"systems\":1}}").unwrap();
    let read = |name: &str| json_of(&house, &format!("--situation {name}"))["plan"].clone();
    assert_eq!(read("now.toml"), read("now.json"));
}

#[test]
fn windows_that_exclude_each_other_are_named_and_no_others() {
    // Two windows of one tenant before its work can end, and one that can be kept.
    let early = "{ from = \"2026-01-05T08:00:00Z\", to = \"2026-01-05T09:00:00Z\" }";
    let late = "{ from = \"2026-03-02T08:00:00Z\", to = \"2026-03-20T15:00:00Z\" }";
    let house = house(
        "now.toml",
        &format!("[slots]\n\"town-alder/portal\" = {early}\n\"town-birch/mail\" = {late}\n"),
    );
    let run = house.run(&format!("{PLAN} --situation now.toml"));
    let run = run.says(
        3,
        &["AN-PLN-001", "`town-alder/portal`", "cannot be open before"],
    );
    assert!(!run.err.contains("town-birch/mail"), "{}", run.err);
    assert_eq!(run.out, "");
}

#[test]
fn a_team_without_lanes_is_named_at_once() {
    let house = house("now.toml", "[lanes]\nsystems = 0\n");
    house
        .run(&format!("{PLAN} --situation now.toml"))
        .says(3, &["team `systems` has no lane", "give it at least one"]);
}

#[test]
fn a_situation_that_does_not_fit_is_no_situation() {
    let house = house("now.toml", "[lanes]\nsytems = 2\n");
    house
        .run(&format!("{PLAN} --situation now.toml"))
        .says(6, &["no team is called `sytems`; did you mean `systems`?"]);
    std::fs::write(house.path("now.toml"), "lanes = 3").unwrap();
    house
        .run(&format!("{PLAN} --situation now.toml"))
        .says(6, &["cannot read the situation `now.toml`"]);
    house
        .run(&format!("{PLAN} --situation gone.toml"))
        .says(6, &["`gone.toml`"]);
}

#[test]
fn what_moved_is_told_with_its_reason_and_a_changed_plan_is_not_believed() {
    let house = house("now.toml", "[lanes]\nsystems = 1\n");
    let old = house.run(&format!("{PLAN} --json")).done();
    std::fs::write(house.path("old.json"), &old).unwrap();
    let line = format!("{PLAN} --situation now.toml --diff old.json");
    let table = house.run(&line).says(0, &["later: "]).out;
    assert!(
        table.contains("town-alder/portal") && table.contains(" d "),
        "{table}"
    );
    let whole: Value = serde_json::from_str(&house.run(&format!("{line} --json")).done()).unwrap();
    let before: Value = serde_json::from_str(&old).unwrap();
    assert_eq!(whole["parent"], before["plan"]);
    let moved = whole["difference"]["moved"].as_array().unwrap();
    let portal = moved
        .iter()
        .find(|one| one["cell"] == "town-alder/portal")
        .unwrap();
    assert_eq!(portal["from"], json!(opens(&before, "town-alder/portal")));
    assert_eq!(portal["to"], json!(opens(&whole, "town-alder/portal")));
    let csv = house.run(&format!("{line} --format csv")).done();
    assert_eq!(csv.lines().count(), moved.len() + 1);

    let same = house.run(&format!("{PLAN} --diff old.json")).done();
    assert_eq!(same.trim(), "nothing moves");
    std::fs::write(house.path("old.json"), old.replacen("rebuild", "scan", 1)).unwrap();
    house
        .run(&line)
        .says(6, &["was changed since it was printed"]);
    house
        .run(&format!("{PLAN} --diff now.toml"))
        .says(6, &["is no plan"]);
}

#[test]
fn what_would_be_changes_nothing_and_says_what_moves() {
    let house = house("now.toml", "[lanes]\nsystems = 1\n");
    let line = format!("{PLAN} --situation now.toml");
    let before = house.run(&line).done();
    let more = house
        .run(&format!("{line} --what-if lanes:systems=6 --json"))
        .done();
    let more: Value = serde_json::from_str(&more).unwrap();
    let effects = more["effects"].as_array().unwrap();
    let sooner = effects
        .iter()
        .filter(|one| one["by"].as_i64() < Some(0))
        .count();
    assert!(sooner > effects.len() / 2, "{sooner} of {}", effects.len());
    let table = house
        .run(&format!("{line} --what-if lanes:systems=6"))
        .done();
    assert!(table.contains("P80 then"), "{table}");
    assert_eq!(before, house.run(&line).done());
    house
        .run(&format!("{line} --what-if lanes:wizards=6"))
        .says(2, &["no team is called `wizards`"]);
    house
        .run(&format!("{line} --what-if more-people"))
        .says(2, &["lanes:TEAM=NUMBER"]);
}

#[test]
fn every_opening_is_an_event_with_its_window() {
    let slot = "{ from = \"2026-02-20T08:00:00Z\", to = \"2026-02-20T15:00:00Z\" }";
    let house = house(
        "now.toml",
        &format!("[slots]\n\"town-alder/portal\" = {slot}\n"),
    );
    let line = format!("{PLAN} --situation now.toml --format ical");
    let text = house.run(&line).done();
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert_eq!(text.matches("BEGIN:VEVENT\r\n").count(), 12);
    let event = text
        .split("BEGIN:VEVENT")
        .find(|one| one.contains("UID:town-alder.portal@"));
    let event = event.expect("an event of the cell");
    for piece in [
        "DTSTART:20260220T080000Z",
        "DTEND:20260220T150000Z",
        "STATUS:CONFIRMED",
    ] {
        assert!(event.contains(piece), "{event}");
    }
    assert_eq!(text, house.run(&line).done());
}

#[test]
fn numbers_out_of_range_are_refused_before_any_work() {
    let house = House::with_landscape(None);
    house
        .run("plan --landscape land --steps 99999999")
        .says(2, &["99999999"]);
    house
        .run("plan --landscape land --samples 99999999")
        .says(2, &["99999999"]);
}
