//! Fresh word: whose, for which domain, by which clock.

use anlauf_model::landscape::{Class, FreshnessRule, Stale};
use anlauf_model::{Digest, Minutes, Timestamp};
use anlauf_trust::{
    Authority, FEED_SUM_EMPTY, Freshness, Refusal, Signer, Statement, Verified, feed_sum,
};

use crate::cast::{
    ROOT_SIGNERS, authority, codes, freshness, now, policy, root, root_envelope, sealed,
};

fn judge(word: &Freshness, names: &[&str]) -> Result<Verified<Freshness>, Refusal> {
    judge_at(word, names, now())
}

fn judge_at(
    word: &Freshness,
    names: &[&str],
    now: Timestamp,
) -> Result<Verified<Freshness>, Refusal> {
    authority().check_freshness(&sealed(word.to_payload(), names), now)
}

#[test]
fn only_automation_of_the_root_gives_fresh_word() {
    let verified = judge(&freshness(), &["auto-1"]).unwrap();
    assert_eq!(verified.statement(), &freshness());
    assert_eq!(verified.signers().first().unwrap().as_str(), "auto-1");
    // Strangers beside it do no harm.
    judge(&freshness(), &["sec-1", "auto-1"]).unwrap();
    for name in [
        "op-1", "sec-1", "own-1", "for-1", "amsel-1", "gate-1", "aud-1",
    ] {
        let refused = codes(judge(&freshness(), &[name]));
        assert_eq!(refused, ["AN-TRU-030", "AN-TRU-035"], "{name}");
    }
    assert_eq!(codes(judge(&freshness(), &[])), ["AN-TRU-030"]);
    let mut stranger = sealed(freshness().to_payload(), &[]);
    Signer::from_seed([99; 32]).sign(&mut stranger);
    let refused = codes(authority().check_freshness(&stranger, now()));
    assert_eq!(refused, ["AN-TRU-030", "AN-TRU-032"]);
}

#[test]
fn a_signature_is_over_these_bytes_and_this_domain() {
    let mut bent = sealed(freshness().to_payload(), &["auto-1"]);
    let later = Freshness {
        head: 8,
        ..freshness()
    };
    bent.payload = later.to_payload();
    let refused = codes(authority().check_freshness(&bent, now()));
    assert_eq!(refused, ["AN-TRU-030", "AN-TRU-033"]);
    let foreign = Freshness {
        domain: "drill-other".into(),
        ..freshness()
    };
    assert_eq!(codes(judge(&foreign, &["auto-1"])), ["AN-TRU-012"]);
}

#[test]
fn clocks_may_be_five_minutes_apart() {
    let limit = Minutes(5);
    for at in [now() + limit, now() - limit] {
        judge_at(&freshness(), &["auto-1"], at).unwrap();
    }
    for at in [now() + limit + Minutes(1), now() - limit - Minutes(1)] {
        let refused = codes(judge_at(&freshness(), &["auto-1"], at));
        assert_eq!(refused, ["AN-TRU-070"]);
    }
}

#[test]
fn a_root_that_has_ended_still_hears_fresh_word() {
    let mut root = root();
    root.expires = now() + Minutes(1);
    let root = sealed(root.to_payload(), &ROOT_SIGNERS);
    let authority = Authority::pinned(&root, &root.digest(), now()).unwrap();
    let word = sealed(freshness().to_payload(), &["auto-1"]);
    authority
        .check_freshness(&word, now() + Minutes(2))
        .unwrap();
}

#[test]
fn fresh_word_has_one_form_and_is_none_of_the_statements_of_people() {
    let bytes = freshness().to_payload();
    assert_eq!(Freshness::parse(&bytes).unwrap(), freshness());
    let text = String::from_utf8(bytes.clone()).unwrap();
    for (from, to) in [
        ("\"head\":7", "\"head\":7,\"more\":1"),
        ("\"head\":7", "\"head\": 7"),
        ("\"head\":7", "\"head\":7,\"head\":7"),
        ("\"head\":7", "\"head\":9007199254740992"),
        ("\"gate\":\"gate-1\"", "\"gate\":\"gate-2\""),
        ("freshness:v1", "close:v1"),
    ] {
        assert!(text.contains(from), "{from}");
        let bent = text.replacen(from, to, 1);
        assert!(Freshness::parse(bent.as_bytes()).is_err(), "{to}");
    }
    assert!(Statement::parse(&bytes).is_err());
}

#[test]
fn the_sum_of_a_feed_tells_its_items_their_order_and_their_numbers() {
    let sum = |items: &[(u64, &str)]| {
        let add = |sum: Digest, (seq, text): &(u64, &str)| {
            feed_sum(&sum, *seq, &Digest::of(text.as_bytes()))
        };
        items.iter().fold(FEED_SUM_EMPTY, add)
    };
    let all = sum(&[(3, "release"), (5, "close")]);
    for other in [
        sum(&[(3, "release")]),
        sum(&[(3, "close"), (5, "release")]),
        sum(&[(3, "release"), (6, "close")]),
        sum(&[(3, "release"), (5, "junk")]),
        sum(&[(5, "close"), (3, "release")]),
    ] {
        assert_ne!(all, other);
    }
    // SHA-256 of 32 zeros, 8 bytes of 3 and SHA-256("a"), by Python's hashlib.
    let one = "a3e7c5e983864bdd5a688c9755c2770ca28a0407d12f227caaab27b8ef34197c";
    assert_eq!(sum(&[(3, "a")]).to_string(), one);
}

#[test]
fn a_policy_with_unsound_freshness_is_refused() {
    let rule = |class, minutes_max| FreshnessRule {
        class,
        minutes_max,
        stale: Stale::Close,
    };
    let adopt = |rules: &[FreshnessRule]| {
        let root = root_envelope();
        let mut authority = Authority::pinned(&root, &root.digest(), now()).unwrap();
        let mut policy = policy();
        policy.freshness = rules.to_vec();
        authority.adopt_policy(&sealed(policy.to_payload(), &ROOT_SIGNERS), now())
    };
    adopt(&[rule(Class::A, 15), rule(Class::B, 240)]).unwrap();
    for unsound in [
        vec![rule(Class::A, 15), rule(Class::A, 16)],
        vec![rule(Class::A, 1)],
        vec![rule(Class::A, 7 * 24 * 60 + 1)],
    ] {
        assert_eq!(codes(adopt(&unsound)), ["AN-TRU-016"]);
    }
}
