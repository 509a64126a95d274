//! Tiles, as any C2SP client reads them.

use anlauf_model::Digest;
use anlauf_transparency::merkle::{Levels, root_of};
use anlauf_transparency::tile::{Tile, bundle, bundle_parse, tile_root, tiles};

use crate::leaves;

#[test]
fn a_tree_of_seventy_thousand_has_the_tiles_of_the_standard() {
    // The example of C2SP tlog-tiles, "Partial Tiles".
    let all = tiles(70_000);
    let of = |level: u32, full: bool| {
        let same = |tile: &&Tile| tile.level == level && (tile.width == 256) == full;
        all.iter()
            .filter(same)
            .map(|tile| tile.width)
            .collect::<Vec<_>>()
    };
    assert_eq!((of(0, true).len(), of(0, false)), (273, vec![112]));
    assert_eq!((of(1, true).len(), of(1, false)), (1, vec![17]));
    assert_eq!((of(2, true).len(), of(2, false)), (0, vec![1]));
    assert_eq!(all.len(), 273 + 1 + 1 + 1 + 1);
    let tile = |level, index, width| {
        Tile {
            level,
            index,
            width,
        }
        .path()
    };
    assert_eq!(tile(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(tile(2, 0, 1), "tile/2/000.p/1");
    let last = Tile {
        level: 0,
        index: 273,
        width: 112,
    };
    assert_eq!(last.bundle_path(), "tile/entries/273.p/112");
    let pair: Vec<_> = tiles(256).into_iter().map(|t| (t.level, t.width)).collect();
    assert_eq!(pair, [(0, 256), (1, 1)]);
}

#[test]
fn tiles_hold_the_tree() {
    for size in [0, 1, 255, 256, 257, 600, 70_000] {
        let leaves = leaves(size, u64::MAX);
        let levels = Levels::of(&leaves);
        let nodes = |level, index| levels.node(level, index);
        let mut flat = Vec::new();
        let mut above = Vec::new();
        for tile in tiles(size) {
            let hashes = tile.hashes(&tile.bytes(&nodes).unwrap()).unwrap();
            assert_eq!(hashes.len() as u64, tile.width);
            if tile.level == 0 {
                if tile.width == 256 {
                    above.push(tile_root(&hashes));
                }
                flat.extend(hashes);
            } else if tile.level == 1 {
                let first = usize::try_from(tile.index * 256).unwrap();
                assert_eq!(hashes, above[first..first + hashes.len()]);
            }
        }
        assert_eq!(root_of(&flat), root_of(&leaves), "{size}");
    }
}

#[test]
fn a_tile_of_another_width_is_refused() {
    let tile = Tile {
        level: 0,
        index: 0,
        width: 2,
    };
    for size in [0, 32, 63, 65, 96] {
        assert!(tile.hashes(&vec![0; size]).unwrap_err().has("AN-TRU-056"));
    }
    assert_eq!(tile.hashes(&[0; 64]).unwrap(), [Digest([0; 32]); 2]);
}

#[test]
fn bundles_are_read_back() {
    let entries: [&[u8]; 3] = [b"one", b"", &[7; 300]];
    let bytes = bundle(entries.into_iter()).unwrap();
    assert_eq!(bundle_parse(&bytes).unwrap(), entries);
    for cut in 1..bytes.len() {
        let found = bundle_parse(&bytes[..cut]);
        assert!(found.is_err() || found.unwrap().len() < 3);
    }
    assert!(bundle([&[0; 65_536][..]].into_iter()).is_err());
    assert!(bundle_parse(&[0; 2 * 257]).is_err());
}
