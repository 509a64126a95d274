//! A cell opens on a quorum that the gate has verified, and on nothing else.

use anlauf_model::feed::{FeedKind, GateCellState};
use anlauf_model::{Digest, Epoch, Minutes, Stage};
use anlauf_trust::{Delegation, Envelope, KeyRecord, Release, Signer};

use crate::backend::mirror;
use crate::cast::{
    ELSEWHERE, HOST, MELDEN, ROOT_SIGNERS, SOZIALES, cell, noon, sealed, signer, text,
};
use crate::client::get;
use crate::house::House;

const QUORUM: [&str; 3] = ["owner-1", "security-1", "stadt-ahornfeld.approver-1"];

#[tokio::test]
async fn a_quorum_opens_and_the_gate_says_so() {
    let house = House::grounded(mirror().await).await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    let release = house.cast.release(&[(MELDEN, 1)], Stage::Full);
    assert_eq!(
        house.cast.quorum(&release),
        QUORUM,
        "what the tests below leave out"
    );
    house.open(MELDEN, 1, Stage::Full).await;
    let answer = get(house.address(), HOST, "/melden/a").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.starts_with("GET /melden/a HTTP/1.1\r\n"),
        "{}",
        answer.body
    );
    let state = GateCellState {
        cell: cell(MELDEN),
        stage: Stage::Full,
        epoch: Epoch(1),
    };
    house.control.reported(&state).await;
}

/// A release of one cell that is at epoch 3, changed and signed by these.
fn forged(house: &House, people: &[&str], change: impl FnOnce(&mut Release)) -> Envelope {
    let mut release = house.cast.release(&[(MELDEN, 4)], Stage::Full);
    change(&mut release);
    sealed(release.to_payload(), people)
}

type Forgery = (&'static str, Envelope, &'static str);

/// Said wrongly, and signed by everyone who should.
fn wrong_statements(house: &House) -> Vec<Forgery> {
    let with = |change: fn(&mut Release)| forged(house, &QUORUM, change);
    let unknown = with(|r| r.cells[0].cell = cell("stadt-ahornfeld/nix"));
    let foreign = with(|r| r.cells[0].cell = cell(ELSEWHERE));
    vec![
        ("unknown cell", unknown, "AN-TRU-020"),
        ("another tenant's cell", foreign, "AN-TRU-037"),
        (
            "old epoch",
            with(|r| r.cells[0].epoch = Epoch(2)),
            "AN-TRU-023",
        ),
        (
            "same epoch",
            with(|r| r.cells[0].epoch = Epoch(3)),
            "AN-TRU-023",
        ),
        ("expired", with(|r| r.not_after = noon()), "AN-TRU-025"),
        (
            "not yet",
            with(|r| r.not_before = noon() + Minutes(1)),
            "AN-TRU-024",
        ),
        (
            "too long",
            with(|r| r.not_after = noon() + Minutes::days(400)),
            "AN-TRU-018",
        ),
        (
            "no evidence",
            with(|r| r.cells[0].evidence.clear()),
            "AN-TRU-029",
        ),
        (
            "another domain",
            with(|r| r.domain = "drill-anders".into()),
            "AN-TRU-012",
        ),
        (
            "another policy",
            with(|r| r.policy = Digest::of(b"other")),
            "AN-TRU-027",
        ),
        (
            "a later root",
            with(|r| r.root_version_min = 2),
            "AN-TRU-026",
        ),
        (
            "unknown field",
            with(|r| r.critical = vec!["moon".into()]),
            "AN-TRU-",
        ),
    ]
}

/// Said rightly, and not signed by everyone who should.
fn wrong_signatures(house: &House) -> Vec<Forgery> {
    let by = |people: &[&str]| forged(house, people, |_| ());
    let mut flipped = by(&QUORUM);
    flipped.signatures[1].sig[9] ^= 1;
    let mut changed = by(&QUORUM);
    let at = changed
        .payload
        .windows(4)
        .position(|w| w == b"full")
        .unwrap();
    changed.payload[at] ^= 1;
    let mut retargeted = by(&QUORUM);
    let other = house.cast.release(&[(SOZIALES, 4)], Stage::Full);
    retargeted.payload = other.to_payload();
    let mut borrowed = by(&["owner-1", "security-1"]);
    borrowed
        .signatures
        .push(sealed(other.to_payload(), &QUORUM).signatures[2].clone());
    let mut twice = by(&["owner-1", "security-1"]);
    twice.signatures.push(twice.signatures[0].clone());
    let mut stranger = by(&["owner-1", "security-1"]);
    signer("nobody").sign(&mut stranger);
    vec![
        ("wrong cell", retargeted, "AN-TRU-033"),
        ("one person twice", twice, "AN-TRU-036"),
        (
            "missing role",
            by(&["security-1", "security-2", QUORUM[2]]),
            "AN-TRU-030",
        ),
        (
            "one organisation",
            by(&["owner-1", "security-1", "owner-2"]),
            "AN-TRU-031",
        ),
        (
            "another tenant signs",
            by(&["owner-1", "security-1", OTHER]),
            "AN-TRU-037",
        ),
        ("unknown key", stranger, "AN-TRU-032"),
        ("signature from another release", borrowed, "AN-TRU-033"),
        ("flipped bit in a signature", flipped, "AN-TRU-033"),
        ("flipped bit in the statement", changed, "AN-TRU-"),
        ("nobody", by(&[]), "AN-TRU-030"),
    ]
}

const OTHER: &str = "stadt-ulmenau.approver-1";

#[tokio::test]
async fn every_forgery_is_refused_told_and_changes_nothing() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 3, Stage::Pilot).await;
    // What is refused must not even widen an open cell from pilot to full.
    let before = house.states();
    for (name, envelope, code) in wrong_statements(&house)
        .into_iter()
        .chain(wrong_signatures(&house))
    {
        let seq = house.control.push(FeedKind::Release, text(&envelope));
        let decision = house.control.decision(seq).await;
        assert!(!decision.accepted, "{name}");
        let reasons = decision.reasons.join("\n");
        assert!(
            reasons.contains(code),
            "{name}: wanted {code}, got {reasons}"
        );
        assert_eq!(house.states(), before, "{name}");
        assert_eq!(
            get(house.address(), HOST, "/melden/a").await.status,
            503,
            "{name}"
        );
    }
    // The true one still opens, so nothing above was refused for another reason.
    house.open(MELDEN, 4, Stage::Full).await;
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);
}

#[tokio::test]
async fn no_item_opens_under_another_name() {
    let house = House::grounded(mirror().await).await;
    let before = house.states();
    let release = text(&house.cast.opening(MELDEN, 1, Stage::Full));
    for kind in [FeedKind::Root, FeedKind::Policy, FeedKind::Close] {
        let seq = house.control.push(kind, release.clone());
        assert!(!house.control.decision(seq).await.accepted, "{kind:?}");
    }
    for garbage in ["", "{}", "null", "[[[[", &"x".repeat(2 * 1024 * 1024)] {
        let seq = house.control.push(FeedKind::Release, garbage.to_owned());
        assert!(!house.control.decision(seq).await.accepted, "{garbage:.8}");
    }
    assert_eq!(house.states(), before);
}

#[tokio::test]
async fn a_cell_opens_only_after_what_it_needs() {
    let house = House::new(mirror().await).await;
    let release = house.cast.opening("rz-tal/rechner", 1, Stage::Full);
    let seq = house.send(FeedKind::Release, &release).await;
    let decision = house.control.decision(seq).await;
    let reasons = decision.reasons.join("\n");
    assert!(
        !decision.accepted && reasons.contains("AN-GAT-014"),
        "{reasons}"
    );
    assert!(reasons.contains("`rz-tal/netz`"), "{reasons}");
    assert_eq!(house.stage("rz-tal/rechner").0, Stage::Closed);
    house.ground().await;
    assert_eq!(house.stage("rz-tal/rechner").0, Stage::Full);
}

#[tokio::test]
async fn a_wave_opens_as_a_whole_or_not_at_all() {
    let house = House::grounded(mirror().await).await;
    let wave = house
        .cast
        .release(&[(MELDEN, 1), (SOZIALES, 1)], Stage::Full);
    let mut broken = wave.clone();
    broken.cells[1].evidence.clear();
    let seq = house
        .send(FeedKind::Release, &house.cast.signed(&broken))
        .await;
    assert!(!house.control.decision(seq).await.accepted);
    assert_eq!(
        [house.stage(MELDEN).0, house.stage(SOZIALES).0],
        [Stage::Closed; 2]
    );
    let seq = house
        .send(FeedKind::Release, &house.cast.signed(&wave))
        .await;
    assert!(house.control.decision(seq).await.accepted);
    assert_eq!(
        [house.stage(MELDEN).0, house.stage(SOZIALES).0],
        [Stage::Full; 2]
    );
}

#[tokio::test]
async fn a_release_ends_by_itself_even_while_it_answers() {
    let mut backend = crate::backend::Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let mut client = crate::client::Client::new(house.address()).await;
    client
        .say(&format!("GET /melden/a HTTP/1.1\r\nhost: {HOST}\r\n\r\n"))
        .await;
    let mut exchange = backend.next().await;
    exchange
        .say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfirst")
        .await;
    client.head().await.unwrap();
    let end = noon() + Minutes::days(30);
    house.cast.clock.set(end);
    assert_eq!(house.stage(MELDEN).0, Stage::Closed);
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    // The gate looks by itself and ends what runs; nobody has to ask.
    assert_eq!(exchange.rest().await, b"");
    let (waiting, all) = client.settle().await;
    assert_eq!((waiting, all), (5, 5), "what had come before");
    // A clock that goes back opens nothing again.
    house.cast.clock.set(noon());
    assert_eq!(house.stage(MELDEN).0, Stage::Closed);
}

#[tokio::test]
async fn a_root_that_has_ended_closes_but_opens_nothing() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let end = noon() + Minutes::days(299);
    house.cast.clock.set(end);
    let mut release = house.cast.release(&[("rz-tal/netz", 2)], Stage::Full);
    (release.not_before, release.not_after) =
        (noon() + Minutes::days(280), end + Minutes::days(30));
    let envelope = house.cast.signed(&release);
    let seq = house.send(FeedKind::Release, &envelope).await;
    assert!(
        house.control.decision(seq).await.accepted,
        "the day before it opens"
    );

    house.cast.clock.set(end + Minutes::days(1));
    release.cells[0].epoch = Epoch(3);
    let seq = house
        .send(FeedKind::Release, &house.cast.signed(&release))
        .await;
    let decision = house.control.decision(seq).await;
    assert!(!decision.accepted);
    assert!(
        decision.reasons.join("\n").contains("AN-TRU-014"),
        "{:?}",
        decision.reasons
    );
    assert_eq!(house.stage("rz-tal/netz"), (Stage::Full, Epoch(2)));
}

#[tokio::test]
async fn a_revoked_key_shuts_what_it_helped_to_open() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let release = house.cast.release(&[(MELDEN, 1)], Stage::Full);
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 200);

    // A root that takes nobody away shuts nothing.
    let mut next = house.cast.root();
    next.version = 2;
    let envelope = sealed(next.to_payload(), &ROOT_SIGNERS);
    let seq = house.send(FeedKind::Root, &envelope).await;
    assert!(house.control.decision(seq).await.accepted);
    assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(1)));

    next.version = 3;
    next.keys
        .retain(|record| record.person.as_str() != QUORUM[2]);
    let envelope = sealed(next.to_payload(), &ROOT_SIGNERS);
    let seq = house.send(FeedKind::Root, &envelope).await;
    assert!(house.control.decision(seq).await.accepted);
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    assert_eq!(house.stage("rz-tal/netz").0, Stage::Full, "not its word");

    // Neither a restart nor the same release once more brings it back.
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(house.dir.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let again = house.alone(dir.path()).await.unwrap();
    assert_eq!(again.stage(&cell(MELDEN)), Some((Stage::Closed, Epoch(1))));
    again.stop().await;
    let seq = house
        .send(FeedKind::Release, &house.cast.signed(&release))
        .await;
    assert!(!house.control.decision(seq).await.accepted);
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
}

#[tokio::test]
async fn a_tenant_s_own_list_stands_in_the_place_of_its_keys_in_the_root() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let founders: Vec<KeyRecord> = house.cast.root().keys;
    let of_town = |key: &&KeyRecord| key.person.as_str().starts_with("stadt-ahornfeld.");
    let founders: Vec<_> = founders.iter().filter(of_town).collect();
    let fresh = Signer::from_seed([77; 32]);
    let list = Delegation {
        domain: house.cast.root().domain,
        tenant: "stadt-ahornfeld".parse().unwrap(),
        version: 1,
        keys: vec![KeyRecord {
            id: fresh.keyid(),
            public: fresh.public(),
            ..founders[0].clone()
        }],
        threshold: 1,
    };

    // Everybody who signs roots together is not the town.
    let mut envelope = sealed(list.to_payload(), &ROOT_SIGNERS);
    fresh.sign(&mut envelope);
    let seq = house.send(FeedKind::Delegation, &envelope).await;
    assert!(!house.control.decision(seq).await.accepted);
    assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(1)));

    // The town itself: what the key that is gone helped to open shuts, and it opens nothing more.
    let people: Vec<_> = founders.iter().map(|key| key.person.as_str()).collect();
    let mut envelope = sealed(list.to_payload(), &people);
    fresh.sign(&mut envelope);
    let seq = house.send(FeedKind::Delegation, &envelope).await;
    let decision = house.control.decision(seq).await;
    assert!(decision.accepted, "{:?}", decision.reasons);
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    let release = house.cast.release(&[(MELDEN, 2)], Stage::Full);
    let old = house
        .send(FeedKind::Release, &house.cast.signed(&release))
        .await;
    assert!(!house.control.decision(old).await.accepted);

    // With the new key it opens, also after a restart that knows only the journal.
    let mut envelope = sealed(release.to_payload(), &["owner-1", "security-1"]);
    fresh.sign(&mut envelope);
    let seq = house.send(FeedKind::Release, &envelope).await;
    let decision = house.control.decision(seq).await;
    assert!(decision.accepted, "{:?}", decision.reasons);
    assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(2)));
    let dir = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(house.dir.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
    }
    let again = house.alone(dir.path()).await.unwrap();
    assert_eq!(again.stage(&cell(MELDEN)), Some((Stage::Full, Epoch(2))));
    again.stop().await;
}
