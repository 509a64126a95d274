//! The tree as static files.
//!
//! In:    a size and stored nodes, or the bytes of a file. Out: paths and bytes, or hashes.
//! Never: an empty tile; a path in two spellings.
//! See:   C2SP tlog-tiles v0.1.0.

use anlauf_keys::refusal::Refusal;
use anlauf_model::Digest;

use crate::merkle::{Frontier, Nodes};

/// Hashes of a full tile.
pub const TILE_WIDTH: u64 = 256;

/// Largest entry of a bundle. Bytes: its length is two bytes.
pub const ENTRY_SIZE_MAX: usize = u16::MAX as usize;

/// One tile of a tree of some size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tile {
    /// 0 holds leaf hashes; one above holds the roots of 256 of one below.
    pub level: u32,
    /// From left to right, from 0.
    pub index: u64,
    /// How many hashes, 1 to 256.
    pub width: u64,
}

/// Every tile of a tree, from the leaves upwards.
pub fn tiles(size: u64) -> Vec<Tile> {
    let mut all = Vec::new();
    let mut count = size;
    let mut level = 0;
    while count > 0 {
        let full = count / TILE_WIDTH;
        all.extend((0..full).map(|index| Tile {
            level,
            index,
            width: TILE_WIDTH,
        }));
        let width = count % TILE_WIDTH;
        if width > 0 {
            all.push(Tile {
                level,
                index: full,
                width,
            });
        }
        count = full;
        level += 1;
    }
    all
}

impl Tile {
    /// Where it is served: `tile/0/x001/234.p/56`.
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, self.tail())
    }

    /// Where the bundle of entries beside a tile of level 0 is served.
    pub fn bundle_path(&self) -> String {
        format!("tile/entries/{}", self.tail())
    }

    fn tail(&self) -> String {
        let mut text = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            text = format!("x{:03}/{text}", rest % 1_000);
            rest /= 1_000;
        }
        match self.width {
            TILE_WIDTH => text,
            width => format!("{text}.p/{width}"),
        }
    }

    /// Its bytes; none when a node is not stored.
    pub fn bytes(&self, nodes: Nodes<'_>) -> Option<Vec<u8>> {
        let first = self.index * TILE_WIDTH;
        let mut bytes = Vec::new();
        for index in first..first + self.width {
            bytes.extend(nodes(self.level * 8, index)?.0);
        }
        Some(bytes)
    }

    /// The hashes in its bytes.
    ///
    /// # Errors
    /// There are more or fewer than its width.
    pub fn hashes(&self, bytes: &[u8]) -> Result<Vec<Digest>, Refusal> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || chunks.len() as u64 != self.width {
            let message = format!(
                "`{}` holds {} bytes, {} hashes were expected",
                self.path(),
                bytes.len(),
                self.width
            );
            return Err(Refusal::one("AN-TRU-056", message));
        }
        Ok(chunks.iter().copied().map(Digest).collect())
    }
}

/// The root of 256 hashes.
pub fn tile_root(hashes: &[Digest]) -> Digest {
    let mut tree = Frontier::default();
    for hash in hashes {
        tree.append(*hash);
    }
    tree.root()
}

/// Entries behind one another, each with its length before it.
///
/// # Errors
/// An entry is longer than 65,535 bytes.
pub fn bundle<'e>(entries: impl Iterator<Item = &'e [u8]>) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    for entry in entries {
        let size = u16::try_from(entry.len()).map_err(|_| too_long(entry.len()))?;
        bytes.extend(size.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle.
///
/// # Errors
/// It ends within one, or holds more than a tile.
pub fn bundle_parse(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    let wrong = || Refusal::one("AN-TRU-056", "a bundle of entries is cut off or too long");
    let mut entries = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk::<2>() {
        let size = usize::from(u16::from_be_bytes(*size));
        let (entry, rest) = rest.split_at_checked(size).ok_or_else(wrong)?;
        entries.push(entry);
        bytes = rest;
    }
    if bytes.is_empty() && entries.len() as u64 <= TILE_WIDTH {
        Ok(entries)
    } else {
        Err(wrong())
    }
}

fn too_long(size: usize) -> Refusal {
    let message = format!("an entry of {size} bytes, a bundle takes {ENTRY_SIZE_MAX}");
    Refusal::one("AN-TRU-056", message)
}
