//! The landscapes we ship, read from disk as the program reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anlauf_model::landscape::{Declared, lint, source};
use anlauf_model::{CellId, CellKind, FindingKind, Landscape};

fn declared(name: &str) -> Declared {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../landscapes")
        .join(name);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the landscape is part of the repository") {
        let entry = entry.expect("the folder can be read");
        let name = entry
            .file_name()
            .into_string()
            .expect("our names are plain");
        files.insert(
            name,
            std::fs::read(entry.path()).expect("our files can be read"),
        );
    }
    source::read(&files).unwrap_or_else(|errors| {
        panic!(
            "{}",
            errors
                .iter()
                .map(|e| e.render(false))
                .collect::<Vec<_>>()
                .join("\n")
        )
    })
}

fn landscape(name: &str) -> Landscape {
    Landscape::new(declared(name)).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn krankenkassen_has_its_known_size() {
    let landscape = landscape("krankenkassen");
    let declared = landscape.declared();
    assert_eq!(declared.sites.len(), 3);
    assert_eq!(declared.services.len(), 30);
    assert_eq!(declared.teams.len(), 17);
    assert_eq!(declared.tenants.len(), 80);
    assert_eq!(landscape.cells().len(), 1_790);
    assert_eq!(landscape.insured(), 24_754_000);
    let south = declared
        .tenants
        .iter()
        .filter(|t| t.site.as_str() == "dc-south")
        .count();
    assert_eq!(south, 34);
}

fn lint_text(name: &str) -> String {
    lint::lint(&declared(name))
        .iter()
        .map(|p| format!("{p}\n"))
        .collect()
}

#[test]
fn krankenkassen_lint_has_no_error() {
    insta::assert_snapshot!(lint_text("krankenkassen"));
}

#[test]
fn kommunen_lint_has_no_error() {
    insta::assert_snapshot!(lint_text("kommunen"));
}

#[test]
fn kommunen_is_another_house() {
    let landscape = landscape("kommunen");
    let declared = landscape.declared();
    assert_eq!(declared.sites.len(), 2);
    assert_eq!(declared.services.len(), 12);
    assert_eq!(declared.tenants.len(), 8);
    assert_eq!(landscape.cells().len(), 64);
    let teams = |l: &Landscape| -> BTreeSet<String> {
        l.declared()
            .teams
            .iter()
            .map(|t| t.id.to_string())
            .collect()
    };
    assert!(teams(&landscape).is_disjoint(&teams(&self::landscape("krankenkassen"))));
}

/// Every cell of both landscapes can be opened to every stage it goes through: a rule covers it,
/// and its own steps (or the incident-wide finding) yield all that the rule demands.
#[test]
fn every_cell_can_open() {
    for name in ["krankenkassen", "kommunen"] {
        let landscape = landscape(name);
        for cell in landscape.cells().values() {
            let yields: BTreeSet<FindingKind> = cell
                .tasks
                .keys()
                .filter_map(|task| task.finding())
                .collect();
            for stage in &cell.stages {
                let rule = landscape.rule(cell.class, cell.kind, *stage);
                let rule = rule.unwrap_or_else(|| panic!("{} at {stage} has no rule", cell.id));
                let missing: Vec<_> = rule
                    .findings
                    .iter()
                    .filter(|f| !f.is_incident_wide() && !yields.contains(f))
                    .collect();
                assert_eq!(
                    missing,
                    Vec::<&FindingKind>::new(),
                    "{} at {stage}",
                    cell.id
                );
                assert!(rule.organisations_min >= 2, "{} at {stage}", cell.id);
            }
        }
    }
}

/// Needs and order name existing cells only, and no cell waits for itself in the end.
#[test]
fn cells_can_be_put_in_an_order() {
    for name in ["krankenkassen", "kommunen"] {
        let landscape = landscape(name);
        let cells = landscape.cells();
        let mut waits: BTreeMap<&CellId, usize> = BTreeMap::new();
        let mut next: BTreeMap<&CellId, Vec<&CellId>> = BTreeMap::new();
        for cell in cells.values() {
            let before: Vec<&CellId> = cell.needs.iter().chain(&cell.after).collect();
            for id in &before {
                assert!(cells.contains_key(*id), "{} waits for {id}", cell.id);
                next.entry(id).or_default().push(&cell.id);
            }
            waits.insert(&cell.id, before.len());
        }
        let mut ready: Vec<&CellId> = waits
            .iter()
            .filter(|(_, n)| **n == 0)
            .map(|(id, _)| *id)
            .collect();
        let mut count = 0;
        while let Some(id) = ready.pop() {
            count += 1;
            for after in next.remove(id).unwrap_or_default() {
                let left = waits.get_mut(after).unwrap();
                *left -= 1;
                if *left == 0 {
                    ready.push(after);
                }
            }
        }
        assert_eq!(count, cells.len(), "{name} has a circle");
    }
}

#[test]
fn the_order_of_the_founding_case_is_declared() {
    let landscape = landscape("krankenkassen");
    let cell = |id: &str| landscape.cell(&id.parse().unwrap()).unwrap();
    let text = |ids: &[CellId]| {
        ids.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    insta::assert_snapshot!(text(&cell("bkk-eisvogel/epa").needs),
        @"bkk-eisvogel/idp bkk-eisvogel/ti");
    insta::assert_snapshot!(text(&cell("bkk-eisvogel/epa").after),
        @"bkk-eisvogel/app bkk-eisvogel/og");
    insta::assert_snapshot!(text(&cell("bkk-eisvogel/mailinfra").needs),
        @"shared/mailinfra dc-south/gw foundation/iam foundation/siem");
    insta::assert_snapshot!(text(&cell("shared/mailinfra").needs),
        @"dc-west/gw foundation/iam foundation/siem");
    insta::assert_snapshot!(text(&cell("ek-amsel/custom-13").after),
        @"ek-amsel/core ek-amsel/app ek-amsel/og ek-amsel/epa");
    // Mail, card photo and payments weigh most among what is shared.
    let mut shared: Vec<_> = landscape
        .cells()
        .values()
        .filter(|c| c.kind == CellKind::Shared)
        .collect();
    shared.sort_by_key(|c| std::cmp::Reverse(c.harm));
    let first: Vec<_> = shared.iter().take(3).map(|c| c.service.as_str()).collect();
    assert_eq!(first, ["mailinfra", "pay", "lichtbild"]);
}

/// What the ledger stores is what the files said.
#[test]
fn declared_survives_json_and_derives_the_same() {
    for name in ["krankenkassen", "kommunen"] {
        let declared = declared(name);
        let json = serde_json::to_vec(&declared).unwrap();
        let back: Declared = serde_json::from_slice(&json).unwrap();
        assert_eq!(back, declared);
        let first = Landscape::new(declared).unwrap();
        let again = Landscape::new(first.declared().clone()).unwrap();
        assert_eq!(again, first);
    }
}
