//! The Merkle tree (RFC 6962 §2.1): leaves, root, inclusion and consistency proofs.
//!
//! In:    leaf hashes, or a source of stored nodes.
//! Out:   roots, proofs, whether a proof holds.
//! Never: keeps more than 64 hashes to append ([`Frontier`]); trusts the length of a proof.
//! See:   RFC 6962 §2.1, RFC 9162 §2.1, docs/formats/ledger.md.

use anlauf_model::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use anlauf_keys::refusal::Refusal;

/// Gives the hash of the full subtree over the 2^level leaves from index · 2^level on.
/// Level 0 are the leaf hashes. None when it is not stored.
pub type Nodes<'a> = &'a dyn Fn(u32, u64) -> Option<Digest>;

/// Hash of a leaf's bytes.
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([0])
            .chain_update(bytes)
            .finalize()
            .into(),
    )
}

/// Hash of an inner node.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(
        Sha256::new()
            .chain_update([1])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// Root of the tree without leaves: SHA-256 of nothing.
pub fn root_empty() -> Digest {
    Digest::of(&[])
}

/// Root over leaf hashes.
pub fn root_of(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

/// The right edge of a tree: all that is needed to append and to know the root.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "FrontierForm")]
pub struct Frontier {
    size: u64,
    /// Roots of the full subtrees from left to right: one per set bit of `size`.
    nodes: Vec<Digest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontierForm {
    size: u64,
    nodes: Vec<Digest>,
}

impl TryFrom<FrontierForm> for Frontier {
    type Error = &'static str;
    fn try_from(form: FrontierForm) -> Result<Self, Self::Error> {
        if u64::try_from(form.nodes.len()) != Ok(u64::from(form.size.count_ones())) {
            return Err("a frontier holds one node per set bit of its size");
        }
        Ok(Self {
            size: form.size,
            nodes: form.nodes,
        })
    }
}

impl Frontier {
    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash.
    pub fn append(&mut self, leaf: Digest) {
        self.append_with(leaf, &mut |_, _, _| {});
    }

    /// Appends a leaf hash and tells every node that became full by it, for storage:
    /// level, index, hash.
    pub fn append_with(&mut self, leaf: Digest, full: &mut dyn FnMut(u32, u64, Digest)) {
        let mut hash = leaf;
        let mut index = self.size;
        let mut level = 0;
        full(level, index, hash);
        while index & 1 == 1 {
            let left = self.nodes.pop().expect("one node per set bit of the size");
            hash = node_hash(&left, &hash);
            index >>= 1;
            level += 1;
            full(level, index, hash);
        }
        self.nodes.push(hash);
        self.size += 1;
    }

    /// The root of all leaves so far.
    pub fn root(&self) -> Digest {
        let fold = |right: Digest, left: &Digest| node_hash(left, &right);
        match self.nodes.split_last() {
            None => root_empty(),
            Some((last, rest)) => rest.iter().rev().fold(*last, fold),
        }
    }
}

/// Every full node over some leaf hashes, in memory: a source for proofs.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    levels: Vec<Vec<Digest>>,
}

impl Levels {
    /// Computes all levels.
    pub fn of(leaves: &[Digest]) -> Self {
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]))
                .collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// One node.
    pub fn node(&self, level: u32, index: u64) -> Option<Digest> {
        let level = self.levels.get(usize::try_from(level).ok()?)?;
        level.get(usize::try_from(index).ok()?).copied()
    }
}

/// Root of the first `size` leaves. None when a node is not stored.
pub fn root_at(nodes: Nodes<'_>, size: u64) -> Option<Digest> {
    if size == 0 {
        Some(root_empty())
    } else {
        range_hash(nodes, 0, size)
    }
}

/// Proof that the leaf at `index` is in the tree of the first `size` leaves (RFC 6962 §2.1.1).
/// None when the index is not below the size, or a node is not stored.
pub fn inclusion(nodes: Nodes<'_>, index: u64, size: u64) -> Option<Vec<Digest>> {
    if index >= size {
        return None;
    }
    let mut path = Vec::new();
    let (mut begin, mut end) = (0, size);
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(nodes, begin, middle)?);
            begin = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// Proof that the tree of the first `old` leaves is the beginning of that of the first `new`
/// (RFC 6962 §2.1.2). None when `old` is 0 or greater than `new`, or a node is not stored.
pub fn consistency(nodes: Nodes<'_>, old: u64, new: u64) -> Option<Vec<Digest>> {
    if old == 0 || old > new {
        return None;
    }
    let mut path = Vec::new();
    let (mut begin, mut end) = (0, new);
    while end != old {
        let middle = begin + split(end - begin);
        if old <= middle {
            path.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(nodes, begin, middle)?);
            begin = middle;
        }
    }
    // The verifier knows the old root itself; any other subtree it must be told.
    if begin > 0 {
        path.push(range_hash(nodes, begin, end)?);
    }
    path.reverse();
    Some(path)
}

/// Checks an inclusion proof (RFC 9162 §2.1.3.2).
///
/// # Errors
/// It does not show that the leaf is at that place under that root.
pub fn inclusion_verify(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), Refusal> {
    let wrong = || {
        let message = format!("entry {index} is not shown to be in the ledger of size {size}");
        Refusal::one("AN-TRU-060", message)
    };
    if index >= size {
        return Err(wrong());
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for node in proof {
        if last == 0 {
            return Err(wrong());
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(node, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, node);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root {
        Ok(())
    } else {
        Err(wrong())
    }
}

/// Checks a consistency proof between two sizes and their roots (RFC 9162 §2.1.4.2).
///
/// # Errors
/// It does not show that the old ledger is the beginning of the new one.
pub fn consistency_verify(
    old: (u64, &Digest),
    new: (u64, &Digest),
    proof: &[Digest],
) -> Result<(), Refusal> {
    let (old_size, old_root) = old;
    let (new_size, new_root) = new;
    let wrong = || {
        let message =
            format!("the ledger of size {new_size} is not shown to continue that of {old_size}");
        Refusal::one("AN-TRU-061", message)
    };
    if old_size == new_size {
        return if proof.is_empty() && old_root == new_root {
            Ok(())
        } else {
            Err(wrong())
        };
    }
    if old_size == 0 || old_size > new_size {
        return Err(wrong());
    }
    let known = old_size.is_power_of_two().then_some(old_root);
    let mut path = known.into_iter().chain(proof);
    let Some(first) = path.next() else {
        return Err(wrong());
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    let (mut place, mut last) = (old_size - 1, new_size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    for node in path {
        if last == 0 {
            return Err(wrong());
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(node, &old_hash);
            new_hash = node_hash(node, &new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, node);
        }
        place >>= 1;
        last >>= 1;
    }
    let holds = last == 0 && old_hash == *old_root && new_hash == *new_root;
    if holds { Ok(()) } else { Err(wrong()) }
}

/// Largest power of two below `size`; `size` is at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// Hash of a stretch of leaves that begins where a full subtree of at least its size may begin.
fn range_hash(nodes: Nodes<'_>, begin: u64, end: u64) -> Option<Digest> {
    let size = end - begin;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return nodes(level, begin >> level);
    }
    let middle = begin + split(size);
    Some(node_hash(
        &range_hash(nodes, begin, middle)?,
        &range_hash(nodes, middle, end)?,
    ))
}
