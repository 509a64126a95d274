//! Sealed bytes open at their own place only, and the master key is kept as it must be.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{Master, Unsound};

const PLACE: [&str; 4] = ["bkk-eisvogel", "aa", "Binary", "1"];

fn master() -> Master {
    Master::of(&[7; 32]).expect("32 bytes")
}

#[test]
fn what_is_sealed_opens_at_its_own_place_with_its_own_key_only() {
    let master = master();
    let (key, wrapped) = master.make(&["bkk-eisvogel", "aa", "key"]).unwrap();
    let sealed = master.seal(&key, &PLACE, b"Befund").unwrap();
    assert_eq!(key.open(&PLACE, &sealed).unwrap(), b"Befund");
    for part in 0..PLACE.len() {
        let mut other = PLACE;
        other[part] = "other";
        assert_eq!(key.open(&other, &sealed), Err(Unsound), "part {part}");
    }
    let shifted = ["bkk-eisvogela", "a", "Binary", "1"];
    assert_eq!(key.open(&shifted, &sealed), Err(Unsound));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(key.open(&PLACE, &changed), Err(Unsound), "byte {at}");
    }
    assert_eq!(key.open(&PLACE, &sealed[..5]), Err(Unsound));
    let (stranger, _) = master.make(&["bkk-eisvogel", "bb", "key"]).unwrap();
    assert_eq!(stranger.open(&PLACE, &sealed), Err(Unsound));
    let again = master
        .unwrap_key(&["bkk-eisvogel", "aa", "key"], &wrapped)
        .unwrap();
    assert_eq!(again.open(&PLACE, &sealed).unwrap(), b"Befund");
    assert!(
        master
            .unwrap_key(&["bkk-eisvogel", "bb", "key"], &wrapped)
            .is_err()
    );
    let other = Master::of(&[8; 32]).unwrap();
    assert!(
        other
            .unwrap_key(&["bkk-eisvogel", "aa", "key"], &wrapped)
            .is_err()
    );
}

#[test]
fn the_same_bytes_sealed_twice_look_different() {
    let master = master();
    let (key, _) = master.make(&["a", "b", "key"]).unwrap();
    let [one, two] = [(); 2].map(|()| master.seal(&key, &PLACE, b"Befund").unwrap());
    assert_ne!(one, two);
}

#[test]
fn the_master_key_is_for_its_owner_and_outside_of_the_data() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let path = folder.path().join("keys/master.key");
    Master::open(&path, &data).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let first = std::fs::read(&path).unwrap();
    Master::open(&path, &data).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = Master::open(&path, &data).unwrap_err().to_string();
    assert!(open.contains("others may read"), "{open}");
    let inside = Master::open(&data.join("tenant/master.key"), &data).unwrap_err();
    assert!(inside.to_string().contains("lies in the data"), "{inside}");
    let around = data.join("../data/master.key");
    assert!(Master::open(&around, &data).is_err());
}
