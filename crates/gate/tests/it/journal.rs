//! What a gate does with a state on disk that it cannot be sure of.

use std::fs;
use std::path::Path;

use anlauf_gate::{Gate, GateError};
use anlauf_model::feed::FeedKind;
use anlauf_model::{Epoch, Stage};
use tokio::net::TcpStream;

use crate::backend::mirror;
use crate::cast::{HOST, MELDEN, ROOT_SIGNERS, cells, closing, sealed, text};
use crate::client::{Client, get, post};
use crate::house::House;

/// A stopped gate with one cell open, and its journal's lines.
async fn stopped() -> (House, tempfile::TempDir, Vec<String>) {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let dir = tempfile::tempdir().unwrap();
    for file in fs::read_dir(house.dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let text = fs::read_to_string(dir.path().join("journal")).unwrap();
    let lines = text.split_inclusive('\n').map(str::to_owned).collect();
    (house, dir, lines)
}

async fn refused(house: &House, dir: &Path) -> GateError {
    match house.alone(dir).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn every_damaged_line_is_named() {
    let (house, dir, lines) = stopped().await;
    for number in 2..=lines.len() {
        let mut damaged = lines.clone();
        let mut bytes = std::mem::take(&mut damaged[number - 1]).into_bytes();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        damaged[number - 1] = String::from_utf8(bytes).unwrap();
        fs::write(dir.path().join("journal"), damaged.concat()).unwrap();
        let error = refused(&house, dir.path()).await;
        assert!(
            matches!(error, GateError::Damaged { line, .. } if line == number),
            "{error}"
        );
        assert!(error.to_string().contains("AN-GAT-003"), "{error}");
    }
}

#[tokio::test]
async fn lines_left_out_or_turned_round_are_damage() {
    let (house, dir, lines) = stopped().await;
    let mut without = lines.clone();
    without.remove(3);
    let mut turned = lines.clone();
    turned.swap(4, 5);
    for (name, lines, number) in [("left out", without, 4), ("turned round", turned, 5)] {
        fs::write(dir.path().join("journal"), lines.concat()).unwrap();
        let error = refused(&house, dir.path()).await;
        assert!(
            matches!(error, GateError::Damaged { line, .. } if line == number),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn a_forged_line_with_right_sums_does_not_open() {
    // An attacker on the disk can make the sums fit; the signatures he cannot.
    let (house, dir, lines) = stopped().await;
    let release = house
        .cast
        .release(&[("stadt-ahornfeld/sozialhilfe", 1)], Stage::Full);
    let forged = text(&sealed(release.to_payload(), &["operator-1"]));
    let (sum, _) = lines.last().unwrap().split_once(' ').unwrap();
    let sum: anlauf_model::Digest = sum.parse().unwrap();
    let entry = serde_json::json!({
        "position": 99,
        "at": crate::cast::noon(),
        "signed": { "kind": "release", "envelope": forged },
    });
    let json = entry.to_string();
    let next = anlauf_model::Digest::of(&[&sum.0[..], json.as_bytes()].concat());
    fs::write(
        dir.path().join("journal"),
        format!("{}{next} {json}\n", lines.concat()),
    )
    .unwrap();
    let error = refused(&house, dir.path()).await;
    let number = lines.len() + 1;
    assert!(
        matches!(error, GateError::Damaged { line, .. } if line == number),
        "{error}"
    );
    assert!(error.to_string().contains("AN-TRU-030"), "{error}");
}

#[tokio::test]
async fn a_foreign_journal_a_missing_table_and_a_taken_folder_are_refused() {
    let (house, dir, lines) = stopped().await;
    let mut config = house.config("127.0.0.1:9", dir.path());
    config.id = "gate-2".parse().unwrap();
    let error = Gate::start(config).await.err().unwrap();
    assert!(matches!(error, GateError::Foreign { .. }), "{error}");

    let mut config = house.config("127.0.0.1:9", dir.path());
    config.pin = anlauf_model::Digest::of(b"another root");
    let error = Gate::start(config).await.err().unwrap();
    assert!(matches!(error, GateError::Foreign { .. }), "{error}");

    fs::write(dir.path().join("journal"), "").unwrap();
    assert!(matches!(
        refused(&house, dir.path()).await,
        GateError::Foreign { .. }
    ));

    fs::write(dir.path().join("journal"), lines.concat()).unwrap();
    let table = house.cast.landscape.gate_table().digest();
    fs::write(dir.path().join(format!("table-{table}.json")), "{}").unwrap();
    assert!(matches!(
        refused(&house, dir.path()).await,
        GateError::Table { .. }
    ));

    let error = refused(&house, house.dir.path()).await;
    assert!(
        matches!(error, GateError::Disk { .. }),
        "one gate per folder: {error}"
    );
}

#[tokio::test]
async fn a_disk_that_fails_ends_the_gate() {
    let mut house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let mut idle = Client::new(house.address()).await;
    assert_eq!(idle.get(HOST, "/melden/a").await.status, 200);

    // The next table cannot be written: its place is taken by a folder.
    let mut table = house.cast.landscape.gate_table();
    table.cells[0].path = "/anders".into();
    let beside = format!("table-{}.json.new", table.digest());
    fs::create_dir(house.dir.path().join(beside)).unwrap();
    let mut policy = house.cast.policy();
    (policy.version, policy.table) = (2, table.digest());
    house.control.set_table(table.to_bytes());
    let envelope = sealed(policy.to_payload(), &ROOT_SIGNERS);
    let address = house.address();
    house.control.push(FeedKind::Policy, text(&envelope));

    let error = house.gate.failed().await;
    assert!(matches!(error, GateError::Disk { .. }), "{error}");
    assert_eq!(idle.rest().await, b"", "nothing passes any more");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_gate_without_state_knows_nobody() {
    let house = House::new(mirror().await).await;
    let empty = tempfile::tempdir().unwrap();
    let gate = house.alone(empty.path()).await.unwrap();
    assert_eq!(
        get(gate.addresses()[0], HOST, "/melden/a").await.status,
        421
    );
    let close = text(&closing(cells(&[MELDEN]), 1));
    let answer = post(gate.admin().unwrap(), "/close", &close).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("AN-GAT-010"), "{}", answer.body);
    gate.stop().await;
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(0)));
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_refused() {
    let house = House::new(mirror().await).await;
    let dir = tempfile::tempdir().unwrap();
    let code = |change: fn(&mut anlauf_gate::GateConfig)| {
        let mut config = house.config("127.0.0.1:9", dir.path());
        change(&mut config);
        async { Gate::start(config).await.err().unwrap().to_string() }
    };
    let outside = code(|config| config.admin = Some("0.0.0.0:0".parse().unwrap())).await;
    assert!(outside.contains("AN-GAT-006"), "{outside}");
    for wrong in [
        code(|config| config.control = "https://control.example".into()).await,
        code(|config| config.control = "http://127.0.0.1:1/path".into()).await,
        code(|config| config.time_zone = "Mars/Olympus".into()).await,
        code(|config| config.token = "two\nlines".into()).await,
    ] {
        assert!(wrong.contains("AN-GAT-007"), "{wrong}");
        assert!(!wrong.contains("two"), "a token is not shown: {wrong}");
    }
    let taken = house.address();
    let mut config = house.config("127.0.0.1:9", dir.path());
    config.listen = vec![taken];
    let error = Gate::start(config).await.err().unwrap().to_string();
    assert!(error.contains("AN-GAT-001"), "{error}");
}
