//! The witness's judgement, status by status.

use std::collections::BTreeMap;

use anlauf_model::Digest;
use anlauf_transparency::witness::{No, Request};
use proptest::prelude::*;

use crate::{ORIGIN, checkpoint, key, leaves, log, request};

fn judge(request: &Request, known: Option<(u64, Digest)>) -> Result<u64, No> {
    let logs = BTreeMap::from([(ORIGIN.to_owned(), log().public())]);
    let judged = request.judge(&logs, &|origin| known.filter(|_| origin == ORIGIN));
    judged.map(|checkpoint| checkpoint.size)
}

fn at(size: u64) -> Option<(u64, Digest)> {
    Some((size, checkpoint(&leaves(size, 99)).root))
}

#[test]
fn growth_is_cosigned() {
    assert_eq!(judge(&request(&leaves(5, 99), 0), None), Ok(5));
    assert_eq!(judge(&request(&leaves(9, 99), 5), at(5)), Ok(9));
    // The same again, for a log that lost the answer.
    assert_eq!(judge(&request(&leaves(9, 99), 9), at(9)), Ok(9));
}

#[test]
fn another_size_than_cosigned_is_answered_with_it() {
    for old in [0, 4, 6] {
        assert_eq!(
            judge(&request(&leaves(9, 99), old), at(5)),
            Err(No::Conflict(5))
        );
    }
    assert_eq!(
        judge(&request(&leaves(9, 99), 5), None),
        Err(No::Conflict(0))
    );
    assert_eq!(No::Conflict(5).status(), 409);
}

#[test]
fn a_fork_is_not_cosigned() {
    let fork = request(&leaves(9, 3), 5);
    assert_eq!(judge(&fork, at(5)), Err(No::Inconsistent));
    assert_eq!(No::Inconsistent.status(), 422);
    // Of the same size: the protocol asks for 409.
    let fork = request(&leaves(5, 3), 5);
    assert_eq!(judge(&fork, at(5)), Err(No::Conflict(5)));
}

#[test]
fn a_shorter_ledger_is_not_cosigned() {
    let back = request(&leaves(4, 99), 5);
    assert!(matches!(judge(&back, at(5)), Err(No::Malformed(_))));
    assert_eq!(
        judge(&request(&leaves(4, 99), 4), at(5)),
        Err(No::Conflict(5))
    );
}

#[test]
fn strangers_are_told_apart() {
    let mut other = checkpoint(&leaves(5, 99));
    other.origin = "elsewhere".into();
    let note = other.sign(&log()).unwrap();
    let asked = Request {
        note,
        ..request(&leaves(5, 99), 0)
    };
    assert_eq!(judge(&asked, None), Err(No::Unknown("elsewhere".into())));
    let note = checkpoint(&leaves(5, 99)).sign(&key(2)).unwrap();
    let asked = Request {
        note,
        ..request(&leaves(5, 99), 0)
    };
    assert_eq!(judge(&asked, None), Err(No::Unsigned));
    assert_eq!(
        (No::Unsigned.status(), No::Unknown("x".into()).status()),
        (403, 404)
    );
}

#[test]
fn a_request_has_one_form() {
    let asked = request(&leaves(9, 99), 5);
    let text = asked.to_text();
    assert_eq!(Request::parse(&text), Ok(asked));
    for (from, to) in [
        ("old 5", "old 05"),
        ("old 5", "old -5"),
        ("old 5\n", ""),
        ("\n\n", "\n"),
    ] {
        let bad = text.replacen(from, to, 1);
        assert!(Request::parse(&bad).is_err(), "{bad}");
    }
    let mut long = request(&leaves(9, 99), 5);
    long.proof = vec![Digest::of(b"x"); 64];
    assert!(Request::parse(&long.to_text()).is_err());
}

proptest! {
    /// No other proof makes a fork look like growth.
    #[test]
    fn a_changed_proof_is_refused(
        old in 1..20u64,
        new in 1..20u64,
        at_hash in 0..6usize,
        bit in 0..256usize,
    ) {
        let (old, new) = (old.min(new), old.max(new));
        let mut asked = request(&leaves(new, 99), old);
        let known = at(old);
        prop_assert_eq!(judge(&asked, known), Ok(new));
        if let Some(hash) = asked.proof.get_mut(at_hash) {
            hash.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(judge(&asked, known), Err(No::Inconsistent));
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Request::parse(&text).is_err());
        let headed = format!("old 1\n\n{text}");
        let judged = Request::parse(&headed).and_then(|asked| judge(&asked, None));
        prop_assert!(judged.is_err());
    }
}
