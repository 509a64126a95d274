//! One person's mailbox on disk, as a Maildir.
//!
//! In:    a message. Out: a file in `new`, flushed with its folder; what lies there.
//! Never: half a message in `new`; the same message twice when it comes again.
//! See:   <https://cr.yp.to/proto/maildir.html>. `once` beside `new` holds one empty file per
//!        message that was delivered, under its digest; a reader such as Dovecot passes it over.
//!
//! A sender that did not hear the 250 sends the same bytes again. They have the same name, so that
//! until the mark in `once` is on disk the second takes the place of the first, and afterwards it
//! is known. A message without a `Message-ID` has nothing to be known by and is always delivered.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use super::MARK_DAYS;

/// Most bytes of a message that are looked through for its `Message-ID`.
const HEAD_SIZE_MAX: u64 = 64 * 1024;

/// One mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivered {
    /// It lies in the mailbox.
    Now,
    /// It had been delivered before.
    Before,
}

/// One message that lies in a mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its `Message-ID` with the angle brackets, if it has one.
    pub id: Option<String>,
    /// The file as it is: lines of the trace, then what was sent.
    pub bytes: Vec<u8>,
}

/// A message by its file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// What it is known by, in this mailbox and for ever: 64 hex digits as they were delivered.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
}

impl Message {
    /// What the sender sent: the file without this server's own three lines of trace.
    pub fn sent(&self) -> &[u8] {
        let own = ["Return-Path:", "Delivered-To:", "Received:"];
        let mut rest = self.bytes.as_slice();
        for name in own {
            if !rest.starts_with(name.as_bytes()) {
                return &self.bytes;
            }
            let end = rest.iter().position(|byte| *byte == b'\n');
            rest = end.map_or(&[][..], |end| &rest[end + 1..]);
        }
        rest
    }
}

impl Mailbox {
    /// The mailbox in a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lays a message in, behind its lines of trace.
    ///
    /// # Errors
    /// The disk does not take it; the message may come again.
    pub fn deliver(&self, trace: &str, text: &[u8]) -> io::Result<Delivered> {
        self.lay_out()?;
        let fresh = fresh_name()?;
        let (name, mark) = match id(text) {
            Some(_) => {
                let name = hex::encode(digest(&SHA256, text));
                let mark = self.folder.join("once").join(&name);
                (name, Some(mark))
            }
            None => (fresh.clone(), None),
        };
        if mark.as_ref().is_some_and(|mark| mark.exists()) {
            return Ok(Delivered::Before);
        }
        let draft = self.folder.join("tmp").join(fresh);
        let mut file = File::create_new(&draft)?;
        file.write_all(trace.as_bytes())?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&draft, self.folder.join("new").join(name))?;
        flush(&self.folder.join("new"))?;
        if let Some(mark) = mark {
            File::create(mark)?;
            flush(&self.folder.join("once"))?;
        }
        Ok(Delivered::Now)
    }

    fn lay_out(&self) -> io::Result<()> {
        if self.folder.join("once").is_dir() {
            return Ok(());
        }
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(self.folder.join(part))?;
        }
        flush(&self.folder)?;
        self.folder.parent().map_or(Ok(()), flush)?;
        // Last: whoever sees it finds the others on disk.
        fs::create_dir_all(self.folder.join("once"))?;
        flush(&self.folder)
    }

    /// Everything that lies in it, read or not, in no order.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn messages(&self) -> io::Result<Vec<Message>> {
        let mut all = Vec::new();
        for path in self.files()? {
            let mut bytes = Vec::new();
            if look(&path, |file| file.read_to_end(&mut bytes))? {
                all.push(Message {
                    id: id(&bytes),
                    bytes,
                });
            }
        }
        Ok(all)
    }

    /// What lies in it, in the order in which it came, without its contents.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn items(&self) -> io::Result<Vec<Item>> {
        let mut items = Vec::new();
        for path in self.files()? {
            let file = match fs::metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // What a reader such as Dovecot notes behind it is not its name.
            let name = name.split(':').next().unwrap_or_default().to_owned();
            let size = file.len();
            let at = file.modified()?;
            items.push((at, Item { name, path, size }));
        }
        items.sort_by(|(at, one), (other, two)| (at, &one.name).cmp(&(other, &two.name)));
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Deletes messages. That they were delivered is still known.
    ///
    /// # Errors
    /// The disk does not let go of one; the others may be gone.
    pub(super) fn remove(&self, items: &[Item]) -> io::Result<()> {
        for item in items {
            match fs::remove_file(&item.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done?,
            }
        }
        for part in ["new", "cur"].map(|part| self.folder.join(part)) {
            if !items.is_empty() && part.is_dir() {
                flush(&part)?;
            }
        }
        Ok(())
    }

    /// How often each `Message-ID` lies in it; the empty one stands for messages without.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn counts(&self) -> io::Result<BTreeMap<String, usize>> {
        let mut counts = BTreeMap::new();
        for path in self.files()? {
            let mut head = Vec::new();
            if look(&path, |file| {
                file.take(HEAD_SIZE_MAX).read_to_end(&mut head)
            })? {
                *counts.entry(id(&head).unwrap_or_default()).or_default() += 1;
            }
        }
        Ok(counts)
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for part in ["new", "cur"] {
            files.extend(entries(&self.folder.join(part))?);
        }
        Ok(files)
    }

    /// Forgets which messages were delivered so long ago that no sender tries any more.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub(super) fn retire(&self, now: i64) -> io::Result<()> {
        for mark in entries(&self.folder.join("once"))? {
            let made = fs::metadata(&mark)?.modified()?;
            let made = made.duration_since(UNIX_EPOCH).unwrap_or_default();
            let age = now.saturating_sub(i64::try_from(made.as_secs()).unwrap_or(i64::MAX));
            if age > MARK_DAYS * 86_400 {
                fs::remove_file(mark)?;
            }
        }
        Ok(())
    }
}

/// Paths in a folder; none in one that is not there.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(all) => all.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Reads a file; false when a reader of the mailbox has moved it away meanwhile.
fn look(path: &Path, read: impl FnOnce(&mut File) -> io::Result<usize>) -> io::Result<bool> {
    match File::open(path) {
        Ok(mut file) => read(&mut file).map(|_| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn flush(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn fresh_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the machine has no randomness"))?;
    Ok(hex::encode(bytes))
}

/// The `Message-ID` of a message, with its angle brackets.
fn id(message: &[u8]) -> Option<String> {
    let mut is_id = false;
    for line in message.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return None;
        }
        let value = match line.iter().position(|byte| *byte == b':') {
            // The value may stand in the line that goes on.
            _ if line[0].is_ascii_whitespace() => line,
            Some(at) => {
                is_id = line[..at].trim_ascii().eq_ignore_ascii_case(b"message-id");
                &line[at + 1..]
            }
            None => continue,
        };
        let value = value.trim_ascii();
        if is_id && value.starts_with(b"<") && value.ends_with(b">") {
            return String::from_utf8(value.to_vec()).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests;
