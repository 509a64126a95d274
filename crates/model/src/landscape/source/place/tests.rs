//! What is told, with its place, of files that can be read but not meant.

use super::*;
use crate::landscape::lint::lint;
use crate::landscape::source::read_placed;
use crate::landscape::tests::files;

/// The example with places changed, each once.
fn changed(edits: &[(&str, &str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let mut files = files();
    for (file, from, to) in edits {
        let text = String::from_utf8(files[*file].clone()).unwrap();
        assert!(text.contains(from), "{file} has `{from}`");
        files.insert((*file).to_owned(), text.replacen(from, to, 1).into_bytes());
    }
    files
}

fn located(files: &BTreeMap<String, Vec<u8>>) -> Vec<Located> {
    let (declared, places) = read_placed(files).unwrap();
    places.locate(lint(&declared))
}

type Case = (
    &'static str,
    &'static [(&'static str, &'static str, &'static str)],
);

/// What is found at once with anything else still unsound.
const UNSOUND: &[Case] = &[
    (
        "circle",
        &[(
            "landscape.toml",
            "needs = [\"network\"]",
            "needs = [\"network\", \"mail\"]",
        )],
    ),
    (
        "itself by order",
        &[(
            "landscape.toml",
            "after = [\"portal\"]",
            "after = [\"portal\", \"special\"]",
        )],
    ),
    (
        "zone",
        &[("landscape.toml", "Europe/Berlin", "Europe/Berln")],
    ),
    ("lanes", &[("landscape.toml", "lanes = 1", "lanes = 0")]),
    (
        "hours",
        &[("landscape.toml", "hour_to = 20", "hour_to = 8")],
    ),
    (
        "estimate",
        &[("landscape.toml", "likely = 8.0", "likely = 80.0")],
    ),
    (
        "freeze",
        &[("landscape.toml", "to_day = 6.5", "to_day = 5.0")],
    ),
    (
        "zeros",
        &[(
            "landscape.toml",
            "mta_hours = 168\nrto_hours = 120",
            "mta_hours = 0\nrto_hours = 0",
        )],
    ),
    (
        "no home",
        &[(
            "landscape.toml",
            "rank = 1\nhome = \"site-west\"\n",
            "rank = 1\n",
        )],
    ),
    (
        "stages",
        &[(
            "landscape.toml",
            "[\"pilot\", \"full\"]",
            "[\"full\", \"pilot\"]",
        )],
    ),
    (
        "path",
        &[("landscape.toml", "path = \"/portal\"", "path = \"/a/../b\"")],
    ),
    (
        "basic",
        &[(
            "landscape.toml",
            "basic = [\"GET /\"]",
            "basic = [\"GET /\", \"get /\"]",
        )],
    ),
    (
        "offer of the ground",
        &[("offers.csv", "town-birch,mail", "town-birch,network")],
    ),
    (
        "two switches",
        &[("offers.csv", "town-cedar,mail,1", "town-cedar,mail,2")],
    ),
    (
        "tenant like a site",
        &[
            ("tenants.csv", "town-cedar", "site-west"),
            ("offers.csv", "town-cedar", "site-west"),
            ("offers.csv", "town-cedar", "site-west"),
        ],
    ),
    (
        "need of the tenant's own",
        &[(
            "landscape.toml",
            "needs = [\"network\", \"identity\"]",
            "needs = [\"network\", \"portal\"]",
        )],
    ),
    (
        "too many approvers",
        &[(
            "tenants.csv",
            "site-east,2\ntown-birch",
            "site-east,999\ntown-birch",
        )],
    ),
];

/// What is found when every piece is sound by itself.
const UNMEANT: &[Case] = &[
    (
        "back later than tolerated",
        &[(
            "landscape.toml",
            "mta_hours = 168\nrto_hours = 120",
            "mta_hours = 100\nrto_hours = 120",
        )],
    ),
    (
        "back later than needed",
        &[(
            "landscape.toml",
            "mta_hours = 72\nrto_hours = 48",
            "mta_hours = 150\nrto_hours = 140",
        )],
    ),
    (
        "second path",
        &[("landscape.toml", "path = \"/portal\"", "path = \"/mail\"")],
    ),
    (
        "nobody has it",
        &[("offers.csv", "town-alder,special,2\n", "")],
    ),
    (
        "needed but not had",
        &[
            (
                "landscape.toml",
                "needs = [\"identity\"]\n# Only",
                "needs = [\"identity\", \"portal\"]\n# Only",
            ),
            ("offers.csv", "town-alder,portal,1\n", ""),
        ],
    ),
    (
        "no rule",
        &[("policy.toml", "class = \"C\"", "class = \"B\"")],
    ),
    (
        "no signer",
        &[(
            "policy.toml",
            "signers = [{ role = \"owner\", count = 1 }, { role = \"tenant\", count = 1 }]",
            "signers = []",
        )],
    ),
    (
        "too few",
        &[(
            "policy.toml",
            "{ role = \"forensics\", count = 1 }",
            "{ role = \"forensics\", count = 3 }",
        )],
    ),
    (
        "never signs",
        &[(
            "policy.toml",
            "{ role = \"forensics\", count = 1 }",
            "{ role = \"auditor\", count = 1 }",
        )],
    ),
    (
        "organisations",
        &[(
            "policy.toml",
            "organisations_min = 2",
            "organisations_min = 4",
        )],
    ),
    (
        "finding",
        &[(
            "policy.toml",
            "\"entry_path_closed\"]",
            "\"entry_path_closed\", \"tenant_accepted\"]",
        )],
    ),
    (
        "nobody to spare",
        &[(
            "people.csv",
            "forensics-2,Forensik 2,forensics-firm,forensics\n",
            "",
        )],
    ),
    (
        "no deputy",
        &[("tenants.csv", "9000,site-west,2", "9000,site-west,1")],
    ),
    (
        "too few approvers",
        &[("tenants.csv", "9000,site-west,2", "9000,site-west,0")],
    ),
    (
        "no work",
        &[(
            "landscape.toml",
            "kind = \"switch\"\ntask = \"rebuild\"",
            "kind = \"shared\"\ntask = \"scan\"",
        )],
    ),
];

fn told(cases: &[Case]) -> String {
    let mut text = String::new();
    for (name, edits) in cases {
        text += &format!("== {name}\n");
        let problems = located(&changed(edits));
        let before = located(&files());
        // What is said of the example anyhow is no news.
        for problem in problems.iter().filter(|problem| {
            let said = |known: &&Located| known.problem.message == problem.problem.message;
            before.iter().find(said).is_none()
        }) {
            text += &format!("{}\n", problem.render(false));
        }
        text += "\n";
    }
    text
}

#[test]
fn what_is_unsound_is_shown_at_its_place() {
    insta::assert_snapshot!(told(UNSOUND));
}

#[test]
fn what_cannot_be_meant_is_shown_at_its_place() {
    insta::assert_snapshot!(told(UNMEANT));
}

#[test]
fn every_problem_has_a_place_and_most_have_a_line() {
    for (name, edits) in UNSOUND.iter().chain(UNMEANT) {
        for problem in located(&changed(edits)) {
            assert!(!problem.places.is_empty(), "{name}: {}", problem.problem);
            let has_line = problem.places.iter().any(|place| place.line > 0);
            assert!(has_line, "{name}: {}", problem.problem);
        }
    }
}

/// What stands at a place is what is shown there.
#[test]
fn a_place_is_where_it_says() {
    let files = changed(UNSOUND[0].1);
    let problem = &located(&files)[0];
    let lines: Vec<&str> = std::str::from_utf8(&files["landscape.toml"])
        .unwrap()
        .lines()
        .collect();
    let names: Vec<&str> = problem
        .places
        .iter()
        .map(|place| {
            let excerpt = place.excerpt.as_ref().unwrap();
            assert_eq!(lines[place.line - 1], excerpt.text);
            assert_eq!(place.column - 1, excerpt.from);
            &excerpt.text[excerpt.from..excerpt.to]
        })
        .collect();
    assert_eq!(names, ["\"mail\"", "\"identity\""]);
}
