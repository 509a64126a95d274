//! Reads an export back and proves it to itself.
//!
//! In:    a folder that somebody handed over; who signs its head; which witnesses must have.
//! Out:   [`Exported`], or the first file or entry that is wrong.
//! Never: needs a ledger or a network; reads a file longer than it may be.
//! See:   docs/formats/ledger.md, RFC 6962 §2.1.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anlauf_model::Digest;
use anlauf_transparency::checkpoint::{NOTE_SIZE_MAX, verifier_key_parse};
use anlauf_transparency::cosignature::Policy;
use anlauf_transparency::merkle::{leaf_hash, root_of};
use anlauf_transparency::tile::{TILE_WIDTH, Tile, bundle_parse, tile_root, tiles};
use anlauf_trust::leaf::salted;
use anlauf_trust::{Checkpoint, Leaf, PublicKey, Refusal};

use super::{Exported, FILE_ENTRIES, FILE_HEAD, FILE_KEY, FOLDER_SIGNED, Line};
use crate::error::StoreError;

/// Longest line of an entry. Bytes. An entry with an envelope of a full wave fits.
const LINE_SIZE_MAX: u64 = 16 * 1024 * 1024;

/// Longest bundle of leaves. Bytes.
const BUNDLE_SIZE_MAX: u64 = TILE_WIDTH * 1_024;

/// Who is believed.
#[derive(Clone, Copy, Debug)]
pub enum Believed<'b> {
    /// The key that lies in the folder itself: shows damage, not whose ledger it is.
    Folder,
    /// The log under this name and key.
    Log(&'b str, &'b PublicKey),
    /// The log, and a quorum of witnesses.
    Witnessed(&'b Policy),
}

/// Proves the folder: head, tree, bundles, every disclosed entry.
///
/// # Errors
/// The first file or entry that is wrong, by name.
pub fn check(folder: &Path, believed: Believed<'_>) -> Result<Exported, StoreError> {
    let head = head(folder, believed)?;
    let leaves = tree(folder, &head)?;
    bundles(folder, &leaves)?;
    let (body_count, erased_count) = entries(folder, &leaves)?;
    let signed = fs::read_dir(folder.join(FOLDER_SIGNED));
    let is_signature = |name: &fs::DirEntry| name.path().extension().is_some_and(|e| e == "sig");
    let signatures = signed.into_iter().flatten().flatten().filter(is_signature);
    Ok(Exported {
        size: head.size,
        root: head.root,
        body_count,
        erased_count,
        signature_count: signatures.count() as u64,
    })
}

fn head(folder: &Path, believed: Believed<'_>) -> Result<Checkpoint, StoreError> {
    let note = text(folder, FILE_HEAD, NOTE_SIZE_MAX as u64)?;
    let wrong = |refusal: Refusal| damaged(folder, FILE_HEAD, refusal.to_string());
    match believed {
        Believed::Log(origin, key) => Checkpoint::verify(&note, origin, key).map_err(wrong),
        Believed::Witnessed(policy) => Ok(policy.verify(&note).map_err(wrong)?.0),
        Believed::Folder => {
            let key = text(folder, FILE_KEY, 4 * 1024)?;
            let read = verifier_key_parse(key.trim_end());
            let (origin, key) =
                read.map_err(|refusal| damaged(folder, FILE_KEY, refusal.to_string()))?;
            Checkpoint::verify(&note, &origin, &key).map_err(wrong)
        }
    }
}

/// Every tile against the leaves, the leaves against the head. A tile that disagrees with those
/// below it is named; when two disagree, the head decides which.
fn tree(folder: &Path, head: &Checkpoint) -> Result<Vec<Digest>, StoreError> {
    let mut leaves: Vec<Digest> = Vec::new();
    let mut below: Vec<Digest> = Vec::new();
    let mut above: Vec<Digest> = Vec::new();
    let mut level = 0;
    for tile in tiles(head.size) {
        if tile.level != level {
            level = tile.level;
            below = std::mem::take(&mut above);
        }
        let hashes = tile_hashes(folder, &tile)?;
        if tile.level == 0 {
            leaves.extend(&hashes);
        } else {
            let first = usize::try_from(tile.index * TILE_WIDTH).unwrap_or(usize::MAX);
            for (place, hash) in hashes.iter().enumerate() {
                if below.get(first + place) != Some(hash) {
                    let index = (first + place) as u64;
                    let level = tile.level - 1;
                    let lower = Tile {
                        level,
                        index,
                        width: TILE_WIDTH,
                    }
                    .path();
                    let why = format!("its hash {place} is not the root of `{lower}`");
                    return Err(damaged(folder, &tile.path(), why));
                }
            }
        }
        if tile.width == TILE_WIDTH {
            above.push(tile_root(&hashes));
        }
    }
    if root_of(&leaves) == head.root {
        return Ok(leaves);
    }
    let why = "the tree over the tiles is not the one that was signed";
    Err(damaged(folder, FILE_HEAD, why))
}

fn tile_hashes(folder: &Path, tile: &Tile) -> Result<Vec<Digest>, StoreError> {
    let path = tile.path();
    let bytes = bytes(folder, &path, 32 * TILE_WIDTH)?;
    tile.hashes(&bytes)
        .map_err(|refusal| damaged(folder, &path, refusal.to_string()))
}

/// Bundles are there where everything is disclosed: all of them or none.
fn bundles(folder: &Path, leaves: &[Digest]) -> Result<(), StoreError> {
    if !folder.join("tile/entries").is_dir() {
        return Ok(());
    }
    let level = tiles(leaves.len() as u64)
        .into_iter()
        .filter(|tile| tile.level == 0);
    for (tile, want) in level.zip(leaves.chunks(256)) {
        let path = tile.bundle_path();
        let bytes = bytes(folder, &path, BUNDLE_SIZE_MAX)?;
        let read = bundle_parse(&bytes);
        let found = read.map_err(|refusal| damaged(folder, &path, refusal.to_string()))?;
        let same = found.len() == want.len()
            && found
                .iter()
                .zip(want)
                .all(|(entry, leaf)| leaf_hash(entry) == *leaf);
        if !same {
            return Err(damaged(
                folder,
                &path,
                "its entries are not those of the tree",
            ));
        }
    }
    Ok(())
}

/// Every disclosed entry against its leaf in the tree.
fn entries(folder: &Path, leaves: &[Digest]) -> Result<(u64, u64), StoreError> {
    let path = folder.join(FILE_ENTRIES);
    let file = fs::File::open(&path).map_err(|_| damaged(folder, FILE_ENTRIES, "it is missing"))?;
    let mut reader = BufReader::new(file);
    let (mut bodies, mut erased) = (0, 0);
    let mut next = 0;
    let mut line = String::new();
    for number in 1u64.. {
        line.clear();
        let wrong = |why: String| damaged(folder, FILE_ENTRIES, format!("line {number}: {why}"));
        let read = (&mut reader).take(LINE_SIZE_MAX).read_line(&mut line);
        match read {
            Ok(0) => break,
            Ok(_) if line.ends_with('\n') => {}
            Ok(_) => return Err(wrong("it is cut off or too long".into())),
            Err(error) => return Err(wrong(error.to_string())),
        }
        let entry: Line = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        if entry.index < next {
            return Err(wrong("its entry is out of order".into()));
        }
        next = entry.index + 1;
        let place = usize::try_from(entry.index).ok();
        let known = place.and_then(|place| leaves.get(place));
        match judge(&entry, known) {
            Ok(true) => bodies += 1,
            Ok(false) => erased += 1,
            Err(why) => return Err(wrong(format!("entry {next}: {why}"))),
        }
    }
    Ok((bodies, erased))
}

/// Whether the body is there and is that of the leaf; false when it was erased.
fn judge(line: &Line, known: Option<&Digest>) -> Result<bool, String> {
    let leaf = Leaf::parse(line.leaf.as_bytes()).map_err(|refusal| refusal.to_string())?;
    if leaf.seq() != line.index + 1 {
        return Err("its leaf is that of another entry".into());
    }
    if known != Some(&leaf.hash()) {
        return Err("its leaf is not the one in the tree".into());
    }
    match (&line.salt, &line.body) {
        (None, None) => Ok(false),
        (Some(salt), Some(body)) => {
            let salt: Digest = salt.parse().map_err(|_| "its salt is not 64 hex digits")?;
            match salted(&salt.0, body.as_bytes()) == *leaf.body() {
                true => Ok(true),
                false => Err("its body does not match its leaf".into()),
            }
        }
        _ => Err("salt and body go together".into()),
    }
}

fn text(folder: &Path, name: &str, size_max: u64) -> Result<String, StoreError> {
    let bytes = bytes(folder, name, size_max)?;
    String::from_utf8(bytes).map_err(|_| damaged(folder, name, "it is not text"))
}

fn bytes(folder: &Path, name: &str, size_max: u64) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let file = fs::File::open(folder.join(name));
    let file = file.map_err(|error| damaged(folder, name, error.to_string()))?;
    file.take(size_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(folder, name, error.to_string()))?;
    if bytes.len() as u64 > size_max {
        return Err(damaged(folder, name, "it is too long"));
    }
    Ok(bytes)
}

fn damaged(folder: &Path, name: &str, why: impl Into<String>) -> StoreError {
    StoreError::ExportDamaged {
        file: folder.join(name),
        why: why.into(),
    }
}
