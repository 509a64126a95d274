//! A control plane that repeats, leaves out, turns round or lies opens nothing.

use anlauf_model::feed::{FeedItem, FeedKind, Words};
use anlauf_model::table::GateTable;
use anlauf_model::{Epoch, Stage};
use anlauf_trust::Scope;

use crate::backend::{Backend, mirror};
use crate::cast::{GROUND, HOST, MELDEN, ROOT_SIGNERS, SOZIALES, cells, closing, sealed, text};
use crate::client::{get, get_with, post};
use crate::house::House;

#[tokio::test]
async fn a_replayed_release_stays_burned() {
    let house = House::grounded(mirror().await).await;
    let release = house.cast.opening(MELDEN, 1, Stage::Full);
    house.send(FeedKind::Release, &release).await;
    assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(1)));
    house
        .send(FeedKind::Close, &closing(cells(&[MELDEN]), 1))
        .await;
    for _ in 0..2 {
        let seq = house.send(FeedKind::Release, &release).await;
        let decision = house.control.decision(seq).await;
        assert!(
            decision.reasons.join("\n").contains("AN-TRU-023"),
            "{:?}",
            decision.reasons
        );
        assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    }
}

#[tokio::test]
async fn a_close_overtakes_the_release_before_it_and_not_the_one_after() {
    let house = House::grounded(mirror().await).await;
    let mut items = house.control.items();
    let seq = items.last().unwrap().seq;
    let item = |seq, kind, envelope| FeedItem {
        seq,
        kind,
        envelope,
    };
    // All on one page: what was proposed before the close is burned, what came after opens.
    items.push(item(
        seq + 1,
        FeedKind::Release,
        text(&house.cast.opening(MELDEN, 1, Stage::Full)),
    ));
    items.push(item(
        seq + 2,
        FeedKind::Close,
        text(&closing(Scope::Everything, 1)),
    ));
    items.push(item(
        seq + 3,
        FeedKind::Release,
        text(&house.cast.opening("rz-tal/netz", 2, Stage::Full)),
    ));
    house.control.rewrite(items);
    house.applied(seq + 3).await;
    assert_eq!(house.stage(MELDEN), (Stage::Closed, Epoch(1)));
    assert_eq!(house.stage("rz-tal/netz"), (Stage::Full, Epoch(2)));
    let accepted = [seq + 1, seq + 2, seq + 3].map(|seq| house.control.decision(seq));
    let [release, close, reopened] = accepted;
    assert!(!release.await.accepted);
    assert!(close.await.accepted);
    assert!(reopened.await.accepted);
}

#[tokio::test]
async fn repeated_and_shuffled_numbers_change_nothing_twice() {
    let house = House::grounded(mirror().await).await;
    house.open(MELDEN, 1, Stage::Full).await;
    let mut items = house.control.items();
    let last = items.last().unwrap().seq;
    let newest = |seq, kind, envelope| FeedItem {
        seq,
        kind,
        envelope,
    };
    // A gap, then numbers that go back: only the first of them is heard.
    let later = text(&house.cast.opening(SOZIALES, 1, Stage::Full));
    let close = text(&closing(cells(&[SOZIALES]), 1));
    items.push(newest(last + 40, FeedKind::Release, later.clone()));
    items.push(newest(last + 40, FeedKind::Release, later));
    items.push(newest(last + 7, FeedKind::Close, close));
    house.control.rewrite(items);
    house.applied(last + 40).await;
    // The close stands behind its release in no order of numbers, but a close is always heard.
    assert_eq!(house.stage(SOZIALES), (Stage::Closed, Epoch(1)));
    assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(1)));
}

#[tokio::test]
async fn a_table_that_was_not_signed_is_not_used() {
    let mut backend = Backend::new().await;
    let house = House::grounded(backend.address).await;
    house.open(SOZIALES, 1, Stage::Full).await;

    // The next policy, truly signed, with a table of which the control plane serves another form:
    // the host and path of a closed cell lead to an open one.
    let signed = house.cast.landscape.gate_table();
    let mut renamed = signed.clone();
    renamed.cells[0].path = "/anders".into();
    let mut policy = house.cast.policy();
    (policy.version, policy.table) = (2, renamed.digest());
    let mut crooked = renamed.clone();
    swap_paths(&mut crooked);
    house.control.set_table(crooked.to_bytes());
    let envelope = sealed(policy.to_payload(), &ROOT_SIGNERS);
    let seq = house.control.push(FeedKind::Policy, text(&envelope));
    let decision = house.control.decision(seq).await;
    assert!(!decision.accepted);
    assert!(
        decision.reasons.join("\n").contains("AN-GAT-011"),
        "{:?}",
        decision.reasons
    );
    assert_eq!(get(house.address(), HOST, "/melden/a").await.status, 503);
    assert!(backend.is_quiet());

    // The true one is taken as soon as it is served, and open cells stay open.
    house.control.set_table(renamed.to_bytes());
    house.applied(seq).await;
    assert_eq!(house.stage(SOZIALES), (Stage::Full, Epoch(1)));
}

fn swap_paths(table: &mut GateTable) {
    let at = |id: &str| {
        table
            .cells
            .iter()
            .position(|c| c.id.to_string() == id)
            .unwrap()
    };
    let (one, other) = (at(MELDEN), at(SOZIALES));
    let path = table.cells[one].path.clone();
    table.cells[one].path = std::mem::replace(&mut table.cells[other].path, path);
}

#[tokio::test]
async fn another_root_is_nobody() {
    let house = House::new(mirror().await).await;
    // A whole house of cards: root, policy and release all signed by people of our own.
    let mut root = house.cast.root();
    root.version = 2;
    root.root_threshold = 1;
    root.root_organisations_min = 1;
    let envelope = sealed(root.to_payload(), &["operator-1"]);
    let seq = house.send(FeedKind::Root, &envelope).await;
    assert!(!house.control.decision(seq).await.accepted);
    root.version = 1;
    let seq = house
        .send(FeedKind::Root, &sealed(root.to_payload(), &ROOT_SIGNERS))
        .await;
    assert!(
        !house.control.decision(seq).await.accepted,
        "a first root again"
    );
    let again = house.cast.policy_envelope();
    let seq = house.send(FeedKind::Policy, &again).await;
    assert!(
        !house.control.decision(seq).await.accepted,
        "the same policy again"
    );
}

#[tokio::test]
async fn words_change_pages_and_nothing_else() {
    let house = House::grounded(mirror().await).await;
    let before = house.states();
    let at = |text: &str| text.parse().unwrap();
    let mut changes = house.gate.progress();
    house.control.set_words(Words {
        as_of: Some(at("2026-04-24T11:30:00Z")),
        next_word_at: Some(at("2026-04-24T16:00:00Z")),
        expected: [(MELDEN.parse().unwrap(), at("2026-04-24T14:00:00Z"))].into(),
    });
    loop {
        let english = "accept-language: en\r\n";
        let answer = get_with(house.address(), HOST, "/melden/a", english).await;
        assert_eq!(answer.status, 503);
        if answer.head.contains("retry-after: 7200\r\n") {
            assert!(
                answer.body.contains("As of: 24 April 2026, 13:30"),
                "{}",
                answer.body
            );
            assert!(
                answer.body.contains("Next word at: 24 April 2026, 18:00"),
                "{}",
                answer.body
            );
            break;
        }
        assert!(
            answer.head.contains("retry-after: 3600\r\n"),
            "{}",
            answer.head
        );
        changes.changed().await.unwrap();
    }
    assert_eq!(house.states(), before);
}

#[tokio::test]
async fn a_refused_close_is_heard_again_in_its_turn() {
    let house = House::grounded(mirror().await).await;
    let twice = text(&closing(cells(&["rz-tal/netz"]), 1));
    assert_eq!(post(house.admin(), "/close", &twice).await.status, 200);
    // The same close comes through the feed later and is counted there too.
    let seq = house.control.push(FeedKind::Close, twice);
    assert!(house.control.decision(seq).await.accepted);
    assert_eq!(house.stage("rz-tal/netz"), (Stage::Closed, Epoch(1)));
}

/// Numbers are not signed: one that is far too high must not make a gate deaf for good.
#[tokio::test]
async fn a_number_that_leads_astray_is_found_out_when_the_feed_is_true_again() {
    let house = House::grounded(mirror().await).await;
    let honest = house.control.items();
    let astray = |kind, envelope: String| FeedItem {
        seq: 1 << 40,
        kind,
        envelope,
    };
    let refused = astray(FeedKind::Release, "{}".into());
    let accepted = house.cast.opening(SOZIALES, 1, Stage::Full);
    let lies = [refused, astray(FeedKind::Release, text(&accepted))];
    for (epoch, item) in (1..).zip(lies) {
        let mut lied = honest.clone();
        lied.push(item);
        house.control.rewrite(lied);
        house.applied(1 << 40).await;
        // The control plane is ours again, and its feed goes on where it was.
        let mut items = honest.clone();
        let next = items.last().unwrap().seq + 1;
        let opening = house.cast.opening(MELDEN, epoch, Stage::Full);
        items.push(FeedItem {
            seq: next,
            kind: FeedKind::Release,
            envelope: text(&opening),
        });
        house.control.rewrite(items.clone());
        let mut progress = house.gate.progress();
        let is_back = |progress: &anlauf_gate::Progress| progress.applied == next;
        progress.wait_for(is_back).await.unwrap();
        assert_eq!(house.stage(MELDEN), (Stage::Full, Epoch(epoch)));
        let envelope = text(&closing(cells(&[MELDEN]), epoch));
        assert_eq!(post(house.admin(), "/close", &envelope).await.status, 200);
    }
    assert_eq!(house.stage(SOZIALES), (Stage::Full, Epoch(1)));
    for id in GROUND {
        assert_eq!(
            house.stage(id),
            (Stage::Full, Epoch(1)),
            "{id} was not touched"
        );
    }
    // What lies beyond the end that the page itself names is not taken.
    assert!(house.gate.applied() < 1 << 40);
}
