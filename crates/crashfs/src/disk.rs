//! What could be found on the disk after a power cut.
//!
//! In:    the events of a [`crate::Tape`], one by one; chance.
//! Out:   at any point an [`Image`] of the folder as a power cut could leave it.
//! Never: loses what was flushed, or finds what was never written (but for fresh room in a file,
//!        which may hold anything).

use std::collections::BTreeMap;
use std::path::Path;

use rand::RngExt;

use crate::{Chance, Event};

/// What a disk writes whole or not at all. Bytes.
pub const SECTOR_SIZE: u64 = 512;

/// A folder on a disk, and what is on the way to it.
#[derive(Clone, Default)]
pub struct Disk {
    inodes: Vec<Inode>,
    /// Files that are only ever replaced as a whole.
    whole: BTreeMap<String, Vec<u8>>,
    promised: u64,
}

#[derive(Clone)]
struct Inode {
    name: String,
    /// Whether the name would still be there.
    is_named: bool,
    is_gone: bool,
    /// Gone for good: another file took the name and was flushed.
    is_replaced: bool,
    flushed: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(u64, Vec<u8>),
    Cut(u64),
}

/// The files of a folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Image {
    /// Content by name.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// How a power cut goes.
#[derive(Clone, Copy)]
enum Luck {
    /// Only the program died; the disk gets everything.
    All,
    /// Nothing that was not flushed.
    Nothing,
    /// Some operations whole, the next one torn, no later one.
    Prefix,
    /// Each sector by itself, so many in a hundred.
    Sectors(u32),
}

/// What is in fresh room of a file that no data reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fresh {
    /// There is none: the file is as short as its data.
    None,
    Zeros,
    Garbage,
}

// === impl Disk ===

impl Disk {
    /// Takes the next event.
    pub fn step(&mut self, event: &Event, chance: &mut Chance) {
        match event {
            Event::Born { inode, name, found } => {
                assert_eq!(*inode, self.inodes.len(), "files are numbered as they come");
                self.inodes.push(Inode {
                    name: name.clone(),
                    is_named: found.is_some(),
                    is_gone: false,
                    is_replaced: false,
                    flushed: found.clone().unwrap_or_default(),
                    pending: Vec::new(),
                });
            }
            Event::Write {
                inode,
                offset,
                bytes,
            } => self.inodes[*inode]
                .pending
                .push(Pending::Write(*offset, bytes.clone())),
            Event::Cut { inode, size } => self.inodes[*inode].pending.push(Pending::Cut(*size)),
            Event::Flushed { inode } => self.flush(*inode),
            Event::FlushFailed { inode } => {
                // What the lottery gives now is all that will ever be written of it.
                let inode = &mut self.inodes[*inode];
                inode.flushed = inode.after_cut(Luck::Sectors(50), Fresh::Zeros, chance);
                inode.pending.clear();
            }
            Event::FolderFlushed => self.flush_folder(),
            Event::Gone { inode } => self.inodes[*inode].is_gone = true,
            Event::Replaced { name, bytes } => {
                self.whole.insert(name.clone(), bytes.clone());
            }
            Event::Promised(number) => self.promised = *number,
        }
    }

    fn flush(&mut self, index: usize) {
        let inode = &mut self.inodes[index];
        for op in std::mem::take(&mut inode.pending) {
            op.apply(&mut inode.flushed);
        }
        // The first flush of a log makes SQLite flush the folder too (`UNIXFILE_DIRSYNC`).
        let is_log = inode.name.ends_with("-wal") || inode.name.ends_with("-journal");
        let is_first = !std::mem::replace(&mut inode.is_named, true);
        let name = inode.name.clone();
        for older in &mut self.inodes[..index] {
            older.is_replaced |= older.name == name;
        }
        if is_log && is_first {
            self.flush_folder();
        }
    }

    fn flush_folder(&mut self) {
        for inode in &mut self.inodes {
            inode.is_named = true;
            inode.is_replaced |= inode.is_gone;
        }
    }

    /// The number up to which something was promised.
    pub fn promised(&self) -> u64 {
        self.promised
    }

    /// What could be found if the power went now. `next` is what would have come: a file that is
    /// about to be replaced may be replaced already.
    pub fn cut(&self, next: Option<&Event>, chance: &mut Chance) -> Image {
        let luck = match chance.random_range(0..6) {
            0 => Luck::All,
            1 => Luck::Nothing,
            2 => Luck::Prefix,
            3 => Luck::Sectors(10),
            4 => Luck::Sectors(50),
            _ => Luck::Sectors(90),
        };
        let fresh = match chance.random_range(0..3) {
            0 => Fresh::None,
            1 => Fresh::Zeros,
            _ => Fresh::Garbage,
        };
        let mut files = self.whole.clone();
        if let Some(Event::Replaced { name, bytes }) = next {
            let beside = format!("{}.new", name.trim_end_matches(".txt"));
            let torn = chance.random_range(0..=bytes.len());
            match chance.random_range(0..3) {
                0 => drop(files.insert(name.clone(), bytes.clone())),
                1 => drop(files.insert(beside, bytes[..torn].to_vec())),
                _ => {}
            }
        }
        for inode in self.inodes.iter().filter(|inode| !inode.is_replaced) {
            let kept = matches!(luck, Luck::All) || chance.random_bool(0.5);
            let there = match (inode.is_named, inode.is_gone) {
                (true, false) => true,
                (false, false) => kept,
                (_, true) => !kept,
            };
            if there {
                let bytes = inode.after_cut(luck, fresh, chance);
                files.insert(inode.name.clone(), bytes);
            }
        }
        Image { files }
    }

    /// What is found if the program ends here and the disk has time for everything.
    pub fn settled(&self) -> Image {
        let mut files = self.whole.clone();
        for inode in self.inodes.iter().filter(|inode| !inode.is_gone) {
            let mut bytes = inode.flushed.clone();
            inode.pending.iter().for_each(|op| op.apply(&mut bytes));
            files.insert(inode.name.clone(), bytes);
        }
        Image { files }
    }
}

// === impl Inode ===

impl Inode {
    fn after_cut(&self, luck: Luck, fresh: Fresh, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.flushed.clone();
        let whole = match luck {
            Luck::All => self.pending.len(),
            Luck::Prefix => chance.random_range(0..=self.pending.len()),
            Luck::Nothing | Luck::Sectors(_) => 0,
        };
        for (index, op) in self.pending.iter().enumerate() {
            match (op, luck) {
                _ if index < whole => op.apply(&mut bytes),
                (Pending::Write(offset, data), Luck::Prefix) if index == whole => {
                    let count = sectors(*offset, data).count();
                    let keep = chance.random_range(0..=count);
                    for (at, sector) in sectors(*offset, data).take(keep) {
                        put(&mut bytes, at, sector);
                    }
                }
                (Pending::Write(offset, data), Luck::Sectors(percent)) => {
                    for (at, sector) in sectors(*offset, data) {
                        if chance.random_range(0..100) < percent {
                            put(&mut bytes, at, sector);
                        } else if fresh != Fresh::None {
                            stretch(&mut bytes, at, (sector.len(), fresh), chance);
                        }
                    }
                }
                (Pending::Cut(_), Luck::Sectors(percent))
                    if chance.random_range(0..100) < percent =>
                {
                    op.apply(&mut bytes);
                }
                _ => {}
            }
        }
        bytes
    }
}

// === impl Pending ===

impl Pending {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Pending::Write(offset, data) => put(bytes, *offset, data),
            Pending::Cut(size) => bytes.resize(index(*size), 0),
        }
    }
}

// === impl Image ===

impl Image {
    /// Puts the files into a folder, and nothing else.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !self.files.contains_key(name.as_ref()) {
                std::fs::remove_file(&path)?;
            }
        }
        for (name, bytes) in &self.files {
            std::fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }

    /// Turns one bit of one file around; none if there are no bytes. Gives the file and the byte.
    pub fn flip(&mut self, chance: &mut Chance) -> Option<(String, usize)> {
        let filled = self.files.iter().filter(|(_, bytes)| !bytes.is_empty());
        let names: Vec<String> = filled.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return None;
        }
        let name = names[chance.random_range(0..names.len())].clone();
        let bytes = self.files.get_mut(&name)?;
        let at = chance.random_range(0..bytes.len());
        bytes[at] ^= 1 << chance.random_range(0..8);
        Some((name, at))
    }
}

/// The pieces of a write that a disk takes one by one.
fn sectors(offset: u64, data: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let first = index(SECTOR_SIZE - offset % SECTOR_SIZE).min(data.len());
    let (head, rest) = data.split_at(first);
    let rest = rest.chunks(index(SECTOR_SIZE));
    std::iter::once(head).chain(rest).scan(offset, |at, piece| {
        let here = *at;
        *at += piece.len() as u64;
        Some((here, piece))
    })
}

fn put(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let (from, to) = (index(offset), index(offset) + data.len());
    if bytes.len() < to {
        bytes.resize(to, 0);
    }
    bytes[from..to].copy_from_slice(data);
}

/// The file has the room already, its data did not come.
fn stretch(bytes: &mut Vec<u8>, offset: u64, (size, fresh): (usize, Fresh), chance: &mut Chance) {
    let from = bytes.len().max(index(offset));
    let to = index(offset) + size;
    if bytes.len() < to {
        bytes.resize(to, 0);
        if fresh == Fresh::Garbage {
            bytes[from..to].fill_with(|| chance.random());
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("test files are small")
}
