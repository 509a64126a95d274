//! What bad input gets: one clear error each, and nothing is started.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

use anlauf_store::{Ledger, LedgerConfig};
use anlauf_trust::Signer;

use crate::house::{Desk, House, has_ledger};
use crate::process::{Run, Running};

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
    house.run("landscape lint land").says(6, &["1 error,"]);
    let run = house
        .not_served(&mut house.serve(0))
        .says(6, &["cannot be used", "`identity`", "`mail`"]);
    assert!(run.err.contains("AN-LAN-"), "{}", run.err);
    assert!(!has_ledger(&house.path("data")));
}

/// What is wrong with the whole is shown at its lines, wherever a landscape is loaded.
#[test]
fn a_problem_of_the_whole_names_its_lines() {
    let house = House::with_landscape(None);
    house.edit(
        "landscape.toml",
        r#"needs = ["network"]"#,
        r#"needs = ["network", "mail"]"#,
    );
    let lint = house.run("landscape lint land").says(6, &["1 error,"]);
    let circle = "error[AN-LAN-020]: services wait for each other in a circle: \
                  `identity` -> `mail` -> `identity`\n  --> landscape.toml:77:21\n   |\n\
                  77 | needs = [\"network\", \"mail\"]\n   |                     ^^^^^^\n   |\n  \
                  ::: landscape.toml:91:21";
    assert!(lint.out.contains(circle), "{}", lint.out);
    for command in ["landscape show land", "plan --landscape land"] {
        house.run(command).says(6, &["cannot be used", circle]);
    }
    house.genesis("beispiel", "authority").says(6, &[circle]);
    let told = told(&house.not_served(&mut house.serve(0)).says(6, &[]));
    assert!(told.contains(circle), "{told}");

    let json = house.run("landscape lint land --json").says(6, &[]).out;
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    let want = serde_json::json!({
        "code": "AN-LAN-020",
        "severity": "error",
        "file": "landscape.toml",
        "line": 77,
        "column": 21,
        "message": found[0]["message"],
        "excerpt": "needs = [\"network\", \"mail\"]",
        "places": [
            {
                "file": "landscape.toml",
                "line": 77,
                "column": 21,
                "excerpt": "needs = [\"network\", \"mail\"]",
            },
            {
                "file": "landscape.toml",
                "line": 91,
                "column": 21,
                "excerpt": "needs = [\"network\", \"identity\"]",
            },
        ],
    });
    assert_eq!(found[0], want);
}

#[test]
fn a_quorum_without_people_names_the_rule() {
    let house = House::with_landscape(None);
    house.edit(
        "people.csv",
        "forensics-2,Forensik 2,forensics-firm,forensics\n",
        "",
    );
    house.edit(
        "people.csv",
        "forensics-1,Forensik 1,forensics-firm,forensics\n",
        "",
    );
    let words = [
        "AN-LAN-029",
        "--> policy.toml:9:46",
        "{ role = \"forensics\", count = 1 }",
    ];
    let told = told(&house.not_served(&mut house.serve(0)).says(6, &[]));
    for word in words {
        assert!(told.contains(word), "no `{word}` in {told}");
    }
}

/// What a program that answers as JSON says on stderr.
#[track_caller]
fn told(run: &Run) -> String {
    let error: serde_json::Value = serde_json::from_str(&run.err).unwrap();
    error["error"].as_str().unwrap().to_owned()
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
fn another_landscape_is_refused_and_spoils_nothing() {
    let house = House::new(None);
    // No checkpoint names the log: only the entries say whose ledger it is.
    house.start(0).process.kill();
    fs::remove_file(house.path("data").join(anlauf_store::FILE_CHECKPOINT)).unwrap();
    let own = fs::read_to_string(house.path("land/landscape.toml")).unwrap();
    house.edit(
        "landscape.toml",
        "id = \"beispiel\"",
        "id = \"somebody-else\"",
    );
    house.not_served(&mut house.serve(0)).says(
        5,
        &["domain `beispiel`", "`beispiel`, not to `somebody-else`"],
    );
    fs::write(house.path("land/landscape.toml"), own).unwrap();
    house.start(0).process.terminate().done();
    house
        .run("ledger verify data --origin anlauf/beispiel --key data/log.pub")
        .done();
}

#[test]
fn a_start_that_is_refused_writes_nothing() {
    let house = House::with_landscape(None);
    house
        .not_served(&mut house.serve(0))
        .says(9, &["root.json"]);
    assert!(!house.path("data").exists());

    // A ledger without its keys gets no others, neither from here nor from a genesis.
    let house = House::new(None);
    house.start(0).process.terminate().done();
    let keys = ["closer.key", "closer.pub", "log.key", "log.pub"];
    let keys = keys.map(|name| house.path("data").join(name));
    for key in &keys {
        fs::remove_file(key).unwrap();
    }
    house
        .not_served(&mut house.serve(0))
        .says(5, &["holds a ledger", "restore them"]);
    house
        .genesis("other", "other")
        .says(5, &["holds a ledger", "restore them"]);
    assert!(keys.iter().all(|key| !key.exists()));
}

#[test]
fn a_ledger_is_signed_from_its_first_start_on() {
    let house = House::new(None);
    house.start(0).process.kill();
    let signed = "ledger verify data --origin anlauf/beispiel --key data/log.pub";
    assert!(house.run(signed).done().contains("signature checked"));

    let unsigned = Ledger::open(LedgerConfig {
        folder: house.path("unsigned"),
        domain: None,
        origin: "anlauf/beispiel".to_owned(),
        public: Signer::from_seed([7; 32]).public(),
    });
    drop(unsigned.unwrap());
    house
        .run(&signed.replace("verify data", "verify unsigned"))
        .says(5, &["no signed head was found", "AN-STO-015"]);
    let told = house.run("ledger verify unsigned").done();
    assert!(told.contains("signature not checked"), "{told}");
}

/// Entries after the start are signed while it runs, not only at its end: no stop, no request.
#[test]
fn what_comes_in_later_is_signed_in_time() {
    let house = House::new(None);
    for late in ["61", "3600"] {
        let mut serve = house.serve(0);
        serve.args(["--signed-after", late]);
        house.not_served(&mut serve).says(2, &["--signed-after"]);
    }
    let mut serve = house.serve(0);
    serve.args(["--signed-after", "0"]);
    let process = Running::start(&mut serve);
    let told = process.listens().expect("it comes up");
    let desk = Desk {
        house: &house,
        control: told["listening"].as_str().unwrap(),
    };
    let done = desk.must("operator-1", "incident declare --de Vorfall --en incident");
    let last = done["seq"].as_u64().unwrap();
    // A checkpoint is origin, size and root, each on its line (C2SP tlog-checkpoint).
    let signed = || {
        let note = fs::read_to_string(house.path("data").join(anlauf_store::FILE_CHECKPOINT));
        let size = note.ok()?.lines().nth(1)?.parse::<u64>().ok();
        size.filter(|size| *size >= last)
    };
    let mut looks = 0;
    while signed().is_none() {
        looks += 1;
        assert!(looks < 3_000, "entry {last} has no signed head");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    process.kill();
    let verify = "ledger verify data --origin anlauf/beispiel --key data/log.pub";
    assert!(house.run(verify).done().contains("signature checked"));
}

#[test]
fn a_token_file_is_never_overwritten() {
    let house = House::new(None);
    let before = house.token("operator-1");
    house
        .run("login add operator-1 --data data --landscape land --out tokens/operator-1")
        .says(6, &["`tokens/operator-1` exists", "never overwritten"]);
    assert_eq!(house.token("operator-1"), before);
    let mode = fs::metadata(house.path("tokens")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
}

#[test]
fn a_gate_starts_on_a_root_only() {
    let house = House::new(None);
    let mut gate = house.command(
        "gate --control http://127.0.0.1:1 --state gate --listen 127.0.0.1:0 --id gate-1 \
         --root data/authority/policy.json --token-file tokens/gate-1",
    );
    house
        .not_served(&mut gate)
        .says(6, &["`data/authority/policy.json` is no root"]);
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
    let desk = Desk {
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
    let desk = Desk {
        house: &house,
        // Port 1 of loopback: nobody listens there.
        control: "http://127.0.0.1:1",
    };
    desk.change("operator-1", "incident end")
        .says(4, &["cannot reach the control plane"]);
    let plane = house.start(0);
    let desk = Desk {
        house: &house,
        control: &plane.control,
    };
    fs::write(house.path("tokens/forged"), "0123").unwrap();
    Run::of(&mut desk.command("forged", "status")).says(7, &["login missing"]);
    house.run("login remove operator-1 --data data").done();
    Run::of(&mut desk.command("operator-1", "status")).says(7, &["login missing"]);
    plane.process.terminate().done();
}
