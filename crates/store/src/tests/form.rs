//! What lies on the disk, held still: older ledgers must stay readable.

use rusqlite::Connection;

use super::cast::{desk, ledger, notice, notices};
use crate::{FILE_LEDGER, leaf};

#[test]
fn the_sqlite_inside_has_the_fix_of_the_wal_race() {
    assert!(
        rusqlite::version_number() >= 3_051_003,
        "{}",
        rusqlite::version()
    );
}

#[test]
fn a_commit_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    drop(ledger(folder.path()).unwrap());
    let file = folder.path().join(FILE_LEDGER);
    let connection = crate::schema::open_writer(&file).unwrap();
    let pragma = |name: &str| -> String {
        connection
            .query_row(
                &format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"),
                [],
                |row| row.get(0),
            )
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "wal");
    assert_eq!(pragma("synchronous"), "2");
    assert_eq!(pragma("fullfsync"), "1");
    assert_eq!(pragma("trusted_schema"), "0");
}

#[test]
fn a_row_has_these_columns_and_this_body() {
    let row = leaf::seal(&notices(1)[0]).unwrap();
    assert_eq!(
        (row.seq, row.at, row.scope.as_str()),
        (1, 1_777_000_000_000, "everyone")
    );
    let body = concat!(
        r#"{"seq":1,"at":"2026-04-24T03:06:40Z","#,
        r#""actor":{"person":"op-1","organisation":"provider","role":"operator"},"#,
        r#""reason":"people wait","key":"n1","#,
        r#""command":"COMMAND","scope":"everyone","#,
        r#""event":{"event":"notice_published","notice":1,"#,
        r#""text":{"de":"Stand n1","en":"as of n1"},"#,
        r#""next_word_at":"2096-10-02T07:06:40Z","tenant":null}}"#,
    );
    let command = notices(1)[0].command.to_string();
    assert_eq!(row.body, body.replace("COMMAND", &command));
}

#[test]
fn two_equal_entries_have_different_leaves() {
    let entry = &notices(1)[0];
    let (one, two) = (leaf::seal(entry).unwrap(), leaf::seal(entry).unwrap());
    assert_eq!(one.body, two.body);
    assert_ne!(one.salt, two.salt);
    assert_ne!(one.leaf, two.leaf);
}

#[test]
fn only_the_owner_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let desk = desk(&data);
    desk.submit_blocking(notice("a")).unwrap();
    assert_eq!(
        std::fs::metadata(&data).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_file_that_was_never_written_to_is_laid_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE_LEDGER), b"").unwrap();
    let (mut ledger, state) = ledger(folder.path()).unwrap();
    assert_eq!(state.seq, 0);
    ledger.append(&notices(1)).unwrap();
    let connection = Connection::open(folder.path().join(FILE_LEDGER)).unwrap();
    let count: i64 = connection
        .query_row("SELECT count(*) FROM event", [], |r| r.get(0))
        .unwrap();
    assert_eq!(count, 1);
}
