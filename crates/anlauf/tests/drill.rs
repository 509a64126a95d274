//! The drill as anybody plays it: the real binary, at full speed, held against its own JSON.
//!
//! In:    the built-in reference landscape and the municipal one. Out: what must hold in each.
//! Never: looks at a clock: how long it takes is the benchmark's business.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const KOMMUNEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../landscapes/kommunen");

const KRANKENKASSEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../landscapes/krankenkassen"
);

fn anlauf(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anlauf"));
    command.args(arguments).output().expect("the binary runs")
}

/// Plays a drill to its end and gives its facts.
fn play(folder: &Path, more: &[&str]) -> Value {
    let data = folder.to_str().expect("a path of ours");
    let mut arguments = vec![
        "drill", "--speed", "max", "--quiet", "--json", "--data", data,
    ];
    arguments.extend(more);
    let output = anlauf(&arguments);
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    let facts: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    let kept = std::fs::read(folder.join("drill.json")).expect("the facts are kept");
    assert_eq!(facts, serde_json::from_slice::<Value>(&kept).expect("JSON"));
    facts
}

fn number(facts: &Value, pointer: &str) -> u64 {
    let value = facts.pointer(pointer).and_then(Value::as_u64);
    value.unwrap_or_else(|| panic!("no number at {pointer}"))
}

/// What must hold whatever the landscape and its story.
fn holds(facts: &Value, cells: u64) {
    assert_eq!(facts["violations"], Value::Array(Vec::new()));
    assert_eq!(number(facts, "/cells"), cells);
    assert_eq!(number(facts, "/containment/asked"), cells);
    assert_eq!(number(facts, "/containment/cells"), cells);
    assert!(
        number(facts, "/second_attack/cells") > 1,
        "the cell and its dependents"
    );

    assert_eq!(number(facts, "/requests/without_release"), 0);
    assert!(number(facts, "/requests/answered") > 200);
    assert_eq!(number(facts, "/requests/before/answered"), 2 * cells);
    assert_eq!(number(facts, "/requests/contained/refused"), 2 * cells);
    assert_eq!(number(facts, "/requests/end/answered"), 2 * cells);
    for closing in ["containment", "second_attack"] {
        let cut = |what: &str| number(facts, &format!("/{closing}/cut/{what}"));
        assert!(cut("running") > 0 && cut("kept") > 0, "{closing}");
        assert_eq!(cut("running"), cut("running_cut"), "{closing}");
        assert_eq!(cut("kept"), cut("kept_cut"), "{closing}");
        assert_eq!(cut("late"), 0, "{closing}");
    }

    assert_eq!(number(facts, "/forged"), 6);
    assert_eq!(number(facts, "/refused_by_gate/gate-1"), 6);
    assert_eq!(number(facts, "/refused_by_gate/gate-2"), 6);
    assert_eq!(number(facts, "/attempts/made"), 4);
    assert_eq!(number(facts, "/attempts/accepted"), 0);

    assert_eq!(number(facts, "/ledger/cells_as_signed"), cells);
    assert_eq!(
        number(facts, "/ledger/releases_verified"),
        number(facts, "/releases")
    );
    assert!(number(facts, "/signatures") > number(facts, "/releases"));
    assert!(number(facts, "/plans") > 1);
    assert!(number(facts, "/slots/agreed") > 0);
    assert!(number(facts, "/slots/declined") > 0);
    assert!(number(facts, "/acceptance_failed") > 0);
    assert!(number(facts, "/forecast/given") > 0);
}

/// Minute of the story at which each cell was first open again, by owner and service.
fn opened(facts: &Value) -> BTreeMap<(String, String), u64> {
    let opened = facts["opened"].as_object().expect("an object");
    let minute = |(cell, at): (&String, &Value)| {
        let (owner, service) = cell.split_once('/').expect("owner and service");
        let at = at.as_u64().expect("a minute");
        ((owner.to_owned(), service.to_owned()), at)
    };
    opened.iter().map(minute).collect()
}

#[test]
fn the_reference_landscape_comes_back() {
    let room = TempDir::new().expect("a folder");
    let folder = room.path().join("drill");
    let facts = play(&folder, &[]);
    holds(&facts, 1_790);
    assert_eq!(number(&facts, "/tenants"), 80);

    let opened = opened(&facts);
    let first = |owner: &str, service: &str| opened.get(&(owner.into(), service.into())).copied();
    let shared = opened.iter().filter(|((owner, _), _)| owner == "shared");
    let first_shared = shared.map(|(_, at)| *at).min().expect("shared cells");
    assert!(first("foundation", "pki").expect("pki") < first_shared);
    for (owner, service) in opened.keys().filter(|(_, service)| service == "app") {
        let order = [Some(service.as_str()), Some("og"), Some("epa")];
        let times: Vec<u64> = order
            .into_iter()
            .flatten()
            .filter_map(|s| first(owner, s))
            .collect();
        assert!(
            times.is_sorted(),
            "{owner}: app, online branch, patient record: {times:?}"
        );
    }
    let tenants = opened
        .keys()
        .filter(|(_, service)| service.starts_with("custom-"));
    for (owner, service) in tenants {
        for standard in ["core", "app", "og", "epa"] {
            let before = first(owner, standard);
            assert!(
                before <= first(owner, service),
                "{owner}: {standard} before {service}"
            );
        }
    }

    let report = std::fs::read_to_string(folder.join("report.html")).expect("a report");
    assert!(report.contains("DRILL – no real incident"));
    assert!(report.matches("<svg").count() >= 4, "charts");
    assert!(
        !report.contains("<script") && !report.contains("src="),
        "needs nothing else"
    );
}

#[test]
fn another_landscape_comes_back_twice_in_the_same_order() {
    let room = TempDir::new().expect("a folder");
    let first = play(&room.path().join("one"), &["--landscape", KOMMUNEN]);
    holds(&first, 64);
    let again = play(
        &room.path().join("two"),
        &["--landscape", KOMMUNEN, "--clients", "1"],
    );
    // Gates report when they like, so the ledgers differ; what is done when does not.
    assert_eq!(opened(&first), opened(&again));
    for same in [
        "/story_minutes",
        "/releases",
        "/signatures",
        "/tasks",
        "/plans",
    ] {
        assert_eq!(number(&first, same), number(&again, same), "{same}");
    }
    assert_eq!(first["slots"], again["slots"]);
    assert_eq!(first["forecast"], again["forecast"]);
}

/// Insurers of the small landscape. The first is attacked.
const INSURERS: [&str; 4] = ["bkk-eisvogel", "ek-amsel", "bkk-kolibri", "bkk-habicht"];

/// The reference landscape with four of its insurers, and what of its story they can play.
fn few_insurers(folder: &Path, more: &str) {
    std::fs::create_dir(folder).expect("a folder");
    let read = |name: &str| {
        let path = Path::new(KRANKENKASSEN).join(name);
        std::fs::read_to_string(path).expect("the landscape")
    };
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).expect("a copy");
    };
    for name in ["landscape.toml", "policy.toml", "people.csv"] {
        write(name, read(name));
    }
    let tenants = read("tenants.csv");
    let all = tenants.lines().skip(1);
    let all = all.filter_map(|line| line.split(',').next());
    let gone: Vec<&str> = all.filter(|id| !INSURERS.contains(id)).collect();
    let is_kept = |line: &str| !gone.contains(&line.split(',').next().unwrap_or_default());
    for name in ["tenants.csv", "offers.csv"] {
        let text = read(name);
        let lines: Vec<&str> = text.lines().filter(|line| is_kept(line)).collect();
        write(name, lines.join("\n") + "\n");
    }
    let story = read("story.toml").replace("round_tenants = 16", "round_tenants = 2");
    let story = story.replace("[services]\n", &format!("[services]\n{more}\n"));
    let blocks = story.split("\n\n");
    let fits = |block: &&str| !gone.iter().any(|id| block.contains(&format!("\"{id}/")));
    let blocks: Vec<&str> = blocks.filter(fits).collect();
    write("story.toml", blocks.join("\n\n"));
}

/// Names in a list of the facts.
fn names(facts: &Value, pointer: &str) -> BTreeSet<String> {
    let list = facts.pointer(pointer).and_then(Value::as_array);
    let list = list.unwrap_or_else(|| panic!("no list at {pointer}"));
    let names = list.iter().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

/// What clerks and mail programs did, and what came back in emergency operation first.
fn clerks_and_readers(facts: &Value) {
    // Mail programs are sent away by a reset, and by nothing else.
    assert!(number(facts, "/services/by_service/mailbox/refused") > 0);
    assert_eq!(
        number(facts, "/services/all/refused"),
        number(facts, "/services/by_service/mailbox/refused")
    );
    for (desk, orders) in [("lichtbild", true), ("og", false)] {
        let count = |what: &str| number(facts, &format!("/services/desks/{desk}/{what}"));
        assert!(count("approved") > 0 && count("rejected") > 0, "{desk}");
        assert_eq!((count("left"), count("wrong")), (0, 0), "{desk}");
        assert!(count("waited") > 0, "nothing waited for the return");
        if orders {
            assert!(count("orders") >= count("approved"));
        }
    }
    let emergencies = facts["services"]["emergencies"].as_object();
    for service in ["lichtbild", "og"] {
        for insurer in INSURERS {
            let own = emergencies.and_then(|all| all.get(&format!("{insurer}/{service}")));
            assert!(
                own.is_some_and(|own| own["to"].is_string()),
                "{insurer}/{service}"
            );
        }
    }
}

#[test]
fn real_services_come_back_whole_and_keep_what_they_accepted() {
    let room = TempDir::new().expect("a folder");
    let (landscape, data) = (room.path().join("landscape"), room.path().join("drill"));
    few_insurers(&landscape, "");
    let landscape = landscape.to_str().expect("a path of ours");
    let facts = play(&data, &["--landscape", landscape]);
    holds(&facts, number(&facts, "/cells"));

    for service in ["idp", "lichtbild", "og", "app", "epa", "mailbox"] {
        let count = |what: &str| number(&facts, &format!("/services/by_service/{service}/{what}"));
        assert!(count("served") > 0 && count("told") > 0, "{service}");
        assert_eq!((count("lost"), count("twice"), count("leaked")), (0, 0, 0));
        for insurer in INSURERS {
            let at = format!("/services/by_insurer/{insurer}/{service}/served");
            assert!(facts.pointer(&at).is_none_or(|served| served != 0), "{at}");
        }
    }
    let all = |what: &str| number(&facts, &format!("/services/all/{what}"));
    assert!(all("accepted") > 0 && all("turned_away") > 0 && all("not_in_backup") > 0);
    assert_eq!(
        all("caught_up"),
        all("turned_away") + all("not_in_backup"),
        "everybody sent what was turned away, or came too late for the backup"
    );
    assert_eq!(number(&facts, "/services/waiting"), 0);
    assert_eq!(number(&facts, "/services/wrong"), 0);

    let did = |what: &str| names(&facts, &format!("/services/data/damage/{what}"));
    let harmed: BTreeSet<String> = did("encrypted").union(&did("altered")).cloned().collect();
    let deleted = did("deleted");
    assert!(harmed.len() > 1 && !deleted.is_empty());
    assert_eq!(names(&facts, "/services/data/before/altered"), harmed);
    let missed = names(&facts, "/services/data/before/missing");
    assert!(!missed.is_empty() && missed.is_subset(&deleted));
    for part in ["epa", "mail"] {
        let is_of = |name: &String| name.starts_with("mail/") == (part == "mail");
        assert!(
            harmed.iter().any(is_of) && missed.iter().any(is_of),
            "{part}"
        );
    }
    assert!(facts.pointer("/services/data/before/house/Err").is_some());
    assert_eq!(facts["services"]["data"]["named_exactly"], true);
    assert_eq!(facts["services"]["data"]["after"]["whole"], true);
    assert!(number(&facts, "/services/data/checks") > 4);

    clerks_and_readers(&facts);

    let report = std::fs::read_to_string(data.join("report.html")).expect("a report");
    for words in [
        "What people got",
        "Gap windows",
        "Clerks",
        "Emergency operation",
        "It names exactly the damage.",
    ] {
        assert!(report.contains(words), "{words}");
    }
}

/// Plays a drill in which one promise is broken on purpose; what it says of it.
fn broken(canary: &str) -> String {
    let room = TempDir::new().expect("a folder");
    let (landscape, data) = (room.path().join("landscape"), room.path().join("drill"));
    few_insurers(&landscape, &format!("canary = \"{canary}\""));
    let (landscape, data) = (landscape.to_str(), data.to_str());
    let (landscape, data) = (landscape.expect("a path"), data.expect("a path"));
    let arguments = [
        "drill",
        "--speed",
        "max",
        "--quiet",
        "--landscape",
        landscape,
    ];
    let output = anlauf(&[&arguments[..], &["--data", data]].concat());
    assert_eq!(output.status.code(), Some(1), "{canary}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_drill_notices_a_photo_that_was_lost() {
    let said = broken("lose-photo");
    let words = "1 things were accepted and are not there any more: `bkk-eisvogel/lichtbild`";
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_drill_notices_a_service_that_is_reached_around_its_gate() {
    let said = broken("serve-while-closed");
    assert!(
        said.contains("answers of a service whose cell was shut"),
        "{said}"
    );
}

#[test]
fn a_drill_does_not_go_on_when_the_restore_was_left_out() {
    let said = broken("skip-restore");
    assert!(said.contains("the data behind `bkk-eisvogel/"), "{said}");
    assert!(said.contains("is not whole"), "{said}");
}

#[test]
fn a_folder_that_exists_is_left_alone() {
    let room = TempDir::new().expect("a folder");
    let data = room.path().to_str().expect("a path of ours");
    let output = anlauf(&["drill", "--landscape", KOMMUNEN, "--data", data]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("exists already"));
    assert_eq!(
        std::fs::read_dir(room.path()).expect("still there").count(),
        0
    );
}

#[test]
fn a_story_that_does_not_fit_its_landscape_is_refused_before_anything_starts() {
    let room = TempDir::new().expect("a folder");
    let landscape = room.path().join("landscape");
    std::fs::create_dir(&landscape).expect("a folder");
    for file in std::fs::read_dir(KOMMUNEN).expect("the landscape") {
        let file = file.expect("a file");
        let text = std::fs::read_to_string(file.path()).expect("text");
        let text = match file.file_name().to_str() {
            Some("story.toml") => text.replace("stadt-ahornfeld/kfz", "stadt-nirgendwo/kfz"),
            _ => text,
        };
        std::fs::write(landscape.join(file.file_name()), text).expect("a copy");
    }
    let data = room.path().join("data");
    let (landscape, data_text) = (landscape.to_str(), data.to_str());
    let (landscape, data_text) = (landscape.expect("a path"), data_text.expect("a path"));
    let output = anlauf(&["drill", "--landscape", landscape, "--data", data_text]);
    assert_eq!(output.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stadt-nirgendwo/kfz"));
    assert!(!data.exists(), "nothing was started");
}
