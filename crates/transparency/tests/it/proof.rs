//! Proofs in one text.

use anlauf_transparency::Checkpoint;
use anlauf_transparency::merkle::{Levels, inclusion};
use anlauf_transparency::proof::Proof;
use proptest::prelude::*;

use crate::{ORIGIN, leaves, log, note};

fn proof(size: u64, index: u64) -> Proof {
    let leaves = leaves(size, 99);
    let levels = Levels::of(&leaves);
    let path = inclusion(&|level, index| levels.node(level, index), index, size).unwrap();
    Proof {
        extra: None,
        index,
        path,
        note: note(&leaves),
    }
}

fn holds(proof: &Proof, leaf: u64) -> bool {
    let head = Checkpoint::verify(&proof.note, ORIGIN, &log().public()).unwrap();
    proof
        .verify(&leaves(leaf + 1, 99)[usize::try_from(leaf).unwrap()], &head)
        .is_ok()
}

#[test]
fn a_proof_is_the_standards_text() {
    let mut proof = proof(9, 4);
    proof.extra = Some(b"x".to_vec());
    let text = proof.to_text();
    assert!(
        text.starts_with("c2sp.org/tlog-proof@v1\nextra eA==\nindex 4\n"),
        "{text}"
    );
    assert!(text.contains(&format!("\n\n{ORIGIN}\n9\n")), "{text}");
    assert_eq!(Proof::parse(&text).unwrap(), proof);
    assert!(holds(&proof, 4) && !holds(&proof, 5));
}

proptest! {
    #[test]
    fn every_entry_is_proven_and_no_other(size in 1..70u64, index in 0..70u64, other in 0..70u64) {
        let index = index % size;
        let proof = Proof::parse(&proof(size, index).to_text()).unwrap();
        prop_assert!(holds(&proof, index));
        prop_assert_eq!(holds(&proof, other), other == index);
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        prop_assert!(Proof::parse(&text).is_err());
        let headed = format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{text}");
        let read = Proof::parse(&headed);
        prop_assert!(read.is_err() || Checkpoint::verify(&text, ORIGIN, &log().public()).is_err());
    }
}
