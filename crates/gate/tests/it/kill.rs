//! A gate that was killed is, after its restart, never more open than before.

use std::fs;
use std::path::Path;

use anlauf_gate::Gate;
use anlauf_model::feed::FeedKind;
use anlauf_model::{Minutes, Stage};
use anlauf_trust::Scope;

use crate::backend::mirror;
use crate::cast::{ELSEWHERE, MELDEN, SOZIALES, cells, closing, noon, text};
use crate::client::post;
use crate::house::{House, states};

fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
    }
    to
}

async fn restarted(house: &House, dir: &Path) -> Vec<String> {
    let gate: Gate = house.alone(dir).await.unwrap();
    let states = states(&house.cast, &gate);
    gate.stop().await;
    states
}

/// Opens and shuts; after each acknowledged step, what the gate believes.
async fn story(house: &House) -> Vec<(u64, Vec<String>)> {
    let journal = house.dir.path().join("journal");
    let note = || (fs::metadata(&journal).unwrap().len(), house.states());
    let mut steps = vec![note()];
    for id in crate::cast::GROUND {
        house.open(id, 1, Stage::Full).await;
        steps.push(note());
    }
    house.open(MELDEN, 1, Stage::Pilot).await;
    steps.push(note());
    house.open(MELDEN, 2, Stage::Full).await;
    steps.push(note());
    house.open(ELSEWHERE, 1, Stage::Full).await;
    steps.push(note());
    let direct = text(&closing(cells(&[MELDEN]), 2));
    assert_eq!(post(house.admin(), "/close", &direct).await.status, 200);
    steps.push(note());
    house.open(SOZIALES, 1, Stage::Full).await;
    steps.push(note());
    let everything = closing(Scope::Tenant("stadt-ahornfeld".parse().unwrap()), 2);
    house.send(FeedKind::Close, &everything).await;
    steps.push(note());
    house.open(MELDEN, 3, Stage::Full).await;
    steps.push(note());
    steps
}

#[tokio::test]
async fn what_was_acknowledged_is_there_whenever_it_is_killed() {
    let house = House::new(mirror().await).await;
    let begin = fs::metadata(house.dir.path().join("journal"))
        .unwrap()
        .len();
    let steps = story(&house).await;
    // What a kill leaves is what is on the disk then: a copy of the running gate's folder,
    // its journal cut off anywhere.
    let end = steps.last().unwrap().0;
    let bytes = fs::read(house.dir.path().join("journal")).unwrap();
    for point in 0..=200 {
        let size = begin + (end - begin) * point / 200;
        let dir = copied(house.dir.path());
        let whole = usize::try_from(size).unwrap();
        fs::write(dir.path().join("journal"), &bytes[..whole]).unwrap();
        let acknowledged = steps.iter().rfind(|(at, _)| *at <= size).unwrap();
        let found = restarted(&house, dir.path()).await;
        assert_eq!(found, acknowledged.1, "killed at byte {size} of {end}");
        let cut = fs::metadata(dir.path().join("journal")).unwrap().len();
        assert_eq!(cut, acknowledged.0, "the unfinished entry is cut off");
    }
}

#[tokio::test]
async fn a_restart_without_control_plane_serves_what_was_open() {
    let backend = mirror().await;
    let house = House::grounded(backend).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let before = house.states();
    let dir = copied(house.dir.path());
    let gate = house.alone(dir.path()).await.unwrap();
    assert_eq!(states(&house.cast, &gate), before);
    let to = gate.addresses()[0];
    assert_eq!(
        crate::client::get(to, crate::cast::HOST, "/melden/a")
            .await
            .status,
        200
    );
    assert_eq!(
        crate::client::get(to, crate::cast::HOST, "/soziales/a")
            .await
            .status,
        503
    );
    // It still closes on one person's word.
    let direct = text(&closing(cells(&[MELDEN]), 1));
    assert_eq!(
        post(gate.admin().unwrap(), "/close", &direct).await.status,
        200
    );
    assert_eq!(
        crate::client::get(to, crate::cast::HOST, "/melden/a")
            .await
            .status,
        503
    );
    gate.stop().await;
    let again = restarted(&house, dir.path()).await;
    assert!(again.contains(&format!("{MELDEN} closed 1")), "{again:?}");
}

#[tokio::test]
async fn a_clock_set_back_before_the_restart_opens_nothing_again() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let mut changes = house.gate.progress();
    let before = changes.borrow_and_update().changes;
    house.cast.clock.set(noon() + Minutes::days(31));
    // The gate looks once in a while; it tells when it has shut and written.
    changes
        .wait_for(|progress| progress.changes > before)
        .await
        .unwrap();
    let dir = house.dir;
    house.gate.stop().await;
    let cast = house.cast;
    cast.clock.set(noon());
    let config = crate::house::config(&cast, "127.0.0.1:9", dir.path(), house.backend);
    let gate = Gate::start(config).await.unwrap();
    let open = states(&cast, &gate)
        .into_iter()
        .filter(|line| !line.contains(" closed "));
    assert_eq!(open.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn a_long_journal_is_shortened_and_says_the_same() {
    let house = House::grounded(mirror().await).await;
    for turn in 1..=130 {
        house
            .send(
                FeedKind::Release,
                &house.cast.opening(MELDEN, turn, Stage::Full),
            )
            .await;
        house
            .send(FeedKind::Close, &closing(cells(&[MELDEN, SOZIALES]), turn))
            .await;
    }
    house.open(ELSEWHERE, 1, Stage::Full).await;
    house.open(MELDEN, 131, Stage::Full).await;
    let before = house.states();
    assert!(before.contains(&format!("{SOZIALES} closed 130")));
    let dir = copied(house.dir.path());
    let size = || fs::metadata(dir.path().join("journal")).unwrap().len();
    let long = size();
    assert_eq!(restarted(&house, dir.path()).await, before);
    assert!(size() * 4 < long, "{} of {long}", size());
    for _ in 0..2 {
        assert_eq!(
            restarted(&house, dir.path()).await,
            before,
            "from the short one"
        );
    }
    // What was left out is still burned.
    let gate = Gate::start(house.config(&house.control.address.to_string(), dir.path()));
    let gate = gate.await.unwrap();
    let replayed = house.control.push(
        FeedKind::Release,
        text(&house.cast.opening(SOZIALES, 130, Stage::Full)),
    );
    gate.progress()
        .wait_for(|progress| progress.applied >= replayed)
        .await
        .unwrap();
    assert_eq!(states(&house.cast, &gate), before);
}
