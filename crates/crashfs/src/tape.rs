//! Everything that happened to the files of one folder, in order.
//!
//! In:    writes, cuts, flushes, deletions; what a test says has been promised meanwhile.
//! Out:   [`Event`]s; the faults that were asked for.
//! Never: records files of other folders, or the shared-memory index, which no power cut survives.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A file was there before the recording began, or was made; whole and flushed if it was found.
    Born {
        /// Which; another one for each file that ever bore the name.
        inode: usize,
        /// Its name in the folder.
        name: String,
        /// What was in it; none if it was made now.
        found: Option<Vec<u8>>,
    },
    /// Bytes were written.
    Write {
        /// Where to.
        inode: usize,
        /// From which byte on.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was cut to a size.
    Cut {
        /// Which.
        inode: usize,
        /// New size in bytes.
        size: u64,
    },
    /// A file was flushed: everything before is on the disk, and its name too.
    Flushed {
        /// Which.
        inode: usize,
    },
    /// A flush failed, and whoever asked for it was told.
    FlushFailed {
        /// Which.
        inode: usize,
    },
    /// A file was deleted.
    Gone {
        /// Which.
        inode: usize,
    },
    /// The folder was flushed: names that came stay, names that went are gone. Said by the test.
    FolderFlushed,
    /// A file was replaced as a whole: written beside, flushed, renamed, folder flushed. Said by
    /// the test, after it was done.
    Replaced {
        /// Its name.
        name: String,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// Said by the test: everything up to this number has been promised to somebody.
    Promised(u64),
}

/// What shall fail, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A flush.
    Flush,
    /// A write in its middle.
    Write,
    /// A write in its middle, for want of room.
    Full,
}

/// The recording of one folder. Ends when the last handle is dropped.
#[derive(Clone)]
pub struct Tape(Arc<Recording>);

pub(crate) struct Recording {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    events: Vec<Event>,
    /// The file that bears a name now.
    names: BTreeMap<String, usize>,
    inode_count: usize,
    /// What fails, and after how many more that do not.
    fault: Option<(Fault, u32)>,
    lies: bool,
}

/// Every recording that runs in this process.
static RUNNING: Mutex<Vec<std::sync::Weak<Recording>>> = Mutex::new(Vec::new());

// === impl Tape ===

impl Tape {
    /// Records what SQLite does in a folder from here on; the files in it count as flushed.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn record(folder: &Path) -> std::io::Result<Self> {
        let mut inner = Inner::default();
        for file in std::fs::read_dir(folder)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if is_kept(&name) {
                inner.born(name, Some(std::fs::read(file.path())?));
            }
        }
        let folder = folder.to_owned();
        let recording = Arc::new(Recording {
            folder,
            inner: Mutex::new(inner),
        });
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|known| known.strong_count() > 0);
        running.push(Arc::downgrade(&recording));
        Ok(Self(recording))
    }

    /// Adds what only the test knows.
    pub fn say(&self, event: Event) {
        self.0.inner().events.push(event);
    }

    /// Has something fail once, after `after` more of its kind.
    pub fn fail(&self, fault: Fault, after: u32) {
        self.0.inner().fault = Some((fault, after));
    }

    /// Whether what was to fail has failed.
    pub fn has_failed(&self) -> bool {
        self.0.inner().fault.is_none()
    }

    /// Says of every flush from here on that it was done, and does none: a disk with a cache that
    /// it does not own up to. A checker that finds nothing then finds nothing at all.
    pub fn lie(&self) {
        self.0.inner().lies = true;
    }

    /// Everything so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.inner().events.clone()
    }
}

// === impl Recording ===

impl Recording {
    /// The recording that a file of this path belongs to, and its name in there.
    pub(crate) fn of(path: &Path) -> Option<(Arc<Recording>, String)> {
        let name = path.file_name()?.to_string_lossy().into_owned();
        if !is_kept(&name) {
            return None;
        }
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = running.iter().filter_map(std::sync::Weak::upgrade);
        let found = running.find(|known| Some(known.folder.as_path()) == path.parent())?;
        Some((found, name))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file was opened, and made if it was not there.
    pub(crate) fn opened(&self, name: String) -> usize {
        let mut inner = self.inner();
        let known = inner.names.get(&name).copied();
        known.unwrap_or_else(|| inner.born(name, None))
    }

    /// Bytes are written. How many of them are, and with which code the rest fails.
    pub(crate) fn write(&self, inode: usize, offset: u64, bytes: &[u8]) -> Result<(), Short> {
        let mut inner = self.inner();
        let strikes = inner.strikes(|fault| fault != Fault::Flush);
        let kept = match strikes {
            Some(_) => &bytes[..bytes.len() / 2],
            None => bytes,
        };
        let bytes = kept.to_vec();
        let size = bytes.len();
        inner.events.push(Event::Write {
            inode,
            offset,
            bytes,
        });
        match strikes {
            Some(fault) => Err(Short { size, fault }),
            None => Ok(()),
        }
    }

    /// A file is cut.
    pub(crate) fn cut(&self, inode: usize, size: u64) {
        self.inner().events.push(Event::Cut { inode, size });
    }

    /// A file is flushed; `false` if that shall fail.
    pub(crate) fn flush(&self, inode: usize) -> bool {
        let mut inner = self.inner();
        if inner.lies {
            return true;
        }
        let strikes = inner.strikes(|fault| fault == Fault::Flush).is_some();
        inner.events.push(if strikes {
            Event::FlushFailed { inode }
        } else {
            Event::Flushed { inode }
        });
        !strikes
    }

    /// A file is deleted.
    pub(crate) fn deleted(&self, name: &str) {
        let mut inner = self.inner();
        if let Some(inode) = inner.names.remove(name) {
            inner.events.push(Event::Gone { inode });
        }
    }
}

/// A write that fails in its middle.
pub(crate) struct Short {
    /// How many bytes are written.
    pub(crate) size: usize,
    /// Why no more.
    pub(crate) fault: Fault,
}

// === impl Inner ===

impl Inner {
    fn born(&mut self, name: String, found: Option<Vec<u8>>) -> usize {
        let inode = self.inode_count;
        self.inode_count += 1;
        self.names.insert(name.clone(), inode);
        self.events.push(Event::Born { inode, name, found });
        inode
    }

    fn strikes(&mut self, is_kind: impl Fn(Fault) -> bool) -> Option<Fault> {
        let (fault, after) = self.fault.as_mut().filter(|(fault, _)| is_kind(*fault))?;
        if let Some(less) = after.checked_sub(1) {
            *after = less;
            return None;
        }
        let fault = *fault;
        self.fault = None;
        Some(fault)
    }
}

/// Whether a file matters after a power cut: the index in shared memory and the lock do not.
fn is_kept(name: &str) -> bool {
    !name.ends_with("-shm") && !name.ends_with(".lock")
}
