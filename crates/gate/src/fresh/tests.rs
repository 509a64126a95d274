//! Which answers count, from when on, and for how long.
//!
//! What breaks when it is left out is tried by mutants of the simulator (docs/mutants.md).

use anlauf_model::{Minutes, Role, Timestamp};
use anlauf_trust::{Authority, Envelope, Freshness, KeyRecord, Root, Scheme, Signer};

use super::*;

const NOW: Timestamp = Timestamp(1_777_000_000_000);

fn signer() -> Signer {
    Signer::from_seed([7; 32])
}

/// A root that names one machine.
fn authority() -> Authority {
    let key = signer();
    let record = |person: &str, role, key: &Signer| KeyRecord {
        id: key.keyid(),
        scheme: Scheme::Ed25519,
        public: key.public(),
        person: person.parse().unwrap(),
        organisation: "provider".parse().unwrap(),
        role,
        tenant: None,
        not_before: NOW - Minutes(1),
        not_after: NOW + Minutes::days(30),
    };
    let holder = Signer::from_seed([8; 32]);
    let root = Root {
        domain: "drill-fresh".into(),
        drill: true,
        version: 1,
        expires: NOW + Minutes::days(30),
        keys: vec![
            record("machine", Role::Automation, &key),
            record("sec-1", Role::Security, &holder),
        ],
        root_keys: vec![holder.keyid()],
        root_threshold: 1,
        root_organisations_min: 1,
    };
    let mut envelope = Envelope::unsigned(root.to_payload());
    holder.sign(&mut envelope);
    Authority::pinned(&envelope, &envelope.digest(), NOW).unwrap()
}

fn word(beacon: Digest, (head, feed): (u64, Digest)) -> Verified<Freshness> {
    word_for("gate-1", beacon, (head, feed))
}

fn word_for(gate: &str, beacon: Digest, (head, feed): (u64, Digest)) -> Verified<Freshness> {
    let said = Freshness {
        domain: "drill-fresh".into(),
        gate: gate.parse().unwrap(),
        beacon,
        at: NOW,
        head,
        feed,
    };
    let mut envelope = Envelope::unsigned(said.to_payload());
    signer().sign(&mut envelope);
    authority().check_freshness(&envelope, NOW).unwrap()
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// Class A shuts after 20 minutes, C is held after 60, B asks for nothing.
fn fresh() -> Fresh {
    let mut fresh = Fresh::new("gate-1".parse().unwrap());
    fresh.resume(0, None);
    let rule = |class, minutes_max, stale| FreshnessRule {
        class,
        minutes_max,
        stale,
    };
    fresh.set_rules(&[
        rule(Class::A, 20, Stale::Close),
        rule(Class::C, 60, Stale::Hold),
    ]);
    fresh
}

/// The end of a feed of these items.
fn end(items: &[(u64, &str)]) -> (u64, Digest) {
    let add = |(_, sum): (u64, Digest), (seq, text): &(u64, &str)| {
        (*seq, feed_sum(&sum, *seq, &digest(text)))
    };
    items.iter().fold((0, FEED_SUM_EMPTY), add)
}

fn minutes(count: i64) -> i64 {
    count * MINUTE_MS
}

#[test]
fn nothing_is_asked_without_a_rule() {
    let mut fresh = Fresh::new("gate-1".parse().unwrap());
    assert_eq!(fresh.wanted(digest("1"), 0), None);
    assert!(!fresh.is_asked());
    for class in [Class::A, Class::B, Class::C] {
        assert_eq!(fresh.standing(class, 0), None);
        assert!(!fresh.shuts(class, minutes(100_000)));
    }
    assert_eq!(fresh.account(0), Vec::new());
}

#[test]
fn after_a_start_a_class_is_shut_until_its_beacon_is_answered() {
    let mut fresh = fresh();
    assert_eq!(fresh.standing(Class::A, 0), Some(Standing::Unproven));
    assert_eq!(fresh.standing(Class::C, 0), Some(Standing::Unproven));
    assert!(fresh.shuts(Class::A, 0) && fresh.shuts(Class::C, 0) && !fresh.shuts(Class::B, 0));
    let beacon = fresh.wanted(digest("1"), 0).unwrap();
    fresh.answered(&word(beacon, end(&[]))).unwrap();
    assert_eq!(fresh.standing(Class::A, 0), Some(Standing::Fresh));
    assert_eq!(fresh.standing(Class::C, 0), Some(Standing::Fresh));
    assert!(!fresh.shuts(Class::A, 0) && !fresh.shuts(Class::C, 0));
}

#[test]
fn age_counts_from_the_question_and_a_class_shuts_or_is_held() {
    let mut fresh = fresh();
    let beacon = fresh.wanted(digest("1"), 0).unwrap();
    // The answer was long on its way.
    fresh.answered(&word(beacon, end(&[]))).unwrap();
    assert_eq!(fresh.age(minutes(3)), Some(minutes(3)));
    assert_eq!(fresh.standing(Class::A, minutes(20)), Some(Standing::Fresh));
    assert_eq!(
        fresh.standing(Class::A, minutes(20) + 1),
        Some(Standing::Stale)
    );
    assert!(fresh.shuts(Class::A, minutes(20) + 1));
    assert_eq!(fresh.standing(Class::C, minutes(60)), Some(Standing::Fresh));
    assert_eq!(
        fresh.standing(Class::C, minutes(60) + 1),
        Some(Standing::Held)
    );
    assert!(!fresh.shuts(Class::C, minutes(60) + 1));
    // The next word takes it back.
    let beacon = fresh.wanted(digest("2"), minutes(70)).unwrap();
    fresh.answered(&word(beacon, end(&[]))).unwrap();
    assert!(!fresh.shuts(Class::A, minutes(70)));
    assert_eq!(fresh.standing(Class::C, minutes(70)), Some(Standing::Fresh));
}

#[test]
fn a_beacon_of_another_gate_or_start_or_one_that_was_used_is_refused() {
    let mut fresh = fresh();
    let beacon = fresh.wanted(digest("1"), 0).unwrap();
    let other = fresh
        .answered(&word_for("gate-2", beacon, end(&[])))
        .unwrap_err();
    assert!(
        other.contains("gate-2") && other.contains("AN-GAT-020"),
        "{other}"
    );
    let unknown = fresh.answered(&word(digest("0"), end(&[]))).unwrap_err();
    assert!(unknown.contains("AN-GAT-020"), "{unknown}");
    assert!(fresh.shuts(Class::A, 0));
    fresh.answered(&word(beacon, end(&[]))).unwrap();
    fresh.answered(&word(beacon, end(&[]))).unwrap_err();
    // Another start knows nothing of it.
    let mut again = self::fresh();
    again.wanted(digest("2"), 0).unwrap();
    again.answered(&word(beacon, end(&[]))).unwrap_err();
    assert!(again.shuts(Class::A, 0));
}

#[test]
fn an_answer_counts_once_the_feed_was_read_to_its_end() {
    let items = [(4, "root"), (7, "close")];
    let mut fresh = fresh();
    let beacon = fresh.wanted(digest("1"), 0).unwrap();
    fresh.read(4, &digest("root"));
    fresh.answered(&word(beacon, end(&items))).unwrap();
    assert!(fresh.shuts(Class::A, 0));
    assert!(!fresh.is_astray(4));
    fresh.read(7, &digest("close"));
    assert!(!fresh.shuts(Class::A, 0));
    // An end a little back is known too: more may come in while an answer is on its way.
    let beacon = fresh.wanted(digest("2"), minutes(6)).unwrap();
    fresh.read(9, &digest("release"));
    fresh.answered(&word(beacon, end(&items))).unwrap();
    assert_eq!(fresh.age(minutes(6)), Some(0));
}

#[test]
fn what_was_slipped_in_for_a_close_is_noticed_and_the_feed_read_anew() {
    let items = [(4, "root"), (7, "close")];
    for wrong in [
        vec![(4, "root"), (7, "junk")],
        vec![(4, "root"), (8, "close")],
        vec![(4, "root"), (5, "junk"), (7, "close")],
        vec![(7, "close")],
    ] {
        let mut fresh = fresh();
        let beacon = fresh.wanted(digest("1"), 0).unwrap();
        for (seq, text) in &wrong {
            fresh.read(*seq, &digest(text));
        }
        let last = wrong.last().unwrap().0;
        fresh.answered(&word(beacon, end(&items))).unwrap();
        assert!(fresh.shuts(Class::A, 0), "{wrong:?}");
        // Once for each answer: who lies again must not keep the gate busy.
        assert!(fresh.is_astray(last), "{wrong:?}");
        assert!(!fresh.is_astray(last), "{wrong:?}");
        assert!(!fresh.is_rereading());
        fresh.rewind(last);
        assert!(fresh.is_rereading());
        for (seq, text) in items {
            fresh.read(seq, &digest(text));
        }
        assert!(!fresh.shuts(Class::A, 0), "{wrong:?}");
    }
}

#[test]
fn a_restart_goes_on_from_the_sum_in_the_journal() {
    let items = [(4, "root"), (7, "close")];
    let (_, sum) = end(&items[..1]);
    let mut fresh = fresh();
    fresh.resume(4, Some(sum));
    let beacon = fresh.wanted(digest("1"), 0).unwrap();
    fresh.read(7, &digest("close"));
    fresh.answered(&word(beacon, end(&items))).unwrap();
    assert!(!fresh.shuts(Class::A, 0));
    // A journal from before the policy asked does not know it: the feed is read anew.
    let mut unknown = self::fresh();
    unknown.resume(4, None);
    assert_eq!(unknown.sum(), None);
    let beacon = unknown.wanted(digest("1"), 0).unwrap();
    unknown.read(7, &digest("close"));
    unknown.answered(&word(beacon, end(&items))).unwrap();
    assert!(unknown.shuts(Class::A, 0) && unknown.is_astray(7));
}

#[test]
fn a_gate_asks_four_times_before_it_is_stale_and_with_a_beacon_of_this_quarter() {
    let mut fresh = fresh();
    let first = fresh.wanted(digest("1"), 0).unwrap();
    // The same question again while nobody has answered, then a new one.
    assert_eq!(fresh.wanted(digest("2"), minutes(4)), Some(first));
    let next = fresh.wanted(digest("3"), minutes(5)).unwrap();
    assert_eq!(next, digest("3"));
    fresh.answered(&word(first, end(&[]))).unwrap_err();
    fresh.answered(&word(next, end(&[]))).unwrap();
    assert_eq!(fresh.wanted(digest("4"), minutes(10) - 1), None);
    assert_eq!(fresh.wanted(digest("4"), minutes(10)), Some(digest("4")));
}

#[test]
fn a_carried_beacon_stays_open_while_others_are_asked_on_the_line() {
    let mut fresh = fresh();
    let carried = fresh.carried(digest("hand"), 0);
    for minute in 0..4 {
        fresh.wanted(digest(&minute.to_string()), minutes(minute * 5));
    }
    fresh.answered(&word(carried, end(&[]))).unwrap();
    assert_eq!(fresh.age(minutes(15)), Some(minutes(15)));
    // An older question never makes a gate less fresh.
    let line = fresh.wanted(digest("line"), minutes(16)).unwrap();
    let old = fresh.carried(digest("old"), minutes(10));
    fresh.answered(&word(line, end(&[]))).unwrap();
    let age = fresh.age(minutes(16));
    fresh.answered(&word(old, end(&[]))).unwrap();
    assert_eq!(fresh.age(minutes(16)), age);
}
