//! The tree against known answers and against the plainest reading of the standard.

use anlauf_model::Digest;
use anlauf_trust::Frontier;
use anlauf_trust::merkle::{
    Levels, consistency, consistency_verify, inclusion, inclusion_verify, leaf_hash, node_hash,
    root_at, root_empty, root_of,
};
use proptest::prelude::*;

/// The eight leaves of the Certificate Transparency test data, in hex.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// Roots of the first 1 to 8 of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn known() -> Vec<Digest> {
    LEAVES
        .iter()
        .map(|text| leaf_hash(&hex::decode(text).unwrap()))
        .collect()
}

fn leaves(count: usize) -> Vec<Digest> {
    (0..count)
        .map(|number| leaf_hash(&number.to_le_bytes()))
        .collect()
}

fn largest_power_below(size: usize) -> usize {
    let mut power = 1;
    while power * 2 < size {
        power *= 2;
    }
    power
}

/// MTH of RFC 6962 §2.1, word for word.
fn root_by_hand(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
            node_hash(&root_by_hand(left), &root_by_hand(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1, word for word.
fn path_by_hand(index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let middle = largest_power_below(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, other) = if index < middle {
        (path_by_hand(index, left), root_by_hand(right))
    } else {
        (path_by_hand(index - middle, right), root_by_hand(left))
    };
    path.push(other);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2, word for word.
fn subproof_by_hand(old: usize, leaves: &[Digest], whole: bool) -> Vec<Digest> {
    if old == leaves.len() {
        return if whole {
            Vec::new()
        } else {
            vec![root_by_hand(leaves)]
        };
    }
    let middle = largest_power_below(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut path, other) = if old <= middle {
        (subproof_by_hand(old, left, whole), root_by_hand(right))
    } else {
        (
            subproof_by_hand(old - middle, right, false),
            root_by_hand(left),
        )
    };
    path.push(other);
    path
}

#[test]
fn known_roots_come_out() {
    let leaves = known();
    for (index, root) in ROOTS.iter().enumerate() {
        let root: Digest = root.parse().unwrap();
        assert_eq!(root_of(&leaves[..=index]), root);
        assert_eq!(root_by_hand(&leaves[..=index]), root);
    }
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(root_of(&[]), empty.parse().unwrap());
    assert_eq!(root_empty(), root_of(&[]));
}

#[test]
fn proofs_of_every_small_tree_are_the_standards() {
    let all = leaves(33);
    let levels = Levels::of(&all);
    let nodes = |level, index| levels.node(level, index);
    for size in 1..=all.len() {
        let root = root_at(&nodes, size as u64).unwrap();
        assert_eq!(root, root_by_hand(&all[..size]));
        for index in 0..size {
            let path = inclusion(&nodes, index as u64, size as u64).unwrap();
            assert_eq!(path, path_by_hand(index, &all[..size]));
            inclusion_verify(&all[index], index as u64, size as u64, &path, &root).unwrap();
        }
        for old in 1..=size {
            let path = consistency(&nodes, old as u64, size as u64).unwrap();
            assert_eq!(
                path,
                subproof_by_hand(old, &all[..size], true),
                "{old} of {size}"
            );
            let before = root_by_hand(&all[..old]);
            consistency_verify((old as u64, &before), (size as u64, &root), &path).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_proven_is_none() {
    let levels = Levels::of(&leaves(5));
    let nodes = |level, index| levels.node(level, index);
    assert_eq!(inclusion(&nodes, 5, 5), None);
    assert_eq!(inclusion(&nodes, 0, 9), None, "nodes are missing");
    assert_eq!(consistency(&nodes, 0, 5), None);
    assert_eq!(consistency(&nodes, 6, 5), None);
    assert_eq!(root_at(&nodes, 8), None);
    assert_eq!(root_at(&nodes, 0), Some(root_empty()));
    assert!(inclusion_verify(&leaves(1)[0], 0, 0, &[], &root_empty()).is_err());
    assert!(consistency_verify((0, &root_empty()), (1, &leaves(1)[0]), &[]).is_err());
}

#[test]
fn a_frontier_tells_every_full_node_once() {
    let all = leaves(21);
    let levels = Levels::of(&all);
    let mut frontier = Frontier::default();
    let mut told = Vec::new();
    for leaf in &all {
        frontier.append_with(*leaf, &mut |level, index, hash| {
            told.push((level, index, hash))
        });
    }
    for (level, index, hash) in &told {
        assert_eq!(levels.node(*level, *index), Some(*hash));
    }
    let places: std::collections::BTreeSet<_> = told.iter().map(|node| (node.0, node.1)).collect();
    assert_eq!(places.len(), told.len());
    assert_eq!(told.len(), 21 + 10 + 5 + 2 + 1);
}

#[test]
fn a_frontier_is_kept_as_text() {
    let mut frontier = Frontier::default();
    for leaf in leaves(11) {
        frontier.append(leaf);
    }
    let text = serde_json::to_string(&frontier).unwrap();
    let mut back: Frontier = serde_json::from_str(&text).unwrap();
    assert_eq!(back, frontier);
    back.append(leaf_hash(b"next"));
    frontier.append(leaf_hash(b"next"));
    assert_eq!((back.root(), back.size()), (frontier.root(), 12));
    assert!(serde_json::from_str::<Frontier>(&text.replace("11", "12")).is_err());
}

proptest! {
    #[test]
    fn any_tree_has_the_root_of_the_standard(count in 0usize..300) {
        let all = leaves(count);
        prop_assert_eq!(root_of(&all), root_by_hand(&all));
    }

    #[test]
    fn a_proof_shows_one_place_of_one_tree(
        count in 1usize..200, index: prop::sample::Index, flip: prop::sample::Index, bit in 0u8..8,
    ) {
        let all = leaves(count);
        let levels = Levels::of(&all);
        let nodes = |level, index| levels.node(level, index);
        let (size, index) = (count as u64, index.index(count));
        let root = root_of(&all);
        let mut path = inclusion(&nodes, index as u64, size).unwrap();
        let leaf = all[index];
        let place = index as u64;
        prop_assert!(inclusion_verify(&leaf, place, size, &path, &root).is_ok());
        prop_assert!(inclusion_verify(&leaf_hash(b"x"), place, size, &path, &root).is_err());
        prop_assert!(inclusion_verify(&leaf, place + size, size, &path, &root).is_err());
        for other in 0..size {
            let same = other == place;
            prop_assert_eq!(inclusion_verify(&leaf, other, size, &path, &root).is_ok(), same);
        }
        path.push(root);
        prop_assert!(inclusion_verify(&leaf, place, size, &path, &root).is_err());
        path.pop();
        if !path.is_empty() {
            let node = flip.index(path.len());
            path[node].0[0] ^= 1 << bit;
            prop_assert!(inclusion_verify(&leaf, place, size, &path, &root).is_err());
            path.remove(node);
            prop_assert!(inclusion_verify(&leaf, place, size, &path, &root).is_err());
        }
    }

    #[test]
    fn a_rewritten_history_is_seen(
        count in 2usize..200, old: prop::sample::Index, changed: prop::sample::Index,
    ) {
        let all = leaves(count);
        let old = 1 + old.index(count - 1);
        let before = root_of(&all[..old]);
        let mut rewritten = all.clone();
        rewritten[changed.index(old)] = leaf_hash(b"rewritten");
        for leaves in [&all, &rewritten] {
            let levels = Levels::of(leaves);
            let nodes = |level, index| levels.node(level, index);
            let path = consistency(&nodes, old as u64, count as u64).unwrap();
            let root = root_of(leaves);
            let shown = consistency_verify((old as u64, &before), (count as u64, &root), &path);
            prop_assert_eq!(shown.is_ok(), *leaves == all);
        }
    }
}
