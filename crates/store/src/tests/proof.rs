//! Proofs for outsiders: made from the leaves of the ledger, checked by the verifier.

use anlauf_trust::Checkpoint;
use anlauf_trust::merkle::{
    Levels, consistency, consistency_verify, inclusion, inclusion_verify, root_of,
};

use super::cast::{ORIGIN, ledger, notices, public, signer};
use crate::{Reader, StoreError};

#[test]
fn every_entry_is_proved_under_the_signed_root() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = ledger(folder.path()).unwrap();
    ledger.append(&notices(11)).unwrap();
    let note = ledger.checkpoint(&signer()).unwrap().unwrap();
    let signed = Checkpoint::verify(&note, ORIGIN, &public()).unwrap();

    let reader = Reader::open(folder.path()).unwrap();
    let levels = Levels::of(&reader.leaves(signed.size).unwrap());
    let nodes = |level, index| levels.node(level, index);
    for index in 0..signed.size {
        let leaf = reader.record(index + 1).unwrap().unwrap().leaf;
        let proof = inclusion(&nodes, index, signed.size).unwrap();
        inclusion_verify(&leaf, index, signed.size, &proof, &signed.root).unwrap();
        let other = reader.record((index + 1) % 11 + 1).unwrap().unwrap().leaf;
        assert!(inclusion_verify(&other, index, signed.size, &proof, &signed.root).is_err());
    }
}

#[test]
fn every_earlier_ledger_is_the_beginning_of_the_later_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = ledger(folder.path()).unwrap();
    let roots: Vec<_> = notices(11)
        .chunks(1)
        .map(|entry| ledger.append(entry).unwrap().root)
        .collect();
    let reader = ledger.reader().unwrap();
    let leaves = reader.leaves(11).unwrap();
    let levels = Levels::of(&leaves);
    for old in 1..=11u64 {
        for new in old..=11u64 {
            let (old_root, new_root) = (&roots[old as usize - 1], &roots[new as usize - 1]);
            assert_eq!(root_of(&leaves[..old as usize]), *old_root);
            let proof = consistency(&|level, index| levels.node(level, index), old, new).unwrap();
            consistency_verify((old, old_root), (new, new_root), &proof).unwrap();
            if old < new {
                let swapped = consistency_verify((old, new_root), (new, old_root), &proof);
                assert!(swapped.is_err());
            }
        }
    }
}

#[test]
fn leaves_beyond_the_end_are_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let (mut ledger, _) = ledger(folder.path()).unwrap();
    ledger.append(&notices(3)).unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.leaves(0).unwrap(), []);
    assert!(matches!(
        reader.leaves(4),
        Err(StoreError::Broken { seq: 4, .. })
    ));
}
