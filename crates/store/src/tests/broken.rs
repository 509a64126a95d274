//! A ledger that is not the one that was acknowledged is refused, from its first wrong entry on.

use std::fs;
use std::path::Path;

use anlauf_recovery::{Entry, State};
use anlauf_trust::Signer;
use rusqlite::Connection;

use super::cast::{
    DOMAIN, ORIGIN, desk, ledger, ledger_config, notice, notices, public, root_again, signer,
};
use crate::{
    FILE_CHECKPOINT, FILE_LEDGER, Head, Ledger, Reader, StoreError, leaf, verify, verify_signed,
};

const SIZE: usize = 8;
const SIGNED: usize = 5;

/// Eight entries, of which five are under a checkpoint.
fn sound(folder: &Path) -> Head {
    let entries = notices(SIZE);
    let (mut ledger, _) = ledger(folder).unwrap();
    ledger.append(&entries[..SIGNED]).unwrap();
    ledger.checkpoint(&signer()).unwrap();
    ledger.append(&entries[SIGNED..]).unwrap()
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join(FILE_LEDGER)).unwrap()
}

/// Breaks a sound ledger by SQL; says how it is refused.
fn broken_by(sql: &str) -> String {
    broken(|folder| database(folder).execute_batch(sql).unwrap())
}

fn broken(breaks: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    sound(folder.path());
    breaks(folder.path());
    let verified = verify_signed(folder.path(), ORIGIN, &public()).err();
    let file = |folder: &Path| fs::read(folder.join(FILE_LEDGER)).ok();
    let before = file(folder.path());
    let opened = match ledger(folder.path()) {
        Ok(_) => return "opened".to_owned(),
        Err(error) => word(&error),
    };
    if opened.starts_with("AN-STO-006") {
        assert_eq!(
            verified.as_ref().map(word).unwrap_or_default(),
            opened,
            "verify says the same"
        );
    }
    assert_eq!(
        before,
        file(folder.path()),
        "a refused ledger stays as it is: {opened}"
    );
    opened
}

/// Code, and the entry where it is known.
fn word(error: &StoreError) -> String {
    match error {
        StoreError::Broken { seq, .. } => format!("{} from {seq}", error.code()),
        StoreError::RolledBack { ledger, checkpoint } => {
            format!("{} {ledger} of {checkpoint}", error.code())
        }
        _ => error.code().to_owned(),
    }
}

#[test]
fn a_sound_ledger_opens() {
    assert_eq!(broken(|_| {}), "opened");
}

#[test]
fn whoever_asks_for_a_signature_is_told_that_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    sound(folder.path());
    let signed = || verify_signed(folder.path(), ORIGIN, &public());
    let rows = "DELETE FROM checkpoint";
    database(folder.path()).execute_batch(rows).unwrap();
    // The checkpoint beside the ledger still vouches for five of them.
    let report = signed().unwrap();
    assert!(report.signature_checked);
    assert_eq!((report.checkpoint_size, report.checkpoint_count), (5, 0));
    fs::remove_file(folder.path().join(FILE_CHECKPOINT)).unwrap();
    assert_eq!(word(&signed().unwrap_err()), "AN-STO-015");
    let report = verify(folder.path()).unwrap();
    assert!(!report.signature_checked);
}

#[test]
fn a_changed_entry_is_named() {
    let flip = |column: &str, seq: u64| {
        broken(|folder| {
            let connection = database(folder);
            let read = format!("SELECT {column} FROM event WHERE seq = {seq}");
            let mut bytes: Vec<u8> = connection.query_row(&read, [], |row| row.get(0)).unwrap();
            bytes[20] ^= 1;
            let write = format!("UPDATE event SET {column} = ?1 WHERE seq = {seq}");
            assert_eq!(connection.execute(&write, [bytes]).unwrap(), 1);
        })
    };
    assert_eq!(flip("leaf", 6), "AN-STO-006 from 6");
    assert_eq!(flip("salt", 3), "AN-STO-006 from 3");
    for (change, seq) in [
        ("body = replace(body, 'Stand n2', 'Stand n9')", 2),
        ("body = replace(body, '\"op-1\"', '\"op-2\"')", 7),
        ("body = body || ' '", 4),
        ("body = replace(body, '\"seq\":1', '\"seq\":2')", 1),
        ("body = 'nothing'", 8),
        ("at = at + 1", 5),
        ("scope = 'provider'", 6),
        ("salt = x'00'", 1),
    ] {
        let told = broken_by(&format!("UPDATE event SET {change} WHERE seq = {seq}"));
        assert_eq!(told, format!("AN-STO-006 from {seq}"), "{change}");
    }
}

#[test]
fn a_missing_or_additional_entry_is_named() {
    assert_eq!(
        broken_by("DELETE FROM event WHERE seq = 4"),
        "AN-STO-006 from 4"
    );
    assert_eq!(
        broken_by("DELETE FROM event WHERE seq = 1"),
        "AN-STO-006 from 1"
    );
    assert_eq!(
        broken_by("DELETE FROM event WHERE seq = 8"),
        "AN-STO-006 from 8"
    );
    assert_eq!(broken_by("DELETE FROM event"), "AN-STO-006 from 1");
    assert_eq!(
        broken_by("UPDATE event SET seq = 9 WHERE seq = 8"),
        "AN-STO-006 from 8"
    );
    assert_eq!(
        broken_by("UPDATE event SET seq = 0 WHERE seq = 1"),
        "AN-STO-006 from 1"
    );
    let swap = "UPDATE event SET seq = 99 WHERE seq = 6; UPDATE event SET seq = 6 WHERE seq = 7; \
                UPDATE event SET seq = 7 WHERE seq = 99";
    assert_eq!(broken_by(swap), "AN-STO-006 from 6");
    let copy = "INSERT INTO event SELECT 9, at, scope, leaf, salt, body FROM event WHERE seq = 8";
    assert_eq!(broken_by(copy), "AN-STO-006 from 9");
    assert_eq!(broken_by("DELETE FROM head"), "AN-STO-006 from 9");
    assert_eq!(broken_by("UPDATE head SET size = 7"), "AN-STO-006 from 8");
    assert_eq!(
        broken_by("UPDATE head SET root = zeroblob(32)"),
        "AN-STO-006 from 6"
    );
}

/// Writes an entry over another one with a leaf that fits.
fn forge(folder: &Path, entry: &Entry) {
    let row = leaf::seal(entry).unwrap();
    let columns = (&row.leaf.0[..], &row.salt[..], &row.body, row.seq);
    let sql = "UPDATE event SET leaf = ?1, salt = ?2, body = ?3 WHERE seq = ?4";
    assert_eq!(database(folder).execute(sql, columns).unwrap(), 1);
}

/// Makes the head fit what is there, as someone would who knows the layout.
fn mend_head(folder: &Path) {
    let connection = database(folder);
    let reader = Reader::open(folder).unwrap();
    let size = connection
        .query_row("SELECT count(*) FROM event", [], |row| row.get(0))
        .unwrap();
    let root = anlauf_trust::merkle::root_of(
        &reader
            .leaves(u64::from_ne_bytes(i64::to_ne_bytes(size)))
            .unwrap(),
    );
    let sql = "UPDATE head SET size = ?1, root = ?2";
    connection.execute(sql, (size, &root.0[..])).unwrap();
}

fn changed(index: usize) -> Entry {
    let mut entry = notices(SIZE)[index].clone();
    entry.reason = "another reason".to_owned();
    entry
}

#[test]
fn a_forged_entry_with_a_fitting_leaf_does_not_fit_the_tree() {
    assert_eq!(
        broken(|folder| forge(folder, &changed(2))),
        "AN-STO-006 from 1"
    );
    assert_eq!(
        broken(|folder| forge(folder, &changed(6))),
        "AN-STO-006 from 6"
    );
    let with_head = broken(|folder| {
        forge(folder, &changed(2));
        mend_head(folder);
    });
    assert_eq!(
        with_head, "AN-STO-006 from 1",
        "the checkpoint speaks of another tree"
    );
    let without_row = broken(|folder| {
        forge(folder, &changed(2));
        mend_head(folder);
        database(folder)
            .execute_batch("DELETE FROM checkpoint")
            .unwrap();
    });
    assert_eq!(
        without_row, "AN-STO-006 from 1",
        "the side file speaks of another tree"
    );
}

#[test]
fn a_forger_without_the_log_key_cannot_sign_it_again() {
    let forged = |side_before: bool, side_after: bool| {
        broken(|folder| {
            let side = folder.join(FILE_CHECKPOINT);
            forge(folder, &changed(2));
            mend_head(folder);
            database(folder)
                .execute_batch("DELETE FROM checkpoint")
                .unwrap();
            if !side_before {
                fs::remove_file(&side).unwrap();
            }
            let stranger = Signer::from_seed([8; 32]);
            let mut config = ledger_config(folder);
            config.public = stranger.public();
            if let Ok((mut ledger, _)) = Ledger::open(config) {
                ledger.checkpoint(&stranger).unwrap();
            }
            if !side_after {
                fs::remove_file(&side).unwrap();
            }
        })
    };
    assert_eq!(forged(true, true), "AN-STO-006 from 1");
    assert_eq!(forged(false, true), "AN-STO-008");
    assert_eq!(
        forged(false, false),
        "AN-STO-008",
        "the stored one is judged too"
    );
}

#[test]
fn an_old_copy_is_told_from_a_ledger_that_ends() {
    let cut = |size: usize| {
        broken(|folder| {
            let sql = format!(
                "DELETE FROM event WHERE seq > {size}; DELETE FROM checkpoint WHERE size > {size}"
            );
            database(folder).execute_batch(&sql).unwrap();
            mend_head(folder);
        })
    };
    assert_eq!(cut(4), "AN-STO-007 4 of 5");
    assert_eq!(cut(0), "AN-STO-007 0 of 5");
    let gone = broken(|folder| fs::remove_file(folder.join(FILE_LEDGER)).unwrap());
    assert_eq!(gone, "AN-STO-007 0 of 5");
    assert_eq!(
        broken_by("DELETE FROM event WHERE seq > 4"),
        "AN-STO-006 from 5",
        "a checkpoint in the ledger misses its entries"
    );
}

#[test]
fn a_whole_old_copy_of_the_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = desk(folder.path());
    first.submit_blocking(notice("a")).unwrap();
    first.close();
    let copy = fs::read(folder.path().join(FILE_LEDGER)).unwrap();
    let second = desk(folder.path());
    second.submit_blocking(notice("b")).unwrap();
    second.close();
    fs::write(folder.path().join(FILE_LEDGER), copy).unwrap();
    assert_eq!(
        word(&ledger(folder.path()).unwrap_err()),
        "AN-STO-007 1 of 2"
    );
}

#[test]
fn a_foreign_checkpoint_is_refused() {
    let side = |text: &[u8]| broken(|f| fs::write(f.join(FILE_CHECKPOINT), text).unwrap());
    assert_eq!(side(b"nothing"), "AN-STO-008");
    assert_eq!(side(b""), "AN-STO-008");
    assert_eq!(side(&[0xff; 64]), "AN-STO-008");
    assert_eq!(side(&[b'a'; 65 * 1024]), "AN-STO-008");
    assert_eq!(
        broken_by("UPDATE checkpoint SET note = replace(note, '5', '6')"),
        "AN-STO-006 from 1"
    );
    assert_eq!(
        broken_by("UPDATE checkpoint SET root = x'00'"),
        "AN-STO-006 from 1"
    );
    let folder = tempfile::tempdir().unwrap();
    sound(folder.path());
    let mut config = ledger_config(folder.path());
    config.origin = "anlauf/other".to_owned();
    assert_eq!(Ledger::open(config).unwrap_err().code(), "AN-STO-008");
    let mut config = ledger_config(folder.path());
    config.public = Signer::from_seed([8; 32]).public();
    assert_eq!(Ledger::open(config).unwrap_err().code(), "AN-STO-008");
    assert!(
        ledger(folder.path()).is_ok(),
        "asking wrongly changed nothing"
    );
}

#[test]
fn a_ledger_of_another_domain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    sound(folder.path());
    let mut config = ledger_config(folder.path());
    config.domain = Some("krankenkassen".to_owned());
    let error = Ledger::open(config).unwrap_err();
    assert_eq!(error.code(), "AN-STO-005");
    assert!(error.to_string().contains(DOMAIN));
    let mut config = ledger_config(folder.path());
    config.domain = None;
    assert!(Ledger::open(config).is_ok(), "no domain asked is any");
}

#[test]
fn another_file_is_not_a_ledger_and_stays_as_it_is() {
    let put = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_LEDGER), bytes).unwrap();
        let code = ledger(folder.path()).unwrap_err().code();
        assert_eq!(fs::read(folder.path().join(FILE_LEDGER)).unwrap(), bytes);
        code
    };
    assert_eq!(put(b"id,name\na,b\n"), "AN-STO-003");
    assert_eq!(put(&[0; 4096]), "AN-STO-003");
    assert_eq!(broken_by("CREATE TABLE more (a)"), "AN-STO-003");
    let trigger = "CREATE TRIGGER t AFTER INSERT ON event BEGIN \
                   UPDATE event SET body = '' WHERE seq = new.seq; END";
    assert_eq!(broken_by(trigger), "AN-STO-003");
    assert_eq!(broken_by("DROP TABLE checkpoint"), "AN-STO-003");
    assert_eq!(broken_by("PRAGMA application_id = 1"), "AN-STO-003");
    assert_eq!(broken_by("PRAGMA user_version = 2"), "AN-STO-004");
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        Reader::open(folder.path()).unwrap_err().code(),
        "AN-STO-003"
    );
    assert_eq!(verify(folder.path()).unwrap_err().code(), "AN-STO-003");
    assert!(
        !folder.path().join(FILE_LEDGER).exists(),
        "reading lays nothing out"
    );
}

#[test]
fn a_cut_file_is_refused() {
    for part in 1..8 {
        let told = broken(|folder| {
            let file = folder.join(FILE_LEDGER);
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, &bytes[..bytes.len() * part / 8]).unwrap();
        });
        assert!(
            ["AN-STO-003", "AN-STO-006", "AN-STO-010"].contains(&&told[..10]),
            "{told}"
        );
    }
}

#[test]
fn a_flipped_bit_anywhere_changes_nothing_or_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let head = sound(folder.path());
    let file = folder.path().join(FILE_LEDGER);
    let sound = fs::read(&file).unwrap();
    let (_, state) = ledger(folder.path()).unwrap();
    let mut refused = 0;
    for step in 0..400 {
        // A prime stride meets every part of a page.
        let place = step * 8_191 % (sound.len() * 8);
        let mut bytes = sound.clone();
        bytes[place / 8] ^= 1 << (place % 8);
        fs::write(&file, bytes).unwrap();
        match ledger(folder.path()) {
            Ok((ledger, again)) => {
                assert_eq!(ledger.head(), head, "bit {place}");
                assert!(again == state, "bit {place}");
            }
            Err(_) => refused += 1,
        }
        for left in ["-wal", "-shm"] {
            let _absent = fs::remove_file(format!("{}{left}", file.display()));
        }
    }
    assert!(refused > 50, "only {refused} of 400 flips hit an entry");
}

#[test]
fn a_row_changed_under_the_running_desk_is_not_shown_and_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(folder.path());
    for key in ["a", "b", "c"] {
        desk.submit_blocking(notice(key)).unwrap();
    }
    let sql = "UPDATE event SET body = replace(body, 'Stand b', 'Stand x') WHERE seq = 2";
    database(folder.path()).execute_batch(sql).unwrap();
    assert_eq!(word(&desk.entries(1, 10).unwrap_err()), "AN-STO-006 from 2");
    assert_eq!(word(&desk.record(2).unwrap_err()), "AN-STO-006 from 2");
    assert_eq!(desk.entries(3, 10).unwrap().len(), 1);
    assert!(matches!(
        desk.checkpoint_blocking(),
        Err(StoreError::Stopped)
    ));
    drop(desk);
    assert!(!folder.path().join(FILE_CHECKPOINT).exists());
    assert_eq!(
        word(&ledger(folder.path()).unwrap_err()),
        "AN-STO-006 from 2"
    );
}

#[test]
fn a_row_replaced_under_the_running_desk_is_not_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = ledger(folder.path()).unwrap();
    ledger.append(&notices(SIZE)).unwrap();
    forge(folder.path(), &changed(6));
    assert_eq!(
        word(&ledger.checkpoint(&signer()).unwrap_err()),
        "AN-STO-006 from 1"
    );
}

#[test]
fn the_side_file_is_mended_when_it_is_one_behind() {
    let folder = tempfile::tempdir().unwrap();
    sound(folder.path());
    let side = folder.path().join(FILE_CHECKPOINT);
    let note = fs::read_to_string(&side).unwrap();
    fs::remove_file(&side).unwrap();
    drop(ledger(folder.path()).unwrap());
    assert_eq!(fs::read_to_string(&side).unwrap(), note);
}

#[test]
fn what_was_read_is_what_was_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let head = sound(folder.path());
    let reader = Reader::open(folder.path()).unwrap();
    let records: Vec<_> = (1..=SIZE as u64)
        .map(|seq| reader.record(seq).unwrap().unwrap())
        .collect();
    assert_eq!(root_again(&records), head.root);
    let report = verify(folder.path()).unwrap();
    assert_eq!((report.size, report.root), (8, head.root));
    assert_eq!((report.checkpoint_count, report.checkpoint_size), (1, 5));
    assert!(!report.signature_checked);
    let (first, last) = report.span.unwrap();
    assert_eq!((first, last), (records[0].entry.at, records[7].entry.at));
    let mut state = State::default();
    reader.for_each(&mut |entry| state.apply(&entry)).unwrap();
    assert!(ledger(folder.path()).unwrap().1 == state);
}
