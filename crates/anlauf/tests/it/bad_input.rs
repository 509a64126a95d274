//! What bad input gets: one clear error each, and nothing is started.

use std::fs::{self, File};

use crate::house::{House, has_ledger};
use crate::process::Run;

/// Lint and serve refuse a changed landscape with the same words, and leave nothing behind.
#[track_caller]
fn refused(house: &House, words: &[&str]) {
    house.run("landscape lint land").says(6, words);
    house.not_served(&mut house.serve(0)).says(6, words);
    assert!(!has_ledger(&house.path("data")));
}

#[test]
fn a_cycle() {
    let house = House::with_landscape(None);
    house.edit(
        "landscape.toml",
        r#"needs = ["network"]"#,
        r#"needs = ["network", "mail"]"#,
    );
    house.run("landscape lint land").says(6, &["1 errors"]);
    let run = house
        .not_served(&mut house.serve(0))
        .says(6, &["cannot be used", "`identity`", "`mail`"]);
    assert!(run.err.contains("AN-LAN-"), "{}", run.err);
    assert!(!has_ledger(&house.path("data")));
}

#[test]
fn an_unknown_name() {
    let house = House::with_landscape(None);
    house.edit(
        "landscape.toml",
        r#"needs = ["network"]"#,
        r#"needs = ["netwerk"]"#,
    );
    refused(
        &house,
        &[
            "landscape.toml:",
            "`netwerk`",
            "did you mean `network`?",
            "AN-LAN-",
        ],
    );
}

#[test]
fn a_duplicated_id() {
    let house = House::with_landscape(None);
    house.edit("tenants.csv", "town-birch,", "town-alder,");
    refused(&house, &["tenants.csv:", "town-alder", "AN-LAN-"]);
}

#[test]
fn two_gigabytes_of_text() {
    let house = House::with_landscape(None);
    let file = File::create(house.path("land/offers.csv")).unwrap();
    file.set_len(2 * 1024 * 1024 * 1024).unwrap();
    refused(&house, &["offers.csv", "2147483648 bytes", "AN-LAN-002"]);
}

#[test]
fn a_wrong_encoding() {
    let house = House::with_landscape(None);
    let path = house.path("land/landscape.toml");
    let text = fs::read_to_string(&path).unwrap();
    let wide = text.encode_utf16().flat_map(u16::to_le_bytes);
    let bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
    fs::write(path, bytes).unwrap();
    refused(&house, &["landscape.toml", "UTF-8", "AN-LAN-"]);
}

#[test]
fn a_missing_folder() {
    let house = House::with_landscape(None);
    house
        .run("landscape lint nowhere")
        .says(6, &["cannot read landscape folder `nowhere`"]);
    fs::create_dir(house.path("empty")).unwrap();
    house
        .run("landscape lint empty")
        .says(6, &["holds no landscape", "anlauf init"]);
}

#[test]
fn a_broken_ledger_says_from_which_entry() {
    let house = House::new(None);
    house.start(0).process.terminate().done();
    let path = house.path("data").join(anlauf_store::FILE_LEDGER);
    let mut bytes = fs::read(&path).unwrap();
    let word = b"first start of the control plane";
    // Everywhere: a page that SQLite no longer uses may hold a copy.
    let places = bytes.windows(word.len()).enumerate();
    let places = places.filter(|(_, window)| window == word);
    let places: Vec<usize> = places.map(|(place, _)| place).collect();
    assert!(places.len() >= 3);
    for place in places {
        bytes[place] = b'F';
    }
    fs::write(&path, bytes).unwrap();

    let words = ["cannot be trusted from entry 1 on", "AN-STO-006"];
    house.run("ledger verify data").says(5, &words);
    house.not_served(&mut house.serve(0)).says(5, &words);
}

#[test]
fn a_foreign_ledger_is_not_served() {
    let house = House::new(None);
    house.start(0).process.terminate().done();
    house.genesis("other", "other").done();
    let mut serve = house.serve(0);
    serve.args(["--authority", "other"]);
    house.not_served(&mut serve).says(
        5,
        &["belongs to domain `beispiel`, not to `other`", "AN-STO-005"],
    );

    fs::write(
        house.path("data").join(anlauf_store::FILE_LEDGER),
        "a shopping list",
    )
    .unwrap();
    house
        .not_served(&mut house.serve(0))
        .says(5, &["is not a ledger", "AN-STO-003"]);
}

#[test]
fn a_ledger_has_one_writer() {
    let house = House::new(None);
    let plane = house.start(0);
    house
        .not_served(&mut house.serve(0))
        .says(5, &["held by another process", "AN-STO-002"]);
    plane.process.terminate().done();
}

#[test]
fn an_old_copy_of_the_ledger_is_told_from_the_new_one() {
    let house = House::new(None);
    house.start(0).process.terminate().done();
    let path = house.path("data").join(anlauf_store::FILE_LEDGER);
    let old = fs::read(&path).unwrap();
    let plane = house.start(0);
    let desk = crate::house::Desk {
        house: &house,
        control: &plane.control,
    };
    desk.must("operator-1", "incident declare --de Vorfall --en incident");
    plane.process.terminate().done();
    fs::write(&path, old).unwrap();
    house
        .not_served(&mut house.serve(0))
        .says(5, &["this is an old copy", "AN-STO-007"]);
}

#[test]
fn the_control_plane_is_not_there() {
    let house = House::new(None);
    let desk = crate::house::Desk {
        house: &house,
        // Port 1 of loopback: nobody listens there.
        control: "http://127.0.0.1:1",
    };
    desk.change("operator-1", "incident end")
        .says(4, &["cannot reach the control plane"]);
    let plane = house.start(0);
    let desk = crate::house::Desk {
        house: &house,
        control: &plane.control,
    };
    fs::write(house.path("tokens/forged"), "0123").unwrap();
    Run::of(&mut desk.command("forged", "status")).says(7, &["login missing"]);
    house.run("login remove operator-1 --data data").done();
    Run::of(&mut desk.command("operator-1", "status")).says(7, &["login missing"]);
    plane.process.terminate().done();
}
