//! Cosignatures and the quorum of witnesses.

use anlauf_transparency::checkpoint::verifier_key;
use anlauf_transparency::cosignature::{Policy, cosign, quorum_check, witness_key};
use proptest::prelude::*;

use crate::{ORIGIN, checkpoint, key, leaves, log, note};

pub fn text(witnesses: u8, quorum: &str) -> String {
    let mut text = format!("log {}\n", verifier_key(ORIGIN, &log().public()).unwrap());
    let mut group = format!("group all {quorum}");
    for seed in 0..witnesses {
        let name = format!("w{seed}");
        let key = witness_key(&name, &key(100 + seed).public()).unwrap();
        text.push_str(&format!("witness {name} {key} http://127.0.0.1:1/ # one\n"));
        group.push_str(&format!(" {name}"));
    }
    format!("{text}\n{group}\nquorum all\n")
}

/// The note with the cosignatures of these witnesses.
fn cosigned(names: &[u8], at: u64) -> String {
    let leaves = leaves(9, 99);
    let mut text = note(&leaves);
    for seed in names {
        let name = format!("w{seed}");
        text.push_str(&cosign(&checkpoint(&leaves), &name, &key(100 + seed), at).unwrap());
    }
    text
}

#[test]
fn a_quorum_of_distinct_witnesses_is_believed() {
    let policy = Policy::parse(&text(4, "3"), 1).unwrap();
    assert_eq!(policy.origin, ORIGIN);
    assert_eq!(
        policy.witnesses[0].url.as_deref(),
        Some("http://127.0.0.1:1/")
    );
    let (checkpoint, at) = policy.verify(&cosigned(&[0, 1, 3], 1_777_000_000)).unwrap();
    assert_eq!(checkpoint.size, 9);
    assert_eq!(at.keys().collect::<Vec<_>>(), ["w0", "w1", "w3"]);
    assert_eq!(at["w3"], 1_777_000_000);
}

#[test]
fn one_witness_counts_once_and_strangers_not() {
    let policy = Policy::parse(&text(4, "3"), 1).unwrap();
    for names in [&[0, 1][..], &[0, 1, 1], &[0, 1, 9]] {
        let refusal = policy.verify(&cosigned(names, 7)).unwrap_err();
        assert!(refusal.has("AN-TRU-055"), "{refusal}");
    }
    // The name of one with the key of another.
    let leaves = leaves(9, 99);
    let forged = cosign(&checkpoint(&leaves), "w2", &key(100), 7).unwrap();
    let note = cosigned(&[0, 1], 7) + &forged;
    assert!(policy.verify(&note).unwrap_err().has("AN-TRU-055"));
}

#[test]
fn a_cosignature_is_bound_to_checkpoint_and_time() {
    let policy = Policy::parse(&text(1, "1"), 0).unwrap();
    let other = leaves(10, 99);
    let line = cosign(&checkpoint(&other), "w0", &key(100), 7).unwrap();
    let note = note(&leaves(9, 99)) + &line;
    assert!(policy.verify(&note).unwrap_err().has("AN-TRU-055"));
}

#[test]
fn a_quorum_that_allows_two_ledgers_is_refused_at_configuration() {
    for (witnesses, quorum, faulty) in [(4, "2", 1), (4, "2", 0), (3, "2", 1), (5, "3", 1)] {
        let refusal = Policy::parse(&text(witnesses, quorum), faulty).unwrap_err();
        assert!(refusal.has("AN-TRU-054"), "{refusal}");
    }
    for (witnesses, quorum, faulty) in [(4, "3", 1), (3, "2", 0), (5, "4", 2), (1, "1", 0)] {
        Policy::parse(&text(witnesses, quorum), faulty).unwrap();
    }
    assert!(quorum_check(3, 4, 0).is_err());
    assert!(quorum_check(3, 0, 0).is_err());
}

#[test]
fn a_policy_of_another_form_is_refused() {
    let good = text(2, "2");
    for (from, to) in [
        ("log ", "lug "),
        ("quorum all", "quorum some"),
        ("quorum all", ""),
        (" w1\n", "\n"),
        ("witness w1", "witness w1 w1 w1"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(
            Policy::parse(&bad, 0).unwrap_err().has("AN-TRU-053"),
            "{bad}"
        );
    }
    let twice = good.clone() + &good;
    assert!(Policy::parse(&twice, 0).is_err());
}

proptest! {
    /// The rule itself: two quorums share more witnesses than are false, whoever is in them.
    #[test]
    fn two_quorums_share_an_honest_witness(
        count in 1..12usize,
        faulty in 0..6usize,
        quorum in 0..13usize,
    ) {
        let shared_min = (2 * quorum).saturating_sub(count);
        let sound = quorum >= 1 && quorum <= count && shared_min > faulty;
        prop_assert_eq!(quorum_check(count, quorum, faulty).is_ok(), sound);
    }

    #[test]
    fn any_text_is_answered(text in "(log|witness|group|quorum|[ a-z0-9+#\n]){0,40}") {
        prop_assert!(Policy::parse(&text, 0).is_err());
    }
}
