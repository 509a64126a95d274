//! A gate reads exactly what was written, and nothing else.

use std::collections::BTreeMap;

use super::*;
use crate::landscape::{example::example, source};

fn table() -> GateTable {
    let files: BTreeMap<String, Vec<u8>> = example()
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect();
    Landscape::new(source::read(&files).unwrap())
        .unwrap()
        .gate_table()
}

#[test]
fn bytes_come_back_as_the_same_table() {
    let table = table();
    assert_eq!(GateTable::from_bytes(&table.to_bytes()), Ok(table.clone()));
    assert_eq!(table.digest(), Digest::of(&table.to_bytes()));
    for cell in &table.cells {
        assert_eq!(table.cell(&cell.id), Some(cell));
    }
    assert_eq!(table.cell(&"town-alder/nothing".parse().unwrap()), None);
}

/// The bytes are signed over by digest: this text only changes with a new version of the table.
#[test]
fn one_cell_in_bytes() {
    let mut table = table();
    table
        .cells
        .retain(|cell| cell.id.to_string() == "town-alder/portal");
    let text = String::from_utf8(table.to_bytes()).unwrap();
    insta::assert_snapshot!(text);
}

#[test]
fn other_bytes_are_refused() {
    let bytes = table().to_bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let read = |text: &str| GateTable::from_bytes(text.as_bytes());
    assert!(matches!(
        read(&text.replacen("\"class\"", "\"spare\":1,\"class\"", 1)),
        Err(TableError::Malformed(_))
    ));
    assert!(matches!(
        read(&text.replacen("\"class\":\"A\"", "\"class\":\"A\",\"class\":\"C\"", 1)),
        Err(TableError::Malformed(_))
    ));
    assert!(matches!(
        read(&text.replacen("\"class\"", " \"class\"", 1)),
        Err(TableError::NotCanonical(_))
    ));
    assert!(matches!(
        read(&format!("{text} ")),
        Err(TableError::NotCanonical(_))
    ));
    assert!(matches!(
        read(&text[..text.len() - 1]),
        Err(TableError::Malformed(_))
    ));

    let mut swapped = table();
    swapped.cells.swap(0, 1);
    assert!(matches!(
        GateTable::from_bytes(&swapped.to_bytes()),
        Err(TableError::NotCanonical(_))
    ));
    let mut twice = table();
    let first = twice.cells[0].clone();
    twice.cells.insert(0, first);
    assert!(matches!(
        GateTable::from_bytes(&twice.to_bytes()),
        Err(TableError::NotCanonical(_))
    ));
}
