//! Leaves of the ledger.

use anlauf_model::{Digest, Timestamp};
use anlauf_trust::Leaf;
use anlauf_trust::leaf::{LEAF_WORD_SIZE_MAX, salted};
use anlauf_trust::merkle::leaf_hash;

use crate::cast::{codes, now};

fn leaf() -> Leaf {
    let body = salted(&[7; 32], b"{\"reason\":\"attack\"}");
    Leaf::new(42, now(), "CellsClosed", "tenant/bkk-amsel", body).unwrap()
}

#[test]
fn a_leaf_is_six_lines() {
    let text = String::from_utf8(leaf().to_bytes()).unwrap();
    let body = leaf().body().to_string();
    let want = format!("anlauf-leaf/1\n42\n1777032000000\nCellsClosed\ntenant/bkk-amsel\n{body}\n");
    assert_eq!(text, want);
    assert_eq!(leaf().hash(), leaf_hash(text.as_bytes()));
}

#[test]
fn every_field_is_in_the_hash() {
    let body = *leaf().body();
    let others = [
        Leaf::new(43, now(), "CellsClosed", "tenant/bkk-amsel", body),
        Leaf::new(
            42,
            Timestamp(now().0 + 1),
            "CellsClosed",
            "tenant/bkk-amsel",
            body,
        ),
        Leaf::new(42, now(), "CellReleased", "tenant/bkk-amsel", body),
        Leaf::new(42, now(), "CellsClosed", "tenant/bkk-birke", body),
        Leaf::new(
            42,
            now(),
            "CellsClosed",
            "tenant/bkk-amsel",
            Digest::of(b""),
        ),
    ];
    for other in others {
        assert_ne!(other.unwrap().hash(), leaf().hash());
    }
}

#[test]
fn words_that_could_forge_a_line_are_refused() {
    for word in ["", "a b", "a\nb", "ä", &"x".repeat(LEAF_WORD_SIZE_MAX + 1)] {
        let body = Digest::of(b"");
        assert_eq!(
            codes(Leaf::new(1, now(), word, "provider", body)),
            ["AN-TRU-062"],
            "{word:?}"
        );
        assert_eq!(
            codes(Leaf::new(1, now(), "Kind", word, body)),
            ["AN-TRU-062"],
            "{word:?}"
        );
    }
}

#[test]
fn a_body_hides_behind_its_salt() {
    let body = b"{}";
    assert_ne!(salted(&[1; 32], body), salted(&[2; 32], body));
    assert_ne!(salted(&[1; 32], body), Digest::of(body));
    // Salt and body do not run into each other: the salt has a fixed size.
    assert_ne!(salted(&[1; 32], b"\x01x"), salted(&[1; 32], b"x"));
}
