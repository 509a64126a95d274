//! What is on the disk after every way of writing to it.

use anlauf_model::Stage;
use proptest::prelude::*;

use super::*;

fn gate() -> GateId {
    "gate-1".parse().unwrap()
}

fn pin() -> Digest {
    Digest::of(b"root")
}

fn entry(position: u64) -> Entry {
    let cell = GateCellState {
        cell: "stadt/post".parse().unwrap(),
        stage: Stage::Closed,
        epoch: Epoch(position),
    };
    Entry {
        position,
        at: Timestamp(1_000 + position.cast_signed()),
        sum: None,
        signed: Some(Signed {
            kind: FeedKind::Close,
            envelope: format!("{{\"no\": {position}}}"),
        }),
        floor: Some(Floor {
            cells: vec![cell],
            burned: vec![(Scope::Everything, Epoch(position))],
        }),
    }
}

fn entries(count: u64) -> Vec<Entry> {
    (1..=count).map(entry).collect()
}

fn open(dir: &Path) -> Result<(Journal, Vec<Entry>), GateError> {
    Journal::open(dir, &gate(), &pin())
}

fn written(dir: &Path, count: u64) -> Vec<u8> {
    let (mut journal, _) = open(dir).unwrap();
    for entry in entries(count) {
        journal.append(&entry).unwrap();
    }
    fs::read(dir.join(JOURNAL)).unwrap()
}

#[test]
fn what_was_appended_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 5);
    let (mut journal, found) = open(dir.path()).unwrap();
    assert_eq!(found, entries(5));
    journal.append(&entry(6)).unwrap();
    drop(journal);
    assert_eq!(open(dir.path()).unwrap().1, entries(6));
}

/// The form on disk. Only ever added to: gates read the journals of gates before them.
#[test]
fn the_form_of_a_line_stays() {
    let dir = tempfile::tempdir().unwrap();
    let text = String::from_utf8(written(dir.path(), 1)).unwrap();
    insta::assert_snapshot!("line", text);
}

#[test]
fn an_unfinished_last_line_is_cut_off_wherever_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = written(dir.path(), 3);
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
    let near = |size: usize| ends.iter().any(|end| size.abs_diff(*end) < 3);
    for size in (ends[0] + 1..=bytes.len()).filter(|size| size % 31 == 0 || near(*size)) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(JOURNAL), &bytes[..size]).unwrap();
        let whole = ends.iter().filter(|end| **end < size).count() - 1;
        let (mut journal, found) = open(dir.path()).unwrap();
        assert_eq!(found, entries(whole as u64), "at {size}");
        journal.append(&entry(9)).unwrap();
        drop(journal);
        assert_eq!(open(dir.path()).unwrap().1.len(), whole + 1, "at {size}");
    }
}

#[test]
fn a_shorter_journal_takes_the_place_of_a_longer() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 5);
    let (mut journal, _) = open(dir.path()).unwrap();
    journal.rewrite(&[entry(5)]).unwrap();
    journal.append(&entry(6)).unwrap();
    drop(journal);
    assert_eq!(open(dir.path()).unwrap().1, [entry(5), entry(6)]);
}

#[test]
fn a_disk_that_does_not_take_it_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), 1);
    let (mut journal, _) = open(dir.path()).unwrap();
    // A file that cannot be written to stands for a disk that cannot.
    journal.file = File::open(dir.path().join(JOURNAL)).unwrap();
    let error = journal.append(&entry(2)).unwrap_err();
    assert!(journal.error(error).to_string().contains("AN-GAT-002"));
    drop(journal);
    assert_eq!(
        open(dir.path()).unwrap().1,
        entries(1),
        "what was acknowledged is there"
    );
}

#[test]
fn one_gate_per_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(GateError::Disk { .. })));
    drop(first);
    open(dir.path()).unwrap();
    let other = Journal::open(dir.path(), &"gate-2".parse().unwrap(), &pin());
    assert!(matches!(other, Err(GateError::Foreign { .. })));
}

#[test]
fn a_table_comes_back_as_it_was_kept_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(dir.path()).unwrap();
    let bytes = GateTable::default().to_bytes();
    let digest = Digest::of(&bytes);
    assert!(matches!(
        journal.table(&digest),
        Err(GateError::Table { .. })
    ));
    journal.keep_table(&digest, &bytes).unwrap();
    assert_eq!(journal.table(&digest).unwrap(), GateTable::default());
    fs::write(dir.path().join(table_name(&digest)), b"{\"cells\":[] }").unwrap();
    assert!(matches!(
        journal.table(&digest),
        Err(GateError::Table { .. })
    ));
}

proptest! {
    /// One flipped bit anywhere is damage; in the last line's end it is an unfinished line.
    #[test]
    fn one_flipped_bit_never_passes(at in 0usize..10_000, bit in 0u8..8) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = written(dir.path(), 3);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let last = at + 1 == bytes.len();
        fs::write(dir.path().join(JOURNAL), &bytes).unwrap();
        match open(dir.path()) {
            Ok((_, found)) => {
                prop_assert!(last, "byte {} of {}", at, bytes.len());
                prop_assert_eq!(found, entries(2));
            }
            Err(GateError::Damaged { .. } | GateError::Foreign { .. }) => prop_assert!(!last),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
