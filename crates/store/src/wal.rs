//! Tells a write-ahead log that rotted from one that a power cut left unfinished.
//!
//! In:    the log beside the ledger, before SQLite reads it.
//! Out:   the first damaged frame, if entries that were on the disk stand behind it.
//! Never: changes the log; calls an unfinished commit damage.
//! See:   <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>, ADR 015.
//!
//! SQLite reads the log up to the first frame whose sum is wrong and takes the rest for a commit
//! that was never finished. That is right after a power cut, for each commit is flushed before the
//! next one begins, so that at most one can be unfinished. Where two commits stand behind a wrong
//! frame, the first of them was flushed: the frame was good once, and SQLite would silently forget
//! what was acknowledged. Damage in the very last commit cannot be told from an unfinished one;
//! the signed checkpoint beside the ledger tells that, from the next signing on.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER_SIZE: usize = 32;
const FRAME_HEADER_SIZE: usize = 24;
const MAGIC: u32 = 0x377f_0682;

/// Sizes of pages that SQLite knows. Bytes.
const PAGE_SIZES: std::ops::RangeInclusive<usize> = 512..=65_536;

/// Commits that stand in a log behind a frame that is wrong, and still are no damage: the one that
/// a power cut interrupted.
const COMMIT_UNFINISHED_COUNT_MAX: usize = 1;

/// The number of the first frame that is damaged, from 1; 0 for the header. None if the log is
/// sound, unfinished, or not there.
pub(crate) fn damaged(ledger: &Path) -> io::Result<Option<u64>> {
    let mut path = ledger.as_os_str().to_owned();
    path.push("-wal");
    let file = match File::open(Path::new(&path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let size = file.metadata()?.len();
    let mut log = BufReader::with_capacity(1 << 16, file);
    let mut header = [0; HEADER_SIZE];
    if size < HEADER_SIZE as u64 {
        return Ok(None);
    }
    log.read_exact(&mut header)?;
    let Some(mut sums) = Sums::of_header(&header) else {
        // The header is flushed before the first frame is written.
        return Ok((size > HEADER_SIZE as u64).then_some(0));
    };
    let page_size = word(&header, 8) as usize;
    let mut frame = vec![0; FRAME_HEADER_SIZE + page_size];
    let (mut wrong, mut commit_count) = (None, 0);
    let mut number = 0;
    while read_whole(&mut log, &mut frame)? {
        number += 1;
        let is_current = frame[8..16] == header[16..24];
        if wrong.is_none() && !(is_current && sums.take_frame(&frame)) {
            wrong = Some(number);
        }
        let is_commit = word(&frame, 4) != 0;
        commit_count += usize::from(wrong.is_some() && is_current && is_commit);
    }
    Ok(wrong.filter(|_| commit_count > COMMIT_UNFINISHED_COUNT_MAX))
}

/// Fills the buffer; `false` at the end, or when less is left.
fn read_whole(log: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// A number as the log writes it: four bytes, the highest first.
fn word(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_be_bytes(four.unwrap_or_default())
}

/// The running sum over header and frames.
struct Sums {
    one: u32,
    two: u32,
    /// Whether the summed words have their highest byte first.
    is_big_endian: bool,
}

impl Sums {
    /// None when the header is none.
    fn of_header(header: &[u8; HEADER_SIZE]) -> Option<Self> {
        let magic = word(header, 0);
        let page_size = word(header, 8) as usize;
        if magic & !1 != MAGIC || !PAGE_SIZES.contains(&page_size) || !page_size.is_power_of_two() {
            return None;
        }
        let (one, two) = (0, 0);
        let is_big_endian = magic & 1 == 1;
        let mut sums = Self {
            one,
            two,
            is_big_endian,
        };
        sums.add(&header[..24]);
        (sums.one == word(header, 24) && sums.two == word(header, 28)).then_some(sums)
    }

    /// Whether the next frame's sum is right.
    fn take_frame(&mut self, frame: &[u8]) -> bool {
        self.add(&frame[..8]);
        self.add(&frame[FRAME_HEADER_SIZE..]);
        self.one == word(frame, 16) && self.two == word(frame, 20)
    }

    fn add(&mut self, bytes: &[u8]) {
        let number = |four: &[u8]| {
            let four = four.try_into().unwrap_or_default();
            if self.is_big_endian {
                u32::from_be_bytes(four)
            } else {
                u32::from_le_bytes(four)
            }
        };
        let (mut one, mut two) = (self.one, self.two);
        for eight in bytes.chunks_exact(8) {
            one = one.wrapping_add(number(&eight[..4])).wrapping_add(two);
            two = two.wrapping_add(number(&eight[4..])).wrapping_add(one);
        }
        (self.one, self.two) = (one, two);
    }
}
