//! The landscapes we ship, read from disk as the program reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anlauf_model::landscape::{Declared, source};
use anlauf_model::{CellKind, Class, Landscape, Stage};

fn declared(name: &str) -> Declared {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../landscapes")
        .join(name);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the landscape is part of the repository") {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        files.insert(name, std::fs::read(entry.path()).unwrap());
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
